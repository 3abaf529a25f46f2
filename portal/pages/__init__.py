"""The pages, one module a subject; paths are Italian, since people read them."""

from portal.pages import (
    access,
    api_guide,
    debts,
    deliveries,
    documents,
    figures,
    health,
    home,
    identity,
    operations,
    people,
    provider,
    questions,
    reports,
    sending,
)

ROUTERS = (
    health.router,
    access.router,
    identity.router,
    people.router,
    api_guide.router,
    provider.router,
    home.router,
    debts.router,
    documents.router,
    deliveries.router,
    questions.router,
    operations.router,
    sending.router,
    figures.router,
    reports.router,
)

"""The log of who saw and did what; the rate limit of sign-ins reads it. Rows are only added."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa

from pcc_pipeline.database.schema import table

#: Failed sign-ins from one address in this long before that address has to wait.
WINDOW = timedelta(minutes=15)
FAILED_FROM_ADDRESS = 20


def record(
    engine: sa.Engine, who: str, action: str, *, ente: str | None = None, detail: str | None = None,
    address: str | None = None,
) -> None:  # fmt: skip
    """Adds an entry."""
    values = {"at": sa.func.now(), "who": who[:200], "action": action, "ente": ente, "detail": detail, "address": address}
    with engine.begin() as connection:
        connection.execute(sa.insert(table("audit")).values(values))


def must_wait(engine: sa.Engine, address: str | None, now: datetime) -> bool:
    """Whether too many sign-ins from an address failed of late."""
    audit = table("audit")
    query = sa.select(sa.func.count()).where(
        audit.c.action == "sign_in_failed", audit.c.address == address, audit.c.at > now - WINDOW
    )
    with engine.connect() as connection:
        return bool(connection.execute(query).scalar_one() >= FAILED_FROM_ADDRESS)

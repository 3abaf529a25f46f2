"""Notices by mail of what happens to a ticket: written with the deed, in the same transaction, and sent later.

A notice to the client goes to the ticket's contact; one to the provider to whoever `alerts.yaml` names. Sending is
`pcc_pipeline.service.support_mail`. Each is in Italian and English, since nobody asked a mailbox for its language.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from pcc_pipeline.database.schema import table

#: What is told to the client: what the provider did. Of their own deeds they hear that a ticket was opened.
_TO_CLIENT = {"OPENED", "ANSWERED", "PASSED", "CLOSED", "REOPENED"}
#: What is told to the provider: what the client did.
_TO_PROVIDER = {"OPENED", "WRITTEN", "CLOSED", "REOPENED"}


def write_notices(
    connection: sa.Connection, ticket: Mapping[str, Any], notice: str, by_provider: bool, words: str | None, now: datetime
) -> None:
    """Notes the mails to send about a deed, none where nobody is to be told."""
    told: list[str | None] = []
    if ticket["contact"] and notice in _TO_CLIENT and (by_provider or notice == "OPENED"):
        told.append(ticket["contact"])
    if not by_provider and notice in _TO_PROVIDER:
        told.append(None)
    values = {"ente": ticket["ente"], "number": ticket["number"], "notice": notice, "words": words, "made_at": now}
    for recipient in told:
        # Without asking back what was written: the desk may add to these, and read none.
        connection.execute(sa.insert(table("support_mails")).values({**values, "recipient": recipient}).inline())

"""The log of who saw and did what; the rate limit of sign-ins reads it. Rows are only added."""

from __future__ import annotations

from collections import OrderedDict
from datetime import datetime, timedelta
from threading import Lock

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


class SeenPage:
    """What was entered as seen of late, so that looking again within the hour costs no entry.

    Each process of the desk has its own: whoever is served by several may be entered by each.
    """

    LONG, MOST = timedelta(hours=1), 20_000

    def __init__(self) -> None:
        self._entered: OrderedDict[tuple[str, str], datetime] = OrderedDict()
        self._lock = Lock()

    def anew(self, reader: str, what: str, now: datetime) -> bool:
        """Whether this is to be entered: it was not within the hour."""
        with self._lock:
            before = self._entered.get((reader, what))
            if before is not None and now - before < self.LONG:
                return False
            self._entered[reader, what] = now
            self._entered.move_to_end((reader, what))
            if len(self._entered) > self.MOST:
                self._entered.popitem(last=False)
            return True


def must_wait(engine: sa.Engine, address: str | None, now: datetime) -> bool:
    """Whether too many sign-ins from an address failed of late."""
    audit = table("audit")
    query = sa.select(sa.func.count()).where(
        audit.c.action == "sign_in_failed", audit.c.address == address, audit.c.at > now - WINDOW
    )
    with engine.connect() as connection:
        return bool(connection.execute(query).scalar_one() >= FAILED_FROM_ADDRESS)

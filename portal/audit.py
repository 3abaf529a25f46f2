"""The log of who saw and did what, whose rows are only added; and the limit of sign-ins by address."""

from __future__ import annotations

from collections import OrderedDict
from datetime import datetime, timedelta
from threading import Lock

import sqlalchemy as sa

from pcc_pipeline.database.engine import lock
from pcc_pipeline.database.schema import table

#: Failed sign-ins from one address in this long before that address has to wait.
WINDOW = timedelta(minutes=15)
FAILED_FROM_ADDRESS = 20


def record(
    engine: sa.Engine, who: str, action: str, *, ente: str | None = None, detail: str | None = None,
    address: str | None = None,
) -> None:  # fmt: skip
    """Adds an entry."""
    clean = {"who": who[:200], "ente": ente, "detail": detail, "address": address}
    # A NUL, which no text of the database holds, must not undo a deed's entry when the deed is done.
    values = {name: None if text is None else text.replace("\0", "\ufffd") for name, text in clean.items()}
    with engine.begin() as connection:
        connection.execute(sa.insert(table("audit")).values(at=sa.func.now(), action=action, **values))


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


def begin_attempt(engine: sa.Engine, address: str | None, now: datetime) -> int | None:
    """Counts a sign-in from an address before its password is tried; None where too many failed of late, or are under way.

    The number returned is for `forgive`. Attempts of one moment come one after the other: none slips by uncounted.
    """
    attempts, place = table("sign_in_attempts"), address or "–"
    with engine.begin() as connection, lock(connection, f"sign in {place}"):
        # Those of a time to come were counted before the clock went back.
        connection.execute(sa.delete(attempts).where((attempts.c.at <= now - WINDOW) | (attempts.c.at > now + WINDOW)))
        known = sa.select(sa.func.count()).where(attempts.c.address == place)
        if connection.execute(known).scalar_one() >= FAILED_FROM_ADDRESS:
            return None
        added = sa.insert(attempts).values(address=place, at=now).returning(attempts.c.attempt)
        return int(connection.execute(added).scalar_one())


def forgive(engine: sa.Engine, attempt: int) -> None:
    """Forgets an attempt that ended well."""
    attempts = table("sign_in_attempts")
    with engine.begin() as connection:
        connection.execute(sa.delete(attempts).where(attempts.c.attempt == attempt))

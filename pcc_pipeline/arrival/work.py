"""What there is to do, from the inbox and the register (never a cursor), and its split in runs.

Nothing here starts a run: see `inbox`.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import sqlalchemy as sa

from pcc_pipeline.arrival.landing import PROVIDER, waiting
from pcc_pipeline.checks.gate import Gate
from pcc_pipeline.clock import today
from pcc_pipeline.database.register import Register, last_read
from pcc_pipeline.database.schema import table
from pcc_pipeline.installation import Installation
from pcc_pipeline.rules import threshold
from pcc_pipeline.settings import Settings
from pcc_pipeline.store import Store
from pcc_pipeline.tables.describe import MODEL_LAYERS

#: Up to so many enti get a run each; more go together, so many in a run.
RUNS_OF_ONE = 4
BATCH = 50

#: Failed runs over the same work after which it is left to the operator: the first and two more.
ATTEMPTS = 3
#: Runs over the same work, however they ended, after which the same: a file that cannot be taken away, say.
RUNS = 6


#: How many times the quiet time a file waits at most while others keep coming.
LONGEST_UNQUIET = 120

#: No calculation takes longer: what was decided before it began, it saw.
LONGEST_RUN = timedelta(days=1)


@dataclass(frozen=True)
class Attempts:
    """The runs over the same work of an ente: all, and those failed since one succeeded."""

    runs: int = 0
    failed: int = 0


def to_do(installation: Installation, *, sweep: bool, patience: float = 0.0) -> dict[str, str]:
    """Enti with something to do, and the fingerprint of what: files waiting, deliveries not read.

    An ente whose inbox is not quiet yet waits: its figures are not made from half the files (docs/rules.md#rule-12).
    Where nothing else is to do and one will be so within `patience` seconds, it is waited for.
    `sweep` adds enti whose deliveries were read but never published, as after a killed run, and those with
    decisions since their last publication (scans of whole tables, so not at every tick).
    """
    parts: dict[str, list[str]] = {}
    for ente, files in waiting(installation.settings.inbox).items():
        for path, size, mtime in files:
            parts.setdefault(ente, []).append(f"{path}|{size}|{mtime}")
    stale = unpublished(installation.register) if sweep else {}
    for ente, newest in {**stale, **pending(installation.register)}.items():
        parts.setdefault(ente, []).append(newest)
    for ente, newest in (decided(installation.register, installation.store) if sweep else {}).items():
        parts.setdefault(ente, []).append(newest)
    left = {ente: seconds for ente in parts if (seconds := until_quiet(installation.settings, ente)) > 0}
    if parts and len(left) == len(parts) and min(left.values()) <= patience:
        time.sleep(min(left.values()) + 0.01)  # a file system counts time in ticks
        return to_do(installation, sweep=sweep)
    return {ente: _fingerprint(marks) for ente, marks in parts.items() if ente not in left}


def arrived(settings: Settings) -> list[str]:
    """Whose files in this machine's inbox may be taken in now: those of enti, and of the provider, that are quiet."""
    return sorted(ente for ente in waiting(settings.inbox) if quiet(settings, ente))


def quiet(settings: Settings, ente: str, now: float | None = None) -> bool:
    """Whether nothing has come into an ente's inbox for so many seconds (setting, else threshold quiet_seconds), or
    something has waited there so long already that it is read all the same. No file is opened."""
    return until_quiet(settings, ente, now) <= 0


def until_quiet(settings: Settings, ente: str, now: float | None = None) -> float:
    """Seconds until an ente's inbox is `quiet`, should nothing more come; none or less where it is."""
    wanted = settings.quiet_seconds
    wanted = int(Decimal(threshold("quiet_seconds", today()))) if wanted is None else wanted
    if not wanted:
        return 0.0
    now = time.time() if now is None else now
    # A name that appears, is renamed or grows changes its folder's time or its own: also one that is still `.part`.
    folders = [path for path in _inside(settings.inbox / ente) if path.is_dir()]
    files = [found for folder in folders for path in _inside(folder) if (found := _changed(path)) is not None]
    times = [found for folder in folders if (found := _changed(folder)) is not None] + files
    latest = max((moment for moment in times if moment <= now), default=0.0)
    if any(now - moment >= wanted * LONGEST_UNQUIET for moment in files):
        return 0.0
    return latest + wanted - now


def _inside(folder: Path) -> list[Path]:
    """What lies in a folder; nothing in one that cannot be read: that stops nobody else."""
    try:
        return list(folder.iterdir())
    except OSError:
        return []


def _changed(path: Path) -> float | None:
    try:
        return path.stat().st_ctime
    except OSError:  # taken away at this moment, or not to be looked at
        return None


def _fingerprint(marks: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(sorted(marks)).encode()).hexdigest()[:16]


def pending(register: Register) -> dict[str, str]:
    """Enti with deliveries that are landed and not read, and the last of these."""
    t = table("deliveries")
    query = sa.select(t.c.ente, sa.func.max(last_read(t))).where(t.c.status == "landed").group_by(t.c.ente)
    with register.engine.connect() as connection:
        return {ente: f"delivery {last}" for ente, last in connection.execute(query)}


def unpublished(register: Register) -> dict[str, str]:
    """Enti with deliveries that their present publication did not see, and the last of these; not the provider.

    A publication keeps the sequence up to which it saw everything: when it was made says nothing, since a
    delivery may land, or be read anew, while it is being worked out.
    """
    d, p, c = table("deliveries"), table("publications"), table("delivery_confirmations")
    present = sa.select(sa.func.max(p.c.publication)).group_by(p.c.ente)
    last = sa.select(p).where(p.c.publication.in_(present)).subquery()
    unseen = sa.func.coalesce(last_read(d) > last.c.seen_sequence, d.c.received_at > last.c.published_at, sa.true())
    query = (
        sa.select(d.c.ente, sa.func.max(last_read(d)), sa.func.count(c.c.delivery))
        .outerjoin(last, last.c.ente == d.c.ente)
        .outerjoin(c, (c.c.ente == d.c.ente) & (c.c.delivery == d.c.delivery))
        .where(unseen, d.c.ente != PROVIDER)
        .group_by(d.c.ente)
    )
    with register.engine.connect() as connection:
        # A confirmation makes the same work another one: it may be tried again.
        return {ente: f"delivery {number}{f' confirmed {n}' if n else ''}" for ente, number, n in connection.execute(query)}


def decided(register: Register, store: Store) -> dict[str, str]:
    """Enti with decisions on pairs or operations that their present publication does not show, and the last decision:
    made after it, or while it was being worked out."""
    p = table("publications")
    last = sa.select(p.c.ente, sa.func.max(p.c.published_at).label("at")).group_by(p.c.ente).subquery()
    found: dict[str, str] = {}
    with register.engine.connect() as connection:
        for name in ("match_decisions", "operation_decisions", "answers"):
            d = table(name)
            query = (
                sa.select(d.c.ente, sa.func.max(d.c.decision), sa.func.max(d.c.decided_at) > sa.func.max(last.c.at))
                .join(last, last.c.ente == d.c.ente)
                .group_by(d.c.ente)
            )
            for ente, number, later in connection.execute(query):
                seen = None if later else Gate(store, ente).decisions_seen(MODEL_LAYERS)
                if later or (seen is not None and number > seen.get(name, 0)):
                    found[ente] = f"{found.get(ente, '')} {name} {number}".strip()
    return found


def split(enti: Sequence[str], tried: Mapping[str, Attempts], at_once: int = 1) -> list[list[str]]:
    """The enti in runs: a few one each, many in `portions`; what failed before always alone, a few at a time.

    So one ente's fault, which fails its batch's run, is shown and tried again on its own.
    """
    again = [ente for ente in enti if tried[ente].failed][:RUNS_OF_ONE]
    fresh = [ente for ente in enti if not tried[ente].failed]
    if len(fresh) <= RUNS_OF_ONE:
        return [[ente] for ente in (*fresh, *again)]
    return portions(fresh, at_once) + [[ente] for ente in again]


def portions(enti: Sequence[str], at_once: int = 1) -> list[list[str]]:
    """The enti in portions of like size, of at most BATCH; as many, where there are so many, that all of those who work
    `at_once` have some, and equally many."""
    fewest = -(-len(enti) // BATCH)
    number = min(len(enti), -(-fewest // at_once) * at_once)
    return [list(enti[len(enti) * at // number : len(enti) * (at + 1) // number]) for at in range(number)]

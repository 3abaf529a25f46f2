"""What processes left behind that were killed while they wrote: cleared by a later run, once nobody can still be at it."""

from __future__ import annotations

import logging

import sqlalchemy as sa

from pcc_pipeline.codes import PROVIDER
from pcc_pipeline.database.schema import table
from pcc_pipeline.installation import Installation
from pcc_pipeline.store import RECEIPTS

log = logging.getLogger(__name__)

#: No process writes a file for longer, in seconds.
LEFT_BEHIND = 86_400.0
#: Folders of the store that hold a folder an ente: those of rows by part, and others.
PARTS, _OTHERS = ("staging", "quarantine", "notes"), ("models", "checks", "closed", "sent")


def clear(installation: Installation, ente: str) -> int:
    """Removes an ente's unfinished files, and rows that no reading refers to (their process ended before it said so);
    returns how many files. The caller holds the ente's lock."""
    store = installation.store
    removed = store.clear(f"landing/{ente}", LEFT_BEHIND, below=False)
    if ente == PROVIDER:
        removed += store.clear(RECEIPTS, LEFT_BEHIND)
    for top in (*PARTS, *_OTHERS):
        removed += store.clear(f"{top}/{ente}", LEFT_BEHIND)
    names = [name for top in PARTS for name in store.list(f"{top}/{ente}") if name.endswith(".parquet")]
    known = _known_parts(installation.engine, ente)
    for name in names:
        if name.rsplit("/", 1)[-1].removesuffix(".parquet") not in known and store.age(name) >= LEFT_BEHIND:
            store.delete(name)
            removed += 1
    if removed:
        log.warning("%s: %s files cleared that a killed process had left behind", ente, removed)
    return removed


def _known_parts(engine: sa.Engine, ente: str) -> set[str]:
    """The parts of an ente's present and former readings."""
    d, f = table("deliveries"), table("former_readings")
    query = sa.union(*(sa.select(t.c.part).where(t.c.ente == ente, t.c.part.is_not(None)) for t in (d, f)))
    with engine.connect() as connection:
        return set(connection.execute(query).scalars())

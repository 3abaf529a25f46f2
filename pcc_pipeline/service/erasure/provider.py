"""Takes an ente's rows out of the provider's own deliveries: its register of enti, tickets and judgements of all.

Each delivered file is written anew without them and read again; its place in the order of arrival and its time stay,
so that what the others' rows say, and since when, does not change.
"""

from __future__ import annotations

import sqlalchemy as sa

from pcc_pipeline.arrival.landing import PROVIDER
from pcc_pipeline.arrival.leftovers import PARTS
from pcc_pipeline.arrival.staging import stage
from pcc_pipeline.database.register import Register, delivery_id
from pcc_pipeline.database.schema import table
from pcc_pipeline.installation import Installation
from pcc_pipeline.service.erasure.journal import Journal
from pcc_pipeline.service.erasure.rewrite import table_without
from pcc_pipeline.store import Store


def erase_rows(installation: Installation, journal: Journal) -> None:
    """Rewrites what holds rows of the ente, then reads it again. A crash in between is mended by the next call."""
    store, register = installation.store, installation.register
    with register.lock(PROVIDER):
        for row in register.deliveries(PROVIDER).to_pylist():
            if row["kind"] != "probes":
                _delivery(store, register, journal, row)
        # Only now: a call that was killed after a rewriting knows from the journal what nothing refers to any more.
        for name in journal.doomed.keys() - _referred_to(store, register):
            store.delete(name)
        journal.at_least("provider files", rows=sum(journal.doomed.values()))
    stage(installation, PROVIDER)


def _referred_to(store: Store, register: Register) -> set[str]:
    """The files of the store that the provider's deliveries refer to."""
    found = set()
    for row in register.deliveries(PROVIDER).to_pylist():
        found.add(store.landing(PROVIDER, row["sha256"]))
        found |= {f"{place}/{PROVIDER}/{row['kind']}/{row['part']}.parquet" for place in PARTS if row["part"]}
    return found


def _delivery(store: Store, register: Register, journal: Journal, row: dict[str, object]) -> None:
    old = store.landing(PROVIDER, str(row["sha256"]))
    if not store.exists(old):
        return
    with store.open(old) as file:
        data = file.read()
    done = table_without(data, journal.traces)
    named = journal.traces.pattern.search(str(row["file"])) is not None
    if not done.removed and not named:
        return
    t, f = table("deliveries"), table("former_readings")
    mine, formerly = t.c.delivery == row["delivery"], f.c.delivery == row["delivery"]
    with register.engine.begin() as connection:
        parts = [row["part"], *connection.execute(sa.select(f.c.part).where(formerly)).scalars()]
        rows = [f"{place}/{PROVIDER}/{row['kind']}/{part}.parquet" for place in PARTS for part in parts if part]
        journal.doom({**dict.fromkeys(rows, 0), **({old: done.removed} if done.removed else {})})
        connection.execute(sa.delete(f).where(formerly))
        if not done.left:
            connection.execute(sa.delete(t).where(mine))
            return
        kept = store.put_bytes(PROVIDER, done.data)
        name = delivery_id(PROVIDER, str(row["kind"]), kept.sha256)
        twin = connection.execute(sa.select(t.c.delivery).where(t.c.delivery == name, ~mine)).first()
        if twin is not None:  # the same rows were delivered otherwise, too
            connection.execute(sa.delete(t).where(mine))
            return
        file_name = journal.traces.pattern.sub("erased", str(row["file"]))
        fresh = {"delivery": name, "sha256": kept.sha256, "size": kept.size, "file": file_name, "status": "landed"}
        cleared = dict.fromkeys(("rows", "refused", "defects", "reason", "part"))
        connection.execute(sa.update(t).where(mine).values({**fresh, **cleared}))

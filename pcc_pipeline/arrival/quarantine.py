"""Quarantine as a tool: what was refused and how often, and reading it anew once a layout or a rule has changed.

Defects are found by the parsers and kept beside the staged rows; here they are only gathered, folded and shown.
A release reads the kept bytes again (`staging.read_anew`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from pcc_pipeline.arrival.staging import ReadAnew, read_anew
from pcc_pipeline.calculator import at_hand
from pcc_pipeline.duck import parquet
from pcc_pipeline.formats.tabular.layouts.model import Layout
from pcc_pipeline.installation import Installation
from pcc_pipeline.store import Store
from pcc_pipeline.tables.feeds import QUARANTINE
from pcc_pipeline.tables.notes import DELIVERY_NOTES
from pcc_pipeline.tables.quarantine import QUARANTINE_SUMMARY, QUARANTINED
from pcc_pipeline.tables.register import REFUSED

_FOLDED = """
    select
        defects.ente, defects.kind, defects.delivery, defects.file, defects.field, defects.reason,
        count(*) as times,
        min(defects.line) as first_line,
        array_to_string(list_slice(list_distinct(list(defects.value order by defects.line)), 1, 3), ' · ') as examples,
        any_value(deliveries.rows) as rows,
        any_value(deliveries.received_at) as received_at
    from defects
    join deliveries using (delivery)
    group by all
"""


def write_quarantine(installation: Installation, ente: str, registered: pa.Table | None = None) -> str:
    """Writes an ente's defects, with files refused at the door, their summary, and the notes; returns the defects' uri.

    `registered` are the ente's deliveries that count (as DELIVERIES has them): those of now unless given.
    """
    deliveries = installation.register.deliveries(ente) if registered is None else registered
    name, summary = (f"models/{ente}/{table.name}.parquet" for table in (QUARANTINED, QUARANTINE_SUMMARY))
    with _gathered(installation, ente, deliveries) as connection:
        with installation.store.write(name) as target:
            connection.execute(
                "copy (select *, count(*) over (partition by kind, field, reason) as times from defects)"
                f" to '{target}' (format parquet)"
            )
        with installation.store.write(summary) as target:
            columns = ", ".join(QUARANTINE_SUMMARY.column_names)
            connection.execute(f"copy (select {columns} from ({_FOLDED})) to '{target}' (format parquet)")
        files = _files(installation.store, deliveries, ente, "notes")
        with installation.store.write(f"models/{ente}/{DELIVERY_NOTES.name}.parquet") as target:
            connection.execute(f"copy (from {parquet(DELIVERY_NOTES, files)}) to '{target}' (format parquet)")
    return installation.store.uri(name)


def _files(store: Store, deliveries: pa.Table, ente: str, folder: str) -> list[str]:
    """The files under a folder of the store that the readings which stand have left."""
    names = {
        f"{folder}/{ente}/{row['kind']}/{row['part']}.parquet"
        for row in deliveries.select(["kind", "part"]).to_pylist()
        if row["part"]
    }
    return sorted(store.uri(name) for name in names if store.exists(name))


def summary(
    installation: Installation,
    ente: str,
    *,
    kind: str | None = None,
    delivery: str | None = None,
    limit: int | None = None,
    registered: pa.Table | None = None,
) -> pa.Table:
    """An ente's quarantine now, folded (columns of QUARANTINE_SUMMARY), the latest deliveries and most frequent first.

    `delivery` may be the beginning of an identifier; `registered` as for `write_quarantine`.
    """
    deliveries = installation.register.deliveries(ente) if registered is None else registered
    columns = ", ".join(QUARANTINE_SUMMARY.column_names)
    if not _something(deliveries):
        return QUARANTINE_SUMMARY.arrow_schema.empty_table()
    with _gathered(installation, ente, deliveries) as connection:
        return connection.sql(
            f"select {columns} from ({_FOLDED}) where ($kind is null or kind = $kind)"
            " and ($delivery is null or starts_with(delivery, $delivery))"
            " order by received_at desc, delivery, times desc, field, reason limit $limit",
            params={"kind": kind, "delivery": delivery, "limit": limit if limit is not None else 1 << 62},
        ).to_arrow_table()


def release(
    installation: Installation, ente: str, layout: Layout | None = None, deliveries: Sequence[str] | None = None
) -> ReadAnew:
    """Reads an ente's quarantined deliveries again (or those named): good rows come in, settled defects go.

    See `staging.read_anew` for what stays as it was. Raises KeyError for a delivery that the ente does not have.
    """
    return read_anew(installation, ente, layout, deliveries=deliveries)


def _something(deliveries: pa.Table) -> bool:
    """Whether anything was refused, by what is registered."""
    wrong = pc.or_(pc.greater(pc.fill_null(deliveries["defects"], 0), 0), pc.equal(deliveries["status"], REFUSED))
    return bool(pc.any(wrong).as_py())


@contextmanager
def _gathered(installation: Installation, ente: str, deliveries: pa.Table) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection with the ente's `deliveries` and `defects` (columns of QUARANTINE)."""
    files = _files(installation.store, deliveries, ente, "quarantine")
    with at_hand(installation.settings, installation.store) as connection:
        connection.register("deliveries", deliveries)
        # A file refused at the door was never parsed: its reason is in the register alone.
        connection.execute(f"""
            create temp table defects as
            select * from {parquet(QUARANTINE, files)}
            union all by name
            select ente, kind, delivery, file, null::bigint as line, null as field, null as value, reason
            from deliveries where status = 'refused' and part is null
        """)
        yield connection

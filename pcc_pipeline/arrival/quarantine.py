"""Quarantine as a tool: what was refused and how often, and reading it anew once a layout or a rule has changed.

Defects are found by the parsers and kept beside the staged rows; here they are only gathered, folded and shown.
A release reads the kept bytes again: see `release` for what stays as it was.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import duckdb
import pyarrow as pa

from pcc_pipeline.arrival.staging import StagingReport, stage
from pcc_pipeline.calculator.session import connect
from pcc_pipeline.database.register import Register
from pcc_pipeline.settings import Settings
from pcc_pipeline.store import Store
from pcc_pipeline.tables.feeds import QUARANTINE
from pcc_pipeline.tables.notes import DELIVERY_NOTES
from pcc_pipeline.tables.quarantine import QUARANTINE_SUMMARY, QUARANTINED

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


@dataclass(frozen=True)
class Released:
    """What a release did: deliveries read anew, defects before and after, rows before and after."""

    deliveries: int
    defects_before: int
    defects_after: int
    rows_before: int
    rows_after: int
    report: StagingReport | None = None


def write_quarantine(settings: Settings, store: Store, register: Register, ente: str) -> str:
    """Writes an ente's defects, with files refused at the door, their summary, and the notes; returns the defects' uri."""
    name, summary = (f"models/{ente}/{table.name}.parquet" for table in (QUARANTINED, QUARANTINE_SUMMARY))
    with _gathered(settings, store, register, ente) as connection:
        with store.write(name) as target:
            connection.execute(
                "copy (select *, count(*) over (partition by kind, field, reason) as times from defects)"
                f" to '{target}' (format parquet)"
            )
        with store.write(summary) as target:
            columns = ", ".join(QUARANTINE_SUMMARY.column_names)
            connection.execute(f"copy (select {columns} from ({_FOLDED})) to '{target}' (format parquet)")
        _write_notes(connection, store, register, ente)
    return store.uri(name)


def _write_notes(connection: duckdb.DuckDBPyConnection, store: Store, register: Register, ente: str) -> None:
    """Writes what was noted of the ente's deliveries and cost no row."""
    files = _files(store, register.deliveries(ente), ente, "notes")
    connection.register("no_notes", DELIVERY_NOTES.arrow_schema.empty_table())
    columns = ", ".join(DELIVERY_NOTES.column_names)
    found = f"read_parquet({files!r})" if files else "no_notes"
    with store.write(f"models/{ente}/{DELIVERY_NOTES.name}.parquet") as target:
        connection.execute(f"copy (select {columns} from {found}) to '{target}' (format parquet)")


def _files(store: Store, deliveries: pa.Table, ente: str, folder: str) -> list[str]:
    """The files under a folder of the store that the readings which stand have left."""
    names = {
        f"{folder}/{ente}/{row['kind']}/{row['part']}.parquet"
        for row in deliveries.select(["kind", "part"]).to_pylist()
        if row["part"]
    }
    return sorted(store.uri(name) for name in names if store.exists(name))


def summary(
    settings: Settings,
    store: Store,
    register: Register,
    ente: str,
    *,
    kind: str | None = None,
    delivery: str | None = None,
    limit: int | None = None,
) -> pa.Table:
    """An ente's quarantine now, folded (columns of QUARANTINE_SUMMARY), the latest deliveries and most frequent first.

    `delivery` may be the beginning of an identifier.
    """
    columns = ", ".join(QUARANTINE_SUMMARY.column_names)
    with _gathered(settings, store, register, ente) as connection:
        return connection.sql(
            f"select {columns} from ({_FOLDED}) where ($kind is null or kind = $kind)"
            " and ($delivery is null or starts_with(delivery, $delivery))"
            " order by received_at desc, delivery, times desc, field, reason limit $limit",
            params={"kind": kind, "delivery": delivery, "limit": limit if limit is not None else 1 << 62},
        ).to_arrow_table()


def release(
    settings: Settings, store: Store, register: Register, ente: str, deliveries: Sequence[str] | None = None
) -> Released:
    """Reads an ente's quarantined deliveries again (or those named), from the kept bytes.

    Good rows come in under their own delivery and its place in the order of arrival, so they never supersede what
    was delivered later; settled defects go. What the former reading gave is kept: a state asked as of an earlier
    moment is computed from the reading that stood then. Deliveries whose rows share a file are read together.
    Raises KeyError for a delivery that the ente does not have.
    """
    with register.lock(ente):
        before = register.release(ente, deliveries)
    if not before:
        return Released(0, 0, 0, 0, 0)
    report = stage(settings, store, register, ente)
    names = {row.delivery for row in before}
    after = [row for row in register.deliveries(ente).to_pylist() if row["delivery"] in names]
    return Released(
        len(before),
        sum(row.defects or 0 for row in before),
        sum(row["defects"] or 0 for row in after),
        sum(row.rows or 0 for row in before),
        sum(row["rows"] or 0 for row in after),
        report,
    )


@contextmanager
def _gathered(settings: Settings, store: Store, register: Register, ente: str) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection with the ente's `deliveries` and `defects` (columns of QUARANTINE)."""
    deliveries = register.deliveries(ente)
    files = _files(store, deliveries, ente, "quarantine")
    columns = ", ".join(QUARANTINE.column_names)
    with connect(settings) as connection:
        store.attach(connection)
        connection.register("deliveries", deliveries)
        connection.register("empty", QUARANTINE.arrow_schema.empty_table())
        found = f"select {columns} from read_parquet({files!r})" if files else f"select {columns} from empty"
        # A file refused at the door was never parsed: its reason is in the register alone.
        connection.execute(f"""
            create temp table defects as
            {found}
            union all by name
            select ente, kind, delivery, file, null::bigint as line, null as field, null as value, reason
            from deliveries where status = 'refused' and part is null
        """)
        yield connection

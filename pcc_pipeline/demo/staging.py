"""Writes synthetic documents straight to staging Parquet, for benchmarks of tens of millions."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import duckdb

from pcc_pipeline.demo.dialects import columns_of
from pcc_pipeline.demo.parties import enti
from pcc_pipeline.demo.synthesis import KINDS, Size, synthesis
from pcc_pipeline.tables.describe import Table
from pcc_pipeline.tables.feeds import FEEDS


def write_staging(
    directory: Path,
    documents: int,
    seed: int,
    *,
    ente: str = "montefiore",
    reference_date: date = date(2025, 12, 31),
    observed_at: date | None = None,
    memory_limit: str = "2GiB",
) -> dict[str, int]:
    """Write `<directory>/<kind>/synthetic.parquet` for one ente of `documents` documents.

    The rows are those `write_provider` gives its first ente, in the feeds' schemas. Returns rows by kind.
    """
    size = Size(documents, seed, reference_date, observed_at or reference_date + timedelta(days=20))
    counts = {}
    with synthesis(replace(enti(1, seed)[0], code=ente), 0, size, memory_limit=memory_limit) as connection:
        # Order costs memory and says nothing: each row carries its line.
        connection.execute("set preserve_insertion_order = false")
        for kind in KINDS:
            target = directory / kind / "synthetic.parquet"
            target.parent.mkdir(parents=True, exist_ok=True)
            part = target.with_name(target.name + ".part")
            path = str(part).replace("'", "''")
            row = connection.execute(
                f"copy (select {_typed(connection, FEEDS[kind])} from {kind}) to '{path}' (format parquet, compression zstd)"
            ).fetchone()
            part.rename(target)
            counts[kind] = int(row[0]) if row else 0
    return counts


def _typed(connection: duckdb.DuckDBPyConnection, table: Table) -> str:
    made = columns_of(connection, table.name)
    return ", ".join(f"{c.name if c.name in made else 'null'}::{c.duckdb_type} as {c.name}" for c in table.columns)

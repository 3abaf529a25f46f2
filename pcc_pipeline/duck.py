"""DuckDB, opened in one place and within the installation's limits; and Parquet read as its table is described.

What is asked of a connection is not known here. No other module opens DuckDB.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import duckdb

from pcc_pipeline.settings import Settings
from pcc_pipeline.tables.describe import Table


def connect(
    settings: Settings | None = None, *, keep_order: bool = False, memory_limit: str | None = None
) -> duckdb.DuckDBPyConnection:
    """A DuckDB connection of its own, in memory, within PCC_MEMORY_LIMIT and PCC_THREADS; it spills under PCC_HOME.

    Without `settings` those of the environment hold. `keep_order` keeps rows in the order in which they are read, which
    costs memory. `memory_limit` is another limit than the installation's.
    """
    known = settings or Settings.from_environment()
    if settings is not None or known.home.exists():
        spill = known.home / "spill"
        spill.mkdir(parents=True, exist_ok=True)
    else:  # there is no installation, so none is begun: DuckDB makes this folder when it needs it
        spill = Path(tempfile.gettempdir()) / "pcc-spill"
    return duckdb.connect(
        config={
            "memory_limit": memory_limit or known.memory_limit,
            "threads": known.threads,
            "temp_directory": str(spill),
            "preserve_insertion_order": keep_order,
            "TimeZone": "UTC",
            "autoinstall_known_extensions": False,
        }
    )


def parquet(table: Table, files: Sequence[str]) -> str:
    """What stands after `from` to read the rows of a table from Parquet files: its described columns, in order.

    A column that a file lacks is null: files written before the column was described stay good. A column that is no
    longer described is not read. Without files there are no rows.
    """
    if not files:
        columns = ", ".join(f'cast(null as {c.duckdb_type}) as "{c.name}"' for c in table.columns)
        return f"(select {columns} where false)"
    listed = ", ".join(literal(file) for file in files)
    # Named columns with a default: as quick as reading one schema, which `union_by_name` is not over many files.
    schema = ", ".join(
        f"{literal(c.name)}: {{name: {literal(c.name)}, type: {literal(c.duckdb_type)}, default_value: null}}"
        for c in table.columns
    )
    return f"read_parquet([{listed}], schema = map {{{schema}}})"


def literal(text: str) -> str:
    """The text as a SQL literal."""
    return "'" + text.replace("'", "''") + "'"

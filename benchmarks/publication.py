"""Publication of one ente's rows against bare COPY of a ready-made CSV file of the same rows, in the same run.

    python -m benchmarks.publication [rows]

Both write the same table with the same indexes on the same server, first into nothing and then over the rows
that stand there (bare COPY after the same DELETE). The ratio is publication's rows/s over bare COPY's.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

import duckdb
import sqlalchemy as sa

from pcc_pipeline.database import embedded, schema
from pcc_pipeline.database.engine import engine
from pcc_pipeline.database.publish import CHUNK, Publication, publish
from pcc_pipeline.settings import Settings
from pcc_pipeline.tables.describe import Table

TABLE = "debt_positions"


def rows_of(table: Table, rows: int) -> str:
    """A query giving invented rows of a described table: distinct texts, dates of some years, cents."""
    kinds = {
        "text": "'value ' || i",
        "date": "DATE '2020-01-01' + (i % 2000)::INTEGER",
        "money": "(i % 1000000 / 100)::DECIMAL(18,2)",
        "decimal": "(i % 1000000 / 100)::DECIMAL(18,8)",
        "integer": "i",
        "boolean": "i % 2 = 0",
        "timestamp": "TIMESTAMPTZ '2025-01-01 00:00:00+00' + INTERVAL (i) SECOND",
        "texts": "['value ' || i]",
        "records": "NULL",
    }
    columns = [f'{"$ente" if c.name == "ente" else kinds[c.type]} AS "{c.name}"' for c in table.columns]
    return f"SELECT {', '.join(columns)} FROM range({rows}) AS r(i)".replace("$ente", "'alfa'")


def timed(work: Callable[[], object]) -> float:
    """Seconds that `work` takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def bare_copy(bind: sa.Engine, file: Path, columns: list[str]) -> None:
    """DELETE and COPY of a ready-made file, nothing else."""
    with bind.begin() as connection:
        connection.execute(sa.text(f"DELETE FROM pcc.{TABLE} WHERE ente = 'alfa'"))
        cursor = connection.connection.cursor()
        names = ", ".join(f'"{name}"' for name in columns)
        with (
            cursor.copy(f"COPY pcc.{TABLE} ({names}) FROM STDIN (FORMAT csv)") as copy,
            file.open("rb") as source,
        ):
            while chunk := source.read(CHUNK):
                copy.write(chunk)


def main(rows: int) -> None:
    """Runs and prints the measurement."""
    described = schema.published()[TABLE]
    with tempfile.TemporaryDirectory(prefix="pcc-bench-") as folder:
        home = Path(folder)
        settings = Settings.at(home)
        bind = engine(settings)
        parquet, ready = home / "rows.parquet", home / "rows.csv"
        with duckdb.connect() as calculator:
            calculator.execute(f"COPY ({rows_of(described, rows)}) TO '{parquet}' (FORMAT parquet)")
            shown = ", ".join(
                f'to_json("{c.name}")' if c.type in ("texts", "records") else f'"{c.name}"' for c in described.columns
            )
            calculator.execute(f"COPY (SELECT {shown} FROM '{parquet}') TO '{ready}' (FORMAT csv, HEADER false)")
        when = Publication(date(2025, 12, 31), date(2026, 1, 20))
        print(f"{TABLE}: {rows:,} rows of {len(described.columns)} columns, {ready.stat().st_size / 1e6:.0f} MB as CSV")
        for state in ("empty table", "replacing", "replacing again"):
            # Each finds the same table: emptied, or holding the same rows once.
            seconds = {}
            for name, work in (
                ("bare COPY", lambda: bare_copy(bind, ready, described.column_names)),
                ("publish", lambda: publish(bind, "alfa", {TABLE: str(parquet)}, when)),
            ):
                prepare(bind, empty=state == "empty table")
                seconds[name] = timed(work)
            bare, ours = rows / seconds["bare COPY"], rows / seconds["publish"]
            print(f"{state:16} bare COPY {bare:9,.0f} rows/s   publish {ours:9,.0f} rows/s   ratio {ours / bare:.2f}")
        bind.dispose()
        embedded.release(home)


def prepare(bind: sa.Engine, empty: bool) -> None:
    """Leaves the table empty, or as it is without its dead rows; then writes everything to disk."""
    with bind.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text(f"TRUNCATE pcc.{TABLE}" if empty else f"VACUUM pcc.{TABLE}"))
        connection.execute(sa.text("CHECKPOINT"))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)

"""The past rebuilt: an ente's figures for any reference date, from the deliveries and decisions known at any moment.

Nothing published is touched: the models run over fewer deliveries into a folder of their own under the ente's models
(so that erasing the ente erases it, too). Which facts a model reads is not decided here: see `calculator`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb

from pcc_pipeline.calculator import Parameters, load_models, model_order, prepared, source
from pcc_pipeline.clock import ROME
from pcc_pipeline.installation import Installation
from pcc_pipeline.runs.inputs import inputs
from pcc_pipeline.spreadsheet import PATTERN
from pcc_pipeline.tables import MODELS

#: What a rebuilt table can be written as, by the file's ending, and the options of DuckDB's COPY.
WRITTEN_AS = {
    ".csv": "format csv, header",
    ".parquet": "format parquet",
    ".json": "format json, array true",
}


class NotRebuilt(ValueError):
    """A past that cannot be rebuilt as asked; its text says why and what would do."""


@dataclass(frozen=True)
class Past:
    """A past that was rebuilt: for whom, for which dates, known when, from how many deliveries, and where it lies."""

    ente: str
    parameters: Parameters
    known_at: datetime
    deliveries: int
    folder: str


def needed(tables: Iterable[str]) -> list[str]:
    """The models that make these tables, each after those it reads. Raises NotRebuilt for a table no model makes."""
    models, wanted, open_ = load_models(), set[str](), set(tables)
    if unknown := sorted(open_ - set(MODELS)):
        known = ", ".join(sorted(name for name, table in MODELS.items() if table.published))
        raise NotRebuilt(f"No model makes {', '.join(unknown)}; published are {known}")
    while open_:
        wanted |= open_
        open_ = {read for name in open_ for read in models[name].depends_on} - wanted
    return [name for name in model_order() if name in wanted]


def rebuild(
    installation: Installation,
    ente: str,
    tables: Iterable[str],
    reference_date: date,
    known_at: datetime,
    observed_at: date | None = None,
) -> Past:
    """Runs the models of `tables` over what was known at `known_at` (with a time zone); returns where they lie.

    `observed_at` is the day of `known_at` in Italy unless told, never before the reference date. The same question
    lies in the same folder and is worked out anew each time.
    """
    if known_at.tzinfo is None:
        raise NotRebuilt("The moment needs a time zone: 2026-01-31T18:00:00+01:00")
    observed_at = observed_at or max(reference_date, known_at.astimezone(ROME).date())
    given = inputs(installation, ente, reference_date, observed_at, known_at=known_at)
    if not given.deliveries.num_rows:
        raise NotRebuilt(f"Nothing had been delivered for {ente} by {known_at.isoformat()}")
    mark = f"{reference_date}|{observed_at}|{known_at.astimezone(UTC).isoformat()}"
    folder = f"models/{ente}/asof/{hashlib.sha256(mark.encode()).hexdigest()[:16]}"
    installation.calculator.run_inputs(given, needed(tables), folder)
    return Past(ente, given.parameters, known_at, given.deliveries.num_rows, folder)


@contextmanager
def opened(installation: Installation, past: Past, tables: Iterable[str]) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection in which each of these rebuilt tables is a view of its name."""
    with prepared(installation.settings, installation.store) as connection:
        for name in tables:
            relation = source(installation.store, past.ente, name, past.folder)
            connection.execute(f'create or replace view "{name}" as select * from {relation}')
        yield connection


def write(installation: Installation, past: Past, table: str, out: Path, *, raw: bool = False) -> int:
    """Writes a rebuilt table to a file (.csv, .parquet, .json), in the order of its key; returns the rows. In CSV, texts that
    a spreadsheet would take for formulas bear an apostrophe, unless `raw`.

    A file appears whole or not at all. Raises NotRebuilt for another kind of file.
    """
    options = WRITTEN_AS.get(out.suffix.lower())
    if options is None:
        raise NotRebuilt(f"{out.name} must end in {', '.join(WRITTEN_AS)}")
    temporary = out.with_name(f".{out.name}.part")
    try:
        with opened(installation, past, [table]) as connection:
            path = str(temporary).replace("'", "''")
            rows = _ordered(table, harmless=out.suffix.lower() == ".csv" and not raw)
            found = connection.execute(f"copy ({rows}) to '{path}' ({options})").fetchone()
        temporary.replace(out)
    finally:
        temporary.unlink(missing_ok=True)
    return int(found[0]) if found else 0


def rows(installation: Installation, past: Past, table: str) -> list[tuple[object, ...]]:
    """The rows of a rebuilt table, in the order of its key."""
    with opened(installation, past, [table]) as connection:
        return connection.execute(_ordered(table)).fetchall()


def _ordered(table: str, *, harmless: bool = False) -> str:
    described = MODELS[table]
    texts = [c.name for c in described.columns if c.type == "text"] if harmless else []
    formula = "case when regexp_matches({0}, '{1}') then chr(39) || {0} else {0} end as {0}"
    shown = ", ".join(formula.format(f'"{name}"', PATTERN) for name in texts)
    simple = [c.name for c in described.columns if c.type not in ("records", "texts")]
    names = dict.fromkeys([*described.key, *simple])
    return f'select *{f" replace ({shown})" if shown else ""} from "{table}" order by ' + ", ".join(
        f'"{name}"' for name in names
    )

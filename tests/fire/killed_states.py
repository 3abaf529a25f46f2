"""What an installation holds: rows, files and their content, without moments, run ids and the gaps of numbering."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import sqlalchemy as sa

from pcc_pipeline import scratch
from pcc_pipeline.database.engine import DAGSTER, engine
from pcc_pipeline.database.schema import SCHEMA
from pcc_pipeline.settings import Settings
from pcc_pipeline.store import Store

State = dict[str, object]
#: Numbers of which only the order says something: a transaction that never ended leaves a gap.
_ORDER = re.compile(r"(.*_)?(row_id|row|sequence)|reread|publication|decision")
#: Random by their nature.
_RANDOM = ("part", "run_id", "receipt", "salt", "subject_sha256", "signature", "content")
_NAMES = re.compile(r"\br-[0-9a-f]{16}\b|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


#: Folders of the store with rows by part: how many deliveries share a file says nothing.
PARTS = ("staging/", "quarantine/", "notes/")
#: Rows of which only the last one an ente counts: what was done twice is published twice.
_LAST = {"publications": "SELECT DISTINCT ON (ente) * FROM {} WHERE ente <> '_provider' ORDER BY ente, publication DESC"}


def state(settings: Settings, out: Path) -> State:
    """Everything, by a name each: tables of the database, files of the store, other files, what Dagster calls under way."""
    found: State = {}
    scratch.clear(settings)
    found |= tables(settings)
    store = Store(settings.store_url)
    for name in _files(Path(store.root)):
        content, shown = _content(Path(store.root) / name), _NAMES.sub("<random>", name)
        if shown.startswith(PARTS) and isinstance(content, list):  # what a run died over is read in smaller pieces
            shown = shown.rpartition("/")[0]
            content = sorted([*content, *found.get(f"store {shown}", [])])  # type: ignore[misc]
        found[f"store {shown}"] = content
    for place, folder in (("home", settings.home), ("out", out)):
        for name in _files(folder):
            if Path(store.root) not in (folder / name).parents and not name.startswith(("dagster", "keys/", "postgres/")):
                found[f"{place} {name}"] = hashlib.sha256((folder / name).read_bytes()).hexdigest()
    return found


def tables(settings: Settings) -> State:
    """The rows of each table of the database, and how many runs Dagster calls under way."""
    return {f"table {name}": rows for name, rows in _database(settings)}


def differences(wanted: State, found: State) -> list[str]:
    """What is missing, too much or other than wanted, in words."""
    told = [f"missing: {name}" for name in wanted if name not in found]
    told += [f"too much: {name}" for name in found if name not in wanted]
    for name in wanted:
        if name in found and wanted[name] != found[name]:
            told.append(f"other: {name} {_first(wanted[name], found[name])}")
    return told


def _first(wanted: object, found: object) -> str:
    if not isinstance(wanted, list) or not isinstance(found, list):
        place = next((n for n, (a, b) in enumerate(zip(str(wanted), str(found), strict=False)) if a != b), 0)
        return f"{str(wanted)[max(0, place - 50) : place + 100]} / {str(found)[max(0, place - 50) : place + 100]}"
    gone = [row for row in wanted if row not in found]
    more = [row for row in found if row not in wanted]
    if not gone and not more:
        return f"({len(wanted)} rows / {len(found)})"
    return f"({len(wanted)} rows / {len(found)}) {str(gone[:1])[:300]} / {str(more[:1])[:300]}"


def _database(settings: Settings) -> Iterator[tuple[str, object]]:
    with engine(settings).connect() as connection:
        inspector = sa.inspect(connection)
        for name in sorted(inspector.get_table_names(SCHEMA)):
            columns = [column["name"] for column in inspector.get_columns(name, SCHEMA)
                       if not isinstance(column["type"], sa.DateTime) and column["name"] not in _RANDOM]  # fmt: skip
            within = "PARTITION BY ente " if "ente" in columns else ""
            chosen = ", ".join(_ranked(column, within) for column in columns) or "1"
            given = f'"{SCHEMA}"."{name}"'
            given = f"({_LAST[name].format(given)})" if name in _LAST else given
            rows = connection.execute(sa.text(f"SELECT {chosen} FROM {given} AS given"))
            yield name, _sorted([*row] for row in rows)
        if inspector.has_table("runs", DAGSTER):
            query = sa.text(f"SELECT count(*) FROM {DAGSTER}.runs WHERE status NOT IN ('SUCCESS', 'FAILURE', 'CANCELED')")
            yield "of Dagster, runs at work", connection.execute(query).scalar_one()


def _sorted(rows: Iterable[object]) -> list[str]:
    return sorted(_NAMES.sub("<random>", json.dumps(row, default=str, sort_keys=True)) for row in rows)


def _ranked(column: str, within: str) -> str:
    """A number by its rank; among the rows of its ente, since which of two goes first is chance."""
    quoted = f'"{column}"'
    if not _ORDER.fullmatch(column):
        return quoted
    return f"CASE WHEN {quoted} IS NULL THEN NULL ELSE dense_rank() OVER ({within}ORDER BY {quoted}) END"


def _files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def _content(path: Path) -> object:
    if path.suffix == ".parquet":
        read = pq.read_table(path)
        moments = [field.name for field in read.schema if pa.types.is_timestamp(field.type) and field.type.tz]
        unsaid = {*moments, *_RANDOM, *(name for name in read.column_names if _ORDER.fullmatch(name))}
        kept = read.drop_columns([name for name in read.column_names if name in unsaid])
        return _sorted(kept.to_pylist())
    data = path.read_bytes()
    if path.suffix in (".json", ".sql"):
        data = re.sub(rb'"(seen|delivery)": \d+', b"", data)
        data = re.sub(rb"\['[^]]*/store/staging/[^]]*\]", b"<parts>", data)
        data = re.sub(rb'"(public_key|signature|salt|subject_sha256)": "[^"]*"', b"", data)
        return _NAMES.sub("<random>", re.sub(r"\d{4}-\d\d-\d\dT[\d:.+]+Z?", "<moment>", data.decode()))
    return hashlib.sha256(data).hexdigest()

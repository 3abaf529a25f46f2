"""DuckDB keeps within the installation's limits wherever the product opens it."""

from __future__ import annotations

import ast
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import pcc_pipeline
from pcc_pipeline import duck
from pcc_pipeline.database.engine import engine
from pcc_pipeline.database.publish import Publication, publish, replace
from pcc_pipeline.demo.parties import enti
from pcc_pipeline.demo.synthesis import Size, synthesis
from pcc_pipeline.settings import Settings
from pcc_pipeline.store import Store
from pcc_pipeline.tables import TABLES

ROOT = Path(pcc_pipeline.__file__).parents[1]
PRODUCT = ("pcc_pipeline", "assets", "portal", "sensors")
#: What opens a database, or works in the one that all of a process share.
OPENS = {"connect", "sql", "query", "execute", "read_parquet", "read_csv", "read_json", "from_arrow", "from_parquet"}


def opened(module: Path) -> list[str]:
    """Where a module takes something that opens a database from duckdb itself."""
    found = []
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            names = {node.attr} if node.value.id == "duckdb" else set()
        elif isinstance(node, ast.ImportFrom) and node.module == "duckdb":
            names = {alias.name for alias in node.names}
        else:
            continue
        found += [f"{module.relative_to(ROOT)}:{node.lineno}: duckdb.{name}" for name in sorted(names & OPENS)]
    return found


def test_one_module_opens_duckdb() -> None:
    modules = [path for folder in PRODUCT for path in sorted((ROOT / folder).rglob("*.py"))]
    found = [line for path in modules if path.name != "duck.py" for line in opened(path)]
    assert found == []
    assert len(opened(ROOT / "pcc_pipeline" / "duck.py")) == 1


def limits(connection: duckdb.DuckDBPyConnection) -> tuple[Any, ...]:
    found = connection.execute("select current_setting('memory_limit'), current_setting('threads')").fetchone()
    assert found is not None
    return found


def test_publication_keeps_within_the_limits(settings: Settings, store: Store) -> None:
    tight = Settings(**{**settings.__dict__, "memory_limit": "300MiB", "threads": 3})
    seen = []

    def prepare(connection: duckdb.DuckDBPyConnection) -> None:
        store.attach(connection)
        seen.append(limits(connection))

    rel = "models/alfa/stock.parquet"
    with store.write(rel) as uri:
        pq.write_table(pa.Table.from_pylist([], schema=TABLES["stock"].arrow_schema), uri)
    given = {"stock": store.uri(rel)}
    publish(engine(settings), "alfa", given, Publication(date(2025, 12, 31), date(2026, 1, 20)), prepare, tight)
    replace(engine(settings), "alfa", given, prepare, tight)
    assert seen == [("300.0 MiB", 3)] * 2


def test_the_environment_limits_what_is_given_no_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, value in (("PCC_HOME", str(tmp_path / "none")), ("PCC_MEMORY_LIMIT", "200MiB"), ("PCC_THREADS", "2")):
        monkeypatch.setenv(name, value)
    with duck.connect() as connection:
        assert limits(connection) == ("200.0 MiB", 2)
    with synthesis(enti(1, 1)[0], 0, Size(10, 1, date(2025, 12, 31), date(2026, 1, 20))) as connection:
        assert limits(connection) == ("200.0 MiB", 2)
    assert not (tmp_path / "none").exists()

"""What the models' SQL says of itself: the relations that a query reads, and which column comes from which.

To read it from the SQL costs seconds, so it is kept in dbt_like_sql/lineage.json, made by `setup.sh` (`lineage`) or by a
process that finds none; the file is no part of the repository. What it says of other SQL than is at hand is not used: the
relations are kept by each query's fingerprint, the columns with one of every model's SQL and columns.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pcc_pipeline.tables import Table

if TYPE_CHECKING:
    from sqlglot.lineage import Node

    from pcc_pipeline.calculator.models import Model

SQL_ROOT = Path(__file__).resolve().parents[2] / "dbt_like_sql"
FILE = SQL_ROOT / "lineage.json"

Lineage = dict[str, list[tuple[str, str]]]
Schema = Mapping[str, Mapping[str, str]]

logger = logging.getLogger(__name__)


def relations_read(sql: str) -> frozenset[str]:
    """Every relation outside the query that it reads."""
    known = _kept().get("reads", {}).get(_digest(sql))
    return frozenset(_relations(sql) if known is None else known)


def column_lineages(models: Iterable[Model], schema: Schema) -> dict[str, Lineage]:
    """For each column of each model's table, the (relation, column) pairs it is made from: from the file where it fits the
    SQL, else worked out and kept there. `schema` has the columns of every relation that a model may read."""
    models = list(models)
    present = _digest("\n".join(f"{model.name}({','.join(model.table.column_names)})\n{model.sql}" for model in models))
    kept = _kept()
    if kept.get("fingerprint") == present and "reads" in kept:
        return {
            model: {column: [(r, c) for r, c in origins] for column, origins in columns.items()}
            for model, columns in kept["models"].items()
        }
    made = {model.name: column_lineage(model.table, model.sql, schema) for model in models}
    reads = {_digest(model.sql): sorted(model.reads) for model in models}
    _keep({"fingerprint": present, "models": made, "reads": reads})
    return made


def column_lineage(table: Table, sql: str, schema: Schema) -> Lineage:
    """What each column of a table that the query makes is made from.

    A column whose origin the parser cannot follow (sqlglot knows no UNPIVOT of expressions, say) has none.
    """
    import sqlglot
    from sqlglot.errors import SqlglotError
    from sqlglot.lineage import lineage
    from sqlglot.optimizer.qualify import qualify
    from sqlglot.optimizer.scope import build_scope

    known: dict[str, object] = dict(schema)
    found: Lineage = {}
    try:
        scope = build_scope(qualify(sqlglot.parse_one(sql, dialect="duckdb"), schema=known, dialect="duckdb"))
    except SqlglotError as error:
        logger.debug("no lineage for %s: %s", table.name, error)
        return found
    for column in table.column_names:
        try:
            root = lineage(column, sql, schema=known, scope=scope, dialect="duckdb")
        except (SqlglotError, ValueError, KeyError, AttributeError) as error:
            logger.debug("no lineage for %s.%s: %s", table.name, column, error)
            continue
        found[column] = sorted({origin for node in root.walk() if (origin := _origin(node, known))})
    return found


def _relations(sql: str) -> set[str]:
    import sqlglot
    from sqlglot import exp

    tree = sqlglot.parse_one(sql, dialect="duckdb")
    names = {cte.alias for cte in tree.find_all(exp.CTE)}
    return {table.name for table in tree.find_all(exp.Table) if table.name and table.name not in names}


def _origin(node: Node, schema: Mapping[str, object]) -> tuple[str, str] | None:
    from sqlglot import exp

    if isinstance(node.expression, exp.Table) and node.expression.name in schema:
        return node.expression.name, node.name.rsplit(".", 1)[-1].strip('"')
    return None


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@cache
def _kept() -> dict[str, Any]:
    """The file's content; empty where there is none, or it was cut short."""
    try:
        return dict(json.loads(FILE.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return {}


def _keep(content: dict[str, object]) -> None:
    """Writes the file whole or not at all; a folder that may not be written to costs only time."""
    part = FILE.with_name(f".{FILE.name}.{os.getpid()}.part")
    try:
        part.write_text(json.dumps(content, sort_keys=True), encoding="utf-8")
        part.replace(FILE)
    except OSError as error:
        logger.debug("lineage not kept: %s", error)

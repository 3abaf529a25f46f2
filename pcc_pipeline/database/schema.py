"""SQLAlchemy tables made from the table descriptions: types, keys, indexes, comments.

The history of the schema is in `migrations`; this is only its present state. No rows are touched here.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from pcc_pipeline.tables.describe import Column, Table
from pcc_pipeline.tables.register import NUMBERED, REGISTER, UNIQUE

SCHEMA = "pcc"

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


def sql_type(column: Column) -> sa.types.TypeEngine[Any]:
    """The PostgreSQL type of a described column; money is NUMERIC(18,2), records are JSONB."""
    types: dict[str, sa.types.TypeEngine[Any]] = {
        "text": sa.Text(),
        "date": sa.Date(),
        "money": sa.Numeric(18, 2),
        "decimal": sa.Numeric(18, 8),
        "integer": sa.BigInteger(),
        "boolean": sa.Boolean(),
        "timestamp": sa.DateTime(timezone=True),
        "texts": JSONB(),
        "records": JSONB(),
    }
    return types[column.type]


def comment(column: Column) -> str:
    """What the database says of a column: meaning, unit, source."""
    text = column.meaning
    if column.unit:
        text += f" [{column.unit}]"
    if column.source:
        text += f" ({column.source})"
    return text


def row_key(table: Table) -> tuple[str, ...]:
    """The columns that identify a row among all enti's: the described key, under the ente if any."""
    if table.key and "ente" in table.column_names and "ente" not in table.key and table.layer != "register":
        return ("ente", *table.key)
    return table.key


def sql_table(table: Table, metadata: sa.MetaData) -> sa.Table:
    """Adds one described table to `metadata`.

    A key whose columns are all required is the primary key. One with optional columns, or of a table whose
    checks do not block, is an index. A published table without a key is indexed by ente.
    """
    key = row_key(table)
    primary = bool(key) and table.blocking and all(table.column(name).required for name in key)
    columns = [
        sa.Column(
            column.name,
            sql_type(column),
            *([sa.Identity(always=False)] if NUMBERED.get(table.name) == column.name else []),
            nullable=not column.required,
            comment=comment(column),
        )
        for column in table.columns
    ]
    extra: list[sa.schema.SchemaItem] = []
    if primary:
        extra.append(sa.PrimaryKeyConstraint(*key))
    extra += [sa.UniqueConstraint(*names) for names in UNIQUE.get(table.name, ())]
    indexes = list(table.indexes)
    if key and not primary:
        indexes.append(key)
    if table.layer != "register" and not primary and not any(names[0] == "ente" for names in indexes):
        indexes.append(("ente",))
    result = sa.Table(table.name, metadata, *columns, *extra, comment=table.grain)
    for names in dict.fromkeys(indexes):
        sa.Index(None, *(result.c[name] for name in names))
    for paging in table.paging:
        by = [result.c[name] if name in result.c else sa.text(name) for name in ("ente", *paging.by)]
        only = None if paging.only is None else sa.text(paging.only)
        sa.Index(f"ix_{table.name}_{paging.name}", *by, postgresql_where=only)
    return result


def build(tables: Iterable[Table]) -> sa.MetaData:
    """Metadata of the given tables, in schema `pcc`."""
    metadata = sa.MetaData(schema=SCHEMA, naming_convention=NAMING)
    for table in tables:
        sql_table(table, metadata)
    return metadata


def columns_by_table(engine: sa.Engine, schema: str) -> dict[str, list[str]]:
    """The names of the columns of each table that a schema has in a database, by table."""
    inspected = sa.inspect(engine)
    return {
        name: [column["name"] for column in inspected.get_columns(name, schema)] for name in inspected.get_table_names(schema)
    }


@cache
def published() -> dict[str, Table]:
    """The tables that readers see, by name: what can be published and exported."""
    from pcc_pipeline.tables import TABLES

    return {name: table for name, table in TABLES.items() if table.published}


@cache
def metadata() -> sa.MetaData:
    """Metadata of everything in schema `pcc`: register and published tables."""
    return build({**published(), **REGISTER}.values())


def table(name: str) -> sa.Table:
    """The SQLAlchemy table of that name. Raises KeyError."""
    return metadata().tables[f"{SCHEMA}.{name}"]

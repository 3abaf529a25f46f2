"""The vocabulary in which every table is described: Column and Table.

A description is the single source of a table's Arrow schema, PostgreSQL DDL, Great Expectations
suite, Dagster column metadata and page in the data dictionary. No table is described here: see
`feeds` (what arrives), `models` (what the SQL models make) and `register` (what PostgreSQL alone holds).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

import pyarrow as pa

Type = Literal["text", "date", "money", "decimal", "integer", "boolean", "timestamp", "texts", "dates", "records"]
Layer = Literal["staging", "reconciliation", "operations", "debt", "indicators", "service_levels", "register"]
#: The folders of SQL models, in the order in which they run: none reads from a later one.
MODEL_LAYERS: tuple[str, ...] = tuple(layer for layer in get_args(Layer) if layer != "register")

#: Money is DECIMAL(18,2): euro and cents, sixteen digits before the point.
MONEY = pa.decimal128(18, 2)

_ARROW: Mapping[str, pa.DataType] = {
    "text": pa.string(),
    "date": pa.date32(),
    "money": MONEY,
    "decimal": pa.decimal128(18, 8),
    "integer": pa.int64(),
    "boolean": pa.bool_(),
    "timestamp": pa.timestamp("us", tz="UTC"),
    "texts": pa.list_(pa.string()),
    "dates": pa.list_(pa.date32()),
}

_DUCKDB: Mapping[str, str] = {
    "text": "VARCHAR",
    "date": "DATE",
    "money": "DECIMAL(18,2)",
    "decimal": "DECIMAL(18,8)",
    "integer": "BIGINT",
    "boolean": "BOOLEAN",
    "timestamp": "TIMESTAMP WITH TIME ZONE",
    "texts": "VARCHAR[]",
    "dates": "DATE[]",
}


@dataclass(frozen=True)
class Column:
    """One column: its name, type, meaning, and what a value must satisfy.

    `source` cites the rule, law or PCC field behind the column. `required` means never null.
    `allowed` lists the only values accepted; `pattern` is a regular expression the whole text must
    match; `minimum` is the least number accepted. `fields` describes the members of a `records` column
    (a list of structures).
    """

    name: str
    type: Type
    meaning: str
    required: bool = False
    allowed: tuple[str, ...] = ()
    pattern: str | None = None
    minimum: int | None = None
    source: str = ""
    unit: str = ""
    fields: tuple[Column, ...] = ()

    @property
    def arrow_type(self) -> pa.DataType:
        """The column's Arrow type; `records` becomes a list of structures."""
        if self.type == "records":
            return pa.list_(pa.struct([(member.name, member.arrow_type) for member in self.fields]))
        return _ARROW[self.type]

    @property
    def duckdb_type(self) -> str:
        """The column's DuckDB type, as DESCRIBE spells it; `records` becomes a list of structures."""
        if self.type == "records":
            members = ", ".join(f'"{member.name}" {member.duckdb_type}' for member in self.fields)
            return f"STRUCT({members})[]"
        return _DUCKDB[self.type]


@dataclass(frozen=True)
class Paging:
    """An index in the order in which readers page through a table: they read as many rows as they show.

    `by` are columns of the table or expressions over them, after the ente; `only` keeps just some rows.
    """

    name: str
    by: tuple[str, ...]
    only: str | None = None


@dataclass(frozen=True)
class Table:
    """One table: its layer, what a row stands for, its columns and the rules it must keep.

    `key` names the columns that identify a row (unique, checked). `one_of` lists groups of columns of
    which at least one must be present in each row. `published` tables are copied to PostgreSQL under
    the same name and can be exported. `blocking` says whether a failed check stops publication.
    `indexes` are of columns; `paging` are those of the orders in which readers see the rows.
    """

    name: str
    layer: Layer
    grain: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    one_of: tuple[tuple[str, ...], ...] = ()
    published: bool = False
    blocking: bool = True
    indexes: tuple[tuple[str, ...], ...] = field(default=())
    paging: tuple[Paging, ...] = ()

    @property
    def arrow_schema(self) -> pa.Schema:
        """The table's Arrow schema, columns in described order; `required` columns are not nullable."""
        return pa.schema([pa.field(c.name, c.arrow_type, nullable=not c.required) for c in self.columns])

    @property
    def column_names(self) -> list[str]:
        """Column names in described order."""
        return [column.name for column in self.columns]

    def column(self, name: str) -> Column:
        """The column of that name; KeyError names the table too."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(f"{self.name} has no column {name}")

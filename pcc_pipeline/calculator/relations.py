"""What stands after `from` for each relation that a model reads: files of the store, or the query that stands for a view.

Text only: nothing is opened here. `session` reads these relations for one ente, `batch` for many at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pcc_pipeline.calculator.inputs import DELIVERIES, Calculation
from pcc_pipeline.calculator.models import Model, load_models
from pcc_pipeline.duck import literal, parquet
from pcc_pipeline.rules import RULE_TABLES, rule_path
from pcc_pipeline.store import Store
from pcc_pipeline.tables import DECIDED, FEEDS, MODELS, Table
from pcc_pipeline.tables.service import CLOSING

#: Tables whose closed months are kept as files of their own (see `pcc_pipeline.service.closing`).
CLOSED = "closed_"

#: Macros that a view may use though they read the session: a query that stands alone has their values instead.
SESSION_MACROS = {
    "ente_code()": "varchar", "reference_date()": "date", "observed_at()": "date", "payment_term()": "integer",
    "pcc_models()": "varchar",
}  # fmt: skip


def source(store: Store, ente: str, name: str, output: str | None = None) -> str:
    """What stands after `from` to read a model's table, in a connection that is `session.prepared`.

    A file, or the query that stands for a view. Raises FileNotFoundError when the model has not been run.
    """
    base = f"{output or f'models/{ente}'}/{name}"
    model = load_models().get(name)
    if model is not None and model.is_view:
        try:
            with store.open(f"{base}.sql") as file:
                return f"({file.read().decode()})"
        except FileNotFoundError:
            raise FileNotFoundError(f"{name} has not been made for {ente}") from None
    if not store.exists(f"{base}.parquet"):
        raise FileNotFoundError(f"{name} has not been made for {ente}")
    return file_source(store, f"{base}.parquet")


def file_source(store: Store, rel: str) -> str:
    """What stands after `from` to read one Parquet file of the store, whether it is there or not."""
    return f"read_parquet({literal(store.uri(rel))})"


def rule_query(relation: str) -> str:
    """What stands after `from` to read a rule table, `rule_<name>`, from its file."""
    name = relation.removeprefix("rule_")
    types = ", ".join(f"'{column}': '{kind}'" for column, kind in RULE_TABLES[name].items())
    return f"read_csv({literal(str(rule_path(name)))}, delim = ',', quote = '\"', header = true, columns = {{{types}}})"


def rules_state() -> tuple[tuple[str, int, int], ...]:
    """Which files the rule tables are read from, and as they are now: path, moment of change (ns), size."""
    files = [(path, path.stat()) for path in (rule_path(name) for name in RULE_TABLES)]
    return tuple((str(path), stat.st_mtime_ns, stat.st_size) for path, stat in files)


def made_columns(table: Table) -> str:
    """The columns of a model's table, as it selects them from the query `made`."""
    return ", ".join(f'cast(made."{c.name}" as {c.duckdb_type}) as "{c.name}"' for c in table.columns)


def given_sources(store: Store, inputs: Calculation) -> dict[str, str]:
    """What stands after `from` for all that is given to an ente's models: `deliveries`, `feed_<kind>`, `decided_<table>`,
    `closed_<table>`. The inputs are kept in a folder."""
    known = file_source(store, f"{inputs.folder}/{DELIVERIES}")
    given = {"deliveries": known}
    parts = delivered_parts(store, inputs)
    for kind, table in FEEDS.items():
        given[f"feed_{kind}"] = f"({arrived(table, parquet(table, parts.get(kind, ())), known)})"
    given |= {relation: file_source(store, f"{inputs.folder}/{relation}.parquet") for relation in DECIDED}
    for name in CLOSING:
        given[CLOSED + name] = parquet(MODELS[name], closed_files(store, inputs.ente, name))
    return given


def delivered_parts(store: Store, inputs: Calculation) -> dict[str, list[str]]:
    """The staging files of an ente's deliveries by kind, in order of their names."""
    parts: dict[str, set[tuple[str, str]]] = {}
    for row in inputs.deliveries.select(["kind", "part", "owner"]).to_pylist():
        if row["part"] is not None:
            parts.setdefault(row["kind"], set()).add((row["owner"] or inputs.ente, row["part"]))
    return {
        kind: [store.uri(f"staging/{owner}/{kind}/{part}.parquet") for owner, part in sorted(found)]
        for kind, found in parts.items()
    }


def closed_files(store: Store, ente: str, name: str) -> list[str]:
    """The files of a table's closed months."""
    return [store.uri(rel) for rel in store.list(f"closed/{ente}/{name}")]


def arrived(table: Table, rows: str, known: str, on: str = "") -> str:
    """The delivered rows of a kind, each with its place in the order of arrival (ARRIVAL_COLUMNS).

    `rows` and `known` stand after `from`; `on` is what the two are joined on beside.
    """
    return (
        f"select rows.*, known.sequence, known.received_at, known.sequence * 4294967296 + rows.line as row_id "
        f"from {rows} as rows "
        f"join {known} as known on {on}known.delivery = rows.delivery and known.kind = '{table.name}'"
    )


def standing_alone(
    model: Model, given: Mapping[str, str], source_of: Callable[[str], str], values: Mapping[str, str | None]
) -> str:
    """A view's query that needs no session: inputs as files, the ente and the dates as values.

    `given` are an ente's `given_sources`, `source_of` tells where a model it reads stands, `values` are those of
    SESSION_MACROS as text.
    """
    inputs = [
        f"{relation} as not materialized (select * from {given[relation]})" for relation in given if relation in model.reads
    ]
    inputs += [f"{needed} as not materialized (select * from {source_of(needed)})" for needed in model.depends_on]
    inputs += [
        f"{relation} as (select * from {rule_query(relation)})"
        for relation in sorted(model.reads)
        if relation.startswith("rule_")
    ]
    sql = f"with {', '.join(inputs)} select {made_columns(model.table)} from (\n{model.sql}\n) as made"
    for macro, kind in SESSION_MACROS.items():
        value = values[macro]
        sql = sql.replace(macro, f"{'null' if value is None else literal(value)}::{kind}")
    return sql

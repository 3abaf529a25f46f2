"""The SQL models: their text, what they read, and which column comes from which (`parsing` reads it from the SQL itself).

Nothing is executed here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from graphlib import TopologicalSorter
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from pcc_pipeline.calculator.parsing import SQL_ROOT, Lineage, column_lineages, relations_read
from pcc_pipeline.rules import RULE_TABLES, anomaly_codes, codes_that
from pcc_pipeline.tables import DECIDED, FEEDS, MODELS, Table
from pcc_pipeline.tables.lineage import LINEAGE
from pcc_pipeline.tables.service import CLOSING

#: What a model may ask of a delivery.
DELIVERY_COLUMNS = (
    *("delivery", "kind", "sequence", "received_at", "file", "part"),
    *("whole", "span_from", "span_to", "confirmed", "refused"),
)

#: What a feed relation has beside its table's columns: where the row stands in the order of arrival.
ARRIVAL_COLUMNS = ("sequence", "received_at", "row_id")

_TEMPLATES = Environment(
    loader=FileSystemLoader(SQL_ROOT / "macros"), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)


def _list(texts: Iterable[str]) -> str:
    """A list of texts as SQL writes it."""
    quoted = ("'" + text.replace("'", "''") + "'" for text in texts)
    return f"[{', '.join(quoted)}]"


def _content(feed: Table) -> str:
    """The columns of a feed that say something of their own: all but where the row comes from."""
    origin = {column.name for column in LINEAGE}
    return ", ".join(c.name for c in feed.columns if c.name not in origin and c.type != "records" and c.name != "partial")


#: What a template may use of the rule book and of the tables.
_TEMPLATES.globals |= {
    "anomaly_codes": anomaly_codes,
    "codes_that": lambda effect, value=None: _list(codes_that(effect, value)),
    "content_of": lambda kind: _content(FEEDS[kind]),
}


@dataclass(frozen=True)
class Model:
    """One SQL model: the table it makes and the SQL that makes it."""

    table: Table
    path: Path

    @property
    def name(self) -> str:
        """The model's and its table's name."""
        return self.table.name

    @property
    def layer(self) -> str:
        """The folder of the model, one of `tables.describe.MODEL_LAYERS`."""
        return self.path.parent.name

    @property
    def description(self) -> str:
        """What a row of the table stands for."""
        return self.table.grain

    @cached_property
    def sql(self) -> str:
        """The query as it is run. Its file is a Jinja template, as dbt's are, where the same stretch stands for several things
        or a list comes from the rule book."""
        written = self.path.read_text(encoding="utf-8")
        return _TEMPLATES.from_string(written).render() if "{%" in written or "{{" in written else written

    @property
    def is_view(self) -> bool:
        """Whether the model is only a query over others, never a file (header `-- materialized: view`, or `step`)."""
        return self.is_step or self.sql.startswith("-- materialized: view")

    @property
    def is_step(self) -> bool:
        """Whether it is a view that only one other model reads (header `-- materialized: step`)."""
        return self.sql.startswith("-- materialized: step")

    @cached_property
    def reads(self) -> frozenset[str]:
        """Every relation outside the query that it reads: models, feed_<kind>, rule_<name>, decided_<table>, deliveries."""
        return relations_read(self.sql)

    @property
    def depends_on(self) -> tuple[str, ...]:
        """The models it reads, sorted."""
        return tuple(sorted(name for name in self.reads if name in MODELS and name != self.name))

    @property
    def feeds(self) -> tuple[str, ...]:
        """The kinds of delivery it reads (as `feed_<kind>`), sorted."""
        return tuple(sorted(name.removeprefix("feed_") for name in self.reads if name.startswith("feed_")))


@cache
def _schema() -> dict[str, dict[str, str]]:
    models = {name: dict.fromkeys(table.column_names, "text") for name, table in MODELS.items()}
    feeds = {f"feed_{kind}": dict.fromkeys((*table.column_names, *ARRIVAL_COLUMNS), "text") for kind, table in FEEDS.items()}
    rules = {f"rule_{name}": dict.fromkeys(columns, "text") for name, columns in RULE_TABLES.items()}
    decided = {name: dict.fromkeys(table.column_names, "text") for name, table in DECIDED.items()}
    closed = {f"closed_{name}": dict.fromkeys(MODELS[name].column_names, "text") for name in CLOSING}
    given = {"public_holidays": {"day": "text", "name": "text"}, **closed}
    return models | feeds | rules | decided | given | {"deliveries": dict.fromkeys(DELIVERY_COLUMNS, "text")}


@cache
def load_models() -> Mapping[str, Model]:
    """Every model by name. Raises FileNotFoundError when a described table has no SQL, or a SQL file no table."""
    files = {path.stem: path for path in sorted((SQL_ROOT / "models").rglob("*.sql"))}
    if set(files) != set(MODELS):
        raise FileNotFoundError(f"Models and tables differ: {sorted(set(files) ^ set(MODELS))}")
    if moved := sorted(name for name, table in MODELS.items() if table.layer != files[name].parent.name):
        raise FileNotFoundError(f"Models that do not lie in the folder of their layer: {moved}")
    return {name: Model(table, files[name]) for name, table in MODELS.items()}


@cache
def model_lineages() -> Mapping[str, Lineage]:
    """For each column of each model's table, the (relation, column) pairs it is made from."""
    return column_lineages(load_models().values(), _schema())


@cache
def model_order() -> tuple[str, ...]:
    """The names of all models, each after those it reads."""
    models = load_models()
    return tuple(TopologicalSorter({name: model.depends_on for name, model in models.items()}).static_order())


@cache
def macros() -> str:
    """The SQL of all macros, in the order of their files."""
    return "\n".join(path.read_text(encoding="utf-8") for path in sorted((SQL_ROOT / "macros").glob("*.sql")))

"""Which checks a table has: names, descriptions and kinds, read from its description.

Pure data: nothing is evaluated here and Great Expectations is not imported (see `suite`, `run`).
Names are stable: they identify a check's history in the interface.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pcc_pipeline.checks.reconciliations import RECONCILIATIONS, Reconciliation
from pcc_pipeline.tables.describe import Table
from pcc_pipeline.tables.feeds import FEEDS

Kind = Literal["required", "allowed", "pattern", "minimum", "one_of", "types", "own_ente", "key", "count", "sql"]

#: Kinds judged row by row, batch after batch; the others judge the whole table.
ROW_KINDS = frozenset({"required", "allowed", "pattern", "minimum", "one_of"})


@dataclass(frozen=True)
class Check:
    """One check of one table: its stable name, what it demands in words, and the columns it reads."""

    name: str
    kind: Kind
    description: str
    columns: tuple[str, ...] = ()
    blocking: bool = True
    reconciliation: Reconciliation | None = None

    @property
    def by_row(self) -> bool:
        """Whether the check can be judged on each row alone."""
        return self.kind in ROW_KINDS


def checks_of(table: Table) -> list[Check]:
    """Every check of the table: one a demand of its description, then its reconciliations.

    Columns of type `records` are only checked for their type.
    """
    words = "Every described column is there, with its described type"
    if table.name in FEEDS:
        words = "Every column has its described type; one that older files lack is null"
    found = [Check("types", "types", words)]
    if any(column.name == "ente" for column in table.columns):
        found.append(Check("own_ente", "own_ente", "Every row in an ente's files names that ente", ("ente",)))
    for column in table.columns:
        name = column.name
        if column.type == "records":
            continue
        if column.required:
            found.append(Check(f"required__{name}", "required", f"{name} is never null", (name,)))
        if column.allowed:
            values = ", ".join(column.allowed)
            found.append(Check(f"allowed__{name}", "allowed", f"{name} is one of {values}, or null", (name,)))
        if column.pattern is not None:
            words = f"{name} matches {column.pattern} as a whole, or is null"
            found.append(Check(f"pattern__{name}", "pattern", words, (name,)))
        if column.minimum is not None:
            words = f"{name} is at least {column.minimum}, or null"
            found.append(Check(f"minimum__{name}", "minimum", words, (name,)))
    for group in table.one_of:
        words = f"At least one of {', '.join(group)} is present"
        found.append(Check(f"one_of__{'__'.join(group)}", "one_of", words, group))
    if table.key:
        found.append(Check("unique_key", "key", f"{', '.join(table.key)} identify one row", table.key))
    if table.name in FEEDS:
        words = "The table holds as many rows as the deliveries' register counts"
        found.append(Check("row_count", "count", words))
    found = [Check(c.name, c.kind, c.description, c.columns, table.blocking, c.reconciliation) for c in found]
    for rule in RECONCILIATIONS:
        if rule.table == table.name:
            found.append(Check(rule.name, "sql", rule.description, (), rule.blocking, rule))
    return found


def check_names(table: Table) -> dict[str, str]:
    """Each check's name and description, in running order; cheap, touches no data."""
    return {check.name: check.description for check in checks_of(table)}

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

#: Kinds that each row passes or fails alone; the others judge the whole table.
ROW_KINDS = frozenset({"required", "allowed", "pattern", "minimum", "one_of", "own_ente"})

#: The name under which all demands of a table's description are shown as one.
AS_DESCRIBED = "as_described"


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


def shown_as(check: Check) -> str:
    """The name under which operators see a check: a reconciliation's own, one for all demands of the description.

    To tell of each demand, some 1,700, costs more than to check it.
    """
    return check.name if check.reconciliation is not None else AS_DESCRIBED


def shown_checks(table: Table) -> dict[str, Check]:
    """What operators see of a table's checks, by name: what it stands for, and whether it blocks."""
    found = checks_of(table)
    described = [check for check in found if check.reconciliation is None]
    words = "The table is as described: " + "; ".join(check.description for check in described)
    whole = Check(AS_DESCRIBED, "types", words, (), any(check.blocking for check in described))
    return {AS_DESCRIBED: whole} | {check.name: check for check in found if check.reconciliation is not None}


def check_names(table: Table) -> dict[str, str]:
    """Each check's name and description, in running order; cheap, touches no data."""
    return {check.name: check.description for check in checks_of(table)}

"""Counting what fails a table's checks, over the Parquet files of one ente or of a batch of enti, and having it judged.

DuckDB counts failing rows, all checks of a row in one reading; every verdict is Great Expectations'. What is checked is
said in `names`, how rows are read in `frames`, how counts are judged in `suite`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pcc_pipeline.checks import frames
from pcc_pipeline.checks.frames import CHECKED, OWNER, Paths
from pcc_pipeline.checks.names import Check, checks_of
from pcc_pipeline.checks.reconciliations import Reconciliation, described
from pcc_pipeline.checks.result import SAMPLES, CheckResult, Tally
from pcc_pipeline.checks.suite import judge
from pcc_pipeline.duck import connect
from pcc_pipeline.tables.describe import Table
from pcc_pipeline.tables.feeds import FEEDS

#: The columns that lead a row back to where it came from, where it has them.
_ORIGIN = ("ente", "delivery", "file", "line")


@dataclass(frozen=True)
class Counted:
    """What fails a table's checks, before it is judged: the checks in order, the rows read by ente, and the tally."""

    checks: Sequence[Check]
    rows: Mapping[str, int]
    tally: Tally


def run_checks(
    table: Table,
    paths_by_ente: Paths,
    *,
    connect: Callable[[], Any] = connect,
    related: Mapping[str, Paths] | None = None,
    expected_rows: Mapping[str, int] | None = None,
) -> dict[str, list[CheckResult]]:
    """Every check of the table for each ente of `paths_by_ente`, in the order of `checks_of`: `count`ed and `judged`."""
    counted = count(table, paths_by_ente, connect=connect, related=related, expected_rows=expected_rows)
    return judged([counted])[0]


def count(
    table: Table,
    paths_by_ente: Paths,
    *,
    connect: Callable[[], Any] = connect,
    related: Mapping[str, Paths] | None = None,
    expected_rows: Mapping[str, int] | None = None,
    known: frames.Known | None = None,
) -> Counted:
    """Counts what fails every check of the table, for each ente of `paths_by_ente`.

    `connect` gives a DuckDB connection (closed here) that can open the paths; an entry in parentheses is
    taken for a query, so that a model kept as a view is checked too. `related` gives, by table
    name, the files of the other tables that the table's reconciliations read (`relations_of`); one that is
    missing fails its check, but for a feed of which an ente delivered nothing (an empty list).
    `expected_rows` is the register's count by ente, for `row_count`, which is left out of the results where
    it is not given. `known` keeps the columns found in files for the tables that are counted after this one.
    Raises duckdb.Error when a file cannot be read.
    """
    checks = checks_of(table)
    if expected_rows is None:
        checks = [check for check in checks if check.kind != "count"]
    tally = Tally()
    known = {} if known is None else known
    connection = connect()
    try:
        types = frames.found_types(connection, paths_by_ente, known)
        frames.create_view(connection, CHECKED, table, paths_by_ente, types)
        rows = _by_row(connection, table, [check for check in checks if check.by_row], paths_by_ente, tally)
        others = [check for check in checks if not check.by_row]
        _whole_table(connection, table, others, paths_by_ente, types, rows, expected_rows or {}, tally)
        for check in others:
            if check.reconciliation is not None:
                _reconcile(connection, check.reconciliation, table, related or {}, paths_by_ente, tally, known)
    finally:
        connection.close()
    return Counted(checks, rows, tally)


def judged(counted: Sequence[Counted]) -> list[dict[str, list[CheckResult]]]:
    """What each of them says by ente, in the order of its checks, by one judgement of all counts together.

    Raises CheckError when they cannot be judged.
    """
    counts = [c.tally.failing[ente, check.name] for c in counted for ente in c.rows for check in c.checks]
    wrong = judge(counts)
    positions = iter(range(len(counts)))
    return [
        {
            ente: [
                CheckResult(
                    check=check.name,
                    passed=next(positions) not in wrong,
                    blocking=check.blocking,
                    failing_rows=c.tally.failing[ente, check.name],
                    rows=rows,
                    samples=c.tally.samples[ente, check.name],
                    description=check.description,
                )
                for check in c.checks
            ]
            for ente, rows in c.rows.items()
        }
        for c in counted
    ]


def _by_row(connection: Any, table: Table, checks: Sequence[Check], enti: Iterable[str], tally: Tally) -> dict[str, int]:
    """Counts rows, and those that fail each check of a row; returns the rows by ente.

    Whether any row fails is asked first: to count check by check costs more than most tables' rows, and few fail.
    """
    wrong = {check: frames.fails(check, table) for check in checks}
    anything = " OR ".join(f"({condition})" for condition in wrong.values()) or "false"
    query = f"SELECT {OWNER}, count(*), count(*) FILTER (WHERE {anything}) FROM {CHECKED} GROUP BY ALL"
    found = connection.execute(query).fetchall()
    rows = dict.fromkeys(enti, 0) | {ente: total for ente, total, _ in found}
    if not any(failing for *_, failing in found):
        return rows
    filters = ", ".join(f"count(*) FILTER (WHERE {condition})" for condition in wrong.values())
    for ente, *failing in connection.execute(f"SELECT {OWNER}, {filters} FROM {CHECKED} GROUP BY ALL").fetchall():
        for check, number in zip(checks, failing, strict=True):
            tally.failing[ente, check.name] = number
    led_back = list(dict.fromkeys([*(name for name in _ORIGIN if name in table.column_names), *table.key]))
    for check in checks:
        if any(tally.failing[ente, check.name] for ente in rows):
            shown = ", ".join(frames.quoted(name) for name in dict.fromkeys([*led_back, *check.columns]))
            _samples(connection, f"SELECT {OWNER}, {shown} FROM {CHECKED} WHERE {wrong[check]}", check.name, tally)
    return rows


def _samples(connection: Any, failing: str, check: str, tally: Tally) -> None:
    """Keeps some of the failing rows of each ente, whose number is known already."""
    query = f"SELECT * FROM ({failing}) QUALIFY row_number() OVER (PARTITION BY {OWNER}) <= {SAMPLES}"
    for row in connection.sql(query).to_arrow_table().to_pylist():
        tally.add(row.pop(OWNER), check, 0, [row])


def _whole_table(
    connection: Any,
    table: Table,
    checks: Sequence[Check],
    paths: Paths,
    types: frames.Types,
    rows: Mapping[str, int],
    expected: Mapping[str, int],
    tally: Tally,
) -> None:
    """Count what fails the checks of types, key and row count."""
    for check in checks:
        if check.kind == "types":
            for ente, files in paths.items():
                wrong = frames.wrong_types(table, types[ente]) if files else []
                tally.add(ente, check.name, len(wrong), wrong)
        elif check.kind == "key":
            key = ", ".join(frames.quoted(name) for name in check.columns)
            failing = f"SELECT {OWNER}, {key}, count(*) AS copies FROM {CHECKED} GROUP BY ALL HAVING copies > 1"
            _count(connection, failing, "copies", check.name, tally)
        elif check.kind == "count":
            for ente in paths:
                # An ente the register does not know has nothing delivered.
                wanted = expected.get(ente, 0)
                sample = {"ente": ente, "rows": rows[ente], "registered": wanted}
                differ = abs(rows[ente] - wanted)
                tally.add(ente, check.name, differ, [sample] if differ else [])


def _count(connection: Any, failing: str, weight: str, check: str, tally: Tally) -> None:
    """Add up the failing rows that the query `failing` gives, by its column OWNER, keeping samples.

    Whether there are any is asked first, as most often there are none: it costs half as much.
    """
    if connection.execute(f"SELECT count(*) FROM ({failing})").fetchall() == [(0,)]:
        return
    query = f"""
        SELECT *, sum({weight}) OVER (PARTITION BY {OWNER})::BIGINT AS total__ FROM ({failing})
        QUALIFY row_number() OVER (PARTITION BY {OWNER}) <= {SAMPLES}
    """
    samples: dict[str, list[dict[str, Any]]] = {}
    totals: dict[str, int] = {}
    for row in connection.sql(query).to_arrow_table().to_pylist():
        ente = row.pop(OWNER)
        totals[ente] = row.pop("total__")
        samples.setdefault(ente, []).append(row)
    for ente, total in totals.items():
        tally.add(ente, check, total, samples[ente])


def _reconcile(
    connection: Any,
    rule: Reconciliation,
    table: Table,
    related: Mapping[str, Paths],
    paths: Paths,
    tally: Tally,
    known: frames.Known,
) -> None:
    """Count the failing rows of a reconciliation; a table it cannot read fails it, never passes it."""
    for name in rule.relations:
        given = paths if name == table.name else related.get(name, {})
        mine = {ente: given.get(ente, ()) for ente in paths}
        for ente, files in mine.items():
            nothing_delivered = name in FEEDS and ente in given
            if not files and name != table.name and not nothing_delivered:
                tally.add(ente, rule.name, 1, [{"problem": f"no file of {name} to compare with"}])
        frames.create_relation(connection, name, described(name), mine, name == table.name, known)
    _count(connection, f"SELECT ente AS {OWNER}, * FROM ({rule.sql})", "1", rule.name, tally)

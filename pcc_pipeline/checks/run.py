"""Running a table's checks over the Parquet files of one ente or of a batch of enti.

Row checks see bounded batches of rows as pandas frames, several enti together; checks of the whole table
see a frame of failing-row counts that DuckDB computes, one row an ente. Every verdict is Great
Expectations'. What is checked is said in `names`, how it is judged in `suite`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pcc_pipeline.checks import by_row, frames
from pcc_pipeline.checks.frames import CHECKED, OWNER, Paths
from pcc_pipeline.checks.names import Check, checks_of
from pcc_pipeline.checks.reconciliations import Reconciliation, described
from pcc_pipeline.checks.result import SAMPLES, CheckError, CheckResult, Tally
from pcc_pipeline.duck import connect
from pcc_pipeline.tables.describe import Table
from pcc_pipeline.tables.feeds import FEEDS

#: Rows judged at a time: a frame of this size takes well under 200 MB.
BATCH_ROWS = 250_000


def run_checks(
    table: Table,
    paths_by_ente: Paths,
    *,
    connect: Callable[[], Any] = connect,
    related: Mapping[str, Paths] | None = None,
    together: Mapping[str, str] | None = None,
    expected_rows: Mapping[str, int] | None = None,
    batch_rows: int = BATCH_ROWS,
) -> dict[str, list[CheckResult]]:
    """Every check of the table for each ente of `paths_by_ente`, in the order of `checks_of`.

    `connect` gives a DuckDB connection (closed here) that can open the paths; an entry in parentheses is
    taken for a query, so that a model kept as a view is checked too. `related` gives, by table
    name, the files of the other tables that the table's reconciliations read (`relations_of`); one that is
    missing fails its check, but for a feed of which an ente delivered nothing (an empty list).
    `together` gives, by table name, a query of all the enti's rows, marked with OWNER, where reading each ente's costs more.
    `expected_rows` is the register's count by ente, for `row_count`, which is left out of the results where
    it is not given. Raises CheckError when a check cannot be evaluated, duckdb.Error when a file cannot be
    read.
    """
    checks = checks_of(table)
    if expected_rows is None:
        checks = [check for check in checks if check.kind != "count"]
    tally = Tally()
    connection = connect()
    try:
        held = frames.held(connection, paths_by_ente, (together or {}).get(table.name))
        types = {ente: part.types for part in held for ente in part.enti}
        frames.create_view(connection, CHECKED, table, held)
        counted = connection.execute(f"SELECT {OWNER}, count(*) FROM {CHECKED} GROUP BY ALL").fetchall()
        rows = dict.fromkeys(paths_by_ente, 0) | dict(counted)
        if sum(rows.values()):
            by_row.run(connection, table, [check for check in checks if check.by_row], tally, batch_rows)
        others = [check for check in checks if not check.by_row]
        _whole_table(connection, table, others, paths_by_ente, types, rows, expected_rows or {}, tally)
        for check in others:
            if check.reconciliation is not None:
                _reconcile(connection, check.reconciliation, table, related or {}, together or {}, paths_by_ente, tally)
        _judge(table, others, list(paths_by_ente), tally)
    finally:
        connection.close()
    return {
        ente: [
            CheckResult(
                check=check.name,
                passed=not tally.failing[ente, check.name],
                blocking=check.blocking,
                failing_rows=tally.failing[ente, check.name],
                rows=rows[ente],
                samples=tally.samples[ente, check.name],
                description=check.description,
            )
            for check in checks
        ]
        for ente in paths_by_ente
    }


def _whole_table(
    connection: Any,
    table: Table,
    checks: Sequence[Check],
    paths: Paths,
    types: Mapping[str, Mapping[str, str]],
    rows: Mapping[str, int],
    expected: Mapping[str, int],
    tally: Tally,
) -> None:
    """Count what fails the checks of types, ente, key and row count."""
    for check in checks:
        if check.kind == "types":
            for ente, files in paths.items():
                wrong = frames.wrong_types(table, types[ente]) if files else []
                tally.add(ente, check.name, len(wrong), wrong)
        elif check.kind == "own_ente":
            origin = by_row.origin(table)
            shown = ", ".join(frames.quoted(name) for name in origin)
            failing = f"SELECT {OWNER}, {shown} FROM {CHECKED} WHERE ente IS DISTINCT FROM {OWNER}"
            _count(connection, failing, "1", check.name, tally)
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
    """Add up the failing rows that the query `failing` gives, by its column OWNER, keeping samples."""
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
    together: Mapping[str, str],
    paths: Paths,
    tally: Tally,
) -> None:
    """Count the failing rows of a reconciliation; a table it cannot read fails it, never passes it."""
    for name in rule.relations:
        given = paths if name == table.name else related.get(name, {})
        mine = {ente: given.get(ente, ()) for ente in paths}
        for ente, files in mine.items():
            nothing_delivered = name in FEEDS and ente in given
            if not files and name != table.name and not nothing_delivered:
                tally.add(ente, rule.name, 1, [{"problem": f"no file of {name} to compare with"}])
        frames.create_relation(connection, name, described(name), mine, together.get(name), checked=name == table.name)
    _count(connection, f"SELECT ente AS {OWNER}, * FROM ({rule.sql})", "1", rule.name, tally)


def _judge(table: Table, checks: Sequence[Check], enti: Sequence[str], tally: Tally) -> None:
    """Put the counts before Great Expectations: one row an ente, one column a check, all must be 0."""
    import pandas as pd

    from pcc_pipeline.checks.suite import expectation, judge

    counts = {check.name: [tally.failing[ente, check.name] for ente in enti] for check in checks}
    frame = pd.DataFrame(counts, dtype="int64")
    for name, positions in judge(frame, [expectation(check, table) for check in checks]).items():
        if {enti[at] for at in positions} != {ente for ente in enti if tally.failing[ente, name]}:
            raise CheckError(f"check {name} was judged otherwise than counted")

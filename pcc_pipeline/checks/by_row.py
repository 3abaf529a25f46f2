"""The checks that each row passes or fails alone, over bounded batches of rows.

Several enti share a batch, so many small enti cost few suite runs; failing rows are counted for the ente
whose files they came from. Checks of a whole table are in `run`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from pcc_pipeline.checks import frames
from pcc_pipeline.checks.frames import OWNER
from pcc_pipeline.checks.names import Check
from pcc_pipeline.checks.result import SAMPLES, Tally
from pcc_pipeline.tables.describe import Table

_ORIGIN = ("ente", "delivery", "file", "line")


def origin(table: Table) -> list[str]:
    """The columns that lead a row back to where it came from: lineage, where there is, and key."""
    found = [name for name in _ORIGIN if name in table.column_names]
    return list(dict.fromkeys([*found, *table.key]))


def run(connection: Any, table: Table, checks: Sequence[Check], tally: Tally, size: int) -> None:
    """Judge the rows of the view CHECKED by the checks, `size` rows at a time, adding up in `tally`."""
    if not checks:
        return
    from pcc_pipeline.checks.suite import expectation, judge

    expectations = [expectation(check, table) for check in checks]
    led_back = origin(table)
    columns = {check.name: list(dict.fromkeys([*led_back, *check.columns])) for check in checks}
    shown = list(dict.fromkeys(name for names in columns.values() for name in names))

    for judged, rows in frames.batches(connection, checks, shown, size):
        frame = judged.to_pandas()
        for name, positions in judge(frame, expectations).items():
            if positions:
                _attribute(rows, name, columns[name], positions, tally)


def _attribute(rows: pa.Table, check: str, columns: Sequence[str], positions: list[int], tally: Tally) -> None:
    """Count the failing positions for each row's owner, with the first of them as samples."""
    owners = rows.column(OWNER).take(pa.array(positions))
    for entry in owners.value_counts().to_pylist():
        ente = entry["values"]
        mine = [at for at, owner in zip(positions, owners.to_pylist(), strict=True) if owner == ente]
        samples = rows.select(columns).take(pa.array(mine[:SAMPLES])).to_pylist()
        tally.add(ente, check, len(mine), samples)

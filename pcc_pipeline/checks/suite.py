"""Great Expectations: the expectations of a table, and judging a frame by them.

The only module that imports Great Expectations, always inside a function: its import costs 5 to 7
seconds. Where frames come from is not known here.
"""

from __future__ import annotations

import os
import threading
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pcc_pipeline.checks.names import Check, checks_of
from pcc_pipeline.checks.result import CheckError
from pcc_pipeline.tables.describe import Table

if TYPE_CHECKING:
    import pandas as pd

_LOCK = threading.Lock()
_BATCHES: list[Any] = []


def suite_for(table: Table) -> list[Any]:
    """The table's expectations (`great_expectations.expectations` objects), one a check, in order.

    Each bears its check's name as `meta["check"]`. Row checks read the described column, or a column
    named after the check that the reader derives (see `frames.expression`); table checks read one
    column of failing-row counts, one row an ente, named after the check.
    """
    return [expectation(check, table) for check in checks_of(table)]


def expectation(check: Check, table: Table) -> Any:
    """The one expectation by which the check is judged."""
    gx = _library()
    common = {"meta": {"check": check.name}, "description": check.description}
    column = table.column(check.columns[0]) if check.by_row else None
    if check.kind in ("required", "one_of"):
        return gx.expectations.ExpectColumnValuesToNotBeNull(column=check.name, **common)
    if column is not None and check.kind == "allowed":
        return gx.expectations.ExpectColumnValuesToBeInSet(column=column.name, value_set=list(column.allowed), **common)
    if column is not None and check.kind == "pattern":
        # \Z, since $ also matches before a last line break
        whole = rf"^(?:{column.pattern})\Z"
        return gx.expectations.ExpectColumnValuesToMatchRegex(column=column.name, regex=whole, **common)
    if column is not None and check.kind == "minimum":
        return gx.expectations.ExpectColumnValuesToBeBetween(column=check.name, min_value=column.minimum, **common)
    return gx.expectations.ExpectColumnValuesToBeBetween(column=check.name, min_value=0, max_value=0, **common)


def judge(frame: pd.DataFrame, expectations: Sequence[Any]) -> dict[str, list[int]]:
    """Positions of the rows of `frame` that fail, by the check's name; every check has an entry.

    The frame's index must count from 0. Raises CheckError where an expectation could not be evaluated:
    a check that broke must never look passed.
    """
    if not len(frame) or not expectations:
        return {e.meta["check"]: [] for e in expectations}
    gx = _library()
    with _LOCK, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        batch = _BATCHES[0].get_batch({"dataframe": frame})
        suite = gx.ExpectationSuite(name="suite", expectations=list(expectations))
        verdict = batch.validate(suite, result_format={"result_format": "COMPLETE", "exclude_unexpected_values": True})
    failing: dict[str, list[int]] = {}
    for result in verdict.results:
        name = result.expectation_config.meta["check"]
        found = result.result.get("unexpected_index_list")
        if result.exception_info.get("raised_exception", False) or found is None:
            raise CheckError(f"check {name} could not be evaluated: {result.exception_info}")
        if result.success == bool(found):
            raise CheckError(f"check {name} contradicts itself: success {result.success}, {len(found)} rows")
        failing[name] = found
    missing = {e.meta["check"] for e in expectations} - failing.keys()
    if missing:
        raise CheckError(f"checks without an answer: {', '.join(sorted(missing))}")
    return failing


def _library() -> Any:
    """The library, once set up: no analytics, no progress bars, nothing on disk, no network."""
    # read at import, so set before it
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    with _LOCK, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import great_expectations as gx

        if not _BATCHES:
            from great_expectations.data_context.types.base import ProgressBarsConfig

            context = gx.get_context(mode="ephemeral")
            context.variables.progress_bars = ProgressBarsConfig(globally=False)
            asset = context.data_sources.add_pandas("frames").add_dataframe_asset("frame")
            _BATCHES.append(asset.add_batch_definition_whole_dataframe("whole"))
    return gx

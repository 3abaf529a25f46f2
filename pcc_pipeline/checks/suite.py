"""Great Expectations' verdict: counts of failing rows, each of which must be 0.

The only module that imports Great Expectations, always inside a function: its import costs 5 to 7 seconds. One
judgement serves all checks of all tables that are counted together, since each expectation costs as much as a small
ente's counts. What is counted, and how, is not known here.
"""

from __future__ import annotations

import os
import threading
import warnings
from collections.abc import Sequence
from typing import Any

from pcc_pipeline.checks.result import CheckError
from pcc_pipeline.loading import loading

_LOCK = threading.RLock()
_BATCHES: list[Any] = []

#: The column of the judged frame, one row a check and ente.
COUNTS = "failing_rows"


def no_failing_rows() -> Any:
    """The expectation by which every count is judged: it is 0, and it is there."""
    gx = _library()
    return gx.expectations.ExpectColumnValuesToBeBetween(column=COUNTS, min_value=0, max_value=0)


def judge(counts: Sequence[int]) -> frozenset[int]:
    """Positions of the counts that Great Expectations finds wrong.

    Raises CheckError where the expectation could not be evaluated, or contradicts the counts: a check that broke must
    never look passed.
    """
    if not counts:
        return frozenset()
    import pandas as pd

    gx = _library()
    with _LOCK, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        batch = _BATCHES[0].get_batch({"dataframe": pd.DataFrame({COUNTS: counts}, dtype="int64")})
        suite = gx.ExpectationSuite(name="suite", expectations=[no_failing_rows()])
        verdict = batch.validate(suite, result_format={"result_format": "COMPLETE", "exclude_unexpected_values": True})
    (result,) = verdict.results
    found = result.result.get("unexpected_index_list")
    if result.exception_info.get("raised_exception", False) or found is None:
        raise CheckError(f"the counts could not be judged: {result.exception_info}")
    if frozenset(found) != frozenset(at for at, count in enumerate(counts) if count) or result.success == bool(found):
        raise CheckError(f"the verdict contradicts the counts: success {result.success}, {len(found)} wrong")
    return frozenset(found)


def imported() -> Any:
    """The library, imported so that it asks no network. Whoever imports it ahead of a judgement does so by this."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"  # read at import, so set before it
    with warnings.catch_warnings(), loading():
        warnings.simplefilter("ignore")
        import great_expectations as gx
    return gx


def _library() -> Any:
    """The library, once set up: no analytics, no progress bars, nothing on disk, no network."""
    if not _BATCHES:
        with _LOCK, warnings.catch_warnings(), loading():
            warnings.simplefilter("ignore")
            gx = imported()
            from great_expectations.data_context.types.base import ProgressBarsConfig

            context = gx.get_context(mode="ephemeral")
            context.variables.progress_bars = ProgressBarsConfig(globally=False)
            asset = context.data_sources.add_pandas("frames").add_dataframe_asset("frame")
            _BATCHES.append(asset.add_batch_definition_whole_dataframe("whole"))
    import great_expectations as gx

    return gx

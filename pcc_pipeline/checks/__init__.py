"""Data quality checks: what is checked of each table, and running it over Parquet.

Names and descriptions (`check_names`) come without importing Great Expectations, whose import costs
seconds; `run_checks` imports it when called. Nothing here knows Dagster, stores or PostgreSQL.
"""

from pcc_pipeline.checks.names import Check, check_names, checks_of, shown_as, shown_checks
from pcc_pipeline.checks.reconciliations import RECONCILIATIONS, Reconciliation, relations_of
from pcc_pipeline.checks.result import CheckError, CheckResult
from pcc_pipeline.checks.run import Counted, count, judged, run_checks
from pcc_pipeline.checks.suite import no_failing_rows
from pcc_pipeline.checks.way_out import way_out

__all__ = [
    "RECONCILIATIONS",
    "Check",
    "CheckError",
    "CheckResult",
    "Counted",
    "Reconciliation",
    "check_names",
    "checks_of",
    "count",
    "judged",
    "no_failing_rows",
    "relations_of",
    "run_checks",
    "shown_as",
    "shown_checks",
    "way_out",
]

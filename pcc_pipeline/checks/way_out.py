"""What an operator does when a check fails, in words: the way out that Dagster shows beside it."""

from __future__ import annotations

from pcc_pipeline.checks.names import AS_DESCRIBED
from pcc_pipeline.tables.feeds import FEEDS

_DEFECT = (
    "a defect of the program, never of the ente's data: readers keep what is published. Report it with the sample rows and "
    "the run's id. Once it is mended, start reconcile_ente for the ente."
)
_SENT = (
    "open the ente's deliveries at the desk and ask the office what became of the file on PCC. Deliver PCC's outcome or a "
    "newer extract; publication goes on meanwhile."
)

#: By check; `row_counts` and all that is not here is a defect of the program.
_WAYS = {
    "accounts_sum": (
        "nothing needs mending here: PCC's extract holds these rows, and each becomes an anomaly with its remedy. If the "
        "amounts look wrong throughout (a shifted column), ask the ente for the extract again and deliver it."
    ),
    "gone_rows_confirmed": (
        "ask the ente whether the file in the sample was cut. If so, have it delivered again, whole. If not, confirm it: "
        "pcc confirm DELIVERY --ente E --who NAME, or the button on the delivery's page at the desk. The next look publishes."
    ),
    "seen_done_in_time": _SENT,
    "outcomes_whole": _SENT,
    "stock_moved_on_pcc_alone": (
        "ask the ente who worked on these documents on PCC. Nothing stops: the desk shows the same list to the office."
    ),
    "nothing_in_quarantine": (
        "read the reasons in the sample. Have the file corrected and delivered again; where a reader was mended, "
        "pcc quarantine release --ente E reads it anew. Good rows went on (docs/quarantine.md)."
    ),
}
_FEED = (
    "the kept rows do not agree with the register of deliveries, or a column changed its type. Read the kind again: "
    "pcc restage --kind {table} --ente E (docs/runbook.md). If it fails again it is a defect of the program: report it."
)


def way_out(table: str, check: str) -> str:
    """What to do when a check shown on a table fails; one sentence or a few, without its heading."""
    if check == AS_DESCRIBED and table in FEEDS:
        return _FEED.format(table=table)
    return _WAYS.get(check, _DEFECT)

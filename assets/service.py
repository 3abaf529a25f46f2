"""The service itself in Dagster: the nightly levels, the probe, the overview of enti, erasures that are due.

They belong to no one ente, so they are not partitioned. The work is in `pcc_pipeline.service`.
"""

from datetime import timedelta
from typing import Any

from dagster import (
    AssetExecutionContext,
    AssetSelection,
    DefaultScheduleStatus,
    Failure,
    FreshnessPolicy,
    MaterializeResult,
    ScheduleDefinition,
    asset,
    define_asset_job,
    in_process_executor,
)

from assets.resources import Installation
from assets.steps import nightly
from pcc_pipeline.clock import today
from pcc_pipeline.enti.overview import publish_overview
from pcc_pipeline.review.standing import stand_anew
from pcc_pipeline.service import erasure
from pcc_pipeline.service.lookout import look
from pcc_pipeline.service.nightly import nights
from pcc_pipeline.service.probe import keep, measure

#: Measures wait so long before they are delivered together: an hour's are one delivery.
HAND_OVER = timedelta(hours=1)
#: A measurement counts for so long: later, time goes unmeasured (docs/service-levels.md).
UNMEASURED = timedelta(minutes=15)


@asset(group_name="provider", kinds={"duckdb", "postgres"}, freshness_policy=nightly(4))
def nightly_service_levels(context: AssetExecutionContext, installation: Installation) -> MaterializeResult:
    """Every active ente's service levels up to yesterday, published; finished months closed; missed nights caught up."""
    done = nights(installation, progress=context.log.info)
    failed = {ente: reason for night in done for ente, reason in night.failed.items()}
    alerts = look(installation)
    if failed:
        words = "; ".join(f"{ente}: {reason}" for ente, reason in failed.items())
        raise Failure(
            f"These enti keep their previous levels: {words}. Mend it, then materialise this asset again (docs/runbook.md)"
        )
    last = done[-1]
    closed = sum(len(periods) for night in done for periods in night.closed.values())
    told: dict[str, Any] = {
        "night": last.night.isoformat(),
        "nights": len(done),
        "enti": len(last.published),
        "closed periods": closed,
    }
    return MaterializeResult(metadata={**told, "rows": sum(last.published.values()), "new alerts": alerts})


@asset(group_name="provider", kinds={"postgres"})
def service_life(installation: Installation) -> MaterializeResult:
    """The provider's overview of its enti: state, deadlines, what is missing and from whom, what is at risk."""
    rows = publish_overview(installation, today())
    return MaterializeResult(metadata={"dagster/row_count": rows, "enti noted anew": stand_anew(installation.engine)})


@asset(group_name="provider", kinds={"csv"}, freshness_policy=FreshnessPolicy.time_window(fail_window=UNMEASURED))
def measured_probes(context: AssetExecutionContext, installation: Installation) -> MaterializeResult:
    """Measures database, web interface and portal; once an hour the measures become a delivery of the provider's."""
    found = measure(installation.settings)
    for item in found:
        if not item.up:
            context.log.error(f"{item.service} does not answer: {item.reason}")
    target = keep(installation.settings, found, HAND_OVER)
    return MaterializeResult(
        metadata={
            **{item.service: "UP" if item.up else "DOWN" for item in found},
            "delivered": target is not None,
        }
    )


@asset(group_name="provider", kinds={"postgres", "file"}, freshness_policy=nightly(6))
def erased_enti(context: AssetExecutionContext, installation: Installation) -> MaterializeResult:
    """Erases the enti whose erasure is due, each with a signed receipt; their names do not appear here."""
    receipts, failures = [], []
    for ente in erasure.due_enti(installation, today()):
        try:
            receipts.append(erasure.erase(installation, ente, today())["receipt"])
        except erasure.ErasureError as error:
            failures.append(str(error))
    if failures:
        raise Failure("; ".join(failures))
    context.log.info(f"{len(receipts)} enti erased")
    return MaterializeResult(metadata={"erased": len(receipts), "receipts": receipts})


SERVICE_ASSETS = [nightly_service_levels, service_life, measured_probes, erased_enti]
SERVICE_GROUPS = ("provider",)


def _job(name: str, asset_name: str, description: str) -> Any:
    return define_asset_job(
        name,
        selection=AssetSelection.assets(asset_name),
        executor_def=in_process_executor,
        description=description,
    )


calculate_service_levels = _job(
    "calculate_service_levels", "nightly_service_levels", "Every ente's service levels up to yesterday."
)
update_service_life = _job("update_service_life", "service_life", "Where each ente stands, and which deadlines are at risk.")
measure_availability = _job("measure_availability", "measured_probes", "Whether database, web interface and portal answer.")
erase_due_enti = _job("erase_due_enti", "erased_enti", "Erases the enti whose fifth working day after the PEC has come.")
SERVICE_JOBS = [calculate_service_levels, update_service_life, measure_availability, erase_due_enti]

_ROME = "Europe/Rome"


def _schedule(name: str, of: Any, cron: str, description: str) -> ScheduleDefinition:
    return ScheduleDefinition(
        name=name,
        job=of,
        cron_schedule=cron,
        execution_timezone=_ROME,
        default_status=DefaultScheduleStatus.RUNNING,
        description=description,
    )


SERVICE_SCHEDULES = [
    _schedule(
        "nightly_service_levels",
        calculate_service_levels,
        "0 2 * * *",
        "Every night at 02:00: the service levels of all enti, closing of months, alerts. A night missed is caught up.",
    ),
    _schedule(
        "measure_availability",
        measure_availability,
        "*/5 * * * *",
        "Every five minutes: does each service answer? Paused, what nobody measures counts neither way.",
    ),
    _schedule(
        "erase_due_enti",
        erase_due_enti,
        "0 4 * * *",
        "Every day at 04:00: erases the enti that are due, each with a receipt (docs/runbook.md#erasing).",
    ),
]

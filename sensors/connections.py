"""Reads enti's accounting systems at their own pace: one run an ente whenever its minutes have passed.

The sources file says which and how often, `erp_reads` when the last reading ended. What a reading delivers is
noticed by the inbox sensor, like any delivery that is not read yet.
"""

import time

from dagster import DefaultSensorStatus, RunRequest, SensorEvaluationContext, SensorResult, SkipReason, sensor

from assets.connections import read_accounting_system, reading_config
from assets.resources import Installation
from pcc_pipeline.clock import is_due
from pcc_pipeline.connector.connect import last_readings
from pcc_pipeline.connector.sources import SourceError, load_sources

LOOK = 60


@sensor(
    job=read_accounting_system,
    minimum_interval_seconds=LOOK,
    default_status=DefaultSensorStatus.RUNNING,
    description="Starts a reading of each connected accounting system when its minutes have passed "
    "(erp_sources.yaml). Refused and failed readings are in the table erp_reads with their reason.",
)
def connections(context: SensorEvaluationContext, installation: Installation) -> SensorResult | SkipReason:
    """Looks at the sources file and at when each ente was read last."""
    try:
        sources = load_sources(installation.settings)
    except SourceError as error:
        context.log.error(str(error))
        return SkipReason(str(error))
    if not sources:
        return SkipReason("No connections are configured")
    now = time.time()
    last = last_readings(installation.register)
    due = [
        ente
        for ente, source in sorted(sources.items())
        if source.every_minutes and is_due(last.get(ente, 0.0), now, source.every_minutes * 60)
    ]
    # The key holds the slot of time, so that a reading under way or just failed is not started twice in it.
    requests = [
        RunRequest(
            run_key=f"{ente}:{int(now // (sources[ente].every_minutes * 60))}:{int(last.get(ente, 0.0))}",
            run_config=reading_config(ente),
            tags={"pcc.connection": ente},
        )
        for ente in due
    ]
    return SensorResult(run_requests=requests) if requests else SkipReason("No reading is due")

"""The service's sensors: a warning before a ticket passes the limit, and the nights that were missed."""

from dagster import DefaultSensorStatus, RunRequest, SensorEvaluationContext, SkipReason, sensor

from assets.resources import Installation
from assets.service import calculate_service_levels
from pcc_pipeline.service.lookout import look
from pcc_pipeline.service.nightly import last_night, missed

#: Seconds between looks.
LOOK, CATCH_UP = 300, 600


@sensor(
    minimum_interval_seconds=LOOK,
    default_status=DefaultSensorStatus.RUNNING,
    description="Warns before a ticket passes the limit and when a level is missed: log, e-mail, webhook (alerts.yaml).",
)
def service_alerts(context: SensorEvaluationContext, installation: Installation) -> SkipReason:
    """Raises what is new; starts no run."""
    count = look(installation)
    if count:
        context.log.warning(f"{count} new alerts: see {installation.settings.home / 'alerts.log'}")
    return SkipReason(f"{count} new alerts")


@sensor(
    job=calculate_service_levels,
    minimum_interval_seconds=CATCH_UP,
    default_status=DefaultSensorStatus.RUNNING,
    description="Starts the nightly work when a night was missed, because nothing ran at two o'clock say.",
)
def missed_nights(context: SensorEvaluationContext, installation: Installation) -> RunRequest | SkipReason:
    """Asks for one run that catches up every missed night."""
    night = last_night()
    if not missed(installation.register, night):
        return SkipReason("No night is missed")
    return RunRequest(run_key=f"night {night}")

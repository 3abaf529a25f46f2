"""What is said of deadlines before and after, each alert once. The days are in `pcc_pipeline.service.deadlines`."""

import logging
from datetime import date, timedelta

from dagster import DefaultSensorStatus, SensorEvaluationContext, SkipReason, sensor

from assets.resources import Installation
from pcc_pipeline.clock import today
from pcc_pipeline.service.lookout import look_at_deadlines

log = logging.getLogger("pcc.deadlines")

LEVELS = {"info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


@sensor(
    minimum_interval_seconds=3600,
    default_status=DefaultSensorStatus.RUNNING,
    description="Says what is due soon or late, ente by ente, each alert once: log, e-mail, webhook (alerts.yaml); "
    "the cursor is the last day looked at.",
)
def deadline_alerts(context: SensorEvaluationContext, installation: Installation) -> SkipReason:
    """Raises what has come to be due or late since the last look; starts no run."""
    now = today()
    # The first look says what today brings, not the whole past.
    since = date.fromisoformat(context.cursor) if context.cursor else now - timedelta(days=1)
    if since >= now:
        return SkipReason(f"Looked at {since}")
    said = look_at_deadlines(installation, since, now)
    for alert in said:
        context.log.log(LEVELS[alert.severity], alert.words)
        log.log(LEVELS[alert.severity], alert.words)
    context.update_cursor(now.isoformat())
    return SkipReason(f"{len(said)} alerts for {now}")

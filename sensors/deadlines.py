"""What is said of deadlines before and after: one line in the log an alert, once. The days are in `pcc_pipeline.deadlines`."""

import logging
from datetime import date, timedelta

from dagster import DefaultSensorStatus, SensorEvaluationContext, SkipReason, sensor

from assets.resources import Installation
from pcc_pipeline.clock import today
from pcc_pipeline.deadlines import alerts, deadlines, span

log = logging.getLogger("pcc.deadlines")

LEVELS = {"info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


@sensor(
    minimum_interval_seconds=3600,
    default_status=DefaultSensorStatus.RUNNING,
    description="Says what is due soon or late, ente by ente, each alert once; the cursor is the last day looked at.",
)
def deadline_alerts(context: SensorEvaluationContext, installation: Installation) -> SkipReason:
    """Logs what has come to be due or late since the last look; starts nothing."""
    now = today()
    # The first look says what today brings, not the whole past.
    since = date.fromisoformat(context.cursor) if context.cursor else now - timedelta(days=1)
    if since >= now:
        return SkipReason(f"Looked at {since}")
    before, after = span()
    found = deadlines(installation.engine, since - timedelta(days=after), now + timedelta(days=before))
    said = alerts(found, since, now)
    for alert in said:
        context.log.log(LEVELS[alert.severity], alert.words)
        log.log(LEVELS[alert.severity], alert.words)
    context.update_cursor(now.isoformat())
    return SkipReason(f"{len(said)} alerts for {now}")

"""Runs that a killed worker had in its hand: they end, so that their work is done again."""

import json

from dagster import DefaultSensorStatus, SensorEvaluationContext, SkipReason, sensor

from assets.resources import Installation
from pcc_pipeline.database.dagster_home import MONITOR


@sensor(
    minimum_interval_seconds=MONITOR,
    default_status=DefaultSensorStatus.RUNNING,
    description="Ends runs whose worker was killed before they started; Dagster's monitoring ends those that had. "
    "Paused, such a run counts as starting for minutes, and its ente waits.",
)
def lost_runs(context: SensorEvaluationContext, installation: Installation) -> SkipReason:
    """Ends such runs, seen at two looks; starts none: the inbox sensor does their work again."""
    from assets.workers import end_lost_runs

    ended, seen = end_lost_runs(context.instance, installation.settings, json.loads(context.cursor or "[]"))
    context.update_cursor(json.dumps(seen))
    return SkipReason(f"{len(ended)} runs ended whose worker was killed")

"""What is said when a run fails: one clear line with the enti, the step and the reason."""

import logging

from dagster import DefaultSensorStatus, RunFailureSensorContext, run_failure_sensor

from assets.partitions import enti_of_tags

log = logging.getLogger("pcc.failures")

#: Longest reason shown, in characters.
REASON = 1_000


def failure_message(context: RunFailureSensorContext) -> str:
    """The line that an operator reads."""
    run = context.dagster_run
    enti = ", ".join(enti_of_tags(run.tags)) or "the provider"
    reasons = []
    for event in context.get_step_failure_events():
        error = event.step_failure_data.error
        cause = error.cause or error if error else None
        reasons.append(f"{event.step_key}: {cause.message.strip() if cause else 'no reason given'}")
    words = "; ".join(reasons) or context.failure_event.message or "no reason given"
    return f"Run {run.run_id[:8]} ({run.job_name}) failed for {enti}: {words[:REASON]}"


@run_failure_sensor(
    description="Logs each failed run in one line: enti, step, reason.",
    default_status=DefaultSensorStatus.RUNNING,
    minimum_interval_seconds=15,
)
def report_failure(context: RunFailureSensorContext) -> None:
    """Logs the failed run."""
    message = failure_message(context)
    context.log.error(message)
    log.error(message)

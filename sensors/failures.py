"""What is said when a run fails: one clear line with the enti, the step and the reason; and a tag for each ente it failed for,
by which the list of runs says so."""

import logging
import re
from collections.abc import Mapping

from dagster import DefaultSensorStatus, JsonMetadataValue, RunFailureSensorContext, run_failure_sensor

from assets.partitions import enti_of_tags, failed_tag
from assets.steps import NOT_PUBLISHED

log = logging.getLogger("pcc.failures")

#: What stands before the name of a blocking check that failed.
CHECK = "blocking check "
#: Longest reason shown, in characters.
REASON = 1_000
#: The same in a tag; and the most enti that a run is tagged with.
REASON_OF_TAG, TAGS = 150, 50


def failure_message(context: RunFailureSensorContext) -> str:
    """The line that an operator reads."""
    run = context.dagster_run
    enti = ", ".join(enti_of_tags(run.tags)) or "the provider"
    words = "; ".join(f"{step}: {why}" for step, why in _causes(context)) or _of_the_run(context)
    return f"Run {run.run_id[:8]} ({run.job_name}) failed for {enti}: {words[:REASON]}"


def _causes(context: RunFailureSensorContext) -> list[tuple[str, str]]:
    """Each step that failed, with its first cause."""
    found = []
    for event in context.get_step_failure_events():
        error = event.step_failure_data.error
        cause = error.cause or error if error else None
        found.append((event.step_key or "", _words(cause.message) if cause else "no reason given"))
    return found


def _words(message: str) -> str:
    """An error's message without its class; of a blocking check its name alone."""
    words = re.sub(r"^[\w.]*(Error|Exception|Failure): ", "", message.strip())
    return re.sub(r"^\d+ blocking asset checks? failed with ERROR severity:\s*", CHECK, words)


def _of_the_run(context: RunFailureSensorContext) -> str:
    """What is said of a run in which no step failed: its process was killed, say."""
    return context.failure_event.message or "no reason given"


def failed_enti(context: RunFailureSensorContext) -> Mapping[str, str]:
    """The enti for which a run failed, each with the reason: those that publication put aside, else all of the run."""
    for event in context.get_step_failure_events():
        told = event.step_failure_data.user_failure_data
        if told and isinstance(aside := told.metadata.get(NOT_PUBLISHED), JsonMetadataValue):
            return aside.data if isinstance(aside.data, Mapping) else {}
    # The list of runs has little room: no step, and of a check the name first.
    words = "; ".join(why.removeprefix(CHECK) for _, why in _causes(context)) or _of_the_run(context)
    return dict.fromkeys(enti_of_tags(context.dagster_run.tags), words)


@run_failure_sensor(
    description="Logs each failed run in one line (enti, step, reason), and tags it pcc.failed/<ente>: the list of runs then "
    "says why an ente was not published. Paused, it tells of nothing; runs go on.",
    default_status=DefaultSensorStatus.RUNNING,
    minimum_interval_seconds=15,
)
def report_failure(context: RunFailureSensorContext) -> None:
    """Logs the failed run and tags it."""
    found = list(failed_enti(context).items())[:TAGS]
    tags = {failed_tag(ente): " ".join(why.split())[:REASON_OF_TAG] for ente, why in found}
    context.instance.add_run_tags(context.dagster_run.run_id, tags)
    message = failure_message(context)
    context.log.error(message)
    log.error(message)

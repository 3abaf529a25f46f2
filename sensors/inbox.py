"""The inbox sensor: starts runs for what arrived, never twice at once for an ente, never without end.

What there is to do is said by `work`; here it is held against the runs that Dagster knows.
"""

import hashlib
import time

from dagster import (
    AddDynamicPartitionsRequest,
    DagsterInstance,
    DagsterRunStatus,
    DefaultSensorStatus,
    RunRequest,
    RunsFilter,
    SensorEvaluationContext,
    SensorResult,
    SkipReason,
    sensor,
)

from assets.jobs import read_provider_register, reconcile_ente
from assets.partitions import ENTE_TAG, ENTI_NAME, enti_of_tags, run_tags
from assets.resources import Installation
from pcc_pipeline.arrival.landing import PROVIDER
from pcc_pipeline.arrival.work import ATTEMPTS, RUNS, Attempts, split, to_do
from pcc_pipeline.clock import is_due

#: Seconds between looks at the inbox, and between looks for what was read but not published.
LOOK, SWEEP = 1, 60

UNFINISHED = [
    DagsterRunStatus.QUEUED,
    DagsterRunStatus.NOT_STARTED,
    DagsterRunStatus.STARTING,
    DagsterRunStatus.STARTED,
    DagsterRunStatus.CANCELING,
]


def busy(instance: DagsterInstance) -> set[str]:
    """Enti with a run that has not ended."""
    runs = instance.get_runs(filters=RunsFilter(statuses=UNFINISHED))
    return {ente for run in runs for ente in enti_of_tags(run.tags)}


def attempts(instance: DagsterInstance, ente: str, mark: str) -> Attempts:
    """The runs over an ente's work with that fingerprint."""
    runs = instance.get_runs(filters=RunsFilter(tags={ENTE_TAG + ente: mark}), limit=100)
    failed = 0
    for run in runs:  # latest first
        if run.status == DagsterRunStatus.SUCCESS:
            break
        failed += run.status == DagsterRunStatus.FAILURE
    return Attempts(len(runs), failed)


def request(enti: dict[str, Attempts], marks: dict[str, str], known: list[str]) -> RunRequest:
    """The run over some enti; its key makes one attempt at the same work one run."""
    parts = [f"{ente}:{marks[ente]}:{tried.runs}" for ente, tried in sorted(enti.items())]
    key = hashlib.sha256("|".join(parts).encode()).hexdigest()[:24] if len(parts) > 1 else parts[0]
    if list(enti) == [PROVIDER]:
        tags = {ENTE_TAG + PROVIDER: marks[PROVIDER]}
        return RunRequest(run_key=key, job_name=read_provider_register.name, tags=tags)
    return RunRequest(
        run_key=key,
        job_name=reconcile_ente.name,
        tags=run_tags({ente: marks[ente] for ente in enti}, known),
        run_config={"resources": {"asked": {"config": {"enti": list(enti)}}}},
    )


@sensor(
    jobs=[reconcile_ente, read_provider_register],
    minimum_interval_seconds=LOOK,
    default_status=DefaultSensorStatus.RUNNING,
    description="Starts runs for files in the inbox and deliveries not read yet: a few enti one run each, "
    "many in batches. The register says what there is to do; failed work is tried again twice.",
)
def inbox(context: SensorEvaluationContext, installation: Installation) -> SensorResult | SkipReason:
    """Looks at the inbox and the register."""
    now = time.time()
    sweep = is_due(float(context.cursor or 0), now, SWEEP)
    if sweep:
        context.update_cursor(str(now))  # only when to look harder again: losing it loses nothing
    marks = to_do(installation, sweep=sweep, patience=LOOK)
    if not marks:
        return SkipReason("Nothing new")
    running = busy(context.instance)
    tried = {e: attempts(context.instance, e, marks[e]) for e in sorted(marks) if e not in running}
    ready = []
    for ente, past in tried.items():
        if past.failed >= ATTEMPTS or past.runs >= RUNS:
            context.log.error(
                f"{ente}: left to the operator after {past.runs} runs ({past.failed} failed) over the same "
                "deliveries; "
                "its readers keep the previous state. It is tried again when something new arrives, "
                "or when you start reconcile_ente for it."
            )
        else:
            ready.append(ente)
    provider = [ente for ente in ready if ente == PROVIDER]
    at_once = installation.settings.runs_at_once or installation.settings.workers
    groups = [provider] * bool(provider) + split([e for e in ready if e != PROVIDER], tried, at_once)
    if not groups:
        return SkipReason(f"Under way or left to the operator: {', '.join(sorted(marks))}")
    known = list(context.instance.get_dynamic_partitions(ENTI_NAME))
    new = [ente for group in groups for ente in group if ente not in known and ente != PROVIDER]
    return SensorResult(
        run_requests=[request({e: tried[e] for e in group}, marks, [*known, *new]) for group in groups],
        dynamic_partitions_requests=[AddDynamicPartitionsRequest(ENTI_NAME, new)] if new else [],
    )

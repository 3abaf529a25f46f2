"""Runs a job of decisions as Dagster's launchpad does."""

from __future__ import annotations

from typing import Any

from dagster import DagsterInstance

from pcc_pipeline.installation import Installation


def run(
    job: Any,
    op: str,
    installation: Installation,
    config: dict[str, Any],
    *,
    fails: bool = False,
    instance: DagsterInstance | None = None,
) -> Any:
    """Runs the job with that form and returns Dagster's result; it must succeed, or fail if told so."""
    result = job.execute_in_process(
        run_config={"ops": {op: {"config": config}}},
        resources={"installation": installation},
        raise_on_error=not fails,
        instance=instance,
    )
    assert result.success is not fails
    return result


def shown(result: Any, op: str) -> dict[str, Any]:
    """What an op showed in its output: plain values by name."""
    (event,) = [event for event in result.events_for_node(op) if event.is_successful_output]
    return {name: value.value for name, value in event.step_output_data.metadata.items()}

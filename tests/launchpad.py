"""Runs a job of decisions as Dagster's launchpad does."""

from __future__ import annotations

from typing import Any

from pcc_pipeline.installation import Installation


def run(job: Any, op: str, installation: Installation, config: dict[str, Any], *, fails: bool = False) -> Any:
    result = job.execute_in_process(
        run_config={"ops": {op: {"config": config}}}, resources={"installation": installation}, raise_on_error=not fails
    )
    assert result.success is not fails
    return result

"""What the assets share: the installation (`pcc_pipeline.installation`), and a run's parameters.

Settings come from the environment alone (`pcc_pipeline.settings`), or from who starts a run in its own process; nothing
secret stands in a run's configuration.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from dagster import ConfigurableResource, InitResourceContext, ResourceParam, resource
from pydantic import Field

from pcc_pipeline import installation as core
from pcc_pipeline.runs.inputs import Inputs, of_run


class RunParameters(ConfigurableResource):
    """What a run is asked for; everything may be left as it is."""

    reference_date: str = Field("", description="Day the stock is asked for (D), as 2025-12-31; empty: today in Italy")
    observed_at: str = Field("", description="Day up to which facts are seen (O), not before D; empty: later of D and today")
    inbox: str = Field("", description="Folder to land from, left as it is; empty: the installation's inbox, drained")
    enti: list[str] = Field([], description="Filled by the sensor; empty: the partitions of the run")

    def dates(self) -> tuple[date | None, date | None]:
        """Reference date and observation date as asked, None where left empty. ValueError if ill-formed."""
        asked = (self.reference_date, self.observed_at)
        first, second = (date.fromisoformat(text) if text else None for text in asked)
        return first, second


@resource(description="The installation of the environment (PCC_HOME and its fellows)")
def environment_installation(context: InitResourceContext) -> core.Installation:
    """The core's object: assets get it as it is."""
    return core.Installation.from_environment()


#: How an asset, a job or a sensor asks for the installation: `installation: Installation`.
Installation = ResourceParam[core.Installation]


def inputs_of(context: Any, installation: core.Installation, ente: str, asked: RunParameters, *, made: bool = False) -> Inputs:
    """The inputs that a run keeps for an ente (see `pcc_pipeline.runs.inputs`). Raises ValueError for impossible dates."""
    return of_run(installation, ente, runs_of(context), *asked.dates(), made=made)


def runs_of(context: Any) -> list[str]:
    """The id of the run under way, then of the run that it continues after a failure, if any."""
    run = context.run
    return list(dict.fromkeys(filter(None, (run.run_id, run.parent_run_id, run.root_run_id))))

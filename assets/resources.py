"""What the assets share: the installation's store, register and calculator, and a run's parameters.

Settings come from the environment alone (`pcc_pipeline.settings`); nothing secret stands in a run's
configuration.
"""

from __future__ import annotations

from datetime import date
from functools import cached_property
from typing import Any

from dagster import ConfigurableResource
from pydantic import Field

from pcc_pipeline.calculator import Calculator, Parameters
from pcc_pipeline.database import engine as database
from pcc_pipeline.database.register import Register
from pcc_pipeline.enti.facts import ente_facts
from pcc_pipeline.runs import pipeline
from pcc_pipeline.settings import Settings
from pcc_pipeline.store import Store


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


class Installation(ConfigurableResource):
    """The installation of the environment (PCC_HOME and its fellows), opened once a process."""

    @cached_property
    def settings(self) -> Settings:
        """The environment's settings."""
        return Settings.from_environment()

    @cached_property
    def store(self) -> Store:
        """The file store."""
        return Store(self.settings.store_url)

    @cached_property
    def engine(self) -> Any:
        """The engine of our own database; starts the embedded server where there is none."""
        return database.engine(self.settings)

    @cached_property
    def register(self) -> Register:
        """The register of deliveries."""
        return Register(self.engine)

    @cached_property
    def calculator(self) -> Calculator:
        """The runner of SQL models."""
        return Calculator(self.settings, self.store)

    def parameters(self, ente: str, asked: RunParameters) -> Parameters:
        """The models' parameters for an ente. Raises ValueError for impossible dates."""
        facts = ente_facts(self.settings, self.store, self.register, ente)
        return pipeline.parameters(facts, *asked.dates())

"""The steps of a run one by one: landing, reading, models, publication; without Dagster and without checks."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from pcc_pipeline.arrival.landing import PROVIDER, land
from pcc_pipeline.arrival.quarantine import write_quarantine
from pcc_pipeline.arrival.staging import stage
from pcc_pipeline.calculator import prepare
from pcc_pipeline.database.publish import Publication, publish
from pcc_pipeline.installation import Installation
from pcc_pipeline.runs import pipeline
from pcc_pipeline.runs.inputs import inputs


def publish_steps(
    installation: Installation, ente: str, reference_date: date, observed_at: date, *, inbox: Path | None = None
) -> None:
    """Takes what lies in the inbox for the provider and an ente (all of it must be readable), works it out, publishes it."""
    for one in (PROVIDER, ente):
        land(installation, inbox, one, drain=inbox is None)
        report = stage(installation, one)
        assert not report.refused, report.refused
    installation.calculator.run_inputs(inputs(installation, ente, reference_date, observed_at))
    write_quarantine(installation, ente)
    sources = pipeline.published_sources(installation.store, ente)
    publication = Publication(reference_date, observed_at)
    publish(installation.engine, ente, sources, publication, lambda connection: prepare(connection, installation.store))

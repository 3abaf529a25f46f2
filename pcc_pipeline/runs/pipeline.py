"""An ente's way from deliveries to published figures, step by step: what the assets and the command line call.

The steps themselves are elsewhere (landing, staging, calculator, checks, publish); here is only what joins them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pcc_pipeline.arrival.landing import PROVIDER, land
from pcc_pipeline.arrival.staging import stage
from pcc_pipeline.calculator import source
from pcc_pipeline.clock import today
from pcc_pipeline.enti.distribution import distribute
from pcc_pipeline.enti.life import life
from pcc_pipeline.enti.overview import publish_overview, register_rows
from pcc_pipeline.installation import Installation
from pcc_pipeline.store import Store
from pcc_pipeline.tables import PROVIDER_TABLES, TABLES


@dataclass
class ProviderReading:
    """What reading the provider's own deliveries gave."""

    deliveries: int = 0
    rows: dict[str, int] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    enti: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def read_provider(installation: Installation, inbox: Path | None = None, *, drain: bool = False) -> ProviderReading:
    """Lands and reads what concerns the provider itself, splits it by ente and publishes the overview of enti.

    `enti` are those that got deliveries of their own from a provider-wide file.
    """
    landed = land(installation, inbox, ente=PROVIDER, drain=drain)
    done = stage(installation, PROVIDER)
    refused = {code for code, row in register_rows(installation).items() if life(row, today()).refusal}
    split = distribute(installation, refused)
    publish_overview(installation, today())
    notes = [
        f"{count} {kind} of all enti wait: their ente cannot be told (name it in a column ente, or deliver its tickets)"
        for kind, count in split.unresolved.items()
    ]
    return ProviderReading(
        done.deliveries,
        {kind: count.rows for kind, count in done.counts.items()},
        {**{item.path: item.reason for item in landed.refused}, **done.refused},
        sorted(split.made),
        notes,
    )


def published_tables() -> list[str]:
    """The tables that are published for each ente."""
    return [name for name, table in TABLES.items() if table.published and name not in PROVIDER_TABLES]


def published_sources(store: Store, ente: str) -> Mapping[str, str]:
    """What to read each published table of an ente from (see `calculator.source`)."""
    return {name: source(store, ente, name) for name in published_tables()}

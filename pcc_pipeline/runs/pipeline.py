"""An ente's way from deliveries to published figures, step by step: what the assets and the command line call.

The steps themselves are elsewhere (landing, staging, calculator, checks, publish); here is only what joins them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from pcc_pipeline.arrival.landing import PROVIDER, land
from pcc_pipeline.arrival.staging import stage
from pcc_pipeline.calculator import Parameters, source
from pcc_pipeline.calculator.session import DELIVERIES_SCHEMA
from pcc_pipeline.clock import today
from pcc_pipeline.database.register import Register
from pcc_pipeline.enti.distribution import distribute
from pcc_pipeline.enti.facts import EnteFacts
from pcc_pipeline.enti.life import life
from pcc_pipeline.enti.overview import publish_overview, register_rows
from pcc_pipeline.installation import Installation
from pcc_pipeline.store import Store
from pcc_pipeline.tables import PROVIDER_TABLES, TABLES
from pcc_pipeline.tables.register import LANDED, STAGED


def calculator_deliveries(register: Register, ente: str, known_at: datetime | None = None) -> pa.Table:
    """An ente's read deliveries for the calculator (see DELIVERIES_SCHEMA), known by `known_at` (now unless told).

    `part` is null where no row was accepted. The provider's probes concern every ente and come with them.
    """
    table = _read(register.deliveries(ente, known_at), None)
    if ente != PROVIDER:
        shared = register.deliveries(PROVIDER, known_at)
        shared = shared.filter(pc.equal(shared["kind"], "probes"))
        table = pa.concat_tables([table, _read(shared, PROVIDER)])
    return table


def _read(table: pa.Table, owner: str | None) -> pa.Table:
    table = table.filter(pc.not_equal(table["status"], LANDED))
    has_rows = pc.greater(pc.fill_null(table["rows"], 0), 0)
    part = pc.if_else(has_rows, table["part"], pa.scalar(None, pa.string()))
    table = table.set_column(table.schema.get_field_index("part"), "part", part)
    staged = pc.equal(table["status"], STAGED)  # what cannot be read says nothing of what there is not
    table = table.set_column(table.schema.get_field_index("whole"), "whole", pc.if_else(staged, table["whole"], None))
    table = table.append_column("confirmed", pc.is_valid(table["confirmed_at"]))
    table = table.append_column("owner", pa.array([owner] * len(table), pa.string()))
    return table.select(DELIVERIES_SCHEMA.names).cast(DELIVERIES_SCHEMA)


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


def parameters(facts: EnteFacts, reference_date: date | None = None, observed_at: date | None = None) -> Parameters:
    """The models' parameters: today where a date is not given. Raises ValueError when O is before D."""
    reference_date = reference_date or observed_at or today()
    return Parameters(
        reference_date,
        observed_at or max(reference_date, today()),
        facts.tipo,
        facts.patron_saint,
        facts.siope_plus,
        facts.siope_plus_dal,
        facts.pubblicato_il,
    )


def published_sources(store: Store, ente: str) -> Mapping[str, str]:
    """What to read each published table of an ente from (see `calculator.source`)."""
    mine = [name for name, table in TABLES.items() if table.published and name not in PROVIDER_TABLES]
    return {name: source(store, ente, name) for name in mine}

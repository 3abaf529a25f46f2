"""An ente's way from deliveries to published figures, step by step: what the assets and the command line call.

The steps themselves are elsewhere (landing, staging, calculator, checks, publish); here is only what joins them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc

from pcc_pipeline.calculator import Parameters, source
from pcc_pipeline.calculator.session import DELIVERIES_SCHEMA, connect
from pcc_pipeline.database.register import Register
from pcc_pipeline.landing import PROVIDER, land
from pcc_pipeline.layouts.choose import layout_of
from pcc_pipeline.layouts.model import Layout
from pcc_pipeline.settings import Settings
from pcc_pipeline.store import Store
from pcc_pipeline.tables import PROVIDER_TABLES, TABLES
from pcc_pipeline.tables.register import LANDED

ROME = ZoneInfo("Europe/Rome")


@dataclass(frozen=True)
class EnteFacts:
    """What the provider's register of enti says of one: whether it is there, its kind, why it is refused, its
    accounting system and that system's release, its name and fiscal code."""

    known: bool
    tipo: str | None = None
    refusal: str | None = None
    gestionale: str | None = None
    versione_gestionale: str | None = None
    autorizzazione_remota: bool = False
    credenziali: bool = False
    name: str | None = None
    cf: str | None = None
    patron_saint: str | None = None

    @property
    def layout(self) -> Layout | None:
        """The layout of the accounting system; null when the product is not known: standard columns."""
        return layout_of(self.gestionale, self.versione_gestionale)


def today() -> date:
    """The present day in Italy."""
    return datetime.now(ROME).date()


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
    table = table.append_column("owner", pa.array([owner] * len(table), pa.string()))
    return table.select(DELIVERIES_SCHEMA.names).cast(DELIVERIES_SCHEMA)


def ente_facts(
    settings: Settings,
    store: Store,
    register: Register,
    ente: str,
    on: date | None = None,
    known_at: datetime | None = None,
) -> EnteFacts:
    """What the latest delivered row of the provider's register (`enti`) says of an ente on a day (today unless told).

    `known_at` leaves out what was delivered after it.

    An ente that is not active is refused (rules, section 10): see `service.life`.
    """
    from pcc_pipeline.service.overview import ente_life

    row, found = ente_life(settings, store, register, ente, on or today(), known_at)
    if found is None:
        return EnteFacts(known=False)
    if row is None:
        return EnteFacts(known=True, refusal=found.refusal)
    return EnteFacts(
        True,
        row["tipo"],
        found.refusal,
        row["gestionale"],
        row["versione_gestionale"],
        row["autorizzazione_remota"] is True,
        row["credenziali"] is True,
        row["denominazione"],
        row["cf"],
        row["santo_patrono"],
    )


@dataclass
class ProviderReading:
    """What reading the provider's own deliveries gave."""

    deliveries: int = 0
    rows: dict[str, int] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    enti: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def read_provider(
    settings: Settings, store: Store, register: Register, inbox: Path | None = None, *, drain: bool = False
) -> ProviderReading:
    """Lands and reads what concerns the provider itself, splits it by ente and publishes the overview of enti.

    `enti` are those that got deliveries of their own from a provider-wide file.
    """
    from pcc_pipeline.service.distribution import distribute
    from pcc_pipeline.service.life import life
    from pcc_pipeline.service.overview import publish_overview, register_rows
    from pcc_pipeline.staging import stage

    landed = land(settings, store, register, inbox, ente=PROVIDER, drain=drain)
    done = stage(settings, store, register, PROVIDER)
    refused = {code for code, row in register_rows(settings, store, register).items() if life(row, today()).refusal}
    split = distribute(settings, store, register, refused)
    publish_overview(settings, store, register, today())
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


def ente_names(settings: Settings, store: Store, register: Register) -> dict[str, str]:
    """How each ente is called, from the latest row of the provider's register; those it does not know are left out."""
    deliveries = calculator_deliveries(register, PROVIDER)
    files = {row["part"] for row in deliveries.to_pylist() if row["kind"] == "enti" and row["part"] is not None}
    if not files:
        return {}
    with connect(settings) as connection:
        store.attach(connection)
        connection.register("deliveries", deliveries)
        rows = connection.execute(
            "select codice_ente, arg_max(denominazione, (sequence, line)) from read_parquet($files) "
            "join deliveries using (delivery) group by codice_ente",
            {"files": sorted(store.uri(f"staging/{PROVIDER}/enti/{part}.parquet") for part in files)},
        ).fetchall()
    return dict(rows)


def parameters(
    facts: EnteFacts, reference_date: date | None = None, observed_at: date | None = None
) -> Parameters:
    """The models' parameters: today where a date is not given. Raises ValueError when O is before D."""
    reference_date = reference_date or observed_at or today()
    return Parameters(reference_date, observed_at or max(reference_date, today()), facts.tipo, facts.patron_saint)


def published_sources(store: Store, ente: str) -> Mapping[str, str]:
    """What to read each published table of an ente from (see `calculator.source`)."""
    mine = [name for name, table in TABLES.items() if table.published and name not in PROVIDER_TABLES]
    return {name: source(store, ente, name) for name in mine}

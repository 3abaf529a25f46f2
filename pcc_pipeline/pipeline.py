"""An ente's way from deliveries to published figures, step by step: what the assets and the command line call.

The steps themselves are elsewhere (landing, staging, calculator, checks, publish); here is only what joins them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc

from pcc_pipeline.calculator import Parameters, source
from pcc_pipeline.calculator.session import DELIVERIES_SCHEMA, connect
from pcc_pipeline.database.register import Register
from pcc_pipeline.landing import PROVIDER
from pcc_pipeline.layouts.choose import layout_of
from pcc_pipeline.layouts.model import Layout
from pcc_pipeline.settings import Settings
from pcc_pipeline.store import Store
from pcc_pipeline.tables import TABLES
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

    @property
    def layout(self) -> Layout | None:
        """The layout of the accounting system; null when the product is not known: standard columns."""
        return layout_of(self.gestionale, self.versione_gestionale)


def today() -> date:
    """The present day in Italy."""
    return datetime.now(ROME).date()


def calculator_deliveries(register: Register, ente: str, known_at: datetime | None = None) -> pa.Table:
    """An ente's read deliveries for the calculator (see DELIVERIES_SCHEMA), known by `known_at` (now unless told).

    `part` is null where no row was accepted.
    """
    table = register.deliveries(ente, known_at)
    table = table.filter(pc.not_equal(table["status"], LANDED))
    has_rows = pc.greater(pc.fill_null(table["rows"], 0), 0)
    part = pc.if_else(has_rows, table["part"], pa.scalar(None, pa.string()))
    table = table.set_column(table.schema.get_field_index("part"), "part", part)
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

    An ente whose deactivation PEC was sent is refused (rules, section 10).
    """
    deliveries = calculator_deliveries(register, PROVIDER, known_at)
    files = {
        row["part"]: row["sequence"]
        for row in deliveries.to_pylist()
        if row["kind"] == "enti" and row["part"] is not None
    }
    if not files:
        return EnteFacts(known=False)
    with connect(settings) as connection:
        store.attach(connection)
        connection.register("deliveries", deliveries)
        row = connection.execute(
            "select tipo, pec_disattivazione_il, gestionale, versione_gestionale, "
            "coalesce(autorizzazione_remota, false), coalesce(credenziali, false), denominazione, cf "
            "from read_parquet($files) join deliveries using (delivery) "
            "where codice_ente = $ente order by sequence desc, line desc limit 1",
            {"files": [store.uri(f"staging/{PROVIDER}/enti/{part}.parquet") for part in files], "ente": ente},
        ).fetchone()
    if row is None:
        return EnteFacts(known=False)
    tipo, deactivated, *rest = row
    refusal = None
    if deactivated is not None and deactivated <= (on or today()):
        refusal = (
            f"deactivated: the PEC was sent on {deactivated}; nothing of this ente is processed any more"
        )
    return EnteFacts(True, tipo, refusal, *rest)


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
    return Parameters(reference_date, observed_at or max(reference_date, today()), facts.tipo)


def published_sources(store: Store, ente: str) -> Mapping[str, str]:
    """What to read each published table of an ente from (see `calculator.source`)."""
    return {name: source(store, ente, name) for name, table in TABLES.items() if table.published}

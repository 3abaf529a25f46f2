"""What the provider's register of enti says of one: whether it is active, its kind, its accounting system, its name."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from pcc_pipeline.clock import today
from pcc_pipeline.enti.overview import ente_life, register_rows
from pcc_pipeline.formats.tabular.choose import layout_of
from pcc_pipeline.formats.tabular.layouts.model import Layout
from pcc_pipeline.installation import Installation


@dataclass(frozen=True)
class EnteFacts:
    """What the provider's register of enti says of one: whether it is there, its kind, why it is refused, its
    accounting system and that system's release, its name and fiscal code, SIOPE+, the day it published its debts, PCC's
    models for it."""

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
    siope_plus: bool | None = None
    siope_plus_dal: date | None = None
    pubblicato_il: date | None = None
    modelli_pcc: str | None = None

    @property
    def layout(self) -> Layout | None:
        """The layout of the accounting system; null when the product is not known: standard columns."""
        return layout_of(self.gestionale, self.versione_gestionale)


def ente_facts(
    installation: Installation,
    ente: str,
    on: date | None = None,
    known_at: datetime | None = None,
) -> EnteFacts:
    """What the latest delivered row of the provider's register (`enti`) says of an ente on a day (today unless told).

    `known_at` leaves out what was delivered after it.

    An ente that is not active is refused (docs/rules.md#rule-10): see `service.life`.
    """
    row, found = ente_life(installation, ente, on or today(), known_at)
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
        row["siope_plus"],
        row["siope_plus_dal"],
        row["pubblicato_il"],
        row["modelli_pcc"],
    )


def ente_names(installation: Installation) -> dict[str, str]:
    """How each ente is called, from the latest row of the provider's register; those it does not know are left out."""
    rows = register_rows(installation)
    return {ente: row["denominazione"] for ente, row in rows.items() if row["denominazione"]}

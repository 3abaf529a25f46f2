"""A feed gains a column: rows staged before it have null there, whoever reads them. Not here: reading them again (test_restage)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from assets.checks import _delivered
from pcc_pipeline.arrival.landing import PROVIDER, land
from pcc_pipeline.arrival.quarantine import summary
from pcc_pipeline.arrival.staging import stage
from pcc_pipeline.calculator import prepared, source
from pcc_pipeline.checks import run_checks
from pcc_pipeline.duck import connect, parquet
from pcc_pipeline.enti.distribution import distribute
from pcc_pipeline.enti.facts import ente_facts
from pcc_pipeline.installation import Installation
from pcc_pipeline.runs.asof import needed
from pcc_pipeline.runs.inputs import inputs
from pcc_pipeline.settings import Settings
from pcc_pipeline.tables import FEEDS

D, SEEN = date(2025, 12, 31), date(2026, 1, 20)
INVOICES = "id_documento;tipo_documento;piva_fornitore;denominazione_fornitore;numero;data_emissione;data_ricezione;importo_totale;imponibile;iva;split_payment;data_scadenza;stato\n"


class Provider:
    """An installation to deliver files to; what is staged can be made older than a column."""

    def __init__(self, installation: Installation) -> None:
        self.installation = installation
        self.settings, self.store, self.register = installation.settings, installation.store, installation.register

    def deliver(self, kind: str, text: str, ente: str = "alfa") -> str:
        """Lands and reads a file; returns its staged file's path."""
        folder = self.settings.inbox / ente / kind
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{kind}.csv").write_text(text, encoding="utf-8")
        (new,) = land(self.installation, ente=ente, drain=True).new
        stage(self.installation, ente)
        return self.store.uri(f"staging/{ente}/{kind}/{new.delivery}.parquet")

    def stocks(self) -> dict[str, Decimal]:
        """Alfa's stock by view, calculated from all that was delivered."""
        self.installation.calculator.run_inputs(inputs(self.installation, "alfa", D, SEEN), needed(["stock"]))
        with prepared(self.settings, self.store) as connection:
            rows = connection.execute(f"select view, amount from {source(self.store, 'alfa', 'stock')}").fetchall()
        return dict(rows)


@pytest.fixture
def provider(installation: Installation) -> Provider:
    return Provider(installation)


def older(path: str, *columns: str) -> str:
    """The staged file as it was before these columns were described."""
    table = pq.read_table(path).drop_columns(list(columns))
    pq.write_table(table, path)
    return path


def invoice(name: str, number: int, amount: int) -> str:
    return (
        f"{name};TD01;00012340154;Alfa Srl;{number};2025-09-01;2025-09-03;{amount}.00;{amount}.00;0.00;N;2025-10-03;LIQUIDATA\n"
    )


def failing(kind: str, files: Sequence[str]) -> list[str]:
    found = run_checks(_delivered(FEEDS[kind]), {"alfa": files})["alfa"]
    return [result.check for result in found if not result.passed]


def test_the_calculator_and_the_checks_read_a_missing_column_as_null(provider: Provider) -> None:
    old = older(provider.deliver("erp_invoices", INVOICES + invoice("E1", 12, 1000)), "protocollo", "capitolo")
    assert provider.stocks()["right"] == 1000
    assert failing("erp_invoices", [old]) == []
    new = provider.deliver("erp_invoices", INVOICES + invoice("E2", 13, 500))
    assert provider.stocks()["right"] == 1500
    assert failing("erp_invoices", [old, new]) == failing("erp_invoices", [new, old]) == []


def test_a_feed_without_the_columns_of_its_origin_is_wrong(provider: Provider) -> None:
    path = provider.deliver("erp_invoices", INVOICES + invoice("E1", 12, 1000))
    assert "types" in failing("erp_invoices", [older(path, "line")])


def test_the_register_of_enti_and_what_is_split_by_ente(provider: Provider) -> None:
    enti = "ente;denominazione;cf;tipo;attivato_il;santo_patrono\n{};Comune;80012340157;COMUNE;2025-01-01;12-10\n"
    first = older(provider.deliver("enti", enti.format("alfa"), PROVIDER), "santo_patrono")
    assert ente_facts(provider.installation, "alfa").patron_saint is None
    provider.deliver("enti", enti.format("beta"), PROVIDER)
    assert (ente_facts(provider.installation, "alfa").tipo, ente_facts(provider.installation, "beta").patron_saint) == (
        "COMUNE",
        "12-10",
    )
    assert pq.read_schema(first).names.count("santo_patrono") == 0
    tickets = "id;ente;canale;aperto_il\n{};alfa;EMAIL;2025-12-09T17:00:00+01:00\n"
    older(provider.deliver("tickets", tickets.format("T1"), PROVIDER), "oggetto")
    provider.deliver("tickets", tickets.format("T2"), PROVIDER)
    assert distribute(provider.installation).made == {"alfa": 2}


def test_quarantine_that_gained_a_column(provider: Provider) -> None:
    bad = INVOICES + invoice("E1", 12, 1000).replace("2025-09-01", "boh")
    path = provider.deliver("erp_invoices", bad).replace("staging", "quarantine")
    older(path, "value")
    assert [row["times"] for row in summary(provider.installation, "alfa").to_pylist()] == [1]


def test_rows_are_what_is_described(settings: Settings, tmp_path: Path) -> None:
    feed = FEEDS["open_list"]
    row: dict[str, Any] = {"ente": "al'fa", "delivery": "d", "line": 1, "numero": "1"}
    path = str(tmp_path / "o'ne.parquet")
    pq.write_table(feed.arrow_schema.empty_table().from_pylist([row | {"gone": 7}]), path)
    with connect(settings) as connection:
        (found,) = connection.sql(f"from {parquet(feed, [path])}").to_arrow_table().to_pylist()
        nothing = connection.sql(f"from {parquet(feed, [])}").to_arrow_table()
    assert found == dict.fromkeys(feed.column_names) | row
    assert (nothing.num_rows, nothing.column_names) == (0, feed.column_names)

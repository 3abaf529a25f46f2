"""What if: payments to come, the FGDC they avoid, and the least outlay in due order, worked by hand."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from pcc_pipeline.arrival.landing import land
from pcc_pipeline.arrival.staging import stage
from pcc_pipeline.commands.forecast import read_payments
from pcc_pipeline.installation import Installation
from pcc_pipeline.runs import forecast
from pcc_pipeline.runs.forecast import NotForecast, Payment
from pcc_pipeline.settings import Settings
from pcc_pipeline.store import Store

HEAD = (
    "id_documento,tipo_documento,piva_fornitore,numero,data_emissione,data_ricezione,importo_totale,iva,data_scadenza,stato\n"
)
INVOICES = HEAD + "".join(
    f"D{n},TD01,1000000000{n},{n},2026-0{n}-01,2026-0{n}-02,{amount},0,2026-0{n + 1}-01,REGISTRATA\n"
    for n, amount in ((1, 100), (2, 200), (3, 300), (4, 400))
)
UNTIL = date(2026, 12, 31)


@pytest.fixture
def delivered(installation: Installation, settings: Settings, store: Store) -> Installation:
    for kind, text in (
        ("erp_invoices", INVOICES),
        ("budgets", "anno,stanziamento,vincolato\n2027,20000,0\n"),
    ):
        folder = settings.inbox / "alfa" / kind
        folder.mkdir(parents=True)
        (folder / f"{kind}.csv").write_text(text)
    land(installation)
    stage(installation, "alfa")
    return installation


def test_payments_to_come_and_the_least_outlay(delivered: Installation) -> None:
    base = forecast.scenario(delivered, "alfa", UNTIL)
    right = forecast.outlooks(delivered, base)["right"]
    # 1 000 due and unpaid; 5 % of 1 000 received is 50; nothing stood the year before. Delay over 60 days.
    assert (right.stock, right.rate, right.amount) == (1000, 5, 1000)
    # Oldest first until at most 50 are left: all four, since the last alone is 400.
    plan = forecast.plan(delivered, base)
    assert [due.id_documento for due in plan.payments] == ["D1", "D2", "D3", "D4"]
    assert (plan.bound, plan.outlay, plan.enough) == (50, 1000, True)
    assert [due.stock_left for due in plan.payments] == [900, 700, 400, 0]
    # Paid on their due dates, there is neither stock nor delay.
    payments = [Payment(due.id_documento, due.due_date, due.amount) for due in plan.payments]
    paid = forecast.scenario(delivered, "alfa", UNTIL, payments)
    outlook = forecast.outlooks(delivered, paid)["right"]
    assert (outlook.stock, outlook.delay, outlook.rate, outlook.amount) == (0, 0, 0, 0)
    assert not forecast.plan(delivered, paid).payments
    # Paid at the last moment, the delay remains.
    late = [Payment(p.id_documento, UNTIL, p.amount) for p in payments]
    outlook = forecast.outlooks(delivered, forecast.scenario(delivered, "alfa", UNTIL, late))["right"]
    assert (outlook.stock, outlook.rate) == (0, 5)
    # Nothing made up is left behind.
    assert not [name for name in delivered.store.list("staging/alfa/erp_payments") if "forecast" in name]
    with pytest.raises(NotForecast, match="after"):
        forecast.scenario(delivered, "alfa", UNTIL, [Payment("D1", date(2027, 1, 1), Decimal(1))])


def test_payments_are_read_with_their_line(tmp_path: Path) -> None:
    file = tmp_path / "pay.csv"
    file.write_text("id_documento;data_pagamento;importo\nD1;2026-12-20;1.234,56\n")
    assert read_payments(file) == [Payment("D1", date(2026, 12, 20), Decimal("1234.56"))]
    file.write_text("id_documento,data_pagamento,importo\nD1,soon,1\n")
    with pytest.raises(NotForecast, match="riga 2"):
        read_payments(file)

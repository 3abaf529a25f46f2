"""Indicators at the desk: this period as cards, years and quarters as columns, the FGDC as a decision, what would avoid it."""
# ruff: noqa: F811 (fixtures of other tests)

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient
from test_forecast import delivered  # noqa: F401
from test_portal import PASSWORD, _csrf, _sign_in, _text

from pcc_pipeline.database.engine import engine
from pcc_pipeline.database.publish import Publication, publish
from pcc_pipeline.database.schema import table
from pcc_pipeline.installation import Installation
from pcc_pipeline.settings import Settings
from portal import whatif
from portal.accounts import add_user
from portal.app import create_app

DAY = date(2025, 12, 31)


def _add(settings: Settings, name: str, rows: list[dict[str, Any]]) -> None:
    columns = dict.fromkeys(c.name for c in table(name).columns)
    with engine(settings).begin() as connection:
        connection.execute(sa.insert(table(name)), [{**columns, "ente": "alfa", "reference_date": DAY, **row} for row in rows])


def _figure(name: str, period: str, value: str, unit: str, view: str = "right", note: str | None = None) -> dict[str, Any]:
    more = {"simulated": False, "observed_at": DAY, "note": note}
    return {"name": name, "period": period, "value": Decimal(value), "unit": unit, "view": view, **more}


def _step(number: int, name: str, value: str | None, bound: str | None, rate: str | None) -> dict[str, Any]:
    amounts = {
        key: None if text is None else Decimal(text) for key, text in (("value", value), ("bound", bound), ("rate", rate))
    }
    return {"view": "right", "year": 2025, "step": number, "name": name, "passed": False, "words": f"passo {number}", **amounts}


@pytest.fixture
def desk(settings: Settings) -> Iterator[TestClient]:
    """The desk of an ente with figures of three years, two quarters and the day; and a client of another."""
    publish(engine(settings), "alfa", {}, Publication(DAY, DAY))
    _add(settings, "indicators", [
        _figure("ITP", "2025", "12.34", "days"), _figure("ITP", "2025", "15", "days", "pcc"), _figure("ITP", "2024", "20.5", "days"),
        _figure("ITP", "2025-Q4", "7", "days"), _figure("ITP", "2025-Q3", "9", "days", note="una nota"),
        _figure("CREDITORS", "2025-12-31", "1234", "creditors"), _figure("STOCK", "2025-12-31", "98765.4", "EUR"),
        _figure("FGDC_RATE", "2025", "5", "%"), _figure("FGDC_AMOUNT", "2025", "50000", "EUR"),
    ])  # fmt: skip
    for ente in ("alfa", "beta"):
        add_user(engine(settings), f"chi@{ente}.it", ente, "ente_user", ente, PASSWORD)
    with TestClient(create_app(settings)) as client:
        _sign_in(client, "chi@alfa.it")
        yield client


def _fund(settings: Settings, *, rate: str = "5", amount: str | None = "50000", base: str | None = "1000000") -> None:
    _add(settings, "fgdc_steps", [
        _step(1, "STOCK_SHARE", "98765.40", "40000.00", None), _step(2, "STOCK_REDUCTION", "98765.40", "60000.15", None),
        _step(3, "STOCK_DUTY", rate, None, rate), _step(4, "DELAY_DUTY", "12.34", None, "2"),
        _step(7, "FGDC_RATE", rate, None, rate), _step(8, "FGDC_AMOUNT", amount, base, rate),
    ])  # fmt: skip


def test_this_period_first_as_cards_then_periods_as_columns(desk: TestClient) -> None:
    page = desk.get("/indicatori").text
    cards = _text(page.split('class="desk-cards"')[1].split("</ul>")[0])
    assert "12,34 giorni 2025 · Secondo PCC: 15,00 giorni" in cards
    assert "1.234 31/12/2025" in cards and "1.234,00" not in cards and "98.765,40 €" in cards and "FGDC" not in cards
    assert 'href="/indicatori/ITP/2025"' in page and "/indicatori/ITP/2025-Q4?vista=right" in page
    heads = re.findall(r'<th scope="col" class="text-end">([^<]*)</th>', page.split('id="t-anni"')[1].split("</table>")[0])
    assert heads == ["2025", "2024", "IV trimestre 2025", "III trimestre 2025"]
    assert "12,34 giorni" not in _text(desk.get("/indicatori?vista=pcc").text.split('id="t-anni"')[1])
    assert desk.get("/indicatori?vista=x").status_code == 422


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({}, "Accantonare il 5,00 % di 1.000.000,00 €: 50.000,00 €."),
        ({"amount": None, "base": None}, "Accantonare il 5,00 % dello stanziamento, che non è ancora noto"),
        ({"rate": "0", "amount": "0"}, "Nulla da accantonare."),
    ],
)
def test_the_fund_is_told_as_a_decision(desk: TestClient, settings: Settings, how: dict[str, Any], words: str) -> None:
    assert "t-fondo" not in desk.get("/indicatori").text
    _fund(settings, **how)
    told = _text(desk.get("/indicatori").text.split('id="t-fondo"')[1].split("</section>")[0])
    assert words in told
    # 98 765.40 less the greater bound of 60 000.15.
    assert ("scendesse di 38.765,25 € , a 60.000,15 €" in told) == ("rate" not in how)


def _asked(desk: TestClient, ok: int = 200, **fields: str) -> str:
    given = {"csrf": _csrf(desk), "fino_al": "2026-12-31", "pagate_il": "2026-12-31", **fields}
    answer = desk.post("/indicatori/previsione", data=given)
    assert answer.status_code == ok, _text(answer.text)[-2000:]
    return answer.text


def test_what_would_avoid_the_fund(
    delivered: Installation, desk: TestClient, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As test_forecast: 1 000 due in four invoices, 50 allowed."""
    monkeypatch.setattr("portal.pages.figures.today", lambda: date(2026, 6, 1))
    shown = _text(_asked(desk).split('id="previsione"')[1])
    assert "Fatture da pagare : 4, in tutto 1.000,00 €" in shown.replace("pagare:", "pagare :")
    assert "Bastano" in shown and "limite 50,00 €" in shown
    assert "senza altri pagamenti 1.000,00 €" in shown and "con questi pagamenti 0,00 €" in shown
    # Up to 650 the oldest three are paid: 100, 200, 300.
    head, *paid = _asked(desk, al_massimo="650", file="csv").splitlines()
    assert head.startswith("id_documento,numero,creditor") and [line.split(",")[5:8] for line in paid] == [
        ["100.00", "100.00", "900.00"], ["200.00", "300.00", "700.00"], ["300.00", "600.00", "400.00"],
    ]  # fmt: skip
    assert not [name for name in delivered.store.list("models/alfa") if "forecast" in name]
    for wrong, why in (
        ({"pagate_il": "2027-01-01"}, "entro il giorno"), ({"fino_al": "2036-01-01"}, "troppo lontano"), ({"al_massimo": "tanto"}, "alert-danger"),
    ):  # fmt: skip
        assert why in _asked(desk, 400, **wrong)
    with whatif._alone(delivered, "alfa"):
        assert "altra previsione" in _asked(desk, 400)
    _sign_in(desk, "chi@beta.it")
    assert "consegnato nulla" in _asked(desk, 400)

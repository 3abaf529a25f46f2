"""At the desk: a delivery said to be complete for a span, and the provider's confirmation of what it takes away."""
# ruff: noqa: F401, F811 (the desk of test_portal)

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient
from test_portal import _csrf, _sign_in, desk
from test_portal_deliveries import OPEN, PAYMENTS, confirm, keys, landed

from pcc_pipeline.arrival.landing import land
from pcc_pipeline.installation import Installation
from pcc_pipeline.settings import Settings


def send(client: TestClient, content: bytes, kind: str, **said: str) -> str:
    data = {"csrf": _csrf(client), "kind": kind, **said}
    return client.post("/consegne", data=data, files=[("files", ("p.csv", content))]).text


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ({"completezza": "completo", "dal": "2025-01-01", "al": "2025-12-31"}, "p.whole.2025-01-01..2025-12-31.csv"),
        ({"completezza": "completo", "dal": "2025-01-01", "al": ""}, "p.whole.2025-01-01...csv"),
        ({"completezza": "novita", "dal": "2025-01-01", "al": ""}, "p.csv"),
        ({}, "p.csv"),
    ],
)
def test_what_the_sender_says_goes_with_the_file(desk: TestClient, settings: Settings, said: dict[str, str], name: str) -> None:
    _sign_in(desk, "chi@alfa.it")
    send(desk, PAYMENTS, "erp_payments", **said)
    assert landed(settings) == [f"alfa/erp_payments/{name}"]


def test_also_where_it_waits_and_only_where_the_kind_has_spans(desk: TestClient, settings: Settings) -> None:
    _sign_in(desk, "chi@alfa.it")
    said = {"completezza": "completo", "dal": "2025-01-01", "al": "2025-12-31"}
    (first,) = keys(send(desk, PAYMENTS, "auto", **said))
    confirm(desk, [first], ["erp_payments"])
    (second,) = keys(send(desk, OPEN, "auto", **said))
    confirm(desk, [second], ["open_list"])
    assert landed(settings) == ["alfa/erp_payments/p.whole.2025-01-01..2025-12-31.csv", "alfa/open_list/p.csv"]


def test_days_that_are_no_span_are_told(desk: TestClient, settings: Settings) -> None:
    _sign_in(desk, "chi@alfa.it")
    page = send(desk, PAYMENTS, "erp_payments", completezza="completo", dal="2025-12-31", al="2025-01-01")
    assert "non sono un periodo" in page and not landed(settings)
    assert (
        desk.post(
            "/consegne", data={"csrf": _csrf(desk), "completezza": "forse"}, files=[("files", ("p.csv", b"x"))]
        ).status_code
        == 422
    )


def test_the_provider_s_people_confirm(desk: TestClient, installation: Installation, settings: Settings) -> None:
    _sign_in(desk, "chi@alfa.it")
    send(desk, PAYMENTS, "erp_payments", completezza="completo", dal="2025-01-01", al="")
    (delivery,) = [item.delivery for item in land(installation, drain=True).new]
    page = desk.get(f"/consegne/{delivery}").text
    assert "Completa per il periodo" in page and "/conferma" not in page
    assert desk.post(f"/consegne/{delivery}/conferma", data={"csrf": _csrf(desk)}).status_code == 403
    _sign_in(desk, "operatore@fornitore.it")
    token = desk.get("/enti").text.split('name="csrf" value="')[1].split('"')[0]
    desk.post("/enti", data={"csrf": token, "ente": "alfa"})
    assert "/conferma" in desk.get(f"/consegne/{delivery}").text
    assert (
        "Confermata da operatore@fornitore.it" in desk.post(f"/consegne/{delivery}/conferma", data={"csrf": _csrf(desk)}).text
    )
    assert installation.register.confirmed("alfa") == {delivery: "operatore@fornitore.it"}
    assert desk.post("/consegne/0123456789abcdef/conferma", data={"csrf": _csrf(desk)}).status_code == 404

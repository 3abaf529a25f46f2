"""Questions at the desk: by kind, one answer for many, filters, attachments, what was answered and its undoing."""
# ruff: noqa: F811 (the desk of test_portal)

from __future__ import annotations

import re
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient
from test_portal import _csrf, _sign_in, _text, desk  # noqa: F401
from test_portal_next_step import _question

from pcc_pipeline.database.engine import engine
from pcc_pipeline.database.schema import table
from pcc_pipeline.review.pairs import snapshot
from pcc_pipeline.settings import Settings


def _answers(settings: Settings, **more: Any) -> list[dict[str, Any]]:
    t = table("answers")
    with engine(settings).connect() as connection:
        return [dict(row) for row in connection.execute(sa.select(t).order_by(t.c.decision)).mappings()]


def _standing(settings: Settings) -> set[tuple[str, str]]:
    rows = snapshot(engine(settings), "alfa")["decided_answers"].to_pylist()
    return {(row["id_documento"], row["answer"]) for row in rows}


@pytest.fixture
def asked(desk: TestClient, settings: Settings) -> TestClient:
    """alfa is asked of twelve documents whether they are still owed, of one about its office, of D1 about its amount."""
    for n in range(1, 13):
        _question(settings, "alfa", "NOT_ON_OPEN_LIST", f"L{n}", f"{n}00.10", creditor_name="ACME" if n == 3 else "Altri")
    _question(settings, "alfa", "WRONG_OFFICE", "U1", "0", numero="77/U")
    _question(settings, "beta", "NOT_ON_OPEN_LIST", "B1", "5")
    _sign_in(desk, "chi@alfa.it")
    return desk


def _post(client: TestClient, path: str = "/domande", ok: int = 200, files: Any = None, **fields: Any) -> str:
    answer = client.post(path, data={"csrf": _csrf(client), **fields}, files=files)
    assert answer.status_code == ok, answer.text[:3000]
    return _text(answer.text)


ALL = {"codice": "NOT_ON_OPEN_LIST", "effetto": "true", "quante": "12"}


def test_questions_stand_by_kind_and_amount_those_without_effect_apart(asked: TestClient) -> None:
    page = asked.get("/domande").text
    shown = _text(page)
    assert "da rispondere: 14" in shown and "Le risposte spostano fino a 7.811,20 € di stock" in shown
    assert shown.index("Fuori dall'elenco degli aperti: 12, spostano fino a 7.801,20 €".replace("'", "&#39;")) < shown.index(
        "Importo diverso: 1, spostano fino a 10,00 €"
    )
    assert '<details class="mb-3"><summary>Senza effetto sullo stock: 1</summary>' in page
    assert "L12" in page and "L2," not in shown  # the first ten of a kind
    whole = asked.get("/domande?tipo=NOT_ON_OPEN_LIST").text
    assert whole.count('name="scelta"') == 12 and "77/U" not in whole
    assert asked.get("/domande?cerca=acme").text.count('name="scelta"') == 1
    assert asked.get("/domande?importo=1.000,00").text.count('name="scelta"') == 3
    assert "B1" not in shown and asked.get("/domande?importo=poco").status_code == 400


def test_one_answer_for_all_of_a_kind(asked: TestClient, settings: Settings) -> None:
    assert "Nessuna" not in _text(asked.get("/domande").text).split("Fuori")[0]
    assert "domande sono cambiate" in _post(asked, ok=400, **{**ALL, "quante": "11"}, risposta_a_tutte="ANCORA_DOVUTA")
    assert "Risposte registrate: 12" in _post(asked, **ALL, risposta_a_tutte="ANCORA_DOVUTA")
    assert _standing(settings) == {(f"L{n}", "ANCORA_DOVUTA") for n in range(1, 13)}
    assert "da rispondere: 2" in _text(asked.get("/domande").text)
    # What was filtered is all that is answered.
    _question(settings, "alfa", "NOT_ON_OPEN_LIST", "M1", "1", creditor_name="Mele")
    _question(settings, "alfa", "NOT_ON_OPEN_LIST", "M2", "1", creditor_name="Pere")
    _post(asked, **{**ALL, "quante": "1"}, cerca="mele", risposta_a_tutte="NON_PIU_DOVUTA")
    assert {one for one in _standing(settings) if one[0].startswith("M")} == {("M1", "NON_PIU_DOVUTA")}


def test_ticked_questions_are_answered_and_wrong_ones_told(asked: TestClient, settings: Settings) -> None:
    ticked = ['["L1", null]', '["L2", null]']
    fields = {"codice": "NOT_ON_OPEN_LIST", "scelta": ticked}
    assert "fattura L1: CONTENZIOSO: manca la data" in _post(asked, ok=400, **fields, risposta="CONTENZIOSO")
    assert "nessuna domanda scelta" in _post(asked, ok=400, codice="NOT_ON_OPEN_LIST", risposta="NOTA", nota="x")
    assert "risponde solo alla domanda" in _post(asked, ok=400, **fields, risposta="NON_PIU_VALIDO")
    assert "Risposte registrate: 2" in _post(asked, **fields, risposta="CONTENZIOSO", dal="2025-01-01")
    (case,) = [path for path in settings.inbox.rglob("*") if path.is_file()]
    assert case.read_text().count("CONTENZIOSO") == 2
    _post(asked, ok=404, codice="NOT_ON_OPEN_LIST", scelta='["B1", null]', risposta="NOTA", nota="x")


def test_an_answer_bears_an_attachment_looked_at_like_a_delivery(asked: TestClient, settings: Settings) -> None:
    fields = {"codice": "WRONG_OFFICE", "scelta": '["U1", null]', "risposta": "NOTA", "nota": "vedi atto"}
    assert "non" in _post(asked, ok=400, files={"allegati": ("virus.exe", b"MZ\x90")}, **fields) and not _answers(settings)
    _post(asked, ok=400, files={"allegati": ("atto.pdf", b"no pdf")}, **fields)
    _post(asked, files={"allegati": ("atto.pdf", b"%PDF-1.7 segreto")}, **fields)
    page = asked.get("/domande?stato=answered").text
    (address,) = re.findall(r'href="(/domande/allegati/\d+)"', page)
    found = asked.get(address)
    assert found.content == b"%PDF-1.7 segreto" and "attachment" in found.headers["content-disposition"]
    _sign_in(asked, "chi@beta.it")
    assert asked.get(address).status_code == 404 and "atto.pdf" not in asked.get("/domande?stato=answered").text


def test_an_answer_is_undone_with_what_it_did(asked: TestClient, settings: Settings) -> None:
    """A special case is taken back by a file; said again, it is another content."""

    def delivered() -> list[str]:
        return sorted(path.read_text() for path in settings.inbox.rglob("*") if path.is_file())

    fields = {"codice": "NOT_ON_OPEN_LIST", "scelta": '["L1", null]', "risposta": "CONTENZIOSO", "dal": "2025-01-01"}
    _post(asked, **fields)
    number = _answers(settings)[-1]["decision"]
    assert f"/domande/{number}/annulla" in asked.get("/domande?stato=answered").text
    _sign_in(asked, "chi@beta.it")
    assert "non c'è" in _post(asked, f"/domande/{number}/annulla", ok=400).replace("&#39;", "'")
    _sign_in(asked, "chi@alfa.it")
    assert "Risposta annullata" in _post(asked, f"/domande/{number}/annulla")
    assert _standing(settings) == set() and len(_answers(settings)) == 2  # a further row
    assert len(delivered()) == 2 and f"2025-01-01;annullata la risposta {number};SI" in "".join(delivered())
    assert "non c'è più" in _post(asked, f"/domande/{number}/annulla", ok=400).replace("&#39;", "'")
    assert "L1" in asked.get("/domande?tipo=NOT_ON_OPEN_LIST").text
    _post(asked, **fields)
    assert len(set(delivered())) == 3 and "di nuovo" in "".join(delivered())


def test_decisions_that_an_answer_made_are_undone(asked: TestClient, settings: Settings) -> None:
    fields = {"codice": "AMOUNT_DIFFERS", "scelta": '["D1", "P1"]', "effetto": "true"}
    _post(asked, **fields, risposta="SEPARA")
    _post(asked, **fields, risposta="RIFIUTA", ok=404)  # answered: it is undone first

    def decided() -> tuple[list[str], list[str]]:
        found = snapshot(engine(settings), "alfa")
        return (
            [row["verdict"] for row in found["decided_match_decisions"].to_pylist()],
            [row["state"] for row in found["decided_operation_decisions"].to_pylist()],
        )

    assert decided() == (["split"], [])
    _post(asked, f"/domande/{_answers(settings)[-1]['decision']}/annulla")
    assert decided() == ([], [])
    _post(asked, **fields, risposta="RIFIUTA", nota="no")
    assert decided() == ([], ["refused"])
    number = _answers(settings)[-1]["decision"]
    sent = {
        "ente": "alfa", "operation_id": "op-alfa", "attempt": 1, "file": "f.csv", "line": 2, "sent_at": sa.func.now(),
        "model": "003", "step": 1, "azione": "CP",
    }  # fmt: skip
    with engine(settings).begin() as connection:
        connection.execute(sa.insert(table("sent_operations")).values(sent))
    assert "già stata inviata" in _post(asked, f"/domande/{number}/annulla", ok=400)
    assert decided()[1] == ["refused"] and len(_answers(settings)) == 3

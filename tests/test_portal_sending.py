"""File per PCC: the provider's people write the files of an ente, mark them, and see what became of each line."""
# ruff: noqa: F401, F811 (the desk of test_portal)

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient
from test_portal import PASSWORD, _csrf, _sign_in, desk
from typer.testing import CliRunner

from pcc_pipeline.cli import app
from pcc_pipeline.database.engine import engine
from pcc_pipeline.database.schema import table
from pcc_pipeline.installation import Installation
from pcc_pipeline.review.pairs import DecisionError
from pcc_pipeline.review.sending import SendingReport
from pcc_pipeline.review.uploads import standing_still, uploaded
from pcc_pipeline.service.alerts import still_files
from pcc_pipeline.settings import Settings

USER = "RSSMRA80A01H501U"
WRITTEN = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@pytest.fixture
def bind(settings: Settings) -> sa.Engine:
    return engine(settings)


def _written(bind: sa.Engine, installation: Installation, name: str, ente: str = "alfa", operations: int = 2) -> bytes:
    """A file as `send` registers it, with its operations."""
    import hashlib

    data = f"righe di {name}\r\n".encode()
    sha256 = hashlib.sha256(data).hexdigest()
    installation.store.write_bytes(f"sent/{ente}/{sha256[:2]}/{sha256}", data)
    installation.store.settle([f"sent/{ente}/{sha256[:2]}/{sha256}"])
    file = {
        "ente": ente,
        "file": name,
        "model": "003",
        "sha256": sha256,
        "size": len(data),
        "rows": operations,
        "sent_by": USER,
    }
    lines = [
        {
            "ente": ente, "operation_id": f"{name}-{n}", "attempt": 1, "file": name, "line": 7 + n, "model": "003",
            "sent_at": WRITTEN, "step": 1, "azione": "CO", "code": "NOT_BOOKED", "id_documento": f"D{n}",
            "numero_documento": f"FT {n}", "importo": 100,
        }
        for n in range(1, operations + 1)
    ]  # fmt: skip
    with bind.begin() as connection:
        connection.execute(sa.insert(table("model_files")), [{**file, "sent_at": WRITTEN}])
        connection.execute(sa.insert(table("sent_operations")), lines)
    return data


def _answered(bind: sa.Engine, name: str, number: int, state: str, ente: str = "alfa") -> None:
    row: dict[str, Any] = {
        "ente": ente, "operation_id": f"{name}-{number}", "attempt": 1, "file": name, "line": 7 + number, "sent_at": WRITTEN,
        "state": state, "overdue": False, "in_flight": state == "accepted",
        "answer_code": "E300" if state == "refused" else None, "reason": "conto vuoto" if state == "refused" else None,
    }  # fmt: skip
    with bind.begin() as connection:
        connection.execute(sa.insert(table("sent_states")), [row])


def _operator(desk: TestClient) -> None:
    _sign_in(desk, "operatore@fornitore.it")
    token = desk.get("/enti").text.split('name="csrf" value="')[1].split('"')[0]
    desk.post("/enti", data={"csrf": token, "ente": "alfa"})


def test_the_page_shows_the_files_and_only_the_provider_s_people_see_it(
    desk: TestClient, installation: Installation, bind: sa.Engine
) -> None:
    data = _written(bind, installation, "a.csv")
    _written(bind, installation, "b.csv", "beta")
    _answered(bind, "a.csv", 2, "refused")
    _sign_in(desk, "chi@alfa.it")
    assert desk.get("/file-pcc").status_code == 403
    assert "/file-pcc" not in desk.get("/").text
    _operator(desk)
    assert "/file-pcc" in desk.get("/").text
    page = desk.get("/file-pcc").text
    assert "a.csv" in page
    assert "b.csv" not in page
    assert "scritto, da caricare su PCC" in page
    assert 'name="kind" value="pcc_outcomes"' in page
    assert desk.get("/file-pcc/a.csv/scarica").content == data
    assert desk.get("/file-pcc/b.csv/scarica").status_code == 404
    lines = desk.get("/file-pcc/a.csv").text
    assert "E300 conto vuoto" in lines
    assert "rifiutata da PCC" in lines
    assert "inviata, senza risposta" in lines
    assert desk.get("/file-pcc/b.csv").status_code == 404


def test_marked_once_by_the_first_who_says_so(desk: TestClient, installation: Installation, bind: sa.Engine) -> None:
    _written(bind, installation, "a.csv")
    _written(bind, installation, "b.csv", "beta")
    _operator(desk)
    page = desk.post("/file-pcc/a.csv/caricato", data={"csrf": _csrf(desk)}).text
    assert "caricato, attende l&#39;esito" in page
    assert "operatore@fornitore.it" in page
    assert "/a.csv/caricato" not in page
    assert not uploaded(bind, "alfa", "a.csv", "Altri")
    assert desk.post("/file-pcc/b.csv/caricato", data={"csrf": _csrf(desk)}).status_code == 404
    with bind.connect() as connection:
        assert connection.execute(sa.text("select file, decided_by from pcc.model_uploads")).all() == [
            ("a.csv", "operatore@fornitore.it")
        ]
        assert connection.execute(
            sa.text("select detail from pcc.audit where action = 'model_file_uploaded'")
        ).scalars().all() == ["a.csv"]


def test_writing_is_the_engine_s_work(desk: TestClient, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """With nothing approved nothing is written; a name that is no fiscal code is told; what the engine reports is shown."""
    _operator(desk)
    given = {"csrf": _csrf(desk)}
    assert "non è un codice fiscale" in desk.post("/file-pcc", data={**given, "codice_fiscale": "NO"}).text
    page = desk.post("/file-pcc", data={**given, "codice_fiscale": USER})
    assert page.status_code == 200
    assert "File scritti: <strong>0</strong>" in page.text
    seen: list[tuple[str, str, Path]] = []

    def send(installation: Installation, ente: str, user: str, out: Path, **more: Any) -> SendingReport:
        seen.append((ente, user, out))
        return SendingReport(["a.csv"], 3)

    monkeypatch.setattr("portal.pages.sending.send", send)
    page = desk.post("/file-pcc", data={**given, "codice_fiscale": USER})
    assert "File scritti: <strong>1</strong>. Operazioni nei file: 3." in page.text
    assert seen == [("alfa", USER, settings.home / "outbox" / "alfa")]


def test_what_stands_still_is_an_alert(installation: Installation, bind: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("not_uploaded", "uploaded", "answered", "seen", "partly"):
        _written(bind, installation, name)
    for number, state in ((1, "accepted"), (2, "refused")):
        _answered(bind, "answered", number, state)
        _answered(bind, "seen", number, "done")
    _answered(bind, "partly", 1, "accepted")
    assert uploaded(bind, "alfa", "uploaded", "Anna")
    day = WRITTEN.date()
    assert standing_still(bind, day + timedelta(5), "alfa") == []
    still = [(kind, file["file"]) for kind, file in standing_still(bind, day + timedelta(11))]
    assert still == [("NOT_UPLOADED", "not_uploaded"), ("NOT_ANSWERED", "partly")]
    with bind.begin() as connection:
        connection.execute(sa.update(table("model_uploads")).values(decided_at=WRITTEN + timedelta(days=1)))
    assert [file["file"] for _, file in standing_still(bind, day + timedelta(11))] == ["not_uploaded", "partly"]
    monkeypatch.setattr("pcc_pipeline.service.alerts.today", lambda: day + timedelta(12))
    texts = {alert.key: alert.text for alert in still_files(bind, "alfa")}
    assert texts == {
        "FILE NOT_UPLOADED not_uploaded": "alfa: il file per PCC not_uploaded, scritto il 02/03/2026, non risulta caricato: "
        "caricarlo e segnarlo",
        "FILE NOT_ANSWERED partly": "alfa: del file partly, caricato su PCC il 02/03/2026, 1 righe su 2 non hanno esito: "
        "scaricare l'esito da PCC e consegnarlo",
        "FILE NOT_ANSWERED uploaded": "alfa: del file uploaded, caricato su PCC il 03/03/2026, 2 righe su 2 non hanno esito: "
        "scaricare l'esito da PCC e consegnarlo",
    }


def test_the_command(installation: Installation, bind: sa.Engine, settings: Settings) -> None:
    _written(bind, installation, "a.csv")

    def call(*words: str) -> tuple[int, str]:
        run = CliRunner().invoke(app, ["model", *words, "--ente", "alfa"], env={**settings.environment(), "COLUMNS": "250"})
        return run.exit_code, run.output

    assert call("uploaded", "a.csv", "--by", "Anna  Rossi") == (0, "a.csv: uploaded\n")
    assert "before" in call("uploaded", "a.csv", "--by", "Bruno")[1]
    assert call("uploaded", "b.csv", "--by", "Bruno")[0] == 1
    assert "anna" in call("list")[1]
    with pytest.raises(DecisionError):
        uploaded(bind, "alfa", "a.csv", " ")


def test_the_page_of_what_pcc_changed(desk: TestClient, bind: sa.Engine) -> None:
    row = {
        "ente": "alfa", "progressivo_registrazione": "P1", "id_documento": "D1", "field": "NOT_PAYABLE", "before": "0,00",
        "after": "300,00", "stock_effect": -300, "delivery_before": "d1", "received_before": WRITTEN, "delivery": "d2",
        "received_at": WRITTEN + timedelta(days=1),
    }  # fmt: skip
    with bind.begin() as connection:
        connection.execute(sa.insert(table("pcc_changes")), [row, {**row, "ente": "beta", "after": "SEGRETO"}])
    _sign_in(desk, "chi@alfa.it")
    page = desk.get("/cambiamenti-pcc").text
    assert "non liquidabile, importo" in page
    assert "-300,00" in page
    assert "SEGRETO" not in page

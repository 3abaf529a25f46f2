"""What is delivered at the desk is what the sender confirmed: uploads that wait, blank tables, deadlines ahead."""
# ruff: noqa: F401, F811 (the desk of test_portal)

from __future__ import annotations

import io
import os
import re
import time
import zipfile
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import python_calamine as calamine
import sqlalchemy as sa
import xlsxwriter
from fastapi.testclient import TestClient
from test_portal import PASSWORD, _csrf, _sign_in, desk

from pcc_pipeline.arrival.welcome import Unwelcome
from pcc_pipeline.clock import today
from pcc_pipeline.database.engine import engine
from pcc_pipeline.database.schema import table
from pcc_pipeline.settings import Settings
from portal import blanks, pending, uploads, words
from portal.accounts import add_user

PAYMENTS = b"id_documento;numero_mandato;data_pagamento;importo\nD1;M1;2025-12-31;10.50\nD2;M2;2025-12-30;molto\n"
OPEN = b"piva_fornitore;numero;data_emissione\n12345678903;1;2025-01-01\n"


def send(client: TestClient, *files: tuple[str, bytes], kind: str = "auto") -> str:
    return client.post("/consegne", data={"csrf": _csrf(client), "kind": kind}, files=[("files", file) for file in files]).text


def keys(page: str) -> list[str]:
    return re.findall(r'name="chiave" value="([0-9a-f]{32})"', page)


def confirm(client: TestClient, asked: list[str], kinds: list[str]) -> str:
    return client.post("/consegne/conferma", data={"csrf": _csrf(client), "chiave": asked, "tipo": kinds}).text


def landed(settings: Settings) -> list[str]:
    return sorted(path.relative_to(settings.inbox).as_posix() for path in settings.inbox.rglob("*") if path.is_file())


def test_nothing_goes_to_the_inbox_before_it_is_confirmed(desk: TestClient, settings: Settings) -> None:
    _sign_in(desk, "chi@alfa.it")
    page = send(desk, ("pagamenti.csv", PAYMENTS), ("aperte.csv", OPEN), ("boh.csv", b"a;b\n1;2\n"))
    assert not landed(settings)
    assert (
        "Pagamenti del gestionale: 1 righe leggibili, 1 rifiutate" in page
        and "restare aperti: 1 righe leggibili" in page
        and "Non si riconosce" in page
    )
    assert keys(desk.get("/consegne").text) == keys(page)  # still asked after going away
    first, second, third = keys(page)
    page = confirm(desk, [first, second, third], ["erp_payments", "special_cases", ""])  # the second corrected, the third left
    assert landed(settings) == ["alfa/erp_payments/pagamenti.csv", "alfa/special_cases/aperte.csv"]
    assert "molto" in page and keys(page) == [third]
    assert (settings.inbox / "alfa/erp_payments/pagamenti.csv").read_bytes() == PAYMENTS
    assert "tolto, non consegnato" in confirm(desk, [third], ["-"]) and len(landed(settings)) == 2
    assert "non è più in attesa" in confirm(desk, [first], ["erp_payments"]) and len(landed(settings)) == 2
    assert [path.name for path in (settings.home / "uploads").rglob("*") if path.is_file()] == [".lock"]
    with engine(settings).connect() as connection:
        query = sa.text("select action, count(*) from pcc.audit where action like 'upload%' group by 1 order by 1")
        assert [tuple(row) for row in connection.execute(query)] == [("upload", 2), ("upload_dropped", 1), ("upload_waits", 3)]


def test_a_plain_user_of_an_ente_delivers(desk: TestClient, settings: Settings) -> None:
    add_user(engine(settings), "piano@alfa.it", "Piano", "ente_user", "alfa", PASSWORD)
    _sign_in(desk, "piano@alfa.it")
    assert "consegnato come" in send(desk, ("pagamenti.csv", PAYMENTS), kind="erp_payments")


def test_a_kind_that_is_said_and_fits_is_taken_at_once_another_is_asked(desk: TestClient, settings: Settings) -> None:
    _sign_in(desk, "chi@alfa.it")
    assert "consegnato come" in send(desk, ("pagamenti.csv", PAYMENTS), kind="erp_payments")
    assert landed(settings) == ["alfa/erp_payments/pagamenti.csv"]
    page = send(desk, ("pagamenti.csv", PAYMENTS), kind="open_list")
    assert (
        "Indicato come Elenco dei documenti" in page
        and "Pagamenti del gestionale: 1 righe" in page
        and len(landed(settings)) == 1
    )
    assert "consegnato come" in send(
        desk, ("niente.csv", PAYMENTS.splitlines(True)[0]), kind="erp_payments"
    )  # a header alone fits


def test_what_waits_is_its_sender_s_alone(desk: TestClient, settings: Settings) -> None:
    add_user(engine(settings), "altri@alfa.it", "Altri", "ente_user", "alfa", PASSWORD)
    _sign_in(desk, "chi@alfa.it")
    (key,) = keys(send(desk, ("pagamenti.csv", PAYMENTS)))
    for other in ("altri@alfa.it", "chi@beta.it", "operatore@fornitore.it"):
        _sign_in(desk, other)
        if other.startswith("operatore"):
            token = desk.get("/enti").text.split('name="csrf" value="')[1].split('"')[0]
            desk.post("/enti", data={"csrf": token, "ente": "alfa"})
        assert not keys(desk.get("/consegne").text), other
        for tried in (key, f"../u1/{key}", ".", "../../alfa"):
            assert "non è più in attesa" in confirm(desk, [tried], ["erp_payments"])
    _sign_in(desk, "chi@alfa.it")
    assert desk.post("/consegne/conferma", data={"csrf": "guessed", "chiave": key, "tipo": "erp_payments"}).status_code == 403
    for wrong in ("enti", "../../x", "probes"):
        assert desk.post("/consegne/conferma", data={"csrf": _csrf(desk), "chiave": key, "tipo": wrong}).status_code == 422
    assert not landed(settings) and keys(desk.get("/consegne").text) == [key]


def test_what_nobody_confirms_goes_after_a_day(desk: TestClient, settings: Settings) -> None:
    _sign_in(desk, "chi@alfa.it")
    (key,) = keys(send(desk, ("pagamenti.csv", PAYMENTS)))
    (folder,) = (settings.home / "uploads" / "alfa" / "attesa").glob(f"u*/{key}")
    old = time.time() - pending.KEPT_SECONDS - 1
    os.utime(folder, (old, old))
    assert not keys(desk.get("/consegne").text)
    assert "non è più in attesa" in confirm(desk, [key], ["erp_payments"])
    send(desk, ("altro.csv", PAYMENTS))
    assert not folder.exists() and not landed(settings)


def test_a_large_table_is_recognised_by_its_beginning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "grande.csv"
    path.write_bytes(PAYMENTS + b"D3;M3;2025-12-31;10.50\n" * 1000)
    monkeypatch.setattr(uploads, "READ_AT_ONCE", 10_000)
    monkeypatch.setattr(uploads, "FIRST_PART", len(PAYMENTS) + 10)  # ends within a line
    assert uploads.candidates(path) == [uploads.Candidate("erp_payments", 1, 1)]


@pytest.mark.parametrize("kind", blanks.TABLES)
def test_a_blank_table_filled_in_can_be_delivered(desk: TestClient, settings: Settings, kind: str) -> None:
    _sign_in(desk, "chi@alfa.it")
    answer = desk.get(f"/modelli/{kind}.xlsx")
    assert answer.status_code == 200 and "attachment" in answer.headers["content-disposition"]
    book = calamine.CalamineWorkbook.from_filelike(io.BytesIO(answer.content))
    assert book.sheet_names == [kind, "Istruzioni"]
    (header,) = book.get_sheet_by_name(kind).to_python()
    legend = book.get_sheet_by_name("Istruzioni").to_python()
    assert [row[0] for row in legend[1:]] == header and all(row[1] and row[2] for row in legend)
    assert desk.get(f"/modelli/{kind}.csv").text.lstrip("\ufeff").strip().split(";") == header

    # Filled in as a person would: the examples of the second sheet, typed into the first.
    filled = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(answer.content)) as before, zipfile.ZipFile(filled, "w", zipfile.ZIP_DEFLATED) as after:
        cells = "".join(
            f'<c r="{_letters(n)}2" t="inlineStr"><is><t>{row[5]}</t></is></c>' for n, row in enumerate(legend[1:]) if row[5]
        )
        for name in before.namelist():
            data = before.read(name)
            if name == "xl/worksheets/sheet1.xml":
                data = data.replace(b"</sheetData>", f'<row r="2">{cells}</row></sheetData>'.encode())
            after.writestr(name, data)
    page = send(desk, (f"{kind}.xlsx", filled.getvalue()), kind=kind)
    assert f"{words.label(f'FEED.{kind}')}: 1 righe leggibili, 0 rifiutate" in page, re.findall(
        r"<tbody>.*?</tbody>", page, re.S
    )[:1]
    assert landed(settings) == [f"alfa/{kind}/{kind}.xlsx"]


def _letters(number: int) -> str:
    return (chr(64 + number // 26) if number >= 26 else "") + chr(65 + number % 26)


def test_blank_tables_speak_english_and_are_of_known_kinds(desk: TestClient) -> None:
    _sign_in(desk, "chi@alfa.it")
    desk.cookies.set("lingua", "en")
    book = calamine.CalamineWorkbook.from_filelike(io.BytesIO(desk.get("/modelli/open_list.xlsx").content))
    assert "Invoice number" in str(book.get_sheet_by_name("Instructions").to_python())
    for kind in ("enti", "sdi_invoices", "users"):
        assert desk.get(f"/modelli/{kind}.xlsx").status_code == 404


def test_deadlines_ahead_stand_above_the_deliveries(desk: TestClient, settings: Settings) -> None:
    now, d = today(), table("deadlines")

    def duty(words: str, days: int, ente: str = "alfa", **more: object) -> dict[str, object]:
        values = {"ente": ente, "duty": words, "due_on": now + timedelta(days=days), "concerns_day": date(2025, 12, 31), "words": words,
                  "source": "L. 145/2018", "met_by": None, "delivered_on": None, "every": "YEAR", "owed": True}  # fmt: skip
        return values | more

    rows = [
        duty("Presto", 3, met_by="delivery:open_list"), duty("Consegnato", 5, met_by="delivery:budgets", delivered_on=now),
        duty("Tardi", -2, met_by="delivery:open_list"), duty("Pubblicato", 9, met_by="publication"), duty("Lontano", 200),
        duty("Altrui", 3, "beta"), duty("Fatto da tempo", -20, met_by="delivery:budgets", delivered_on=now - timedelta(days=25)),
    ]  # fmt: skip
    with engine(settings).begin() as connection:
        connection.execute(sa.delete(d))
        for row in rows:
            connection.execute(sa.insert(d), row)
    _sign_in(desk, "chi@alfa.it")
    page = " ".join(re.sub(r"<[^>]+>", " ", desk.get("/consegne").text).split())
    assert (
        "Presto giorni che mancano: 3" in page
        and f"Consegnato fatto il {now:%d/%m/%Y}" in page
        and "Tardi in ritardo, giorni: 2" in page
    )
    assert "Pubblicato fatto il" in page
    assert not {"Lontano", "Altrui", "Fatto da tempo"} & set(re.findall(r"Lontano|Altrui|Fatto da tempo", page))


def test_pieces_and_whole_files_share_one_room(
    desk: TestClient, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "QUOTA", 1000)
    _sign_in(desk, "chi@alfa.it")
    unread = settings.inbox / "alfa" / "open_list" / "a.csv"
    unread.parent.mkdir(parents=True)
    unread.write_bytes(b"x" * 600)

    def begin(size: int) -> str:
        return desk.post("/consegne/parti", data={"csrf": _csrf(desk), "name": "grande.csv", "size": size}).text

    assert "Troppi file in attesa di lettura" in begin(401)
    assert "key" in begin(400)
    settings.home.joinpath("uploads", "alfa", "altro.part").write_bytes(b"x" * 300)
    assert 0 < uploads.room(settings, "alfa") <= 100  # what is noted of the transfer counts, too
    with pytest.raises(Unwelcome, match="Troppi file"):
        uploads.receive(io.BytesIO(b"x" * 101), tmp_path / "b.csv", uploads.room(settings, "alfa"))
    assert "Troppi file in attesa di lettura" in begin(101)

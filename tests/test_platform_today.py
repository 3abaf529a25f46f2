"""The double of today's PCC itself: the sample rows of docs/formats.md#area-rgs-rows one by one, and every refusal."""

from __future__ import annotations

import csv
import io
from datetime import date
from decimal import Decimal
from typing import Any
from zipfile import ZipFile

import pytest
from platform_format import AMOUNTS, PAYMENTS, Form, Malformed, header, written
from platform_today import Document, Platform

TODAY = date(2026, 1, 20)
USER = "RSSMRA80A01H501U"
SAMPLES = {
    "S1": ";9990001234;12/PA;;;;SID;;;0.00;0.00;;800.00;03/11/2025;0.00;;0.00;;;;;;",
    "S2": ";9990001234;12/PA;;;;SID;;;0.00;0.00;;0.00;;0.00;;0.00;;;;;;",
    "S3": ";9990001234;12/PA;;;;SID;;;0.00;1220.00;15/09/2025;0.00;;0.00;;0.00;;;;;;",
    "S4": ";9990001234;12/PA;;;;SID;;;0.00;0.00;;200.00;03/11/2025;0.00;;100.00;;;;;;",
    "S5": ";9990001234;12/PA;;;;SID;;;0.00;0.00;;0.00;;0.00;;1220.00;;;;;;",
    "S6": ";9990001234;12/PA;;;;SID;;;500.00;0.00;;0.00;;0.00;;0.00;;;;;;",
    "S7": ";9990001234;12/PA;;;;SID;;;0.00;0.00;;0.00;;0.00;;150.00;;;;;;",
    "S8": ";9990004321;NC3/2025;;;;SID;;;0.00;0.00;;0.00;;0.00;;150.00;;;;;;",
    "S9": ";;77;10/04/2025;99999999982;UFXX01;SID;;;0.00;0.00;;0.00;;300.00;20/05/2025;0.00;;;;;;",
    "C1": ";9990007777;12/PA;;;;CH;;;;;;;;;;;;;;;;",
    "R1": ";9990001234;12/PA;;;;RF;;;;;;;;;;;;28/10/2025;;;;",
    "R2": ";9990001234;12/PA;;;;RC;;;;;;;;;;;;13/10/2025;4711;;;",
    "D1": ";9990001234;12/PA;;;;CS;;;;;;;;;;;;12/11/2025;;;;",
    "M1": ";9990001234;12/PA;;;;MI;;;;;;;;;;;S;;;;;",
    "T1": "100000001;;;;;;RT;;;;;;;;;;;;;;;;",
    "T2": "100000001;;;;;;RS;;;;;;;;;;;;;;;;",
    "P1": ";9990001234;12/PA;;;;IP;;C;1220.00;CO;458;18/12/2025;IT99999999990;NA;NA;;;;;;",
    "P2": ";9990001234;12/PA;;;;IP;;C;1000.00;CA;459;18/12/2025;IT99999999990;Z000000000;NA;;;15;;;",
    "P3": ";;77;10/04/2025;99999999982;UFXX01;IP;;NC;300.00;CO;460;18/12/2025;IT99999999982;NA;NA;;;;;;",
    "P4": ";9990001234;12/PA;;;;IP;;C;1220.00;CO;461;18/12/2025;IT99999999974;NA;NA;;;;;;",
}


def _feed_row(
    key: str, lot: str | None, number: str, total: str = "1220.00", vat: str = "220.00", **more: Any
) -> dict[str, Any]:
    return {
        "progressivo_registrazione": key, "lotto_sdi": lot, "codice_ufficio": "UFXX01", "cf_fornitore": "99999999990",
        "tipo_documento": "TD01", "numero_documento": number, "data_emissione": date(2025, 9, 10),
        "data_ricezione": date(2025, 10, 13), "importo_totale": Decimal(total), "totale_imposta": Decimal(vat),
        "importo_imponibile": Decimal(total) - Decimal(vat), "split_payment": False, "stato_documento": "RICEVUTO",
        "data_scadenza": date(2025, 11, 30), **more,
    }  # fmt: skip


@pytest.fixture
def platform() -> Platform:
    rows = [
        _feed_row("100000001", "9990001234", "12/PA"),
        _feed_row("100000002", "9990007777", "12/PA"),
        _feed_row("100000003", "9990004321", "NC3/2025", "150.00", "27.05", tipo_documento="TD04"),
        _feed_row("100000004", None, "77", "800.00", "0.00", cf_fornitore="99999999982", data_emissione=date(2025, 4, 10)),
    ]
    return Platform.of(rows, TODAY)


def _file(*lines: str, form: Form = AMOUNTS) -> bytes:
    return (written(header(form, USER)) + "".join(f"{line}\r\n" for line in lines)).encode("cp1252")


def _take(platform: Platform, *lines: str) -> list[tuple[str, str]]:
    """Uploads the lines, those of payments in their own file; returns the answers."""
    platform.answered.clear()
    for form in (AMOUNTS, PAYMENTS):
        if of_form := [line for line in lines if line.count(";") == len(form.columns)]:
            platform.upload(_file(*of_form, form=form))
    return list(platform.answered)


def _the(platform: Platform, key: str = "100000001") -> Document:
    return platform.documents[key]


def test_every_sample_is_complete_in_its_cells() -> None:
    assert {label: line.count(";") for label, line in SAMPLES.items()} == {
        label: 21 if label.startswith("P") else 22 for label in SAMPLES
    }


@pytest.mark.parametrize(
    ("label", "key", "before", "effect"),
    [
        ("S1", "100000001", (), "-800.00"),
        ("S2", "100000001", (), "0.00"),
        ("S2", "100000001", ("S1",), "800.00"),
        ("S3", "100000001", (), "-1220.00"),
        ("S4", "100000001", (), "-300.00"),
        ("S5", "100000001", (), "-1220.00"),
        ("S6", "100000001", (), "-500.00"),
        ("S7", "100000001", (), "-150.00"),
        ("S8", "100000003", (), "-150.00"),
        ("S9", "100000004", (), "-300.00"),
        ("C1", "100000002", (), "-1220.00"),
        ("D1", "100000001", (), "0.00"),
        ("M1", "100000001", (), "-220.00"),
        ("P1", "100000001", (), "-1220.00"),
        ("P2", "100000001", ("M1",), "-1000.00"),
        ("P3", "100000004", (), "-300.00"),
        ("P4", "100000001", (), "-1220.00"),
    ],
)
def test_a_sample_moves_what_is_payable(platform: Platform, label: str, key: str, before: tuple[str, ...], effect: str) -> None:
    for earlier in before:
        assert _take(platform, SAMPLES[earlier]) == [("", "")]
    payable = _the(platform, key).payable
    assert _take(platform, SAMPLES[label]) == [("", "")]
    assert _the(platform, key).payable - payable == Decimal(effect)


def test_sid_sets_and_does_not_add(platform: Platform) -> None:
    assert _take(platform, SAMPLES["S4"]) == [("", "")]
    document = _the(platform)
    assert (document.suspended["contestazione"], document.starts["contestazione"]) == (Decimal(200), date(2025, 11, 3))
    assert document.not_payable == 100
    assert _take(platform, SAMPLES["S3"]) == [("", "")]
    assert document.suspended == {"contenzioso": Decimal(1220), "contestazione": 0, "verifica": 0}
    assert document.starts == {"contenzioso": date(2025, 9, 15), "contestazione": None, "verifica": None}
    assert document.not_payable == document.payable == 0


def test_states_after_the_other_samples(platform: Platform) -> None:
    _the(platform).row["stato_documento"] = "PRESENTATO"
    assert _take(platform, SAMPLES["R2"]) == [("", "")]
    assert _the(platform).state == "RICEVUTO"
    assert (_the(platform).row["data_ricezione"], _the(platform).row["numero_protocollo"]) == (date(2025, 10, 13), "4711")
    assert _take(platform, SAMPLES["D1"], SAMPLES["M1"]) == [("", "")] * 2
    assert _the(platform).row["data_scadenza"] == date(2025, 11, 12)
    assert _the(platform).commercial == 1000
    assert _take(platform, SAMPLES["P2"]) == [("", "")]
    assert _the(platform).payments[0].days == 15
    assert _the(platform).state == "PAGATO"
    assert _take(platform, SAMPLES["T1"]) == [("", "")]
    assert (_the(platform).payable, _the(platform).payments) == (Decimal(1220), [])
    assert _the(platform).row["data_scadenza"] == date(2025, 11, 30)
    assert _take(platform, SAMPLES["R1"]) == [("", "")]
    assert _the(platform).state == "RIFIUTATO"


def test_a_closed_document_is_restored(platform: Platform) -> None:
    close = SAMPLES["C1"].replace("9990007777", "9990001234")
    assert _take(platform, close) == [("", "")]
    assert _take(platform, SAMPLES["S1"])[0][0] == "E011"
    assert _take(platform, SAMPLES["T2"]) == [("", "")]
    assert _the(platform).payable == 1220


def test_vat_paid_to_the_treasury_is_no_debt_to_the_supplier(platform: Platform) -> None:
    vat = SAMPLES["P1"].replace("1220.00", "220.00")[: -len(";;;;;;")] + ";;S;;;;"
    assert _take(platform, vat)[0][0] == "E059"
    assert _take(platform, SAMPLES["M1"], vat) == [("", "")] * 2
    assert _the(platform).payable == 1000
    assert _take(platform, vat.replace("458", "459"))[0][0] == "E060"


def test_a_non_commercial_payment_uses_up_what_was_set(platform: Platform) -> None:
    whole = SAMPLES["S9"].replace("SID;;;0.00;0.00;;0.00;;300.00;20/05/2025", "SID;;;800.00;0.00;;0.00;;0.00;")
    assert _take(platform, whole, SAMPLES["P3"]) == [("", "")] * 2
    document = _the(platform, "100000004")
    assert (document.non_commercial, document.paid("NC"), document.payable) == (Decimal(500), Decimal(300), 0)


_S1, _P1 = SAMPLES["S1"], SAMPLES["P1"]


@pytest.mark.parametrize(
    ("code", "lines"),
    [
        ("E001", [_S1.replace("0.00;0.00;;800.00", ";0.00;;800.00")]),
        ("E001", [SAMPLES["M1"].replace(";S;;;;;", ";;;;;;")]),
        ("E001", [SAMPLES["D1"].replace("12/11/2025", "")]),
        ("E001", [_P1.replace(";NA;NA;", ";;NA;")]),
        ("E001", [_P1.replace(";458;", ";;")]),
        ("E002", [_S1.replace("SID", "CO")]),
        ("E002", [_P1.replace("IP", "SID")]),
        ("E003", ["100000001" + _S1]),
        ("E003", [_S1.replace("9990001234", "LOTTO")]),
        ("E003", [_S1.replace(";9990001234;12/PA", ";9990001234;")]),
        ("E003", [SAMPLES["S9"].replace("UFXX01", "uf")]),
        ("E004", [SAMPLES["C1"].replace("CH;;;", "CH;;;0.00")]),
        ("E004", [_S1.replace(";0.00;;;;;;", ";0.00;S;;;;;")]),
        ("E004", [SAMPLES["D1"].replace("12/11/2025;", "12/11/2025;9")]),
        ("E005", [_S1[:-2] + "OK;;"]),
        ("E010", [_S1.replace("12/PA", "12/pa")]),
        ("E010", [_S1.replace("9990001234", "9990001235")]),
        ("E020", [SAMPLES["R2"]]),
        ("E021", [_S1, SAMPLES["R1"]]),
        ("E023", [_P1, SAMPLES["C1"].replace("9990007777", "9990001234")]),
        ("E024", [SAMPLES["T2"]]),
        ("E011", [SAMPLES["R1"], _S1]),
        ("E031", [_S1.replace("SID;;;", "SID;999.00;220.00;")]),
        ("E032", [_S1.replace("03/11/2025", "")]),
        ("E032", [SAMPLES["S2"].replace("0.00;;0.00;;0.00;;0.00", "0.00;;0.00;03/11/2025;0.00;;0.00")]),
        ("E033", [_S1.replace("03/11/2025", "21/01/2026")]),
        ("E033", [_P1.replace("18/12/2025", "21/01/2026")]),
        ("E034", [_S1.replace("800.00", "1220.01")]),
        ("E035", [_P1.replace("1220.00", "1000.00"), _S1]),
        ("E036", [SAMPLES["M1"].replace(";S;;;;;", ";SI;;;;;")]),
        ("E037", [SAMPLES["S3"], SAMPLES["M1"]]),
        ("E038", [SAMPLES["D1"].replace("12/11/2025", "09/09/2025")]),
        ("E040", [_S1, SAMPLES["S2"]]),
        ("E041", [SAMPLES["M1"], _S1]),
        ("E004", [_P1.replace("IP;;", "IP;7;")]),
        ("E051", [_P1.replace(";C;", ";X;")]),
        ("E052", [_P1.replace(";CO;", ";NA;")]),
        ("E053", [_P1[: -len(";;;;;;")] + ";S;;;;;"]),
        ("E054", [_P1[: -len(";;;;;;")] + ";;;1,5;;;"]),
        ("E055", [_P1.replace("458", "4" * 101)]),
        ("E056", [_P1.replace("IT99999999990", "99999999990")]),
        ("E057", [_P1.replace(";NA;NA;", ";NO;NA;")]),
        ("E058", [_P1.replace("1220.00", "200.00"), _P1.replace("1220.00", "300.00")]),
        ("E060", [_P1.replace("1220.00", "1220.01")]),
        ("E100", [_S1.replace("03/11/2025", "2025-11-03")]),
        ("E100", [_S1.replace("03/11/2025", "31/11/2025")]),
        ("E101", [_S1.replace("800.00", "800,00")]),
        ("E101", [_S1.replace("800.00", "-800.00")]),
        ("E101", [_S1.replace("800.00", "800")]),
        ("E102", [_P1.replace("1220.00", "0.00")]),
    ],
)  # fmt: skip
def test_refused(platform: Platform, code: str, lines: list[str]) -> None:
    apart = code in ("E021", "E023", "E035", "E011", "E037") or ";IP;" in lines[0]
    answers = [answer for line in lines for answer in _take(platform, line)] if apart else _take(platform, *lines)
    assert [answer[0] for answer in answers] == [""] * (len(lines) - 1) + [code]


def test_what_was_not_received_takes_nothing_else(platform: Platform) -> None:
    _the(platform).row["stato_documento"] = "PRESENTATO"
    for label in ("S1", "D1", "M1", "P1"):
        assert _take(platform, SAMPLES[label])[0][0] == "E022"


def test_a_document_of_taxable_zero_and_one_found_twice(platform: Platform) -> None:
    _the(platform).row["importo_imponibile"] = Decimal(0)
    assert _take(platform, SAMPLES["S2"])[0][0] == "E030"
    _the(platform, "100000002").row["lotto_sdi"] = "9990001234"
    assert _take(platform, SAMPLES["S2"])[0] == ("E010", "documento non univoco")


def test_a_refused_row_changes_nothing_and_the_rest_goes_on(platform: Platform) -> None:
    platform.whim = lambda row: ("X1", "no") if row["azione"] == "CS" else None
    assert _take(platform, SAMPLES["D1"], SAMPLES["S1"]) == [("X1", "no"), ("", "")]
    assert _the(platform).row["data_scadenza"] == date(2025, 11, 30)


_GOOD = _file(_S1).decode("cp1252")


@pytest.mark.parametrize(
    "data",
    [
        _GOOD.encode(),
        b"\xef\xbb\xbf" + _GOOD.encode("cp1252"),
        _GOOD.replace("\r\n", "\n").encode("cp1252"),
        _GOOD.replace("Importo non commerciale*", "Importo non commerciale").encode("cp1252"),
        _GOOD.replace("IDENTIFICATIVO 2 ", "IDENTIFICATIVO 2").encode("cp1252"),
        _GOOD.replace("GESTIONE IMPORTI DOCUMENTI", "GESTIONE IMPORTI").encode("cp1252"),
        _GOOD.replace("modello;1", "modello;2").encode("cp1252"),
        _GOOD.replace(USER, "00488410010").encode("cp1252"),
        _GOOD.replace(";SID;", ';"SID";').encode("cp1252"),
        _GOOD.replace(_S1, _S1[:-1]).encode("cp1252"),
        _GOOD.replace(_S1, _S1 + ";").encode("cp1252"),
        _GOOD.replace(_S1, _S1 + "X").encode("cp1252"),
        _GOOD.removesuffix("\r\n").encode("cp1252"),
        _file(),
        _GOOD[2:].encode("cp1252"),
        _file(_P1).replace(b"GESTIONE IMPORTI DOCUMENTI", b"GESTIONE PAGAMENTI"),
    ],
)
def test_malformed(platform: Platform, data: bytes) -> None:
    with pytest.raises(Malformed):
        platform.upload(data)
    assert not platform.answered


def test_answers_in_the_dialects(platform: Platform) -> None:
    platform.praise = ("", "OK")
    lines = _file(SAMPLES["S1"], SAMPLES["M1"].replace("12/PA", "no"))
    answered = platform.upload(lines).decode("cp1252").split("\r\n")
    assert answered[8] == SAMPLES["S1"][:-1] + "OK;"
    assert answered[9].endswith("S;;;E010;documento non trovato;")
    text = platform.upload(lines, "sigla").decode()
    assert "\r" not in text
    # Eight header rows and five bare line breaks.
    rows = list(csv.reader(io.StringIO(text), delimiter=";"))
    assert [row[6] for row in rows[13:]] == ["SID", "MI"]
    assert rows[13][12] == "800,00"
    assert len(rows[13]) == 58
    with ZipFile(io.BytesIO(platform.upload(lines, "xlsx"))) as book:
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
    assert '<row r="9"' in sheet
    assert '<row r="8"' in sheet


def test_the_feed_shows_the_state(platform: Platform) -> None:
    assert _take(platform, SAMPLES["S4"], SAMPLES["P1"].replace("1220.00", "900.00")) == [("", "")] * 2
    rows = list(csv.DictReader(io.StringIO(platform.invoices_csv().decode()), delimiter=";"))
    first = rows[0]
    told = {name: text for name, text in first.items() if text and name.startswith(("importo_", "data_sospensione"))}
    assert told == {
        "importo_totale": "1220.00", "importo_imponibile": "1000.00", "importo_liquidato": "0", "importo_sospeso": "200.00",
        "importo_sospeso_contenzioso": "0.00", "importo_sospeso_contestazione": "200.00", "importo_sospeso_verifica": "0.00",
        "data_sospensione_contestazione": "2025-11-03", "importo_non_liquidabile": "100.00", "importo_pagato": "900.00",
        "importo_pagato_non_commerciale": "0", "importo_non_commerciale": "0.00",
    }  # fmt: skip
    again = Platform.of([_typed(row) for row in rows], TODAY)
    assert again.documents["100000001"].payable == _the(platform).payable
    (payment,) = csv.DictReader(io.StringIO(platform.operations_csv().decode()), delimiter=";")
    assert (payment["azione"], payment["importo"], payment["numero_mandato"]) == ("CP", "900.00", "458")


def _typed(row: dict[str, str]) -> dict[str, Any]:
    money = ("importo_", "totale_imposta")
    return {
        name: None
        if not text
        else Decimal(text)
        if name.startswith(money)
        else text == "SI"
        if name == "split_payment"
        else text
        for name, text in row.items()
    }

"""Today's models of PCC (Area RGS): exact bytes, what comes back of both public dialects, and each error by its cell."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from opi_flows import Lists
from typer.testing import CliRunner

from pcc_pipeline.cli import app
from pcc_pipeline.formats import parse
from pcc_pipeline.formats.pcc import area
from pcc_pipeline.formats.pcc.check import check
from pcc_pipeline.formats.source import Source

USER = "RSSMRA80A01H501U"
ON = date(2026, 1, 20)
A, B = "area_rgs_importi", "area_rgs_pagamenti"

INVOICE: dict[str, Any] = {"model": A, "identificativo": 2, "lotto": "9990001234", "numero_documento": "12/PA"}
OUTSIDE: dict[str, Any] = {
    "identificativo": 3, "numero_documento": "77", "data_emissione": date(2025, 4, 10), "cf_fornitore": "99999999982",
    "codice_ufficio": "UFXX01",
}  # fmt: skip
NOTHING = {
    "azione": "SID", "importo_non_commerciale": Decimal(0), "importo_sospeso_contenzioso": Decimal(0),
    "importo_sospeso_contestazione": Decimal(0), "importo_sospeso_verifica": Decimal(0), "importo_non_liquidabile": Decimal(0),
}  # fmt: skip
PAID = {
    "model": B, "azione": "IP", "tipo_debito": "C", "natura_spesa": "CO", "data_mandato": date(2025, 12, 18), "cig": "NA",
    "cup": "NA", "id_fiscale_beneficiario": "IT99999999990", "importo": Decimal("1220"),
}  # fmt: skip


def sid(start: dict[str, Any] = INVOICE, **amounts: Any) -> dict[str, Any]:
    return {**start, "model": A, **NOTHING, **{k: Decimal(v) if isinstance(v, int) else v for k, v in amounts.items()}}


#: An operation and its line, written by hand from docs/formats.md#area-rgs-rows.
LINES: dict[str, tuple[dict[str, Any], str]] = {
    "S1": (
        sid(importo_sospeso_contestazione=800, data_sospensione_contestazione=date(2025, 11, 3)),
        ";9990001234;12/PA;;;;SID;;;0.00;0.00;;800.00;03/11/2025;0.00;;0.00;;;;;;",
    ),
    "S2": (sid(), ";9990001234;12/PA;;;;SID;;;0.00;0.00;;0.00;;0.00;;0.00;;;;;;"),
    "S3": (
        sid(importo_sospeso_contenzioso=1220, data_sospensione_contenzioso=date(2025, 9, 15)),
        ";9990001234;12/PA;;;;SID;;;0.00;1220.00;15/09/2025;0.00;;0.00;;0.00;;;;;;",
    ),
    "S4": (
        sid(
            importo_sospeso_contestazione=200,
            data_sospensione_contestazione=date(2025, 11, 3),
            importo_non_liquidabile=100,
        ),
        ";9990001234;12/PA;;;;SID;;;0.00;0.00;;200.00;03/11/2025;0.00;;100.00;;;;;;",
    ),
    "S5": (sid(importo_non_liquidabile=1220), ";9990001234;12/PA;;;;SID;;;0.00;0.00;;0.00;;0.00;;1220.00;;;;;;"),
    "S6": (sid(importo_non_commerciale=500), ";9990001234;12/PA;;;;SID;;;500.00;0.00;;0.00;;0.00;;0.00;;;;;;"),
    "S7": (sid(importo_non_liquidabile=150), ";9990001234;12/PA;;;;SID;;;0.00;0.00;;0.00;;0.00;;150.00;;;;;;"),
    "S8": (
        sid(INVOICE | {"lotto": "9990004321", "numero_documento": "NC3/2025"}, importo_non_liquidabile=150),
        ";9990004321;NC3/2025;;;;SID;;;0.00;0.00;;0.00;;0.00;;150.00;;;;;;",
    ),
    "S9": (
        sid(OUTSIDE, importo_sospeso_verifica=300, data_sospensione_verifica=date(2025, 5, 20)),
        ";;77;10/04/2025;99999999982;UFXX01;SID;;;0.00;0.00;;0.00;;300.00;20/05/2025;0.00;;;;;;",
    ),
    "C1": (INVOICE | {"azione": "CH", "lotto": "9990007777"}, ";9990007777;12/PA;;;;CH;;;;;;;;;;;;;;;;"),
    "R1": (INVOICE | {"azione": "RF", "data_rifiuto": date(2025, 10, 28)}, ";9990001234;12/PA;;;;RF;;;;;;;;;;;;28/10/2025;;;;"),
    "R2": (
        INVOICE | {"azione": "RC", "data_ricezione": date(2025, 10, 13), "protocollo": "4711"},
        ";9990001234;12/PA;;;;RC;;;;;;;;;;;;13/10/2025;4711;;;",
    ),
    "D1": (
        INVOICE | {"azione": "CS", "data_scadenza": date(2025, 11, 12)},
        ";9990001234;12/PA;;;;CS;;;;;;;;;;;;12/11/2025;;;;",
    ),
    "M1": (INVOICE | {"azione": "MI", "split_payment": True}, ";9990001234;12/PA;;;;MI;;;;;;;;;;;S;;;;;"),
    "T1": (
        {"model": A, "azione": "RT", "identificativo": 1, "progressivo_registrazione": "100000001"},
        "100000001;;;;;;RT;;;;;;;;;;;;;;;;",
    ),
    "P1": (
        INVOICE | PAID | {"numero_mandato": "458"},
        ";9990001234;12/PA;;;;IP;;C;1220.00;CO;458;18/12/2025;IT99999999990;NA;NA;;;;;;",
    ),
    "P2": (
        INVOICE
        | PAID
        | {
            "importo": Decimal(1000),
            "natura_spesa": "CA",
            "numero_mandato": "459",
            "cig": "Z000000000",
            "giorni_sospensione": 15,
        },
        ";9990001234;12/PA;;;;IP;;C;1000.00;CA;459;18/12/2025;IT99999999990;Z000000000;NA;;;15;;;",
    ),
    "P3": (
        OUTSIDE
        | PAID
        | {"tipo_debito": "NC", "importo": Decimal(300), "numero_mandato": "460", "id_fiscale_beneficiario": "IT99999999982"},
        ";;77;10/04/2025;99999999982;UFXX01;IP;;NC;300.00;CO;460;18/12/2025;IT99999999982;NA;NA;;;;;;",
    ),
    "P4": (
        INVOICE | PAID | {"numero_mandato": "461", "id_fiscale_beneficiario": "IT99999999974"},
        ";9990001234;12/PA;;;;IP;;C;1220.00;CO;461;18/12/2025;IT99999999974;NA;NA;;;;;;",
    ),
}


def written(model: str, *names: str) -> bytes:
    return area.write(model, USER, [area.row_of(LINES[name][0]) for name in names])


@pytest.mark.parametrize("name", LINES)
def test_each_row_is_written_byte_for_byte(name: str) -> None:
    operation, line = LINES[name]
    data = written(operation["model"], name)
    rows = data.decode("cp1252").split("\r\n")
    assert rows[8:] == [line, ""]
    assert not [f for f in check(data, ON) if f.severity == "error"]


def test_the_header_is_pcc_s_own() -> None:
    amounts = written(A, "S1").decode("cp1252").split("\r\n")
    assert {line.count(";") for line in amounts[:8]} == {56}
    assert amounts[8].count(";") == 22
    assert [line.rstrip(";") for line in amounts[:4]] == [
        "",
        "Codice del modello;GESTIONE IMPORTI DOCUMENTI;;i campi contrassegnati da * sono obbligatori",
        "Versione del modello;1",
        f"Utente che trasmette il file (Codice Fiscale);{USER}",
    ]
    titles = amounts[6].split(";")
    assert titles[11] == "Data inizio sospesione in Contenzioso*"
    assert titles[13] == "Data inizio sospesione in contestazione /adempimenti normativi*"
    assert titles[15] == "Data inizio sospensione per data esito regolare verifica di conformità*"
    assert amounts[7].split(";")[1:3] == ["Lotto SDI", "Numero fattura(SDI 2.1.1.4 Numero)"]
    payments = written(B, "P1").decode("cp1252").split("\r\n")
    assert {line.count(";") for line in payments[:8]} == {20}
    assert payments[8].count(";") == 21
    assert payments[1].startswith("Codice del modello;GESTIONE PAGAMENTI;;")
    assert payments[7].split(";")[11:13] == ["Numero", "Data"]


def test_a_value_that_holds_a_separator_is_quoted() -> None:
    operation = LINES["M1"][0] | {"numero_documento": 'A;"1"'}
    assert b';9990001234;"A;""1""";;;;MI;' in area.write(A, USER, [area.row_of(operation)])


def _read(tmp_path: Path, data: bytes, name: str = "esito.csv") -> tuple[list[dict[str, Any]], list[Any]]:
    path = tmp_path / name
    path.write_bytes(data)
    sink = Lists("pcc_outcomes")
    parse("pcc_outcomes", [Source("alfa", "pcc_outcomes", "d", name, path)], sink)
    return sink.good, sink.bad


def _answered(data: bytes, code: str, words: str) -> bytes:
    """The file as PCC gives it back: its two answer cells filled in every row."""
    head, rows = data.split(b"\r\n")[:8], data.decode("cp1252").split("\r\n")[8:-1]
    width = {A: 20, B: 19}[A if b"IMPORTI" in head[1] else B]
    done = [";".join([*row.split(";")[:width], code, words]) for row in rows]
    return b"\r\n".join([*head, *(row.encode("cp1252") for row in done), b""])


def test_the_first_dialect_of_an_outcome_is_read(tmp_path: Path) -> None:
    good, bad = _read(tmp_path, _answered(written(A, "S4", "D1", "R2", "M1"), "", "OK"))
    assert not bad
    assert [(row["azione"], row["lotto"], row["numero_documento"]) for row in good] == [
        (name, "9990001234", "12/PA") for name in ("SID", "CS", "RC", "MI")
    ]
    assert good[0]["importo_sospeso_contestazione"] == Decimal(200)
    assert good[0]["data_sospensione_contestazione"] == date(2025, 11, 3)
    assert good[0]["importo_non_liquidabile"] == Decimal(100)
    assert good[1]["data_scadenza"] == date(2025, 11, 12)
    assert (good[2]["data_ricezione"], good[2]["protocollo"]) == (date(2025, 10, 13), "4711")
    assert good[3]["split_payment"] is True
    assert {row["descrizione_segnalazione"] for row in good} == {"OK"}
    paid, bad = _read(tmp_path, _answered(written(B, "P2"), "X1", "Pagamento già presente"))
    assert not bad
    assert (paid[0]["importo"], paid[0]["numero_mandato"], paid[0]["cig"]) == (Decimal(1000), "459", "Z000000000")
    assert (paid[0]["codice_segnalazione"], paid[0]["giorni_sospensione"]) == ("X1", 15)


@pytest.mark.parametrize("quoted_header", [True, False])
@pytest.mark.parametrize("bom", [True, False])
def test_the_second_dialect_of_an_outcome_is_read(tmp_path: Path, quoted_header: bool, bom: bool) -> None:
    """Line breaks in the header's cells, all cells quoted, LF, UTF-8, decimal commas, 58 cells, several identifications."""
    header = [
        [""],
        ["Codice del modello", "GESTIONE IMPORTI DOCUMENTI", "", "i campi contrassegnati da * sono obbligatori"],
        ["Versione del modello", "1"],
        ["Utente che trasmette il file (Codice Fiscale)", USER],
        ["DATI IDENTIFICATIVI FATTURA*", *[""] * 5, "TIPO OPERAZIONE*", "VARIAZIONE\nTutti i campi sono obbligatori\nSezione"],
        ["IDENTIFICATIVO 1", "", "IDENTIFICATIVO 3"],
        ["Numero progressivo di registrazione", "IDENTIFICATIVO 2", "", "Data", "Codice fiscale", "Codice ufficio", "Azione"],
        ["", "Lotto SDI", "Numero fattura \n(SDI 2.1.1.4 Numero)"],
    ]
    cells = [
        "",
        "9990001234",
        "12/PA",
        "10/04/2025",
        "99999999982",
        "UFXX01",
        "SID",
        "1000",
        "220,00",
        "0",
        "0",
        "",
        "1.200,50",
    ]
    cells += ["03/11/2025", "0", "", "0,00", "", "", "", "E7", "Importo non capiente"]
    if quoted_header:
        lines = [";".join(f'"{cell}"' for cell in row + [""] * (58 - len(row))) for row in header]
    else:
        lines = [";".join(row) for row in header]
    lines.append(";".join(f'"{cell}"' for cell in cells) + ";" * (58 - len(cells)))
    good, bad = _read(tmp_path, ("\ufeff" if bom else "").encode() + "\n".join([*lines, ""]).encode())
    assert not bad
    (row,) = good
    assert row["importo_sospeso_contestazione"] == Decimal("1200.50")
    assert (row["lotto"], row["cf_fornitore"], row["codice_segnalazione"]) == ("9990001234", "99999999982", "E7")


def test_an_outcome_saved_as_a_workbook_is_read(tmp_path: Path) -> None:
    with xlsxwriter.Workbook(str(tmp_path / "x.xlsx")) as book:
        sheet = book.add_worksheet()
        for number, line in enumerate(_answered(written(A, "S1", "D1"), "OK", "").decode("cp1252").splitlines()):
            sheet.write_row(number, 0, line.split(";"))
    good, bad = _read(tmp_path, (tmp_path / "x.xlsx").read_bytes(), "esito.xlsx")
    assert not bad
    assert [(row["azione"], row["codice_segnalazione"]) for row in good] == [("SID", "OK"), ("CS", "OK")]


WRONG = {
    "identification": LINES["M1"][1].replace("9990001234", ""),
    "code": LINES["M1"][1].replace(";S;", ";SI;"),
    "required": LINES["S1"][1].replace(";800.00;", ";;").replace("03/11/2025", ""),
    "start_missing": LINES["S1"][1].replace("03/11/2025", ""),
    "start_without_amount": LINES["S1"][1].replace("800.00", "0.00"),
    "start_future": LINES["S1"][1].replace("03/11/2025", "03/11/2026"),
    "amount": LINES["S1"][1].replace("800.00", "800,00"),
    "amount_sign": LINES["S1"][1].replace("800.00", "-800.00"),
    "date": LINES["D1"][1].replace("12/11/2025", "2025-11-12"),
    "too_long": LINES["S9"][1].replace("UFXX01", "UFXX012"),
    "not_for_action": LINES["M1"][1].replace(";MI;;;;", ";MI;;;0.00;"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_each_error_is_named(wrong: str) -> None:
    data = written(A, "M1").replace(LINES["M1"][1].encode(), WRONG[wrong].encode())
    assert wrong in [finding.check for finding in check(data, ON)]


def test_an_unknown_action_and_two_rows_of_one_document_are_named(tmp_path: Path) -> None:
    data = written(A, "S1", "S2", "M1").replace(b";MI;", b";XX;")
    assert [(f.check, f.line) for f in check(data, ON)] == [("code", 11), ("repeated_document", 10)]
    path = tmp_path / "file.csv"
    path.write_bytes(data)
    assert CliRunner().invoke(app, ["check-model", str(path)]).exit_code == 1
    path.write_bytes(written(B, "P1", "P4"))
    assert CliRunner().invoke(app, ["check-model", str(path)]).exit_code == 0


def test_a_company_s_code_does_not_transmit() -> None:
    data = area.write(A, "00488410010", [area.row_of(LINES["M1"][0])])
    assert [finding.check for finding in check(data, ON)] == ["user"]

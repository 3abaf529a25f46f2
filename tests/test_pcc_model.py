"""Modello 003 and 002: exact bytes, what comes back of them, and each error named by line and column."""

from __future__ import annotations

import csv
import io
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pcc_double import COLUMNS_002, COLUMNS_003
from typer.testing import CliRunner

from pcc_pipeline.cli import app
from pcc_pipeline.formats.pcc import models as pcc_model
from pcc_pipeline.formats.pcc.check import check
from pcc_pipeline.formats.pcc.lines import line_of

USER = "RSSMRA80A01H501U"
ON = date(2026, 1, 20)
PLAIN: dict[str, Any] = dict.fromkeys(
    [
        "model",
        "azione",
        "importo",
        "natura_spesa",
        "stato_debito",
        "causale",
        "descrizione",
        "capitoli",
        "estremi_impegno",
        "cig",
        "cup",
        "data_scadenza",
        "numero_mandato",
        "data_mandato",
        "id_fiscale_beneficiario",
        "non_commercial",
        "protocollo",
        "data_ricezione",
        "data_rifiuto",
        "denominazione_amministrazione",
        "lotto",
        "importo_imponibile",
        "totale_imposta",
    ]
) | {
    "model": "003",
    "cf_amministrazione": "00488410010",
    "codice_ufficio": "UFABC1",
    "cf_fornitore": None,
    "id_fiscale_iva": "IT00484960588",
    "denominazione_fornitore": 'Ditta; "Rossi" & C.',
    "progressivo_registrazione": "100000070",
    "numero_documento": "12/A",
    "data_emissione": date(2025, 3, 4),
    "importo_totale": Decimal("1220.00"),
    "tipo_documento": "TD01",
}


def operation(**values: Any) -> dict[str, Any]:
    return PLAIN | values


def booking(**values: Any) -> dict[str, Any]:
    return operation(azione="CO", importo=Decimal(1000), natura_spesa="CO", stato_debito="LIQ", cig="Z123456789", **values)


def payment(**values: Any) -> dict[str, Any]:
    given = {"azione": "CP", "importo": Decimal("1000.5"), "natura_spesa": "CO", "numero_mandato": "0077",
             "data_mandato": date(2025, 12, 1), "id_fiscale_beneficiario": "IT00484960588"}  # fmt: skip
    return operation(**given | values)


def written(*operations: dict[str, Any]) -> bytes:
    model = operations[0]["model"]
    return pcc_model.write(model, USER, [pcc_model.texts(model, line_of(o)) for o in operations])


def test_a_file_is_written_as_the_format_says() -> None:
    data = written(booking(descrizione='perché "sì"; no\nforse', capitoli="10/2"), payment())
    lines = data.decode("cp1252").split("\r\n")
    assert lines[:4] == [
        "0;0;0",
        "Codice del modello;003 - UTENTE PA - OPERAZIONI SU FATTURE ESISTENTI",
        "Versione del modello;1",
        f"Utente che trasmette il file (Codice Fiscale);{USER}",
    ]
    assert lines[4].startswith("DATI AMMINISTRAZIONE (SDI 1.4 CessionarioCommittente);;DATI FORNITORE")
    assert [line.count(";") for line in lines[4:7]] == [37] * 3 and lines[6].endswith(";Numero;Data" + ";" * 6)
    assert lines[7] == (
        "00488410010;UFABC1;00484960588;IT00484960588;CO;100000070;12/A;04/03/2025;1220.00;;;;;;1000.00;CO;10/2;LIQ;;"
        '"perché ""sì""; no\nforse";;Z123456789;NA;;;;;;;;;;;;;;;'
    )
    assert lines[8] == (
        "00488410010;UFABC1;00484960588;IT00484960588;CP;100000070;12/A;04/03/2025;1220.00;;;;;;;;;;;;;;;;;;"
        "1000.50;CO;;;0077;01/12/2025;IT00484960588;NA;NA;;;"
    )
    assert lines[9:] == [""]
    assert list(check(data, ON)) == []


def test_each_action_fills_its_own_columns() -> None:
    def filled(line: dict[str, Any]) -> set[str]:
        texts = dict(zip(COLUMNS_003, pcc_model.texts("003", line_of(line)), strict=True))
        return {name for name, text in texts.items() if text} - set(COLUMNS_003[:9])

    assert filled(operation(azione="RC", protocollo="7", data_ricezione=ON)) == {"protocollo", "ricezione"}
    assert filled(operation(azione="RF", data_rifiuto=ON)) == {"rifiuto", "motivo_rifiuto"}
    assert filled(operation(azione="CS", importo=Decimal(5), data_scadenza=ON)) == {"cs_si", "cs_importo", "cs_data"}
    suspended = operation(azione="CO", importo=Decimal(5), natura_spesa="CO", stato_debito="SOSP", causale="CONT", cig="Z123456789",
                          descrizione="Contestazione dal 01/02/2025")  # fmt: skip
    texts = dict(zip(COLUMNS_003, pcc_model.texts("003", line_of(suspended)), strict=True))
    assert (texts["co_natura"], texts["co_cig"], texts["co_cup"]) == ("NA", "NA", "NA")
    unknown = dict(zip(COLUMNS_003, pcc_model.texts("003", line_of(booking(progressivo_registrazione=None))), strict=True))
    assert unknown["progressivo"] == "NA" and unknown["numero"] == "12/A"


def test_a_document_outside_sdi_goes_by_modello_002() -> None:
    values = {"model": "002", "azione": "RC", "denominazione_amministrazione": "Comune", "importo_imponibile": Decimal(1000),
              "totale_imposta": Decimal(220), "data_scadenza": ON, "descrizione": "Fattura cartacea"}  # fmt: skip
    data = written(operation(**values))
    rows = list(csv.reader(io.StringIO(data.decode("cp1252"), newline=""), delimiter=";"))
    assert rows[1] == ["Codice del modello", "002 - UTENTE PA - RICEZIONE FATTURE"]
    line = dict(zip(COLUMNS_002, rows[7], strict=True))
    assert (line["den_amm"], line["tipo"], line["imponibile"], line["scadenza"]) == ("Comune", "TD01", "1000.00", "20/01/2026")
    assert list(check(data, ON)) == []


def test_whose_code_is_missing() -> None:
    def parties(**values: Any) -> tuple[str, str]:
        texts = pcc_model.texts("003", line_of(payment(**values)))
        return texts[2], texts[3]

    assert parties(cf_fornitore=None, id_fiscale_iva="IT00484960588") == ("00484960588", "IT00484960588")
    assert parties(cf_fornitore="00484960588", id_fiscale_iva=None) == ("00484960588", "IT00484960588")
    assert parties(cf_fornitore=USER, id_fiscale_iva=USER) == (USER, USER)
    assert parties(cf_fornitore="DE136695976", id_fiscale_iva="DE136695976") == ("NA", "DE136695976")


def test_letters_that_windows_1252_lacks_lose_their_accent() -> None:
    assert pcc_model.encoded("Çelik Ğ € – ệ 中") == "Çelik G € – e ?".encode("cp1252")


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(st.characters(codec="cp1252", exclude_characters="\0"), max_size=12), min_size=38, max_size=38))
def test_what_is_written_reads_back(texts: list[str]) -> None:
    texts[0] = texts[0] or "x"
    data = pcc_model.write("003", USER, [texts])
    last = list(pcc_model.records(data.decode("cp1252")))[-1]
    assert last.line == 8
    assert last.texts == tuple(text.strip() for text in texts)


def broken(**changes: str) -> list[tuple[int, str, str, str | None]]:
    """Findings of one line with texts changed by column of the double: (line, column, check, code)."""
    base = payment() if changes.pop("base", "CO") == "CP" else booking()
    texts = list(pcc_model.texts("003", line_of(base)))
    for name, text in changes.items():
        texts[COLUMNS_003.index(name)] = text
    found = check(pcc_model.write("003", USER, [texts]), ON)
    return [(f.line, f.letter, f.check, f.code) for f in found]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"stato": "SOSP", "co_cig": "NA"}, (8, "P", "natura_na", "E255")),
        ({"stato": "NLdaSOSP"}, (8, "P", "natura_na", "E255")),
        ({"stato": "SOSP", "co_natura": "NA"}, (8, "V", "cig_cup_na", None)),
        ({"stato": "SOSPdaLIQ", "causale": "CONT"}, (8, "T", "dispute_start", None)),
        ({"stato": "LIQUID"}, (8, "R", "code", None)),
        ({"stato": ""}, (8, "R", "required", None)),
        ({"co_importo": "1.000,00"}, (8, "O", "amount", None)),
        ({"co_importo": "1000"}, (8, "O", "amount", None)),
        ({"co_importo": "0.00"}, (8, "O", "amount_zero", None)),
        ({"co_importo": "-5.00"}, (8, "O", "amount_sign", None)),
        ({"cf_amm": "0048841001"}, (8, "A", "tax_code", None)),
        ({"cf_amm": "00488410011"}, (8, "A", "check_digit", None)),
        ({"iva": "00484960588"}, (8, "D", "vat", None)),
        ({"progressivo": "NA", "emissione": ""}, (8, "H", "identity", None)),
        ({"emissione": "2025-03-04"}, (8, "H", "date", None)),
        ({"emissione": "31/02/2025"}, (8, "H", "date", None)),
        ({"cs_data": "31/12/2025"}, (8, "Z", "not_for_action", None)),
        ({"azione": "XX"}, (8, "E", "code", None)),
        ({"base": "CP", "beneficiario": ""}, (8, "AG", "required", None)),
        ({"base": "CP", "cp_natura": "NA"}, (8, "AB", "code", None)),
        ({"base": "CP", "cp_importo": "0.00"}, (8, "AA", "amount_zero", None)),
    ],
)
def test_each_error_is_named_by_line_and_column(changes: dict[str, str], expected: tuple[Any, ...]) -> None:
    assert expected in broken(**changes)


def test_what_is_right_is_not_blamed() -> None:
    assert broken() == []
    assert broken(base="CP", cp_importo="-1000.50") == []
    assert broken(stato="SOSPdaLIQ", causale="CONT", co_descrizione="Contestazione dal 01/02/2025") == []
    assert broken(iva="DE123456789", cf_forn="NA") == []


def test_faults_of_the_whole_file() -> None:
    def checks(data: bytes) -> set[str]:
        return {finding.check for finding in check(data, ON)}

    good = written(booking(descrizione="perché"))
    assert checks(b"\xef\xbb\xbf" + good) == {"encoding"}
    assert checks(good.decode("cp1252").encode()) == {"encoding"}
    assert checks(good.replace(b"\r\n", b"\n")) == {"line_end"}
    assert checks(good.replace(b"0;0;0", b"1;0;0", 1)) == {"preamble"}
    assert checks(good.replace(b"003 - UTENTE", b"003 UTENTE")) == {"preamble"}
    assert checks(good.replace(b"003 - UTENTE", b"004 - UTENTE")) == {"preamble"}
    assert checks(good.replace(USER.encode(), b"ROSSI")) == {"user"}
    assert checks(b"id;importo\r\n1;2\r\n") == {"preamble"}
    assert checks(b"") == {"preamble"}
    assert checks(good[: good.index(b"00488410010")]) == {"no_rows"}
    assert checks(good + good.split(b"\r\n")[7] + b"\r\n") == {"repeated"}
    assert checks(good.replace(b"UFABC1;", b"")) == {"column_count"}
    assert checks(good + b'00488410010;"open\r\n') == {"quotes"}
    # A spreadsheet pads every line: that is no fault.
    assert checks(b"\r\n".join(line + b";;;;" for line in good.split(b"\r\n")[:-1]) + b"\r\n") == set()


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=300), st.integers(0, 2000))
def test_no_file_breaks_the_validator(noise: bytes, place: int) -> None:
    good = written(booking(), payment())
    for data in (noise, good[:place] + noise + good[place:]):
        list(check(data, ON))


def test_the_command_names_errors_and_tells_by_its_exit(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.csv", tmp_path / "bad.csv"
    good.write_bytes(written(payment()))
    bad.write_bytes(written(payment()).replace(b";01/12/2025;", b";2025-12-01;"))
    assert CliRunner().invoke(app, ["check-model", str(good)]).exit_code == 0
    result = CliRunner().invoke(app, ["check-model", str(bad)])
    assert result.exit_code == 1
    assert "AF" in result.stdout and "data_mandato" in result.stdout

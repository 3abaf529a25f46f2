"""Each row of docs/formats.md#area-rgs-rows, cell for cell, from an ente that has that anomaly.

The lines are read from the document. Each document here has a lot and a supplier of its own, where the document's examples
share one: those two cells are put in place of the example's.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import models
import pytest
from test_operations_ledger import operations_of
from test_rules_base import Book

from pcc_pipeline.formats.pcc import files

DOCS = Path(__file__).parents[1] / "docs/formats.md"
LINES = dict(re.findall(r"^([SCRDMTP]\d)   (.*)$", DOCS.read_text(encoding="utf-8"), re.MULTILINE))
LOT, SUPPLIER, NOTE_LOT = "9990001234", "99999999990", "9990004321"
BOOKED = {"stato_documento": "CONTABILIZZATO"}
ORDER = {"data_mandato": "2025-12-18"}


def _contested(amount: int) -> dict[str, Any]:
    return {"stato": "SOSPESA", "causale": "CONTESTATO", "importo_sospeso": amount, "data_sospensione": "2025-11-03"}


def _shown(kind: str, amount: int, since: str) -> dict[str, Any]:
    return {"importo_sospeso": amount, f"importo_sospeso_{kind}": amount, f"data_sospensione_{kind}": since}


#: Document -> labels of its rows, the ledger's side, PCC's side.
DOCUMENTS: dict[str, tuple[list[str], dict[str, Any], dict[str, Any]]] = {
    "PAID": (["P1"], {}, {}),
    "PAID_SPLIT": (["P2"], {"split_payment": True, "natura_spesa": "CA", "cig": "Z000000000"}, {"split_payment": True}),
    "PAID_TO_FACTOR": (["P4"], {}, {}),
    "BOOKED": ([], {"stato": "LIQUIDATA"}, {"stato_documento": "RICEVUTO"}),
    "PRESENTED": (["R2", "D1"], {"protocollo": "4711"}, {"stato_documento": "PRESENTATO", "data_scadenza": "2025-11-20"}),
    "CONTESTED": (["S1"], _contested(800), {}),
    "LAWSUIT": (["S3"], {"stato": "SOSPESA", "causale": "CONTENZIOSO", "data_sospensione": "2025-09-15"}, {}),
    "BOTH": (["S4"], _contested(200), {}),
    "LIFTED": (["S2", "D1"], {"stato": "LIQUIDATA"}, _shown("contestazione", 800, "2025-11-03")),
    "NOT_PAYABLE": (["S5"], {"stato": "NON_LIQUIDABILE"}, {}),
    "REJECTED": (["R1"], {"stato": "RIFIUTATA"}, {"stato_documento": "RICEVUTO"}),
    "REJECTED_WORKED": (["C1"], {"stato": "RIFIUTATA"}, {"importo_liquidato": 1220}),
    "DUE": (["D1"], {}, {"data_scadenza": "2025-11-20"}),
    "SPLIT": (["M1"], {"split_payment": True}, {}),
    "NOTED": (["S7"], {}, {}),
    "OTHER_DEBT": (["S6"], {"commerciale": False}, {}),
    "CHECKED": (
        ["S9"], {"stato": "SOSPESA", "causale": "ALTRO", "importo_sospeso": 300, "data_sospensione": "2025-05-20"},
        _shown("verifica", 300, "2025-05-20") | {"importo_non_liquidabile": 100},
    ),
    "TOO_MUCH": ([], {}, {"importo_pagato": 500}),
    "AMOUNT": ([], {"importo_totale": 1300, "imponibile": 1080}, {}),
    "OFFICE": ([], {"codice_ufficio": "UFXX02"}, {"codice_ufficio": "UFXX01"}),
    "RESET": (["T1", "D1"], {}, _shown("contestazione", 300, "2025-11-03")),
    "RESTORED": (["T2"], {"stato": "LIQUIDATA"}, {"importo_non_liquidabile": 1220}),
}  # fmt: skip
#: What differs from the plain invoice on both sides.
SHARED: dict[str, dict[str, Any]] = {
    "LAWSUIT": {"data_emissione": "2025-08-01", "data_ricezione": "2025-08-04", "data_scadenza": "2025-09-30"},
    "CHECKED": {"data_emissione": "2025-04-10", "data_ricezione": "2025-04-12", "data_scadenza": "2025-05-12"},
    "OTHER_DEBT": {"importo_totale": 500},
}


def _lot(document: str) -> str:
    return f"99900055{list(DOCUMENTS).index(document):02}"


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """The rows of each document, by either side's key."""
    book = Book()
    plain = {"data_emissione": "2025-10-10", "data_ricezione": "2025-10-13", "data_scadenza": "2025-11-12"}
    for document, (_, erp, pcc) in DOCUMENTS.items():
        number = {"numero": "12/PA"}, {"numero_documento": "12/PA", "lotto_sdi": _lot(document)}
        if document == "CHECKED":
            who = {"cf_fornitore": "99999999982", "codice_ufficio": "UFXX01"}
            number = {"numero": "77"}, {"numero_documento": "77", **who}
        if document == "OTHER_DEBT":
            number[0].update({"imponibile": 500, "iva": 0})
            number[1].update({"importo_imponibile": 500, "totale_imposta": 0})
        book.both(document, erp=number[0] | erp, pcc=BOOKED | number[1] | pcc, **plain | SHARED.get(document, {}))
    for document in ("NOTED", "BOTH"):
        _note(book, document, 150 if document == "NOTED" else 100)
    for document, amount, order in (("PAID", 1220, "458"), ("PAID_SPLIT", 1000, "459"), ("PAID_TO_FACTOR", 1220, "461")):
        days = {"giorni_sospensione": 15} if document == "PAID_SPLIT" else {}
        to = {"cf_beneficiario": "99999999974"} if document == "PAID_TO_FACTOR" else {}
        book.paid(document, amount, "2025-12-18", numero_mandato=order, **ORDER, **days, **to)
    book.case("CESSIONE", book.supplier("PAID_TO_FACTOR"), nuovo_creditore_piva="99999999974")
    copied = {"numero_documento": "12/PA", "lotto_sdi": "9990007777"}
    book.both("TWICE", erp={"numero": "12/PA", "id_pcc": "PTWICE"}, pcc=BOOKED | copied | {"importo_liquidato": 1220}, **plain)
    book.moved("TWICE", "CO", "2025-10-20", 1220, stato_debito="LIQ")
    book.pcc("COPY", **plain | copied | {"id_fiscale_iva": book.supplier("TWICE")})
    asked = [{"progressivo_registrazione": key, "azione": action} for key, action in (("PRESET", "RT"), ("PRESTORED", "RS"))]
    found = models.reconcile(
        tmp_path_factory.mktemp("rows"), book.feeds, modelli_pcc="AREA_RGS", decided={"decided_operation_requests": asked}
    )
    rows: dict[str, list[str]] = {}
    for operation in operations_of(found):
        key = operation["progressivo_registrazione"]
        line = ";".join([*files.texts_of(operation), ""])
        document = key.removeprefix("P")
        line = line.replace(f"IT{book.supplier(document)}", f"IT{SUPPLIER}")
        rows.setdefault(document, []).append(line)
    return rows


def _note(book: Book, document: str, amount: int) -> None:
    """A credit note NC3/2025 of the document's supplier, used by the order that pays as much of the document."""
    supplier = book.supplier(document)
    book.both(
        f"NOTE_{document}", tipo_documento="TD04", importo_totale=amount, data_emissione="2025-10-20",
        erp={"numero": "NC3/2025", "imponibile": amount, "iva": 0, "piva_fornitore": supplier},
        pcc={"numero_documento": "NC3/2025", "importo_imponibile": amount, "totale_imposta": 0, "id_fiscale_iva": supplier,
             "lotto_sdi": NOTE_LOT if document == "NOTED" else "9990004322"},
    )  # fmt: skip
    for key in (document, f"NOTE_{document}"):
        book.paid(key, amount, "2025-12-18", numero_mandato=f"6{amount}", cf_beneficiario=supplier, **ORDER)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_the_rows_are_those_of_the_document(seen: dict[str, list[str]], document: str) -> None:
    wanted = [_put(LINES[label], document, label) for label in DOCUMENTS[document][0]]
    assert seen.get(document, []) == wanted


def _put(line: str, document: str, label: str) -> str:
    """An example with the document's own lot; a refusal is of the day of the calculation."""
    line = line.replace(LOT, _lot(document)).replace("9990007777", _lot(document))
    if label in ("T1", "T2"):
        line = line.replace("100000001;;;", f";{_lot(document)};12/PA;", 1)
    return line.replace("28/10/2025", f"{models.OBSERVED_AT:%d/%m/%Y}")


def test_a_used_note_is_told_on_itself_too(seen: dict[str, list[str]]) -> None:
    assert seen["NOTE_NOTED"] == [LINES["S8"]]


def test_a_copy_of_the_same_lot_is_named_by_pccs_own_number(seen: dict[str, list[str]]) -> None:
    """By its lot and number it would be two documents: what closes it names it alone."""
    assert seen["COPY"] == [LINES["C1"].replace(";9990007777;12/PA;", "PCOPY;;;")]
    assert "TWICE" not in seen

"""Section 11 of the rules: what each document type is for the debt, and how self-invoices find their document."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from test_rules_base import Book, Seen

from pcc_pipeline import rules

PAGE = Path(__file__).parents[1] / "docs/rules.md"


def _foreign(number: str) -> str:
    return f"DE811234{number}"


def _abroad(book: Book, document: str, number: str, **pcc: Any) -> None:
    """A foreign supplier's invoice in the accounting system, and on PCC the ente's TD17 for it, with its e-invoice."""
    invoice = {
        "importo_totale": 2000,
        "imponibile": 2000,
        "iva": 0,
        "data_emissione": "2025-03-01",
        "data_scadenza": "2025-07-31",
    }
    book.erp(document, piva_fornitore=_foreign(number), numero=f"RE-{number}", **invoice)
    itself = {"tipo_documento": "TD17", "data_emissione": "2025-03-10", "importo_totale": 2440}
    book.pcc(document, id_fiscale_iva=_foreign(number), numero_documento=f"000{number}", lotto_sdi=f"88{number}", **{
        "importo_imponibile": 2000, "totale_imposta": 440, "data_scadenza": "2025-07-31", **itself, **pcc})  # fmt: skip
    named = {"tipo": "fatture_collegate", "documento": f"RE-{number}", "data": "2025-03-01"}
    book.sdi(document, id_fiscale_iva=_foreign(number), numero=f"000{number}", **itself)
    book.feeds["sdi_invoices"][-1]["riferimenti"] = [{**named, "data": book.feeds["erp_invoices"][-1]["data_emissione"]}]


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    book = Book()
    _abroad(book, "ABROAD", "127")
    _abroad(book, "ABROAD_PLAIN", "128", importo_totale=2000, totale_imposta=0)
    _abroad(book, "TWICE", "129", importo_totale=2000, totale_imposta=0)
    book.pcc("TWICE", progressivo_registrazione="PTWICE_BY_HAND", id_fiscale_iva=_foreign("129"), numero_documento="RE-129", data_scadenza="2025-07-31",
             data_emissione="2025-03-01", importo_totale=2000)  # fmt: skip
    # A self-invoice of the same supplier that names another document.
    _abroad(book, "NEIGHBOUR", "130")
    book.feeds["sdi_invoices"][-1]["riferimenti"][0]["documento"] = "RE-999"
    # The supplier's own document, and the TD20 that made good for it.
    book.both("MADE_GOOD")
    book.pcc(
        "MADE_GOOD",
        progressivo_registrazione="PMADE_GOOD_TD20",
        tipo_documento="TD20",
        numero_documento="A7",
        data_scadenza="2025-07-31",
        data_emissione="2025-06-10",
    )
    book.sdi("MADE_GOOD", tipo_documento="TD20", numero="A7", data_emissione="2025-06-10")
    book.feeds["sdi_invoices"][-1]["riferimenti"] = [
        {
            "tipo": "fatture_collegate",
            "documento": book.supplier("MADE_GOOD")[-4:],
            "data": book.feeds["erp_invoices"][-1]["data_emissione"],
        }
    ]
    for kind in ("TD16", "TD21", "TD22", "TD23", "TD27", "TD29", "TD24"):
        book.pcc(f"{kind}_ALONE", tipo_documento=kind)
    book.both("TD16_TWICE", tipo_documento="TD16")
    book.erp("TD16_HERE", tipo_documento="TD16")
    # The supplier's invoice and its integration, same date and amount: two documents.
    book.both("BESIDE")
    book.pcc("BESIDE", progressivo_registrazione="PBESIDE_TD16", tipo_documento="TD16", numero_documento="I1")
    book.both("INTERNAL", tipo_documento="TD26", pcc={"cf_amministrazione": book.supplier("INTERNAL")})
    book.both("SOLD", tipo_documento="TD26")
    return book.reconciled(tmp_path_factory.mktemp("types"))


@pytest.mark.parametrize("document", ["ABROAD", "ABROAD_PLAIN", "TWICE"])
def test_a_self_invoice_stands_for_the_document_that_it_names(seen: Seen, document: str) -> None:
    assert seen.tier(document) == (f"P{document}", "reference")
    assert seen.stock("right", document) == 2000


def test_the_ente_s_own_vat_is_freed(seen: Seen) -> None:
    assert seen.codes("ABROAD")["SPLIT_VAT_OPEN"] == 440
    assert seen.found.rows(
        "operations", "stato_debito", "importo", where="id_documento = 'ABROAD' and code = 'SPLIT_VAT_OPEN'"
    ) == [("NOLIQ", 440)]
    assert "SPLIT_VAT_OPEN" not in seen.codes("ABROAD_PLAIN")


def test_the_same_debt_entered_by_hand_is_closed(seen: Seen) -> None:
    assert seen.codes("PTWICE_BY_HAND") == {"DUPLICATE_ON_PCC": 2000}
    assert seen.found.rows("operations", "stato_debito", "importo", where="progressivo_registrazione = 'PTWICE_BY_HAND'") == [
        ("NOLIQ", 2000)
    ]


def test_a_self_invoice_that_names_another_is_left(seen: Seen) -> None:
    assert seen.tier("NEIGHBOUR") is None


def test_the_supplier_s_own_document_goes_before_the_td20(seen: Seen) -> None:
    assert seen.tier("MADE_GOOD") == ("PMADE_GOOD", "exact")
    assert set(seen.codes("PMADE_GOOD_TD20")) == {"DUPLICATE_ON_PCC"}


@pytest.mark.parametrize("kind", ["TD16", "TD21", "TD22", "TD23", "TD27", "TD29"])
def test_tax_documents_are_no_debt(seen: Seen, kind: str) -> None:
    assert seen.codes(f"P{kind}_ALONE") == {"DUPLICATE_ON_PCC": 1220}
    assert seen.stock("right", f"P{kind}_ALONE") == 0


def test_other_types_are(seen: Seen) -> None:
    assert seen.codes("PTD24_ALONE") == {"MISSING_IN_ERP": 0}
    assert seen.codes("SOLD") == {}


@pytest.mark.parametrize("document", ["TD16_TWICE", "INTERNAL"])
def test_paired_they_are_no_debt_either(seen: Seen, document: str) -> None:
    assert seen.codes(document) == {"DUPLICATE_ON_PCC": 1220}
    assert seen.found.rows("operations", "stato_debito", "importo", where=f"id_documento = '{document}'") == [("NOLIQ", 1220)]


def test_a_td16_that_pcc_lacks_is_not_sent(seen: Seen) -> None:
    assert seen.codes("TD16_HERE") == {}


def test_an_invoice_and_its_integration_are_two(seen: Seen) -> None:
    assert seen.tier("BESIDE") == ("PBESIDE", "exact")
    assert seen.codes("PBESIDE_TD16") == {"DUPLICATE_ON_PCC": 1220}


def test_the_table_of_types_is_the_rules_own() -> None:
    lines = re.findall(r"^\| (\w+) \{#[\w-]+\} \|[^|]*\|([^|]*)\|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    words = {
        "a debt of its": "own", "a debt when": "unless_self", "a debt": "own", "negative": "own", "as TD22": "none", "as TD1": "taxable",
        "stands for the foreign": "taxable", "stands for the supplier": "substitute", "no debt": "none", "a tax document": "none",
    }  # fmt: skip
    told = {}
    for code, text in lines:
        plain = text.strip()
        told[code] = next((debt for start, debt in words.items() if plain.startswith(start)), plain)
    # Codes of the communication of invoice data, which are no e-invoices.
    told["TD10"], told["TD12"] = "taxable", "own"
    assert told == {row["code"]: row["debt"] for row in rules.rule_rows("document_types")}
    assert all(row["source"] for row in rules.rule_rows("document_types"))

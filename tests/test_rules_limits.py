"""Sections 1, 2, 3 and 11 of the rules: what an amount, a date and a payment may be, each beside its innocent neighbour."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from test_rules_base import Book, Seen

TREASURY = "06363391001"
OPEN = {"stato_documento": "CONTABILIZZATO"}
#: Document: what adds to the stock (PCC, right), and the codes.
WANTED: dict[str, tuple[str, str, set[str]]] = {
    "OVERPAID": ("0", "0", {"PAID_MORE_THAN_OWED"}),
    "PAID_IN_TWO": ("0", "0", set()),
    "ROW_TWICE": ("920", "920", {"PAID_MORE_THAN_OWED"}),
    "ROW_TWICE_REVERSED": ("1220", "1220", set()),
    "TWO_DAYS_ONE_ORDER": ("620", "620", set()),
    "SPLIT_VAT_BY_AUTHORITY": ("0", "0", set()),
    "SPLIT_VAT_BY_AMOUNT": ("0", "0", set()),
    "STALE_SUSPENDED": ("0", "0", set()),
    "STALE_NOT_PAYABLE": ("0", "0", set()),
    "SUSPENDED_AND_NOT_PAYABLE": ("0", "0", set()),
    "NEGATIVE_INVOICE": ("-50", "-50", set()),
    "NEGATIVE_NOTE": ("-80", "-80", set()),
    "DUE_9999": ("1220", "1220", {"IMPOSSIBLE_DATE"}),
    "DUE_IN_TEN_YEARS": ("0", "0", set()),
    "PCC_DUE_9999": ("1220", "1220", {"IMPOSSIBLE_DATE", "DUE_DATE_DIFFERS"}),
    "PAID_IN_2205": ("1220", "1220", {"IMPOSSIBLE_DATE"}),
    "EARLY_SUSPENSION": ("1220", "0", {"IMPOSSIBLE_DATE", "SUSPENSION_NOT_REPORTED"}),
    "WITHHELD": ("1220", "0", {"PAID_NOT_REPORTED"}),
    "WITHHELD_BY_ORDER": ("1220", "0", {"PAID_NOT_REPORTED"}),
    "SHORT_BY_OTHER": ("220", "220", set()),
    "DURC": ("1220", "1220", set()),
    "DURC_IN_COURT": ("1220", "0", {"SUSPENSION_NOT_REPORTED"}),
    "VAT_LEFT_OPEN": ("220", "220", {"REVERSE_CHARGE_UNSURE"}),
    "VAT_LEFT_OPEN_SDI": ("220", "220", set()),
    "MOVED_MORE": ("1220", "0", {"ACCOUNTS_DO_NOT_SUM", "PAID_NOT_REPORTED"}),
    "EMPTY": ("1220", "1220", {"ACCOUNTS_DO_NOT_SUM"}),
    "KINDS": ("0", "0", {"SUSPENSION_DETAILS_DIFFER"}),
    "KINDS_SHORT": ("220", "0", {"ACCOUNTS_DO_NOT_SUM", "SUSPENSION_CAUSE_DIFFERS"}),
    "KIND_THAT_COUNTS": ("1220", "1220", set()),
    "LEFT_OUT": ("0", "1220", {"OUT_OF_STOCK_ON_PCC"}),
    "PARTLY_NON_COMMERCIAL": ("820", "1220", {"OUT_OF_STOCK_ON_PCC"}),
    "NOT_COMMERCIAL_ON_BOTH": ("0", "0", set()),
    "ZERO": ("0", "0", set()),
}


def _paid_on_pcc(amount: int, **more: Any) -> dict[str, Any]:
    return {"stato_documento": "PAGATO" if amount == 1220 else "CONTABILIZZATO", "importo_pagato": amount} | more


def _amounts(book: Book) -> None:
    book.both("OVERPAID", pcc=_paid_on_pcc(1220))
    book.paid("OVERPAID", 1250)
    book.both("PAID_IN_TWO", pcc=_paid_on_pcc(1220))
    book.paid("PAID_IN_TWO", 610, numero_mandato="A1")
    book.paid("PAID_IN_TWO", 610, numero_mandato="A2")
    for document in ("ROW_TWICE", "ROW_TWICE_REVERSED"):
        book.both(document, pcc=_paid_on_pcc(300 if document == "ROW_TWICE" else 0))
        book.paid(document, 300, numero_mandato="B1")
        book.paid(document, 300, numero_mandato="B1")
    book.paid("ROW_TWICE_REVERSED", 300, numero_mandato="B1", storno=True)
    book.paid("ROW_TWICE_REVERSED", 300, "2025-03-11", numero_mandato="B1", storno=True)
    book.both("TWO_DAYS_ONE_ORDER", pcc=_paid_on_pcc(600))
    book.paid("TWO_DAYS_ONE_ORDER", 300, "2025-03-10", numero_mandato="C1")
    book.paid("TWO_DAYS_ONE_ORDER", 300, "2025-03-11", numero_mandato="C1")
    for document, who in (("SPLIT_VAT_BY_AUTHORITY", TREASURY), ("SPLIT_VAT_BY_AMOUNT", None)):
        book.both(document, split_payment=True, pcc=_paid_on_pcc(1000))
        book.paid(document, 1000)
        book.paid(document, 220, cf_beneficiario=who)
    stale = {"stato": "SOSPESA", "causale": "CONTESTATO", "importo_sospeso": 1220, "data_sospensione": "2025-01-20"}
    book.both("STALE_SUSPENDED", erp=stale, pcc=_paid_on_pcc(1220))
    book.paid("STALE_SUSPENDED", 1220)
    book.both("STALE_NOT_PAYABLE", erp={"stato": "NON_LIQUIDABILE", "importo_non_liquidabile": 200}, pcc=_paid_on_pcc(1220))
    book.paid("STALE_NOT_PAYABLE", 1220)
    both = stale | {"importo_non_liquidabile": 400}
    kept = {"importo_sospeso": 820, "importo_non_liquidabile": 400, "causale_sospensione": "CONT"}
    book.both("SUSPENDED_AND_NOT_PAYABLE", erp=both, pcc=OPEN | kept)
    book.both("NEGATIVE_INVOICE", importo_totale=-50, erp={"imponibile": -50, "iva": 0}, pcc={"importo_imponibile": -50})
    book.both("NEGATIVE_NOTE", tipo_documento="TD04", importo_totale=-80, erp={"imponibile": -80, "iva": 0})
    nothing = {"importo_totale": 0}
    book.both("ZERO", erp=nothing | {"imponibile": 0, "iva": 0, "stato": "LIQUIDATA"}, pcc=nothing | {"importo_imponibile": 0})


def _dates(book: Book) -> None:
    book.both("DUE_9999", erp={"data_scadenza": "9999-12-31"})
    book.both("DUE_IN_TEN_YEARS", data_scadenza="2034-12-31")
    book.both("PCC_DUE_9999", pcc={"data_scadenza": "9999-12-31"})
    book.both("PAID_IN_2205")
    book.paid("PAID_IN_2205", 1220, "2205-03-10")
    held = {"stato": "SOSPESA", "causale": "CONTESTATO"}
    book.both("EARLY_SUSPENSION", erp=held | {"data_sospensione": "2025-01-12"})
    book.both("DURC", erp=held | {"causale": "DURC", "data_sospensione": "2025-01-20"})
    book.both("DURC_IN_COURT", erp=held | {"causale": "DURC", "data_sospensione": "2025-01-20"})
    book.case("CONTENZIOSO", book.supplier("DURC_IN_COURT"))


def _payments(book: Book) -> None:
    book.both("WITHHELD", erp={"importo_ritenuta": 200})
    book.paid("WITHHELD", 1020)
    book.both("WITHHELD_BY_ORDER")
    book.paid("WITHHELD_BY_ORDER", 1020, importo_ritenute=200)
    book.both("SHORT_BY_OTHER", erp={"importo_ritenuta": 200, "iva": 0, "imponibile": 1220}, pcc=_paid_on_pcc(1000))
    book.paid("SHORT_BY_OTHER", 1000)
    for document in ("VAT_LEFT_OPEN", "VAT_LEFT_OPEN_SDI"):
        book.both(document, pcc=_paid_on_pcc(1000))
        book.paid(document, 1000)
    book.sdi("VAT_LEFT_OPEN_SDI", imposta=220)


def _accounts(book: Book) -> None:
    book.both("MOVED_MORE", pcc=OPEN | {"importo_liquidato": 1220})
    book.paid("MOVED_MORE", 1220)
    book.moved("MOVED_MORE", "CP", "2025-03-10", 1220)
    book.both("EMPTY", pcc={"stato_documento": "PAGATO"})
    court = {"stato": "SOSPESA", "causale": "CONTENZIOSO", "data_sospensione": "2025-01-20"}
    held = OPEN | {"importo_sospeso": 1220}
    book.both("KINDS", erp=court, pcc=held | {"importo_sospeso_contenzioso": 1000, "importo_sospeso_contestazione": 220})
    book.both("KINDS_SHORT", erp=court, pcc=held | {"importo_sospeso_contenzioso": 1000})
    book.both("KIND_THAT_COUNTS", erp=court | {"causale": "ALTRO"}, pcc=held | {"importo_sospeso_verifica": 1220})
    book.both("LEFT_OUT", pcc={"escluso": True})
    book.both("PARTLY_NON_COMMERCIAL", pcc=OPEN | {"importo_non_commerciale": 400})
    book.both("NOT_COMMERCIAL_ON_BOTH", erp={"commerciale": False}, pcc=OPEN | {"importo_non_commerciale": 1220})


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    book = Book()
    for some in (_amounts, _dates, _payments, _accounts):
        some(book)
    book.paid("NOBODY", 75, numero_mandato="Z9")
    return book.reconciled(tmp_path_factory.mktemp("limits"))


@pytest.mark.parametrize("document", WANTED)
def test_document_counts(seen: Seen, document: str) -> None:
    pcc, right, codes = WANTED[document]
    found = (str(int(seen.stock("pcc", document))), str(int(seen.stock("right", document))), set(seen.codes(document)))
    assert found == (pcc, right, codes)


def test_no_document_is_below_zero_or_above_itself(seen: Seen) -> None:
    outside = "view = 'right' and (open_amount * sign(commercial_amount) < 0 or abs(open_amount) > abs(commercial_amount))"
    assert seen.found.rows("debt_positions", "id_documento", where=outside) == []


def test_every_cent_is_explained(seen: Seen) -> None:
    at_stake = {(own, theirs): amount for _, own, theirs, amount, _ in seen.anomalies}
    assert sum(at_stake.values()) == seen.found.stock("pcc") - seen.found.stock("right")


def test_a_payment_of_an_unknown_document_is_asked(seen: Seen) -> None:
    assert seen.codes("NOBODY") == {"PAYMENT_WITHOUT_DOCUMENT": 0}
    ((question,),) = seen.found.rows("questions", "question", where="code = 'PAYMENT_WITHOUT_DOCUMENT'")
    assert "NOBODY" in question
    assert "Z9" in question


def test_an_ente_whose_documents_have_not_come_is_not_asked(tmp_path: Path) -> None:
    book = Book()
    book.pcc("A")
    book.paid("X", 10)
    assert set(book.reconciled(tmp_path).codes("X")) == set()


def test_what_cannot_be_is_never_sent(seen: Seen) -> None:
    for column in ("data_scadenza", "data_mandato", "data_ricezione"):
        wrong = f"year({column}) not between 2000 and 2036"
        assert seen.found.rows("operations", "id_documento", where=wrong) == []
    held = "id_documento in ('EARLY_SUSPENSION', 'DURC', 'MOVED_MORE', 'EMPTY', 'KINDS_SHORT', 'ZERO')"
    assert seen.found.rows("operations", "id_documento", "azione", where=held) == []


def test_what_is_withheld_is_told_as_paid(seen: Seen) -> None:
    for document in ("WITHHELD", "WITHHELD_BY_ORDER"):
        told = seen.found.rows("operations", "importo", where=f"id_documento = '{document}' and azione = 'CP'")
        assert told == [(1220,)]


@pytest.mark.parametrize(("answer", "right"), [("PAGAMENTI_DISTINTI", 620), ("NOTA", 920)])
def test_equal_payments_count_as_often_as_a_person_says(tmp_path: Path, answer: str, right: int) -> None:
    book = Book()
    book.both("ROW_TWICE", pcc=_paid_on_pcc(300))
    for _ in range(2):
        book.paid("ROW_TWICE", 300, numero_mandato="B1")
    said: dict[str, Any] = {"code": "PAID_MORE_THAN_OWED", "id_documento": "ROW_TWICE", "answer": answer}
    said["decided_at"] = datetime(2026, 1, 15, tzinfo=UTC)
    seen = book.reconciled(tmp_path, decided={"decided_answers": [said]})
    assert seen.found.stock("right") == right
    assert ("PAID_MORE_THAN_OWED" in seen.codes("ROW_TWICE")) == (answer == "NOTA")


@pytest.mark.parametrize(("day", "asked"), [(25, False), (1, True)])
def test_what_is_still_owed_is_not_asked_again_before_another_list(tmp_path: Path, day: int, asked: bool) -> None:
    book = Book()
    for document in ("OLD", "LISTED"):
        book.both(document, data_emissione="2023-01-10", data_scadenza="2023-02-14")
    book.row("open_list", piva_fornitore=book.supplier("LISTED"), numero="x")
    said: dict[str, Any] = {"code": "NOT_ON_OPEN_LIST", "id_documento": "OLD", "answer": "ANCORA_DOVUTA"}
    said["decided_at"] = datetime(2026, 1, day, tzinfo=UTC)
    seen = book.reconciled(tmp_path, decided={"decided_answers": [said]})
    assert ("NOT_ON_OPEN_LIST" in seen.codes("OLD")) == asked
    assert "NOT_ON_OPEN_LIST" in seen.codes("LISTED")

"""Section 7 of the rules: each code where it belongs, with its amount, and not in the innocent case beside it.

Every expectation is all that the document bears: a code too many fails as one missing does. An amount is what the document
adds to PCC's stock less what it adds to the right one. Not here: whose money it is (test_rules_creditors).
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from test_rules_base import Book, Seen

BOOKED = {"stato_documento": "CONTABILIZZATO"}
PAID = {"stato_documento": "PAGATO", "importo_pagato": 1220}
DISPUTED = {"stato": "SOSPESA", "causale": "CONTESTATO"}

#: Document -> the codes it bears, with their amounts; written by the functions below.
EXPECTED: dict[str, dict[str, str]] = {
    # Payments
    "PAID_ERP_ONLY": {"PAID_NOT_REPORTED": "500"},  # 1220 - 720
    "PAID_ERP_AFTER_D": {"PAID_NOT_REPORTED": "0"},  # open at D on both sides
    "PAID_ERP_AFTER_O": {},
    "PAID_BOTH": {},
    "PAID_ON_OTHER_ACCOUNT": {},
    "PAID_PCC_ONLY": {"PAID_TOO_MUCH_ON_PCC": "-500"},  # 720 - 1220
    "PAID_AND_REVERSED": {"PAID_TOO_MUCH_ON_PCC": "-1220"},
    "PAID_ACROSS_D": {"PAYMENT_DATE_DIFFERS": "1220"},  # 30/12 here, 5/1 on PCC
    "PAID_DAYS_APART": {},
    # Booking
    "LIQUIDATED": {"NOT_BOOKED": "0"},
    "LIQUIDATED_BOTH": {},
    "LIQUIDATED_PARTLY": {},
    "LIQUIDATED_AND_PAID": {"PAID_NOT_REPORTED": "1220"},
    # Suspensions
    "DISPUTED": {"SUSPENSION_NOT_REPORTED": "1220"},
    "DISPUTED_FOR_OTHER_CAUSE": {"SUSPENSION_NOT_REPORTED": "0"},
    "DISPUTED_IN_PART": {"SUSPENSION_NOT_REPORTED": "300"},
    "DISPUTED_LATER": {},
    "DISPUTED_BOTH": {},
    "LITIGATED": {"SUSPENSION_NOT_REPORTED": "1220"},
    "LITIGATED_LATER": {},
    "LITIGATED_PAID": {},
    "LITIGATED_PAID_AFTER_D": {"SUSPENSION_NOT_REPORTED": "1220"},  # unpaid at D
    "LITIGATED_BOTH": {},
    "NOT_LIFTED": {"SUSPENSION_NOT_LIFTED": "-1220"},
    "NOT_LIFTED_OTHER_CAUSE": {"SUSPENSION_NOT_LIFTED": "0"},
    "SUSPENDED_TOO_MUCH": {"SUSPENSION_NOT_LIFTED": "-920"},  # 0 - 920
    "OTHER_CAUSE_ON_PCC": {"SUSPENSION_CAUSE_DIFFERS": "1220"},
    "BOTH_CAUSES_EXCLUDE": {},
    # Not payable
    "NOT_PAYABLE": {"NOT_PAYABLE_NOT_REPORTED": "1220"},
    "NOT_PAYABLE_IN_PART": {"NOT_PAYABLE_NOT_REPORTED": "200"},
    "NOT_PAYABLE_BOTH": {},
    "PAYABLE_AGAIN": {"NOT_PAYABLE_NOT_LIFTED": "-1220"},
    # Rejections
    "REJECTED": {"REJECTED_STILL_OPEN": "1220"},
    "ANNULLED": {"REJECTED_STILL_OPEN": "1220"},
    "REJECTED_AND_MORE": {"REJECTED_STILL_OPEN": "1220"},
    "REJECTED_BOTH": {},
    "REJECTED_NOT_ON_PCC": {},
    "REJECTED_NOT_PAYABLE_ON_PCC": {},
    "REJECTED_ON_PCC": {"REJECTED_ON_PCC": "-1220"},
    # Dates
    "DUE_APART": {"DUE_DATE_DIFFERS": "0"},
    "DUE_ABSENT_ON_PCC": {"DUE_DATE_DIFFERS": "0"},
    "DUE_ACROSS_D": {"DUE_DATE_DIFFERS": "1220"},
    "DUE_APART_PAID": {},
    "DUE_ABSENT_IN_ERP": {},
    "DUE_BY_SDI_ACROSS_D": {"DUE_DATE_SHIFTS_STOCK": "1220"},
    "ISSUED_ACROSS_D": {"ISSUE_DATE_DIFFERS": "1220"},
    "ISSUED_APART": {},
    # Amounts
    "AMOUNT": {"AMOUNT_DIFFERS": "100"},
    "CENT": {"ROUNDING_DIFFERS": "0.01"},
    "TWO_CENTS": {"AMOUNT_DIFFERS": "-0.02"},
    "SPLIT": {"SPLIT_VAT_OPEN": "220"},
    "SPLIT_BOTH": {},
    "SPLIT_CLOSED_ON_PCC": {},
    "SPLIT_OTHER_TOTAL": {"AMOUNT_DIFFERS": "320"},  # 1320 - 1000
    "NOTE_USED": {"CREDIT_NOTE_OPEN": "-1220"},
    "NOTE_USED_BOTH": {},
    "NOTE_OPEN_BOTH": {},
    # Presence
    "DUPLICATED": {},
    "PSECOND": {"DUPLICATE_ON_PCC": "1220"},
    "PNO_SECOND": {"MISSING_IN_ERP": "0"},  # another number is another document
    "ERP_ONLY": {"MISSING_ON_PCC": "-1220"},
    "ERP_ONLY_SDI": {"MISSING_ON_PCC": "-1220"},
    "PPCC_ONLY": {"MISSING_IN_ERP": "0"},
    "PPCC_ONLY_REJECTED": {},
    # One of the accounting system, two candidates: counted once on the right, twice on PCC.
    "AMBIGUOUS": {"AMBIGUOUS_MATCH": "-1220"},
    "PAMBIGUOUS": {"AMBIGUOUS_MATCH": "1220"},
    "PAMBIGUOUS2": {"AMBIGUOUS_MATCH": "1220"},
    # The open list
    "LISTED_PAID": {"MUST_STAY_OPEN": "0"},
    "LISTED_PAID_ERP": {"MUST_STAY_OPEN": "1220", "PAID_NOT_REPORTED": "1220"},
    "LISTED_REJECTED": {"MUST_STAY_OPEN": "1220", "REJECTED_STILL_OPEN": "1220"},
    "LISTED_OPEN": {},
    "OLD_365": {},
    "OLD_366": {"NOT_ON_OPEN_LIST": "0"},
    "OLD_PAID": {},
    "OLD_LISTED": {},
    # The rest
    "TOO_MUCH_BOOKED": {"ACCOUNTS_DO_NOT_SUM": "0"},
    "ALL_BOOKED": {},
    "OFFICE": {"WRONG_OFFICE": "0"},
    "OFFICE_IN_SMALL": {},
    "OFFICE_ABSENT": {},
    "NOT_COMMERCIAL": {"NON_COMMERCIAL_NOT_REPORTED": "1220"},
    "NOT_COMMERCIAL_CASE": {"NON_COMMERCIAL_NOT_REPORTED": "1220"},
    "NOT_COMMERCIAL_LATER": {},
    "NOT_COMMERCIAL_REPORTED": {},
}


def _payments(book: Book) -> None:
    for document in ("PAID_ERP_ONLY", "PAID_PCC_ONLY", "PAID_BOTH"):
        book.both(document, pcc={} if document == "PAID_ERP_ONLY" else BOOKED | {"importo_pagato": 500})
        if document != "PAID_PCC_ONLY":
            book.paid(document, 500)
    book.both("PAID_ERP_AFTER_D")
    book.paid("PAID_ERP_AFTER_D", 1220, "2026-01-10")
    book.both("PAID_ERP_AFTER_O")
    book.paid("PAID_ERP_AFTER_O", 1220, "2026-01-21")
    book.both("PAID_ON_OTHER_ACCOUNT", pcc={"importo_pagato": 300, "importo_pagato_non_commerciale": 200})
    book.paid("PAID_ON_OTHER_ACCOUNT", 500)
    book.both("PAID_AND_REVERSED", pcc=PAID)
    book.paid("PAID_AND_REVERSED", 1220)
    book.paid("PAID_AND_REVERSED", 1220, "2025-04-10", storno=True)
    for document, ours, theirs in (
        ("PAID_ACROSS_D", "2025-12-30", "2026-01-05"),
        ("PAID_DAYS_APART", "2025-12-20", "2025-12-31"),
    ):
        book.both(document, pcc=PAID)
        book.paid(document, 1220, ours)
        book.moved(document, "CP", theirs, 1220, data_pagamento=theirs)
    book.both("LIQUIDATED", erp={"stato": "LIQUIDATA"})
    book.both("LIQUIDATED_BOTH", erp={"stato": "LIQUIDATA"}, pcc=BOOKED | {"importo_liquidato": 1220})
    book.both("LIQUIDATED_PARTLY", erp={"stato": "LIQUIDATA"}, pcc=BOOKED | {"importo_liquidato": 20})
    book.both("LIQUIDATED_AND_PAID", erp={"stato": "LIQUIDATA"})
    book.paid("LIQUIDATED_AND_PAID", 1220)


def _suspensions(book: Book) -> None:
    held = BOOKED | {"importo_sospeso": 1220, "causale_sospensione": "CONT"}
    book.both("DISPUTED", erp=DISPUTED)
    book.both("DISPUTED_FOR_OTHER_CAUSE", erp=DISPUTED | {"causale": "ALTRO"})
    book.both("DISPUTED_IN_PART", erp=DISPUTED | {"importo_sospeso": 300})
    book.both("DISPUTED_LATER", erp=DISPUTED | {"data_sospensione": "2026-01-21"})
    book.both("DISPUTED_BOTH", erp=DISPUTED, pcc=held)
    for document, since in (
        ("LITIGATED", "2025-12-31"),
        ("LITIGATED_LATER", "2026-01-01"),
        ("LITIGATED_PAID", "2025-01-01"),
    ):
        book.both(document, pcc=PAID if document == "LITIGATED_PAID" else {})
        book.case("CONTENZIOSO", book.supplier(document), since)
    book.paid("LITIGATED_PAID", 1220)
    book.both("LITIGATED_PAID_AFTER_D", pcc=PAID)
    book.paid("LITIGATED_PAID_AFTER_D", 1220, "2026-01-10")
    book.moved("LITIGATED_PAID_AFTER_D", "CP", "2026-01-10", 1220, data_pagamento="2026-01-10")
    book.both("LITIGATED_BOTH", pcc=held | {"causale_sospensione": "CONTENZIOSO"})
    for document in ("LITIGATED_PAID_AFTER_D", "LITIGATED_BOTH"):
        book.case("CONTENZIOSO", book.supplier(document))
    book.both("NOT_LIFTED", pcc=held)
    book.both("SUSPENDED_TOO_MUCH", erp=DISPUTED | {"importo_sospeso": 300}, pcc=held)
    book.both("NOT_LIFTED_OTHER_CAUSE", pcc=held | {"causale_sospensione": "ALTRO"})
    book.both("OTHER_CAUSE_ON_PCC", erp=DISPUTED, pcc=held | {"causale_sospensione": "ALTRO"})
    book.both("BOTH_CAUSES_EXCLUDE", erp=DISPUTED, pcc=held | {"causale_sospensione": "CONTENZIOSO"})
    dead = {"stato": "NON_LIQUIDABILE"}
    book.both("NOT_PAYABLE", erp=dead)
    book.both("NOT_PAYABLE_IN_PART", erp=dead | {"importo_non_liquidabile": 200})
    book.both("NOT_PAYABLE_BOTH", erp=dead, pcc=BOOKED | {"importo_non_liquidabile": 1220})
    book.both("PAYABLE_AGAIN", pcc=BOOKED | {"importo_non_liquidabile": 1220})


def _rejections_and_dates(book: Book) -> None:
    no = {"stato": "RIFIUTATA"}
    book.both("REJECTED", erp=no)
    book.both("ANNULLED", erp={"stato": "ANNULLATA"})
    book.both(
        "REJECTED_AND_MORE",
        erp=no | {"data_scadenza": "2025-05-01", "codice_ufficio": "A"},
        pcc={"codice_ufficio": "B"},
    )
    book.both("REJECTED_BOTH", erp=no, pcc={"stato_documento": "RIFIUTATO"})
    book.erp("REJECTED_NOT_ON_PCC", **no)
    book.both("REJECTED_NOT_PAYABLE_ON_PCC", erp=no, pcc=BOOKED | {"importo_non_liquidabile": 1220})
    book.both("REJECTED_ON_PCC", pcc={"stato_documento": "RIFIUTATO"})
    book.both("DUE_APART", pcc={"data_scadenza": "2025-02-20"})
    book.both("DUE_ABSENT_ON_PCC", pcc={"data_scadenza": None})
    book.both("DUE_ACROSS_D", erp={"data_scadenza": "2026-01-15"})
    book.both("DUE_APART_PAID", erp={"data_scadenza": "2025-03-14"}, pcc=PAID)
    book.paid("DUE_APART_PAID", 1220)
    book.both("DUE_ABSENT_IN_ERP", erp={"data_scadenza": None}, pcc={"data_scadenza": "2025-02-20"})
    book.both("DUE_BY_SDI_ACROSS_D", data_scadenza=None)
    book.sdi("DUE_BY_SDI_ACROSS_D", data_scadenza="2026-01-15")
    issued = {"data_scadenza": None, "data_ricezione": "2025-11-15"}
    book.both(
        "ISSUED_ACROSS_D",
        erp=issued | {"data_emissione": "2026-01-02"},
        pcc=issued | {"data_emissione": "2025-12-30"},
    )
    book.both("ISSUED_APART", pcc={"data_emissione": "2025-01-11"})


def _amounts_and_presence(book: Book) -> None:
    for document, total in (("AMOUNT", "1320"), ("CENT", "1220.01"), ("TWO_CENTS", "1219.98")):
        book.both(document, pcc={"importo_totale": total})
    book.both("SPLIT", erp={"split_payment": True})
    book.both("SPLIT_BOTH", split_payment=True)
    book.both("SPLIT_CLOSED_ON_PCC", erp={"split_payment": True}, pcc=BOOKED | {"importo_non_liquidabile": 220})
    book.both("SPLIT_OTHER_TOTAL", erp={"split_payment": True}, pcc={"importo_totale": 1320})
    book.both("NOTE_USED", tipo_documento="TD04")
    book.paid("NOTE_USED", 1220)
    book.both("NOTE_USED_BOTH", tipo_documento="TD04", pcc=PAID)
    book.paid("NOTE_USED_BOTH", 1220)
    book.both("NOTE_OPEN_BOTH", tipo_documento="TD04")
    book.both("DUPLICATED", erp={"id_pcc": "PDUPLICATED"})
    book.pcc("DUPLICATED", progressivo_registrazione="PSECOND")
    book.pcc("DUPLICATED", progressivo_registrazione="PNO_SECOND", numero_documento="77/A")
    book.erp("ERP_ONLY")
    book.erp("ERP_ONLY_SDI", lotto_sdi="900001")
    book.pcc("PCC_ONLY")
    book.pcc("PCC_ONLY_REJECTED", stato_documento="RIFIUTATO")
    book.both("AMBIGUOUS")
    book.pcc("AMBIGUOUS", progressivo_registrazione="PAMBIGUOUS2")


def _lists_and_the_rest(book: Book) -> None:
    old: dict[str, Any] = {"data_emissione": "2024-11-20", "data_ricezione": "2024-11-25"}
    book.both("LISTED_PAID", pcc=PAID)
    book.paid("LISTED_PAID", 1220)
    book.both("LISTED_PAID_ERP")
    book.paid("LISTED_PAID_ERP", 1220)
    book.both("LISTED_REJECTED", erp={"stato": "RIFIUTATA"})
    book.both("LISTED_OPEN")
    book.both("OLD_365", **old, data_scadenza="2024-12-31")
    for document in ("OLD_366", "OLD_PAID", "OLD_LISTED"):
        book.both(document, **old, data_scadenza="2024-12-30", pcc=PAID if document == "OLD_PAID" else {})
    book.paid("OLD_PAID", 1220)
    for document in ("LISTED_PAID", "LISTED_PAID_ERP", "LISTED_REJECTED", "LISTED_OPEN", "OLD_LISTED"):
        supplier = book.supplier(document)
        book.row("open_list", piva_fornitore=f"IT {supplier}", numero=f"FT. {supplier[-4:]}")
    book.both("TOO_MUCH_BOOKED", pcc=BOOKED | {"importo_liquidato": 1300})
    book.both("ALL_BOOKED", pcc=BOOKED | {"importo_liquidato": 1220})
    book.both("OFFICE", erp={"codice_ufficio": "UF0001"}, pcc={"codice_ufficio": "UF0002"})
    book.both("OFFICE_IN_SMALL", erp={"codice_ufficio": "uf0001"}, pcc={"codice_ufficio": "UF0001"})
    book.both("OFFICE_ABSENT", pcc={"codice_ufficio": "UF0001"})
    book.both("NOT_COMMERCIAL", erp={"commerciale": False})
    for document, since in (("NOT_COMMERCIAL_CASE", "2025-12-31"), ("NOT_COMMERCIAL_LATER", "2026-01-01")):
        book.both(document)
        book.case("NON_COMMERCIALE", book.supplier(document), since)
    book.both("NOT_COMMERCIAL_REPORTED", erp={"commerciale": False}, pcc={"importo_pagato_non_commerciale": 1220})
    book.paid("NOT_COMMERCIAL_REPORTED", 1220)


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    book = Book()
    for written in (
        _payments,
        _suspensions,
        _rejections_and_dates,
        _amounts_and_presence,
        _lists_and_the_rest,
    ):
        written(book)
    return book.reconciled(tmp_path_factory.mktemp("anomalies"))


@pytest.mark.parametrize("document", EXPECTED)
def test_document_bears(seen: Seen, document: str) -> None:
    assert seen.codes(document) == {code: Decimal(amount) for code, amount in EXPECTED[document].items()}


def test_every_cent_between_the_stocks_is_borne_once(seen: Seen) -> None:
    borne = {(own, theirs): amount for _, own, theirs, amount, _ in seen.anomalies}
    assert sum(borne.values()) == seen.found.stock("pcc") - seen.found.stock("right")


def test_what_never_passed_sdi_goes_out_by_model_002_and_the_rest_asks(seen: Seen) -> None:
    asks = {own: manual for code, own, _, _, manual in seen.anomalies if code == "MISSING_ON_PCC"}
    assert asks == {"ERP_ONLY": False, "ERP_ONLY_SDI": True}


def test_only_what_a_person_must_answer_has_a_question(seen: Seen) -> None:
    asked = seen.found.rows("anomalies", "code", "id_documento", "manual", "question")
    assert [row for row in asked if not row[2] and row[3] is not None] == []
    assert ("MISSING_ON_PCC", "ERP_ONLY", False, None) in asked
    texts = {(row[0], row[1]): row[3] for row in asked}
    assert texts["MISSING_ON_PCC", "ERP_ONLY_SDI"].endswith("perché il documento non è su PCC?")
    assert texts["NON_COMMERCIAL_NOT_REPORTED", "NOT_COMMERCIAL"].endswith("Quando sarà pagato?")


def test_one_text_asks_one_question(seen: Seen) -> None:
    columns = ("code", "id_documento", "progressivo_registrazione", "question")
    assert set(seen.found.rows("anomalies", *columns, where="manual")) <= set(seen.found.rows("questions", *columns))


def test_without_an_open_list_nothing_is_missing_from_it(tmp_path_factory: pytest.TempPathFactory) -> None:
    book = Book()
    book.both("OLD", data_emissione="2023-11-20", data_ricezione="2023-11-25", data_scadenza="2023-12-30")
    assert book.reconciled(tmp_path_factory.mktemp("no_list")).codes("OLD") == {}

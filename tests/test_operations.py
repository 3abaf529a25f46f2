"""Operations, document by document: accounts before, what is proposed, accounts after. One worked case or more a code.

Cases are written by hand from section 7 of the rules. That PCC takes every operation, and what it then shows, is tested
in test_operations_ledger.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from test_rules_base import Book, Seen

BOOKED = {"stato_documento": "CONTABILIZZATO"}
LIQUIDATED = BOOKED | {"importo_liquidato": 1220}
DISPUTE = {"stato": "SOSPESA", "causale": "CONTESTATO", "data_sospensione": "2025-02-03"}

#: Document -> its operations in order, each `azione stato importo [more]`, and the accounts after them
#: (ricevuto, liquidato, sospeso, non liquidabile, pagato, pagato non commerciale).
EXPECTED: dict[str, tuple[list[str], str]] = {
    # PAID_NOT_REPORTED: booked first as far as needed, one CP a payment order, in time.
    "PAID": (["CO LIQ 1220", "CP 1220 M-A 2025-03-08 IT{supplier}"], "0 0 0 0 1220 0"),
    "PAID_LIQUIDATED": (["CP 1220"], "0 0 0 0 1220 0"),
    "PAID_IN_TWO": (["CO LIQ 720", "CP 500 M-A 2025-03-08", "CP 720 M-B 2025-04-08"], "0 0 0 0 1220 0"),
    "PAID_HALF_KNOWN": (["CP 720 M-B"], "0 0 0 0 1220 0"),  # 500 on PCC with the same number
    "PAID_HALF_KNOWN_OTHERWISE": (["CP 720 M-B"], "0 0 0 0 1220 0"),  # 500 on PCC with another number
    "PAID_PART_OF_ORDER": (["CP 200 M-A"], "0 0 0 0 1220 0"),
    "PAID_AND_TAKEN_BACK_IN_PART": (["CO LIQ 700", "CP 700 M-A"], "520 0 0 0 700 0"),
    "PAID_WHILE_SUSPENDED": (["CO LIQdaSOSP 1220", "CS 1220 2025-02-14", "CP 1220"], "0 0 0 0 1220 0"),
    "PAID_WHILE_NOT_PAYABLE": (["CO LIQdaNL 1220", "CP 1220"], "0 0 0 0 1220 0"),
    "PAID_PRESENTED": (["RC", "CO LIQ 1220", "CP 1220"], "0 0 0 0 1220 0"),
    "PAID_AFTER_D": (["CO LIQ 1220", "CP 1220 M-A 2026-01-02"], "0 0 0 0 1220 0"),  # ordered 30/12, paid 2/1
    "PAID_MORE_THAN_PCC_HAS": (["CO LIQ 1000", "CP 1000"], "0 0 0 0 1000 0"),
    "PAID_TO_A_STRANGER": ([], ""),
    "PAID_TOO_MUCH": ([], ""),
    # NOT_BOOKED
    "LIQUIDATED": (["CO LIQ 1220 natura CA cig Z1 cup C1"], "0 1220 0 0 0 0"),
    # Suspensions
    "DISPUTED": (["CO SOSP 1220 NA CONT 'Contestazione dal 03/02/2025' cig NA cup NA"], "0 0 1220 0 0 0"),
    "DISPUTED_LIQUIDATED": (["CO SOSPdaLIQ 1220 CO CONT 'Contestazione dal 03/02/2025' cig Z1"], "0 0 1220 0 0 0"),
    "DISPUTED_IN_PART": (["CO SOSP 300"], "920 0 300 0 0 0"),
    "DISPUTED_FROM_BOTH": (["CO SOSP 500", "CO SOSPdaLIQ 300"], "0 420 800 0 0 0"),
    "DISPUTED_NOT_PAYABLE": (["CO SOSPdaNL 1220 NA"], "0 0 1220 0 0 0"),
    "AWAITING_NOTE": (["CO SOSP 1220 NA ATTNC"], "0 0 1220 0 0 0"),
    "LITIGATED": (["CO SOSP 1220 NA CONT 'Contenzioso dal 04/05/2025'"], "0 0 1220 0 0 0"),
    "LITIGATED_PAID_AFTER_D": ([], ""),  # nothing is left to suspend
    "NOT_LIFTED": (["CO LIQdaSOSP 1220 CO", "CS 1220 2025-02-14"], "0 1220 0 0 0 0"),
    "SUSPENDED_TOO_MUCH": (["CO LIQdaSOSP 920", "CS 1220 2025-02-14"], "0 920 300 0 0 0"),
    "OTHER_CAUSE": (["CO LIQdaSOSP 1220", "CO SOSPdaLIQ 1220 CO CONT", "CS 1220"], "0 0 1220 0 0 0"),
    "MORE_AND_OTHER_CAUSE": (["CO LIQdaSOSP 400", "CO SOSP 820 NA CONT", "CO SOSPdaLIQ 400", "CS 1220"], "0 0 1220 0 0 0"),
    # Not payable
    "NOT_PAYABLE": (["CO NOLIQ 1220 NA cig NA cup NA"], "0 0 0 1220 0 0"),
    "NOT_PAYABLE_LIQUIDATED": (["CO NLdaLIQ 1220 CO cig NA"], "0 0 0 1220 0 0"),
    "NOT_PAYABLE_SUSPENDED": (["CO NLdaSOSP 1220 NA"], "0 0 0 1220 0 0"),
    "PAYABLE_AGAIN": (["CO LIQdaNL 1220"], "0 1220 0 0 0 0"),
    "SPLIT": (["CO NOLIQ 220 NA 'IVA in scissione dei pagamenti'"], "1000 0 0 220 0 0"),
    "SPLIT_PAID": (["CO NLdaLIQ 220 CO"], "0 0 0 220 1000 0"),
    # Rejections
    "REJECTED": (["RF 'Documento rifiutato dall''ente'"], "1220 0 0 0 0 0"),
    "REJECTED_PRESENTED": (["RF"], "1220 0 0 0 0 0"),
    "REJECTED_BOOKED": (["CO NLdaLIQ 1220"], "0 0 0 1220 0 0"),
    "REJECTED_IN_PARTS": (["CO NLdaSOSP 100", "CO NOLIQ 920", "CO NLdaLIQ 200"], "0 0 0 1220 0 0"),
    "REJECTED_ON_PCC": ([], ""),
    # Due dates
    "DUE": (["CS 1220 2025-03-20"], "1220 0 0 0 0 0"),
    "DUE_PARTLY_PAID": (["CS 720 2025-03-20"], "0 720 0 0 500 0"),
    "DUE_PRESENTED": (["RC", "CS 1220"], "1220 0 0 0 0 0"),
    # Credit notes
    "NOTE": (["CO LIQ 200", "CP 200 M-X"], "0 0 0 0 200 0"),
    "NOTED": (["CO NOLIQ 200 NA NCRED", "CO LIQ 1020", "CP 1020 M-X"], "0 0 0 200 1020 0"),
    "NOTE_ALONE": (["CO LIQ 200", "CP 200"], "0 0 0 0 200 0"),
    # Presence
    "PSECOND": (["CO NOLIQ 1220 NA"], "0 0 0 1220 0 0"),
    "NEW": (["002 RC 1220 2025-02-14"], "1220 0 0 0 0 0"),
    "NEW_SPLIT_PAID": (["002 RC 1220", "CO NOLIQ 220", "CO LIQ 1000", "CP 1000"], "0 0 0 220 1000 0"),
    "NEW_THROUGH_SDI": ([], ""),
    "PONLY_PCC": ([], ""),
    # The open list: nothing closes it.
    "LISTED": ([], ""),
    "LISTED_REJECTED": ([], ""),
    # Non-commercial
    "OTHER_DEBT": (["CO LIQ 1220", "CP 1220 nc 'Debito non commerciale'"], "0 0 0 0 0 1220"),
    "OTHER_DEBT_UNPAID": ([], ""),
    # Manual
    "AMOUNT": ([], ""),
    "BROKEN": ([], ""),
    # Several codes in one consistent sequence.
    "ALL_AT_ONCE": (
        ["RC", "CO NOLIQ 220 NA", "CO SOSP 300 NA CONT", "CO LIQ 400", "CS 1000 2025-03-20", "CP 400 M-A"],
        "300 0 300 220 400 0",
    ),
    "LIFTED_PAID_AND_DUE": (["CO LIQdaSOSP 1220", "CS 1220 2025-03-20", "CP 500", "CP 220"], "0 500 0 0 720 0"),
}


def _payments(book: Book) -> None:
    book.both("PAID")
    book.paid("PAID", 1220, "2025-03-10", numero_mandato="M-A", data_mandato="2025-03-08")
    book.both("PAID_LIQUIDATED", pcc=LIQUIDATED)
    book.paid("PAID_LIQUIDATED", 1220)
    for document, pcc, told in (
        ("PAID_IN_TWO", BOOKED | {"importo_liquidato": 500}, None),
        ("PAID_HALF_KNOWN", BOOKED | {"importo_liquidato": 720, "importo_pagato": 500}, "M-A"),
        ("PAID_HALF_KNOWN_OTHERWISE", BOOKED | {"importo_liquidato": 720, "importo_pagato": 500}, "1"),
    ):
        book.both(document, pcc=pcc)
        book.paid(document, 500, "2025-03-10", numero_mandato="M-A", data_mandato="2025-03-08")
        book.paid(document, 720, "2025-04-10", numero_mandato="M-B", data_mandato="2025-04-08")
        if told:
            book.moved(document, "CP", "2025-03-10", 500, data_pagamento="2025-03-10", numero_mandato=told)
    book.both("PAID_PART_OF_ORDER", pcc=BOOKED | {"importo_liquidato": 200, "importo_pagato": 1020})
    book.paid("PAID_PART_OF_ORDER", 1220, numero_mandato="M-A")
    book.both("PAID_AND_TAKEN_BACK_IN_PART")
    book.paid("PAID_AND_TAKEN_BACK_IN_PART", 1220, "2025-03-10", numero_mandato="M-A")
    book.paid("PAID_AND_TAKEN_BACK_IN_PART", 520, "2025-03-20", numero_mandato="M-A", storno=True)
    held = BOOKED | {"importo_sospeso": 1220, "causale_sospensione": "CONT"}
    book.both("PAID_WHILE_SUSPENDED", pcc=held)
    book.both("PAID_WHILE_NOT_PAYABLE", pcc=BOOKED | {"importo_non_liquidabile": 1220})
    book.both("PAID_PRESENTED", pcc={"stato_documento": "PRESENTATO"})
    for document in ("PAID_WHILE_SUSPENDED", "PAID_WHILE_NOT_PAYABLE", "PAID_PRESENTED"):
        book.paid(document, 1220)
    book.both("PAID_AFTER_D")
    book.paid("PAID_AFTER_D", 1220, "2026-01-02", numero_mandato="M-A", data_mandato="2025-12-30")
    book.both("PAID_MORE_THAN_PCC_HAS", pcc={"importo_totale": 1000, "totale_imposta": 0, "importo_imponibile": 1000})
    book.paid("PAID_MORE_THAN_PCC_HAS", 1220)
    book.both("PAID_TO_A_STRANGER")
    book.paid("PAID_TO_A_STRANGER", 1220, cf_beneficiario="99999999990")
    book.both("PAID_TOO_MUCH", pcc={"stato_documento": "PAGATO", "importo_pagato": 1220})


def _bookings(book: Book) -> None:
    coded = {"natura_spesa": "CA", "cig": "Z1", "cup": "C1"}
    held = BOOKED | {"importo_sospeso": 1220, "causale_sospensione": "CONT"}
    book.both("LIQUIDATED", erp=coded | {"stato": "LIQUIDATA"})
    book.both("DISPUTED", erp=coded | DISPUTE)
    book.both("DISPUTED_LIQUIDATED", erp=DISPUTE | {"cig": "Z1"}, pcc=LIQUIDATED)
    book.both("DISPUTED_IN_PART", erp=DISPUTE | {"importo_sospeso": 300})
    book.both("DISPUTED_FROM_BOTH", erp=DISPUTE | {"importo_sospeso": 800}, pcc=BOOKED | {"importo_liquidato": 720})
    book.both("DISPUTED_NOT_PAYABLE", erp=DISPUTE, pcc=BOOKED | {"importo_non_liquidabile": 1220})
    book.both("AWAITING_NOTE", erp=DISPUTE | {"causale": "ATTESA_NC"})
    book.both("LITIGATED")
    book.case("CONTENZIOSO", book.supplier("LITIGATED"), "2025-05-04")
    book.both("LITIGATED_PAID_AFTER_D", pcc={"stato_documento": "PAGATO", "importo_pagato": 1220})
    book.case("CONTENZIOSO", book.supplier("LITIGATED_PAID_AFTER_D"))
    book.paid("LITIGATED_PAID_AFTER_D", 1220, "2026-01-10")
    book.moved("LITIGATED_PAID_AFTER_D", "CP", "2026-01-10", 1220, data_pagamento="2026-01-10")
    book.both("NOT_LIFTED", pcc=held)
    book.both("SUSPENDED_TOO_MUCH", erp=DISPUTE | {"importo_sospeso": 300}, pcc=held)
    book.both("OTHER_CAUSE", erp=DISPUTE, pcc=held | {"causale_sospensione": "ALTRO"})
    book.both("MORE_AND_OTHER_CAUSE", erp=DISPUTE, pcc=BOOKED | {"importo_sospeso": 400, "causale_sospensione": "ATTNC"})
    book.both("NOT_PAYABLE", erp=coded | {"stato": "NON_LIQUIDABILE"})
    book.both("NOT_PAYABLE_LIQUIDATED", erp={"stato": "NON_LIQUIDABILE"}, pcc=LIQUIDATED)
    book.both("NOT_PAYABLE_SUSPENDED", erp={"stato": "NON_LIQUIDABILE"}, pcc=held)
    book.both("PAYABLE_AGAIN", pcc=BOOKED | {"importo_non_liquidabile": 1220})
    book.both("SPLIT", erp={"split_payment": True})
    book.both("SPLIT_PAID", erp={"split_payment": True}, pcc=BOOKED | {"importo_liquidato": 220, "importo_pagato": 1000})
    book.paid("SPLIT_PAID", 1000)
    no = {"stato": "RIFIUTATA"}
    book.both("REJECTED", erp=no)
    book.both("REJECTED_PRESENTED", erp=no, pcc={"stato_documento": "PRESENTATO"})
    book.both("REJECTED_BOOKED", erp={"stato": "ANNULLATA"}, pcc=LIQUIDATED)
    book.both(
        "REJECTED_IN_PARTS",
        erp=no,
        pcc=BOOKED | {"importo_liquidato": 200, "importo_sospeso": 100, "causale_sospensione": "ALTRO"},
    )
    book.both("REJECTED_ON_PCC", erp={"stato": "LIQUIDATA"}, pcc={"stato_documento": "RIFIUTATO"})
    later = {"data_scadenza": "2025-03-20"}
    book.both("DUE", erp=later)
    book.both("DUE_PARTLY_PAID", erp=later, pcc=BOOKED | {"importo_liquidato": 720, "importo_pagato": 500})
    book.paid("DUE_PARTLY_PAID", 500)
    book.both("DUE_PRESENTED", erp=later, pcc={"stato_documento": "PRESENTATO"})


def _the_rest(book: Book) -> None:
    later = {"data_scadenza": "2025-03-20"}
    small: dict[str, Any] = {"tipo_documento": "TD04", "importo_totale": 200}
    for document in ("NOTE", "NOTE_ALONE"):
        supplier = book.supplier("NOTED" if document == "NOTE" else document)
        book.both(
            document,
            **small,
            erp={"piva_fornitore": supplier, "numero": "NC1", "imponibile": 164, "iva": 36},
            pcc={"id_fiscale_iva": supplier, "numero_documento": "NC1", "importo_imponibile": 164, "totale_imposta": 36},
        )
        book.paid(document, 200, numero_mandato="M-X" if document == "NOTE" else "M-Z", cf_beneficiario=supplier)
    book.both("NOTED")
    book.paid("NOTED", 1220, numero_mandato="M-X")
    book.both("TWICE", erp={"id_pcc": "PTWICE"})
    book.pcc("TWICE", progressivo_registrazione="PSECOND")
    book.erp("NEW", tipo_documento="PARCELLA")
    book.erp("NEW_SPLIT_PAID", split_payment=True, stato="LIQUIDATA")
    book.paid("NEW_SPLIT_PAID", 1000)
    book.erp("NEW_THROUGH_SDI", lotto_sdi="900001")
    book.pcc("ONLY_PCC")
    book.both("LISTED", erp=later)
    book.paid("LISTED", 1220)
    book.both("LISTED_REJECTED", erp={"stato": "RIFIUTATA"})
    for document in ("LISTED", "LISTED_REJECTED"):
        book.row("open_list", piva_fornitore=book.supplier(document), numero=book.supplier(document)[-4:])
    book.both("OTHER_DEBT", erp={"commerciale": False})
    book.paid("OTHER_DEBT", 1220)
    book.both("OTHER_DEBT_UNPAID", erp={"commerciale": False})
    book.both("AMOUNT", pcc={"importo_totale": 1320})
    book.both("BROKEN", erp={"stato": "NON_LIQUIDABILE"}, pcc=BOOKED | {"importo_liquidato": 1300})
    book.both(
        "ALL_AT_ONCE",
        erp=later | {"split_payment": True, "stato": "SOSPESA", "causale": "CONTESTATO", "importo_sospeso": 300},
        pcc={"stato_documento": "PRESENTATO"},
    )
    book.paid("ALL_AT_ONCE", 400, numero_mandato="M-A")
    book.both("LIFTED_PAID_AND_DUE", erp=later, pcc=BOOKED | {"importo_sospeso": 1220, "causale_sospensione": "CONT"})
    book.paid("LIFTED_PAID_AND_DUE", 500, "2025-03-10")
    book.paid("LIFTED_PAID_AND_DUE", 220, "2025-03-12")


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    book = Book()
    for written in (_payments, _bookings, _the_rest):
        written(book)
    made = book.reconciled(tmp_path_factory.mktemp("operations"))
    made.suppliers = {document: book.supplier(document) for document in EXPECTED}  # type: ignore[attr-defined]
    return made


def _said(seen: Seen, document: str) -> list[set[str]]:
    """Each operation of the document as the set of all that it says, amounts plain."""
    column = "progressivo_registrazione" if document in ("PSECOND", "PONLY_PCC") else "id_documento"
    rows = seen.found.rows(
        "operations",
        "step",
        "model",
        "azione",
        "stato_debito",
        "importo",
        "natura_spesa",
        "causale",
        "descrizione",
        "cig",
        "cup",
        "data_scadenza",
        "numero_mandato",
        "data_mandato",
        "id_fiscale_beneficiario",
        "non_commercial",
        where=f"{column} = '{document}'",
    )
    said = []
    for number, (step, model, azione, stato, importo, natura, causale, words, cig, cup, *rest, aside) in enumerate(
        sorted(rows), 1
    ):
        assert step == number
        said.append(
            {
                model,
                azione,
                stato,
                None if importo is None else f"{importo:f}".removesuffix(".00"),
                natura,
                causale,
                f"'{words}'",
                f"cig {cig}",
                f"cup {cup}",
                f"natura {natura}",
                *map(str, rest),
                *(["nc"] if aside else []),
            }
        )
    return said


def _words(line: str) -> list[str]:
    """The words of an expectation: quoted text is one, `cig X`, `cup X` and `natura X` go together."""
    head, _, quoted = line.partition("'")
    quoted, _, tail = quoted.rpartition("'")
    words, found = (head + tail).split(), [f"'{quoted.replace(chr(39) * 2, chr(39))}'"] if quoted else []
    while words:
        word = words.pop(0)
        found.append(f"{word} {words.pop(0)}" if word in ("cig", "cup", "natura") else word)
    return found


@pytest.mark.parametrize("document", EXPECTED)
def test_operations_of(seen: Seen, document: str) -> None:
    wanted, after = EXPECTED[document]
    said = _said(seen, document)
    assert len(said) == len(wanted), said
    for line, found in zip(wanted, said, strict=True):
        for word in _words(line.format(supplier=seen.suppliers[document])):  # type: ignore[attr-defined]
            assert word in found, (line, found)
    key = "coalesce(id_documento, progressivo_registrazione)"
    accounts = seen.found.rows(
        "projected_accounts",
        "unbooked",
        "liquidated",
        "suspended",
        "not_payable",
        "paid",
        "paid_non_commercial",
        where=f"{key} = '{document}'",
    )
    assert accounts == ([tuple(Decimal(part) for part in after.split())] if after else [])


def test_what_each_operation_takes_from_the_stock_sums_to_the_projection(seen: Seen) -> None:
    taken = sum(effect for (effect,) in seen.found.rows("operations", "stock_effect"))
    assert seen.found.stock("pcc") - taken == seen.found.stock("projected")


def test_what_no_operation_settles_is_asked_with_the_amount(seen: Seen) -> None:
    asked = {
        document: (code, remaining)
        for code, document, remaining in seen.found.rows("questions", "code", "id_documento", "remaining")
    }
    left = seen.found.stock("projected") - seen.found.stock("right")
    assert left == sum(remaining for _, remaining in asked.values())
    assert asked["AMOUNT"] == ("AMOUNT_DIFFERS", 100)
    assert asked["LISTED"] == ("MUST_STAY_OPEN", 1220)
    assert asked["PAID_MORE_THAN_PCC_HAS"] == ("AMOUNT_DIFFERS", 0)
    assert asked["LITIGATED_PAID_AFTER_D"] == ("SUSPENSION_NOT_REPORTED", 1220)
    assert asked["NOTE_ALONE"] == ("CREDIT_NOTE_OPEN", 0)
    assert "NOTE" not in asked


def test_a_question_names_the_facts(seen: Seen) -> None:
    ((question,),) = seen.found.rows("questions", "question", where="id_documento = 'AMOUNT'")
    for fact in ("del 10/01/2025", "1.220,00 euro nel gestionale", "1.320,00 su PCC", seen.suppliers["AMOUNT"]):  # type: ignore[attr-defined]
        assert fact in question
    for (question,) in seen.found.rows("questions", "question"):
        assert "{" not in question


def test_an_operation_keeps_its_id_until_the_state_on_pcc_changes(tmp_path_factory: pytest.TempPathFactory) -> None:
    def ids(**pcc: Any) -> set[str]:
        book = Book()
        book.both("PAID", pcc=pcc)
        book.paid("PAID", 500, numero_mandato="M-A")
        found = book.reconciled(tmp_path_factory.mktemp("ids")).found
        return {identity for (identity,) in found.rows("operations", "operation_id", where="azione = 'CP'")}

    assert ids() == ids() != ids(**LIQUIDATED)

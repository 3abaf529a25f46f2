"""Section 5 of the rules: who the creditor is, and who may therefore be paid. Not here: pairing (test_rules_matching)."""

from __future__ import annotations

import pytest
from test_rules_base import Book, Seen

PAID = {"stato_documento": "PAGATO", "importo_pagato": 1220}
HEIR = "BNCLRA70A41H501X"
BANK, FACTOR, LENDER, THIRD = "20000000001", "20000000002", "20000000003", "20000000004"

#: How the two sides write one subject (VAT number, fiscal code), and the form it is shown in.
SUBJECTS = {
    "AS_IS": (("01234567897", None), ("01234567897", None), "01234567897"),
    "COUNTRY": (("01234567898", None), ("IT01234567898", None), "01234567898"),
    "PADDED": (("123456789", None), ("IT00123456789", None), "00123456789"),
    "SPACED": (("it 0123.4567-890", None), ("01234567890", None), "01234567890"),
    "CODE": ((None, "rssmra80a01h501u"), (None, "RSSMRA80A01H501U"), "RSSMRA80A01H501U"),
    "EITHER": ((None, "VRDGPP75B02F205Z"), ("IT01234567893", "VRDGPP75B02F205Z"), "01234567893"),
    "OTHER": (("01234567894", "NRILGU60C03L219P"), ("IT01234567894", None), "01234567894"),
    # Each side has one identifier: a third document bears both.
    "THROUGH": ((None, "GLLMRC55D04A944K"), ("01234567895", None), "01234567895"),
    "FOREIGN": (("DE123456789", None), ("DE 123 456 789", None), "DE123456789"),
}


def _identity(book: Book) -> None:
    for document, ((vat, code), (their_vat, their_code), _) in SUBJECTS.items():
        book.both(
            document,
            erp={"piva_fornitore": vat, "cf_fornitore": code},
            pcc={"id_fiscale_iva": their_vat, "cf_fornitore": their_code},
        )
    book.both(
        "BEARS_BOTH",
        cf_fornitore="GLLMRC55D04A944K",
        erp={"piva_fornitore": "01234567895"},
        pcc={"id_fiscale_iva": "01234567895"},
    )


def _to(vat: str) -> dict[str, str]:
    return {"nuovo_creditore_piva": f"IT{vat}", "nuovo_creditore_denominazione": "Nuovo"}


def _cases(book: Book) -> None:
    for document in (
        "CEDED", "CEDED_ON_D", "CEDED_AFTER_D", "INHERITED", "MERGED", "CHAINED", "LATER_WINS", "ONE_OF_TWO", "LOOP_A", "LOOP_B",
    ):  # fmt: skip
        book.both(document)
    own = book.supplier
    book.both("THE_OTHER_OF_TWO", erp={"numero": "5000", "piva_fornitore": own("ONE_OF_TWO")},
              pcc={"id_fiscale_iva": own("ONE_OF_TWO"), "numero_documento": "5000"})  # fmt: skip
    book.case("CESSIONE", f"IT{own('CEDED')}", **_to(BANK))
    book.case("CESSIONE", own("CEDED_ON_D"), "2025-12-31", **_to(BANK))
    book.case("CESSIONE", own("CEDED_AFTER_D"), "2026-01-01", **_to(BANK))
    book.case("SUCCESSIONE", own("INHERITED"), nuovo_creditore_cf=HEIR.lower())
    book.case("OPERAZIONE_SOCIETARIA", own("MERGED"), **_to(FACTOR))
    book.case("OPERAZIONE_SOCIETARIA", own("CHAINED"), **_to(LENDER))
    book.case("OPERAZIONE_SOCIETARIA", LENDER, **_to(THIRD))
    book.case("CESSIONE", own("LATER_WINS"), "2025-06-01", **_to(FACTOR))
    book.case("CESSIONE", own("LATER_WINS"), "2025-01-01", **_to(BANK))
    book.case("CESSIONE", own("ONE_OF_TWO"), numero=f"FT {own('ONE_OF_TWO')[-4:]}/2025", **_to(BANK))
    for document in ("CEDED_THEN_MERGED", "ONE_LATER_WINS", "BEFORE_A_LOOP"):
        book.both(document)
    number = own("CEDED_THEN_MERGED")[-4:]
    book.case("CESSIONE", own("CEDED_THEN_MERGED"), numero=number, **_to("30000000005"))
    book.case("OPERAZIONE_SOCIETARIA", "30000000005", **_to("30000000006"))
    number = own("ONE_LATER_WINS")[-4:]
    book.case("CESSIONE", own("ONE_LATER_WINS"), "2025-06-01", numero=f"{number}/2025", **_to(FACTOR))
    book.case("CESSIONE", own("ONE_LATER_WINS"), "2025-01-01", numero=number, **_to(BANK))
    book.case("OPERAZIONE_SOCIETARIA", own("BEFORE_A_LOOP"), **_to(own("LOOP_A")))
    book.case("OPERAZIONE_SOCIETARIA", own("LOOP_A"), **_to(own("LOOP_B")))
    book.case("OPERAZIONE_SOCIETARIA", own("LOOP_B"), **_to(own("LOOP_A")))


def _mandates(book: Book) -> None:
    own = book.supplier
    paid = {
        "TO_SUPPLIER": ("2025-03-10", None),
        "TO_STRANGER": ("2025-03-10", THIRD),
        "TO_NOBODY": ("2025-03-10", ""),
        "TO_SUPPLIER_BEFORE_CESSION": ("2025-05-31", None),
        "TO_SUPPLIER_AFTER_CESSION": ("2025-06-01", None),
        "TO_BANK_AFTER_CESSION": ("2025-06-01", f"IT{BANK}"),
        "TO_GARNISHER": ("2025-03-10", THIRD),
        "TO_STRANGER_AFTER_O": ("2026-01-21", THIRD),
    }
    for document, (day, whom) in paid.items():
        book.both(document, pcc={} if day > "2026-01-20" else PAID)
        beneficiary = f"IT {own(document)}" if whom is None else whom or None
        book.paid(document, 1220, day, cf_beneficiario=beneficiary)
        if document.endswith("CESSION"):
            book.case("CESSIONE", own(document), "2025-06-01", **_to(BANK))
    for document in ("TO_BANK_BEFORE_ITS_MERGER", "TO_FIRST_BANK"):
        book.both(document, pcc=PAID)
        book.paid(document, 1220, "2025-03-01", cf_beneficiario="30000000001")
    book.case("CESSIONE", own("TO_BANK_BEFORE_ITS_MERGER"), **_to("30000000001"))
    book.case("OPERAZIONE_SOCIETARIA", "30000000001", "2025-06-01", **_to("30000000002"))
    book.case("CESSIONE", own("TO_FIRST_BANK"), **_to("30000000001"))
    book.case("CESSIONE", own("TO_FIRST_BANK"), "2025-06-01", **_to("30000000003"))
    book.case("PIGNORAMENTO", own("TO_GARNISHER"), **_to(THIRD))
    book.both("TO_CODE", cf_fornitore="FRRNNA65E45D612Q", pcc=PAID)
    book.paid("TO_CODE", 1220, cf_beneficiario="frrnna65e45d612q")
    book.both("REVERSED_STRANGER", pcc=PAID)
    book.paid("REVERSED_STRANGER", 1220)
    book.paid("REVERSED_STRANGER", 10, storno=True, cf_beneficiario=THIRD)
    book.paid("REVERSED_STRANGER", 10)


@pytest.fixture(scope="module")
def book() -> Book:
    book = Book()
    for written in (_identity, _cases, _mandates):
        written(book)
    return book


@pytest.fixture(scope="module")
def seen(book: Book, tmp_path_factory: pytest.TempPathFactory) -> Seen:
    return book.reconciled(tmp_path_factory.mktemp("creditors"))


@pytest.mark.parametrize("document", SUBJECTS)
def test_one_subject_however_written(seen: Seen, document: str) -> None:
    assert seen.tier(document) == (f"P{document}", "exact")
    assert seen.position("right", document)["creditor"] == SUBJECTS[document][2]


@pytest.mark.parametrize(
    ("document", "creditor"),
    [
        ("CEDED", BANK),
        ("CEDED_ON_D", BANK),
        ("CEDED_AFTER_D", None),
        ("INHERITED", HEIR),
        ("MERGED", FACTOR),
        ("CHAINED", THIRD),
        ("LATER_WINS", FACTOR),
        ("ONE_OF_TWO", BANK),
        ("CEDED_THEN_MERGED", "30000000006"),
        ("ONE_LATER_WINS", FACTOR),
        ("BEFORE_A_LOOP", None),
        ("LOOP_A", None),
        ("LOOP_B", None),
    ],
)
def test_present_creditor_beside_the_original(book: Book, seen: Seen, document: str, creditor: str | None) -> None:
    supplier = book.supplier(document)
    shown = seen.found.rows("debt_positions", "view", "original_creditor", "creditor", where=f"id_documento = '{document}'")
    # PCC knows the supplier alone, and still does once the operations are accepted.
    as_on_pcc = [(view, supplier, supplier) for view in ("pcc", "projected")]
    assert shown == [*as_on_pcc, ("right", supplier, creditor or supplier)]


def test_a_case_of_one_document_leaves_the_supplier_s_others(book: Book, seen: Seen) -> None:
    assert seen.position("right", "THE_OTHER_OF_TWO")["creditor"] == book.supplier("ONE_OF_TWO")


def test_the_stock_by_creditor_follows_the_case(seen: Seen) -> None:
    # CEDED, CEDED_ON_D, ONE_OF_TWO: what was paid after its cession is no stock.
    assert seen.found.rows("stock_by_creditor", "amount", "documents", where=f"view = 'right' and creditor = '{BANK}'") == [
        (3660, 3)
    ]


@pytest.mark.parametrize("document", ["LOOP_A", "LOOP_B", "BEFORE_A_LOOP"])
def test_a_loop_is_named(seen: Seen, document: str) -> None:
    assert seen.codes(document) == {"CREDITOR_LOOP": 0}


@pytest.mark.parametrize("document", ["TO_STRANGER", "TO_SUPPLIER_AFTER_CESSION"])
def test_paid_to_who_is_not_the_creditor(seen: Seen, document: str) -> None:
    assert seen.codes(document) == {"WRONG_BENEFICIARY": 0}


@pytest.mark.parametrize(
    "document",
    [
        "TO_SUPPLIER",
        "TO_NOBODY",
        "TO_SUPPLIER_BEFORE_CESSION",
        "TO_BANK_AFTER_CESSION",
        "TO_GARNISHER",
        "TO_STRANGER_AFTER_O",
        "TO_CODE",
        "REVERSED_STRANGER",
        "CEDED",
        "CHAINED",
        "ONE_OF_TWO",
        "THE_OTHER_OF_TWO",
    ],
)
def test_no_anomaly_of_the_creditor(seen: Seen, document: str) -> None:
    assert seen.codes(document) == {}


@pytest.mark.parametrize("document", ["TO_BANK_BEFORE_ITS_MERGER", "TO_FIRST_BANK"])
def test_who_was_creditor_between_two_cases_may_be_paid(seen: Seen, document: str) -> None:
    # A beneficiary is judged by who was creditor on the day of payment, whatever D is.
    assert seen.codes(document) == {}


def _right(stem: str) -> str:
    """Eleven digits with their check digit (DPR 633/1972 art. 35)."""
    odd = sum(int(digit) for digit in stem[::2]) + sum(sum(divmod(2 * int(digit), 10)) for digit in stem[1::2])
    return stem + str(-odd % 10)


@pytest.fixture(scope="module")
def groups(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    group, one, other, buyer = (_right(stem) for stem in ("0900001001", "0700001001", "0700002001", "0200001001"))
    provisional = _right("5000001590")
    book = Book()
    for document, code in (("OF_A", one), ("OF_B", other), ("OF_GROUP", None)):
        ids = {"cf_fornitore": code, "importo_totale": 1220}
        book.erp(document, piva_fornitore=group, numero="1", **ids)
        book.pcc(document, id_fiscale_iva=f"IT{group}", numero_documento="1", **ids)
    book.row("special_cases", caso="CESSIONE", cf_fornitore=one, decorrenza="2025-02-01", nuovo_creditore_piva=buyer)
    book.both("PROVISIONAL", erp={"piva_fornitore": None, "cf_fornitore": provisional},
              pcc={"id_fiscale_iva": None, "cf_fornitore": provisional})  # fmt: skip
    vat = _right("0300001001")
    book.both("SOLE_TRADER", erp={"piva_fornitore": vat}, pcc={"id_fiscale_iva": vat} | PAID)
    book.paid("SOLE_TRADER", 1220, cf_beneficiario="GLLMRC55D04A944K")
    known = _right("0300002001")
    book.both(
        "KNOWN_PERSON", erp={"piva_fornitore": known}, cf_fornitore="FRRNNA65E45D612Z", pcc={"id_fiscale_iva": known} | PAID
    )
    book.paid("KNOWN_PERSON", 1220, cf_beneficiario="GLLMRC55D04A944K")
    book.both(
        "TO_TREASURY",
        erp={"piva_fornitore": vat},
        pcc={"id_fiscale_iva": vat, "cf_amministrazione": _right("8001234015")} | PAID,
    )
    book.paid("TO_TREASURY", 1000, cf_beneficiario="06363391001")
    book.paid("TO_TREASURY", 220, cf_beneficiario=_right("8001234015"))
    return book.reconciled(tmp_path_factory.mktemp("groups"))


def test_a_vat_group_joins_none_of_its_members(groups: Seen) -> None:
    assert groups.tier("OF_A") == ("POF_A", "exact")
    assert groups.tier("OF_B") == ("POF_B", "exact")
    assert groups.tier("OF_GROUP") == ("POF_GROUP", "exact")
    original = {doc: groups.position("right", doc)["creditor"] for doc in ("OF_A", "OF_B", "OF_GROUP")}
    assert original == {"OF_A": _right("0200001001"), "OF_B": _right("0700002001"), "OF_GROUP": _right("0900001001")}


def test_a_case_of_one_member_is_asked_about_where_the_group_stands_alone(groups: Seen) -> None:
    assert set(groups.codes("OF_GROUP")) == {"AMBIGUOUS_CASE"}
    assert groups.codes("OF_A") == groups.codes("OF_B") == {}


def test_a_fiscal_code_of_eleven_digits_is_right_by_its_check_digit(groups: Seen) -> None:
    assert groups.tier("PROVISIONAL") == ("PPROVISIONAL", "exact")


@pytest.mark.parametrize("document", ["SOLE_TRADER", "TO_TREASURY"])
def test_unknown_is_not_different_and_the_treasury_is_nobody_s_rival(groups: Seen, document: str) -> None:
    assert "WRONG_BENEFICIARY" not in groups.codes(document)


def test_a_person_known_by_another_code_is_different(groups: Seen) -> None:
    assert "WRONG_BENEFICIARY" in groups.codes("KNOWN_PERSON")


@pytest.fixture(scope="module")
def doubts(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    book = Book()
    for document, years in (("BOTH_YEARS", (2023, 2024)), ("LATER_YEAR", (2024, 2025)), ("OWN_YEAR", (2023, 2024))):
        supplier = book.supplier(document)
        for year in years:
            day = {"data_emissione": f"{year}-03-10", "data_scadenza": f"{year}-05-10", "data_ricezione": f"{year}-03-12"}
            book.erp(document, id_documento=f"{document}_{year}", piva_fornitore=supplier, numero="7", **day)
            book.pcc(document, progressivo_registrazione=f"P{document}_{year}", numero_documento="7", **day)
    book.case("CESSIONE", book.supplier("BOTH_YEARS"), "2025-01-01", numero="7", **_to(BANK))
    book.case("CESSIONE", book.supplier("LATER_YEAR"), "2024-06-01", numero="7", **_to(BANK))
    book.case("CESSIONE", book.supplier("OWN_YEAR"), "2025-01-01", numero="7/2023", **_to(BANK))
    # A seizure without a third party, and one that began after the payment.
    for document, since in (("SEIZED", "2025-01-01"), ("SEIZED_LATER", "2025-06-01")):
        book.both(document, pcc=PAID)
        book.paid(document, 1220, cf_beneficiario=THIRD)
        book.case("PIGNORAMENTO", book.supplier(document), since)
    # Ceded after D, paid to the new creditor after that.
    book.both("CEDED_SINCE", pcc=PAID)
    book.paid("CEDED_SINCE", 1220, "2026-01-15", cf_beneficiario=BANK)
    book.case("CESSIONE", book.supplier("CEDED_SINCE"), "2026-01-10", **_to(BANK))
    return book.reconciled(tmp_path_factory.mktemp("doubts"))


@pytest.mark.parametrize(
    ("document", "creditor", "asked"),
    [
        ("BOTH_YEARS_2023", None, True),
        ("BOTH_YEARS_2024", None, True),
        ("LATER_YEAR_2024", BANK, False),
        ("LATER_YEAR_2025", None, False),
        ("OWN_YEAR_2023", BANK, False),
        ("OWN_YEAR_2024", None, False),
    ],
)
def test_a_number_without_a_date(doubts: Seen, document: str, creditor: str | None, asked: bool) -> None:
    assert ("AMBIGUOUS_CASE" in doubts.codes(document)) is asked
    assert (doubts.position("right", document)["creditor"] == BANK) is (creditor == BANK)


def test_a_seizure_without_a_named_third_party_accepts_any(doubts: Seen) -> None:
    assert "WRONG_BENEFICIARY" not in doubts.codes("SEIZED")
    assert "WRONG_BENEFICIARY" in doubts.codes("SEIZED_LATER")


def test_a_beneficiary_is_judged_on_the_day_of_payment_whatever_d_is(doubts: Seen) -> None:
    assert "WRONG_BENEFICIARY" not in doubts.codes("CEDED_SINCE")

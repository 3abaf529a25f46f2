"""The oracle's anomalies: which codes a document or a pair bears (see `oracle`)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from oracle_documents import CENT, TAX_AUTHORITIES, ZERO, Document, Position, money, tax_id
from oracle_pairs import STANDS_FOR_FOREIGN
from oracle_word import Word, third_of

OWN_CODES = (
    "PAYMENT_DATE_DIFFERS",
    "ISSUE_DATE_DIFFERS",
    "REJECTED_ON_PCC",
    "ROUNDING_DIFFERS",
    "NOT_PAYABLE_NOT_LIFTED",
    "SUSPENSION_CAUSE_DIFFERS",
    "DUE_DATE_SHIFTS_STOCK",
    "CREDITOR_LOOP",
)


def pair_codes(erp: Document, pcc: Document, word: Word, day: date, right: Position, shown: Position) -> list[str]:
    """The codes of a matched pair, by the catalogue of section 7."""
    sides = [erp, pcc]
    codes: list[str] = []
    non_commercial = erp.row.get("commerciale") is False or word.declared("NON_COMMERCIALE", sides)
    pcc_open = not pcc.rejected and pcc.commercial - pcc.paid_o - pcc.not_payable > 0
    if word.on_list(sides) and (
        erp.paid_o > 0 or pcc.paid_o > 0 or erp.rejected or pcc.rejected or erp.not_payable > 0 or pcc.not_payable > 0
    ):
        codes.append("MUST_STAY_OPEN")
    if erp.rejected:
        return [*codes, "REJECTED_STILL_OPEN"] if pcc_open or shown.stock(day) else codes
    if pcc.rejected:
        return [*codes, "REJECTED_ON_PCC"]

    # What PCC has as non liquidabile of a credit note that was used is its use told.
    closed = max(min(erp.paid_o, pcc.not_payable - erp.not_payable, erp.paid_o - pcc.paid_o), ZERO) if erp.sign < 0 else ZERO
    paid = erp.paid_o - pcc.paid_o - closed
    differs = right.stock(day) != shown.stock(day)
    if paid > 0:
        codes.append("CREDIT_NOTE_OPEN" if erp.sign < 0 else "PAID_NOT_REPORTED")
    elif (erp.written_o if erp.overpaid else erp.paid_o) < pcc.paid_o:
        codes.append("PAID_TOO_MUCH_ON_PCC")
    elif paid == 0 and ((erp.paid_d != pcc.paid_d and not non_commercial) or (differs and pcc.sign * shown.amount < 0)):
        codes.append("PAYMENT_DATE_DIFFERS")
    moved = money(pcc.row.get("importo_liquidato")) + pcc.paid_o + pcc.suspended + pcc.not_payable
    still_received = pcc.row["stato_documento"] in ("PRESENTATO", "RICEVUTO") and moved == 0
    if erp.row["stato"] == "LIQUIDATA" and erp.sign > 0 and still_received and paid <= 0 and pcc.commercial > pcc.aside:
        codes.append("NOT_BOOKED")

    suspended, excluded = erp.suspended if erp.told else ZERO, erp.suspended_excluded
    if word.declared("CONTENZIOSO", sides) and erp.commercial - erp.paid_d > 0:
        suspended, excluded = max(suspended, erp.commercial - erp.paid_d), True
    if suspended > pcc.suspended:
        codes.append("SUSPENSION_NOT_REPORTED")
    elif suspended < pcc.suspended:
        codes.append("SUSPENSION_NOT_LIFTED")
    elif suspended > 0 and excluded != pcc.suspended_excluded:
        codes.append("SUSPENSION_CAUSE_DIFFERS")
    elif suspended > 0 and _suspended_otherwise(erp, pcc, word.declared("CONTENZIOSO", sides)) and not _early(erp, pcc, word):
        codes.append("SUSPENSION_DETAILS_DIFFER")
    if erp.not_payable > pcc.not_payable:
        codes.append("NOT_PAYABLE_NOT_REPORTED")
    elif erp.not_payable + closed < pcc.not_payable:
        codes.append("NOT_PAYABLE_NOT_LIFTED")

    if erp.due and erp.paid_o + erp.not_payable < erp.commercial and right.due != pcc.due:
        codes.append("DUE_DATE_DIFFERS")
    elif (right.due <= day) != (shown.due <= day):
        codes.append("DUE_DATE_SHIFTS_STOCK")
    if differs and (erp.issued <= day) != (pcc.issued <= day):
        codes.append("ISSUE_DATE_DIFFERS")

    apart = abs(erp.sign * erp.commercial - pcc.sign * pcc.commercial)
    if apart > CENT:
        split = erp.row.get("split_payment") and not pcc.row.get("split_payment")
        same = abs(erp.sign * erp.total - pcc.sign * pcc.total) <= CENT
        if erp.reverse_charge and not pcc.row.get("split_payment"):
            split = True
        if {erp.type, pcc.type} & STANDS_FOR_FOREIGN and not pcc.row.get("split_payment"):
            # The ente's own VAT, which PCC still counts.
            split, same = True, abs(erp.commercial - (pcc.commercial - pcc.vat_amount)) <= CENT
        codes.append("SPLIT_VAT_OPEN" if split and same else "AMOUNT_DIFFERS")
    elif apart > 0:
        codes.append("ROUNDING_DIFFERS")
    told_non_commercial = pcc.non_commercial_paid + money(pcc.row.get("importo_non_commerciale")) > 0 or pcc.left_out
    if non_commercial and (not told_non_commercial or differs):
        codes.append("NON_COMMERCIAL_NOT_REPORTED")
    offices = [(side.row.get("codice_ufficio") or "").strip().upper() for side in sides]
    if all(offices) and offices[0] != offices[1]:
        codes.append("WRONG_OFFICE")
    left = erp.commercial - erp.paid_o - erp.not_payable > 0
    outside = pcc.left_out or money(pcc.row.get("importo_non_commerciale")) > 0
    if outside and not non_commercial and (left or differs):
        codes.append("OUT_OF_STOCK_ON_PCC")
    erp_open = erp.commercial - erp.paid_o > 0 and erp.row["stato"] != "NON_LIQUIDABILE" and not non_commercial
    if word.listed and erp_open and pcc_open and (day - right.due).days > 365 and not word.on_list(sides):
        codes.append("NOT_ON_OPEN_LIST")
    return codes


def payment_codes(erp: Document, sides: Sequence[Document], word: Word) -> list[str]:
    """Each payment is judged by who was creditor on its day; a third party that seized the credit may be paid too."""
    for payment in erp.payments:
        who, paid_on = tax_id(payment.get("cf_beneficiario")), payment["data_pagamento"]
        owed = word.creditor(sides, paid_on)[1]
        if not who or payment.get("storno") or who in owed or who in word.own | TAX_AUTHORITIES:
            continue
        # A person's fiscal code against a VAT number alone is unknown.
        people, numbers = (frozenset(t for t in owed if t[0].isalpha() is person) for person in (True, False))
        if (who[0].isalpha() and not people and who not in word.alias) or (who[0].isdigit() and not numbers):
            continue
        doubtful = [case for case in word.at(paid_on) for side in sides if side.key in word.doubts[id(case)]]
        if any(who in third_of(case) for case in doubtful):
            continue
        seized = [case for case in word.at(paid_on) if case["caso"] == "PIGNORAMENTO" and word.holds(case, sides)]
        if not any(who in (third := third_of(case)) or not third for case in seized):
            return ["WRONG_BENEFICIARY"]
    return []


def accounts_codes(pcc: Document) -> list[str]:
    """docs/rules.md#rule-3."""
    return ["ACCOUNTS_DO_NOT_SUM"] if pcc.broken else []


def _received(sides: Sequence[Document | None]) -> date:
    """PCC's reception, else the ERP's, else the date of issue."""
    erp, pcc = sides
    assert erp
    return (pcc.received if pcc else None) or erp.received or erp.issued


def _early(erp: Document, pcc: Document | None, word: Word) -> bool:
    """A suspension that begins before reception."""
    begins = erp.row.get("data_sospensione")
    if not begins or erp.suspended <= 0 or word.declared("CONTENZIOSO", [erp, pcc] if pcc else [erp]):
        return False
    return date(2000, 1, 1) <= begins < _received([erp, pcc])


def _suspended_otherwise(erp: Document, pcc: Document, dispute: bool) -> bool:
    """PCC tells another kind of suspension, or another start, than the accounting system."""
    if all(pcc.row.get(f"importo_sospeso_{kind}") is None for kind in ("contenzioso", "contestazione", "verifica")):
        return False
    wanted = {"CONTENZIOSO": "contenzioso", "CONTESTATO": "contestazione", "ADEMPIMENTI": "contestazione"}
    kind = "contenzioso" if dispute else wanted.get(erp.row.get("causale") or "")
    if kind is None:
        return False
    if money(pcc.row.get(f"importo_sospeso_{kind}")) != pcc.suspended:
        return True
    told, begins = pcc.row.get(f"data_sospensione_{kind}"), erp.row.get("data_sospensione")
    return bool(not dispute and told and begins and begins >= date(2000, 1, 1) and told != begins)


def own_codes(erp: Document, pcc: Document | None, einvoice: bool, word: Word) -> list[str]:
    """What a living document of the accounting system is asked for by itself."""
    early = _early(erp, pcc, word)
    codes = ["PAID_MORE_THAN_OWED"] if erp.overpaid > 0 or erp.paid_twice else []
    codes += ["IMPOSSIBLE_DATE"] if erp.cannot_be or (pcc and pcc.cannot_be) or early else []
    left = erp.commercial - erp.paid_o - erp.not_payable
    vat_alone = erp.vat_of_row > 0 and erp.written_o == erp.commercial - erp.vat_of_row and left == erp.vat_of_row
    if vat_alone and not einvoice and erp.commercial == erp.total and erp.row.get("commerciale") is not False:
        codes.append("REVERSE_CHARGE_UNSURE")
    codes += ["ORDER_NUMBER_DIFFERS"] if any(p.get("_misnamed") for p in erp.payments) else []
    return codes

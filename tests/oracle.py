"""An independent oracle: sections 1-7 of the rules in slow, plain Python, for small inputs.

Written from the rules, the formats and the golden sample alone, never from the SQL models: it is the check
on them. It knows no person's decisions. Readings, where the rules leave a choice:

- Matching (tests/oracle_pairs.py) compares document totals with their sign; identity is any shared normalised VAT number or
  fiscal code, but of a VAT group's documents the fiscal code alone where there is one. A duplicate on PCC is unmatched, and of
  the same creditor, number, date, sign and amount as a matched one.
- PCC paid by D is `importo_pagato` less CP operations with D < data_pagamento (else data_operazione) <= O,
  plus `importo_pagato_non_commerciale`, whose dates are unknown. A document is rejected on PCC when
  RIFIUTATO, or by an RF up to O.
- A suspension that ended is one that PCC's operations up to O open (SOSP, SOSPdaLIQ, SOSPdaNL) and close
  (LIQdaSOSP, NLdaSOSP). Its days move the right due date; PCC's is the one of its row. Where PCC was told a date (CS)
  after the end, the days are in it already, if it lies within them. `DUE_DATE_DIFFERS` compares PCC's row with the right date.
- ERP amounts suspended or not payable count only in the state that names them, all that is unpaid at O if
  null, never more than that; a litigation declared by the ente excludes what is unpaid at D.
- PCC-only documents stand in the right stock as PCC has them, ambiguous candidates and duplicates count 0.
- Special cases and open-list rows read their number with the year of the document they are held against;
  a date they give must be the document's. The creditor follows cases in force at D, those that name the
  document before those that name the supplier, the latest first; a loop leaves the supplier in place.
- The codes after the catalogue's own (`OWN_CODES`) name differences that the catalogue does not.
- `NOT_ON_OPEN_LIST`: unpaid at O on both sides, neither rejected, non-commercial nor not payable.
- `MUST_STAY_OPEN`: any payment, rejection or non-payable amount on either side.
"""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any
from xml.etree import ElementTree

from oracle_amounts import (
    ACCOUNTS,
    UNTOLD,
    accounts_broken,
    cannot_be,
    counted,
    paid_of,
    paid_on,
    possible_day,
    possible_due,
    sign_of,
    sum_of,
)
from oracle_deliveries import DAYS, stands
from oracle_pairs import NO_DEBT, STANDS_FOR_FOREIGN, match
from oracle_pairs import copies as erp_copies

Row = Mapping[str, Any]
ZERO = Decimal("0.00")
CENT = Decimal("0.01")
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
#: Agenzia delle Entrate, its collector, the Ministry: paid what is withheld and the VAT of split payment.
TAX_AUTHORITIES = {"06363391001", "13756881002", "80415740580"}
BUCKETS = ((30, "0-30"), (60, "31-60"), (90, "61-90"), (180, "91-180"), (365, "181-365"))


@dataclass
class Document:
    """One side's document with everything that a view needs."""

    row: Row
    key: str
    sign: int
    tokens: frozenset[str]
    vat: str | None
    number: str
    issued: date
    received: date | None
    due: date | None
    total: Decimal
    commercial: Decimal
    paid_d: Decimal = ZERO
    paid_o: Decimal = ZERO
    suspended: Decimal = ZERO
    suspended_excluded: bool = False
    not_payable: Decimal = ZERO
    rejected: bool = False
    non_commercial_paid: Decimal = ZERO
    moved_days: int = 0
    told_days: int = 0
    written_d: Decimal = ZERO
    written_o: Decimal = ZERO
    overpaid: Decimal = ZERO
    paid_twice: bool = False
    told: bool = True
    cannot_be: bool = False
    left_out: bool = False
    aside: Decimal = ZERO
    broken: bool = False
    payments: list[Row] = field(default_factory=list)
    #: Identifiers under which the tiers may find it: the supplier's, and of who is creditor at issue or at O.
    parties: frozenset[str] = frozenset()
    #: Number and date of the document that a self-invoice stands for, and the type that says so.
    reference: tuple[str, date] | None = None
    referring: str = ""
    reverse_charge: bool = False
    vat_amount: Decimal = ZERO
    refused: bool = False

    @property
    def dead(self) -> bool:
        return self.rejected or self.refused

    @property
    def type(self) -> str:
        return str(self.row["tipo_documento"])

    @property
    def vat_of_row(self) -> Decimal:
        """The VAT as the ledger writes it, else what its taxable amount leaves."""
        if self.row.get("iva") is not None:
            return abs(money(self.row["iva"]))
        given = self.row.get("imponibile")
        return self.total - abs(money(given)) if given is not None else ZERO

    @property
    def taxable(self) -> Decimal:
        return self.total - self.vat_amount

    @property
    def excluded(self) -> Decimal:
        return self.not_payable + (self.suspended if self.suspended_excluded else ZERO) + self.aside


@dataclass(frozen=True)
class Position:
    """What one document adds to one view: amount (debt) and whether that is stock, not due or neither."""

    amount: Decimal
    due: date
    issued: date
    creditor: str

    def stock(self, day: date) -> Decimal:
        return self.amount if self.due <= day and self.issued <= day else ZERO


@dataclass
class Result:
    """What the oracle says: matches (id, progressivo, tier), anomalies (code, id, progressivo, amount)."""

    matches: set[tuple[str, str, str]]
    anomalies: list[tuple[str, str, str, Decimal]]
    stock: dict[str, Decimal]
    by_creditor: dict[tuple[str, str], Decimal]
    by_due_date: dict[tuple[str, str], Decimal]
    unexplained: list[tuple[str, str, Decimal]]
    loops: set[str] = field(default_factory=set)


def tax_id(text: str | None) -> str | None:
    """Normalised VAT number or fiscal code (docs/rules.md#rule-5); None if empty."""
    plain = re.sub(r"[^A-Z0-9]", "", (text or "").upper())
    if re.fullmatch(r"IT\d+", plain):
        plain = plain[2:]
    return (plain.zfill(11) if plain.isdigit() else plain) or None


def document_number(text: str, year: int) -> str:
    """Normalised number (docs/rules.md#rule-6) of a document issued in that year."""
    runs = re.findall(r"[^\W\d_]+|\d+", text.upper())
    while len(runs) > 1 and runs[0] in {"FT", "FATT", "FATTURA", "N", "NR", "NUM"}:
        runs = runs[1:]
    for rest, run in ((runs[:-1], runs[-1:]), (runs[1:], runs[:1])):
        if run == [str(year)] and any(part.isdigit() for part in rest):
            runs = rest
            break
    return "-".join((part.lstrip("0") or "0") if part.isdigit() else part for part in runs)


def money(value: Any) -> Decimal:
    return Decimal(value) if value not in (None, "") else ZERO


def _tokens(*texts: str | None) -> frozenset[str]:
    return frozenset(token for token in map(tax_id, texts) if token)


def _commercial(row: Row, taxable: str, vat: str) -> Decimal:
    total = abs(money(row["importo_totale"]))
    if not row.get("split_payment") and not (taxable == "imponibile" and row["tipo_documento"] in STANDS_FOR_FOREIGN):
        return total
    if row.get(vat) is not None:
        return total - abs(money(row[vat]))
    return abs(money(row[taxable])) if row.get(taxable) is not None else total


def _excluded_cause(cause: str | None) -> bool:
    """Dispute, litigation, regulatory checks; any other cause counts in the stock."""
    return (cause or "").upper().startswith(("CONT", "ADEMP"))


def _erp_document(row: Row, payments: Iterable[Row], day: date, seen: date) -> Document:
    total, flip = abs(money(row["importo_totale"])), -1 if money(row["importo_totale"]) < 0 else 1
    document = Document(
        row=row,
        key=row["id_documento"],
        sign=sign_of(row),
        tokens=_tokens(row.get("piva_fornitore"), row.get("cf_fornitore")),
        vat=tax_id(row.get("piva_fornitore")),
        number=document_number(row["numero"], row["data_emissione"].year),
        issued=row["data_emissione"],
        received=possible_day(row.get("data_ricezione"), seen),
        due=possible_due(row.get("data_scadenza"), row["data_emissione"]),
        total=total,
        commercial=_commercial(row, "imponibile", "iva"),
        rejected=row["stato"] in ("RIFIUTATA", "ANNULLATA"),
        told=row.get("causale") not in UNTOLD,
    )
    document.vat_amount = flip * (
        flip * document.total - money(row["imponibile"]) if row.get("imponibile") is not None else money(row.get("iva"))
    )
    payments = list(payments)
    document.cannot_be = cannot_be(row, "data_scadenza", "data_emissione", ("data_ricezione", "data_sospensione"), seen) or any(
        p.get(name) is not None and possible_day(p[name], seen) is None
        for p in payments
        for name in ("data_pagamento", "data_mandato")
    )
    counting, document.paid_twice = counted(payments, total, total - document.commercial if row.get("split_payment") else ZERO)
    for payment in counting:
        on = paid_on(payment, seen)
        if on is None or on > seen:
            continue
        amount = money(payment["importo"]) * (-1 if payment.get("storno") else 1)
        document.payments.append(payment)
        document.written_o += amount
        document.written_d += amount if on <= day else ZERO
    _limit(document, seen, ZERO)
    return document


def _limit(document: Document, seen: date, withheld_by_invoice: Decimal) -> None:
    """docs/rules.md#rule-1, limits: paid up to the commercial amount, then non liquidabile, then suspended, up to what is left."""
    row = document.row
    ordered = sum_of({**p, "importo": money(p.get("importo_ritenute"))} for p in document.payments)
    withholding = money(row.get("importo_ritenuta")) or ordered or withheld_by_invoice
    document.paid_o = paid_of(document.commercial, document.written_o, withholding)
    document.paid_d = paid_of(document.commercial, document.written_d, withholding)
    beyond = document.written_o - document.commercial
    document.overpaid = ZERO if beyond == document.total - document.commercial else max(beyond, ZERO)
    left = document.commercial - document.paid_o
    document.not_payable = document.suspended = ZERO
    if row["stato"] == "NON_LIQUIDABILE":
        given = row.get("importo_non_liquidabile")
        document.not_payable = left if given is None else min(money(given), left)
    begins = possible_day(row.get("data_sospensione"), seen)
    if row["stato"] == "SOSPESA" and (begins is None or begins <= seen):
        given = row.get("importo_sospeso")
        document.suspended = left if given is None else min(money(given), left)
        document.suspended_excluded = _excluded_cause(row.get("causale"))


def _pcc_document(row: Row, operations: Sequence[Row], day: date, seen: date) -> Document:
    known = [operation for operation in operations if operation["data_operazione"] <= seen]
    flip = -1 if money(row["importo_totale"]) < 0 and money(row.get("importo_pagato")) < 0 else 1
    told = [
        (possible_day(o.get("data_pagamento"), seen) or o["data_operazione"], flip * money(o["importo"]))
        for o in operations
        if o["azione"] == "CP"
    ]
    minus = -1 if money(row["importo_totale"]) < 0 and any(money(row.get(name)) < 0 for name in ACCOUNTS) else 1
    settled = minus * money(row.get("importo_pagato"))

    def until(on: date) -> Decimal:
        """Movements never take more than the row has as paid."""
        return settled - min(sum((amount for paid, amount in told if paid > on), ZERO), max(settled, ZERO))

    aside = minus * money(row.get("importo_pagato_non_commerciale"))
    kinds = [row.get(f"importo_sospeso_{kind}") for kind in ("contenzioso", "contestazione", "verifica")]
    suspended = minus * money(row.get("importo_sospeso"))
    outside = money(row.get("importo_non_commerciale"))
    excluded = suspended if _excluded_cause(row.get("causale_sospensione")) else ZERO
    if any(kind is not None for kind in kinds):
        suspended = suspended if row.get("importo_sospeso") is not None else sum(map(money, kinds), ZERO)
        excluded = min(money(kinds[0]) + money(kinds[1]), suspended)
    document = Document(
        row=row,
        key=row["progressivo_registrazione"],
        sign=sign_of(row),
        tokens=_tokens(row.get("id_fiscale_iva"), row.get("cf_fornitore")),
        vat=tax_id(row.get("id_fiscale_iva")),
        number=document_number(row["numero_documento"], row["data_emissione"].year),
        issued=row["data_emissione"],
        received=possible_day(row.get("data_ricezione"), seen),
        due=possible_due(row.get("data_scadenza"), row["data_emissione"]),
        total=abs(money(row["importo_totale"])),
        commercial=_commercial(row, "importo_imponibile", "totale_imposta"),
        paid_d=until(day) + aside,
        paid_o=until(seen) + aside,
        non_commercial_paid=aside,
        suspended=suspended,
        suspended_excluded=excluded > 0,
        aside=outside + (excluded - suspended if excluded > 0 else ZERO),
        not_payable=minus * money(row.get("importo_non_liquidabile")),
        rejected=row["stato_documento"] == "RIFIUTATO" or any(o["azione"] == "RF" for o in known),
        left_out=bool(row.get("escluso")),
    )
    document.cannot_be = cannot_be(row, "data_scadenza", "data_emissione", ("data_ricezione",), seen) or any(
        o.get("data_pagamento") is not None and possible_day(o["data_pagamento"], seen) is None for o in operations
    )
    document.broken = accounts_broken(row, document.commercial, sum((a for _, a in told), ZERO) if told else None)
    document.vat_amount = abs(money(row.get("totale_imposta")))
    if row.get("totale_imposta") is None and row.get("importo_imponibile") is not None:
        document.vat_amount = document.total - abs(money(row["importo_imponibile"]))
    start: date | None = None
    for operation in sorted(known, key=lambda o: o["data_operazione"]):
        state = operation.get("stato_debito") or ""
        if state.startswith("SOSP"):
            start = start or operation["data_operazione"]
        elif state.endswith("daSOSP") and start:
            days = (operation["data_operazione"] - start).days
            if any(o["azione"] == "CS" and o["data_operazione"] >= operation["data_operazione"] for o in operations):
                document.told_days += days
            else:
                document.moved_days += days
            start = None
    return document


class Word:
    """The ente's own word: open list and special cases, held against one document's two sides."""

    def __init__(
        self, rows: Mapping[str, Sequence[Row]], day: date, alias: Mapping[str, str], documents: Sequence[Document]
    ) -> None:
        self.listed = list(rows.get("open_list", ()))
        self.all_cases = list(rows.get("special_cases", ()))
        self.cases = self.at(day)
        self.alias = alias
        self.own = _tokens(*(row.get("cf_amministrazione") for row in rows.get("pcc_invoices", ())))
        #: Cases without a date that may name documents of several years: which ones, and which are left out for being later.
        self.doubts: dict[int, set[str]] = {}
        self.later: dict[int, set[str]] = {}
        for case in self.all_cases:
            fitting = [d for d in documents if case.get("numero") and not case.get("data_emissione") and self.fits(case, [d])]
            meant = [d for d in fitting if d.issued <= case["decorrenza"]] or fitting
            self.later[id(case)] = {d.key for d in fitting} - {d.key for d in meant}
            self.doubts[id(case)] = {d.key for d in meant} if len({d.issued.year for d in meant}) > 1 else set()

    def holds(self, case: Row, sides: Sequence[Document]) -> bool:
        """Does a case hold for the document, beyond doubt?"""
        out = self.doubts[id(case)] | self.later[id(case)]
        return any(side.key not in out and self.fits(case, [side]) for side in sides)

    def in_doubt(self, sides: Sequence[Document]) -> bool:
        return any(side.key in self.doubts[id(case)] for case in self.cases for side in sides if case["caso"] != "ALTRO")

    def at(self, day: date) -> list[Row]:
        """The cases in force on a day."""
        return [case for case in self.all_cases if case["decorrenza"] <= day]

    @staticmethod
    def fits(row: Row, sides: Sequence[Document]) -> bool:
        """Does the row's identity (supplier, number, date where given) name this document?"""
        tokens = _tokens(row.get("piva_fornitore"), row.get("cf_fornitore"))
        if not any(tokens & side.tokens for side in sides):
            return False
        return Word._names(row, sides)

    @staticmethod
    def _names(row: Row, sides: Sequence[Document]) -> bool:
        if not row.get("numero"):
            return True
        return any(
            document_number(row["numero"], side.issued.year) == side.number
            and (row.get("data_emissione") in (None, side.issued))
            for side in sides
        )

    def on_list(self, sides: Sequence[Document]) -> bool:
        return any(self.fits(row, sides) for row in self.listed)

    def declared(self, case: str, sides: Sequence[Document]) -> bool:
        return any(row["caso"] == case and self.holds(row, sides) for row in self.cases)

    def supplier(self, sides: Sequence[Document]) -> str:
        """VAT number of either side, else the one known for the fiscal code, else the fiscal code."""
        for side in sides:
            if side.vat:
                return side.vat
        token = min(sides[0].tokens)
        return self.alias.get(token, token)

    def creditor(self, sides: Sequence[Document], day: date | None = None) -> tuple[str, frozenset[str], bool]:
        """Creditor at D or on the day given, all its identifiers, and whether the cases run in a loop."""
        cases = self.at(day) if day else self.cases
        if len(sides) == 2 and not sides[0].tokens & sides[1].tokens:
            # The sides name two suppliers: each has its creditor, ours speaks first where a case changes it.
            ours, theirs = (self.creditor([side], day) for side in sides)
            first = ours if ours[0] != self.supplier(sides[:1]) else theirs if theirs[0] != self.supplier(sides[1:]) else ours
            return first[0], ours[1] | theirs[1], ours[2] or theirs[2]
        supplier = self.supplier(sides)
        start = frozenset().union(*(side.tokens for side in sides)) | {supplier}
        name, tokens, seen = supplier, start, [start]
        while True:
            steps = [
                case
                for case in cases
                if case["caso"] in ("CESSIONE", "SUCCESSIONE", "OPERAZIONE_SOCIETARIA")
                and _tokens(case.get("piva_fornitore"), case.get("cf_fornitore")) & tokens
                and _tokens(case.get("nuovo_creditore_piva"), case.get("nuovo_creditore_cf"))
                and (self.holds(case, sides) if len(seen) == 1 else self._names(case, sides))
            ]
            if not steps:
                return name, tokens, False
            case = max(steps, key=lambda c: (bool(c.get("numero")), c["decorrenza"]))
            new = _tokens(case.get("nuovo_creditore_piva"), case.get("nuovo_creditore_cf"))
            name = tax_id(case.get("nuovo_creditore_piva")) or tax_id(case.get("nuovo_creditore_cf")) or name
            tokens = new | {self.alias.get(token, token) for token in new}
            if any(tokens & old for old in seen):
                return supplier, start, True
            seen.append(tokens)


def _term(tipo: str) -> timedelta:
    return timedelta(days=60 if tipo == "SANITARIO" else 30)


def _pcc_position(pcc: Document, word: Word, tipo: str) -> Position:
    due = pcc.due or (pcc.received or pcc.issued) + _term(tipo)
    amount = ZERO if pcc.rejected or pcc.left_out else pcc.sign * (pcc.commercial - pcc.paid_d - pcc.excluded)
    return Position(amount, due, pcc.issued, word.supplier([pcc]))


def _as_pcc_has_it(pcc: Document, shown: Position, creditor: str) -> Position:
    """Never below zero or above its amount."""
    return Position(pcc.sign * max(min(pcc.sign * shown.amount, pcc.commercial), ZERO), shown.due, shown.issued, creditor)


def _right_position(
    erp: Document, pcc: Document | None, word: Word, tipo: str, sdi_due: date | None, instalments: Sequence[date]
) -> Position:
    sides = [erp, pcc] if pcc else [erp]
    received = (pcc.received if pcc else None) or erp.received or erp.issued

    def wholly(due: date | None) -> date | None:
        """One of several instalments: the last."""
        return max(instalments) if len(instalments) > 1 and due in instalments else due

    ours, theirs = wholly(erp.due), wholly(pcc.due) if pcc else None
    due = ours or theirs or sdi_due or received + _term(tipo)
    if pcc and pcc.due and ours and ours <= pcc.due <= ours + timedelta(days=pcc.told_days):
        due = pcc.due
    due += timedelta(days=pcc.moved_days if pcc else 0)
    unpaid = erp.commercial - erp.paid_d
    amount = erp.sign * max(unpaid - erp.excluded, ZERO)
    if word.declared("CONTENZIOSO", sides) and unpaid > 0:
        amount = ZERO
    if erp.rejected or erp.type in NO_DEBT or erp.row.get("commerciale") is False or word.declared("NON_COMMERCIALE", sides):
        amount = ZERO
    return Position(amount, due, erp.issued, word.creditor(sides)[0])


def _pair_codes(erp: Document, pcc: Document, word: Word, day: date, right: Position, shown: Position) -> list[str]:
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

    paid = erp.paid_o - pcc.paid_o
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
    if erp.not_payable > pcc.not_payable:
        codes.append("NOT_PAYABLE_NOT_REPORTED")
    elif erp.not_payable < pcc.not_payable:
        codes.append("NOT_PAYABLE_NOT_LIFTED")

    if erp.due and erp.paid_o < erp.commercial and right.due != pcc.due:
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


def _payment_codes(erp: Document, sides: Sequence[Document], word: Word) -> list[str]:
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
        if any(who in _third(case) for case in doubtful):
            continue
        seized = [case for case in word.at(paid_on) if case["caso"] == "PIGNORAMENTO" and word.holds(case, sides)]
        if not any(who in (third := _third(case)) or not third for case in seized):
            return ["WRONG_BENEFICIARY"]
    return []


def _third(case: Row) -> frozenset[str]:
    return _tokens(case.get("nuovo_creditore_piva"), case.get("nuovo_creditore_cf"))


def _accounts_codes(pcc: Document) -> list[str]:
    """docs/rules.md#rule-3."""
    return ["ACCOUNTS_DO_NOT_SUM"] if pcc.broken else []


def _received(sides: Sequence[Document | None]) -> date:
    """PCC's reception, else the ERP's, else the date of issue."""
    erp, pcc = sides
    assert erp
    return (pcc.received if pcc else None) or erp.received or erp.issued


def _own_codes(erp: Document, pcc: Document | None, einvoice: bool, word: Word) -> list[str]:
    """What a living document of the accounting system is asked for by itself."""
    begins = erp.row.get("data_sospensione")
    early = bool(begins and not word.declared("CONTENZIOSO", [erp, pcc] if pcc else [erp]))
    early = early and erp.suspended > 0 and date(2000, 1, 1) <= begins < _received([erp, pcc])
    codes = ["PAID_MORE_THAN_OWED"] if erp.overpaid > 0 or erp.paid_twice else []
    codes += ["IMPOSSIBLE_DATE"] if erp.cannot_be or (pcc and pcc.cannot_be) or early else []
    left = erp.commercial - erp.paid_o - erp.not_payable
    vat_alone = erp.vat_of_row > 0 and erp.written_o == erp.commercial - erp.vat_of_row and left == erp.vat_of_row
    if vat_alone and not einvoice and erp.commercial == erp.total and erp.row.get("commerciale") is not False:
        codes.append("REVERSE_CHARGE_UNSURE")
    codes += ["ORDER_NUMBER_DIFFERS"] if any(p.get("_misnamed") for p in erp.payments) else []
    return codes


def _bucket(due: date, day: date) -> str:
    past = (day - due).days
    if past < 0:
        return "not_due"
    return next((name for limit, name in BUCKETS if past <= limit), "over_365")


def reconcile(rows: Mapping[str, Sequence[Row]], *, reference_date: date, observed_at: date, tipo: str = "COMUNE") -> Result:
    """Sections 1-7 over one ente's feeds: matches, anomalies and stocks. Typed rows: `load_inbox`."""
    day, seen = reference_date, observed_at
    payments: dict[str, list[Row]] = defaultdict(list)
    for payment in rows.get("erp_payments", ()):
        payments[payment["id_documento"]].append(payment)
    operations: dict[str, list[Row]] = defaultdict(list)
    for operation in rows.get("pcc_operations", ()):
        operations[operation["progressivo_registrazione"]].append(operation)
    erp = {r["id_documento"]: _erp_document(r, payments[r["id_documento"]], day, seen) for r in rows.get("erp_invoices", ())}
    pcc = {
        r["progressivo_registrazione"]: _pcc_document(r, operations[r["progressivo_registrazione"]], day, seen)
        for r in rows.get("pcc_invoices", ())
    }
    refused = {row["lotto_sdi"] for row in rows.get("sdi_refusals", ())}
    for document in (*erp.values(), *pcc.values()):
        document.refused = document.row.get("lotto_sdi") in refused
    groups = _vat_groups((*erp.values(), *pcc.values()))
    for document in (*erp.values(), *pcc.values()):
        if document.vat in groups and len(document.tokens) > 1:
            document.tokens, document.vat = document.tokens - {document.vat}, None
    twice = erp_copies(erp)
    for copy, original in twice.items():
        payments[original] += [
            one for one in payments.pop(copy, []) if not any(_same_payment(one, two) for two in payments[original])
        ]
    for key in {*twice, *twice.values()}:
        old = erp[key]
        erp[key] = _erp_document(old.row, payments[key], day, seen)
        erp[key].tokens, erp[key].vat, erp[key].refused = old.tokens, old.vat, old.refused
    for document in erp.values():
        document.rejected = document.rejected or document.refused
    known: dict[str, set[str]] = defaultdict(set)
    for document in (*erp.values(), *pcc.values()):
        for token in document.tokens:
            if document.vat:
                known[token].add(document.vat)
    word = Word(
        rows, day, {token: next(iter(vats)) for token, vats in known.items() if len(vats) == 1}, [*erp.values(), *pcc.values()]
    )
    for document in (*erp.values(), *pcc.values()):
        days = (document.issued, seen)
        document.parties = document.tokens.union(
            *(word.creditor([document], on)[1] for on in days if not word.creditor([document], on)[2])
        )
        _refer(document, rows.get("sdi_invoices", ()))
    sdi_due = _by_identity(rows.get("sdi_invoices", ()), "data_scadenza")
    sdi_taxable = _by_identity((row for row in rows.get("sdi_invoices", ()) if row.get("reverse_charge")), "importo_totale")
    sdi_dues = _by_identity(rows.get("sdi_invoices", ()), "scadenze")
    sdi_withheld = _by_identity(rows.get("sdi_invoices", ()), "ritenuta")
    sdi_known = _by_identity(rows.get("sdi_invoices", ()), "numero")
    sdi_without_vat = _by_identity((row for row in rows.get("sdi_invoices", ()) if not row.get("imposta")), "importo_totale")
    for document in erp.values():
        # Reverse charge: the supplier's invoice has no VAT, the ente's booking may have.
        taxable = _of_identity(sdi_taxable, [document])
        alone = _of_identity(sdi_without_vat, [document])
        if taxable is None and alone is not None and document.vat_of_row > 0 and alone == document.total - document.vat_of_row:
            taxable = alone
        if taxable is not None and taxable < document.total:
            document.commercial, document.reverse_charge = taxable, True
    rows_lost = [row for row in rows.get("lost", ()) if row.get("importo_totale") or row.get("importo")]
    lost = {row.get("id_documento") or row["progressivo_registrazione"] for row in rows_lost}
    lost_in_erp = {row["id_documento"] for row in rows_lost if row["_kind"] == "erp_invoices"}
    pairing = match(erp, pcc, lambda ours, theirs: _written_otherwise(ours, theirs, word))
    partner = {p: e for e, (p, _) in pairing.pairs.items()}

    result = Result({(e, p, t) for e, (p, t) in pairing.pairs.items()}, [], {}, {}, {}, [])
    positions: dict[str, list[Position]] = {"pcc": [], "right": []}

    def settle(codes: list[str], e: str, p: str, shown: Position | None, right: Position | None) -> None:
        positions["pcc"] += [shown] if shown else []
        positions["right"] += [right] if right else []
        amount = (shown.stock(day) if shown else ZERO) - (right.stock(day) if right else ZERO)
        result.anomalies += [(code, e, p, amount) for code in codes]
        if amount and not codes:
            result.unexplained.append((e, p, amount))

    for key, document in erp.items():
        other = pcc[pairing.pairs[key][0]] if key in pairing.pairs else None
        if other and not document.row.get("lotto_sdi") and other.row.get("lotto_sdi") in refused:
            document.rejected = True
        if other and other.type in STANDS_FOR_FOREIGN and document.type not in STANDS_FOR_FOREIGN:
            document.commercial = document.taxable
        sides = [document, other] if other else [document]
        _limit(document, seen, _of_identity(sdi_withheld, [document]) or ZERO)
        right = _right_position(
            document, other, word, tipo, _of_identity(sdi_due, [document]), _of_identity(sdi_dues, [document]) or ()
        )
        shown = _pcc_position(other, word, tipo) if other else None
        if key in pairing.copies:
            codes, right = ["DUPLICATE_IN_ERP"], Position(ZERO, right.due, right.issued, right.creditor)
        elif document.type in NO_DEBT and not document.rejected:
            codes = (
                ["DUPLICATE_ON_PCC"]
                if shown and other and not other.rejected and other.commercial > other.paid_o + other.not_payable
                else []
            )
        elif other and shown:
            codes = _pair_codes(document, other, word, day, right, shown) + _accounts_codes(other)
        elif document.rejected:
            codes = []
        else:
            codes = ["MISSING_ON_PCC"]
            if key in pairing.ambiguous_erp or key in pairing.probable_erp:
                codes = ["AMBIGUOUS_MATCH" if key in pairing.ambiguous_erp else "PROBABLE_MATCH"]
            if word.on_list(sides) and (document.paid_o > 0 or document.not_payable > 0):
                codes.append("MUST_STAY_OPEN")
        if not document.rejected:
            codes += _own_codes(document, other, _of_identity(sdi_known, [document]) is not None, word)
            codes += _payment_codes(document, sides, word)
            codes += ["CREDITOR_LOOP"] if word.creditor(sides)[2] else []
            asked = key in pairing.ambiguous_erp | pairing.probable_erp | set(pairing.copies)
            codes += ["AMBIGUOUS_CASE"] if word.in_doubt(sides) and not asked and not (other and other.rejected) else []
        codes += ["GONE_FROM_ERP"] if lost & {key, other.key if other else ""} else []
        settle(codes, key, other.key if other else "", shown, right)
    for key, document in pcc.items():
        if key in partner:
            continue
        shown = _pcc_position(document, word, tipo)
        creditor, _, loop = word.creditor([document])
        codes = _accounts_codes(document)
        right = Position(ZERO, shown.due, shown.issued, creditor)
        if key in pairing.ambiguous_pcc:
            codes.append("AMBIGUOUS_MATCH")
        elif key in pairing.probable_pcc:
            codes.append("PROBABLE_MATCH")
        elif key in pairing.duplicates and not document.rejected:
            codes.append("DUPLICATE_ON_PCC")
        elif document.row.get("lotto_sdi") in refused:
            codes = [] if document.rejected else ["REJECTED_STILL_OPEN"]
        else:
            right = _as_pcc_has_it(document, shown, creditor)
            codes += [] if document.rejected else ["MISSING_IN_ERP"]
            if word.on_list([document]) and (document.paid_o > 0 or document.rejected or document.not_payable > 0):
                codes.append("MUST_STAY_OPEN")
            codes += ["CREDITOR_LOOP"] if loop and not document.rejected else []
            codes += ["AMBIGUOUS_CASE"] if word.in_doubt([document]) and not document.rejected else []
        if document.cannot_be and document.row.get("lotto_sdi") not in refused:
            codes.append("IMPOSSIBLE_DATE")
        codes += ["GONE_FROM_ERP"] if key in lost else []
        settle(codes, "", key, shown, right)
    result.anomalies += [("GONE_FROM_ERP", key, "", ZERO) for key in lost_in_erp - set(erp)]
    if erp:
        result.anomalies += [("PAYMENT_WITHOUT_DOCUMENT", key, "", ZERO) for key in payments if key not in erp]

    for view, found in positions.items():
        result.stock[view] = sum((position.stock(day) for position in found), ZERO)
        for position in found:
            creditor_key = (view, position.creditor)
            result.by_creditor[creditor_key] = result.by_creditor.get(creditor_key, ZERO) + position.stock(day)
            if position.issued <= day:
                bucket_key = (view, _bucket(position.due, day))
                result.by_due_date[bucket_key] = result.by_due_date.get(bucket_key, ZERO) + position.amount
    return result


def _vat_groups(documents: Iterable[Document]) -> set[str | None]:
    """docs/rules.md#rule-5: VAT numbers seen with two or more right fiscal codes of companies."""
    codes: dict[str, set[str]] = defaultdict(set)
    for document in documents:
        for code in document.tokens - {document.vat}:
            if document.vat and re.fullmatch(r"[0-9]{11}", code) and _check_digit(code):
                codes[document.vat].add(code)
    return {vat for vat, found in codes.items() if len(found) > 1}


def _check_digit(code: str) -> bool:
    doubled = [sum(divmod(2 * int(digit), 10)) for digit in code[1::2]]
    return (sum(int(digit) for digit in code[::2]) + sum(doubled)) % 10 == 0


def _same_payment(one: Row, two: Row) -> bool:
    names = ("numero_mandato", "data_pagamento", "importo", "cf_beneficiario")
    return all(one.get(name) == two.get(name) for name in names) and bool(one.get("storno")) == bool(two.get("storno"))


def _written_otherwise(ours: Document, theirs: Document, word: Word) -> bool:
    """docs/rules.md#rule-6, probable pairs: may the two creditors be one, written otherwise?"""
    if ours.tokens & theirs.tokens or not ours.tokens or not theirs.tokens:
        return True
    kinds = [(document.vat is not None, bool(document.tokens - {document.vat})) for document in (ours, theirs)]
    if kinds in ([(True, False), (False, True)], [(False, True), (True, False)]):
        return True
    if any(_one_off(one, other) for one in ours.tokens for other in theirs.tokens):
        return True
    ties = [
        (_tokens(c.get("piva_fornitore"), c.get("cf_fornitore")), _third(c))
        for c in word.all_cases
        if c["caso"] != "PIGNORAMENTO"
    ]
    reached, size = ours.tokens, 0
    while len(reached) > size:
        size = len(reached)
        reached = reached.union(*(a | b for a, b in ties if (a | b) & reached and a and b))
    return bool(reached & theirs.tokens)


def _one_off(one: str, other: str) -> bool:
    """One sign typed wrong, or two neighbours swapped; two numbers with right check digits are two subjects."""
    if len(one) != len(other) or (one.isdigit() and other.isdigit() and _check_digit(one) and _check_digit(other)):
        return False
    apart = [place for place in range(len(one)) if one[place] != other[place]]
    swapped = (
        len(apart) == 2 and apart[1] == apart[0] + 1 and one[apart[0]] == other[apart[1]] and one[apart[1]] == other[apart[0]]
    )
    return len(apart) == 1 or swapped


def _refer(document: Document, invoices: Iterable[Row]) -> None:
    """Sets what a self-invoice stands for, as its e-invoice says."""
    for row in invoices:
        if row["tipo_documento"] not in STANDS_FOR_FOREIGN | {"TD20"} or len(row.get("riferimenti", ())) != 1:
            continue
        tokens = _tokens(row.get("id_fiscale_iva"), row.get("cf_fornitore"))
        if (
            tokens & document.tokens
            and row["data_emissione"] == document.issued
            and (document_number(row["numero"], row["data_emissione"].year) == document.number)
        ):
            ((number, on),) = row["riferimenti"]
            document.reference, document.referring = (document_number(number, on.year), on), row["tipo_documento"]


def _by_identity(rows: Iterable[Row], column: str) -> dict[Hashable, Any]:
    """What each SDI invoice says in a column, by the keys of tier 3."""
    found: dict[Hashable, Any] = {}
    for row in rows:
        if row.get(column):
            number = document_number(row["numero"], row["data_emissione"].year)
            sign = sign_of(row)
            for token in _tokens(row.get("id_fiscale_iva"), row.get("cf_fornitore")):
                found[(token, number, row["data_emissione"], sign)] = row[column]
    return found


def _of_identity(found: Mapping[Hashable, Any], sides: Sequence[Document]) -> Any:
    keys = [(token, side.number, side.issued, side.sign) for side in sides for token in side.tokens]
    return next((found[key] for key in keys if key in found), None)


#: What the oracle reads of an inbox: other kinds have their own tests.
KINDS = (*DAYS, "open_list", "special_cases")


def load_inbox(inbox: Path, ente: str) -> dict[str, list[dict[str, Any]]]:
    """The feeds of one ente that the rules of stock need (KINDS), from ISO CSV with `;`, typed by their column names.

    Of SDI's messages the lots refused (EC02, in files of their own) as `sdi_refusals`; of e-invoices (in files of their
    own) what the rules need; the payments of orders that the treasurer executed, where the ERP has none of that order.
    """
    refused = [path.read_text() for path in sorted((inbox / ente / "sdi_messages").glob("*_EC_*.xml"))]
    lots = [re.search("<IdentificativoSdI>(.*?)<", text) for text in refused if "<Esito>EC02<" in text]
    read = {
        folder.name: stands(
            folder.name,
            [(path.name, [_typed(row) | {"_file": path.name} for row in _read(path)]) for path in sorted(folder.glob("*.csv"))],
        )
        for folder in sorted((inbox / ente).iterdir())
        if folder.name in KINDS
    }
    rows = {kind: found.rows for kind, found in read.items()}
    lost = [row | {"_kind": kind} for kind, found in read.items() for row in (*found.gone, *found.asked)]
    rows["erp_payments"] = rows.get("erp_payments", []) + _executed(inbox / ente / "erp_opi", rows)
    rows["sdi_invoices"] = [row for path in sorted((inbox / ente / "sdi_invoices").glob("*.xml")) for row in _bodies(path)]
    return rows | {"sdi_refusals": [{"lotto_sdi": lot[1]} for lot in lots if lot], "lost": lost}


def _bodies(path: Path) -> Iterable[dict[str, Any]]:
    """Identity, total, reverse charge and latest due date of each body of a plain FatturaPA file."""
    root = ElementTree.parse(path).getroot()
    for body in root.iter("FatturaElettronicaBody"):
        issued = date.fromisoformat(body.findtext(".//DatiGeneraliDocumento/Data") or "")
        written = [date.fromisoformat(due.text or "") for due in body.iter("DataScadenzaPagamento")]
        dues = [due for due in written if possible_due(due, issued)]
        terms = [
            date.fromisoformat(start) + timedelta(days=int(days))
            for part in body.iter("DettaglioPagamento")
            if (start := part.findtext("DataRiferimentoTerminiPagamento")) and (days := part.findtext("GiorniTerminiPagamento"))
        ]
        yield {
            "id_fiscale_iva": "".join(
                root.findtext(f".//CedentePrestatore//IdFiscaleIVA/{name}") or "" for name in ("IdPaese", "IdCodice")
            ),
            "cf_fornitore": root.findtext(".//CedentePrestatore//CodiceFiscale"),
            "numero": body.findtext(".//DatiGeneraliDocumento/Numero"),
            "data_emissione": date.fromisoformat(body.findtext(".//DatiGeneraliDocumento/Data") or ""),
            "tipo_documento": body.findtext(".//TipoDocumento"),
            "importo_totale": money(body.findtext(".//ImportoTotaleDocumento")),
            "reverse_charge": any((nature.text or "").startswith("N6") for nature in body.iter("Natura")),
            "imposta": sum((money(part.text) for part in body.iter("Imposta")), ZERO),
            "ritenuta": sum((money(part.text) for part in body.iter("ImportoRitenuta")), ZERO),
            "scadenze": sorted(set(dues)),
            "data_scadenza": max(dues, default=max(terms, default=None)),
            "riferimenti": [
                (named.findtext("IdDocumento") or "", date.fromisoformat(named.findtext("Data") or ""))
                for named in body.iter("DatiFattureCollegate")
                if named.findtext("Data")
            ],
        }


def _executed(folder: Path, rows: Mapping[str, Sequence[Row]]) -> list[dict[str, Any]]:
    """Payments of the orders in `folder` that its journals execute, one block an order; documents found by their lot."""
    known = {(payment["id_documento"], payment["numero_mandato"]) for payment in rows.get("erp_payments", ())}
    by_lot = {row["lotto_sdi"]: row for row in rows.get("erp_invoices", ()) if row.get("lotto_sdi")}
    roots = [ElementTree.parse(path).getroot() for path in sorted(folder.glob("*.xml"))]
    moved = {
        movement.findtext("numero_documento"): date.fromisoformat(movement.findtext("data_movimento") or "")
        for root in roots
        for movement in root.iter("movimento_conto_evidenza")
    }
    found = []
    for order in (order for root in roots for order in root.iter("mandato")):
        number = (order.findtext("numero_mandato") or "").lstrip("0")
        row = by_lot.get(order.findtext(".//identificativo_lotto_sdi_siope"))
        document = row["id_documento"] if row else None
        if number in moved and document and (document, number) not in known:
            amount, who = money(order.findtext(".//importo_siope")), order.findtext(".//partita_iva_beneficiario")
            found.append(
                {"id_documento": document, "numero_mandato": number, "data_pagamento": moved[number], "importo": amount}
            )
            found[-1] |= {"cf_beneficiario": who, "storno": False}
            year = row["data_emissione"].year if row else 0
            written = document_number(order.findtext(".//numero_fattura_siope") or "", year)
            found[-1]["_misnamed"] = bool(row) and written != document_number(row["numero"] if row else "", year)
    return found


def _read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file, delimiter=";"))


def _typed(row: Mapping[str, str]) -> dict[str, Any]:
    typed: dict[str, Any] = {}
    for name, text in row.items():
        value: Any = text.strip() or None
        if value is not None and (name.startswith("data_") or name == "decorrenza"):
            value = date.fromisoformat(value)
        elif value is not None and (name.startswith("importo") or name in ("imponibile", "iva", "totale_imposta")):
            value = Decimal(value)
        elif value is not None and name in ("split_payment", "storno", "commerciale", "escluso"):
            value = value in ("S", "SI")
        typed[name] = value
    return typed


def perturbed(rows: Mapping[str, Sequence[Row]], seed: int, share: float = 0.15) -> dict[str, list[dict[str, Any]]]:
    """The same feeds with random damage to about `share` of the rows, deterministic by seed.

    Nothing here follows a case: it is what no one thought of. Keys stay unique and required fields filled.
    """
    random = Random(seed)
    made = {kind: [dict(row) for row in found] for kind, found in rows.items()}

    def some(kind: str) -> Iterable[dict[str, Any]]:
        return [row for row in made.get(kind, ()) if random.random() < share]

    def nearby(value: date | None) -> date:
        return (value or date(2025, 6, 30)) + timedelta(days=random.choice((-400, -40, -1, 1, 3, 35, 200)))

    def part(value: Any) -> Decimal:
        return (money(value) * random.choice((0, 1, 3, 10, 12)) / 10).quantize(CENT)

    for row in some("erp_invoices"):
        other = random.choice(made["erp_invoices"])
        match random.randrange(12):
            case 0:
                row["stato"], row["causale"] = (
                    "SOSPESA",
                    random.choice((None, "CONTESTATO", "ATTESA_NC", "ALTRO")),
                )
                row["importo_sospeso"] = random.choice((None, part(row["importo_totale"])))
            case 1:
                row["stato"] = random.choice(("REGISTRATA", "LIQUIDATA", "RIFIUTATA", "ANNULLATA"))
            case 2:
                row["stato"] = "NON_LIQUIDABILE"
                row["importo_non_liquidabile"] = random.choice((None, part(row["importo_totale"])))
            case 3:
                row["data_scadenza"] = random.choice((None, nearby(row["data_scadenza"])))
            case 4:
                row["data_emissione"] = nearby(row["data_emissione"])
            case 5:
                row["numero"], row["piva_fornitore"] = other["numero"], other["piva_fornitore"]
                row["cf_fornitore"], row["data_emissione"] = other["cf_fornitore"], other["data_emissione"]
            case 6:
                row["id_pcc"], row["lotto_sdi"] = other["id_pcc"], random.choice((None, other["lotto_sdi"]))
            case 7:
                row["importo_totale"] = (money(row["importo_totale"]) * 2).quantize(CENT)
            case 8:
                row["split_payment"], row["iva"] = (
                    random.choice((None, True, False)),
                    random.choice((None, row["iva"])),
                )
            case 9:
                row["tipo_documento"] = random.choice(("TD01", "TD04", "TD08", "NOTA_CREDITO"))
            case 10:
                row["commerciale"] = random.choice((None, False))
            case _:
                row["data_ricezione"] = row["data_scadenza"] = None
    for row in some("pcc_invoices"):
        match random.randrange(9):
            case 0:
                row["importo_liquidato"], row["importo_pagato"] = ZERO, part(row["importo_totale"])
            case 1:
                row["importo_sospeso"] = part(row["importo_totale"])
                row["causale_sospensione"] = random.choice((None, "CONT", "ATTESA_NC", "ADEMPIMENTI"))
            case 2:
                row["importo_non_liquidabile"] = part(row["importo_totale"])
            case 3:
                row["stato_documento"] = random.choice(("RIFIUTATO", "RICEVUTO", "PAGATO", "CONTABILIZZATO"))
            case 4:
                row["data_scadenza"] = random.choice((None, nearby(row["data_scadenza"])))
            case 5:
                row["data_emissione"] = nearby(row["data_emissione"])
            case 6:
                row["split_payment"], row["codice_ufficio"] = random.choice((None, True, False)), None
            case 7:
                row["importo_pagato_non_commerciale"] = part(row["importo_totale"])
            case _:
                row["id_fiscale_iva"], row["data_ricezione"] = None, None
    for row in some("erp_payments"):
        row["data_pagamento"], row["importo"] = nearby(row["data_pagamento"]), part(row["importo"])
        row["cf_beneficiario"] = random.choice((None, row["cf_beneficiario"]))
    for row in some("pcc_operations"):
        row["data_operazione"] = nearby(row["data_operazione"])
        row["data_pagamento"] = random.choice((None, row["data_pagamento"]))
    suppliers = made.get("erp_invoices", ())
    for number in range(len(made.get("special_cases", ()))):
        old, new = random.choice(suppliers), random.choice(suppliers)
        made["special_cases"].append(
            {
                **dict.fromkeys(made["special_cases"][0]),
                "piva_fornitore": old["piva_fornitore"],
                "cf_fornitore": old["cf_fornitore"],
                "numero": random.choice((None, old["numero"])),
                "decorrenza": nearby(old["data_emissione"]),
                "caso": ("CONTENZIOSO", "NON_COMMERCIALE", "CESSIONE", "SUCCESSIONE", "PIGNORAMENTO")[number % 5],
                "nuovo_creditore_piva": new["piva_fornitore"],
                "nuovo_creditore_cf": new["cf_fornitore"],
            }
        )
    return made


def write_inbox(rows: Mapping[str, Sequence[Row]], inbox: Path, ente: str) -> None:
    """Write feeds as the files that `load_inbox` reads (ISO CSV with `;`), one per kind."""
    for kind, found in rows.items():
        if not found or kind == "lost":
            continue
        folder = inbox / ente / kind
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / f"{kind}.csv").open("w", encoding="utf-8", newline="") as file:
            columns = dict.fromkeys(name for row in found for name in row if not name.startswith("_"))
            writer = csv.DictWriter(file, list(columns), delimiter=";", extrasaction="ignore")
            writer.writeheader()
            yes, no = ("SI", "NO") if kind == "pcc_invoices" else ("S", "N")
            for row in found:
                writer.writerow({name: yes if v is True else no if v is False else v for name, v in row.items()})

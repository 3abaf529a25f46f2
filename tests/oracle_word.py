"""The oracle's reading of the ente's own word, and what a document adds to a view under it (see `oracle`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from oracle_documents import ZERO, Document, Position, Row, document_number, tax_id, tokens_of
from oracle_pairs import NO_DEBT


class Word:
    """The ente's own word: open list and special cases, held against one document's two sides."""

    def __init__(
        self, rows: Mapping[str, Sequence[Row]], day: date, alias: Mapping[str, str], documents: Sequence[Document]
    ) -> None:
        self.listed = list(rows.get("open_list", ()))
        self.all_cases = list(rows.get("special_cases", ()))
        self.cases = self.at(day)
        self.alias = alias
        self.own = tokens_of(*(row.get("cf_amministrazione") for row in rows.get("pcc_invoices", ())))
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
        tokens = tokens_of(row.get("piva_fornitore"), row.get("cf_fornitore"))
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
        """VAT number of either side, else the one known for the fiscal code, else the fiscal code; "" where none is told."""
        for side in sides:
            if side.vat:
                return side.vat
        token = min(sides[0].tokens, default="")
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
                and tokens_of(case.get("piva_fornitore"), case.get("cf_fornitore")) & tokens
                and tokens_of(case.get("nuovo_creditore_piva"), case.get("nuovo_creditore_cf"))
                and (self.holds(case, sides) if len(seen) == 1 else self._names(case, sides))
            ]
            if not steps:
                return name, tokens, False
            case = max(steps, key=lambda c: (bool(c.get("numero")), c["decorrenza"]))
            new = tokens_of(case.get("nuovo_creditore_piva"), case.get("nuovo_creditore_cf"))
            name = tax_id(case.get("nuovo_creditore_piva")) or tax_id(case.get("nuovo_creditore_cf")) or name
            tokens = new | {self.alias.get(token, token) for token in new}
            if any(tokens & old for old in seen):
                return supplier, start, True
            seen.append(tokens)


def _term(tipo: str) -> timedelta:
    return timedelta(days=60 if tipo == "SANITARIO" else 30)


def pcc_position(pcc: Document, word: Word, tipo: str) -> Position:
    due = pcc.due or (pcc.received or pcc.issued) + _term(tipo)
    amount = ZERO if pcc.rejected or pcc.left_out else pcc.sign * (pcc.commercial - pcc.paid_d - pcc.excluded)
    return Position(amount, due, pcc.issued, word.supplier([pcc]))


def as_pcc_has_it(pcc: Document, shown: Position, creditor: str) -> Position:
    """Never below zero or above its amount."""
    return Position(pcc.sign * max(min(pcc.sign * shown.amount, pcc.commercial), ZERO), shown.due, shown.issued, creditor)


def right_position(
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


def third_of(case: Row) -> frozenset[str]:
    return tokens_of(case.get("nuovo_creditore_piva"), case.get("nuovo_creditore_cf"))

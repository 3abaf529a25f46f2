"""The oracle's documents: what a row of either side says of a debt by D, seen at O (see `oracle`)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

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
from oracle_pairs import STANDS_FOR_FOREIGN

Row = Mapping[str, Any]
ZERO = Decimal("0.00")
CENT = Decimal("0.01")
#: Agenzia delle Entrate, its collector, the Ministry: paid what is withheld and the VAT of split payment.
TAX_AUTHORITIES = {"06363391001", "13756881002", "80415740580"}


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


def tokens_of(*texts: str | None) -> frozenset[str]:
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


def erp_document(row: Row, payments: Iterable[Row], day: date, seen: date) -> Document:
    total, flip = abs(money(row["importo_totale"])), -1 if money(row["importo_totale"]) < 0 else 1
    document = Document(
        row=row,
        key=row["id_documento"],
        sign=sign_of(row),
        tokens=tokens_of(row.get("piva_fornitore"), row.get("cf_fornitore")),
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
    limit_withheld(document, seen, ZERO)
    return document


def limit_withheld(document: Document, seen: date, withheld_by_invoice: Decimal) -> None:
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


def pcc_document(row: Row, operations: Sequence[Row], day: date, seen: date) -> Document:
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
        tokens=tokens_of(row.get("id_fiscale_iva"), row.get("cf_fornitore")),
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

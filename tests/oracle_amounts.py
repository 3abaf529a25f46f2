"""The oracle's sections 1, 2, 3 and 11 of the rules: signs, dates that can be, what is paid and what is left of an amount.

Written from the text of the rules, in plain Python, one document at a time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

Row = Mapping[str, Any]
ZERO = Decimal("0.00")
CREDIT_NOTES = {"TD04", "TD08", "NOTA_CREDITO"}
#: Who takes taxes. Not the agency that collects for others: what it seizes was the creditor's.
TREASURY = {"06363391001", "80415740580"}
#: Causes of which PCC is not told (docs/rules.md#rule-11, DURC).
UNTOLD = {"DURC"}


def sign_of(row: Row) -> int:
    """−1 for a credit note and for a negative total."""
    return -1 if row["tipo_documento"] in CREDIT_NOTES or row["importo_totale"] < 0 else 1


def possible_day(day: date | None, seen: date) -> date | None:
    """The day, unless it lies before 2000 or more than ten years ahead."""
    return day if day and 2000 <= day.year <= seen.year + 10 else None


def possible_due(due: date | None, issued: date) -> date | None:
    """The due date, unless it lies before the date of issue or more than ten years after it."""
    if due is None or due < issued:
        return None
    try:
        latest = issued.replace(year=issued.year + 10)
    except ValueError:
        latest = date(issued.year + 10, 2, 28)
    return due if due <= latest else None


def cannot_be(row: Row, due: str, issued: str, days: Iterable[str], seen: date) -> bool:
    """Does the row bear a date that is as if not given?"""
    wrong_due = row.get(due) is not None and possible_due(row[due], row[issued]) is None
    return wrong_due or any(row.get(name) is not None and possible_day(row[name], seen) is None for name in (issued, *days))


def paid_on(payment: Row, seen: date) -> date | None:
    """Its day, else its order's."""
    return possible_day(payment["data_pagamento"], seen) or possible_day(payment.get("data_mandato"), seen)


def counted(payments: Sequence[Row], total: Decimal, split_vat: Decimal) -> tuple[list[Row], bool]:
    """The payments of a document's commercial amount, and whether some were exported twice in one file."""
    reversed_orders = {p["numero_mandato"] for p in payments if p.get("storno")}
    kept: list[Row] = []
    seen: set[tuple[Any, ...]] = set()
    twice = False
    for payment in payments:
        names = ("numero_mandato", "data_mandato", "data_pagamento", "importo", "cf_beneficiario", "_file")
        key = tuple(payment.get(name) for name in names)
        if not payment.get("storno") and key in seen and payment["numero_mandato"] not in reversed_orders:
            twice = True
            continue
        seen.add(key)
        kept.append(payment)
    to_treasury = [p for p in kept if (p.get("cf_beneficiario") or "").removeprefix("IT") in TREASURY and not p.get("storno")]
    rest = [p for p in kept if not any(p is other for other in to_treasury)]
    if to_treasury and (split_vat > 0 or sum_of(rest) >= total):
        return rest, twice
    if split_vat > 0 and total > split_vat and sum_of(kept) == total:
        # To whom is not said: one payment of just the VAT, all together the total.
        for place in range(len(kept) - 1, -1, -1):
            if kept[place]["importo"] == split_vat and not kept[place].get("storno"):
                return kept[:place] + kept[place + 1 :], twice
    return kept, twice


def sum_of(payments: Iterable[Row]) -> Decimal:
    """What payments pay together, reversals taken off."""
    return sum((p["importo"] * (-1 if p.get("storno") else 1) for p in payments), ZERO)


def paid_of(commercial: Decimal, written: Decimal, withholding: Decimal) -> Decimal:
    """What is paid of an amount: with what is withheld, never below zero or above it."""
    if written > 0 and withholding > 0 and commercial - written == withholding:
        written += withholding
    return max(min(written, commercial), ZERO)


def accounts_broken(row: Row, commercial: Decimal, told: Decimal | None) -> bool:
    """docs/rules.md#rule-3: accounts that are negative, beyond the amount, contradicted by their kinds or movements, or empty."""
    sign = -1 if row["importo_totale"] < 0 and any((row.get(name) or 0) < 0 for name in ACCOUNTS) else 1
    accounts = {name: sign * (row.get(name) or ZERO) for name in ACCOUNTS}
    aside = row.get("importo_non_commerciale") or ZERO
    if min(accounts.values()) < 0 or sum(accounts.values()) + aside > commercial:
        return True
    kinds = [row.get(f"importo_sospeso_{kind}") for kind in ("contenzioso", "contestazione", "verifica")]
    given = [kind for kind in kinds if kind is not None]
    if given and row.get("importo_sospeso") is not None and sum(given) != accounts["importo_sospeso"]:
        return True
    paid = accounts["importo_pagato"]
    if told is not None and told not in (paid, paid + accounts["importo_pagato_non_commerciale"]):
        return True
    return bool(row["stato_documento"] == "PAGATO" and commercial > 0 and not any(accounts.values()) and not aside)


ACCOUNTS = (
    "importo_liquidato",
    "importo_sospeso",
    "importo_non_liquidabile",
    "importo_pagato",
    "importo_pagato_non_commerciale",
)

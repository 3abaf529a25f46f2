"""Single values as PCC's models want them: dates, amounts, tax ids, codes. Rows and files are not known here."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from functools import lru_cache

from stdnum.it import iva

from pcc_pipeline.formats.tax_ids import is_right

#: What stands where there is nothing to say: no VAT number, no CIG, a movement without nature of expense.
NOT_APPLICABLE = "NA"

_AMOUNT = re.compile(r"-?[0-9]{1,16}\.[0-9]{2}")
_DATE = re.compile(r"([0-9]{2})/([0-9]{2})/([0-9]{4})")
_ANY_DATE = re.compile(r"\b[0-9]{1,2}[/.-][0-9]{1,2}[/.-][0-9]{4}\b|\b[0-9]{4}-[0-9]{2}-[0-9]{2}\b")
#: A company's code, or a person's (letters may stand for digits where two persons would have the same).
_TAX_CODE = re.compile(r"[0-9]{11}|[A-Z]{6}[A-Z0-9]{10}")
_COUNTRY = re.compile(r"[A-Z]{2}[A-Z0-9]{2,28}")


def amount(text: str) -> Decimal | None:
    """The amount in euro; None unless written with a point and two decimals."""
    return Decimal(text) if _AMOUNT.fullmatch(text) else None


@lru_cache(maxsize=50_000)
def day(text: str) -> date | None:
    """The date written dd/mm/yyyy; None for anything else, or no day of the calendar."""
    found = _DATE.fullmatch(text)
    if not found:
        return None
    try:
        return date(int(found[3]), int(found[2]), int(found[1]))
    except ValueError:
        return None


def holds_a_date(text: str) -> bool:
    """Whether a free text has a date in it, Italian or ISO."""
    return _ANY_DATE.search(text) is not None


@lru_cache(maxsize=50_000)
def tax_code_problem(text: str) -> str | None:
    """The check that a fiscal code does not pass: its form (eleven digits or sixteen characters), or its check digit."""
    if not _TAX_CODE.fullmatch(text):
        return "tax_code"
    return None if is_right(text) else "check_digit"


@lru_cache(maxsize=50_000)
def vat_problem(text: str) -> str | None:
    """The same of a VAT id with its country: IT and eleven digits, another country's number, or a person's fiscal code."""
    if re.fullmatch(r"IT[0-9]{11}", text):
        return None if iva.is_valid(text[2:]) else "check_digit"
    if len(text) == 16 and _TAX_CODE.fullmatch(text):
        return tax_code_problem(text)
    return None if _COUNTRY.fullmatch(text) and not text.startswith("IT") else "vat"


def _or_na(pattern: str, check: str) -> Callable[[str], str | None]:
    good = re.compile(f"{NOT_APPLICABLE}|{pattern}")
    return lambda text: None if good.fullmatch(text) else check


_PROBLEMS: dict[str, Callable[[str], str | None]] = {
    "amount": lambda text: "amount" if amount(text) is None else None,
    "date": lambda text: "date" if day(text) is None else None,
    # Persons without VAT number, subjects without Italian code: NA.
    "tax_code": lambda text: None if text == NOT_APPLICABLE else tax_code_problem(text),
    "vat": lambda text: None if text == NOT_APPLICABLE else vat_problem(text),
    "cig": _or_na("[A-Z0-9]{10}", "cig"),
    "cup": _or_na("[A-Z0-9]{15}", "cup"),
    "rate": _or_na(r"[0-9]{1,3}\.[0-9]{2}", "number"),
    "days": _or_na("[0-9]{1,4}", "number"),
}


def problem(kind: str, text: str) -> str | None:
    """The check that a text of a column's type does not pass; None when it passes all."""
    check = _PROBLEMS.get(kind)
    return check(text) if check else None

"""What a delivery says of itself: that it is whole for a span, or an increment (docs/rules.md#rule-12).

In the inbox the file's name says it (formats, "Inbox"): `pagamenti.whole.2025-01-01..2025-12-31.csv`, either end may be
missing; `pagamenti.increment.csv`. One name and no second file: it is there as a whole or not at all.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from pathlib import PurePath

#: Kinds that may be whole for a span, each with the column by which a span has a row.
DAY_OF = {
    "erp_invoices": "data_emissione",
    "erp_payments": "data_pagamento",
    "pcc_invoices": "data_emissione",
    "pcc_operations": "data_operazione",
}

_DAY = r"\d{4}-\d\d-\d\d"
_SPAN = re.compile(rf"({_DAY})?\.\.({_DAY})?")
_NAME = re.compile(
    rf"(?P<stem>.+)\.(?:whole\.(?P<span>(?:{_DAY})?\.\.(?:{_DAY})?)|(?P<increment>increment))(?P<suffix>(?:\.\w+)*)", re.I
)


@dataclass(frozen=True)
class Said:
    """What is said of a delivery: `whole` for a span (ends included; None: open), or an increment; None: nothing said."""

    whole: bool | None = None
    span_from: date | None = None
    span_to: date | None = None


NOTHING = Said()
INCREMENT = Said(False)


def parse_span(text: str) -> Said:
    """A span written `FROM..TO`, days in ISO form, either of which may be missing. Raises ValueError in plain words."""
    found = _SPAN.fullmatch(text.strip())
    if not found:
        raise ValueError(f"{text!r} is no span: FROM..TO, such as 2025-01-01..2025-12-31; an end may be missing")
    first, last = (date.fromisoformat(day) if day else None for day in found.groups())
    if first and last and first > last:
        raise ValueError(f"{text!r}: the span ends before it begins")
    return Said(True, first, last)


def marked(name: str, said: Said) -> str:
    """The name of a file in the inbox that says what is said of it."""
    if said.whole is None:
        return name
    path = PurePath(name)
    ends = "..".join(day.isoformat() if day else "" for day in (said.span_from, said.span_to))
    return f"{path.stem}.{f'whole.{ends}' if said.whole else 'increment'}{path.suffix}"


def told(kind: str, name: str) -> tuple[str, Said]:
    """A file's own name, and what the name in the inbox says of it. Nothing for a kind that has no spans."""
    found = _NAME.fullmatch(name) if kind in DAY_OF else None
    if not found:
        return name, NOTHING
    plain = found["stem"] + found["suffix"]
    if found["increment"]:
        return plain, INCREMENT
    try:
        return plain, parse_span(found["span"])
    except ValueError:
        return name, NOTHING

"""Which delivered rows stand (docs/rules.md#rule-12), in plain Python from the rules, not from the SQL: part of the oracle.

Not here: what people answered, rows that cannot be read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

Row = dict[str, Any]

#: By which day a span has a row.
DAYS = {
    "erp_invoices": ("data_emissione",),
    "erp_payments": ("data_pagamento",),
    "pcc_invoices": ("data_emissione",),
    "pcc_operations": ("data_pagamento", "data_operazione"),
}


@dataclass
class Stands:
    """The rows that count; and those that a later whole delivery has not: `gone` is out of them, `asked` among them."""

    rows: list[Row]
    gone: list[Row] = field(default_factory=list)
    asked: list[Row] = field(default_factory=list)


def stands(kind: str, files: Sequence[tuple[str, Sequence[Row]]]) -> Stands:
    """What stands of files delivered at once, one after the other: (name in the inbox, rows)."""
    placed = [(place, row) for place, (_, rows) in enumerate(files) for row in rows]
    if kind not in DAYS:
        return Stands([row for _, row in placed])
    left = [(place, row) for at, (place, row) in enumerate(placed) if not _corrected(kind, place, row, placed, at)]
    if kind == "erp_payments":
        left = _renumbered(placed, left)
    wholes = _wholes(kind, files)
    found = Stands([])
    for place, row in left:
        lacking = [
            said for later, (said, first, last) in wholes.items()
            if later > place and first <= _day(kind, row) <= last and not _parts(kind, files, wholes, place, later)
        ]  # fmt: skip
        if True not in lacking:
            found.rows.append(row)
        if lacking:
            (found.gone if True in lacking else found.asked).append(row)
    return found


def _day(kind: str, row: Mapping[str, Any]) -> date:
    return next(row[name] for name in DAYS[kind] if row.get(name))


def _number(row: Mapping[str, Any]) -> str:
    return (row.get("numero_mandato") or "").lstrip("0")


def _agree(one: Any, other: Any) -> bool:
    """What a row does not say does not tell it apart."""
    return one is None or other is None or one == other


def _same(kind: str, one: Row, other: Row) -> bool:
    """Whether two rows are versions of the same thing."""
    if kind == "erp_invoices":
        return bool(one["id_documento"] == other["id_documento"])
    if kind == "pcc_invoices":
        return bool(one["progressivo_registrazione"] == other["progressivo_registrazione"])
    if _number(one) != _number(other) or _day(kind, one) != _day(kind, other):
        return False
    if kind == "pcc_operations":
        return all(one[name] == other[name] for name in ("progressivo_registrazione", "data_operazione", "azione"))
    years = [row["data_mandato"].year if row.get("data_mandato") else None for row in (one, other)]
    return (
        one["id_documento"] == other["id_documento"]
        and bool(one.get("storno")) == bool(other.get("storno"))
        and _agree(*years)
        and _agree(one.get("cf_beneficiario"), other.get("cf_beneficiario"))
    )


def _corrected(kind: str, place: int, row: Row, placed: Sequence[tuple[int, Row]], at: int) -> bool:
    for other_at, (later, other) in enumerate(placed):
        # Of a document the last line of a file stands, too; payments of one key in one file are all meant.
        after = other_at > at if kind.endswith("invoices") else later > place
        if after and _same(kind, row, other):
            return True
    return False


def _renumbered(placed: Sequence[tuple[int, Row]], left: Sequence[tuple[int, Row]]) -> list[tuple[int, Row]]:
    """Without the payments that a later delivery has under a number never heard of before, one for one, the latest first."""
    left = list(left)
    for place, row in placed:
        if any(before < place and _same("erp_payments", row, other) for before, other in placed):
            continue
        old = [one for one in left if one[0] < place and _renamed(one[1], row)]
        if old:
            left.remove(next(one for one in old if one[0] == max(place for place, _ in old)))
    return left


def _renamed(old: Row, row: Row) -> bool:
    """Whether two payments differ by their number alone."""
    names = ("id_documento", "data_pagamento", "importo", "cf_beneficiario")
    return (
        all(old.get(name) == row.get(name) for name in names)
        and _number(old) != _number(row)
        and bool(old.get("storno")) == bool(row.get("storno"))
    )


def _wholes(kind: str, files: Sequence[tuple[str, Sequence[Row]]]) -> dict[int, tuple[bool, date, date]]:
    """Deliveries that tell all there is between two days: whether that was said, and the days."""
    found: dict[int, tuple[bool, date, date]] = {}
    before: list[Row] = []
    for place, (name, rows) in enumerate(files):
        said = re.search(r"\.whole\.(\d{4}-\d\d-\d\d)?\.\.(\d{4}-\d\d-\d\d)?\.", name)
        if said:
            first, last = (date.fromisoformat(day) if day else None for day in said.groups())
            found[place] = (True, first or date.min, last or date.max)
        elif ".increment." not in name and rows:
            contents = [_content(row) for row in before]
            if 2 * sum(_content(row) in contents for row in rows) >= len(rows):
                days = [_day(kind, row) for row in rows]
                found[place] = (False, min(days), max(days))
        before += rows
    return {place: whole for place, whole in found.items() if place > 0}


def _content(row: Row) -> dict[str, Any]:
    return {name: value for name, value in row.items() if not name.startswith("_") and value is not None}


def _parts(
    kind: str, files: Sequence[tuple[str, Sequence[Row]]], wholes: Mapping[int, tuple[bool, date, date]], place: int, later: int
) -> bool:
    """Whether two whole files are parts of one: they share no row."""
    return place in wholes and not any(_same(kind, one, other) for one in files[place][1] for other in files[later][1])

"""Judges a file of today's models (Area RGS), ours or others': each error by line and column.

What each check says and how grave it is: data (rule_pcc_model_checks). Which cells an action fills: the model's own data
(`area`). Whether PCC's document has room for the amounts is not known here: check targets_sum.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal

from pcc_pipeline.formats.pcc.area import IDENTIFICATIONS, Action, AreaModel, Cell, data_rows, header_end
from pcc_pipeline.formats.pcc.models import Record
from pcc_pipeline.formats.pcc.values import amount, day, problem, tax_code_problem

#: A check with its line, cell, what is written and what was expected.
Fault = tuple[str, int, Cell | None, str, str]


def check_records(model: AreaModel, records: Sequence[Record], on: date) -> Iterator[Fault]:
    """Everything wrong in a file's records; `on` is the day it would be sent."""
    yield from _header(model, records)
    rows, others = data_rows(model, records)
    for record in others:
        action = (*record.texts, *[""] * len(model.cells))[model.places["azione"]]
        yield "code", record.line, model.cells[model.places["azione"]], action, ", ".join(model.actions)
    if not rows and not others:
        yield "no_rows", len(records) or 1, None, "", ""
    seen: dict[tuple[str, ...], int] = {}
    for row in rows:
        yield from check_row(model, row, on)
        named = row.texts[: model.places["azione"] + 1]
        # Of one document's amounts only one row can be right; of its payments, equal rows would be taken twice.
        key = named if row.texts[model.places["azione"]] in ("SID", "MI", "CS") else row.texts[: len(model.cells) - 2]
        if (first := seen.setdefault(key, row.line)) != row.line:
            yield "repeated_document", row.line, None, str(first), ""


def _header(model: AreaModel, records: Sequence[Record]) -> Iterator[Fault]:
    end = header_end(records)
    if end != len(model.header):
        yield "titles", records[0].line if records else 1, None, f"{end} righe invece di {len(model.header)}", ""
        return
    for record, wanted in zip(records[:end], model.header, strict=True):
        for place, title in enumerate(wanted.split(";")):
            found = record.texts[place] if place < len(record.texts) else ""
            if title == "{user}":
                if tax_code_problem(found) == "tax_code" or len(found) != 16:
                    yield "user", record.line, None, found, ""
            elif _letters(title) != _letters(found):
                yield "titles", record.line, None, found or "(vuota)", ""


def _letters(title: str) -> str:
    return re.sub(r"[^0-9a-z]", "", title.casefold())


def check_row(model: AreaModel, row: Record, on: date) -> Iterator[Fault]:
    """Everything wrong in one row, which is as wide as the model."""
    texts = {cell.field: row.texts[cell.place] for cell in model.cells}
    action = model.actions[texts["azione"]]
    named = [number for number, fields in IDENTIFICATIONS.items() if all(texts[field] for field in fields)]
    if not named:
        yield "identification", row.line, None, "", ""
    for cell in model.cells:
        text = row.texts[cell.place]
        if cell.type == "answer" or cell.field == "azione":
            continue
        yield from ((check, row.line, cell, text, expected) for check, expected in _cell(cell, text, texts, action, on))


def _cell(cell: Cell, text: str, texts: dict[str, str], action: Action, on: date) -> Iterator[tuple[str, str]]:
    identity = any(cell.field in fields for fields in IDENTIFICATIONS.values())
    if not text:
        if cell.field in action.required:
            yield "required", ""
        elif cell.type == "start" and cell.field in action.optional and (amount(texts[cell.allowed[0]]) or 0) > 0:
            yield "start_missing", ""
        return
    if not identity and cell.field not in (*action.required, *action.optional):
        yield "not_for_action", action.action
        return
    if cell.length and len(text) > cell.length:
        yield "too_long", str(cell.length)
    if cell.type in ("money", "paid"):
        found = amount(text)
        if found is None or abs(found) >= Decimal(10) ** 12:
            yield "amount", ""
        elif found < 0 or (cell.type == "paid" and not found):
            yield "amount_sign", ""
    elif cell.type in ("date", "start"):
        yield from _date(cell, text, texts, on)
    elif cell.type == "digits" and not text.isdigit():
        yield "number", ""
    elif cell.type in ("cig", "cup", "days"):
        if wrong := problem(cell.type, text):
            yield wrong, ""
    elif cell.allowed and text not in cell.allowed:
        yield "code", ", ".join(cell.allowed)


def _date(cell: Cell, text: str, texts: dict[str, str], on: date) -> Iterator[tuple[str, str]]:
    found = day(text)
    if found is None:
        yield "date", ""
    elif cell.type == "start":
        if not amount(texts[cell.allowed[0]]):
            yield "start_without_amount", ""
        if found > on:
            yield "start_future", ""
    elif found > on and texts["azione"] != "CS":
        yield "future", ""

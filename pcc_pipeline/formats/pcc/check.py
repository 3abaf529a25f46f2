"""Judges a file for PCC, ours or others': each error by line and column, with PCC's code where known.

Modello 003 and 002 are judged here, today's models in `area_check`.

What each check says, how grave it is and from which day it holds is data (rule_pcc_model_checks). Single values are
judged in `pcc_model_values`. Whether PCC's accounts have room for the amounts is not known here.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import Literal

from pcc_pipeline.formats.pcc import area, area_check, models
from pcc_pipeline.formats.pcc.lines import is_without
from pcc_pipeline.formats.pcc.models import HEADER_LINES, TITLES, VERSION, Field, Preamble, Record, UploadModel
from pcc_pipeline.formats.pcc.values import NOT_APPLICABLE, amount, day, holds_a_date, problem, tax_code_problem
from pcc_pipeline.rules import debt_states, rule_rows

_UNDEFINED = frozenset(b"\x81\x8d\x8f\x90\x9d")
#: Letters of Italian text as UTF-8 writes them.
_MIXED = tuple(letter.encode() for letter in "àèéìòùÀÈÉÌÒÙ€")


@dataclass(frozen=True)
class Finding:
    """One thing wrong: the line of the file, the column (place from 1, and name; none for the whole line), the check,
    PCC's own code where known, error or warning, what is written there, why it is wrong."""

    line: int
    column: int | None
    field: str | None
    check: str
    code: str | None
    severity: Literal["error", "warning"]
    value: str
    message: str

    @property
    def letter(self) -> str:
        """The column as a spreadsheet names it (A, B, … AL); empty for a whole line."""
        if self.column is None:
            return ""
        first, last = divmod(self.column - 1, 26)
        return (chr(64 + first) if first else "") + chr(65 + last)


@cache
def _checks() -> dict[str, dict[str, str]]:
    return {row["check"]: row for row in rule_rows("pcc_model_checks")}


def _finding(check: str, line: int, field: Field | None = None, value: str = "", expected: str = "") -> Finding:
    place, name = (field.place + 1, field.name) if field else (None, None)
    return _of(check, line, place, name, value, expected)


def _of(check: str, line: int, place: int | None, name: str | None, value: str, expected: str) -> Finding:
    row = _checks()[check]
    message = row["message"].format(value=value[:80], expected=expected)
    severity: Literal["error", "warning"] = "error" if row["severity"] == "error" else "warning"
    return Finding(line, place, name, check, row["pcc_code"] or None, severity, value[:200], message)


def found_in_row(check: str, line: int, cell: area.Cell | None, value: str = "", expected: str = "") -> Finding:
    """A fault of a row of today's models as a finding."""
    place, name = (cell.place + 1, cell.field) if cell else (None, None)
    return _of(check, line, place, name, value, expected)


def operation_findings(model: str, texts: Sequence[str], on: date) -> list[Finding]:
    """Everything wrong in one row of any model that is about to be written."""
    row = Record(0, tuple(texts))
    if (today := area.area_models().get(model)) is not None:
        return [found_in_row(*fault) for fault in area_check.check_row(today, row, on)]
    return list(check_row(models.layout(model), row, on))


def check_file(path: Path, on: date) -> list[Finding]:
    """Everything wrong in a file, in order of lines; `on` is the day it would be sent. Empty: PCC should take it."""
    return list(check(path.read_bytes(), on))


def check(data: bytes, on: date) -> Iterator[Finding]:
    """See `check_file`, on the bytes."""
    found_bytes = list(_bytes(data))
    body = data.removeprefix(b"\xef\xbb\xbf")
    text = body.decode(models.ENCODING, "replace")
    found: list[Record] = []
    try:
        for record in models.records(text):
            found.append(record)
    except csv.Error:
        found_bytes.append(_finding("quotes", found[-1].line + 1 if found else 1))
    if (today := area.model_of(found)) is not None:
        # Two ERPs write them in two encodings, and PCC takes both.
        yield from (replace(finding, severity="warning") for finding in found_bytes)
        for what, line, cell, value, expected in area_check.check_records(today, found, on):
            yield found_in_row(what, line, cell, value, expected)
        return
    yield from found_bytes
    head = models.preamble(found)
    if head is None or head.model not in TITLES:
        model = f"modello {head.model} sconosciuto" if head else "mancano le righe 0;0;0 e Codice del modello"
        yield _finding("preamble", 2 if head else 1, value=model)
        return
    layout = models.layout(head.model)
    yield from _header(head, layout)
    rows = [record for record in found[HEADER_LINES:] if any(record.texts)]
    if not rows:
        yield _finding("no_rows", len(found) or 1)
    seen: dict[tuple[str, ...], int] = {}
    for record in rows:
        yield from check_row(layout, record, on)
        first = seen.setdefault(record.texts[: len(layout.fields) - 2], record.line)
        if first != record.line:
            yield _finding("repeated", record.line, value=str(first))


def _bytes(data: bytes) -> Iterator[Finding]:
    if data.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        yield _finding("encoding", 1, value="il file comincia con un BOM: UTF-8 o UTF-16")
    for number, line in enumerate(data.split(b"\n"), 1):
        if not line.isascii():
            if wrong := _UNDEFINED.intersection(line):
                yield _finding("encoding", number, value=f"il byte 0x{min(wrong):02x}")
            elif pair := next((pair for pair in _MIXED if pair in line), None):
                yield _finding("encoding", number, value=f"{pair.decode()} scritto in UTF-8")
    lone = data.replace(b"\r\n", b"").count(b"\n") if data.count(b"\n") != data.count(b"\r\n") else 0
    # Line breaks inside quoted fields are data: only a file without any CRLF is surely wrong.
    if lone and b"\r\n" not in data:
        yield _finding("line_end", 1)


def _header(head: Preamble, layout: UploadModel) -> Iterator[Finding]:
    if not head.records[0].texts or head.records[0].texts[:3] != ("0", "0", "0"):
        yield _finding("preamble", 1, value="la prima riga deve essere 0;0;0")
    if head.records[1].texts[1] != TITLES[layout.model]:
        yield _finding("preamble", head.records[1].line, value=f"il nome del modello deve essere {TITLES[layout.model]}")
    if head.version != VERSION:
        yield _finding("preamble", head.records[2].line, value=f"versione {head.version or 'mancante'} invece di {VERSION}")
    if wrong := tax_code_problem(head.user):
        yield _finding("user" if wrong == "tax_code" else wrong, head.records[3].line, value=head.user)
    if len(head.records) < HEADER_LINES:
        yield _finding("titles", head.records[-1].line, value=f"{len(head.records)} righe invece di {HEADER_LINES}")
        return
    for record, part in zip(head.records[4:], ("section", "title", "subtitle"), strict=True):
        texts = (*record.texts, *[""] * len(layout.fields))
        for field in layout.fields:
            wanted, written = _plain(getattr(field, part)), _plain(texts[field.place])
            if wanted and wanted[:12] != written[:12]:
                yield _finding("titles", record.line, field, texts[field.place] or "(vuota)")


def _plain(title: str) -> str:
    return "".join(letter for letter in title.casefold() if letter.isalnum())


def check_row(layout: UploadModel, record: Record, on: date) -> Iterator[Finding]:
    """Everything wrong in one row."""
    width = len(layout.fields)
    # Others leave out the two answer columns, or pad a line with empty ones.
    if (len(record.texts) < width and len(record.texts) != width - 2) or any(record.texts[width:]):
        yield _finding("column_count", record.line, value=str(len(record.texts)), expected=str(width))
        return
    texts = (*record.texts, "", "")
    row = {field.name: texts[field.place] for field in layout.fields}
    action = row.get("azione", "")
    unknown = row.get("progressivo_registrazione") == NOT_APPLICABLE
    for field in layout.fields:
        text = texts[field.place]
        if field.type == "answer":
            continue
        if not text:
            if "*" in field.required or action in field.required:
                yield _finding("required", record.line, field)
            elif unknown and NOT_APPLICABLE in field.required:
                yield _finding("identity", record.line, field)
            continue
        if field.allowed and text not in field.allowed:
            yield _finding("code", record.line, field, text, ", ".join(field.allowed))
        elif wrong := problem(field.type, text):
            yield _finding(wrong, record.line, field, text)
        elif field.type == "date" and field.name != "data_scadenza" and (day(text) or on) > on:
            yield _finding("future", record.line, field, text)
        if layout.model == "003" and not _of_action(field, action):
            yield _finding("not_for_action", record.line, field, text, action)
    fields = {field.name: field for field in layout.fields}
    yield from (_rules_003 if layout.model == "003" else _rules_002)(record.line, row, fields, on)


#: Which action compiles which section, by the first word of the section.
_SECTIONS = {"RICEZIONE": "RC", "COMUNICAZIONE RIFIUTO": "RF", "CONTABILIZZAZIONE": "CO",
             "COMUNICAZIONE SCADENZA": "CS", "COMUNICAZIONE PAGAMENTO": "CP"}  # fmt: skip


def _of_action(field: Field, action: str) -> bool:
    """Whether a column belongs to the action; those of no single action belong to all, and to an unknown one too."""
    own = next((code for start, code in _SECTIONS.items() if field.part.startswith(start)), None)
    return own is None or own == action or action not in _SECTIONS.values()


def _rules_003(line: int, row: dict[str, str], fields: dict[str, Field], on: date) -> Iterator[Finding]:
    stato, action = row["stato_debito"], row["azione"]
    if action == "CO" and stato:
        natura = row["natura_spesa"]
        if is_without(stato, "natura") and natura not in ("", NOT_APPLICABLE):
            yield _finding("natura_na", line, fields["natura_spesa"], natura, stato)
        if not is_without(stato, "natura") and natura == NOT_APPLICABLE:
            yield _finding("natura_given", line, fields["natura_spesa"], natura, stato)
        for name in ("cig", "cup"):
            if is_without(stato, "cig") and row[name] not in ("", NOT_APPLICABLE):
                yield _finding("cig_cup_na", line, fields[name], row[name], stato)
        begins = date.fromisoformat(_checks()["dispute_start"]["valid_from"])
        disputed = row["causale"] == "CONT" and stato in debt_states(into="sospeso")
        if disputed and on >= begins and not holds_a_date(row["descrizione"]):
            yield _finding("dispute_start", line, fields["descrizione"], row["descrizione"])
        if (amount(row["importo_movimento"]) or 1) < 0:
            yield _finding("amount_sign", line, fields["importo_movimento"], row["importo_movimento"])
    for name, of in (("importo_movimento", "CO"), ("importo_pagato", "CP"), ("importo_scadenza", "CS")):
        if action == of and row[name] and amount(row[name]) == 0:
            yield _finding("amount_zero", line, fields[name], row[name])
    if (amount(row["importo_scadenza"]) or 1) < 0:
        yield _finding("amount_sign", line, fields["importo_scadenza"], row["importo_scadenza"])


def _rules_002(line: int, row: dict[str, str], fields: dict[str, Field], on: date) -> Iterator[Finding]:
    total, net, vat = (amount(row[name]) for name in ("importo_totale", "totale_imponibile", "totale_imposta"))
    if total is not None and net is not None and vat is not None and total != net + vat:
        yield _finding("totals", line, fields["importo_totale"], f"{net} + {vat} ≠ {total}")
    if total is not None and total <= 0:
        yield _finding("amount_sign", line, fields["importo_totale"], row["importo_totale"])
    if row["natura"] not in ("", NOT_APPLICABLE) and row["aliquota_iva"] not in ("", NOT_APPLICABLE):
        yield _finding("vat_rate", line, fields["aliquota_iva"], row["aliquota_iva"])

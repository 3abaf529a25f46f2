"""Today's models of PCC (Area RGS): what each is, as data; operations into rows and bytes; a file's records into rows.

A folder of `data` is a model: `model.toml` (name, version, width), `header.txt` (its header rows as PCC prints them, one a
line), `columns.csv` (each cell: field, type, length, values allowed) and `actions.csv` (which cells an action fills).
Nothing here knows one model from another. Whether a file is right: `area_check`. Facts: docs/formats.md#area-rgs.
"""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pcc_pipeline.formats.pcc.models import Record, encoded, text_of

_DATA = Path(__file__).parent / "data"
_LABEL = "codice del modello"
#: Where a header ends, in whatever dialect: its last row names the lot and the number.
_LAST_TITLES = ("lotto sdi", "(sdi 2.1.1.4")
#: Records in which a header is looked for: eight rows, each of which may hold line breaks.
_HEADER_AT_MOST = 24
#: The cells that name a document, by way of naming it.
IDENTIFICATIONS = {
    1: ("progressivo_registrazione",),
    2: ("lotto", "numero_documento"),
    3: ("numero_documento", "data_emissione", "cf_fornitore", "codice_ufficio"),
}


@dataclass(frozen=True)
class Cell:
    """A column: its place from 0, field, type, longest text (0: any), values allowed (of a start date, whose start it is)."""

    place: int
    field: str
    type: str
    length: int
    allowed: tuple[str, ...]


@dataclass(frozen=True)
class Action:
    """What an action fills besides the document's names; `date_field` is which of an operation's dates stands in `data`.

    `unwritten` are cells that PCC takes and we leave empty: filled, they might set what is not meant to be set.
    """

    action: str
    required: tuple[str, ...]
    optional: tuple[str, ...]
    unwritten: tuple[str, ...]
    date_field: str
    words: str


@dataclass(frozen=True)
class AreaModel:
    """One of today's models: its code (the folder's name), its name as PCC prints it, its header, cells and actions."""

    model: str
    name: str
    version: str
    header_cells: int
    header: tuple[str, ...]
    cells: tuple[Cell, ...]
    actions: Mapping[str, Action]

    @property
    def places(self) -> dict[str, int]:
        """The place of each field."""
        return {cell.field: cell.place for cell in self.cells}


@cache
def area_models() -> dict[str, AreaModel]:
    """Today's models by their code."""
    return {folder.parent.name: _load(folder.parent) for folder in sorted(_DATA.glob("*/model.toml"))}


def _load(folder: Path) -> AreaModel:
    told = tomllib.loads((folder / "model.toml").read_text(encoding="utf-8"))
    cells = tuple(
        Cell(place, row["field"], row["type"], int(row["length"] or 0), tuple(row["allowed"].split()))
        for place, row in enumerate(_rows(folder / "columns.csv"))
    )
    actions = {row["action"]: _action(row) for row in _rows(folder / "actions.csv")}
    header = tuple((folder / "header.txt").read_text(encoding="utf-8").removesuffix("\n").split("\n"))
    return AreaModel(folder.name, told["name"], told["version"], told["header_cells"], header, cells, actions)


def _action(row: Mapping[str, str]) -> Action:
    required, optional, unwritten = (tuple(row[name].split()) for name in ("required", "optional", "unwritten"))
    return Action(row["action"], required, optional, unwritten, row["date_field"], row["words"])


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def row_of(operation: Mapping[str, Any]) -> tuple[str, ...]:
    """The texts of an operation's row, an operation being a row of the table `operations`; KeyError for another model."""
    model = area_models()[operation["model"]]
    action = model.actions[operation["azione"]]
    filled = {*IDENTIFICATIONS[operation["identificativo"]], "azione", *action.required, *action.optional} - {*action.unwritten}
    return tuple(_text(cell, operation, action) if cell.field in filled else "" for cell in model.cells)


def _text(cell: Cell, operation: Mapping[str, Any], action: Action) -> str:
    value = operation[action.date_field] if cell.field == "data" else operation.get(cell.field)
    if isinstance(value, bool):
        return "S" if value else "N"
    return text_of(value)


def write(model: str, user: str, rows: Iterable[Sequence[str]]) -> bytes:
    """A whole file, ready to be sent: the header, then one line a row (see `row_of`), each cell of it closed by `;`."""
    layout = area_models()[model]
    lines = []
    for line in layout.header:
        cells = line.replace("{user}", user).split(";")
        lines.append(";".join(cells + [""] * (layout.header_cells - len(cells))))
    lines += ["".join(f"{_quoted(text)};" for text in row) for row in rows]
    return encoded("".join(f"{line}\r\n" for line in lines))


def _quoted(text: str) -> str:
    if any(sign in text for sign in '";\r\n'):
        return '"' + text.replace('"', '""') + '"'
    return text


def model_of(records: Sequence[Record]) -> AreaModel | None:
    """Which of today's models a file is, by the name in its header; None where it is none of them."""
    for record in records[:_HEADER_AT_MOST]:
        if len(record.texts) > 1 and record.texts[0].casefold() == _LABEL:
            return next((model for model in area_models().values() if model.name == record.texts[1].upper()), None)
    return None


def header_end(records: Sequence[Record]) -> int:
    """How many records the header takes, told by what they say; 0 where there is none."""
    return max(
        (
            place + 1
            for place, record in enumerate(records[:_HEADER_AT_MOST])
            if any(text.casefold().startswith(_LAST_TITLES) or "(sdi 2.1.1.4" in text.casefold() for text in record.texts)
        ),
        default=0,
    )


def data_rows(model: AreaModel, records: Sequence[Record]) -> tuple[list[Record], list[Record]]:
    """The rows of data, each as wide as the model (short ones padded, long ones cut), and those of no known action."""
    place, width = model.places["azione"], len(model.cells)
    known: list[Record] = []
    others: list[Record] = []
    after = header_end(records)
    for number, record in enumerate(records):
        texts = (*record.texts, *[""] * width)[:width]
        if texts[place].upper() in model.actions:
            known.append(Record(record.line, (*texts[:place], texts[place].upper(), *texts[place + 1 :])))
        elif number >= after and any(record.texts):
            others.append(record)
    return known, others


def values(model: AreaModel, row: Record) -> dict[str, str]:
    """A row's texts by field, as operations name them: decimals with a point, the date under the name of what it is."""
    found = {cell.field: _plain(cell, row.texts[cell.place]) for cell in model.cells}
    if date_field := model.actions[found["azione"]].date_field:
        found[date_field] = found["data"]
    found.pop("data", None)
    return found


def _plain(cell: Cell, text: str) -> str:
    if cell.type in ("money", "paid"):
        text = text.replace(" ", "").removeprefix("€")
        return text.replace(".", "").replace(",", ".") if "," in text else text
    return text

"""Modello 003 and Modello 002 of PCC: their columns as data, rows into bytes, bytes into rows.

Which column is which, its titles and what it holds are in `data/modello_<model>.csv`, from the Ministry's rules for
models 002 (v1.4) and 003 (v1.5). Whether a file is right is judged in `pcc_model_check`; what operations become which
rows in `pcc_model_lines`.
"""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path

ENCODING = "cp1252"
VERSION = "1"
#: Code and name, as line 2 of the preamble has them.
TITLES = {
    "003": "003 - UTENTE PA - OPERAZIONI SU FATTURE ESISTENTI",
    "002": "002 - UTENTE PA - RICEZIONE FATTURE",
}
_LABELS = ("Codice del modello", "Versione del modello", "Utente che trasmette il file (Codice Fiscale)")
#: Four lines of preamble, the sections, two lines of titles.
HEADER_LINES = 7

Value = str | date | Decimal | int | None


@dataclass(frozen=True)
class Field:
    """One column of a model. `required` names the actions that need it (`*` all, `NA` without a registration number)."""

    place: int
    name: str
    section: str
    title: str
    subtitle: str
    type: str
    required: tuple[str, ...]
    allowed: tuple[str, ...]
    #: The section that it stands in, for every column of it.
    part: str


@dataclass(frozen=True)
class UploadModel:
    """The columns of one model, in order."""

    model: str
    fields: tuple[Field, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns, in order."""
        return tuple(field.name for field in self.fields)

    def place(self, name: str) -> int:
        """Where a column stands, from 0. KeyError when the model has none of that name."""
        return _places(self.model)[name]


@dataclass(frozen=True)
class Record:
    """One row as read: the line of the file where it starts (from 1) and its texts, trimmed."""

    line: int
    texts: tuple[str, ...]


@dataclass(frozen=True)
class Preamble:
    """What a file's first lines say; empty where they say nothing. `records` are the seven header records."""

    model: str
    version: str
    user: str
    records: tuple[Record, ...]


@cache
def layout(model: str) -> UploadModel:
    """The columns of "003" or "002". Raises KeyError for another model."""
    if model not in TITLES:
        raise KeyError(f"no model {model!r}: there are {', '.join(TITLES)}")
    path = Path(__file__).parent / "data" / f"modello_{model}.csv"
    fields, part = [], ""
    with path.open(encoding="utf-8", newline="") as file:
        for place, row in enumerate(csv.DictReader(file)):
            part = row["section"] or part
            fields.append(
                Field(
                    place, row["field"], row["section"], row["title"], row["subtitle"], row["type"],
                    tuple(row["required"].split()), tuple(row["allowed"].split()), part,
                )
            )  # fmt: skip
    return UploadModel(model, tuple(fields))


@cache
def _places(model: str) -> dict[str, int]:
    return {field.name: field.place for field in layout(model).fields}


def texts(model: str, row: Mapping[str, Value]) -> tuple[str, ...]:
    """A row's texts in the order of the model's columns, from values by column name; KeyError for an unknown name."""
    places = _places(model)
    line = [""] * len(places)
    for name, value in row.items():
        line[places[name]] = text_of(value)
    return tuple(line)


def write(model: str, user: str, rows: Iterable[Sequence[str]]) -> bytes:
    """A whole file, ready to be sent: preamble and one line a row (see `texts`)."""
    fields = layout(model).fields
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
    writer.writerow(("0", "0", "0"))
    writer.writerows(zip(_LABELS, (TITLES[model], VERSION, user), strict=True))
    for part in ("section", "title", "subtitle"):
        writer.writerow([getattr(field, part) for field in fields])
    writer.writerows(rows)
    return encoded(out.getvalue())


def text_of(value: Value) -> str:
    """How a value stands in a file: dd/mm/yyyy, two decimals after a point, nothing for nothing."""
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return f"{value:.2f}"
    if isinstance(value, date):
        return f"{value.day:02d}/{value.month:02d}/{value.year:04d}"
    return str(value)


def encoded(text: str) -> bytes:
    """Windows-1252; a letter that it lacks loses its accent, anything else it lacks becomes a question mark."""
    try:
        return text.encode(ENCODING)
    except UnicodeEncodeError:
        return "".join(map(_letter, text)).encode(ENCODING, "replace")


def _letter(letter: str) -> str:
    try:
        letter.encode(ENCODING)
    except UnicodeEncodeError:
        return unicodedata.normalize("NFKD", letter).encode("ascii", "ignore").decode() or "?"
    return letter


def records(text: str) -> Iterator[Record]:
    """The records of a file's text, each with the line where it starts. Raises csv.Error when quotes do not close."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=";", strict=True)
    line = 1
    for fields in reader:
        yield Record(line, tuple(field.strip() for field in fields))
        line = reader.line_num + 1


def preamble(found: Iterable[Record]) -> Preamble | None:
    """What the first records say, when they are the preamble of a model (padded or not); None when they are not."""
    first = []
    for record in found:
        first.append(record)
        if len(first) == HEADER_LINES:
            break
    labelled = [(*record.texts, "", "") for record in first[1:4]]
    if len(labelled) < 3 or labelled[0][0].casefold() != _LABELS[0].casefold():
        return None
    return Preamble(labelled[0][1][:3], labelled[1][1], labelled[2][1], tuple(first))


def is_model(start: bytes) -> bool:
    """Whether a file that begins with these bytes is one of PCC's models, by its preamble."""
    head = start.removeprefix(b"\xef\xbb\xbf")[:4096].decode(ENCODING, "replace")
    return any(line.lstrip().strip('"').casefold().startswith(_LABELS[0].casefold()) for line in head.splitlines()[:3])

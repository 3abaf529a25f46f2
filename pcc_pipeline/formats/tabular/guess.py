"""A draft of a layout for a file that none fits: its columns paired with the standard ones by name and content.

Names are compared with the standard ones and with those that the shipped layouts use; contents must read as what the
column is. A draft is for a person to finish: what was not recognised stands in it as comments.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path

import python_calamine as calamine
import yaml

from pcc_pipeline.formats.columns import reader
from pcc_pipeline.formats.conventions import DAY_FIRST, read_date
from pcc_pipeline.formats.names import described, plain
from pcc_pipeline.formats.tabular.choose import PCC, PCC_KINDS
from pcc_pipeline.formats.tabular.encoding import OLE, ZIP
from pcc_pipeline.formats.tabular.headers import DELIMITERS
from pcc_pipeline.formats.tabular.layouts.load import layouts
from pcc_pipeline.formats.tabular.xlsx_reader import reading_order
from pcc_pipeline.formats.tax_ids import read_tax_id
from pcc_pipeline.tables.describe import Column, Table
from pcc_pipeline.tables.feeds import FEEDS

_ROWS = 200
_TITLES = 30
_ALIKE = 0.72
_AMOUNT = "importo"
#: PCC's accounts: a file that names two of them is PCC's, not an accounting system's.
_ACCOUNTS = frozenset({"importo_liquidato", "importo_pagato", "importo_pagato_non_commerciale", "importo_non_liquidabile"})
_TAX_IDS = ("piva_fornitore", "cf_fornitore", "cf_beneficiario", "id_fiscale_iva", "id_fiscale_iva_beneficiario")
#: Columns of PCC's tables that mean what a column of an accounting system's means, and so may be named alike.
_ALSO = {
    "pcc_invoices": (
        "erp_invoices",
        {
            "progressivo_registrazione": "id_pcc", "numero_documento": "numero", "numero_protocollo": "protocollo",
            "id_fiscale_iva": "piva_fornitore", "stato_documento": "stato", "importo_imponibile": "imponibile",
            "totale_imposta": "iva", "causale_sospensione": "causale",
        },
    ),
    "pcc_operations": (
        "erp_payments",
        {"progressivo_registrazione": "id_pcc", "id_fiscale_iva_beneficiario": "cf_beneficiario"},
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Glance:
    """A file's header as it seems to be, the first rows below it, and how many rows stand above."""

    names: list[str]
    rows: list[list[str]]
    above: int
    delimiter: str | None = None

    def values(self, place: int) -> list[str]:
        """The filled cells of a column."""
        return [row[place].strip() for row in self.rows if place < len(row) and row[place].strip()]


def glance(path: Path) -> Glance:
    """Looks at a file without knowing its columns. Raises ValueError for one that holds no table."""
    delimiter = None
    start = path.open("rb").read(4)
    if start.startswith((ZIP, OLE)):
        try:
            book = calamine.CalamineWorkbook.from_path(str(path))
            sheets = [book.get_sheet_by_name(name) for name, _ in reading_order(book)]
            sheet = next((sheet for sheet in sheets if sheet.height), sheets[0])
            table = [[str(cell) for cell in row] for row in sheet.to_python(nrows=_ROWS + _TITLES)]
        except Exception as error:  # calamine's errors share no useful base
            raise ValueError(f"not a readable workbook: {str(error)[:120]}") from None
    else:
        text = _text(path)
        lines = text.splitlines()[: _ROWS + _TITLES]
        # the mark that a row has most often, by the middle one of all rows
        delimiter = max(DELIMITERS, key=lambda mark: sorted(line.count(mark) for line in lines or [""])[len(lines) // 2])
        table = list(csv.reader(lines, delimiter=delimiter))
    table = [row for row in table if any(cell.strip() for cell in row)]
    if not table:
        raise ValueError("empty file")
    above = max(range(min(len(table), _TITLES)), key=lambda place: (_width(table[place]), -place))
    return Glance([name.strip() for name in table[above]], table[above + 1 :], above, delimiter)


def _text(path: Path) -> str:
    raw = path.open("rb").read(1 << 20)
    encoding = "utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError:
        return raw.decode("cp1252", errors="replace")


def _width(row: list[str]) -> int:
    return sum(bool(cell.strip()) for cell in row)


def draft(path: Path, kind: str) -> str:
    """A layout file, as far as a program can tell it, in YAML with comments. Raises ValueError."""
    found, table = glance(path), FEEDS[kind]
    pairs = _pairs(table, found)
    columns = {}
    for name in described(table):
        if name in pairs:
            columns[name] = _recipe(table.column(name), found, pairs[name])
    shape: dict[str, object] = {"header": {"skip": found.above}} if found.above else {}
    if found.delimiter:
        shape["delimiter"] = found.delimiter
    shape |= _conventions(table, found, pairs)
    product: dict[str, object] = {"product": path.stem, "versions": ["1"]}
    if kind in PCC_KINDS:
        product = {"product": PCC}
    body = yaml.safe_dump(
        {**product, "kinds": {kind: {**shape, "columns": columns}}},
        allow_unicode=True, sort_keys=False, width=110,
    )  # fmt: skip
    return "\n".join((*_comments(table, found, pairs), body))


def _comments(table: Table, found: Glance, pairs: dict[str, int]) -> list[str]:
    said = ["# A draft: check every line against the product's manual, then `pcc layout check`."]
    groups = {name for group in table.one_of for name in group}
    for column in table.columns:
        if column.required and column.name in described(table) and column.name not in pairs:
            said.append(f"# required and not recognised: {column.name}: {column.meaning}")
    if groups and not groups & set(pairs):
        said.append(f"# required and not recognised: one of {', '.join(sorted(groups))}")
    for place, name in enumerate(found.names):
        if name and place not in pairs.values():
            some = ", ".join(map(repr, dict.fromkeys(found.values(place)[:3])))
            said.append(f"# not recognised: {name!r}, for instance {some}")
    return said


def _known_names(table: Table) -> dict[str, set[str]]:
    """For each standard column its own name and those that the layouts read it from, made plain."""
    names = {name: {plain(name)} for name in described(table)}
    for layout in layouts().values():
        kind = layout.kinds.get(table.name)
        for name, recipe in (kind.columns if kind else {}).items():
            if len(recipe.sources) == 1 and not recipe.pattern and not recipe.sign_of:
                names[name].add(plain(recipe.sources[0]))
    if table.name in _ALSO:
        other, renamed = _ALSO[table.name]
        for name, words in _known_names(FEEDS[other]).items():
            for mine in described(table):
                if renamed.get(mine, mine) == name:
                    names[mine] |= words
    return names


def likeliest(path: Path, kinds: Sequence[str]) -> str:
    """Of these kinds the one whose columns a file's names and contents resemble most; the first where none does."""
    try:
        found = glance(path)
    except ValueError:
        return kinds[0]

    def alike(kind: str) -> float:
        table = FEEDS[kind]
        pairs = _pairs(table, found)
        required = [column.name for column in table.columns if column.required and column.name in described(table)]
        named = sum(plain(found.names[place]) == plain(name) for name, place in pairs.items())
        alike = sum(name in pairs for name in required) / len(required) + (len(pairs) + named) / max(1, len(found.names))
        return alike + (1 if len(_ACCOUNTS & set(pairs)) > 1 else 0)

    return max(kinds, key=alike)


def _pairs(table: Table, found: Glance) -> dict[str, int]:
    """The file's column of each standard one, the surest pair first."""
    scores = []
    known = _known_names(table)
    for name, words in known.items():
        for place, written in enumerate(found.names):
            key = plain(written)
            if not key:
                continue
            alike = max(_alike(key, word) for word in words)
            if table.column(name).type == "money":  # `Pagato` is `importo_pagato`
                alike = max(alike, _alike(key.removeprefix(_AMOUNT), plain(name).removeprefix(_AMOUNT)))
            content = _content(table.column(name), found.values(place))
            if content is not None and alike >= _ALIKE:
                scores.append((alike + content, name, place))
            elif name in _TAX_IDS and content == 1.0 and found.values(place):
                scores.append((0.5 + alike, name, place))
    pairs: dict[str, int] = {}
    for _, name, place in sorted(scores, reverse=True):
        if name not in pairs and place not in pairs.values():
            pairs[name] = place
    return pairs


def _alike(key: str, word: str) -> float:
    """How alike two names are, from 0 to 1; one that begins with the other is alike enough."""
    if key == word:
        return 1.0
    begins = min(len(key), len(word)) >= 4 and (key.startswith(word) or word.startswith(key))
    return max(SequenceMatcher(None, key, word).ratio(), _ALIKE if begins else 0.0)


def _content(column: Column, values: list[str]) -> float | None:
    """The share of the values that can be what the column is; null where they mostly cannot."""
    if not values or (column.type == "text" and column.name not in _TAX_IDS):
        return 0.0
    if column.name in _TAX_IDS:
        right = sum(read_tax_id(value)[1] is None for value in values)
        return 1.0 if right > 0.8 * len(values) else 0.0 if right else None
    if column.type in ("money", "date"):
        read = [reader(column)(value) for value in values]
        good = sum(one.value is not None or one.either for one in read) / len(values)
        return good if good > 0.6 else None
    return 0.0


def _recipe(column: Column, found: Glance, place: int) -> object:
    name, values = found.names[place], sorted(set(found.values(place)))
    flags = {"S", "N", "SI", "NO"} if column.type == "boolean" else set(column.allowed)
    if flags and not {value.upper() for value in values} <= flags and len(values) <= 20:
        return {"from": name, "values": {value: value if value.upper() in flags else "?" for value in values}}
    return name


def _conventions(table: Table, found: Glance, pairs: dict[str, int]) -> dict[str, object]:
    told: dict[str, object] = {}
    for name, place in pairs.items():
        if table.column(name).type == "date" and any(read_date(value).evidence == DAY_FIRST for value in found.values(place)):
            told["dates"] = "italian"
        if table.column(name).type == "money" and any("," in value for value in found.values(place)):
            told["numbers"] = "italian"
    return told

"""What people and programs write for no value, read as none; lots and numbers that cannot be what they seem.

Works on raw rows of text, before any value is read, and notes what it did. The words are a rule table (`empty_words`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from itertools import product

import pyarrow as pa
import pyarrow.compute as pc

from pcc_pipeline.formats.notes import Note
from pcc_pipeline.formats.rows import Raw
from pcc_pipeline.rules import rule_rows
from pcc_pipeline.tables.describe import Column, Table
from pcc_pipeline.tables.notes import EMPTY_WORD, SCIENTIFIC, WRONG_LOT

#: Columns of names and of numbers that others give: there a word may be the value.
NAMES_AND_NUMBERS = frozenset(
    (
        "beneficiario", "denominazione", "denominazione_committente", "denominazione_fornitore", "file", "firmatario",
        "mandato_sostituito", "nome_file", "nuovo_creditore_denominazione", "numero", "numero_documento", "numero_fattura",
        "numero_mandato", "numero_quietanza", "servizio",
    )
)  # fmt: skip
#: Kinds in which such a word is PCC's own: NA stands where it wants it.
OF_PCC = frozenset({"pcc_outcomes"})
LOTS = frozenset({"lotto_sdi"})
LOT = "0*[1-9][0-9]*"

WORD = "parola che indica l'assenza del valore: letta come cella vuota"
NO_LOT = "non è un lotto SDI (cifre, maggiore di zero): letto come cella vuota"
SHORTENED = (
    "numero abbreviato dal foglio di calcolo, con cifre perse: tenuto com'è; dare alla colonna il formato testo e riscriverlo"
)

#: Columns by which documents are told apart.
_TELLING = frozenset(
    (
        "id_documento", "id_pcc", "numero", "numero_documento", "numero_fattura", "numero_mandato", "numero_protocollo",
        "progressivo_registrazione", "protocollo",
    )
)  # fmt: skip
_LOT = f"^{LOT}$"
_LOT_AS_NUMBER = rf"^({LOT})[.,]0+$"
_SCIENTIFIC = r"^[0-9](?:[.,][0-9]+)?[eE]\+[0-9]{1,3}$"
_NONE = pa.scalar(None, pa.string())


@lru_cache(maxsize=8)
def words(kind: str) -> pa.Array:
    """The words for no value in a column of that type, in every mixture of capitals."""
    listed = [row["word"] for row in rule_rows("empty_words") if row["type"] in ("", kind)]
    return pa.array(sorted({mixed for word in listed for mixed in _mixed(word)}), pa.string())


def _mixed(word: str) -> Iterator[str]:
    if sum(map(str.isalpha, word)) > 9:  # a phrase: as it stands, with a capital, in capitals
        yield from (word.lower(), word.capitalize(), word.title(), word.upper())
        return
    yield from map("".join, product(*({letter.lower(), letter.upper()} for letter in word)))


def emptied(table: Table, raw: Raw) -> Raw:
    """The rows of that table with words for no value read as empty, and lots that are none; notes on what was."""
    if table.name in OF_PCC:
        return raw
    return _read(raw, {name: table.column(name) for name in raw.texts}, {})


def emptied_sources(uses: Iterable[tuple[str, Column, Iterable[str]]], raw: Raw) -> Raw:
    """The rows of a file that a layout turns, likewise: `uses` pairs a file's column (by its name among raw rows) with
    a table column that it becomes, and the words that the layout itself explains."""
    columns: dict[str, Column] = {}
    meant: dict[str, set[str]] = {}
    for name, column, explained in uses:
        if name not in raw.texts:
            continue
        before = columns.get(name, column)
        columns[name] = (
            before if before.name in NAMES_AND_NUMBERS or before.type == column.type else replace(column, type="text")
        )
        if column.name in NAMES_AND_NUMBERS:
            columns[name] = column
        meant.setdefault(name, set()).update(word.upper() for word in explained)
    # lots and numbers are looked at once they are columns of the table
    return _words(raw, columns, meant)


def _read(raw: Raw, columns: Mapping[str, Column], meant: Mapping[str, set[str]]) -> Raw:
    raw = _words(raw, columns, meant)
    texts, notes = dict(raw.texts), list(raw.notes)
    for name, column in columns.items():
        if column.name in LOTS:
            texts[name] = pc.replace_substring_regex(texts[name], _LOT_AS_NUMBER, r"\1")
            wrong = pc.fill_null(pc.invert(pc.match_substring_regex(texts[name], _LOT)), False)
            texts[name] = _without(texts[name], wrong, raw.lines, Note(WRONG_LOT, NO_LOT, None, name), notes)
        elif column.name in _TELLING and pc.any(pc.match_substring(texts[name], "+")).as_py():
            short = pc.fill_null(pc.match_substring_regex(texts[name], _SCIENTIFIC), False)
            notes += _noted(texts[name], short, raw.lines, Note(SCIENTIFIC, SHORTENED, None, name))
    return replace(raw, texts=texts, notes=notes)


def _words(raw: Raw, columns: Mapping[str, Column], meant: Mapping[str, set[str]]) -> Raw:
    texts, notes = dict(raw.texts), list(raw.notes)
    for name, column in columns.items():
        if column.name in NAMES_AND_NUMBERS:
            continue
        found = pc.is_in(texts[name], words(column.type))
        if not pc.any(found).as_py():
            continue
        if explained := meant.get(name):
            upper = pc.utf8_upper(texts[name])
            found = pc.and_(found, pc.invert(pc.is_in(upper, pa.array(sorted(explained), pa.string()))))
        shown = re.sub("^@", "", name)
        texts[name] = _without(texts[name], found, raw.lines, Note(EMPTY_WORD, WORD, None, shown), notes)
    return replace(raw, texts=texts, notes=notes)


def _without(texts: pa.Array, found: pa.Array, lines: pa.Array, note: Note, notes: list[Note]) -> pa.Array:
    """The texts without those found, on which there are notes like that one."""
    told = _noted(texts, found, lines, note)
    notes += told
    return pc.if_else(found, _NONE, texts) if told else texts


def _noted(texts: pa.Array, found: pa.Array, lines: pa.Array, note: Note) -> list[Note]:
    """A note for each distinct text among those found, with its first line and how often."""
    if not pc.any(found).as_py():
        return []
    some = pa.table({"text": texts.filter(found), "line": lines.filter(found)}).group_by("text")
    counts = some.aggregate([("line", "min"), ("line", "count")]).to_pylist()
    return [replace(note, value=one["text"], line=one["line_min"], times=one["line_count"]) for one in counts]

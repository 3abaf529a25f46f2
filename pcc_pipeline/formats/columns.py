"""Whole columns of text into typed arrays: amounts, dates, flags, codes.

Plain values take a vectorised path; every other distinct value is read once by `conventions` and remembered.
Only columns are known here: rows, defects and files are not (see `rows`).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache

import pyarrow as pa
import pyarrow.compute as pc

from pcc_pipeline.formats.conventions import (
    AHEAD,
    COMMA,
    DUE,
    GROUP_MARK,
    GROUPED,
    POINT,
    TIME,
    UNDRESS,
    Reading,
    read_amount,
    read_bare_amount,
    read_date,
    read_moment,
    settle,
)
from pcc_pipeline.tables.describe import MONEY, Column

#: At most sixteen digits and two decimals: reads the same under both conventions, or only with a point.
_PLAIN_POINT = r"^-?[0-9]{1,16}(\.[0-9]{1,2})?$"
_PLAIN_COMMA = r"^-?([0-9]{1,16}|[1-9][0-9]{0,2}(\.[0-9]{3}){1,4}),[0-9]{1,2}$"

#: A local time that only this reading can mean.
_PLAIN_MOMENT = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}$"
#: A day is written in so many bytes at most, but for words.
DAY_LENGTH = 10
_UTC = pa.timestamp("us", tz="UTC")
_EARLIEST = datetime(1900, 1, 1)  # noqa: DTZ001 - a local time

NOT_A_FLAG = "né sì né no: scrivere S o N"
NOT_AN_INTEGER = "non è un numero intero"
_FLAGS = {
    **dict.fromkeys(("S", "SI", "SÌ", "SI'", "SÍ", "Y", "YES", "TRUE", "VERO", "1"), True),
    **dict.fromkeys(("N", "NO", "FALSE", "FALSO", "0"), False),
}


@dataclass
class Typed:
    """A column once read. `values` is null where the text is missing, wrong or undecided.

    `either` says that some value waits for the whole file's evidence; `evidence` is what this part of the
    column tells.
    """

    values: pa.Array
    evidence: frozenset[str] = field(default=frozenset())
    either: bool = False


@lru_cache(maxsize=200_000)
def _amount(text: str) -> Reading:
    return read_amount(text)


@lru_cache(maxsize=200_000)
def _date(text: str) -> Reading:
    return read_date(text)


@lru_cache(maxsize=200_000)
def _due(text: str) -> Reading:
    return read_date(text, AHEAD)


@lru_cache(maxsize=200_000)
def _moment(text: str) -> Reading:
    return read_moment(text)


def _moments(texts: pa.Array, evidence: frozenset[str] | None) -> Typed:
    """Moments; ISO local times that every clock shows go through Arrow, all others through `conventions`."""
    plain = pc.fill_null(pc.match_substring_regex(texts, _PLAIN_MOMENT), False)
    chosen = texts.filter(plain)
    try:
        local = pc.cast(chosen, pa.timestamp("us"))
        moments = pc.assume_timezone(local, "Europe/Rome", ambiguous="earliest", nonexistent="raise")
        moments = pc.cast(moments, _UTC)
        early = pc.any(pc.less(local, pa.scalar(_EARLIEST, pa.timestamp("us")))).as_py()
    except pa.ArrowInvalid:  # a day, a time or an hour that does not exist: value by value, to say which
        early = True
    if early:
        return _distinct(texts, _UTC, _moment, evidence)
    values = pc.replace_with_mask(pa.nulls(len(texts), _UTC), plain, moments)
    rest = pc.and_(pc.invert(plain), pc.is_valid(texts))
    if not pc.any(rest).as_py():
        return Typed(values)
    others = _distinct(texts.filter(rest), _UTC, _moment, evidence)
    return Typed(pc.replace_with_mask(values, rest, others.values), others.evidence, others.either)


def _distinct(texts: pa.Array, type_: pa.DataType, read: Callable[[str], Reading], evidence: frozenset[str] | None) -> Typed:
    """Reads each distinct text once; `evidence` null means that the column's is not known yet."""
    coded = texts.dictionary_encode()
    readings = [read(text) for text in coded.dictionary.to_pylist()]
    settled = readings if evidence is None else [settle(reading, evidence) for reading in readings]
    values = pa.array([reading.value for reading in settled], type_).take(coded.indices)
    told = frozenset(reading.evidence for reading in readings if reading.evidence)
    return Typed(values, told, any(reading.either for reading in settled) and evidence is None)


def _undressed(texts: pa.Array) -> pa.Array | None:
    """The amounts without currency, parentheses and the like, as `conventions.undressed`; null if none has any."""
    bare = texts
    for pattern, replacement in UNDRESS:
        bare = pc.replace_substring_regex(bare, pattern, replacement)
    grouped = pc.match_substring_regex(bare, GROUPED)
    if pc.any(grouped).as_py():
        bare = pc.if_else(grouped, pc.replace_substring_regex(bare, GROUP_MARK, ""), bare)
    return None if bare.equals(texts) else bare


def _amounts(texts: pa.Array, evidence: frozenset[str] | None, *, undress: bool = True) -> Typed:
    plain = pc.match_substring_regex(texts, _PLAIN_POINT)
    if pc.all(plain).as_py() in (True, None):  # null: nothing but empty cells
        told = frozenset([POINT]) if pc.any(pc.match_substring(texts, ".")).as_py() else frozenset()
        return Typed(pc.cast(texts, MONEY), told)
    chosen = pc.fill_null(plain, False)
    points = texts.filter(chosen)
    told = frozenset([POINT]) if pc.any(pc.match_substring(points, ".")).as_py() else frozenset()
    values = pc.replace_with_mask(pa.nulls(len(texts), MONEY), chosen, pc.cast(points, MONEY))

    chosen = pc.and_(pc.invert(chosen), pc.fill_null(pc.match_substring_regex(texts, _PLAIN_COMMA), False))
    commas = texts.filter(chosen)
    if len(commas):
        told |= {COMMA}
        pointed = pc.replace_substring(pc.replace_substring(commas, ".", ""), ",", ".")
        values = pc.replace_with_mask(values, chosen, pc.cast(pointed, MONEY))
    chosen = pc.and_(pc.is_null(values), pc.is_valid(texts))
    if pc.any(chosen).as_py() and undress:
        bare = _undressed(texts.filter(chosen))
        if bare is not None:
            again = _amounts(pc.replace_with_mask(pa.nulls(len(texts), pa.string()), chosen, bare), evidence, undress=False)
            return Typed(pc.coalesce(values, again.values), told | again.evidence, again.either)
    rest = _distinct(texts.filter(chosen), MONEY, _amount if undress else read_bare_amount, evidence)
    if len(rest.values):
        values = pc.replace_with_mask(values, chosen, rest.values)
    return Typed(values, told | rest.evidence, rest.either)


def _dates(texts: pa.Array, read: Callable[[str], Reading], evidence: frozenset[str] | None) -> Typed:
    """Dates. Times of day without offset go first, so that each day is read once."""
    if (pc.max(pc.binary_length(texts)).as_py() or 0) > DAY_LENGTH:
        texts = pc.replace_substring_regex(texts, f"{TIME}$", "")
    return _distinct(texts, pa.date32(), read, evidence)


def _key(text: str) -> str:
    return text.upper()


@lru_cache(maxsize=512)
def _codes(column: Column) -> dict[str, str]:
    return {_key(code): code for code in column.allowed}


def _text(column: Column) -> Callable[[str], Reading]:
    """Reads a code of the described set, without case, or a text that must match the described pattern."""
    codes, pattern = _codes(column), re.compile(column.pattern) if column.pattern else None

    def read(text: str) -> Reading:
        value = codes.get(_key(text)) if codes else text
        if value is None:
            return Reading(reason=f"valore non ammesso; ammessi: {', '.join(column.allowed)}")
        if pattern and not pattern.fullmatch(value):
            return Reading(reason=f"non corrisponde a {column.pattern}")
        return Reading(value)

    return read


def _flag(text: str) -> Reading:
    value = _FLAGS.get(_key(text))
    return Reading(value, NOT_A_FLAG if value is None else None)


def _integer(text: str) -> Reading:
    return Reading(int(text)) if re.fullmatch(r"[+-]?[0-9]{1,18}", text) else Reading(reason=NOT_AN_INTEGER)


def reader(column: Column) -> Callable[[str], Reading]:
    """How one text of that column is read."""
    readers: dict[str, Callable[[str], Reading]] = {
        "money": _amount,
        "date": _due if column.name in DUE else _date,
        "timestamp": _moment,
        "boolean": _flag,
        "integer": _integer,
    }
    return _text(column) if column.type == "text" else readers[column.type]


def read_column(column: Column, texts: pa.Array, evidence: frozenset[str] | None) -> Typed:
    """The column typed as described. `texts` are trimmed, null where empty.

    `evidence` is that of the column in the whole file; null means that it is not known yet.
    """
    if column.type == "money":
        return _amounts(texts, evidence)
    if column.type == "timestamp":
        return _moments(texts, evidence)
    if column.type == "date":
        return _dates(texts, reader(column), evidence)
    if column.type == "text" and not column.allowed and not column.pattern:
        return Typed(texts)
    return _distinct(texts, column.arrow_type, reader(column), evidence)


def reasons(column: Column, texts: pa.Array, evidence: frozenset[str]) -> pa.Array:
    """Why each of these texts, all refused, was refused."""
    read = reader(column)
    coded = texts.dictionary_encode()
    told = [settle(read(text), evidence).reason for text in coded.dictionary.to_pylist()]
    return pa.array(told, pa.string()).take(coded.indices)

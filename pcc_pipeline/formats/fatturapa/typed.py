"""Typing of FatturaPA rows, a column at a time over many invoices, and the sums they bear.

Gives an Arrow batch and which of its rows cannot stand. Why they cannot is told in `fatturapa_explain`, which
keeps the same patterns, given here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pcc_pipeline.formats.cells import bare_column
from pcc_pipeline.formats.conventions import EARLIEST, last_day
from pcc_pipeline.formats.fatturapa.read import RECORDS, ROW, RawInvoice, Texts
from pcc_pipeline.formats.source import Source
from pcc_pipeline.tables.describe import MONEY, Column
from pcc_pipeline.tables.feeds import SDI_INVOICES

#: Amount2DecimalType and RateType of the schema, but decimals may be fewer than two. At most eleven digits
#: before the point, so that sums of cents are exact in 64 bits.
MONEY_PATTERN = r"^[-+]?[0-9]{1,11}(\.[0-9]{1,2})?$"
DAYS_PATTERN = r"^[0-9]{1,9}$"
TYPE_PATTERN = r"^TD[0-9]{2}$"
#: xs:date, which may carry an offset; the day is what is written.
_DATE = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:Z|[+-][0-9]{2}:[0-9]{2})?")
BLANKS = " \t\r\n"

Flags = npt.NDArray[np.bool_]
Cents = npt.NDArray[np.int64]


def parse_date(text: str) -> date | None:
    """The day of an xs:date; null where it is none, also where the calendar has no such day."""
    found = _DATE.fullmatch(text)
    try:
        return date.fromisoformat(found[1]) if found else None
    except ValueError:
        return None


def to_batch(raw: RawInvoice, sources: Sequence[Source]) -> tuple[pa.RecordBatch, Flags]:
    """The rows in the schema of SDI_INVOICES, and which are bad (these hold nulls where they may not)."""
    size = len(raw.rows)
    given: dict[str, Sequence[Any]] = dict(zip(ROW, zip(*raw.rows, strict=True), strict=True))
    bad = np.zeros(size, dtype=bool)
    made: dict[str, pa.Array] = {}
    for name in ROW[2:]:
        column = SDI_INVOICES.column(name)
        made[name], wrong = _typed(column, given[name])
        bad |= wrong
    bad |= _flags(pc.invert(pc.match_substring_regex(made["tipo_documento"], TYPE_PATTERN)), missing=True)
    bad |= _flags(pc.less(made["data_emissione"], pa.scalar(EARLIEST, pa.date32())))
    bad |= _flags(pc.greater(made["data_emissione"], pa.scalar(last_day(), pa.date32())))
    for name in ("formato", "numero", "data_emissione"):
        bad |= _flags(made[name].is_null())
    bad |= _flags(pc.and_(made["id_fiscale_iva"].is_null(), made["cf_fornitore"].is_null()))

    places = [sources[index] for index in given["source"]]
    made["ente"] = pa.array([place.ente for place in places], pa.string())
    made["delivery"] = pa.array([place.delivery for place in places], pa.string())
    made["file"] = pa.array([place.file for place in places], pa.string())
    made["line"] = pa.array(given["line"], pa.int64())
    for name in RECORDS:
        column = SDI_INVOICES.column(name)
        ends = np.array([0, *raw.ends[name]], dtype=np.int32)
        members, wrong, extra = _members(column, raw.records[name])
        owner = np.repeat(np.arange(size), np.diff(ends))
        bad[owner[wrong]] = True
        if name == "riepilogo_iva":
            simple = _complete_simplified(members, extra)
            made |= _summary(members, extra, simple, ends, owner, made["importo_totale"])
        if name == "pagamenti":
            made["data_scadenza"] = _latest(members[2], owner, size)
        structures = pa.StructArray.from_arrays(members, fields=list(column.arrow_type.value_type))
        made[name] = pa.ListArray.from_arrays(pa.array(ends, pa.int32()), structures, type=column.arrow_type)
    schema = SDI_INVOICES.arrow_schema
    return pa.RecordBatch.from_arrays([made[name] for name in schema.names], schema=schema), bad


def _text(values: Sequence[str | None]) -> pa.Array:
    """Text without the blanks around it and characters without width; nothing but those is null."""
    trimmed = pc.utf8_trim(bare_column(pa.array(values, pa.string())), characters=BLANKS)
    return pc.if_else(pc.equal(pc.binary_length(trimmed), 0), pa.scalar(None, pa.string()), trimmed)


def _typed(column: Column, values: Sequence[Any]) -> tuple[pa.Array, Flags]:
    """A column of texts in its type, and which values cannot be read; those are null."""
    size = len(values)
    if column.type == "integer" and column.name == "bytes":
        return pa.array(values, pa.int64()), np.zeros(size, dtype=bool)
    texts = _text(values)
    if column.type == "text" or texts.null_count == size:
        none_wrong = np.zeros(size, dtype=bool)
        return (texts if column.type == "text" else pa.nulls(size, column.arrow_type)), none_wrong
    if column.type == "date":
        coded = texts.dictionary_encode()
        days = pa.array([parse_date(text) for text in coded.dictionary.to_pylist()], pa.date32())
        result = days.take(coded.indices)
        return result, _flags(pc.and_(result.is_null(), texts.is_valid()))
    pattern = MONEY_PATTERN if column.type == "money" else DAYS_PATTERN
    good = pc.match_substring_regex(texts, pattern)
    wrong = _flags(pc.invert(good))
    if wrong.any():
        texts = pc.if_else(good, texts, pa.scalar(None, pa.string()))
    return texts.cast(column.arrow_type), wrong


def _members(column: Column, records: Sequence[Texts]) -> tuple[list[pa.Array], Flags, Sequence[Any]]:
    """The members of a column of records, which records are bad, and what they hold beyond the members."""
    wrong = np.zeros(len(records), dtype=bool)
    width = len(column.fields)
    columns = list(zip(*records, strict=True)) if records else [()] * (width + 1)
    arrays = []
    for member, values in zip(column.fields, columns, strict=False):
        array, these = _typed(member, values)
        arrays.append(array)
        wrong |= these
    extra = columns[width] if len(columns) > width else ()
    if any(value is not None for value in extra):
        importo, these = _typed(Column("importo", "money", ""), extra)
        return arrays, wrong | these, importo
    return arrays, wrong, ()


def _complete_simplified(members: list[pa.Array], importo: Any) -> Flags:
    """Splits FSM10's Importo, VAT included, into taxable amount and VAT, in place; says which lines are such.

    The file gives the VAT, or its rate (then VAT = Importo x rate / (100 + rate), to the cent, half up: DPR
    633/1972 art. 27), or the natura under which there is none. Otherwise both stay null.
    """
    size = len(members[0])
    if len(importo) == 0:
        return np.zeros(size, dtype=bool)
    gross, has = _cents(importo)
    rate, has_rate = _cents(members[0])
    vat, has_vat = _cents(members[3])
    taxable, has_taxable = _cents(members[2])
    derive = has & ~has_vat & has_rate & (rate > -10_000)
    divisor = np.where(derive, 10_000 + rate, 1)
    product = np.where(derive, np.abs(gross) * rate, 0)
    derived = np.sign(gross) * ((2 * product + divisor) // (2 * divisor))
    exempt = has & ~has_vat & ~has_rate & _flags(members[1].is_valid())
    vat = np.where(derive, derived, np.where(exempt, 0, vat))
    known = has_vat | derive | exempt
    members[3] = _decimal(vat, known)
    members[2] = _decimal(np.where(has, gross - vat, taxable), np.where(has, known, has_taxable))
    return has


def _summary(
    members: list[pa.Array],
    importo: Any,
    simple: Flags,
    ends: npt.NDArray[np.int32],
    owner: Any,
    total: pa.Array,
) -> dict[str, pa.Array]:
    """What follows from the VAT summary: sums, split payment, reverse charge, and FSM10's total."""
    size = len(ends) - 1
    lines = np.diff(ends)
    some = lines > 0
    result: dict[str, pa.Array] = {}
    for name, member in (("imponibile", members[2]), ("imposta", members[3])):
        cents, has = _cents(member)
        result[name] = _decimal(_sums(cents, ends), some & (_counts(has, owner, size) == lines))
    vat, has_vat = _cents(members[3])
    bears = ~has_vat | (vat != 0)
    split = bears & _flags(pc.equal(members[4], "S"))
    bearing = _counts(bears, owner, size)
    result["split_payment"] = pa.array((bearing > 0) & (_counts(split, owner, size) == bearing), mask=~some)
    reverse = _flags(pc.starts_with(members[1], "N6"))
    result["reverse_charge"] = pa.array(_counts(reverse, owner, size) > 0, mask=~some)
    if simple.any():
        gross, has = _cents(importo)
        whole = some & (_counts(simple & has, owner, size) == lines)
        own, has_own = _cents(total)
        result["importo_totale"] = _decimal(np.where(has_own, own, _sums(gross, ends)), has_own | whole)
    return result


def _latest(dates: pa.Array, owner: Any, size: int) -> pa.Array:
    days = pc.fill_null(dates.cast(pa.int32()), -(2**31)).to_numpy(zero_copy_only=False)
    last = np.full(size, -(2**31), dtype=np.int32)
    np.maximum.at(last, owner, days)
    return pa.array(last, mask=last == -(2**31)).cast(pa.date32())


def _flags(array: pa.Array, *, missing: bool = False) -> Flags:
    flags: Flags = pc.fill_null(array, missing).to_numpy(zero_copy_only=False)
    return flags


def _cents(array: pa.Array) -> tuple[Cents, Flags]:
    """DECIMAL(18,2) as cents in 64 bits (zero where null), and which are not null."""
    has = array.is_valid().to_numpy(zero_copy_only=False)
    if len(array) == 0 or array.null_count == len(array):
        return np.zeros(len(array), dtype=np.int64), has
    words = np.frombuffer(array.buffers()[1], dtype="<i8")[2 * array.offset :: 2][: len(array)]
    return np.where(has, words, 0), has


def _decimal(cents: Cents, valid: Flags) -> pa.Array:
    """Cents in 64 bits as DECIMAL(18,2): its 128 bits are the value and its sign."""
    words = np.empty((len(cents), 2), dtype="<i8")
    words[:, 0] = cents
    words[:, 1] = cents >> 63
    return pa.Array.from_buffers(MONEY, len(cents), [pa.array(valid).buffers()[1], pa.py_buffer(words)])


def _sums(cents: Cents, ends: npt.NDArray[np.int32]) -> Cents:
    running = np.concatenate(([0], np.cumsum(cents)))
    return running[ends[1:]] - running[ends[:-1]]


def _counts(flags: Flags, owner: Any, size: int) -> npt.NDArray[np.int64]:
    return np.bincount(owner[flags], minlength=size)

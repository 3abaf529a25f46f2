"""Raw rows of text into accepted rows and defects, against a Table description.

A batch of texts with their lines comes in, whatever format it was read from; typed rows and quarantine rows
come out. Reading single values is in `conventions` and `columns`; files are not known here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

import pyarrow as pa
import pyarrow.compute as pc

from pcc_pipeline.formats.columns import DAY_LENGTH, Typed, read_column, reasons
from pcc_pipeline.formats.conventions import (
    DAY_FIRST,
    EARLIEST,
    MONTH_FIRST,
    TIME,
    TOO_EARLY,
    TOO_LATE,
    has_time,
    last_day,
)
from pcc_pipeline.formats.notes import Note
from pcc_pipeline.formats.source import Source
from pcc_pipeline.formats.tax_ids import checked_tax_ids
from pcc_pipeline.tables.describe import Column, Table
from pcc_pipeline.tables.feeds import LINEAGE, QUARANTINE
from pcc_pipeline.tables.notes import TIME_OF_DAY

_LINEAGE = frozenset(column.name for column in LINEAGE)
#: How the reason of a file begins that is refused for its columns.
WHOLE = "l'intero file è rifiutato: "
#: Kinds whose rows name their ente where one file holds several enti's.
SHARED = frozenset({"tickets", "ratings"})
TIMED = "date scritte con l'ora: letto il giorno (quello italiano, dove l'ora ha un fuso)"
Evidence = dict[str, frozenset[str]]


@dataclass(frozen=True)
class Flaw:
    """A defect found while a row was read, before any of its values was: the row is not among the texts."""

    line: int | None
    reason: str
    value: str | None = None
    field: str | None = None


@dataclass
class Raw:
    """Rows as read: trimmed texts by table column (null where empty) and the line where each row starts.

    `native` holds cells that the file itself typed (a workbook's dates and numbers), null elsewhere; `others`
    the texts of columns unknown to the table, by which a row is not blank; `flaws` the rows that could not
    be read at all; `wrong` the reasons against cells that the reader already refuses, null elsewhere.
    `settled` holds the columns already read, whose values no evidence can change; `notes` is what was seen on the way.
    """

    lines: pa.Array
    texts: dict[str, pa.Array]
    native: dict[str, pa.Array] = field(default_factory=dict)
    others: list[pa.Array] = field(default_factory=list)
    flaws: list[Flaw] = field(default_factory=list)
    wrong: dict[str, pa.Array] = field(default_factory=dict)
    settled: dict[str, pa.Array] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)


@dataclass
class Checked:
    """What became of a Raw. `evidence` is what its rows tell; when some value waits for that of the whole
    file, all rows are `waiting`, to be checked once more."""

    evidence: Evidence
    rows: pa.RecordBatch | None = None
    defects: pa.RecordBatch | None = None
    refused: int = 0
    waiting: Raw | None = None
    notes: list[Note] = field(default_factory=list)


def in_sheet(defects: pa.RecordBatch, sheet: str, before: int) -> pa.RecordBatch:
    """Defects whose reasons say the sheet and its own row, where the lines count on from other sheets."""
    rows = pc.cast(pc.subtract(defects.column("line"), before), pa.string())
    told = pc.binary_join_element_wise(f"foglio {sheet}, riga ", rows, ": ", defects.column("reason"), "")
    return defects.set_column(defects.schema.get_field_index("reason"), defects.schema.field("reason"), told)


def flaws_batch(source: Source, flaws: list[Flaw]) -> pa.RecordBatch:
    """The flaws as a quarantine batch."""
    lines, fields = [flaw.line for flaw in flaws], [flaw.field for flaw in flaws]
    values = pa.array([flaw.value for flaw in flaws], pa.string())
    return _quarantine(
        source,
        pa.array(lines, pa.int64()),
        pa.array(fields, pa.string()),
        values,
        pa.array([flaw.reason for flaw in flaws], pa.string()),
    )


def _quarantine(source: Source, lines: pa.Array, fields: pa.Array, values: pa.Array, told: pa.Array) -> pa.RecordBatch:
    constant = [
        pa.repeat(pa.scalar(text, pa.string()), len(lines)) for text in (source.ente, source.kind, source.delivery, source.file)
    ]
    values = pc.utf8_slice_codeunits(values, 0, 200)
    return pa.RecordBatch.from_arrays([*constant, lines, fields, values, told], schema=QUARANTINE.arrow_schema)


def filtered(raw: Raw, kept: pa.Array) -> Raw:
    """The raw rows that are kept."""
    return Raw(
        raw.lines.filter(kept),
        {name: texts.filter(kept) for name, texts in raw.texts.items()},
        {name: cells.filter(kept) for name, cells in raw.native.items()},
        [cells.filter(kept) for cells in raw.others],
        raw.flaws,
        {name: told.filter(kept) for name, told in raw.wrong.items()},
        notes=raw.notes,
    )


@dataclass
class _Judge:
    """Gathers the defects of one batch, column by column."""

    source: Source
    lines: pa.Array
    bad: pa.Array | None = None
    batches: list[pa.RecordBatch] = field(default_factory=list)

    def refuse(self, wrong: pa.Array, name: str | None, values: pa.Array, told: pa.Array | str) -> None:
        """Marks the rows where `wrong`; `told` is one reason for all or the reason of each wrong row."""
        lines = self.lines.filter(wrong)
        if not len(lines):
            return
        if isinstance(told, str):
            told = pa.repeat(pa.scalar(told, pa.string()), len(lines))
        fields = pa.repeat(pa.scalar(name, pa.string()), len(lines))
        self.batches.append(_quarantine(self.source, lines, fields, values.filter(wrong), told))
        self.bad = wrong if self.bad is None else pc.or_(self.bad, wrong)

    def defects(self) -> pa.RecordBatch | None:
        """All defects, by line."""
        if not self.batches:
            return None
        table = pa.Table.from_batches(self.batches).sort_by("line").combine_chunks()
        return table.to_batches()[0]


def _judge_column(
    judge: _Judge,
    column: Column,
    texts: pa.Array,
    typed: pa.Array,
    evidence: frozenset[str],
    told: pa.Array | None,
) -> None:
    present = pc.is_valid(texts)
    if typed.null_count:
        wrong = pc.and_(present, pc.is_null(typed))
        if told is not None:
            refused = pc.is_valid(told)
            judge.refuse(refused, column.name, texts, told.filter(refused))
            wrong = pc.and_(wrong, pc.invert(refused))
        if pc.any(wrong).as_py():
            judge.refuse(wrong, column.name, texts, reasons(column, texts.filter(wrong), evidence))
    if column.required and typed.null_count:
        missing = pc.and_(pc.is_null(typed), pc.invert(present))
        judge.refuse(missing, column.name, texts, "manca: il valore è obbligatorio")
    if column.type == "date" and column.required:
        # others pass as written: the models take what cannot be as not given, and ask about it
        shown = pc.coalesce(texts, pc.cast(typed, pa.string()))
        for told_wrong, outside in (
            (TOO_EARLY, pc.less(typed, pa.scalar(EARLIEST, pa.date32()))),
            (TOO_LATE, pc.greater(typed, pa.scalar(last_day(), pa.date32()))),
        ):
            judge.refuse(pc.fill_null(outside, False), column.name, shown, told_wrong)
    if column.minimum is not None:
        low = pc.fill_null(pc.less(typed, _bound(column.minimum, typed.type)), False)
        shown = pc.coalesce(texts, pc.cast(typed, pa.string()))
        judge.refuse(low, column.name, shown, f"minore di {column.minimum}, il minimo ammesso")


def _bound(minimum: int, kind: pa.DataType) -> pa.Scalar:
    """A whole number as a scalar of the column's type (Arrow casts no integer to a narrow decimal)."""
    return pa.scalar(Decimal(minimum) if pa.types.is_decimal(kind) else minimum, kind)


def _judge_groups(judge: _Judge, table: Table, typed: dict[str, pa.Array]) -> None:
    for group in table.one_of:
        missing = None
        for name in group:
            empty = pc.is_null(typed[name])
            missing = empty if missing is None else pc.and_(missing, empty)
        judge.refuse(missing, None, pa.nulls(len(judge.lines), pa.string()), f"serve almeno uno tra {', '.join(group)}")


def _judge_whose(judge: _Judge, whose: pa.Array) -> None:
    """In an ente's own folder a row of another ente is refused, in the provider's one that names none."""
    source = judge.source
    if source.ente != "_provider":
        foreign = pc.fill_null(pc.not_equal(whose, source.ente), False)
        judge.refuse(foreign, "ente", whose, f"riga di un altro ente nella cartella di {source.ente}: non accolta")
    elif source.kind == "tickets":
        judge.refuse(pc.is_null(whose), "ente", whose, "manca: un file di più enti nomina l'ente in ogni riga")


def _of_rows(columns: list[Column], raw: Raw, read: dict[str, Typed], told: Evidence) -> Evidence:
    """What rows tell of dates of which neither a value nor the column tells: read one way, they are another date of
    their row, which is told."""
    found: Evidence = {}
    dates = [column for column in columns if column.type == "date"]
    for column in dates:
        if not read[column.name].either or column.name in told:
            continue
        undecided = pc.and_(pc.is_valid(raw.texts[column.name]), pc.is_null(read[column.name].values))
        day_first = read_column(column, raw.texts[column.name].filter(undecided), frozenset([DAY_FIRST])).values
        swapped = pc.strftime(pc.cast(day_first, pa.timestamp("s")), "%Y-%d-%m")
        is_one = pc.and_(pc.less_equal(pc.day(day_first), 12), pc.greater_equal(pc.year(day_first), 1000))
        month_first = pc.cast(pc.if_else(is_one, swapped, pa.scalar(None, pa.string())), pa.date32())
        others = [read[other.name].values.filter(undecided) for other in dates if other is not column]
        agree = [
            evidence
            for evidence, meant in ((DAY_FIRST, day_first), (MONTH_FIRST, month_first))
            if any(pc.any(pc.equal(meant, other)).as_py() for other in others)
        ]
        if agree:
            found[column.name] = frozenset(agree)
    return found


def check_rows(table: Table, source: Source, raw: Raw, evidence: Evidence | None) -> Checked:
    """Types and checks the rows. `evidence` is that of the whole file by column, null while it is not known:
    then rows come out only if no value needs it."""
    columns = [column for column in table.columns if column.name not in _LINEAGE]
    count = len(raw.lines)
    read: dict[str, Typed] = {}
    for column in columns:
        if column.name not in raw.texts:
            read[column.name] = Typed(pa.nulls(count, column.arrow_type))
            continue
        known = None if evidence is None else evidence.get(column.name, frozenset())
        if column.name in raw.settled:
            read[column.name] = Typed(raw.settled[column.name])
            continue
        texts = raw.texts[column.name]
        if column.name in raw.wrong:
            texts = pc.if_else(pc.is_valid(raw.wrong[column.name]), pa.scalar(None, pa.string()), texts)
        typed = read_column(column, texts, known)
        if column.name in raw.native:
            typed.values = pc.coalesce(raw.native[column.name], typed.values)
        read[column.name] = typed
    told = {name: typed.evidence for name, typed in read.items() if typed.evidence}
    if any(typed.either for typed in read.values()):
        told |= _of_rows(columns, raw, read, told)
        raw.settled = {
            name: typed.values
            for name, typed in read.items()
            if name in raw.texts and not typed.either and typed.values is not raw.texts[name]
        }
        return Checked(told, waiting=raw)

    judge = _Judge(source, raw.lines)
    values = {name: typed.values for name, typed in read.items()}
    absent = pa.nulls(count, pa.string())
    for column in columns:
        known = frozenset() if evidence is None else evidence.get(column.name, frozenset())
        told_wrong = raw.wrong.get(column.name)
        _judge_column(judge, column, raw.texts.get(column.name, absent), values[column.name], known, told_wrong)
    _judge_groups(judge, table, values)
    if table.name in SHARED:
        _judge_whose(judge, values["codice_ente"])

    constant = [pa.repeat(pa.scalar(text, pa.string()), count) for text in (source.ente, source.delivery)]
    arrays = [*constant, raw.lines, *(values[column.name] for column in columns)]
    rows = pa.RecordBatch.from_arrays(arrays, schema=table.arrow_schema)
    refused = 0
    if judge.bad is not None:
        rows = rows.filter(pc.invert(judge.bad))
        refused = count - len(rows)
    rows, notes = checked_tax_ids(rows)
    notes += [note for column in columns if column.type == "date" for note in _timed(column.name, raw)]
    return Checked(told, rows, judge.defects(), refused, notes=notes)


def _timed(name: str, raw: Raw) -> list[Note]:
    """A note on days that were written with a time of day."""
    if name not in raw.texts or (pc.max(pc.binary_length(raw.texts[name])).as_py() or 0) <= DAY_LENGTH:
        return []
    some = pc.fill_null(pc.match_substring_regex(raw.texts[name], TIME), False)
    if not pc.any(some).as_py():
        return []
    texts, lines = raw.texts[name].filter(some), raw.lines.filter(some)
    coded = texts.dictionary_encode()
    timed = pa.array([has_time(text) for text in coded.dictionary.to_pylist()], pa.bool_()).take(coded.indices)
    if not (times := pc.sum(timed).as_py()):
        return []
    return [Note(TIME_OF_DAY, TIMED, pc.min(lines.filter(timed)).as_py(), name, texts.filter(timed)[0].as_py(), times)]

"""A file's own columns into the standard ones, as its layout tells: whole arrays at a time.

Raw rows by source column come in, raw rows by table column go out; values are read afterwards, as in any file
(`formats.rows`). A source column is named `SOURCE` + its name without case, accents and punctuation.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import reduce

import pyarrow as pa
import pyarrow.compute as pc

from pcc_pipeline.formats.conventions import COMMA, DAY_FIRST, POINT
from pcc_pipeline.formats.names import plain
from pcc_pipeline.formats.notes import Note
from pcc_pipeline.formats.rows import Evidence, Raw
from pcc_pipeline.formats.tabular.layouts.model import SOURCE, Choice, KindLayout, Recipe
from pcc_pipeline.tables.describe import MONEY, Column, Table
from pcc_pipeline.tables.notes import NET_PAYMENTS

NET = "pagamenti al netto, come dice il layout: aggiunto quanto trattenuto"
_TEXT = pa.scalar(None, pa.string())
#: An amount that is negative as written; how it is written without its sign.
_NEGATIVE = r"^[^0-9]*[-−(]|[-−)][^0-9]*$"
_NAUGHT = r"^[^1-9A-Za-z]*$"
_SIGNS = r"[-+−()]"


@dataclass
class Cells:
    """A column on its way: texts, cells that the file typed, reasons against cells."""

    texts: pa.Array
    native: pa.Array | None = None
    wrong: pa.Array | None = None


def key(name: str) -> str:
    """The name that a source column has among raw rows."""
    return SOURCE + plain(name)


def declared(table: Table, layout: KindLayout) -> Evidence:
    """What a layout says beforehand of how amounts and dates are written, by table column."""
    told: Evidence = {}
    for name, recipe in layout.columns.items():
        kind = table.column(name).type
        if kind == "money" and (numbers := layout.numbers_of(recipe)):
            told[name] = frozenset([COMMA if numbers == "italian" else POINT])
        if kind == "date" and layout.dates_of(recipe) == "italian":
            told[name] = frozenset([DAY_FIRST])
    return told


def source_types(table: Table, layout: KindLayout) -> dict[str, Column]:
    """For each source column, the table column as which a workbook's cells are typed; others are texts."""
    found: dict[str, Column] = {}
    for name, recipe in layout.columns.items():
        column = table.column(name)
        if column.type == "date" and recipe.direct is not None and layout.dates_of(recipe) in (None, "italian", "iso"):
            found[key(recipe.direct)] = column
        if column.type == "money" and layout.numbers_of(recipe) != "cents":
            wanted = (recipe.direct,) if recipe.direct is not None else recipe.first_of
            found |= {key(name): column for name in wanted}
        if recipe.sign_of:
            found.setdefault(key(recipe.sign_of.column), _amount(table))
        for name in recipe.which:
            found.setdefault(key(name), _amount(table))
    return found


def uses(table: Table, layout: KindLayout) -> list[tuple[str, Column, tuple[str, ...]]]:
    """For each use of a source column the table column it becomes, and the words that the layout explains."""
    found = [
        (key(source), table.column(name), tuple(recipe.values))
        for name, recipe in layout.columns.items()
        for source in recipe.sources
    ]
    choices = [recipe.negative_when for recipe in layout.columns.values()] + [layout.rows]
    return found + [(key(c.column), Column(c.column, "text", ""), c.values) for c in choices if c is not None]


def _amount(table: Table) -> Column:
    return next((column for column in table.columns if column.type == "money"), Column("importo", "money", ""))


def applied(table: Table, layout: KindLayout, raw: Raw) -> Raw:
    """The rows by table column. Rows that the layout leaves out are gone (see `wanted`)."""
    count = len(raw.lines)
    given = set(raw.texts)
    made = Raw(raw.lines, {}, others=raw.others, flaws=raw.flaws)
    for name, recipe in layout.columns.items():
        if recipe.constant is None and not given & {key(source) for source in recipe.sources}:
            continue  # an optional column that this file has not
        cells = _column(table.column(name), layout, recipe, raw, count)
        made.texts[name] = cells.texts
        if cells.native is not None and cells.native.null_count < count:
            made.native[name] = cells.native
        if cells.wrong is not None and cells.wrong.null_count < count:
            made.wrong[name] = cells.wrong
    return made


def gross(rows: pa.RecordBatch) -> tuple[pa.RecordBatch, list[Note]]:
    """Payments written net, with what is withheld added; a note on how many."""
    net, withheld = rows.column("importo"), rows.column("importo_ritenute")
    added = pc.fill_null(pc.greater(withheld, pa.scalar(0, MONEY)), False)
    whole = pc.add(net, pc.fill_null(withheld, pa.scalar(0, MONEY)))
    added = pc.and_(added, pc.less(whole, pa.scalar(10 ** (MONEY.precision - MONEY.scale), whole.type)))
    if not (times := pc.sum(added).as_py()):
        return rows, []
    whole = pc.cast(pc.if_else(added, whole, pc.cast(net, whole.type)), MONEY)
    place = rows.schema.get_field_index("importo")
    line = pc.min(rows.column("line").filter(added)).as_py()
    return rows.set_column(place, rows.schema.field(place), whole), [Note(NET_PAYMENTS, NET, line, "importo", None, times)]


def wanted(layout: KindLayout, raw: Raw) -> pa.Array | None:
    """Which rows are of the record types that the layout reads; null where it reads all."""
    return None if layout.rows is None else _chosen(layout.rows, raw)


def _chosen(choice: Choice, raw: Raw) -> pa.Array:
    texts = _source(raw, choice.column).texts
    among = pc.is_in(pc.utf8_upper(texts), pa.array([value.upper() for value in choice.values], pa.string()))
    return pc.fill_null(among, False)


def _source(raw: Raw, name: str) -> Cells:
    found = key(name)
    if found not in raw.texts:
        return Cells(pa.nulls(len(raw.lines), pa.string()))
    return Cells(raw.texts[found], raw.native.get(found), raw.wrong.get(found))


def _as_text(cells: Cells) -> pa.Array:
    if cells.native is None:
        return cells.texts
    return pc.coalesce(cells.texts, pc.cast(cells.native, pa.string()))


def _column(column: Column, layout: KindLayout, recipe: Recipe, raw: Raw, count: int) -> Cells:
    cells = _origin(recipe, raw, count)
    if recipe.pattern is not None:
        found = pc.struct_field(pc.extract_regex(_as_text(cells), recipe.pattern), "value")
        texts = _as_text(cells)
        missed = pc.and_(pc.is_valid(texts), pc.is_null(found))
        cells = Cells(_emptied(found), None, cells.wrong)
        if recipe.otherwise == "keep":
            cells.texts = pc.if_else(missed, texts, cells.texts)
        if recipe.otherwise == "refuse":
            cells = _refused(cells, missed, texts, f"non corrisponde al formato del layout, {recipe.pattern}")
    if recipe.values:
        cells = _mapped(recipe, Cells(_as_text(cells), None, cells.wrong))
    if recipe.default is not None:
        empty = pc.is_null(_as_text(cells))
        cells.texts = pc.if_else(empty, pa.scalar(recipe.default), cells.texts)
    if column.type == "money":
        cells = _signed(recipe, _cents(cells) if layout.numbers_of(recipe) == "cents" else cells, raw)
    pattern = layout.dates_of(recipe)
    if column.type == "date" and pattern and "%" in pattern:
        cells.texts = _iso(cells.texts, pattern)
    return cells


def _origin(recipe: Recipe, raw: Raw, count: int) -> Cells:
    if recipe.constant is not None:
        return Cells(pa.repeat(pa.scalar(recipe.constant), count))
    if recipe.from_ is not None:
        return _source(raw, recipe.from_)
    if recipe.join:
        return _joined([_source(raw, name) for name in recipe.join], recipe.with_)
    if recipe.first_of:
        return _first([_source(raw, name) for name in recipe.first_of])
    if recipe.sign_of:
        cells = _source(raw, recipe.sign_of.column)
        told = pc.if_else(_negative(cells), pa.scalar(recipe.sign_of.negative), pa.scalar(recipe.sign_of.positive))
        return Cells(pc.if_else(_filled(cells, naught=True), told, _TEXT))
    told = pa.nulls(count, pa.string())
    for name, value in recipe.which.items():
        told = pc.coalesce(told, pc.if_else(_filled(_source(raw, name)), pa.scalar(value), _TEXT))
    return Cells(told)


def _joined(parts: list[Cells], mark: str) -> Cells:
    """The parts that are not empty, with the mark between them."""
    texts = pc.binary_join_element_wise(*(_as_text(part) for part in parts), mark, null_handling="skip")
    return Cells(_emptied(texts), None, reduce(_either, (part.wrong for part in parts)))


def _first(parts: list[Cells]) -> Cells:
    """The first part that is filled and not naught, else the first that is filled at all."""
    length = len(parts[0].texts)
    texts, native = pa.nulls(length, pa.string()), None
    taken = pa.repeat(pa.scalar(False), length)
    for naught in (False, True):
        for part in parts:
            mine = pc.and_(pc.invert(taken), _filled(part, naught=naught))
            texts = pc.if_else(mine, part.texts, texts)
            if part.native is not None:
                before = pa.nulls(length, part.native.type) if native is None else native
                native = pc.if_else(mine, part.native, before)
            taken = pc.or_(taken, mine)
    return Cells(texts, native, reduce(_either, (part.wrong for part in parts)))


def _filled(cells: Cells, *, naught: bool = False) -> pa.Array:
    """Where a cell holds something: with `naught`, a zero too."""
    there = pc.is_valid(cells.texts)
    if not naught:
        there = pc.and_(there, pc.invert(pc.fill_null(pc.match_substring_regex(cells.texts, _NAUGHT), False)))
    if cells.native is None:
        return there
    typed = pc.is_valid(cells.native)
    if not naught and pa.types.is_decimal(cells.native.type):
        typed = pc.fill_null(pc.not_equal(cells.native, pa.scalar(0, cells.native.type)), False)
    return pc.or_(there, typed)


def _negative(cells: Cells) -> pa.Array:
    below = pc.fill_null(pc.match_substring_regex(cells.texts, _NEGATIVE), False)
    if cells.native is not None:
        below = pc.or_(below, pc.fill_null(pc.less(cells.native, pa.scalar(0, cells.native.type)), False))
    return below


def _either(one: pa.Array | None, other: pa.Array | None) -> pa.Array | None:
    if one is None or other is None:
        return one if other is None else other
    return pc.coalesce(one, other)


def _emptied(texts: pa.Array) -> pa.Array:
    texts = pc.utf8_trim_whitespace(texts)
    return pc.if_else(pc.equal(texts, ""), _TEXT, texts)


def _refused(cells: Cells, where: pa.Array, shown: pa.Array, reason: str) -> Cells:
    if not pc.any(where).as_py():
        return cells
    told = pc.if_else(where, pa.scalar(reason), _TEXT)
    return replace(cells, texts=pc.if_else(where, shown, cells.texts), wrong=_either(cells.wrong, told))


def _mapped(recipe: Recipe, cells: Cells) -> Cells:
    """The values as the layout translates them, compared without case."""
    upper = {written.upper(): meant for written, meant in recipe.values.items()}
    place = pc.index_in(pc.utf8_upper(cells.texts), pa.array(list(upper), pa.string()))
    meant = pa.array([value or None for value in upper.values()], pa.string()).take(place)
    unknown = pc.and_(pc.is_valid(cells.texts), pc.is_null(place))
    if recipe.otherwise == "keep":
        meant = pc.if_else(unknown, cells.texts, meant)
    made = Cells(meant, None, cells.wrong)
    if recipe.otherwise == "refuse":
        known = ", ".join(recipe.values)
        made = _refused(made, unknown, cells.texts, f"valore che il layout non prevede; previsti: {known}")
    return made


def _cents(cells: Cells) -> Cells:
    """Whole numbers of cents as amounts with a point; what is no whole number stays, to be refused."""
    texts = _as_text(cells)
    whole = pc.fill_null(pc.match_substring_regex(texts, r"^[-+]?[0-9]+[-+]?$"), False)
    padded = pc.replace_substring_regex(texts, r"^([-+]?)([0-9])([-+]?)$", r"\10\2\3")
    euros = pc.replace_substring_regex(padded, r"([0-9]{2})([-+]?)$", r".\1\2")
    other = pc.and_(pc.is_valid(texts), pc.invert(whole))
    made = Cells(pc.if_else(whole, euros, texts), None, cells.wrong)
    return _refused(made, other, texts, "non è un numero intero di centesimi, come il layout vuole gli importi")


def _signed(recipe: Recipe, cells: Cells, raw: Raw) -> Cells:
    if recipe.negative_when:
        mark = _chosen(recipe.negative_when, raw)
        turned = pc.binary_join_element_wise("-", pc.replace_substring_regex(cells.texts, _SIGNS, ""), "")
        cells = replace(cells, texts=pc.if_else(mark, turned, cells.texts))
        if cells.native is not None:
            cells = replace(cells, native=pc.if_else(mark, pc.negate(pc.abs(cells.native)), cells.native))
    if recipe.sign == "as_is":
        return cells
    bare = pc.replace_substring_regex(cells.texts, _SIGNS, "")
    native = cells.native
    if recipe.sign == "absolute":
        return replace(cells, texts=bare, native=None if native is None else pc.abs(native))
    turned = pc.if_else(_negative(Cells(cells.texts)), bare, pc.binary_join_element_wise("-", bare, ""))
    return replace(cells, texts=turned, native=None if native is None else pc.negate(native))


def _iso(texts: pa.Array, pattern: str) -> pa.Array:
    """Dates written by the pattern as ISO dates; others stay as they are."""
    read = pc.strptime(texts, pattern, "s", error_is_null=True)
    same = pc.fill_null(pc.equal(pc.strftime(read, pattern), texts), False)  # 31 February reads as March
    return pc.if_else(same, pc.strftime(read, "%Y-%m-%d"), texts)

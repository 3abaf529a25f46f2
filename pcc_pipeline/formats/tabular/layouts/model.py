"""What a layout file may say: how one release of an accounting system names and writes the standard tables.

Only the description and its validation live here: `apply` carries it out, `tabular.choose` finds the one that fits.
"""

from __future__ import annotations

import re
from typing import Any, Literal

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from pcc_pipeline.formats.names import described, plain
from pcc_pipeline.tables.describe import Column, Table
from pcc_pipeline.tables.feeds import FEEDS

#: Ways of writing numbers and dates that have a name; a date may also give a pattern (`%d%m%y`).
NUMBERS = ("italian", "point", "cents")
DATES = ("italian", "iso")
#: What the name of a file's own column begins with, where a layout turns it into a table's.
SOURCE = "@"
_NAMED = re.compile(r"\(\?P<([a-z_]+)>")
_VALUE = "value"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", populate_by_name=True, frozen=True)


def _numbers(value: str | None) -> str | None:
    if value is not None and value not in NUMBERS:
        raise ValueError(f"{value!r} is none of {', '.join(NUMBERS)}")
    return value


def _dates(value: str | None) -> str | None:
    if value is None or value in DATES:
        return value
    if "%" not in value:
        raise ValueError(f"{value!r} is none of {', '.join(DATES)}, nor a pattern such as %d%m%Y")
    written = pc.strftime(pa.array([1_740_000_000], pa.timestamp("s")), value)
    try:
        read = pc.strptime(written, value, "s", error_is_null=True)
    except pa.ArrowInvalid as error:
        raise ValueError(f"{value!r} is not a pattern of a date: {error}") from None
    if read.null_count or pc.cast(read, pa.date32())[0].as_py() is None or not {"d", "m", "y"} <= set(value.lower()):
        raise ValueError(f"{value!r} does not tell day, month and year")
    return value


class Choice(_Strict):
    """Rows (or signs) told by a column's value, compared without case."""

    column: str
    values: tuple[str, ...] = Field(min_length=1)


class Signed(_Strict):
    """A value told by the sign of an amount's column."""

    column: str
    negative: str
    positive: str


class Recipe(_Strict):
    """Where a standard column comes from (exactly one of the first six) and what is done to it, in this order:
    pattern, values, default, sign, numbers or dates."""

    from_: str | None = Field(None, alias="from")
    join: tuple[str, ...] = ()
    first_of: tuple[str, ...] = ()
    constant: str | None = None
    which: dict[str, str] = Field(default_factory=dict)
    sign_of: Signed | None = None
    with_: str = Field("", alias="with")
    pattern: str | None = None
    values: dict[str, str] = Field(default_factory=dict)
    otherwise: Literal["refuse", "keep", "empty"] = "refuse"
    default: str | None = None
    sign: Literal["as_is", "absolute", "negated"] = "as_is"
    negative_when: Choice | None = None
    numbers: str | None = None
    dates: str | None = None

    _numbers = field_validator("numbers")(_numbers)
    _dates = field_validator("dates")(_dates)

    @field_validator("pattern")
    @classmethod
    def _pattern(cls, value: str | None) -> str | None:
        if value is None:
            return None
        if _NAMED.findall(value) != [_VALUE]:
            raise ValueError("needs exactly one group, named (?P<value>…)")
        try:
            pc.extract_regex(pa.array([""]), value)
        except pa.ArrowInvalid as error:
            raise ValueError(f"not a regular expression that RE2 reads: {error}") from None
        return value

    @model_validator(mode="after")
    def _one_origin(self) -> Recipe:
        given = [name for name in ("from_", "join", "first_of", "constant", "which", "sign_of") if self._has(name)]
        if len(given) != 1:
            told = ", ".join(name.rstrip("_") for name in given) or "nothing"
            raise ValueError(f"one of from, join, first_of, constant, which, sign_of is needed; given: {told}")
        if self.with_ and not self.join:
            raise ValueError("`with` goes with `join`")
        return self

    def _has(self, name: str) -> bool:
        value = getattr(self, name)
        return value is not None and value != () and value != {}

    @property
    def sources(self) -> tuple[str, ...]:
        """The file's columns that it reads, as the layout writes them."""
        named = [*([self.from_] if self.from_ is not None else []), *self.join, *self.first_of, *self.which]
        named += [self.sign_of.column] if self.sign_of else []
        named += [self.negative_when.column] if self.negative_when else []
        return tuple(dict.fromkeys(named))

    @property
    def direct(self) -> str | None:
        """The column whose cells it takes as they are typed, where it does."""
        return self.from_ if self.from_ is not None and not self.pattern and not self.values else None


class Heading(_Strict):
    """Where the header stands: how many rows that are not blank come before it (looked for, unless told), and over
    how many rows it goes."""

    skip: int | None = Field(default=None, ge=0, le=29)
    rows: int = Field(default=1, ge=1, le=3)


class SheetLayout(_Strict):
    """A workbook's sheet to be read, with what is otherwise in it."""

    name: str
    columns: dict[str, Recipe] = Field(default_factory=dict)

    @field_validator("columns", mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        return _recipes(value)


class KindLayout(_Strict):
    """How one kind of delivery is written.

    `columns` gives each standard column its recipe (a plain text means `from`); `ignore` names columns known and
    not wanted; `rows` keeps only rows of some record types; `sheets` names a workbook's sheets, read in order.
    """

    columns: dict[str, Recipe] = Field(min_length=1)
    ignore: tuple[str, ...] = ()
    header: Heading = Field(default_factory=Heading)
    sheets: tuple[SheetLayout, ...] = ()
    rows: Choice | None = None
    encoding: str | None = None
    delimiter: str | None = Field(None, min_length=1, max_length=1)
    numbers: str | None = None
    dates: str | None = None

    _numbers = field_validator("numbers")(_numbers)
    _dates = field_validator("dates")(_dates)

    @field_validator("columns", mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        return _recipes(value)

    @field_validator("encoding")
    @classmethod
    def _encoding(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                "".encode(value)
            except LookupError:
                raise ValueError(f"no encoding is called {value!r}") from None
        return value

    def numbers_of(self, recipe: Recipe) -> str | None:
        """The convention of a money column."""
        return recipe.numbers or self.numbers

    def dates_of(self, recipe: Recipe) -> str | None:
        """The convention of a date column."""
        return recipe.dates or self.dates

    def of_sheet(self, sheet: SheetLayout) -> KindLayout:
        """The layout with that sheet's own columns in place."""
        return self.model_copy(update={"columns": {**self.columns, **sheet.columns}}) if sheet.columns else self


class Layout(_Strict):
    """A layout: the product and releases it is of (`versions` by their beginning; none means all) and its kinds.

    `payments` says whether the amounts of payments are written gross, or net of what is withheld (which is then added);
    `delivery` what its deliveries are unless who delivers says otherwise: an increment, or the whole of a span.
    """

    name: str = ""
    product: str
    versions: tuple[str, ...] = ()
    description: str = ""
    payments: Literal["gross", "net"] = "gross"
    delivery: Literal["increment", "whole"] = "increment"
    kinds: dict[str, KindLayout] = Field(default_factory=dict)
    queries: Any = None  # the connector's: read and judged there

    @field_validator("versions", mode="before")
    @classmethod
    def _versions(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value

    @model_validator(mode="after")
    def _tables(self) -> Layout:
        problems = []
        for kind, layout in self.kinds.items():
            table = FEEDS.get(kind)
            if table is None:
                problems.append(f"kinds.{kind}: no such kind; known: {', '.join(FEEDS)}")
                continue
            for sheet in layout.sheets or (None,):
                merged = layout.of_sheet(sheet) if sheet else layout
                place = f"kinds.{kind}" + (f".sheets.{sheet.name}" if sheet and sheet.columns else "")
                problems += [f"{place}.{problem}" for problem in _against(table, merged)]
        if self.payments == "net" and not all(_says_withheld(sheet) for sheet in self._payments()):
            problems.append("payments: net needs kinds.erp_payments.columns.importo_ritenute, which is added")
        if problems:
            raise ValueError("; ".join(dict.fromkeys(problems)))
        return self

    def _payments(self) -> list[KindLayout | None]:
        """How payments are read, on each sheet; a null where they are not."""
        mine = self.kinds.get("erp_payments")
        return [None] if mine is None else [mine.of_sheet(sheet) for sheet in mine.sheets] or [mine]


def _says_withheld(layout: KindLayout | None) -> bool:
    return layout is not None and "importo_ritenute" in layout.columns


def _recipes(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return {name: {"from": recipe} if isinstance(recipe, str) else recipe for name, recipe in value.items()}


def _against(table: Table, layout: KindLayout) -> list[str]:
    """What in a kind's layout does not agree with its table."""
    known = described(table)
    problems = [f"columns.{name}: {table.name} has no such column" for name in layout.columns if name not in known]
    given = set(layout.columns)
    problems += [
        f"columns: {column.name} is required and not given"
        for column in table.columns
        if column.required and column.name in known and column.name not in given
    ]
    problems += [f"columns: one of {', '.join(group)} is required" for group in table.one_of if not given & set(group)]
    for name, recipe in layout.columns.items():
        if name in known:
            problems += [f"columns.{name}.{problem}" for problem in _recipe_against(table.column(name), recipe)]
    used = {plain(source) for recipe in layout.columns.values() for source in recipe.sources}
    problems += [f"ignore: {name} is also used" for name in layout.ignore if plain(name) in used]
    return problems


def _recipe_against(column: Column, recipe: Recipe) -> list[str]:
    problems = []
    codes = {code.upper() for code in column.allowed}
    given = [*recipe.values.values(), *recipe.which.values(), recipe.constant, recipe.default]
    given += [recipe.sign_of.negative, recipe.sign_of.positive] if recipe.sign_of else []
    wrong = [value for value in given if codes and value and value.upper() not in codes]
    if column.type == "boolean":
        wrong = [value for value in given if value and value.upper() not in ("S", "N", "SI", "NO")]
    if wrong:
        allowed = ", ".join(column.allowed or ("S", "N"))
        problems.append(f"values: {', '.join(map(repr, wrong))} not one of {allowed}")
    if column.type != "money" and (recipe.sign != "as_is" or recipe.negative_when or recipe.numbers):
        problems.append("sign, negative_when and numbers are for amounts")
    if column.type != "date" and recipe.dates:
        problems.append("dates is for dates")
    return problems

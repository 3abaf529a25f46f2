"""How far the sheets of an OpenDocument workbook go: cells and rows are written once and repeated by a number."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from xml.parsers import expat

from pcc_pipeline.formats.zipped import Damaged

_SHEET, _ROW = "table:table", "table:table-row"
_CELLS = ("table:table-cell", "table:covered-table-cell")
_VALUES = ("office:value", "office:date", "office:string", "office:boolean", "office:time", "table:formula")
_REPEATED = {_ROW: "table:number-rows-repeated"} | dict.fromkeys(_CELLS, "table:number-columns-repeated")


@dataclass(frozen=True)
class Extent:
    """A sheet's rows and columns up to the last cell that has something, and the cells that are written."""

    rows: int
    columns: int
    written: int


class _Counter:
    def __init__(self) -> None:
        self.done: list[Extent] = []
        self._rows = self._filled = self._columns = self._written = 0
        self._repeat = 1
        self._place = self._last = 0
        self._cell: int | None = None
        self.parser = expat.ParserCreate()
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.StartDoctypeDeclHandler = self._doctype

    def _doctype(self, *_: object) -> None:
        raise Damaged("content.xml")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if name == _SHEET:
            self._rows = self._filled = self._columns = self._written = 0
        elif name == _ROW:
            self._repeat, self._place, self._last = _number(attributes, name), 0, 0
        elif name in _CELLS:
            self._cell = _number(attributes, name)
            if any(said.startswith(_VALUES) for said in attributes):
                self._fill()
        elif self._cell is not None:
            self._fill()

    def _fill(self) -> None:
        if self._cell is not None and self._last < self._place + self._cell:
            self._last = self._place + self._cell
            self._written += 1

    def _end(self, name: str) -> None:
        if name in _CELLS:
            self._place, self._cell = self._place + (self._cell or 0), None
        elif name == _ROW:
            self._rows += self._repeat
            if self._last:
                self._filled, self._columns = self._rows, max(self._columns, self._last)
        elif name == _SHEET:
            self.done.append(Extent(self._filled, self._columns, self._written))


def _number(attributes: dict[str, str], name: str) -> int:
    written = attributes.get(_REPEATED[name], "1")
    return int(written) if written.isdigit() and len(written) < 12 else 1


def of_content(pieces: Iterable[bytes]) -> Iterator[Extent]:
    """The extents of the sheets of a `content.xml`, each once it is known. Raises Damaged where it is no such XML."""
    counter = _Counter()
    try:
        for piece in pieces:
            counter.parser.Parse(piece, False)
            while counter.done:
                yield counter.done.pop()
        counter.parser.Parse(b"", True)
    except (expat.ExpatError, LookupError, ValueError) as error:
        raise Damaged("content.xml") from error
    yield from counter.done

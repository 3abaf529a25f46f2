"""Small files that become large when they are read. Each writer makes one at a path, streaming."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path

HEADER = ("piva_fornitore", "numero", "data_emissione", "importo")
_SPACE = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_BOOK = (
    f'<?xml version="1.0"?><workbook {_SPACE} xmlns:r="{_OFFICE}"><sheets><sheet name="F" sheetId="1" r:id="r1"/></sheets>'
    "</workbook>"
).encode()
_RELATIONS = (
    '<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    f'<Relationship Id="r1" Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/>'
    f'<Relationship Id="r2" Type="{_OFFICE}/sharedStrings" Target="sharedStrings.xml"/></Relationships>'
).encode()
_ROOT = (
    '<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    f'<Relationship Id="r1" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>'
).encode()
_TYPES = b'<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>'
_ODS = (
    '<?xml version="1.0"?><office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"'
    ' xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0">'
    "<office:body><office:spreadsheet><table:table table:name='F'>"
)
_MERGE = '<mergeCell ref="A2:A1048576"/>'

Pieces = Iterable[bytes]


def text(place: str, value: str) -> str:
    """A cell of a sheet with a text of its own."""
    return f'<c r="{place}" t="inlineStr"><is><t>{value}</t></is></c>'


def row(number: int, values: Iterable[str], more: str = "") -> str:
    """A row of a sheet from column A, and other cells."""
    cells = "".join(text(f"{chr(65 + place)}{number}", value) for place, value in enumerate(values))
    return f'<row r="{number}">{cells}{more}</row>'


def sheet(rows: str, after: str = "") -> bytes:
    """A sheet of such rows."""
    return f'<?xml version="1.0"?><worksheet {_SPACE}><sheetData>{rows}</sheetData>{after}</worksheet>'.encode()


def usual(more: str = "", after: str = "") -> bytes:
    """A sheet with a header and a good row, and what else is told."""
    return sheet(row(1, HEADER) + row(2, ("00743110157", "1", "2025-01-31", "10,00")) + more, after)


def workbook(path: Path, sheet1: bytes | Pieces, book: bytes | Pieces = _BOOK, strings: bytes | Pieces = b"") -> Path:
    """An .xlsx of these parts."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as out:
        for name, part in (
            ("[Content_Types].xml", _TYPES),
            ("_rels/.rels", _ROOT),
            ("xl/workbook.xml", book),
            ("xl/_rels/workbook.xml.rels", _RELATIONS),
            ("xl/sharedStrings.xml", strings),
            ("xl/worksheets/sheet1.xml", sheet1),
        ):
            if part == b"":
                continue
            with out.open(name, "w", force_zip64=True) as member:
                for piece in [part] if isinstance(part, bytes) else part:
                    member.write(piece)
    return path


def _blanks(size: int) -> Iterable[bytes]:
    return (b" " * (1 << 20) for _ in range(size >> 20))


def _padded(path: Path) -> Path:
    return workbook(path, usual(), (piece for part in ([_BOOK[:-11]], _blanks(40 << 20), [_BOOK[-11:]]) for piece in part))


def _strings(path: Path) -> Path:
    filler = b"<si><t>" + b"x" * 1000 + b"</t></si>"
    pieces = (filler * 1000 for _ in range(600))
    return workbook(path, usual(), strings=(p for part in ([f"<sst {_SPACE}>".encode()], pieces, [b"</sst>"]) for p in part))


def _many(path: Path) -> Path:
    def rows() -> Iterable[bytes]:
        yield sheet("").split(b"</sheetData>")[0]
        for _ in range(210):
            yield (b"<row>" + b"<c><v>1</v></c>" * 100 + b"</row>") * 1000
        yield b"</sheetData></worksheet>"

    return workbook(path, rows())


def ods(path: Path, more: str = "") -> Path:
    """An .ods with a header and a good row, and what else is told."""
    rows = "".join(
        f"<table:table-row>{''.join(map(_value, values))}</table:table-row>"
        for values in (HEADER, ("00743110157", "1", "2025-01-31", "10,00"))
    )
    body = f"{_ODS}{rows}{more}</table:table></office:spreadsheet>"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out:
        out.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet", zipfile.ZIP_STORED)
        out.writestr("META-INF/manifest.xml", "<manifest/>")
        out.writestr("content.xml", body + "</office:body></office:document-content>")
    return path


def _value(value: str, repeated: int = 1) -> str:
    number = f" table:number-columns-repeated='{repeated}'" if repeated > 1 else ""
    return f"<table:table-cell office:value-type='string'{number}><text:p>{value}</text:p></table:table-cell>"


def _ods(path: Path) -> Path:
    return ods(path, f"<table:table-row table:number-rows-repeated='1000000'>{_value('x', 1000)}</table:table-row>")


def _zeros(path: Path) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out, out.open("a.csv", "w") as member:
        for piece in _blanks(200 << 20):
            member.write(piece)
    return path


def _nested(path: Path) -> Path:
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED) as out:
        out.writestr("a.csv", b"0" * (10 << 20))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out:
        out.writestr("inner.zip", inner.getvalue())
    return path


def _lying(path: Path) -> Path:
    """Its directory says 100 bytes of what unpacks to 200 MB."""
    workbook(path, (b"<!-- " + b" " * (1 << 20) + b" -->" for _ in range(200)))
    data = bytearray(path.read_bytes())
    place = data.rfind(b"xl/worksheets/sheet1.xml")
    data[place - 46 + 24 : place - 46 + 28] = (100).to_bytes(4, "little")
    path.write_bytes(data)
    return path


def _at(place: str) -> Callable[[Path], Path]:
    number = place.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    return lambda path: workbook(path, usual(f'<row r="{number}">{text(place, "x")}</row>'))


#: File name, how it is written, and a word of the reason for which it stands in quarantine.
BOMBS: dict[str, tuple[str, Callable[[Path], Path], str]] = {
    "far cell": ("far.xlsx", _at("XFD1048576"), "colonna XFD"),
    "far cell of row 2000": ("far2000.xlsx", _at("XFD2000"), "colonna XFD"),
    "wide and sparse": ("sparse.xlsx", _at("BXX100000"), "celle e ne scrive"),
    "merges": (
        "merges.xlsx",
        lambda path: workbook(path, usual("", f"<mergeCells>{_MERGE * 25}</mergeCells>")),
        "celle unite",
    ),
    "padded book": ("padded.xlsx", _padded, "workbook.xml"),
    "shared strings": ("strings.xlsx", _strings, "crescerebbe|sharedStrings"),
    "many cells": ("many.xlsx", _many, "crescerebbe|celle, più"),
    "lying directory": ("lying.xlsx", _lying, "danneggiato"),
    "repeated cells": ("repeated.ods", _ods, "celle"),
    "zip": ("zeros.zip", _zeros, "crescerebbe"),
    "nested zip": ("nested.zip", _nested, "archivio dentro un archivio"),
}  # fmt: skip

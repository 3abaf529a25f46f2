"""Pages that programs write under a workbook's name (`.xls`): HTML, turned into CSV where its tables are simple; others
are told for what they are."""

from __future__ import annotations

import csv
import re
from pathlib import Path

from lxml import etree, html

#: A page is held whole while it is read.
LARGEST = 64 << 20
HTML = "the file is an HTML page, whatever its name says: its tables were read"
_TOO_LARGE = f"the file is an HTML page of more than {LARGEST >> 20} MB, whatever its name says: save it as .xlsx or CSV"
_SPANS = "the file is an HTML page with cells that go over several rows, whatever its name says: save it as .xlsx or CSV"
_NO_TABLE = "the file is an HTML page without a table, whatever its name says: deliver the table itself"
_HTML = re.compile(
    rb"(?:\xef\xbb\xbf)?(?>\s+|<\?.*?\?>|<!--.*?-->)*+<(?:!doctype\s+html|(?:html|head|meta|title|style|body|table|div|center)[\s>])",
    re.I | re.S,
)
_OTHERS = (
    (re.compile(rb"urn:schemas-microsoft-com:office:spreadsheet"), "an XML spreadsheet of Excel 2003"),
    (re.compile(rb"\s*MIME-Version:", re.I), "a web page saved as one file (MHTML)"),
    (re.compile(rb"%PDF-"), "a PDF"),
    (re.compile(rb"\{\\rtf"), "a document of a word processor (RTF)"),
)


def looks_html(start: bytes) -> bool:
    """Whether a file that begins so is an HTML page."""
    return bool(_HTML.match(start))


def is_page(path: Path) -> bool:
    """Whether a file is such a page, or another format that has its own reason."""
    with path.open("rb") as file:
        start = file.read(1024)
    return looks_html(start) or other_format(start) is not None


def other_format(start: bytes) -> str | None:
    """Why a file that begins so is no table; null where nothing is known against it."""
    for pattern, name in _OTHERS:
        if pattern.search(start) if pattern.pattern.startswith(b"urn") else pattern.match(start):
            return f"the file is {name}, whatever its name says: save it as .xlsx or CSV"
    return None


def to_csv(path: Path, target: Path) -> str | None:
    """Writes the rows of all tables of the page to `target` as CSV, each as wide as the widest; null, or why it cannot."""
    if path.stat().st_size > LARGEST:
        return _TOO_LARGE
    rows = []
    try:
        page = html.document_fromstring(_text(path.read_bytes()))
    except (etree.ParserError, etree.XMLSyntaxError, ValueError):
        return _NO_TABLE
    for row in page.iter("tr"):
        cells = [cell for cell in row if cell.tag in ("td", "th")]
        if any(cell.find(".//table") is not None for cell in cells):
            continue  # a table for the looks: its inner ones come by themselves
        if any(_span(cell, "rowspan") > 1 for cell in cells):
            return _SPANS
        texts: list[str] = []
        for cell in cells:
            texts += [" ".join("".join(map(str, cell.itertext())).split()), *[""] * (_span(cell, "colspan") - 1)]
        rows.append(texts)
    width = max(map(len, rows), default=0)
    if not width:
        return _NO_TABLE
    with target.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter=";", lineterminator="\n").writerows(texts + [""] * (width - len(texts)) for texts in rows)
    return None


def _text(data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = data.decode("utf-16", "replace")
    else:
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = data.decode("cp1252", "replace")
    return re.sub(r"^\s*<\?xml.*?\?>", "", text, flags=re.S)


def _span(cell: etree._Element, name: str) -> int:
    written = str(cell.get(name) or "1")
    return min(int(written), 1000) if written.isdigit() else 1

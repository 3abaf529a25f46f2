"""Pages that programs write under a workbook's name (`.xls`): HTML, turned into CSV where its tables are simple; others
are told for what they are."""

from __future__ import annotations

import csv
import re
from pathlib import Path

from lxml import etree, html

from pcc_pipeline.formats.reasons import SAVE_AS_TABLE

#: A page is held whole while it is read.
LARGEST = 64 << 20
_PAGE = "il file è una pagina HTML, qualunque sia il nome"
HTML = f"{_PAGE}: lette le sue tabelle"
_TOO_LARGE = f"{_PAGE}, e supera {LARGEST >> 20} MB: {SAVE_AS_TABLE}"
_SPANS = f"{_PAGE}, con celle su più righe: {SAVE_AS_TABLE}"
_NO_TABLE = f"{_PAGE}, e non contiene tabelle: consegnare la tabella"
_HTML = re.compile(
    rb"(?:\xef\xbb\xbf)?(?>\s+|<\?.*?\?>|<!--.*?-->)*+<(?:!doctype\s+html|(?:html|head|meta|title|style|body|table|div|center)[\s>])",
    re.I | re.S,
)
_OTHERS = (
    (re.compile(rb"urn:schemas-microsoft-com:office:spreadsheet"), "un foglio XML di Excel 2003"),
    (re.compile(rb"\s*MIME-Version:", re.I), "una pagina web salvata in un file (MHTML)"),
    (re.compile(rb"%PDF-"), "un PDF"),
    (re.compile(rb"\{\\rtf"), "un documento di testo (RTF)"),
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
            return f"il file è {name}, qualunque sia il nome: {SAVE_AS_TABLE}"
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

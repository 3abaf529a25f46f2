"""Which table a file holds, whatever it is wrapped in: sheets, pages under a workbook's name, compressed and odd texts."""

from __future__ import annotations

import gzip
import html
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_tabular import PAYMENTS, Lists, parse

from pcc_pipeline.formats import parse as parse_kind
from pcc_pipeline.formats.source import Counts, Source
from pcc_pipeline.formats.tabular import encoding
from pcc_pipeline.tables.notes import FILE_FORMAT, SKIPPED_SHEET

HEADER = PAYMENTS.split(";")
ROW = ["D1", "7", "2025-01-31", "10.50", "N"]
CSV = f"{PAYMENTS}\n{';'.join(ROW)}\nD2;8;2025-02-28;1.00;S\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "file.xls"


def book(path: Path, *sheets: tuple[str, list[list[Any]], bool]) -> Path:
    path = path.with_suffix(".xlsx")
    with xlsxwriter.Workbook(str(path)) as made:
        for name, rows, hidden in sheets:
            sheet = made.add_worksheet(name)
            for number, row in enumerate(rows):
                sheet.write_row(number, 0, row)
            if hidden:
                sheet.hide()
        visible = [name for name, _, hidden in sheets if not hidden]
        if visible:
            made.get_worksheet_by_name(visible[0]).activate()
            made.get_worksheet_by_name(visible[0]).set_first_sheet()
    return path


DATA, OTHER = [HEADER, ROW], [["Parametro", "Valore"], ["Anno", 2025]]


@pytest.mark.parametrize(
    ("sheets", "noted"),
    [
        ((("Dati", DATA, False),), set()),
        ((("Parametri", OTHER, True), ("Dati", DATA, False)), {"Parametri"}),
        ((("Vuoto", [], False), ("Dati", DATA, False)), {"Vuoto"}),
        ((("Leggimi", OTHER, False), ("Vuoto", [], True), ("Dati", DATA, False), ("Foglio3", [], False)), {"Leggimi"}),
        ((("Vecchi", [HEADER, ["OLD", "1", "2025-01-01", "1.00", "N"]], True), ("Dati", DATA, False)), {"Vecchi"}),
        ((("Gennaio", DATA, False), ("Febbraio", DATA, False)), {"Febbraio"}),
        ((("Note", OTHER, False), ("Dati", DATA, True)), {"Note"}),
    ],
)
def test_the_first_sheet_with_the_columns_is_read(path: Path, sheets: Any, noted: set[str]) -> None:
    sink, counts = parse(book(path, *sheets), None)
    assert counts == Counts(1, 0, 0) and sink.good[0]["id_documento"] == "D1" and sink.good[0]["line"] == 2
    assert {note["value"] for note in sink.noted if note["code"] == SKIPPED_SHEET} == noted


def test_without_such_a_sheet_the_reason_is_of_the_one_that_people_see(path: Path) -> None:
    sink, _ = parse(book(path, ("Segreto", OTHER, True), ("Vuoto", [], False), ("Dati", [["importo"], [1]], False)), None)
    assert sink.good == [] and "id_documento" in sink.bad[0]["reason"]
    sink, _ = parse(book(path, ("Vuoto", [], False)), None)
    assert "Vuoto è vuoto" in sink.bad[0]["reason"]


def page(*tables: list[list[str]], head: str = "<html><head><meta charset='utf-8'></head>") -> str:
    def cells(row: list[str]) -> str:
        return "".join(f"<td>{html.escape(cell)}</td>" for cell in row)

    return head + "".join(f"<table border=1>{''.join(f'<tr>{cells(row)}</tr>' for row in rows)}</table>" for rows in tables)


words = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "Sc")), min_size=1, max_size=8)


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.tuples(words, words), min_size=1, max_size=5))
def test_a_page_named_as_a_workbook_is_its_table(path: Path, rows: list[tuple[str, str]]) -> None:
    table = [["Numero", "Codice fiscale", "Cf fornitore"], *([f"n{one}", "", f"c{two}"] for one, two in rows)]
    sink, _ = parse(path, page([["Elenco"]], table), "open_list")
    assert sink.bad == [] and [row["numero"] for row in sink.good] == [f"n{one}" for one, _ in rows]
    assert FILE_FORMAT in {note["code"] for note in sink.noted}


def test_pages_of_old_programs(path: Path) -> None:
    inner = f"<tr><th>{'</th><th>'.join(HEADER)}</th></tr><tr><td>{'</td><td>'.join(ROW)}</td></tr>"
    for written in (
        f"\n<TABLE>{inner}</TABLE>".encode(),
        f"<!DOCTYPE html><html><body><table><tr><td><table>{inner}</table></td></tr></table>".encode("utf-16"),
        f"<html xmlns:x='urn:x'><body>Società<table><tr><td colspan=5>Elenco è</td></tr>{inner}</table>".encode("cp1252"),
        f"<?xml version='1.0'?><html><body><table>{inner}</table></body></html>".encode(),
    ):
        sink, counts = parse(path, written)
        assert counts == Counts(1, 0, 0), sink.bad
        assert sink.good[0]["importo"] == Decimal("10.50")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("<html><body>Accesso negato</body></html>", "non contiene tabelle"),
        (page(DATA).replace("<td>D1", "<td rowspan=2>D1"), "celle su più righe"),
        (page([["a", "b"]]), "mancano le colonne"),
        ("<?xml version='1.0'?><Workbook xmlns='urn:schemas-microsoft-com:office:spreadsheet'/>", "Excel 2003"),
        ("MIME-Version: 1.0\nContent-Type: multipart/related", "MHTML"),
        ("%PDF-1.7\n", "un PDF"),
        ("{\\rtf1 a;b}", "RTF"),
    ],
)
def test_what_is_no_table_says_what_it_is(path: Path, content: str, told: str) -> None:
    for kind in ("erp_payments", "pcc_invoices"):
        path.write_text(content)
        sink = Lists(kind)
        counts = parse_kind(kind, [Source("alfa", kind, "d", path.name, path)], sink)["d"]
        assert counts == Counts(0, 1, 1) and told in sink.bad[0]["reason"]


def test_a_large_page_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pcc_pipeline.formats.tabular.pages.LARGEST", 10)
    assert "HTML" in parse(path, page(DATA))[0].bad[0]["reason"]


def _nothing(content: bytes) -> bytes:
    return content


@pytest.mark.parametrize(
    "write",
    [
        gzip.compress,
        lambda content: gzip.compress(content[:20]) + gzip.compress(content[20:]),
        lambda content: content + b"\0" * 5000,
        lambda content: content + b"\x1a",
        lambda content: content + b"\r\n\x1a\0\0",
        lambda content: content.replace(b"\n", b"\r"),
        lambda content: content.decode().encode("utf-16-le"),
        lambda content: content.decode().encode("utf-16-be"),
        lambda content: content.decode().encode("utf-32"),
        lambda content: gzip.compress(content.decode().encode("utf-16-le")),
        lambda content: gzip.compress(content.replace(b"\n", b"\r") + b"\0\0"),
    ],
)
def test_texts_however_kept_are_the_same_table(path: Path, write: Any) -> None:
    content = CSV.replace("D1", "Dà1").encode()
    plain, _ = parse(path, content)
    got, counts = parse(path, write(content))
    assert got.bad == [] and counts == Counts(2, 0, 0) and got.good == plain.good
    assert {note["code"] for note in got.noted} <= {FILE_FORMAT} and plain.noted == []


def test_bytes_that_are_no_text_are_refused_still(path: Path) -> None:
    for content, told in (
        (CSV.replace("D1", "D\0").encode(), "NUL"),
        (CSV.encode("utf-16-le")[:-1] + b"\0\0\0\xd8\xd8\xd8", "UTF-16"),
        (gzip.compress(CSV.encode())[:-9], "gzip"),
        (gzip.compress(b"\0\1\2" * 50), "NUL"),
        (gzip.compress(b""), "vuoto"),
        (b"\0" * 100, "vuoto"),
    ):
        sink, counts = parse(path, content)
        assert counts == Counts(0, 1, 1) and told in sink.bad[0]["reason"], sink.bad
    sink, _ = parse(path, PAYMENTS.encode() + b"\r\nD1;1;2025-01-01;1;\rD2;1;2025-01-01;1;\r\n")
    assert sink.bad


def test_a_compressed_table_may_not_grow_without_bound(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoding, "LARGEST_EXPANDED", 1000)
    sink, _ = parse(path, gzip.compress(CSV.encode() * 100))
    assert sink.good == [] and "gzip" in sink.bad[0]["reason"] and "1000" in sink.bad[0]["reason"]


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=80), start=st.sampled_from([b"", b"\x1f\x8b", b"<table>", b"\xff\xfe", b"\0a\0b", b"a\0b\0"]))
def test_no_bytes_raise(path: Path, content: bytes, start: bytes) -> None:
    parse(path, start + content)

"""CSV and Excel tables read to rows and defects: headers, encodings, lines, conventions, refusals."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import xlsxwriter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from samples import GOLDEN

from pcc_pipeline.formats.conventions import AMBIGUOUS
from pcc_pipeline.formats.reasons import EMPTY_FILE
from pcc_pipeline.formats.source import Counts, Source
from pcc_pipeline.formats.tabular import csv_blocks, xlsx_reader
from pcc_pipeline.formats.tabular.parse import parse_tabular
from pcc_pipeline.tables.feeds import FEEDS, QUARANTINE

KINDS = (
    "erp_invoices",
    "erp_payments",
    "pcc_invoices",
    "pcc_operations",
    "open_list",
    "special_cases",
    "enti",
    "budgets",
)
PAYMENTS = "id_documento;numero_mandato;data_pagamento;importo;storno"


class Lists:
    """A sink that remembers, checking the schemas."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.good: list[dict[str, Any]] = []
        self.bad: list[dict[str, Any]] = []
        self.noted: list[dict[str, Any]] = []

    def rows(self, batch: pa.RecordBatch) -> None:
        assert batch.schema == FEEDS[self.kind].arrow_schema
        batch.validate(full=True)
        self.good += batch.to_pylist()

    def notes(self, batch: pa.RecordBatch) -> None:
        self.noted += batch.to_pylist()

    def defects(self, batch: pa.RecordBatch) -> None:
        assert batch.schema == QUARANTINE.arrow_schema
        self.bad += batch.to_pylist()


def parse(path: Path, content: bytes | str | None, kind: str = "erp_payments") -> tuple[Lists, Counts]:
    if content is not None:
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    sink = Lists(kind)
    counts = parse_tabular(Source("alfa", kind, "d1", path.name, path), sink)
    assert counts.rows == len(sink.good) and counts.defects == len(sink.bad)
    return sink, counts


def payments(path: Path, *rows: str, header: str = PAYMENTS) -> Lists:
    return parse(path, "\n".join((header, *rows)) + "\n")[0]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "file.csv"


@pytest.mark.parametrize("kind", KINDS)
def test_golden_files_have_no_defect(kind: str) -> None:
    files = [file for golden in GOLDEN for file in sorted(golden.inbox.glob(f"*/{kind}/*"))]
    assert files
    for file in files:
        sink, counts = parse(file, None, kind)
        assert sink.bad == [] and counts.rows == len(file.read_bytes().splitlines()) - 1


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
@pytest.mark.parametrize("delimiter", [";", ",", "\t"])
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_encodings_delimiters_and_line_ends(path: Path, encoding: str, delimiter: str, ending: str) -> None:
    lines = [
        ["Numero", "PARTITA-IVA?", "Piva Fornitore", "Nòta"],
        ["1", "x", "123", '"Società; ""più"", €\t5"'],
        ["2", "", "", ""],
    ]
    content = ending.join(delimiter.join(line) for line in lines) + ending
    sink, counts = parse(path, content.encode(encoding), "open_list")
    assert counts == Counts(2, 0, 0)
    assert sink.good[0]["nota"] == 'Società; "più", €\t5' and sink.good[0]["piva_fornitore"] == "123"
    assert [row["line"] for row in sink.good] == [2, 3]


def test_every_bad_value_is_named_and_good_rows_pass(path: Path) -> None:
    sink = payments(
        path,
        "D1;7;2025-01-31;10;N",
        ";8;2025-02-30;abc;forse",
        "D3;9;2025-03-31;-1;",
        "D4;1;2025-04-30;2.5;SÌ",
    )
    assert [row["id_documento"] for row in sink.good] == ["D1", "D4"]
    assert {(bad["line"], bad["field"], bad["value"]) for bad in sink.bad} == {
        (3, "id_documento", None), (3, "data_pagamento", "2025-02-30"), (3, "importo", "abc"), (3, "storno", "forse"),
        (4, "importo", "-1"),
    }  # fmt: skip


def test_conventions_are_told_by_column(path: Path) -> None:
    sink = payments(path, "D1;1;03/04/2025;1.234;", "D2;2;31/12/2025;5,50;", "D3;3;04/04/2025;12;")
    assert [(row["data_pagamento"], row["importo"]) for row in sink.good] == [
        (dt.date(2025, 4, 3), Decimal("1234")), (dt.date(2025, 12, 31), Decimal("5.50")), (dt.date(2025, 4, 4), Decimal(12)),
    ]  # fmt: skip


def test_without_evidence_or_with_both_kinds_the_ambiguous_is_refused(path: Path) -> None:
    sink = payments(path, "D1;1;03/04/2025;1.234;", "D2;2;2025-12-31;10;")
    assert [row["id_documento"] for row in sink.good] == ["D2"]
    assert {bad["field"] for bad in sink.bad} == {"data_pagamento", "importo"}
    assert all(bad["reason"].startswith(AMBIGUOUS) for bad in sink.bad)
    sink = payments(path, "D1;1;2025-01-01;1.234;", "D2;2;2025-01-01;1.50;", "D3;3;2025-01-01;1,50;")
    assert [row["id_documento"] for row in sink.good] == ["D2", "D3"]


def test_codes_without_case_keep_the_described_writing(path: Path) -> None:
    header = "progressivo_registrazione;data_operazione;azione;stato_debito"
    sink, _ = parse(path, f"{header}\n1;2025-01-01;co;liqDAsosp\n2;2025-01-01; CP ;\n3;2025-01-01;XX;\n", "pcc_operations")
    assert [(row["azione"], row["stato_debito"]) for row in sink.good] == [("CO", "LIQdaSOSP"), ("CP", None)]
    assert [(bad["line"], bad["field"]) for bad in sink.bad] == [(4, "azione")]


def test_one_of_a_group_is_required(path: Path) -> None:
    sink, _ = parse(
        path,
        "caso;decorrenza;piva_fornitore;numero\nALTRO;2025-01-01;;5\nALTRO;2025-01-01;1;\n",
        "special_cases",
    )
    assert len(sink.good) == 1 and [(bad["line"], bad["field"]) for bad in sink.bad] == [(2, None)]


def test_the_register_names_its_enti(path: Path) -> None:
    sink, _ = parse(path, "ente;denominazione;cf\nbeta;Comune;1\nBETA 2;Comune;2\n", "enti")
    assert [(row["ente"], row["codice_ente"]) for row in sink.good] == [("alfa", "beta")]
    assert [bad["field"] for bad in sink.bad] == ["codice_ente"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", EMPTY_FILE), (b"\xef\xbb\xbf\r\n \r\n", EMPTY_FILE), (b"a;b\0\n", "NUL"), ("a;b\n".encode("utf-16"), "mancano le colonne"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "password"), (b"PK\x03\x04 nothing", "cartella di lavoro"),
        (b"id_documento;importo\n1;2\n", "numero_mandato, data_pagamento"),
        (PAYMENTS.encode() + b";Numero Mandato\n1;2;2025-01-01;1;;2\n", "ripetute"),
        (b"%PDF-1.7\n1 0 obj\n", "un PDF"),
    ],
)  # fmt: skip
def test_files_refused_whole(path: Path, content: bytes, reason: str) -> None:
    sink, counts = parse(path, content)
    assert counts == Counts(0, 1, 1)
    assert sink.bad[0]["line"] is None and reason in sink.bad[0]["reason"]


def test_undecodable_bytes_name_their_line(path: Path) -> None:
    sink, _ = parse(path, PAYMENTS.encode() + b"\nD\xe0;1;2025-01-01;1;\nD\x81;1;2025-01-01;1;\n")
    assert not sink.good and sink.bad[0]["line"] == 3 and "0x81" in sink.bad[0]["reason"]
    sink, _ = parse(path, PAYMENTS.encode() + b"\nD\xc3\xa0;1;2025-01-01;1;\nD\xe0;1;2025-01-01;1;\n")
    assert not sink.good and "mescolati" in sink.bad[0]["reason"]


def test_ragged_rows_and_a_quote_left_open_cost_only_themselves(path: Path) -> None:
    sink = payments(
        path,
        "D1;1;2025-01-31;1;N",
        "D2;1",
        "",
        ";;;",
        'D4;"1;2025-01-31;1;N',
        "D5;1;2025-01-31;1;N;;",
        'D6;"a\nb";2025-01-31;1;',
    )
    assert [(row["id_documento"], row["line"]) for row in sink.good] == [("D1", 2), ("D6", 8)]
    assert [bad["line"] for bad in sink.bad] == [3, 6, 7]


def test_a_carriage_return_inside_a_row_costs_only_that_row(path: Path) -> None:
    sink = payments(path, "D1;1;2025-01-31;1;N", "D\r2;1;2025-01-31;1;", "D3;1;2025-01-31;1;N")
    assert [row["line"] for row in sink.good] == [2, 4] and {bad["line"] for bad in sink.bad} == {3}


def test_a_header_with_quotes(path: Path) -> None:
    header = '"Id\n documento";numero_mandato;"data_pagamento";importo;"a; ""b"""'
    assert [row["line"] for row in payments(path, "D1;1;2025-01-31;1;N", header=header).good] == [3]
    for stray in ('"note', 'no"te', '"no"te"'):
        sink = payments(path, "D1;1;2025-01-31;1;", 'D2;2;2025-01-31;1;"x"', header=f"{PAYMENTS[:-7]};{stray}")
        assert [row["line"] for row in sink.good] == [2, 3]


cells = st.text('ab;"\n 0', max_size=6)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(st.one_of(st.none(), st.tuples(cells, cells)), max_size=12),
    block=st.integers(1, 40),
    crlf=st.booleans(),
)
def test_lines_are_the_files_own(path: Path, rows: list[tuple[str, str] | None], block: int, crlf: bool) -> None:
    """Quoted line breaks and blank lines, in blocks of any size: each row has its physical line."""
    ending = "\r\n" if crlf else "\n"
    content, expected, line = "numero;nota" + ending, [], 2
    for row in rows:
        text = "" if row is None else ";".join('"' + cell.replace('"', '""') + '"' for cell in ("n" + row[0], row[1]))
        if row is not None:
            expected.append((line, ("n" + row[0]).strip(), row[1].strip() or None))
        content += text + ending
        line += text.count("\n") + 1
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_blocks, "BLOCK", block)
        sink, _ = parse(path, content, "open_list")
    assert [(row["line"], row["numero"], row["nota"]) for row in sink.good] == expected
    assert sink.bad == []


def test_many_blocks_with_ambiguous_dates_wait_for_the_last(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_blocks, "BLOCK", 1000)
    monkeypatch.setattr("pcc_pipeline.formats.tabular.spool._IN_MEMORY", 2000)
    sink = payments(path, *(f"D{n};1;03/04/2025;1.000;" for n in range(500)), "D;1;31/12/2025;0,50;")
    assert len(sink.good) == 501 and sink.bad == []
    assert {row["importo"] for row in sink.good} == {Decimal(1000), Decimal("0.50")}
    assert sorted(row["line"] for row in sink.good) == list(range(2, 503))


def workbook(path: Path, rows: Sequence[Any]) -> Path:
    path = path.with_suffix(".xlsx")
    with xlsxwriter.Workbook(str(path), {"default_date_format": "dd/mm/yyyy", "remove_timezone": True}) as book:
        sheet = book.add_worksheet()
        for number, row in enumerate(rows):
            for place, cell in enumerate(row):
                if cell is not None:
                    sheet.write(number, place, cell)
    return path


def test_a_workbook_is_the_same_table(path: Path) -> None:
    header = [name.upper().replace("_", " ") for name in PAYMENTS.split(";")]
    day = dt.date(2025, 4, 3)
    rows = [
        header,
        ["D1", 1, day, 1234.5, "N"],
        [],
        ["D2", "002", "31/12/2025", "1.234,56", True],
        ["D3", 3, day, 0.1 + 0.2, None],
    ]
    sheet, _ = parse(workbook(path, rows), None)
    csv = payments(path, "D1;1;2025-04-03;1234.5;N", "", "D2;002;2025-12-31;1234.56;S", "D3;3;2025-04-03;0.3;")
    assert sheet.bad == [] and sheet.good == csv.good


def test_a_workbooks_bad_cells_are_refused(path: Path) -> None:
    day = dt.date(2025, 4, 3)
    rows = [PAYMENTS.split(";"), ["D1", 1, day, 1.234, "N"], ["D2", day, day, 1, "N"], ["D3", 1, 4500.5, 1, "N"], ["D4", 1, day, day, ""],
            ["D5", 1e17, day, 1, ""], ["D6", 1, "03/04/2025", 1, ""], ["D7", 1, dt.datetime(2025, 1, 1, 10, tzinfo=dt.UTC), -1, ""]]  # fmt: skip
    sink, counts = parse(workbook(path, rows), None)
    assert sink.good == [] and counts.refused == 7
    assert [(bad["line"], bad["field"]) for bad in sink.bad] == [
        (2, "importo"), (3, "numero_mandato"), (4, "data_pagamento"), (5, "importo"), (6, "numero_mandato"),
        (7, "data_pagamento"), (8, "importo"),
    ]  # fmt: skip


def test_an_error_in_a_cell_is_not_an_empty_cell(path: Path) -> None:
    path = path.with_suffix(".xlsx")
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet("Dati")
        for row, cells in enumerate((("numero", "importo"), ("1", 5), ("2", None), ("3", 7))):
            sheet.write_row(row + 1, 2, cells)
        sheet.write_formula(3, 3, "=1/0", None, "#DIV/0!")
    sink, _ = parse(path, None, "open_list")
    assert [row["numero"] for row in sink.good] == ["1", "3"]
    assert [(bad["line"], bad["field"]) for bad in sink.bad] == [(4, "importo")] and "formula" in sink.bad[0]["reason"]


def test_a_sheet_that_starts_further_down_keeps_its_row_numbers(path: Path) -> None:
    sink, _ = parse(workbook(path, [[], [], PAYMENTS.split(";"), [], ["D1", "1", dt.date(2025, 1, 1), 5]]), None)
    assert [row["line"] for row in sink.good] == [5]


@given(
    st.lists(
        st.one_of(st.integers(-(10**12), 10**12).map(lambda cents: cents / 100), st.floats(-1e12, 1e12)),
        min_size=1,
    )
)
def test_numbers_of_a_workbook_read_together_as_one_by_one(numbers: list[float]) -> None:
    column = FEEDS["erp_payments"].column("importo")
    alone = [xlsx_reader._number_cell(column, number)[1] for number in numbers]
    together = xlsx_reader._euros(numbers)
    assert together is None or together.to_pylist() == alone
    small = all(abs(number) < 1e11 for number in numbers)
    assert together is not None or None in alone or not small

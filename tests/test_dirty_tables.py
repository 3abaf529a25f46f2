"""Tables as offices send them: dressed amounts, titles, totals, merged cells, old workbooks, tax ids that lost zeros."""

from __future__ import annotations

import datetime as dt
import zipfile
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
import xlsxwriter
import xlwt
from hypothesis import example, given, settings
from hypothesis import strategies as st
from stdnum import luhn
from stdnum.it import codicefiscale
from test_conventions import MONEY, amounts
from test_tabular import PAYMENTS, parse, payments

from pcc_pipeline.demo.parties import parties
from pcc_pipeline.formats.columns import read_column
from pcc_pipeline.formats.conventions import COMMA, POINT, read_amount, read_date, settle
from pcc_pipeline.formats.pcc.values import tax_code_problem
from pcc_pipeline.formats.tax_ids import is_right, read_tax_id
from pcc_pipeline.tables.notes import WRONG_TAX_ID, ZEROS_RECOVERED

MACROS = Path(__file__).parents[1] / "dbt_like_sql" / "macros" / "02_identity.sql"
VAT = "00488410010"  # a right number that begins with zeros

dressings = st.sampled_from(
    [
        "{}",
        "€ {}",
        "€{}",
        "{} €",
        "{}€",
        "EUR {}",
        "{} EUR",
        "Euro {}",
        "{} euro",
        "\N{NO-BREAK SPACE}{}\N{NARROW NO-BREAK SPACE}€",
    ]
)
negatives = st.sampled_from(["-{}", "- {}", "({})", "{}-", "{} -", "\N{MINUS SIGN}{}", "( {} )"])
groups = st.sampled_from([" ", "'", "’", "\N{NO-BREAK SPACE}", "."])


def grouped(amount: Decimal, mark: str) -> str:
    return f"{amount:,.2f}".replace(",", "_").replace(".", ",").replace("_", mark)


@settings(deadline=None)
@given(amounts, dressings, negatives, groups)
def test_an_amount_is_read_back_from_whatever_it_is_dressed_in(amount: Decimal, dress: str, negative: str, mark: str) -> None:
    bare = grouped(abs(amount), mark)
    text = dress.format(negative.format(bare) if amount < 0 else bare).strip()
    reading = read_amount(text)
    assert (reading.value, reading.either, reading.evidence) == (amount, False, COMMA)
    inside = negative.format(dress.format(bare)).strip() if amount < 0 else text
    if "(" not in inside or inside.endswith(")"):
        assert read_amount(inside).value == amount
    typed = read_column(MONEY, pa.array([text, inside]), frozenset())
    assert typed.values[0].as_py() == amount and typed.evidence == {COMMA}


@settings(deadline=None)
@given(st.integers(1, 999), st.integers(0, 999), dressings, st.sampled_from("-+"))
def test_a_dressed_ambiguous_amount_stays_ambiguous(whole: int, rest: int, dress: str, sign: str) -> None:
    for mark in ".,":
        text = dress.format(f"{sign}{whole}{mark}{rest:03d}").strip()
        reading = read_amount(text)
        assert reading.either and reading.value is None
        assert settle(reading, frozenset()).value is None and settle(reading, frozenset([COMMA, POINT])).value is None


@settings(deadline=None)
@example(["0€€"])  # undressed once: what is dressed twice is no amount, in a column neither
@given(st.lists(st.text("0123456789.,-+()€ 'EUR", min_size=1, max_size=12).map(str.strip).filter(bool), max_size=20))
def test_a_column_of_dressed_amounts_reads_as_its_values_do(texts: list[str]) -> None:
    readings = [read_amount(text) for text in texts]
    evidence = frozenset(reading.evidence for reading in readings if reading.evidence)
    typed = read_column(MONEY, pa.array(texts, pa.string()), evidence)
    assert typed.evidence == evidence
    assert typed.values.to_pylist() == [settle(reading, evidence).value for reading in readings]


@settings(deadline=None)
@given(st.dates(dt.date(1900, 1, 1), dt.date(2099, 12, 31)))
def test_a_day_without_marks_has_one_meaning(day: dt.date) -> None:
    assert read_date(f"{day:%Y%m%d}").value == day
    backwards = read_date(f"{day:%d%m%Y}")
    assert backwards.value is None or f"{day:%d%m%Y}" == f"{backwards.value:%Y%m%d}"


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 7_000_000), st.booleans())
def test_tax_ids_that_lost_zeros_are_given_back_only_when_the_digit_proves_it(number: int, country: bool) -> None:
    from pcc_pipeline.demo.parties import vat_number

    vat = vat_number(number + 1)
    prefix = "IT" if country else ""
    assert read_tax_id(prefix + vat) == (prefix + vat, None)
    lost = vat.lstrip("0")
    if lost != vat and len(lost) >= 5:
        assert read_tax_id(prefix + lost) == (prefix + vat, ZEROS_RECOVERED)
        wrong = f"{lost[:-1]}{(int(lost[-1]) + 1) % 10}"
        assert read_tax_id(wrong) == (wrong, WRONG_TAX_ID)
    for place in range(11):  # one digit wrong is always told
        wrong = f"{vat[:place]}{(int(vat[place]) + 1) % 10}{vat[place + 1 :]}"
        assert read_tax_id(wrong) == (wrong, WRONG_TAX_ID)


def test_fiscal_codes_and_foreign_ids() -> None:
    people = [party.cf for party in parties(80, 7, first=0) if party.professional]
    assert people and all(read_tax_id(code) == (code, None) for code in people)
    assert all(read_tax_id(code[:-1] + chr(65 + (ord(code[-1]) - 64) % 26))[1] == WRONG_TAX_ID for code in people)
    assert [read_tax_id(text)[1] for text in ("DE123456789", "FR 12 345678901", "GB999 9999 73", "IT", "PIPPO", "123", "00000000000")] == [
        None, None, None, WRONG_TAX_ID, WRONG_TAX_ID, WRONG_TAX_ID, WRONG_TAX_ID,
    ]  # fmt: skip


@settings(deadline=None)
@given(st.integers(1, 10**11 - 1).map(lambda number: f"{number:011d}"))
def test_of_eleven_digits_the_check_digit_alone_decides(text: str) -> None:
    right = luhn.is_valid(text)
    assert is_right(text) == right and (read_tax_id(text)[1] is None) == right
    if codicefiscale.is_valid(text):  # what the library takes for a VAT number, with its office
        assert right
    whole = text[:10] + luhn.calc_check_digit(text[:10])
    if whole.strip("0"):
        assert read_tax_id(whole) == (whole, None) and read_tax_id(f"IT{whole}")[1] is None
    with duckdb.connect() as connection:
        connection.execute(MACROS.read_text())
        found = connection.execute("select right_tax_id($1), right_tax_id($2)", [text, whole]).fetchone()
    assert found == (right, bool(whole.strip("0")))


def test_a_provisional_fiscal_code_is_right() -> None:
    assert read_tax_id("50123459005") == ("50123459005", None) and not codicefiscale.is_valid("50123459005")
    assert tax_code_problem("50123459005") is None


def test_the_models_know_right_from_wrong_as_the_parser_does() -> None:
    ids = [party.piva for party in parties(60, 7, first=0)] + [
        party.cf for party in parties(60, 7, first=0) if party.professional
    ]
    ids += [f"{id_[:3]}{(int(id_[3]) + 1) % 10}{id_[4:]}" if id_.isdigit() else id_[:-1] + "A" for id_ in ids] + [
        "DE123456789",
        "123",
        "PIPPO",
    ]
    with duckdb.connect() as connection:
        connection.execute(MACROS.read_text())
        found = connection.execute("select id, right_tax_id(id) from (select unnest($1) as id)", [ids]).fetchall()
    assert [right for _, right in found] == [id_ == "DE123456789" or codicefiscale.is_valid(id_) for id_, _ in found]


def test_wrong_ids_are_kept_and_noted_and_lost_zeros_given_back(path: Path) -> None:
    header = "id_documento;numero_mandato;data_pagamento;importo;cf_beneficiario"
    sink = payments(
        path, f"1;1;2025-01-31;1;{VAT.lstrip('0')}", "2;1;2025-01-31;1;12345678901", "3;1;2025-01-31;1;12345678901", f"4;1;2025-01-31;1;{VAT}",
        header=header,
    )  # fmt: skip
    assert [row["cf_beneficiario"] for row in sink.good] == [VAT, "12345678901", "12345678901", VAT] and sink.bad == []
    assert {(row["code"], row["field"], row["value"], row["line"], row["times"]) for row in sink.noted} == {
        (ZEROS_RECOVERED, "cf_beneficiario", f"488410010 → {VAT}", 2, 1), (WRONG_TAX_ID, "cf_beneficiario", "12345678901", 3, 2),
    }  # fmt: skip


def test_titles_repeated_headers_totals_and_blank_rows_are_skipped_and_noted(path: Path) -> None:
    sink, counts = parse(
        path,
        f"Comune di Prova;;;;\nElenco mandati\n\n{PAYMENTS}\nD1;1;2025-01-31;1.234,56;N\n;;;;\nTotale pagina;;;1.234,56;\n{PAYMENTS}\n"
        "D2;2;2025-01-31;2,00;N\nTOTALE GENERALE;;1.236,56\n;;;1.236,56;\nTotale D3;3;2025-01-31;5,00;N\n",
    )
    assert [(row["id_documento"], row["line"]) for row in sink.good] == [("D1", 5), ("D2", 9), ("Totale D3", 12)]
    assert sink.bad == [] and counts.refused == 0
    assert [(row["code"], row["line"]) for row in sink.noted] == [
        ("TITLE_ROW", 1), ("TITLE_ROW", 2), ("TOTALS_ROW", 7), ("REPEATED_HEADER", 8), ("TOTALS_ROW", 10), ("TOTALS_ROW", 11),
    ]  # fmt: skip
    assert sink.noted[2]["value"] == "Totale pagina 1.234,56"


def test_a_row_of_data_that_says_total_or_lacks_a_value_is_not_taken_for_a_total(path: Path) -> None:
    sink = payments(path, "TOTALE;1;2025-01-31;5;", "Totale;;2025-01-31;5;", ";7;;5;", "Totano;;;5;")
    assert [row["id_documento"] for row in sink.good] == ["TOTALE"]
    assert {bad["line"] for bad in sink.bad} == {3, 4, 5} and sink.noted == []


def test_unknown_columns_are_noted(path: Path) -> None:
    sink = payments(path, "D1;1;2025-01-31;1;;x", header=PAYMENTS + ";Operatore")
    assert [(row["code"], row["field"]) for row in sink.noted] == [("UNKNOWN_COLUMN", "Operatore")]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_unicode_text_of_a_spreadsheet(path: Path, encoding: str) -> None:
    bom = "" if encoding == "utf-16" else "\N{ZERO WIDTH NO-BREAK SPACE}"
    sink, counts = parse(path, (bom + "numero\tnota\n1\tperché\n").encode(encoding), "open_list")
    assert counts.rows == 1 and sink.good[0]["nota"] == "perché"


def book(path: Path, rows: list[list[Any]], merged: tuple[tuple[int, int, int, int, Any], ...] = ()) -> Path:
    path = path.with_suffix(".xlsx")
    with xlsxwriter.Workbook(str(path), {"default_date_format": "dd/mm/yyyy"}) as made:
        sheet = made.add_worksheet()
        for number, row in enumerate(rows):
            for place, cell in enumerate(row):
                if cell is not None:
                    sheet.write(number, place, cell)
        for first_row, first, last_row, last, value in merged:
            sheet.merge_range(first_row, first, last_row, last, value)
    return path


def test_serial_days_and_texts_of_a_workbook(path: Path) -> None:
    rows = [PAYMENTS.split(";"), ["D1", 1, 45750, "1.234,56 €", None], ["D2", 2, "45750", "(5,00)", "N"], ["D3", 3, 20250403, "7,00-", "N"],
            ["D4", 4, 12, "1,00", "N"], ["D5", 5, "03/04/2025", "2,50", "N"], ["D6", 6, "31/12/2025", 2.5, "N"]]  # fmt: skip
    sink, _ = parse(book(path, rows), None)
    assert [(row["id_documento"], row["data_pagamento"], row["importo"]) for row in sink.good] == [
        ("D1", dt.date(2025, 4, 3), Decimal("1234.56")), ("D5", dt.date(2025, 4, 3), Decimal("2.50")), ("D6", dt.date(2025, 12, 31), Decimal("2.50")),
    ]  # fmt: skip
    assert {(bad["line"], bad["field"]) for bad in sink.bad} == {
        (3, "data_pagamento"),
        (3, "importo"),
        (4, "importo"),
        (5, "data_pagamento"),
    }
    assert ("SERIAL_DATE", "data_pagamento", 1) in {(row["code"], row["field"], row["times"]) for row in sink.noted}


def test_merged_cells_speak_for_their_rows_and_merged_amounts_for_none(path: Path) -> None:
    day = dt.date(2025, 4, 3)
    rows = [
        PAYMENTS.split(";"),
        [None, "1", day, 1],
        [None, "2", day, 2],
        [None] * 5,
        ["D2", "3", day, None],
        ["D3", "4", day, None],
    ]
    sink, _ = parse(book(path, rows, ((1, 0, 3, 0, "D1"), (4, 3, 5, 3, 9))), None)
    assert [(row["id_documento"], row["numero_mandato"], row["importo"]) for row in sink.good] == [
        ("D1", "1", Decimal(1)), ("D1", "2", Decimal(2)), ("D2", "3", Decimal(9)),
    ]  # fmt: skip
    assert [(bad["line"], bad["field"]) for bad in sink.bad] == [(6, "importo")] and "cella unita" in sink.bad[0]["reason"]


def test_an_old_excel_file_is_read(path: Path) -> None:
    made = xlwt.Workbook()
    sheet = made.add_sheet("Foglio1")
    style = xlwt.easyxf(num_format_str="DD/MM/YYYY")
    for row, cells in enumerate((PAYMENTS.split(";"), ["D1", 7, dt.date(2025, 4, 3), 1234.56, "N"])):
        for place, cell in enumerate(cells):
            sheet.write(row, place, cell, style) if isinstance(cell, dt.date) else sheet.write(row, place, cell)
    path = path.with_suffix(".xls")
    made.save(str(path))
    sink, counts = parse(path, None)
    assert sink.bad == [] and counts.rows == 1
    row = sink.good[0]
    assert (row["numero_mandato"], row["data_pagamento"], row["importo"]) == ("7", dt.date(2025, 4, 3), Decimal("1234.56"))


ODS = """<?xml version="1.0" encoding="UTF-8"?><office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"
 xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" office:version="1.2">
<office:body><office:spreadsheet><table:table table:name="Foglio1">{rows}</table:table></office:spreadsheet></office:body></office:document-content>"""


def test_an_opendocument_sheet_is_read(path: Path) -> None:
    def cell(value: Any) -> str:
        if isinstance(value, dt.date):
            return f'<table:table-cell office:value-type="date" office:date-value="{value}"><text:p>{value}</text:p></table:table-cell>'
        if isinstance(value, float):
            return f'<table:table-cell office:value-type="float" office:value="{value}"><text:p>{value}</text:p></table:table-cell>'
        return f'<table:table-cell office:value-type="string"><text:p>{value}</text:p></table:table-cell>'

    rows = (PAYMENTS.split(";"), ["D1", "07", dt.date(2025, 4, 3), 1234.56, "N"])
    body = "".join(f"<table:table-row>{''.join(map(cell, row))}</table:table-row>" for row in rows)
    path = path.with_suffix(".ods")
    with zipfile.ZipFile(path, "w") as made:
        made.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        made.writestr(
            "META-INF/manifest.xml",
            '<?xml version="1.0"?><manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>',
        )
        made.writestr("content.xml", ODS.format(rows=body))
    sink, counts = parse(path, None)
    assert sink.bad == [] and counts.rows == 1
    row = sink.good[0]
    assert (row["numero_mandato"], row["data_pagamento"], row["importo"]) == ("07", dt.date(2025, 4, 3), Decimal("1234.56"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "file.csv"


@settings(deadline=None)
@given(st.integers(1, 10**9), st.integers(2000, 2099), st.data())
def test_every_writing_of_an_invoice_number_is_one_number(number: int, year: int, data: st.DataObject) -> None:
    """Invoice numbers: whatever way a number is written, the normalised number is the same; another one's is not."""
    if number == year:
        number += 1
    ways = (
        f"{number}",
        f"FT {number:08d}/{year}",
        f"{number}-{year}",
        f"{year}/{number}",
        f"Fatt. n. {number}",
        f"fattura nr {number} / {year}",
        f"N.{number:06d}",
    )
    one, other = data.draw(st.sampled_from(ways)), data.draw(st.sampled_from(ways))
    with duckdb.connect() as connection:
        connection.execute(MACROS.read_text())
        connection.execute("set variable number_prefix_pattern = '^((FT|FATT|FATTURA|N|NR|NUM)-)+'")
        query = f"select normalised_number(n, date '{year}-03-01') from unnest($1) as t(n)"
        keys = [row[0] for row in connection.execute(query, [[one, other, f"{number + 1}", f"1/{number}"]]).fetchall()]
    assert keys[0] == keys[1] == str(number) and str(number) not in keys[2:]

"""What cells hold beside values: words for nothing, lots that are none, numbers cut short, characters that nobody sees."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_dirty_tables import book
from test_fatturapa import invoice
from test_tabular import PAYMENTS, Lists, parse, payments
from test_xml_opening import INVOICE, OPI, read

from pcc_pipeline.formats.cells import WITHOUT_WIDTH, bare, bare_column
from pcc_pipeline.formats.names import described
from pcc_pipeline.formats.source import Source
from pcc_pipeline.formats.tabular.layouts.load import parse_layout
from pcc_pipeline.formats.tabular.parse import parse_tabular
from pcc_pipeline.formats.words import NAMES_AND_NUMBERS, OF_PCC
from pcc_pipeline.rules import rule_rows
from pcc_pipeline.tables.feeds import FEEDS
from pcc_pipeline.tables.notes import EMPTY_WORD, SCIENTIFIC, WRONG_LOT

ORIGIN = Path(__file__).parents[1] / "dbt_like_sql" / "macros" / "03_origin.sql"
ANYWHERE = [row["word"] for row in rule_rows("empty_words") if not row["type"]]
OF_DATES = [row["word"] for row in rule_rows("empty_words") if row["type"] == "date"]
TABLES = ("erp_invoices", "erp_payments", "pcc_invoices", "pcc_operations", "open_list", "special_cases")
#: A right value of each column that a row must have.
RIGHT = {
    "id_documento": "D1", "tipo_documento": "TD01", "cf_fornitore": "01234567897", "numero": "1/PA", "numero_documento": "1/PA",
    "data_emissione": "2025-03-31", "importo_totale": "122.00", "stato": "REGISTRATA", "numero_mandato": "7",
    "data_pagamento": "2025-04-30", "importo": "10.50", "progressivo_registrazione": "9", "stato_documento": "RICEVUTO",
    "data_operazione": "2025-04-30", "azione": "CP", "caso": "ALTRO", "decorrenza": "2025-01-01",
}  # fmt: skip
fuzz = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "file.csv"


def test_every_name_that_is_kept_as_written_is_a_column() -> None:
    assert {column.name for table in FEEDS.values() for column in table.columns} >= NAMES_AND_NUMBERS
    assert set(FEEDS) >= OF_PCC


@pytest.mark.parametrize("kind", TABLES)
@fuzz
@given(data=st.data())
def test_a_word_for_nothing_is_nothing_but_in_names_and_numbers(path: Path, kind: str, data: st.DataObject) -> None:
    table = FEEDS[kind]
    name = data.draw(st.sampled_from(described(table)))
    column = table.column(name)
    word = data.draw(st.sampled_from(ANYWHERE + (OF_DATES if column.type == "date" else [])))
    word = data.draw(st.sampled_from([word, word.upper(), word.lower(), f" {word} "]))
    given_ = {other: RIGHT[other] for other in described(table) if other in RIGHT and other != name}
    sink, _ = parse(path, ";".join([*given_, name]) + "\n" + ";".join([*given_.values(), f'"{word}"']) + "\n", kind)
    if name in NAMES_AND_NUMBERS:
        assert sink.bad == [] and sink.good[0][name] == word.strip()
        return
    told = [(note["code"], note["field"], note["value"], note["line"]) for note in sink.noted if note["code"] == EMPTY_WORD]
    assert told == [(EMPTY_WORD, name, word.strip(), 2)]
    alone = any(name in group and not set(group) & set(given_) for group in table.one_of)
    if column.required or alone:
        assert sink.good == [] and {bad["field"] for bad in sink.bad} == {name if column.required else None}
    else:
        assert sink.bad == [] and sink.good[0][name] is None


@fuzz
@given(
    lot=st.one_of(
        st.integers(0, 10**12).map(str), st.text("0123456789.,NUL/-d ", min_size=1, max_size=8).map(str.strip).filter(bool)
    )
)
def test_a_lot_is_digits_above_zero(path: Path, lot: str) -> None:
    header = [*(name for name in described(FEEDS["erp_invoices"]) if name in RIGHT), "lotto_sdi"]
    row = [*(RIGHT[name] for name in header[:-1]), f'"{lot}"']
    sink, _ = parse(path, ";".join(header) + "\n" + ";".join(row) + "\n", "erp_invoices")
    assert sink.bad == []
    kept = sink.good[0]["lotto_sdi"]
    noted = {note["code"] for note in sink.noted} & {WRONG_LOT, EMPTY_WORD}
    if lot.isdecimal() and int(lot):
        assert kept == lot and not noted
    else:  # a number written with decimals that are none is the number
        whole = re.fullmatch(r"(0*[1-9][0-9]*)[.,]0+", lot)
        assert kept == (whole[1] if whole else None) and (bool(noted) == (whole is None))
    with duckdb.connect() as connection:
        (macro,) = re.findall(r"^create or replace macro is_lot.*?;", ORIGIN.read_text(), re.M | re.S)
        connection.execute(macro)
        assert connection.execute("select is_lot($1)", [lot]).fetchone() == (lot.isdecimal() and int(lot) > 0,)


def test_the_lot_of_an_order_too(tmp_path: Path) -> None:
    got = read(tmp_path, OPI.replace(">7001<", ">ND<"), "erp_opi")
    assert got.bad == [] and got.good[0]["lotto_sdi"] is None
    assert [(note["code"], note["value"]) for note in got.noted] == [(EMPTY_WORD, "ND")] and got.noted[0]["line"]


HEAD = "product: Prova\nkinds:\n  erp_payments:\n"


def test_a_layout_explains_words_of_its_own_and_the_others_are_nothing(path: Path) -> None:
    layout = parse_layout(
        HEAD + "    columns: {id_documento: Doc, numero_mandato: {join: [Mand, Serie], with: /}, data_pagamento: Il, "
        "importo: {first_of: [Uscite, Entrate], sign: absolute}, storno: {from: Segno, values: {'+': N, '-': S}, default: N},"
        " modalita: {from: Come, values: {E: ECONOMALE}, default: MANDATO}}\n",
        "prova",
    )
    path.write_text(
        "Doc;Mand;Serie;Il;Uscite;Entrate;Segno;Come\nD1;5;-;2025-01-01;NULL;3,50;-;E\nD2;5;B;2025-01-01;4,50;n.d.;NULL;nan\n"
    )
    sink = Lists("erp_payments")
    parse_tabular(Source("alfa", "erp_payments", "d", path.name, path), sink, layout=layout)
    assert sink.bad == []
    assert [(row["numero_mandato"], row["importo"], row["storno"], row["modalita"]) for row in sink.good] == [
        ("5/-", Decimal("3.50"), True, "ECONOMALE"), ("5/B", Decimal("4.50"), False, "MANDATO"),
    ]  # fmt: skip
    assert {(note["field"], note["value"]) for note in sink.noted} == {
        ("uscite", "NULL"), ("entrate", "n.d."), ("segno", "NULL"), ("come", "nan"),
    }  # fmt: skip


def test_words_wait_with_their_rows(path: Path) -> None:
    """Rows kept aside until their dates can be told lose their words, too, and note them once."""
    header = f"{PAYMENTS};cf_beneficiario"
    sink = payments(path, "D1;1;03/04/2025;1,00;-;NULL", "D2;1;31/12/2025;1,00;N/D;null", header=header)
    assert sink.bad == [] and [row["storno"] for row in sink.good] == [None, None]
    assert sorted((note["value"], note["times"]) for note in sink.noted) == [("-", 1), ("N/D", 1), ("NULL", 1), ("null", 1)]


@pytest.mark.parametrize("written", ["1,23E+11", "1.23457E+15", "5E+11"])
def test_a_number_cut_short_by_a_spreadsheet_stands_and_is_noted(path: Path, written: str) -> None:
    sink = payments(path, f"D1;{written};2025-01-31;10;N", "D2;12;2025-01-31;10;N")
    assert [row["numero_mandato"] for row in sink.good] == [written, "12"]
    assert [(note["code"], note["field"], note["value"]) for note in sink.noted] == [(SCIENTIFIC, "numero_mandato", written)]


UNSEEN = "\ufeff\u200b\u200c\u200d\u2060\u00ad\u200e\u202a\u2069"


def strewn(text: str) -> st.SearchStrategy[str]:
    """The text with such characters anywhere in it."""
    return st.lists(st.text(UNSEEN, max_size=2), min_size=len(text) + 1, max_size=len(text) + 1).map(
        lambda extra: "".join(a + b for a, b in zip(extra, [*text, ""], strict=True))
    )


@fuzz
@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=6), max_size=6))
def test_columns_lose_what_single_texts_lose(texts: list[str]) -> None:
    texts += ["a" + UNSEEN + "b"]
    assert bare_column(pa.array(texts, pa.string())).to_pylist() == [bare(text) for text in texts]
    assert bare(texts[-1]) == "ab" and WITHOUT_WIDTH


@fuzz
@given(data=st.data(), workbook=st.booleans())
def test_characters_without_width_are_in_no_cell(path: Path, data: st.DataObject, workbook: bool) -> None:
    cells = ["D 1à", "7", "31/01/2025", "1.234,50", "N", "01234567897"]
    row = [data.draw(strewn(cell)) for cell in cells]
    header = f"{PAYMENTS};cf_beneficiario"
    if workbook:
        sink, _ = parse(book(path, [header.split(";"), row]), None)
    else:
        sink = payments(path, ";".join(row), header=header)
    plain = payments(path, ";".join(cells), header=header)
    assert sink.bad == [] and sink.good == plain.good
    assert [note["value"] for note in sink.noted] == [note["value"] for note in plain.noted]


@fuzz
@given(data=st.data())
def test_characters_without_width_are_in_no_xml_text(tmp_path: Path, data: st.DataObject) -> None:
    for kind, content, words in (
        ("sdi_invoices", INVOICE, ("1/PA", "2025-03-31", "TD01", "100.00", "01234567897", "Anna")),
        ("erp_opi", OPI.replace("ISO-8859-1", "UTF-8"), ("100.00", "7001", "01234567897")),
    ):
        changed = content
        for word in words:
            changed = changed.replace(f">{word}<", f">{data.draw(strewn(word))}<")
        got = read(tmp_path, changed, kind)
        assert got.bad == [] and got.good == read(tmp_path, content, kind).good


def test_a_defect_beside_such_characters_is_told_alone(tmp_path: Path) -> None:
    content = invoice().replace(">TD01<", ">TD01\u200b<").replace(">2025-03-31<", ">ieri<")
    assert [bad["value"] for bad in read(tmp_path, content).bad] == ["ieri"]

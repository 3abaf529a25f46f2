"""Layouts: what a layout file may say, files of the shipped products read back, files that fit none."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st
from test_tabular import Lists
from typer.testing import CliRunner

from pcc_pipeline.demo.erp_files import write_as_product
from pcc_pipeline.demo.parties import enti
from pcc_pipeline.demo.synthesis import Size, synthesis
from pcc_pipeline.formats.source import Counts, Source
from pcc_pipeline.formats.tabular.choose import layout_of
from pcc_pipeline.formats.tabular.guess import draft
from pcc_pipeline.formats.tabular.layouts import LayoutError, layouts
from pcc_pipeline.formats.tabular.layouts.load import parse_layout
from pcc_pipeline.formats.tabular.layouts.model import Layout
from pcc_pipeline.formats.tabular.parse import parse_tabular
from pcc_pipeline.formats.tabular.report import kind_of, report
from pcc_pipeline.tables.feeds import FEEDS

D, O = date(2025, 12, 31), date(2026, 1, 20)  # noqa: E741 - the rules' own letters
PRODUCTS = {"Contabilità Civica": "4.3", "Sanità Bilancio": "6.2", "Libro Mastro PA": "5.4", "Finanza Enti": "5.1"}
#: FATTURA stands for TD01, TD06 and the like where a product has one word for them.
PLAIN = {"TD04": "NOTA_CREDITO", "NOTA_CREDITO": "NOTA_CREDITO"}

HEAD = "product: Prova\nkinds:\n  erp_payments:\n"
COLUMNS = "    columns: {id_documento: Doc, numero_mandato: Mand, data_pagamento: Quietanza, importo: %s}\n"


@pytest.fixture(scope="module")
def views() -> Iterator[duckdb.DuckDBPyConnection]:
    with synthesis(enti(1, 7)[0], 0, Size(400, 7, D, O)) as connection:
        yield connection


def parse(path: Path, kind: str, layout: Layout | None) -> tuple[Lists, Counts]:
    sink = Lists(kind)
    return sink, parse_tabular(Source("alfa", kind, "d1", path.name, path), sink, layout=layout)


def payments(tmp_path: Path, layout: str, *lines: str) -> Lists:
    path = tmp_path / "file.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return parse(path, "erp_payments", parse_layout(layout, "prova"))[0]


#: What these products have no column for; the means of payment and what is withheld are the standard files' own.
NO_COLUMN = {"ente", "delivery", "line", "importo_ritenuta", "importo_ritenute", "modalita"}


def _comparable(row: dict[str, Any]) -> dict[str, Any]:
    row = {name: value for name, value in row.items() if name not in NO_COLUMN}
    if "tipo_documento" in row:
        row["tipo_documento"] = PLAIN.get(row["tipo_documento"], "FATTURA")
    return row


@pytest.mark.parametrize("kind", ["erp_invoices", "erp_payments"])
@pytest.mark.parametrize("product", PRODUCTS)
def test_a_products_file_is_read_as_the_standard_one(
    views: duckdb.DuckDBPyConnection, product: str, kind: str, tmp_path: Path
) -> None:
    if not write_as_product(views, product, kind, tmp_path, excel=True):
        return  # this product writes the standard columns: test_tabular reads those
    (path,) = tmp_path.iterdir()
    sink, counts = parse(path, kind, layout_of(product, PRODUCTS[product]))
    assert sink.bad == [] and counts.refused == 0
    made = set(views.sql(f"select * from {kind} limit 0").columns)
    names = [name for name in FEEDS[kind].column_names if name in made - {"ente", "delivery", "line"}]
    table = views.sql(f"select {', '.join(names)} from {kind} order by line").to_arrow_table()
    wanted = [_comparable(row) for row in table.cast(pa.schema([FEEDS[kind].arrow_schema.field(n) for n in names])).to_pylist()]
    found = [_comparable({name: row[name] for name in names}) for row in sink.good]
    if product == "Contabilità Civica":  # credit notes have a sheet of their own, after the invoices
        wanted.sort(key=lambda row: row["tipo_documento"] == "NOTA_CREDITO")
    if product == "Libro Mastro PA":  # its credit notes are written negative, so a sign says nothing of a bill
        wanted = [
            {name: abs(v) if isinstance(v, Decimal) and kind == "erp_invoices" else v for name, v in row.items()}
            for row in wanted
        ]
    assert found == wanted
    assert len({row["line"] for row in sink.good}) == len(sink.good)


def test_each_products_file_fits_its_own_layout_best(views: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    for product, version in PRODUCTS.items():
        folder = tmp_path / product
        folder.mkdir()
        write_as_product(views, product, "erp_invoices", folder, excel=True)
        (path,) = folder.iterdir()
        assert kind_of(path) == "erp_invoices"
        layout = layout_of(product, version)
        assert layout is not None and report(path, "erp_invoices").layout == layout.name


def test_what_a_report_skips_is_noted(views: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    write_as_product(views, "Finanza Enti", "erp_invoices", tmp_path, excel=True)
    sink, _ = parse(tmp_path / "erp_invoices.csv", "erp_invoices", layouts()["finanza_enti_5"])
    noted = {(row["code"], row["line"]) for row in sink.noted}
    assert {("TITLE_ROW", 1), ("TITLE_ROW", 2)} <= noted and any(code == "TOTALS_ROW" for code, _ in noted)
    write_as_product(views, "Sanità Bilancio", "erp_invoices", tmp_path, excel=True)
    sink, _ = parse(tmp_path / "erp_invoices.csv", "erp_invoices", layouts()["sanita_bilancio"])
    assert {(row["code"], row["value"], row["times"]) for row in sink.noted if row["code"] == "OTHER_RECORD"} == {
        ("OTHER_RECORD", "Z", 1)
    }


def test_the_register_chooses_the_layout() -> None:
    def name(product: str | None, version: str | None) -> str | None:
        layout = layout_of(product, version)
        return layout.name if layout else None

    assert name("CONTABILITA CIVICA", "4.3") == "contabilita_civica_4"
    assert (
        name("Libro Mastro PA", "6.0") == name("Libro Mastro PA", None) == name("Libro Mastro PA", "9") == "libro_mastro_pa_5"
    )
    assert name("Sanità Bilancio", "77") == "sanita_bilancio"
    assert name("Sconosciuto", "1") is None and name(None, None) is None


def test_a_standard_file_is_read_whatever_the_layout(tmp_path: Path) -> None:
    path = tmp_path / "file.csv"
    path.write_text("id_documento;numero_mandato;data_pagamento;importo\nD1;1;2025-01-31;10.50\n")
    for layout in (None, *layouts().values()):
        sink, counts = parse(path, "erp_payments", layout)
        assert counts == Counts(1, 0, 0) and sink.good[0]["importo"] == Decimal("10.50")


def test_a_file_that_fits_no_layout_is_refused_whole_with_the_nearest(tmp_path: Path) -> None:
    path = tmp_path / "file.csv"
    path.write_text("Documento,Mandato,Emesso il,Pagato il,Avere,Beneficiario\n1,2,03/04/2025,03/04/2025,5,\n")
    sink, counts = parse(path, "erp_payments", layouts()["libro_mastro_pa_5"])
    assert counts == Counts(0, 1, 1) and sink.bad[0]["line"] is None
    reason = sink.bad[0]["reason"]
    assert "più vicino è libro_mastro_pa_5" in reason and "Quietanza (data_pagamento)" in reason and "Pagato il" in reason
    path.write_text("Documento,Mandato,Emesso il,Quietanza,Avere,Beneficiario\n1,2,03/04/2025,03/04/2025,5,\n")
    sink, _ = parse(path, "erp_payments", layouts()["sanita_bilancio"])
    assert (
        "corrisponde al layout libro_mastro_pa_5" in sink.bad[0]["reason"] and "anagrafica degli enti" in sink.bad[0]["reason"]
    )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: [", "not YAML"), ("- x", "begins with product"), ("kinds: {}", "product: Field required"),
        ("product: P\nkinds: {erp_prova: {columns: {a: b}}}", "erp_prova: no such kind"),
        (HEAD + "    columns: {id_documento: Doc}\n", "numero_mandato is required and not given"),
        (HEAD + COLUMNS % "Imp" + "    nonsense: 1\n", "erp_payments.nonsense"),
        (HEAD + COLUMNS % "{from: Imp, constant: '1'}", "one of from, join"), (HEAD + COLUMNS % "{}", "given: nothing"),
        (HEAD + COLUMNS % "{from: Imp, pattern: '(x'}", "group"), (HEAD + COLUMNS % "{from: Imp, pattern: '(?P<value>('}", "regular expression"),
        (HEAD + COLUMNS % "{from: Imp, numbers: roman}", "'roman' is none of"), (HEAD + COLUMNS % "{from: Imp, dates: italian}", "dates is for dates"),
        (HEAD + COLUMNS % "Imp, storno: {from: S, values: {A: forse}}", "'forse' not one of S, N"),
        (HEAD + COLUMNS % "Imp, nulla: N", "no such column"), (HEAD + COLUMNS % "Imp" + "    ignore: [imp]\n", "ignore: imp is also used"),
        (HEAD + COLUMNS % "Imp" + "    encoding: morse\n", "no encoding"), (HEAD + COLUMNS % "Imp" + "    dates: '%d%m'\n", "day, month and year"),
    ],
)  # fmt: skip
def test_a_layout_that_is_wrong_says_where(text: str, told: str) -> None:
    with pytest.raises(LayoutError, match=r"^prova: ") as error:
        parse_layout(text, "prova")
    assert told in str(error.value)


def test_signs_and_origins(tmp_path: Path) -> None:
    recipe = "{first_of: [Uscite, Entrate], sign: absolute}, storno: {which: {Uscite: N, Entrate: S}}, cf_beneficiario: {constant: '00488410010'}"
    sink = payments(
        tmp_path, HEAD + COLUMNS % recipe + "    numbers: italian\n    dates: italian\n", "Doc;Mand;Quietanza;Uscite;Entrate",
        "1;1;03/04/2025;1.234;0,00", "2;1;03/04/2025;;(5,50)", "3;1;03/04/2025;0,00;7-",
    )  # fmt: skip
    assert [(row["importo"], row["storno"], row["data_pagamento"]) for row in sink.good] == [
        (Decimal(1234), False, date(2025, 4, 3)), (Decimal("5.50"), True, date(2025, 4, 3)), (Decimal(7), True, date(2025, 4, 3)),
    ]  # fmt: skip
    sink = payments(
        tmp_path, HEAD + COLUMNS % "{from: Imp, negative_when: {column: DA, values: [d]}, sign: negated}", "Doc;Mand;Quietanza;Imp;DA",
        "1;1;2025-04-13;12.50;D", "2;1;2025-04-13;12.50;A",
    )  # fmt: skip
    assert [row["importo"] for row in sink.good] == [Decimal("12.50")]
    assert [(bad["line"], bad["field"], bad["value"]) for bad in sink.bad] == [(3, "importo", "-12.50")]


def test_a_value_that_the_layout_does_not_know_is_refused_and_named(tmp_path: Path) -> None:
    layout = HEAD + COLUMNS % "Imp, storno: {from: Segno, values: {'+': N, '-': S}, default: N}"
    sink = payments(
        tmp_path, layout, "Doc;Mand;Quietanza;Imp;Segno", "1;1;2025-04-13;1;+", "2;1;2025-04-13;1;x", "3;1;2025-04-13;1;"
    )
    assert [(row["id_documento"], row["storno"]) for row in sink.good] == [("1", False), ("3", False)]
    assert [(bad["line"], bad["field"], bad["value"]) for bad in sink.bad] == [(3, "storno", "x")]
    assert "previsti: +, -" in sink.bad[0]["reason"]


def test_a_declared_convention_does_not_hide_another(tmp_path: Path) -> None:
    layout = HEAD + COLUMNS % "Imp" + "    numbers: italian\n"
    sink = payments(tmp_path, layout, "Doc;Mand;Quietanza;Imp", "1;1;2025-04-13;1.234", "2;1;2025-04-13;1.50")
    assert [row["importo"] for row in sink.good] == [Decimal("1.50")]  # a point before decimals: 1.234 is no longer told
    assert [(bad["field"], bad["value"]) for bad in sink.bad] == [("importo", "1.234")]


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(st.integers(0, 10**12), st.dates(date(2000, 1, 1), date(2036, 12, 31))), min_size=1, max_size=20))
def test_cents_and_patterns_are_read_back(tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[int, date]]) -> None:
    layout = HEAD + COLUMNS % "Imp" + "    numbers: cents\n    dates: '%d%m%Y'\n"
    lines = [f"{n};1;{day:%d%m}{day.year};{cents}" for n, (cents, day) in enumerate(rows)]
    sink = payments(tmp_path_factory.mktemp("cents"), layout, "Doc;Mand;Quietanza;Imp", *lines)
    assert [(row["importo"], row["data_pagamento"]) for row in sink.good] == [
        (Decimal(cents).scaleb(-2), day) for cents, day in rows
    ]


def test_a_day_that_is_not_in_the_calendar_is_refused_under_a_pattern(tmp_path: Path) -> None:
    sink = payments(
        tmp_path, HEAD + COLUMNS % "Imp" + "    dates: '%d%m%Y'\n", "Doc;Mand;Quietanza;Imp", "1;1;31022025;1", "2;1;3042025;1"
    )
    assert sink.good == [] and {bad["value"] for bad in sink.bad} == {"31022025", "3042025"}


def test_lines_and_reasons_of_a_second_sheet_tell_where(tmp_path: Path) -> None:
    path = tmp_path / "book.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        for name, amount in (("Uno", 5), ("Due", "x")):
            sheet = book.add_worksheet(name)
            sheet.write_row(0, 0, ["Doc", "Mand", "Quietanza", "Imp"])
            sheet.write_row(1, 0, [name, "1", "2025-01-31", amount])
    text = HEAD + "    sheets: [{name: UNO}, {name: due, columns: {storno: {constant: S}}}]\n" + COLUMNS % "Imp"
    sink, _ = parse(path, "erp_payments", parse_layout(text, "prova"))
    assert [(row["id_documento"], row["line"]) for row in sink.good] == [("Uno", 2)]
    assert sink.bad[0]["line"] == 4 and sink.bad[0]["reason"].startswith("foglio Due, riga 2: ")
    gone = HEAD + "    sheets: [{name: Tre}]\n" + COLUMNS % "Imp"
    sink, _ = parse(path, "erp_payments", parse_layout(gone, "prova"))
    assert "Tre" in sink.bad[0]["reason"]


def test_commands(tmp_path: Path) -> None:
    from pcc_pipeline.cli import app

    run = CliRunner().invoke
    assert "libro_mastro_pa_5" in run(app, ["layout", "list"]).output
    path = tmp_path / "file.csv"
    path.write_text(
        "Documento,Mandato,Emesso il,Quietanza,Avere,Dare,Beneficiario,Note\n1,2,,03/04/2025,5,,,x\n2,2,,03/04/2025,x,,,x\n"
    )
    found = run(app, ["layout", "check", str(path), "--layout", "libro_mastro_pa_5", "--kind", "erp_payments"])
    assert found.exit_code == 0 and "leaves: Note" in found.output and "rows 1, refused 1" in found.output
    assert "libro_mastro_pa_5" in run(app, ["layout", "guess", str(path)]).output
    path.write_text("id_documento;numero_mandato;data_pagamento;importo\n1;2;03/04/2025;5\n")
    found = run(app, ["layout", "check", str(path)])
    assert "cannot tell data_pagamento (1 times, line 2, for instance '03/04/2025')" in found.output
    path.write_text("boh;bah\n1;2\n")
    assert run(app, ["layout", "check", str(path), "--kind", "erp_payments"]).exit_code == 1
    assert run(app, ["layout", "check", str(path), "--layout", "nessuno"]).exit_code == 1


def test_a_draft_is_a_layout_that_reads_the_file(tmp_path: Path) -> None:
    path = tmp_path / "estratto.csv"
    path.write_text(
        "Elenco mandati\nIdDocumento;Num. mandato;Data di pagamento;Importo pagato;Codice fisc. benef.;Storno?;Boh\n"
        "A1;7;31/12/2025;1.234,56;00488410010;N;x\nA2;8;03/04/2025;2,00;00488410010;S;y\n"
    )
    text = draft(path, "erp_payments")
    assert "# not recognised: 'Boh'" in text
    sink, counts = parse(path, "erp_payments", parse_layout(text, "prova"))
    assert counts == Counts(2, 0, 0)
    assert sink.good[0]["importo"] == Decimal("1234.56") and sink.good[0]["cf_beneficiario"] == "00488410010"

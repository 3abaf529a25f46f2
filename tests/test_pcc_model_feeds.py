"""Files that come back from PCC: answers to a model, and documents exported per modello 003."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import models
import pyarrow as pa
import pytest
import xlsxwriter
from test_pcc_model import USER, booking, operation, payment

from pcc_pipeline.formats import Source
from pcc_pipeline.formats import parse as parse_kind
from pcc_pipeline.formats.pcc import models as pcc_model
from pcc_pipeline.formats.pcc.lines import line_of
from pcc_pipeline.tables import FEEDS


class Lists:
    def __init__(self, kind: str) -> None:
        self.kind, self.good, self.bad = kind, list[dict[str, Any]](), list[dict[str, Any]]()

    def rows(self, batch: pa.RecordBatch) -> None:
        assert batch.schema == FEEDS[self.kind].arrow_schema
        self.good += batch.to_pylist()

    def notes(self, batch: pa.RecordBatch) -> None:
        """What is noted (doubtful tax ids) is not looked at here."""

    def defects(self, batch: pa.RecordBatch) -> None:
        self.bad += batch.to_pylist()


def parse(path: Path, content: bytes, kind: str = "pcc_outcomes") -> Lists:
    if content:
        path.write_bytes(content)
    sink = Lists(kind)
    counts = parse_kind(kind, [Source("alfa", kind, "d1", path.name, path)], sink)["d1"]
    assert (counts.rows, counts.defects) == (len(sink.good), len(sink.bad))
    return sink


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "esito.csv"


def answered(*lines: tuple[dict[str, Any], str, str]) -> bytes:
    rows = [(*pcc_model.texts("003", line_of(o))[:-2], code, words) for o, code, words in lines]
    return pcc_model.write("003", USER, rows)


def test_answers_are_read(path: Path) -> None:
    found = parse(path, answered((booking(), "", ""), (payment(), "E255", "natura è errata"))).good
    assert [row["line"] for row in found] == [8, 9]
    first, second = found
    assert (first["azione"], first["importo"], first["stato_debito"]) == ("CO", Decimal("1000.00"), "LIQ")
    assert first["codice_segnalazione"] is None
    assert (second["codice_segnalazione"], second["descrizione_segnalazione"]) == ("E255", "natura è errata")
    assert (second["importo"], second["data_mandato"]) == (Decimal("1000.50"), date(2025, 12, 1))


def test_a_spreadsheet_between_changes_nothing(path: Path) -> None:
    plain = answered((payment(), "", ""), (booking(), "E1", "no"))
    changed = plain.replace(b"1000.50", b"1000,5").replace(b"01/12/2025", b"1/12/2025").replace(b"\r\n", b";;;\n")
    one, two = parse(path, plain).good, parse(path, changed).good
    assert one == two
    book = path.with_suffix(".xlsx")
    with xlsxwriter.Workbook(book) as opened:
        sheet = opened.add_worksheet()
        for line, record in enumerate(pcc_model.records(plain.decode("cp1252"))):
            for place, text in enumerate(record.texts):
                sheet.write_string(line, place, text)
        sheet.write_number(7, 26, 1000.5)
    assert parse(book, b"").good == one


def test_bad_lines_are_kept_apart(path: Path) -> None:
    data = answered((payment(), "", ""), (booking(), "", "")).replace(b"01/12/2025", b"31/11/2025") + b"a;b;c\r\n"
    sink = parse(path, data)
    assert [row["azione"] for row in sink.good] == ["CO"]
    assert {(row["line"], row["field"]) for row in sink.bad} == {(8, "data_mandato"), (10, None)}
    assert parse(path, answered((payment(), "", ""))[:600]).bad
    assert parse(path, b"Codice del modello;007 - ALTRO\r\n").bad


def export(*lines: tuple[str, ...]) -> bytes:
    """PCC's export per modello 003: identity filled, the rest as told: (azione, stato, importo, progressivo)."""
    rows = []
    for azione, stato, importo, progressivo in lines:
        o = operation(azione=azione or None, progressivo_registrazione=progressivo, stato_debito=stato or None,
                      importo=Decimal(importo) if importo else None)  # fmt: skip
        rows.append(pcc_model.texts("003", line_of(o)))
    return pcc_model.write("003", USER, rows)


def test_an_export_per_modello_003_is_a_feed_of_documents(path: Path) -> None:
    data = export(("CO", "LIQ", "700", "1"), ("CO", "SOSP", "300", "1"), ("CP", "", "220", "1"), ("", "", "", "2"))
    first, second = parse(path, data, "pcc_invoices").good
    assert (first["progressivo_registrazione"], first["stato_documento"], first["partial"]) == ("1", "CONTABILIZZATO", True)
    split = [first[f"importo_{name}"] for name in ("liquidato", "sospeso", "non_liquidabile", "pagato")]
    assert split == [Decimal(700), Decimal(300), None, Decimal(220)]
    assert (first["id_fiscale_iva"], first["numero_documento"], first["importo_totale"]) == (
        "IT00484960588",
        "12/A",
        Decimal(1220),
    )
    assert second["importo_liquidato"] is None and second["stato_documento"] == "PRESENTATO"


def test_an_export_never_forgets_what_the_plain_feed_told(tmp_path: Path, path: Path) -> None:
    whole = {
        "progressivo_registrazione": "1", "tipo_documento": "TD04", "numero_documento": "12/A", "data_emissione": date(2025, 3, 4),
        "importo_totale": Decimal(1220), "stato_documento": "CONTABILIZZATO", "importo_liquidato": Decimal(1220), "lotto_sdi": "77",
        "data_scadenza": date(2025, 5, 5),
    }  # fmt: skip
    rows = parse(path, export(("", "", "", "1")), "pcc_invoices").good
    rows = [{name: value for name, value in row.items() if name not in ("ente", "delivery", "line")} for row in rows]
    seen = models.reconcile(tmp_path / "a", [("pcc_invoices", [whole]), ("pcc_invoices", rows)])
    columns = ("tipo_documento", "stato_documento", "importo_liquidato", "lotto_sdi", "data_scadenza")
    assert seen.rows("stg_pcc_invoices", *columns) == [("TD04", "CONTABILIZZATO", Decimal(1220), "77", date(2025, 5, 5))]
    rows[0] |= {"importo_sospeso": Decimal(1220)}
    seen = models.reconcile(tmp_path / "b", [("pcc_invoices", [whole]), ("pcc_invoices", rows)])
    assert seen.rows("stg_pcc_invoices", "importo_liquidato", "importo_sospeso", "lotto_sdi") == [(None, Decimal(1220), "77")]

"""PCC's own exports, whose columns are not public: a layout that an operator writes reads them; what layouts say besides."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_tabular import Lists
from typer.testing import CliRunner

from pcc_pipeline.cli import app
from pcc_pipeline.formats import parse
from pcc_pipeline.formats.source import Counts, Source
from pcc_pipeline.formats.tabular.layouts.load import LayoutError, layouts, parse_layout
from pcc_pipeline.formats.tabular.parse import parse_tabular
from pcc_pipeline.formats.tabular.report import kind_of
from pcc_pipeline.tables.notes import NET_PAYMENTS

DOC = (Path(__file__).parents[1] / "docs" / "layouts.md").read_text()
PCC = DOC[DOC.index("{#pcc}") : DOC.index("## Layouts included")]
#: The worked example of the documentation: the file, and its layout.
EXPORT = re.findall(r"```\n(.*?)```", PCC, re.S)[0]
LAYOUT = textwrap.dedent(re.findall(r"```yaml\n(.*?)    ```", PCC, re.S)[0])
STOCK = """product: PCC
kinds:
  pcc_invoices:
    columns: {progressivo_registrazione: Id fattura PCC, numero_documento: Numero, data_emissione: Emessa il, importo_totale: Totale,
              tipo_documento: {constant: FATTURA}, stato_documento: {constant: CONTABILIZZATO}, partial: {constant: S}}
"""
MOVES = """product: PCC
kinds:
  pcc_operations:
    columns: {progressivo_registrazione: Id fattura PCC, data_operazione: Il, azione: {from: Cosa, values: {Pagamento: CP}}, importo: Quanto}
"""


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The installation's folder of layouts."""
    folder = tmp_path / "layouts"
    folder.mkdir()
    monkeypatch.setenv("PCC_LAYOUTS", str(folder))
    layouts.cache_clear()
    yield folder
    layouts.cache_clear()


def read(path: Path, content: str, kind: str = "pcc_invoices") -> tuple[Lists, Counts]:
    path.write_text(content, encoding="utf-8")
    sink = Lists(kind)
    return sink, parse(kind, [Source("alfa", kind, "d1", path.name, path)], sink)["d1"]


def test_the_worked_example_reads_its_file(own: Path, tmp_path: Path) -> None:
    refused, _ = read(tmp_path / "export.csv", EXPORT)
    assert refused.good == [] and "nessun layout" in refused.bad[0]["reason"]
    (own / "pcc_ricerca.yaml").write_text(LAYOUT)
    layouts.cache_clear()
    sink, counts = read(tmp_path / "export.csv", EXPORT)
    assert counts == Counts(2, 0, 0), sink.bad
    assert [
        (row["progressivo_registrazione"], row["stato_documento"], row["importo_totale"], row["importo_liquidato"])
        for row in sink.good
    ] == [("100000001", "CONTABILIZZATO", Decimal(1220), Decimal(1000)), ("100000002", "RICEVUTO", Decimal(122), None)]
    assert not sink.good[0]["partial"]


def test_a_file_takes_the_layout_of_pcc_that_it_fits_best(own: Path, tmp_path: Path) -> None:
    # each is satisfied by the larger export: the one that knows more of it is meant
    for order in (("a", "b"), ("b", "a")):
        (own / f"pcc_{order[0]}.yaml").write_text(LAYOUT)
        (own / f"pcc_{order[1]}.yaml").write_text(STOCK)
        (own / "pcc_moves.yaml").write_text(MOVES)
        layouts.cache_clear()
        assert read(tmp_path / "f.csv", EXPORT)[0].good[0]["importo_liquidato"] == Decimal(1000)
        small, _ = read(tmp_path / "f.csv", "Id fattura PCC;Numero;Emessa il;Totale\n1;7;13/01/2025;5,00\n")
        assert small.bad == [] and small.good[0]["partial"] and small.good[0]["stato_documento"] == "CONTABILIZZATO"
        standard = "progressivo_registrazione;tipo_documento;numero_documento;data_emissione;importo_totale;stato_documento"
        got, _ = read(tmp_path / "f.csv", f"{standard}\n1;TD01;7;2025-01-01;5;PAGATO\n")
        assert got.bad == [] and got.good[0]["stato_documento"] == "PAGATO"
        moved, _ = read(tmp_path / "f.csv", "Id fattura PCC;Il;Cosa;Quanto\n1;2025-01-13;Pagamento;5,00\n", "pcc_operations")
        assert moved.bad == [] and moved.good[0]["azione"] == "CP"


def test_commands_propose_and_check(own: Path, tmp_path: Path) -> None:
    export, yaml = tmp_path / "export.csv", tmp_path / "mine.yaml"
    export.write_text(EXPORT)
    assert kind_of(export) == "pcc_invoices"
    told = CliRunner().invoke(app, ["layout", "guess", str(export)])
    assert told.exit_code == 0
    draft = told.stdout[told.stdout.index("# A draft") :]
    for pair in (
        "lotto_sdi: Lotto",
        "importo_liquidato: Liquidato",
        "id_fiscale_iva: Partita IVA",
        "product: PCC",
        "dates: italian",
    ):
        assert pair in draft, draft
    assert "# not recognised: 'Scissione', for instance 'SI', 'NO'" in draft or "split_payment: Scissione" in draft
    yaml.write_text(LAYOUT)
    told = CliRunner().invoke(app, ["layout", "check", str(export), "--layout", str(yaml), "--kind", "pcc_invoices"])
    assert told.exit_code == 0 and "rows 2, refused 0" in told.stdout
    (own / "pcc_export.yaml").write_text(LAYOUT)
    layouts.cache_clear()
    told = CliRunner().invoke(app, ["layout", "guess", str(export)])
    assert "pcc_invoices: pcc_export" in told.stdout


def test_a_wrong_file_in_the_own_folder_is_left_out(own: Path, caplog: pytest.LogCaptureFixture) -> None:
    (own / "bad.yaml").write_text("product: PCC\nkinds: {pcc_invoices: {}}\n")
    (own / "sanita_bilancio.yaml").write_text(LAYOUT)
    layouts.cache_clear()
    found = layouts()
    assert "bad" not in found and next(iter(found)) == "standard" and found["sanita_bilancio"].product == "PCC"
    assert "bad" in caplog.text


HEAD = "product: Prova\n%s\nkinds:\n  erp_payments:\n    columns: {id_documento: Doc, numero_mandato: Mand, data_pagamento: Il, importo: Netto%s}\n"
NET = HEAD % ("payments: net", ", importo_ritenute: Rit, storno: St")
rows = st.lists(st.tuples(st.integers(0, 10**12), st.one_of(st.none(), st.integers(0, 10**10))), min_size=1, max_size=8)


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=rows)
def test_payments_written_net_become_gross(tmp_path: Path, rows: list[tuple[int, int | None]]) -> None:
    path = tmp_path / "f.csv"
    lines = [f"D;1;2025-01-13;{net / 100:.2f};{'' if held is None else f'{held / 100:.2f}'};" for net, held in rows]
    path.write_text("\n".join(["Doc;Mand;Il;Netto;Rit;St", *lines]) + "\n")

    def amounts(layout: str) -> tuple[list[tuple[Any, Any]], list[tuple[str, int]]]:
        sink = Lists("erp_payments")
        parse_tabular(Source("a", "erp_payments", "d", path.name, path), sink, layout=parse_layout(layout, "prova"))
        assert sink.bad == []
        return [(row["importo"], row["importo_ritenute"]) for row in sink.good], [(n["code"], n["times"]) for n in sink.noted]

    written = [(Decimal(net).scaleb(-2), None if held is None else Decimal(held).scaleb(-2)) for net, held in rows]
    assert amounts(NET.replace("payments: net", "payments: gross"))[0] == written
    got, noted = amounts(NET)
    assert got == [(net + (held or 0), held) for net, held in written]
    withheld = sum(bool(held) for _, held in rows)
    assert noted == ([(NET_PAYMENTS, withheld)] if withheld else [])


def test_a_standard_file_of_such_a_product_is_gross(tmp_path: Path) -> None:
    path = tmp_path / "f.csv"
    path.write_text("id_documento;numero_mandato;data_pagamento;importo;importo_ritenute\nD;1;2025-01-13;10;2\n")
    sink = Lists("erp_payments")
    parse_tabular(Source("a", "erp_payments", "d", path.name, path), sink, layout=parse_layout(NET, "prova"))
    assert sink.good[0]["importo"] == 10


def test_what_a_layout_says_of_its_deliveries() -> None:
    plain = parse_layout(HEAD % ("", ""), "prova")
    assert (plain.payments, plain.delivery) == ("gross", "increment")
    assert parse_layout(HEAD % ("delivery: whole", ""), "prova").delivery == "whole"
    for wrong, told in (("delivery: all", "delivery"), ("payments: netto", "payments"), ("payments: net", "importo_ritenute")):
        with pytest.raises(LayoutError, match=told):
            parse_layout(HEAD % (wrong, ""), "prova")

"""The synthetic provider: same seed, same bytes; every case present; identifiers valid; typed rows.

What the rules make of its documents is not tested here.
"""

from __future__ import annotations

import csv
import hashlib
import zipfile
from datetime import date
from pathlib import Path

import opi_flows
import pyarrow.parquet as pq
import pytest
from lxml import etree
from stdnum.it import codicefiscale, iva

from pcc_pipeline.arrival.landing import PROVIDER_KINDS
from pcc_pipeline.demo import Truth, answers, write_provider, write_staging
from pcc_pipeline.demo.cases import SLOTS, dealt
from pcc_pipeline.demo.parties import enti, parties
from pcc_pipeline.demo.situations import CASES
from pcc_pipeline.demo.synthesis import synthesis
from pcc_pipeline.tables.feeds import FEEDS

DAY = date(2025, 12, 31)


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Truth]:
    inbox = tmp_path_factory.mktemp("provider") / "inbox"
    return inbox, write_provider(inbox, enti=5, documents=150, seed=3, reference_date=DAY, sdi_share=0.2)


def _digests(root: Path) -> dict[str, str]:
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


def test_same_seed_gives_the_same_bytes(provider: tuple[Path, Truth], tmp_path: Path) -> None:
    inbox, truth = provider
    again = write_provider(tmp_path, enti=5, documents=150, seed=3, reference_date=DAY, sdi_share=0.2)
    assert _digests(tmp_path) == _digests(inbox)
    assert again == truth


def test_another_seed_gives_other_documents(provider: tuple[Path, Truth], tmp_path: Path) -> None:
    write_provider(tmp_path, enti=1, documents=150, seed=4, reference_date=DAY)
    name = "montefiore/erp_invoices/erp_invoices.csv"
    assert (tmp_path / name).read_bytes() != (provider[0] / name).read_bytes()


def test_every_ente_gets_every_kind_and_nothing_else(provider: tuple[Path, Truth]) -> None:
    inbox, truth = provider
    kinds = set(FEEDS) - set(PROVIDER_KINDS)
    for ente in truth.enti:
        assert {folder.name for folder in (inbox / ente.code).iterdir()} == kinds
    assert not list(inbox.rglob("*.part"))
    assert (inbox / "_provider/enti/enti.csv").exists()
    assert {ente.tipo for ente in truth.enti} >= {"COMUNE", "PROVINCIA", "SANITARIO"}


def test_the_smallest_ente_shows_every_case(provider: tuple[Path, Truth]) -> None:
    _, truth = provider
    for cases in truth.cases.values():
        assert set(cases) == {case.name for case in CASES}


def test_weights_are_shares() -> None:
    rows = list(dealt(CASES))
    assert len(rows) == len(CASES) + SLOTS
    share = sum(row["case_name"] == "not_booked" for row in rows[len(CASES) :])
    assert share == next(case.weight for case in CASES if case.name == "not_booked")


def test_identifiers_are_valid_and_distinct() -> None:
    pool = parties(500, 7, first=0)
    assert all(iva.is_valid(party.piva) for party in pool)
    assert all(codicefiscale.is_valid(party.cf) for party in pool)
    assert len({party.piva for party in pool}) == len(pool)
    made = enti(40, 7)
    assert len({ente.code for ente in made}) == 40
    assert all(iva.is_valid(ente.cf) for ente in made)


def test_truth_names_documents_that_are_there(provider: tuple[Path, Truth]) -> None:
    inbox, truth = provider
    rows = truth.documents("montefiore").to_pylist()
    with (inbox / "montefiore/erp_invoices/erp_invoices.csv").open(encoding="utf-8") as file:
        erp = {row["id_documento"] for row in csv.DictReader(file, delimiter=";")}
    with (inbox / "montefiore/pcc_invoices/pcc_invoices.csv").open(encoding="utf-8") as file:
        pcc = {row["progressivo_registrazione"] for row in csv.DictReader(file, delimiter=";")}
    assert erp == {row["id_documento"] for row in rows} - {None}
    assert pcc == {row[key] for row in rows for key in ("progressivo_registrazione", "second_progressivo")} - {None}


def test_truth_is_written_where_asked(provider: tuple[Path, Truth], tmp_path: Path) -> None:
    provider[1].write(tmp_path / "truth")
    assert {path.stem for path in (tmp_path / "truth").iterdir()} == {ente.code for ente in provider[1].enti}


def test_italian_ente_writes_windows_1252_and_bad_rows(provider: tuple[Path, Truth]) -> None:
    inbox, truth = provider
    text = (inbox / "valdossola/erp_invoices/erp_invoices.csv").read_bytes().decode("cp1252")
    assert "31/02/2025" in text
    assert truth.bad_rows == {"valdossola": 5}


def test_fatturapa_files_are_well_formed(provider: tuple[Path, Truth]) -> None:
    inbox, truth = provider
    files = list(inbox.rglob("sdi_invoices/IT*.xml"))
    assert files
    for path in files:
        root = etree.parse(path).getroot()
        assert root.findtext(".//TipoDocumento")
    assert sum(truth.sdi_files.values()) > len(files)


def test_staging_has_the_feeds_schemas_and_the_same_rows(tmp_path: Path) -> None:
    counts = write_staging(tmp_path / "staging", 500, 3)
    write_provider(tmp_path / "inbox", enti=1, documents=500, seed=3, sdi_share=0, bad_rows=False)
    for kind, count in counts.items():
        table = pq.read_table(tmp_path / "staging" / kind / "synthetic.parquet")
        assert table.num_rows == count
        wanted = FEEDS[kind].arrow_schema
        assert table.schema.names == wanted.names
        assert table.schema.types == wanted.types
        assert len(set(table["line"].to_pylist())) == count
        for column in FEEDS[kind].columns:
            assert not column.required or table[column.name].null_count == 0
            if column.allowed:
                assert set(table[column.name].to_pylist()) <= {*column.allowed, None}
        with (tmp_path / f"inbox/montefiore/{kind}/{kind}.csv").open(encoding="utf-8") as file:
            assert sum(1 for _ in file) == count + 1


def test_answers_in_xml_are_the_rows_of_the_csv(provider: tuple[Path, Truth], tmp_path: Path) -> None:
    inbox, truth = provider
    number, ente = next((n, made) for n, made in enumerate(truth.enti) if n % 5 == answers.PLACE)
    with zipfile.ZipFile(inbox / ente.code / "pcc_invoices/statoContabileFattura.zip") as archive:
        texts = [archive.read(name).decode() for name in archive.namelist()]
    read = [row for text in texts for row in opi_flows.rows(tmp_path, text, "pcc_invoices")]
    with synthesis(ente, number, truth.size) as connection:
        made = {name for name, *_ in connection.execute("describe pcc_invoices").fetchall()} - {
            "movimenti",
            "causale_sospensione",
        }
        names = [name for name in FEEDS["pcc_invoices"].column_names[3:] if name in made]
        rows = connection.execute(f"select {', '.join(names)} from pcc_invoices order by line").fetchall()
        moved = connection.execute("select count(*) from pcc_operations where azione = 'CO'").fetchall()
    assert [tuple(row[name] for name in names) for row in read] == rows
    assert [(sum(len(row["movimenti"] or ()) for row in read),)] == moved

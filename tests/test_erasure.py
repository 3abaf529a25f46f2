"""Erasing one ente of three: nothing of it is left anywhere, and the others are as they were, to the byte."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from assets.run import run_headless
from pcc_pipeline.cli import app
from pcc_pipeline.database import embedded
from pcc_pipeline.database.engine import dagster_url, dispose, engine
from pcc_pipeline.database.export import export
from pcc_pipeline.database.register import Register
from pcc_pipeline.demo import write_provider
from pcc_pipeline.enti.facts import ente_facts
from pcc_pipeline.enti.receipts import verified
from pcc_pipeline.installation import Installation
from pcc_pipeline.runs import pipeline
from pcc_pipeline.service.erasure import ErasureError, due_enti, erase
from pcc_pipeline.service.erasure import procedure as module
from pcc_pipeline.service.erasure.rewrite import table_without
from pcc_pipeline.service.erasure.traces import Traces
from pcc_pipeline.settings import Settings
from pcc_pipeline.store import Store
from pcc_pipeline.tables import PROVIDER_TABLES, TABLES

D, O = date(2025, 12, 31), date(2026, 1, 20)  # noqa: E741
GONE, OTHERS = "montefiore", ("valdossola", "asl_terreadda")
NAMES = (b"montefiore", b"Montefiore sul Lario", b"T-MON000")


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """Three enti processed in one run, one of them alone once more, in an installation with its own server."""
    from tempfile import TemporaryDirectory

    with TemporaryDirectory(prefix="pcc-test-") as folder:
        made = Settings.at(Path(folder), memory_limit="1GiB")
        write_provider(made.inbox, enti=3, documents=20, seed=3, reference_date=D, observed_at=O)
        installation = Installation(made)
        pipeline.read_provider(installation, drain=False)
        assert run_headless(installation, [GONE, *OTHERS], D, O, inbox=made.inbox)
        assert run_headless(installation, [GONE], D, O, inbox=made.inbox)
        (made.home / "backups").mkdir()
        (made.home / "backups" / "pcc.dump").write_bytes(b"PGDMP montefiore")
        (made.home / "alerts.log").write_text("1 montefiore: prova\n2 valdossola: prova\n")
        (made.home / "sources.yaml").write_text("montefiore: {url: 'sqlite://'}\nvaldossola: {url: 'sqlite://'}\n")
        yield made
        dispose(made)
        embedded.release(made.home)
        embedded.stop(made.home)


def dumps(settings: Settings) -> dict[str, Any]:
    """All that readers and the store have of the others, and Dagster's events of theirs."""
    found: dict[str, Any] = {}
    for ente in OTHERS:
        for name, table in TABLES.items():
            if table.published and name not in PROVIDER_TABLES:
                out = io.BytesIO()
                export(engine(settings), name, ente, "-", out)
                found[f"{ente} {name}"] = out.getvalue()
        found[f"{ente} register"] = Register(engine(settings)).deliveries(ente).to_pylist()
    store = Store(settings.store_url)
    for name in store.list():
        if set(name.split("/")) & set(OTHERS):
            with store.open(name) as file:
                found[name] = file.read()
    dagster = sa.create_engine(dagster_url(settings), poolclass=sa.NullPool)
    with dagster.connect() as connection:
        query = sa.text("select event from event_logs where partition = any(:enti) order by id")
        found["events"] = connection.execute(query, {"enti": list(OTHERS)}).scalars().all()
    return found


def files_that_hold(settings: Settings) -> list[str]:
    """A scan of its own, over every byte under PCC_HOME."""
    return [
        str(path) for path in settings.home.rglob("*") if path.is_file() and any(name in path.read_bytes() for name in NAMES)
    ]


def test_one_of_three_goes_without_a_trace_even_after_a_crash(
    installation: Installation, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = dumps(settings)
    assert len(before) > 40 and before["events"]
    assert files_that_hold(settings)

    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(module.databases, "erase_dagster", crash)
        with pytest.raises(KeyboardInterrupt):
            erase(installation, GONE, date(2026, 3, 2))
    assert due_enti(installation, date(2026, 3, 2)) == ["fontechiara", GONE]
    receipt = erase(installation, GONE, date(2026, 3, 2))
    assert dumps(settings) == before
    assert verified(receipt) and not verified({**receipt, "erased_at": "2020-01-01"})
    assert GONE not in json.dumps(receipt) and receipt["what"]["store"]["files"] > 20
    assert erase(installation, GONE, date(2026, 3, 2)) == receipt, "a second erasure finds nothing to do"
    dispose(settings)
    embedded.stop(settings.home)
    assert files_that_hold(settings) == []
    facts = ente_facts(installation, GONE)
    assert facts.refusal and receipt["receipt"] in facts.refusal
    assert not run_headless(installation, [GONE], D, O, inbox=settings.inbox)
    assert (settings.home / "alerts.log").read_text() == "2 valdossola: prova\n"
    assert "valdossola" in (settings.home / "sources.yaml").read_text()


def test_what_is_not_due_is_not_erased_when_nobody_is_there_to_ask(settings: Settings) -> None:
    before = dumps(settings)
    done = CliRunner().invoke(app, ["erase", "--ente", OTHERS[0]], env=settings.environment())
    assert done.exit_code == 1 and "--yes" in done.output
    assert dumps(settings) == before


def test_a_run_under_way_is_waited_for(installation: Installation, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(*_: object) -> None:
        raise ErasureError("1 runs of this ente are under way")

    monkeypatch.setattr(module, "_under_way", busy)
    with pytest.raises(ErasureError):
        erase(installation, OTHERS[0], date(2026, 3, 2))


def test_rows_of_others_stay_as_written() -> None:
    traces = Traces("alfa", ["Comune di Alfa"], ["1", "2"])
    tickets = b'\xef\xbb\xbfid;ente;oggetto\r\n1;alfa;"a\r\nb"\r\n3;beta;"x;y"\r\n4;alfa2;z'
    done = table_without(tickets, traces)
    assert (done.data, done.removed, done.left) == (b'\xef\xbb\xbfid;ente;oggetto\r\n3;beta;"x;y"\r\n4;alfa2;z', 1, 2)
    ratings = b"id_ticket,giudizio\n1,POSITIVO\n11,NEUTRO\n"
    assert table_without(ratings, traces).data == b"id_ticket,giudizio\n11,NEUTRO\n"
    enti = "ente;denominazione\nbeta;Città Nuova\ngamma;Unione con Comune di Alfa\n".encode("cp1252")
    assert table_without(enti, traces).data == "ente;denominazione\nbeta;Città Nuova\n".encode("cp1252")

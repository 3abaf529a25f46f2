"""From deliveries to published tables: what must hold however often, in parallel or interrupted it runs.

Most tests take the steps one by one (landing, staging, models, publication), since Dagster adds nothing to
what they ask; those about a whole run go through the command line. Amounts are not judged here: see
`test_golden` and `test_models_oracle`.
"""

from __future__ import annotations

import csv
import io
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import date
from hashlib import sha256
from os import environ
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa
from conftest import TEMPLATE

from pcc_pipeline.arrival.landing import land
from pcc_pipeline.arrival.quarantine import write_quarantine
from pcc_pipeline.arrival.staging import stage
from pcc_pipeline.calculator import prepare
from pcc_pipeline.database.engine import create_database, dispose, engine
from pcc_pipeline.database.export import export
from pcc_pipeline.database.publish import Publication, current, publish
from pcc_pipeline.database.register import Register
from pcc_pipeline.demo import Truth, write_provider
from pcc_pipeline.formats.tabular.layouts import layouts
from pcc_pipeline.installation import Installation
from pcc_pipeline.runs import pipeline
from pcc_pipeline.runs.inputs import inputs
from pcc_pipeline.settings import Settings
from pcc_pipeline.store import Store
from pcc_pipeline.tables import TABLES

D, O = date(2025, 12, 31), date(2026, 1, 20)  # noqa: E741 - the rules' own letters
DATES = ("--reference-date", D.isoformat(), "--observed-at", O.isoformat())
LAYOUTS = {"valdossola": layouts()["finanza_enti_5"]}  # as the demo's register says
PUBLISHED = sorted(name for name, table in TABLES.items() if table.published)

Tables = dict[str, list[dict[str, str]]]


class Provider(NamedTuple):
    inbox: Path
    truth: Truth
    enti: list[str]


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Provider:
    """Two enti; the second delivers bad rows too."""
    inbox = tmp_path_factory.mktemp("provider") / "inbox"
    truth = write_provider(inbox, enti=2, documents=200, seed=11, reference_date=D, observed_at=O)
    return Provider(inbox, truth, [ente.code for ente in truth.enti])


def empty(server: sa.URL, home: Path) -> Settings:
    """An empty installation; its database goes with the test server."""
    name = f"test_{uuid4().hex[:12]}"
    create_database(server, name, TEMPLATE)
    url = server.set(database=name).render_as_string(hide_password=False)
    return Settings.at(home / name, database_url=url, memory_limit="1GiB")


@pytest.fixture
def another(server: sa.URL, tmp_path: Path) -> Iterator[Callable[[], Settings]]:
    """Makes empty installations on the test server."""
    made: list[Settings] = []

    def make() -> Settings:
        made.append(empty(server, tmp_path))
        return made[-1]

    yield make
    for settings in made:
        dispose(settings)


@pytest.fixture(scope="module")
def undisturbed(server: sa.URL, provider: Provider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """An installation where each ente was processed once, one after the other."""
    settings = empty(server, tmp_path_factory.mktemp("undisturbed"))
    for ente in provider.enti:
        process(settings, ente, provider.inbox)
    yield settings
    dispose(settings)


def process(settings: Settings, ente: str, inbox: Path) -> None:
    """The steps of a run for one ente, without Dagster and without checks."""
    installation = Installation(settings)
    connected, store = engine(settings), Store(settings.store_url)
    register = Register(connected)
    land(installation, inbox, ente)
    stage(installation, ente, layout=LAYOUTS.get(ente))
    with register.lock(ente):
        installation.calculator.run_inputs(inputs(installation, ente, D, O))
        write_quarantine(installation, ente)
        publish(
            connected,
            ente,
            pipeline.published_sources(store, ente),
            Publication(D, O),
            lambda connection: prepare(connection, store),
        )


def tables(settings: Settings, ente: str) -> Tables:
    """Every published table as exported, sorted; moments and numbers of arrival left out, which no two runs share."""
    found: Tables = {}
    for name in PUBLISHED:
        moments = {c.name for c in TABLES[name].columns if c.type == "timestamp" or c.name.endswith("row_id")}
        out = io.BytesIO()
        export(engine(settings), name, ente, "-", out)
        reader = csv.DictReader(io.StringIO(out.getvalue().decode()))
        rows = [{k: v for k, v in row.items() if k not in moments} for row in reader]
        found[name] = sorted(rows, key=lambda row: tuple(row.values()))
    return found


def child(settings: Settings, code: str, *arguments: str) -> subprocess.Popen[str]:
    """Another process of the installation that runs `code`, in which `process` is known."""
    here = f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
    return subprocess.Popen(
        [sys.executable, "-c", here + code, *arguments],
        env={**environ, **settings.environment(), "DAGSTER_DISABLE_TELEMETRY": "yes"},
        cwd=Path(__file__).parents[1],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def pcc(settings: Settings, *arguments: str, before: str = "") -> tuple[int, str, str]:
    """Runs the command line in another process, after the Python `before`; exit code, output, messages."""
    code = before + "\nfrom pcc_pipeline.cli import app\napp()"
    running = child(settings, code, *arguments)
    out, err = running.communicate(timeout=240)
    return running.returncode, out, err


PROCESS = """
from pathlib import Path
from pcc_pipeline.settings import Settings
from test_end_to_end import process
process(Settings.from_environment(), sys.argv[1], Path(sys.argv[2]))
"""

#: Kills its own process, as if the power failed, when a function is called for the nth time: before or after
#: it has done its work.
KILL = """
import importlib, os, signal
def kill(module, owner, name, times, after):
    place = importlib.import_module(module)
    for part in filter(None, owner.split(".")):
        place = getattr(place, part)
    real, calls = getattr(place, name), []
    def wrapped(*given, **named):
        calls.append(1)
        if len(calls) == times and not after:
            os.kill(os.getpid(), signal.SIGKILL)
        done = real(*given, **named)
        if len(calls) == times:
            os.kill(os.getpid(), signal.SIGKILL)
        return done
    setattr(place, name, wrapped)
"""

KILLED = {
    "bytes kept, not registered": ("pcc_pipeline.database.register", "Register", "add", 1, False),
    "a part half written": ("pcc_pipeline.arrival.staging", "ParquetSink", "_write", 2, True),
    "half the models": ("pcc_pipeline.calculator.small", "InMemory", "run", 6, True),
    "half the publication": ("pcc_pipeline.database.publish", "", "copy_in", 4, True),
}


def test_running_twice_gives_the_same_tables(undisturbed: Settings, provider: Provider) -> None:
    ente = provider.enti[1]
    first = tables(undisturbed, ente)
    assert first["debt_positions"] and first["anomalies"] and first["quarantine"]
    process(undisturbed, ente, provider.inbox)
    assert tables(undisturbed, ente) == first


@pytest.mark.slow
def test_processes_in_parallel_give_the_tables_of_one_after_the_other(
    undisturbed: Settings, another: Callable[[], Settings], provider: Provider
) -> None:
    """Two enti at once, and the first of them by two processes at once."""
    parallel = another()
    running = [child(parallel, PROCESS, ente, str(provider.inbox)) for ente in (*provider.enti, provider.enti[0])]
    for one in running:
        _, err = one.communicate(timeout=120)
        assert one.returncode == 0, err
    for ente in provider.enti:
        assert tables(parallel, ente) == tables(undisturbed, ente)


@pytest.mark.slow
def test_killed_anywhere_and_started_again_gives_the_same_tables(
    undisturbed: Settings, another: Callable[[], Settings], provider: Provider
) -> None:
    ente = provider.enti[0]
    expected = tables(undisturbed, ente)
    interrupted = {where: another() for where in KILLED}
    running = {
        where: child(
            interrupted[where],
            f"{KILL}\nkill(*{point!r})\n{PROCESS}",
            ente,
            str(provider.inbox),
        )
        for where, point in KILLED.items()
    }
    for where, killed in running.items():
        _, err = killed.communicate(timeout=120)
        assert killed.returncode == -signal.SIGKILL, (where, err)
        assert current(engine(interrupted[where]), ente) is None, where
        process(interrupted[where], ente, provider.inbox)
        assert tables(interrupted[where], ente) == expected, where


def test_bad_rows_are_quarantined_and_the_others_counted(undisturbed: Settings, provider: Provider) -> None:
    ente = provider.enti[1]
    found = tables(undisturbed, ente)
    refused = {(row["file"], row["line"]) for row in found["quarantine"]}
    assert len(refused) == provider.truth.bad_rows[ente]
    for row in found["quarantine"]:
        assert row["ente"] == ente and row["line"] and row["reason"], row
    told = {(row["field"], row["value"]) for row in found["quarantine"]}
    assert told >= {("data_emissione", "31/02/2025"), ("importo_totale", "cento euro"), ("stato", "IGNOTO")}
    good = {row["id_documento"] for row in found["debt_positions"]}
    assert good and not {name for name in good if name.startswith("GUASTO")}


def test_a_file_that_nothing_can_read_is_kept_with_its_reason(
    settings: Settings, store: Store, provider: Provider, tmp_path: Path
) -> None:
    ente = provider.enti[0]
    inbox = tmp_path / "broken"
    shutil.copytree(provider.inbox / ente, inbox / ente)
    broken = {
        ("erp_invoices", "estratto.xlsx"): b"PK\x03\x04 no workbook",
        ("pcc_invoices", "download.zip"): b"PK\x03\x04 no archive",
        ("sdi_invoices", "IT01234567890_00001.xml"): b"<FatturaElettronica><half",
        ("erp_payments", "altro.csv"): b"una;intestazione;sconosciuta\n1;2;3\n",
    }
    for (kind, name), content in broken.items():
        (inbox / ente / kind / name).write_bytes(content)
    process(settings, ente, inbox)
    # An XML file that breaks off is told with the line where it does.
    whole = {row["file"]: row for row in tables(settings, ente)["quarantine"]}
    assert set(whole) == {name for _, name in broken}
    known = Register(engine(settings)).deliveries(ente).to_pylist()
    for (kind, name), content in broken.items():
        assert whole[name]["kind"] == kind and whole[name]["reason"]
        (delivery,) = [row for row in known if row["file"] == name]
        assert not delivery["rows"] and (delivery["status"] == "refused") == (not whole[name]["line"])
        with store.open(store.landing(ente, delivery["sha256"])) as kept:
            assert kept.read() == content


def test_enti_with_the_same_bytes_keep_separate_rows(
    undisturbed: Settings, another: Callable[[], Settings], provider: Provider, tmp_path: Path
) -> None:
    inbox = tmp_path / "twins"
    for twin in ("primo", "secondo"):
        shutil.copytree(provider.inbox / provider.enti[0], inbox / twin)
    settings = another()
    for twin in ("primo", "secondo"):
        process(settings, twin, inbox)
    first, second = tables(settings, "primo"), tables(settings, "secondo")
    for name in PUBLISHED:
        assert {row["ente"] for row in first[name]} <= {"primo"}
        assert {row["ente"] for row in second[name]} <= {"secondo"}
        assert len(first[name]) == len(second[name]) == len(tables(undisturbed, provider.enti[0])[name])
    # What is delivered to one alone changes nothing of the other.
    (inbox / "primo" / "open_list" / "altra.csv").write_text("piva_fornitore;numero;importo\n01234567897;;x\n")
    process(settings, "primo", inbox)
    assert tables(settings, "secondo") == second
    assert tables(settings, "primo")["quarantine"] != first["quarantine"]


def test_every_file_of_the_corpus_has_an_outcome(corpus: list[Path], settings: Settings, tmp_path: Path) -> None:
    inbox = tmp_path / "corpus"
    folder = inbox / "beta" / "sdi_invoices"
    folder.mkdir(parents=True)
    for number, path in enumerate(corpus):
        shutil.copyfile(path, folder / f"{number:03}-{path.name}")
    process(settings, "beta", inbox)
    store, register = Store(settings.store_url), Register(engine(settings))
    known = register.deliveries("beta").to_pylist()
    assert {row["sha256"] for row in known} == {sha256(path.read_bytes()).hexdigest() for path in corpus}
    first = tables(settings, "beta")
    quarantined = {row["delivery"] for row in first["quarantine"]}
    accepted = sum(row["rows"] for row in known)
    for row in known:
        assert row["status"] in ("staged", "refused") and (row["rows"] or row["delivery"] in quarantined), row
    parts = {row["part"] for row in known if row["rows"]}
    found = [pq.read_table(store.uri(f"staging/beta/sdi_invoices/{part}.parquet")) for part in parts]
    assert sum(table.num_rows for table in found) == accepted > 0
    # All of them a second time, under other names.
    for path in list(folder.iterdir()):
        shutil.copyfile(path, folder / f"again-{path.name}")
    process(settings, "beta", inbox)
    assert register.deliveries("beta").to_pylist() == known
    assert tables(settings, "beta") == first


BREAK_STOCK = """
from pcc_pipeline.calculator.small import InMemory
real = InMemory.run
def broken(self, plan, name):
    done = real(self, plan, name)
    if name == "stock" and plan.output == f"models/{ENTE}":
        self.beside().execute(f"update {self.table(name)} set amount = amount + 1")
    return done
InMemory.run = broken
"""


def test_a_failing_blocking_check_leaves_readers_the_previous_state(
    another: Callable[[], Settings], provider: Provider
) -> None:
    """The stock is broken between models and checks."""
    broken = provider.enti[0]
    settings = another()
    process(settings, broken, provider.inbox)
    before, published = tables(settings, broken), current(engine(settings), broken)
    run = ("run", "--inbox", str(provider.inbox), "--ente", broken, *DATES)
    code, _, err = pcc(settings, *run, before=f"ENTE = {broken!r}\n{BREAK_STOCK}")
    assert code == 1, err
    assert "stock_parts_sum" in err and broken in err
    assert tables(settings, broken) == before and current(engine(settings), broken) == published


@pytest.mark.slow
def test_killed_run_of_enti_unknown_and_deactivated_on_a_remote_database(
    undisturbed: Settings, another: Callable[[], Settings], provider: Provider, tmp_path: Path
) -> None:
    """Through the command line and PCC_DATABASE_URL alone: a run killed half way, then run again.

    One ente is in no register of enti, which only deserves a warning; one was deactivated and is refused.
    """
    unknown, deactivated = provider.enti
    inbox = tmp_path / "inbox"
    shutil.copytree(provider.inbox / unknown, inbox / unknown)
    shutil.copytree(provider.inbox / deactivated, inbox / deactivated)
    (inbox / "_provider" / "enti").mkdir(parents=True)
    (inbox / "_provider" / "enti" / "enti.csv").write_text(
        f"ente;denominazione;cf;pec_disattivazione_il\n{deactivated};Comune di Prova;01234567897;2025-01-31\n"
    )
    settings = another()
    run = ("run", "--inbox", str(inbox), *DATES)
    point = ("pcc_pipeline.calculator.small", "InMemory", "run", 6, True)
    code, _, err = pcc(settings, *run, before=f"{KILL}\nkill(*{point!r})")
    assert code == -signal.SIGKILL, err
    assert current(engine(settings), unknown) is None
    code, _, err = pcc(settings, *run)
    assert code == 1, err
    words = " ".join(err.split())
    assert f"{unknown} is not in the provider's register" in words
    assert f"{deactivated} is deactivated: the PEC was sent on 2025-01-31" in words
    assert current(engine(settings), deactivated) is None
    kinds = {row["kind"] for row in Register(engine(settings)).deliveries(deactivated).to_pylist()}
    assert not kinds, "a deactivated ente's files are left where they are"
    assert tables(settings, unknown) == tables(undisturbed, unknown)
    assert not (settings.home / "postgres").exists(), "a remote database needs no embedded one"
    code, out, err = pcc(settings, "export", "stock", "--ente", unknown)
    assert code == 0, err
    assert list(csv.DictReader(io.StringIO(out))) == tables(settings, unknown)["stock"]

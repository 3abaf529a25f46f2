"""An accounting system read by remote connection: a real PostgreSQL and a real SQLite file play the ERP.

What a reading must give: only what changed, late changes too, nothing twice, nothing written, and a reason for
whatever was not read. Not here: how the delivered bytes become rows (test_tabular).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa
import yaml
from sqlalchemy.exc import DBAPIError

from pcc_pipeline.arrival.landing import PROVIDER, land
from pcc_pipeline.arrival.staging import stage
from pcc_pipeline.connector import reading
from pcc_pipeline.connector.connect import ConnectReport, connect
from pcc_pipeline.connector.permission import latest_release, refusals
from pcc_pipeline.connector.queries import QueryError, check_select, parse_queries, queries_of
from pcc_pipeline.connector.reading import opened, passing
from pcc_pipeline.connector.sources import SourceError, load_sources
from pcc_pipeline.database.engine import create_database, engine
from pcc_pipeline.database.register import Register
from pcc_pipeline.database.schema import table
from pcc_pipeline.enti.facts import EnteFacts, ente_facts
from pcc_pipeline.formats.tabular.layouts.load import layouts
from pcc_pipeline.installation import Installation
from pcc_pipeline.settings import Settings

NOW = datetime.now().replace(microsecond=0)  # noqa: DTZ005 - as an ERP writes it
ENTI_HEADER = "ente;denominazione;cf;gestionale;versione_gestionale;autorizzazione_remota;credenziali"
TABLES = """
create table erp_invoices (
    id_documento varchar(20) primary key, tipo_documento varchar(10), cf_fornitore varchar(16), piva_fornitore varchar(11),
    denominazione_fornitore varchar(80), numero varchar(20), data_emissione date, data_ricezione date, protocollo varchar(20),
    lotto_sdi varchar(20), id_pcc varchar(20), importo_totale numeric(14, 2), imponibile numeric(14, 2), iva numeric(14, 2),
    split_payment char(1), data_scadenza date, codice_ufficio varchar(6), cig varchar(10), cup varchar(15),
    natura_spesa char(2), capitolo varchar(10), impegno varchar(20), stato varchar(20), causale varchar(20),
    data_sospensione date, importo_sospeso numeric(14, 2), importo_non_liquidabile numeric(14, 2), commerciale char(1),
    modificato_il timestamp);
create table erp_payments (
    id_documento varchar(20), numero_mandato varchar(20), data_mandato date, data_pagamento date, importo numeric(14, 2),
    cf_beneficiario varchar(16), storno char(1), modificato_il timestamp)
"""


class Erp:
    """A database playing an accounting system."""

    def __init__(self, url: sa.URL) -> None:
        self.url = url
        self.engine = sa.create_engine(url, poolclass=sa.NullPool)
        self.run(*TABLES.split(";"))

    def run(self, *statements: str, **values: Any) -> None:
        with self.engine.begin() as connection:
            for statement in statements:
                connection.execute(sa.text(statement), values)

    def invoice(self, key: str, total: str = "122.00", *, changed: timedelta = timedelta()) -> None:
        """Writes a document, changed so long ago; one there already is replaced."""
        self.run("delete from erp_invoices where id_documento = :key", key=key)
        self.run(
            "insert into erp_invoices (id_documento, tipo_documento, piva_fornitore, numero, data_emissione, importo_totale,"
            " split_payment, stato, modificato_il)"
            " values (:key, 'TD01', '00743110157', :key, '2025-03-04', :total, 'S', 'LIQUIDATA', :changed)",
            key=key,
            total=total,
            changed=str(NOW - changed),
        )

    def payment(self, key: str, mandate: str, amount: str, *, changed: timedelta = timedelta()) -> None:
        self.run(
            "insert into erp_payments (id_documento, numero_mandato, data_pagamento, importo, storno, modificato_il)"
            " values (:key, :mandate, '2025-05-06', :amount, 'N', :changed)",
            key=key,
            mandate=mandate,
            amount=amount,
            changed=str(NOW - changed),
        )


@pytest.fixture(params=["postgresql", "sqlite"])
def erp(request: pytest.FixtureRequest, server: sa.URL, tmp_path: Path) -> Iterator[Erp]:
    if request.param == "sqlite":
        yield Erp(sa.URL.create("sqlite", database=str(tmp_path / "erp.sqlite")))
    else:
        yield from _postgres(server)


@pytest.fixture
def postgres(server: sa.URL) -> Iterator[Erp]:
    yield from _postgres(server)


def _postgres(server: sa.URL) -> Iterator[Erp]:
    name = f"erp_{uuid4().hex[:12]}"
    create_database(server, name)
    yield Erp(server.set(database=name))
    admin = sa.create_engine(server, poolclass=sa.NullPool, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(sa.text(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))


@pytest.fixture
def register(settings: Settings) -> Register:
    return Register(engine(settings))


class Connection:
    """An ente allowed to be read, its connection configured by a file that holds the URL."""

    def __init__(self, installation: Installation) -> None:
        self.installation = installation
        self.settings, self.store, self.register = installation.settings, installation.store, installation.register
        self.enti("alfa;Comune di Alfa;00000000001;Libro Mastro PA;5.4;S;S")

    def enti(self, *rows: str) -> None:
        folder = self.settings.inbox / PROVIDER / "enti"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "enti.csv").write_text("\n".join([ENTI_HEADER, *rows]) + "\n")
        land(self.installation, ente=PROVIDER, drain=True)
        stage(self.installation, PROVIDER)

    def to(self, url: sa.URL | str, **more: Any) -> None:
        text = url if isinstance(url, str) else url.render_as_string(hide_password=False)
        self.settings.home.mkdir(parents=True, exist_ok=True)
        (self.settings.home / "alfa.url").write_text(text)
        queries = {"product": "standard", "queries": {k: q.__dict__ | {} for k, q in queries_of(None).items()}}
        for query in queries["queries"].values():
            query.pop("kind")
            if query["start"] is None:
                query.pop("start")
        (self.settings.home / "queries.yaml").write_text(yaml.safe_dump(queries))
        entry = {"url_file": "alfa.url", "queries": "queries.yaml", **more}
        (self.settings.home / "erp_sources.yaml").write_text(yaml.safe_dump({"alfa": entry}))

    def read(self) -> ConnectReport:
        return connect(self.installation, load_sources(self.settings, {})["alfa"], wait=0.01)

    def rows(self, kind: str) -> list[list[tuple[Any, ...]]]:
        """The staged rows (key and amount) of the ente's deliveries of a kind, delivery by delivery."""
        stage(self.installation, "alfa")
        amount = "importo_totale" if kind == "erp_invoices" else "importo"
        found = []
        for row in self.register.deliveries("alfa").to_pylist():
            if row["kind"] == kind:
                assert (row["status"], row["refused"]) == ("staged", 0), row
                with self.store.open(f"staging/alfa/{kind}/{row['part']}.parquet") as file:
                    read = pq.read_table(file, columns=["id_documento", amount])
                found.append(sorted((key, str(value)) for key, value in zip(*read.to_pydict().values(), strict=True)))
        return found


@pytest.fixture
def alfa(installation: Installation) -> Connection:
    return Connection(installation)


def test_reads_all_then_only_what_changed_and_nothing_twice(erp: Erp, alfa: Connection) -> None:
    alfa.to(erp.url)
    for n in range(1, 4):
        erp.invoice(f"D{n}", f"{n}22.50", changed=timedelta(days=40 - n))  # the last 37 days ago
    erp.payment("D1", "7", "100.00", changed=timedelta(days=30))
    first = alfa.read()
    assert (first.outcome, [(k.kind, k.rows, k.unseen) for k in first.kinds]) == (
        "new",
        [("erp_invoices", 3, 3), ("erp_payments", 1, 1)],
    )
    assert alfa.rows("erp_invoices") == [[("D1", "122.50"), ("D2", "222.50"), ("D3", "322.50")]]
    assert alfa.rows("erp_payments") == [[("D1", "100.00")]]
    again = alfa.read()
    assert (again.outcome, [k.delivery for k in again.kinds]) == ("unchanged", [None, None])
    # What the re-read window holds (three days before the last watermark) was asked for again, the rest was not.
    assert [k.rows for k in again.kinds] == [3, 1]
    erp.invoice("D9", "9.99", changed=timedelta(days=1))
    assert [k.unseen for k in alfa.read().kinds] == [1, 0]
    assert alfa.read().outcome == "unchanged"
    assert ("D9", "9.99") in alfa.rows("erp_invoices")[1]
    assert alfa.read().kinds[0].rows == 1  # the watermark went on


def test_a_late_change_inside_the_window_is_seen_and_one_before_it_is_not(erp: Erp, alfa: Connection) -> None:
    alfa.to(erp.url)
    erp.invoice("NEWEST", changed=timedelta(days=1))
    assert alfa.read().outcome == "new"
    erp.invoice("LATE", changed=timedelta(days=3))  # committed after, stamped before the watermark
    erp.invoice("TOO_LATE", changed=timedelta(days=5))
    found = alfa.read()
    assert (found.outcome, found.kinds[0].unseen) == ("new", 1)
    assert [key for key, _ in alfa.rows("erp_invoices")[1]] == ["LATE", "NEWEST"]


def test_a_payment_order_that_changed_comes_whole(erp: Erp, alfa: Connection) -> None:
    alfa.to(erp.url)
    erp.payment("D1", "7", "60.00", changed=timedelta(days=90))
    erp.payment("D2", "8", "10.00", changed=timedelta(days=20))
    alfa.read()
    erp.payment("D1", "7", "40.00")
    assert alfa.read().outcome == "new"
    # With all that the window held, so that what superseded what needs no guess.
    assert alfa.rows("erp_payments")[1] == [("D1", "40.00"), ("D1", "60.00"), ("D2", "10.00")]


def test_a_row_that_disappears_from_the_window_is_told(erp: Erp, alfa: Connection) -> None:
    alfa.to(erp.url)
    erp.payment("D1", "7", "60.00")
    erp.payment("D1", "7", "40.00")
    alfa.read()
    erp.run("delete from erp_payments where importo = 40")
    found = alfa.read()
    assert (found.kinds[1].gone, found.outcome) == (1, "new")
    assert alfa.rows("erp_payments")[1] == [("D1", "60.00")]


def test_a_clock_in_the_future_does_not_stop_the_readings(erp: Erp, alfa: Connection) -> None:
    alfa.to(erp.url)
    erp.invoice("FUTURE", changed=timedelta(days=-4000))
    alfa.read()
    erp.invoice("NEXT")
    assert [k.unseen for k in alfa.read().kinds] == [1, 0]
    assert alfa.read().outcome == "unchanged"


def test_deliveries_tell_their_origin_and_keep_their_bytes(erp: Erp, alfa: Connection) -> None:
    alfa.to(erp.url)
    erp.invoice("D1")
    alfa.read()
    (delivery,) = alfa.register.deliveries("alfa").to_pylist()
    assert delivery["source"].startswith(f"{erp.url.get_backend_name()}://")
    with alfa.store.open(alfa.store.landing("alfa", delivery["sha256"])) as file:
        header, row = file.read().decode().splitlines()
    assert header.startswith("id_documento;tipo_documento") and "modificato_il" not in header
    assert row.startswith("D1;TD01;")


def test_writing_is_impossible(erp: Erp) -> None:
    erp.invoice("D1")
    for statement in (
        "delete from erp_invoices",
        "insert into erp_payments (id_documento) values ('x')",
        "create table mine (a int)",
        "update erp_invoices set numero = 'x'",
    ):
        with opened(erp.url) as connection, pytest.raises(DBAPIError, match=r"(?i)read-?only"):
            # not streamed: PostgreSQL would refuse it as no query before looking at the right to write
            connection.execution_options(stream_results=False).execute(sa.text(statement))
    with erp.engine.connect() as connection:
        assert connection.execute(sa.text("select count(*) from erp_invoices")).scalar() == 1


def test_a_function_that_writes_fails_in_postgres(postgres: Erp, alfa: Connection) -> None:
    postgres.run(
        "create sequence counter",
        "create function sneak() returns int language sql as $$"
        " insert into erp_payments (id_documento) values ('x') returning 1 $$",
    )
    with opened(postgres.url) as connection, pytest.raises(DBAPIError, match="read-only"):
        connection.execute(sa.text("select sneak()"))


@pytest.mark.parametrize(
    "sql",
    [
        "delete from a", "update a set b = 1", "insert into a values (1)", "drop table a", "create table a as select 1",
        "select 1; drop table a", "select * into b from a", "select * from a for update", "pragma writable_schema = 1",
        "with gone as (delete from a returning *) select * from gone", "call f()", "copy a to '/tmp/x'", "vacuum", "",
        "explain analyze delete from a", "merge into a using b on true when matched then delete", "grant all on a to b",
        "select from where",
    ],
)  # fmt: skip
def test_only_one_select_is_sent(sql: str) -> None:
    for backend in ("postgresql", "sqlite"):
        with pytest.raises(QueryError):
            check_select(sql, backend)


def test_shipped_queries_are_selects_in_every_grammar() -> None:
    asked = [layout for layout in layouts().values() if layout.queries is not None]
    assert {layout.product for layout in asked} >= {"standard", "Libro Mastro PA"}
    for layout in asked:
        for query in queries_of(layout).values():
            for backend in ("postgresql", "sqlite", "mysql", "mssql", "oracle"):
                check_select(query.sql, backend)


def test_a_connection_lost_midway_is_read_again_from_the_start(
    postgres: Erp, alfa: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    alfa.to(postgres.url)
    postgres.run(
        "insert into erp_invoices (id_documento, tipo_documento, piva_fornitore, numero, data_emissione, importo_totale,"
        " stato, modificato_il) select 'D' || n, 'TD01', '00743110157', n, '2025-03-04', n, 'REGISTRATA', '2025-06-01'"
        " from generate_series(1, 30000) as n"
    )
    killed = []
    batches = reading._batch

    def kill_after_the_first(*given: Any) -> Any:
        if not killed:
            killed.append(True)
            with postgres.engine.begin() as connection:
                connection.execute(
                    sa.text(
                        "select pg_terminate_backend(pid) from pg_stat_activity"
                        " where datname = current_database() and pid <> pg_backend_pid()"
                    )
                )
        return batches(*given)

    monkeypatch.setattr(reading, "BATCH_ROWS", 1000)
    monkeypatch.setattr(reading, "_batch", kill_after_the_first)
    found = alfa.read()
    assert killed and found.outcome == "new", found.reason
    assert (found.kinds[0].rows, found.kinds[0].attempts) == (30000, 2)
    assert len(alfa.rows("erp_invoices")[0]) == 30000


def test_a_server_that_stays_away_is_told_and_the_watermark_stays(
    erp: Erp, alfa: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    alfa.to(erp.url)
    erp.invoice("D1")
    alfa.read()
    erp.invoice("D2")
    tried = []

    def refused(*_: Any, **__: Any) -> Any:
        tried.append(1)
        raise sa.exc.OperationalError("select", {}, Exception("server closed the connection unexpectedly"))

    with monkeypatch.context() as patch:
        patch.setattr(reading, "opened", refused)
        lost = alfa.read()
    assert (lost.outcome, len(tried)) == ("failed", reading.ATTEMPTS)
    assert "closed the connection" in (lost.reason or "")
    assert alfa.read().kinds[0].unseen == 1


def test_what_cannot_help_is_not_tried_again() -> None:
    def error(words: str) -> BaseException:
        return sa.exc.OperationalError("select", {}, Exception(words))

    assert passing(error("database is locked")) and passing(error("connection timed out"))
    for words in ("FATAL: password authentication failed for user", "no such table: fatture", 'database "x" does not exist'):
        assert not passing(error(words))
    assert not passing(ValueError("x"))


def test_a_crash_before_the_watermark_costs_only_reading_again(
    erp: Erp, alfa: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pcc_pipeline.connector import connect as module

    alfa.to(erp.url)
    erp.invoice("D1")
    with monkeypatch.context() as patch:
        patch.setattr(module, "_record", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            alfa.read()
    assert alfa.read().kinds[0].unseen == 1
    assert len(alfa.rows("erp_invoices")) == 1  # the same bytes are one delivery
    assert alfa.read().outcome == "unchanged"


ALLOWED = EnteFacts(True, "COMUNE", None, "Libro Mastro PA", "5.4", True, True)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({}, None),
        ({"versione_gestionale": "5.4.0"}, None),
        ({"versione_gestionale": "5.10"}, None),
        ({"versione_gestionale": "5.3"}, "Libro Mastro PA 5.3 is not the latest release: 5.4 since 2025-04-01"),
        ({"versione_gestionale": None}, "does not say which release"),
        ({"gestionale": "Ignoto"}, "no release of Ignoto is known"),
        ({"gestionale": None}, "does not say which accounting system"),
        ({"autorizzazione_remota": False}, "authorisation is not signed"),
        ({"credenziali": False}, "credentials were not given"),
        ({"refusal": "deactivated: the PEC was sent"}, "deactivated"),
        ({"known": False}, "not in the provider's register"),
    ],
)
def test_who_may_be_read(changes: dict[str, Any], reason: str | None) -> None:
    found = refusals(EnteFacts(**{**ALLOWED.__dict__, **changes}), date(2026, 1, 20))
    assert (found == []) if reason is None else (reason in "; ".join(found))


def test_releases_are_dated() -> None:
    for day, version in (("2025-02-28", "4.0"), ("2025-03-01", "4.3")):
        release = latest_release("contabilità civica", date.fromisoformat(day))
        assert release is not None and release.version == version
    assert latest_release("Contabilità Civica", date(2020, 1, 1)) is None


def test_a_refused_ente_is_registered_and_never_connected_to(alfa: Connection, tmp_path: Path) -> None:
    alfa.enti("alfa;Comune di Alfa;00000000001;Libro Mastro PA;5.4;N;S")
    alfa.to(f"sqlite:///{tmp_path / 'absent.sqlite'}")
    found = alfa.read()
    assert (found.outcome, found.source) == ("refused", "?")
    t = table("erp_reads")
    with alfa.register.engine.connect() as connection:
        told = connection.execute(sa.select(t.c.ente, t.c.outcome, t.c.reason)).one()
    assert told[:2] == ("alfa", "refused") and "not signed" in told[2]
    assert not (tmp_path / "absent.sqlite").exists()


def test_a_file_that_is_absent_is_not_made(alfa: Connection, tmp_path: Path) -> None:
    alfa.to(f"sqlite:///{tmp_path / 'absent.sqlite'}")
    assert alfa.read().outcome == "failed"
    assert not (tmp_path / "absent.sqlite").exists()


def test_a_query_that_does_not_fit_the_database_is_told(alfa: Connection, tmp_path: Path) -> None:
    sqlite3.connect(tmp_path / "empty.sqlite").execute("create table x (a)")
    alfa.to(f"sqlite:///{tmp_path / 'empty.sqlite'}")
    found = alfa.read()
    assert found.outcome == "failed" and "no such table" in (found.reason or "")


def _sources(settings: Settings, text: str) -> None:
    settings.home.mkdir(parents=True, exist_ok=True)
    (settings.home / "erp_sources.yaml").write_text(text)


def test_credentials_come_from_environment_or_file_only(settings: Settings) -> None:
    _sources(settings, "alfa: {url: 'postgresql+psycopg://lettore@erp/conti', password_env: ERP_ALFA}\n"
                       "beta: {url_env: ERP_BETA}\ngamma: {url: 'postgresql://u@h/d', password_file: secret}\n"
                       "delta: {url: 'postgresql://u:aperta@h/d'}\n")  # fmt: skip
    (settings.home / "secret").write_text("chiusa\n")
    found = load_sources(settings, {})
    given = {"ERP_ALFA": "p@ss:/w", "ERP_BETA": "sqlite:////x/y.sqlite"}
    assert found["alfa"].url(given).password == "p@ss:/w"
    assert found["beta"].url(given).database == "/x/y.sqlite"
    assert found["gamma"].url({}).password == "chiusa"
    with pytest.raises(SourceError, match="a password stands in the sources file"):
        found["delta"].url({})
    with pytest.raises(SourceError, match="ERP_ALFA is not set"):
        found["alfa"].url({})


@pytest.mark.parametrize(
    ("text", "reason"),
    [("alfa: {urls: x}", "unknown settings urls"), ("[1]", "one entry an ente"), ("alfa: 3", "not a list of settings"),
     ("alfa: {url: x, every_minutes: often}", "whole number of minutes"), (": :", "YAML")],
)  # fmt: skip
def test_a_wrong_sources_file_is_told(settings: Settings, text: str, reason: str) -> None:
    _sources(settings, text)
    with pytest.raises(SourceError, match=reason):
        load_sources(settings, {})


def test_no_sources_file_means_no_connections(settings: Settings) -> None:
    assert load_sources(settings, {}) == {}


def test_passwords_never_show(alfa: Connection, postgres: Erp) -> None:
    secret = "segretissima"
    alfa.to(postgres.url.set(username="nessuno", password=secret))
    found = alfa.read()
    assert found.outcome == "failed"
    t = table("erp_reads")
    with alfa.register.engine.connect() as connection:
        rows = connection.execute(sa.select(t)).all()
    assert secret not in f"{found} {rows}" and "nessuno" not in found.source


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ({"sql": "select 1", "watermark": "a"}, "go together"),
        ({"sql": "select 1 where a >= :watermark"}, "go together"),
        ({"sql": "select a where a >= :watermark", "watermark": "a", "type": "colour"}, "none of"),
        ({"sql": "select a where a >= :watermark", "watermark": "a", "window": -1}, "window"),
        ({"sql": "select a where a >= :watermark", "watermark": "a", "type": "date", "start": "ieri"}, "no date"),
        ({"query": "select 1"}, "no `sql`"),
        ({"sql": "select 1", "wiondow": 3}, "unknown settings wiondow"),
    ],
)
def test_wrong_queries_are_told(entry: dict[str, Any], reason: str) -> None:
    with pytest.raises(QueryError, match=reason):
        parse_queries({"erp_invoices": entry}, "x.yaml")


@pytest.mark.slow
def test_the_demo_database_reads_back_as_the_files_it_stands_for(alfa: Connection, tmp_path: Path) -> None:
    from pcc_pipeline.demo import write_provider
    from pcc_pipeline.demo.erp import FILE, read_erp

    place: dict[str, Any] = {"enti": 5, "documents": 120, "seed": 3, "reference_date": date(2025, 12, 31)}
    write_provider(tmp_path / "files", **place)
    write_provider(tmp_path / "remote", **place, erp_database=alfa.settings.home / FILE)
    assert not (tmp_path / "remote" / "valserena" / "erp_invoices").exists()
    report = read_erp(alfa.installation, tmp_path / "remote", "valserena")
    assert report.outcome == "new", report.reason
    staged: dict[tuple[bool, str, int], list[str]] = {}
    for source in (None, tmp_path / "files"):
        if source:
            land(alfa.installation, source, ente="valserena")
        stage(alfa.installation, "valserena", ente_facts(alfa.installation, "valserena").layout)
        for row in alfa.register.deliveries("valserena").to_pylist():
            if row["kind"] in ("erp_invoices", "erp_payments") and row["part"] and (row["source"] is None) == bool(source):
                assert row["refused"] == 0
                with alfa.store.open(f"staging/valserena/{row['kind']}/{row['part']}.parquet") as file:
                    # The files are in the product's own layout, which keys and types documents its own way.
                    columns = ["data_emissione", "importo_totale", "iva", "stato", "data_scadenza"]
                    paid = ["numero_mandato", "data_pagamento", "importo"]
                    read = pq.read_table(file, columns=paid if row["kind"] == "erp_payments" else columns)
                # The layout of its files takes amounts without their sign: a negative bill is told apart by the database alone.
                rows = [{name: abs(v) if isinstance(v, Decimal) else v for name, v in row.items()} for row in read.to_pylist()]
                staged.setdefault((bool(source), row["kind"], row["sequence"]), sorted(map(str, rows)))
    # The first delivery of each; files say later what is gone, a database does not have it.
    first = {(files, kind): rows for (files, kind, _), rows in sorted(staged.items(), reverse=True)}
    for kind in ("erp_invoices", "erp_payments"):
        assert first[True, kind] == first[False, kind]

"""The database: embedded server, schema and migrations, register, publication, export."""

from __future__ import annotations

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from pcc_pipeline.database import embedded, migrate
from pcc_pipeline.database.dagster_home import write_dagster_home
from pcc_pipeline.database.engine import dagster_url, engine, ente_lock
from pcc_pipeline.database.register import Arrived, Outcome, Register, Seen, delivery_id
from pcc_pipeline.database.schema import SCHEMA
from pcc_pipeline.settings import Settings

USE = """
import sys
from pathlib import Path
from pcc_pipeline.database import embedded, engine
from pcc_pipeline.settings import Settings
import sqlalchemy as sa
settings = Settings.at(Path(sys.argv[1]))
with engine.engine(settings).connect() as c:
    sys.stdout.write(str(c.execute(sa.text("select count(*) from pcc.deliveries")).scalar()))
if sys.argv[2:]:
    import os
    os._exit(1)
"""


def use(home: Path, *more: str) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", USE, str(home), *more], stdout=subprocess.PIPE, text=True)


def test_embedded_server_is_shared_by_processes_and_stopped_by_the_last(server_home: Path) -> None:
    home = server_home
    processes = [use(home) for _ in range(3)]
    assert [process.communicate()[0] for process in processes] == ["0", "0", "0"]
    assert not embedded.running(home)


def test_embedded_server_outlives_a_killed_user_and_is_stopped_by_the_next(server_home: Path) -> None:
    home = server_home
    use(home, "die").communicate()
    assert embedded.running(home)
    assert use(home).communicate()[0] == "0"
    assert not embedded.running(home)


def test_embedded_server_can_be_stopped_and_comes_back(server_home: Path) -> None:
    settings = Settings.at(server_home)
    engine(settings)
    assert embedded.stop(settings.home)
    assert not embedded.stop(settings.home)
    with engine(settings).connect() as connection:
        assert connection.execute(sa.text("select 1")).scalar() == 1
    embedded.release(settings.home)
    assert not embedded.running(settings.home)


def test_descriptions_and_migrations_agree(settings: Settings) -> None:
    assert migrate.differences(engine(settings)) == [], (
        "a table description changed: python -m pcc_pipeline.database.migrate 'what changed'"
    )


def test_every_migration_takes_a_database_that_holds_rows(settings: Settings) -> None:
    """From the first migration on, each is run over tables with a row in them, as an installation's are."""
    from alembic import command

    bind = engine(settings)
    samples = {sa.Text: "x", sa.Date: date(2025, 1, 1), sa.Numeric: 1, sa.BigInteger: 1, sa.Boolean: False,
               sa.DateTime: datetime(2025, 1, 1, tzinfo=UTC)}  # fmt: skip
    with bind.begin() as connection:
        command.downgrade(migrate._config(connection), "base")
    for version in sorted(path.name[:4] for path in migrate.VERSIONS.glob("[0-9]*.py")):
        with bind.begin() as connection:
            command.upgrade(migrate._config(connection), version)
        with bind.begin() as connection:
            found = sa.MetaData()
            found.reflect(connection, schema=SCHEMA)
            for one in found.tables.values():
                if (
                    one.name == "alembic_version"
                    or connection.execute(sa.select(sa.func.count()).select_from(one)).scalar_one()
                ):
                    continue
                row = {}
                for column in one.columns:
                    if not column.nullable and column.identity is None:
                        row[column.name] = next((v for t, v in samples.items() if isinstance(column.type, t)), [])
                connection.execute(sa.insert(one).values(row))
    assert migrate.differences(bind) == []


def test_a_database_of_a_newer_program_is_refused(settings: Settings) -> None:
    bind = engine(settings)
    with bind.begin() as connection:
        connection.execute(sa.text("update pcc.alembic_version set version_num = '9999'"))
    with pytest.raises(RuntimeError, match="9999"):
        migrate.upgrade(bind)


def test_dagster_has_a_schema_of_its_own(settings: Settings) -> None:
    with sa.create_engine(dagster_url(settings), poolclass=sa.NullPool).connect() as connection:
        assert connection.dialect.driver == "psycopg2"
        assert connection.execute(sa.text("select current_schema()")).scalar() == "dagster"


def arrived(number: int, kind: str = "sdi_invoices") -> Arrived:
    return Arrived(kind=kind, sha256=f"{number:064x}", file=f"{number}.xml", size=number)


def test_the_same_bytes_are_one_delivery(settings: Settings) -> None:
    register = Register(engine(settings))
    new, known = register.add("alfa", [arrived(2), arrived(1), arrived(2)])
    assert [item.file for item in new] == ["2.xml", "1.xml"]
    assert [item.file for item in known] == ["2.xml"]
    assert new[0].sequence < new[1].sequence
    assert new[0].received_at == new[1].received_at
    again, known = register.add("alfa", [arrived(1), arrived(3)])
    assert [item.file for item in again] == ["3.xml"]
    assert [item.file for item in known] == ["1.xml"]
    other, known = register.add("beta", [arrived(1)])
    assert len(other) == 1
    assert not known
    assert [len(register.pending(ente)) for ente in ("alfa", "beta")] == [3, 1]
    assert register.enti() == ["alfa", "beta"]


def test_deliveries_registered_side_by_side_are_registered_once(settings: Settings) -> None:
    register = Register(engine(settings))
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda _: register.add("alfa", [arrived(n) for n in range(500)]), range(4)))
    assert sum(len(new) for new, _ in results) == 500
    assert register.deliveries("alfa").num_rows == 500


def test_outcomes_and_knowledge_time(settings: Settings) -> None:
    register = Register(engine(settings))
    new, _ = register.add("alfa", [arrived(1), arrived(2)])
    register.settle(
        [
            Outcome(new[0].delivery, "staged", part="staging/alfa/sdi_invoices/x", rows=5, refused=1, defects=2),
            Outcome(new[1].delivery, "refused", reason="not XML"),
        ]
    )
    assert register.pending("alfa") == []
    table = register.deliveries("alfa").to_pylist()
    assert [row["status"] for row in table] == ["staged", "refused"]
    assert (table[0]["rows"], table[0]["part"]) == (5, "staging/alfa/sdi_invoices/x")
    assert table[1]["reason"] == "not XML"
    assert register.deliveries("alfa", known_at=datetime.now(UTC)).num_rows == 2
    assert register.deliveries("alfa", known_at=datetime.now(UTC) - timedelta(days=1)).num_rows == 0
    with pytest.raises(KeyError):
        register.settle([Outcome(delivery_id("alfa", "x", "y"), "staged")])


def test_arrivals_keep_the_latest_state_of_a_file(settings: Settings) -> None:
    register = Register(engine(settings))
    register.add("alfa", [], [Seen(Path("/x"), 1, 2)])
    register.add("alfa", [], [Seen(Path("/x"), 3, 4)])
    assert register.arrivals("alfa") == {"/x": (3, 4)}


def test_one_caller_at_a_time_works_on_an_ente(settings: Settings) -> None:
    bind = engine(settings)
    entered = threading.Event()

    def second() -> None:
        with ente_lock(bind, "alfa"):
            entered.set()

    with ente_lock(bind, "alfa"):
        worker = threading.Thread(target=second)
        worker.start()
        assert not entered.wait(0.3)
        with ente_lock(bind, "beta"):
            pass
    worker.join(10)
    assert entered.is_set()


def test_dagster_keeps_its_state_in_our_server(settings: Settings) -> None:
    from dagster import DagsterInstance

    home = write_dagster_home(settings)
    assert (home / "dagster.yaml").stat().st_mode & 0o077 == 0
    with DagsterInstance.from_config(str(home)) as instance:
        assert not instance.telemetry_enabled
        assert instance.get_runs_count() == 0
        instance.add_dynamic_partitions("enti", ["alfa"])
        assert instance.get_dynamic_partitions("enti") == ["alfa"]
    with engine(settings).connect() as connection:
        count = "select count(*) from information_schema.tables where table_schema = 'dagster'"
        assert connection.execute(sa.text(count)).scalar_one() > 10

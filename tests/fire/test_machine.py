"""A store that is full or may not be written, a database that is full, a clock that goes back: the error says so, readers keep
what they have, and the next run goes on."""

from __future__ import annotations

import ctypes
import errno
import os
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
import sqlalchemy as sa
from steps import publish_steps

from pcc_pipeline.arrival.landing import land
from pcc_pipeline.arrival.work import to_do
from pcc_pipeline.checks.gate import Gate
from pcc_pipeline.clock import is_due
from pcc_pipeline.database.moments import not_before_arrivals
from pcc_pipeline.database.publish import Publication, current, publish
from pcc_pipeline.database.schema import table
from pcc_pipeline.installation import Installation
from pcc_pipeline.review.operations import Selection, decide_operations
from pcc_pipeline.store import Store
from pcc_pipeline.tables.describe import MODEL_LAYERS
from portal.accounts import LOCKED_FOR, add_user, check_password
from portal.audit import FAILED_FROM_ADDRESS, begin_attempt
from sensors.inbox import SWEEP

D, O = date(2025, 12, 31), date(2026, 1, 20)  # noqa: E741
HEAD = "id_documento;tipo_documento;numero;data_emissione;importo_totale;piva_fornitore;stato\n"
#: A good row and one for the quarantine, which readers see.
INVOICES = "D{0};TD01;{0}/A;2025-03-04;1220,00;00743110157;\nX{0};TD01;{0}/B;2025-02-31;1220,00;00743110157;\n"


def deliver(installation: Installation, number: int) -> Path:
    path = installation.settings.inbox / "alfa" / "erp_invoices" / f"{number}.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(HEAD + INVOICES.format(number))
    return path


def shown(installation: Installation) -> list[str]:
    """The files of which readers see a row."""
    q = table("quarantine")
    with installation.engine.connect() as connection:
        return list(connection.execute(sa.select(q.c.file).distinct().order_by(q.c.file)).scalars())


@contextmanager
def full_disk(monkeypatch: pytest.MonkeyPatch, only: str) -> Iterator[None]:
    """Whatever is written to the store under `only` meets a disk with no space left: the system's own."""
    write, temporary = Store.write, Store._temporary

    def full(original: Callable[..., Any]) -> Callable[..., Any]:
        @contextmanager
        def writing(store: Store, name: str) -> Iterator[str]:
            with original(store, name) as path:
                if original is temporary or name.startswith(only):
                    Path(path).symlink_to("/dev/full")
                yield path

        return writing

    with monkeypatch.context() as patch:
        patch.setattr(Store, "write", full(write))
        if only == "landing":
            patch.setattr(Store, "_temporary", full(temporary))
        yield


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """A folder in which nothing may be made or changed; root lays down the right to pass over that."""
    places = [folder, *(path for path in folder.rglob("*") if path.is_dir())]
    for path in places:
        path.chmod(0o500)
    try:
        with _without_powers():
            yield
    finally:
        for path in places:
            path.chmod(0o700)


@contextmanager
def _without_powers() -> Iterator[None]:
    """This thread, as root, without CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH."""
    if os.geteuid():
        yield
        return
    libc = ctypes.CDLL(None, use_errno=True)
    header, known = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
    assert libc.capget(header, known) == 0
    fewer = (ctypes.c_uint32 * 6)(known[0] & ~0b110, *known[1:])
    assert libc.capset(header, fewer) == 0
    try:
        yield
    finally:
        assert libc.capset(header, known) == 0


@contextmanager
def full_database(engine: sa.Engine) -> Iterator[None]:
    """The database has no space left for the rows of one of the last tables of a publication."""
    with engine.begin() as connection:
        connection.execute(sa.text(
            "create function pcc.no_space() returns trigger language plpgsql as $$ begin "
            "raise exception 'could not extend file: No space left on device' using errcode = 'disk_full'; end $$"
        ))  # fmt: skip
        connection.execute(sa.text("create trigger no_space before insert on pcc.publications execute function pcc.no_space()"))
    try:
        yield
    finally:
        with engine.begin() as connection:
            connection.execute(sa.text("drop function pcc.no_space cascade"))


def test_no_space_and_no_right_to_write(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    def run() -> None:
        publish_steps(installation, "alfa", D, O)

    deliver(installation, 1)
    run()
    before = current(installation.engine, "alfa")
    path = deliver(installation, 2)
    for place in ("landing", "staging", "models"):
        with full_disk(monkeypatch, place), pytest.raises((OSError, duckdb.IOException), match="No space left"):
            run()
        assert path.exists() == (place == "landing")
        assert current(installation.engine, "alfa") == before and shown(installation) == ["1.csv"]
    with read_only(Path(installation.store.root)), pytest.raises((OSError, duckdb.IOException), match="Permission denied"):
        run()
    with full_database(installation.engine), pytest.raises(sa.exc.DBAPIError, match="No space left"):
        run()
    assert current(installation.engine, "alfa") == before and shown(installation) == ["1.csv"]
    run()
    assert shown(installation) == ["1.csv", "2.csv"]
    assert not list(Path(installation.store.root).rglob("*.tmp-*"))


def test_a_full_store_is_no_fault_of_a_file(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    path = deliver(installation, 1)
    with zipfile.ZipFile(path.with_name("b.zip"), "w") as archive:
        archive.write(path, "c.csv")
    path.unlink()
    for fault, words in (
        (full_disk(monkeypatch, "landing"), "No space left"),
        (read_only(installation.settings.home), "denied"),
    ):
        Path(installation.store.root).mkdir(exist_ok=True)
        with fault, pytest.raises(OSError, match=words):
            land(installation, ente="alfa", drain=True)
        assert path.with_name("b.zip").exists() and not installation.register.pending("alfa")
    assert [item.file for item in land(installation, ente="alfa", drain=True).new] == ["c.csv"]


def test_an_inbox_file_that_cannot_be_read_stops_nobody(installation: Installation) -> None:
    path = deliver(installation, 1)
    deliver(installation, 2)
    assert not installation.register.pending("alfa")  # connected while it may be
    path.chmod(0)
    with _without_powers():
        report = land(installation, ente="alfa", drain=True)
    assert [item.file for item in report.new] == ["2.csv"]
    assert [errno.errorcode[errno.EACCES] in item.reason for item in report.refused] == [True]


AGO = timedelta(days=3)


def test_what_is_sent_and_what_arrives_stay_in_their_order(installation: Installation) -> None:
    """The clock goes back three days: what is answered is answered later, what was known was known before."""
    future, deliveries = datetime.now(UTC) + AGO, table("deliveries")
    deliver(installation, 1)
    (first,) = land(installation, ente="alfa", drain=True).new
    row = {"ente": "alfa", "file": "f.csv", "model": "003", "sha256": "0" * 64, "size": 1, "rows": 1, "sent_by": "X"}
    with installation.engine.begin() as connection:
        connection.execute(sa.update(deliveries).values(received_at=future))
        moment = not_before_arrivals(connection, "alfa")
        assert moment == future
        assert not_before_arrivals(connection, "beta") < future
        connection.execute(sa.insert(table("model_files")).values(**row, sent_at=moment))
    deliver(installation, 2)
    deliver(installation, 3)
    after = land(installation, ente="alfa", drain=True).new
    assert {item.received_at for item in after} == {future + timedelta(microseconds=1)}
    assert first.sequence < min(item.sequence for item in after)


def test_what_is_decided_after_the_clock_went_back_is_noticed(database: sa.Engine, installation: Installation) -> None:
    for layer in MODEL_LAYERS:
        Gate(installation.store, "alfa").saw(layer, 0, {"operation_decisions": 0})
    publish(database, "alfa", {}, Publication(D, O))
    with database.begin() as connection:
        connection.execute(sa.update(table("publications")).values(published_at=datetime.now(UTC) + AGO))
    assert to_do(installation, sweep=True) == {}
    decide_operations(database, "alfa", "approve", Selection(operations=("a1",)), who="rossi")
    assert set(to_do(installation, sweep=True)) == {"alfa"}


def test_what_looks_every_so_often_looks_though_its_last_time_is_to_come() -> None:
    future = datetime.now(UTC) + AGO
    assert is_due(future.timestamp(), time.time(), SWEEP) and not is_due(time.time(), time.time(), SWEEP)
    assert is_due(future.timestamp(), time.time(), 5 * 60)
    assert not is_due(time.time() - 60, time.time(), 5 * 60)


def test_wrong_passwords_of_a_time_to_come_lock_nobody(database: sa.Engine) -> None:
    now = datetime.now(UTC)
    add_user(database, "chi@alfa.it", "Chi", "ente_user", "alfa", password="una password lunga")
    with database.begin() as connection:
        connection.execute(
            sa.insert(table("sign_in_attempts")), [{"address": "1.2.3.4", "at": now + AGO}] * FAILED_FROM_ADDRESS
        )
        connection.execute(sa.update(table("users")).values(locked_until=now + AGO))
    assert begin_attempt(database, "1.2.3.4", now) is not None
    assert check_password(database, "chi@alfa.it", "una password lunga", now) is not None
    with database.begin() as connection:
        connection.execute(sa.update(table("users")).values(locked_until=now + LOCKED_FOR))
    assert check_password(database, "chi@alfa.it", "una password lunga", now) is None


def test_a_folder_that_cannot_be_read_stops_no_look_at_the_inbox(installation: Installation) -> None:
    waits = Installation(replace(installation.settings, quiet_seconds=60))
    deliver(installation, 1)
    bad = installation.settings.inbox / "gamma" / "open_list"
    bad.mkdir(parents=True)
    good = bad.with_name("budgets") / "a.csv"
    good.parent.mkdir()
    good.write_text("x")
    to_do(waits, sweep=True)  # connected while it may be
    for shut in (bad, bad.parent):
        shut.chmod(0)
        with _without_powers():
            assert "alfa" in to_do(Installation(replace(waits.settings, quiet_seconds=0)), sweep=True)
            to_do(waits, sweep=True)
        shut.chmod(0o700)

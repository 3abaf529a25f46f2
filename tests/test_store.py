"""The store: files whole or not at all, kept by content, on a local folder or any fsspec file system."""

from __future__ import annotations

import hashlib
import io
import os
import pickle
from pathlib import Path
from uuid import uuid4

import duckdb
import pytest

from pcc_pipeline.settings import Settings
from pcc_pipeline.store import CHUNK, Store, TooLarge


@pytest.fixture(params=["local", "memory"])
def any_store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    return Store(str(tmp_path / "store") if request.param == "local" else f"memory://{uuid4().hex}")


def test_duckdb_writes_and_reads(any_store: Store) -> None:
    with duckdb.connect() as connection:
        any_store.attach(connection)
        with any_store.write("models/alfa/x.parquet") as uri:
            connection.execute(f"COPY (SELECT 1.10::DECIMAL(18,2) AS v) TO '{uri}' (FORMAT parquet)")
        found = connection.execute(f"SELECT v FROM read_parquet('{any_store.uri('models/alfa/x.parquet')}')")
        assert str(found.fetchone()[0]) == "1.10"
    assert any_store.list("models") == ["models/alfa/x.parquet"]


def test_a_failed_write_leaves_what_was_there(any_store: Store) -> None:
    any_store.write_bytes("a/b", b"old")
    with pytest.raises(RuntimeError), any_store.write("a/b") as uri:
        with any_store.fs.open(uri, "wb") as out:
            out.write(b"new")
        raise RuntimeError
    assert any_store.open("a/b").read() == b"old"
    assert any_store.list() == ["a/b"]
    any_store.write_bytes("a/b", b"new")
    assert any_store.open("a/b").read() == b"new"


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK + 5])
def test_bytes_are_kept_once_by_content(any_store: Store, size: int) -> None:
    data = b"x" * size
    first = any_store.put_stream("alfa", io.BytesIO(data))
    assert (first.sha256, first.size, first.known) == (hashlib.sha256(data).hexdigest(), size, False)
    assert any_store.put_stream("alfa", io.BytesIO(data)).known
    assert any_store.put_bytes("alfa", data).known
    assert any_store.list() == [any_store.landing("alfa", first.sha256)]
    with any_store.local_path(any_store.landing("alfa", first.sha256)) as path:
        assert path.read_bytes() == data


def test_a_stream_longer_than_allowed_leaves_nothing(any_store: Store) -> None:
    with pytest.raises(TooLarge):
        any_store.put_stream("alfa", io.BytesIO(b"x" * 100), limit=99)
    with pytest.raises(TooLarge):
        any_store.put_stream("alfa", io.BytesIO(b"x" * (3 * CHUNK)), limit=2 * CHUNK)
    assert any_store.list() == []


class Flushed:
    """What the system was asked to put on disk: resolved paths, in order."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.paths: list[Path] = []
        monkeypatch.setattr(os, "fsync", lambda place: self.paths.append(Path(f"/proc/self/fd/{place}").resolve()))
        monkeypatch.setattr(os, "sync", lambda: pytest.fail("flushes every disk of the machine"))


@pytest.mark.parametrize("size", [10, 3 * CHUNK])
@pytest.mark.parametrize("again", [False, True])
def test_settling_flushes_the_files_and_their_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int, again: bool
) -> None:
    store = Store(str(tmp_path / "store"))
    if again:  # its writer may not have come as far as settling
        Store(store.url).put_stream("alfa", io.BytesIO(b"x" * size))
    flushed = Flushed(monkeypatch)
    name = store.landing("alfa", store.put_stream("alfa", io.BytesIO(b"x" * size)).sha256)
    store.settle([name])
    file = tmp_path / "store" / name
    assert {file, *list(file.parents)[:4]} <= set(flushed.paths)  # up to the root: each may be new
    assert tmp_path not in flushed.paths


def test_kept_bytes_are_on_disk_before_they_have_their_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a crash leaves an empty file under that name, and the next delivery of those bytes takes it for the kept one."""
    store, flushed = Store(str(tmp_path / "store")), Flushed(monkeypatch)
    for size in (10, 3 * CHUNK):
        store.put_stream("alfa", io.BytesIO(b"x" * size))
        assert ".tmp-" in flushed.paths.pop().name


def test_a_store_elsewhere_needs_no_flushing(monkeypatch: pytest.MonkeyPatch) -> None:
    store, flushed = Store(f"memory://{uuid4().hex}"), Flushed(monkeypatch)
    store.settle([store.landing("alfa", store.put_bytes("alfa", b"1").sha256)])
    assert flushed.paths == []


def test_deleting(any_store: Store) -> None:
    any_store.write_bytes("a/b", b"1")
    any_store.write_bytes("a/c", b"1")
    any_store.delete("a")
    any_store.delete("nothing")
    assert not any_store.exists("a/b")
    any_store.write_bytes("a/b", b"2")
    assert any_store.size("a/b") == 1
    with pytest.raises(ValueError, match="whole store"):
        any_store.delete("")


@pytest.mark.parametrize("name", ["../x", "/etc/passwd", "a/../../x"])
def test_names_stay_inside(any_store: Store, name: str) -> None:
    with pytest.raises(ValueError, match="inside the store"):
        any_store.uri(name)


def test_a_store_can_be_sent_to_another_process(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    store.write_bytes("a", b"1")
    assert pickle.loads(pickle.dumps(store)).open("a").read() == b"1"


def test_settings_from_environment(tmp_path: Path) -> None:
    settings = Settings.from_environment({"PCC_HOME": str(tmp_path), "PCC_THREADS": "3", "PCC_DATABASE_URL": ""})
    assert settings.store_url == str(tmp_path / "store")
    assert settings.inbox == tmp_path / "inbox"
    assert settings.database_url is None
    assert settings.memory_limit == "4GiB"
    assert Settings.from_environment(settings.environment()) == settings
    with pytest.raises(ValueError, match="PCC_THREADS"):
        Settings.from_environment({"PCC_THREADS": "many"})

"""A store on S3 as two machines share it: each sees what the other wrote, replaced or removed, and asks little for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import duckdb
import fsspec
import pytest
from moto.server import ThreadedMotoServer

from pcc_pipeline.s3 import SharedS3
from pcc_pipeline.store import Store

ROWS = "SELECT v FROM read_parquet('{}')"


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}"
    finally:
        server.stop()


@pytest.fixture
def machine(address: str, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Callable[[], Store]:
    """Gives a store as another machine opens it: nothing that one knows does another."""
    for name, value in (("ACCESS_KEY_ID", "key"), ("SECRET_ACCESS_KEY", "secret"), ("DEFAULT_REGION", "us-east-1")):
        monkeypatch.setenv(f"AWS_{name}", value)
    monkeypatch.setenv("AWS_ENDPOINT_URL", address)
    bucket = f"pcc{abs(hash(request.node.name))}"
    fsspec.filesystem("s3", skip_instance_cache=True).mkdir(bucket)

    def another() -> Store:
        SharedS3.clear_instance_cache()
        store = Store(f"s3://{bucket}/store")
        assert isinstance(store.fs, SharedS3)
        monkeypatch.setattr(store.fs, "_known", {}, raising=False)
        return store

    return another


def _rows(store: Store, rel: str) -> list[int]:
    with duckdb.connect() as connection:
        store.attach(connection)
        return [row[0] for row in connection.execute(ROWS.format(store.uri(rel))).fetchall()]


def _write(store: Store, rel: str, value: int) -> None:
    with duckdb.connect() as connection, store.write(rel) as uri:
        store.attach(connection)
        connection.execute(f"COPY (SELECT {value} AS v) TO '{uri}' (FORMAT parquet)")


def test_what_another_machine_wrote_after_one_looked_is_seen(machine: Callable[[], Store]) -> None:
    one, two = machine(), machine()
    one.write_bytes("checks/alfa/gate.json", b"{}")
    assert one.list("checks") == ["checks/alfa/gate.json"]
    assert not one.exists("checks/alfa/saw.json")
    two.write_bytes("checks/alfa/saw.json", b"[1]")
    two.write_bytes("checks/alfa/gate.json", b"{1: 2}")
    assert one.exists("checks/alfa/saw.json")
    assert one.open("checks/alfa/saw.json").read() == b"[1]"
    assert one.open("checks/alfa/gate.json").read() == b"{1: 2}"
    assert len(one.list("checks")) == 2
    two.delete("checks/alfa")
    assert not one.exists("checks/alfa/gate.json") and one.list("checks") == []


def test_a_table_that_this_machine_replaced_is_read_anew_at_once(machine: Callable[[], Store]) -> None:
    store = machine()
    for value in (1, 2222222):
        _write(store, "models/alfa/x.parquet", value)
        assert _rows(store, "models/alfa/x.parquet") == [value]
    store.delete("models/alfa/x.parquet")
    assert not store.exists("models/alfa/x.parquet")


def test_what_one_thread_replaced_another_reads_anew_at_once(machine: Callable[[], Store]) -> None:
    url = machine().url
    SharedS3.clear_instance_cache()
    here = Store(url)
    SharedS3.clear_instance_cache()
    with ThreadPoolExecutor(1) as pool:
        there = pool.submit(Store, url).result()
        assert there.fs is not here.fs
        for value in (1, 2222222):
            _write(here, "models/alfa/x.parquet", value)
            assert pool.submit(_rows, there, "models/alfa/x.parquet").result() == [value]


def test_a_table_that_another_machine_replaced_is_read_anew_after_seconds(
    machine: Callable[[], Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = machine(), machine()
    _write(two, "models/alfa/x.parquet", 1)
    assert _rows(one, "models/alfa/x.parquet") == [1]
    _write(two, "models/alfa/x.parquet", 2222222)
    monkeypatch.setattr("pcc_pipeline.s3.FRESH", 0.0)
    assert _rows(one, "models/alfa/x.parquet") == [2222222]


def test_a_query_asks_once_what_a_table_s_file_is(machine: Callable[[], Store], monkeypatch: pytest.MonkeyPatch) -> None:
    store = machine()
    _write(store, "models/alfa/x.parquet", 1)
    asked = []
    call = SharedS3._call_s3

    async def counted(self: SharedS3, method: str, *given: object, **named: object) -> object:
        asked.append(method)
        return await call(self, method, *given, **named)

    monkeypatch.setattr(SharedS3, "_call_s3", counted)
    uri = store.uri("models/alfa/x.parquet")
    with duckdb.connect() as connection:
        store.attach(connection)
        connection.execute(f"CREATE VIEW x AS SELECT * FROM read_parquet('{uri}')")
        assert connection.execute("SELECT count(*) FROM x AS a JOIN x AS b USING (v) JOIN x AS c USING (v)").fetchone() == (1,)
    assert asked.count("head_object") == 1

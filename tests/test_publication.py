"""Publication in one transaction an ente, and exports of what was published."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given
from hypothesis import settings as effort
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from pcc_pipeline.database import schema
from pcc_pipeline.database.engine import engine
from pcc_pipeline.database.export import NotExported, export
from pcc_pipeline.database.publish import Publication, current, publish
from pcc_pipeline.settings import Settings
from pcc_pipeline.store import Store
from pcc_pipeline.tables.describe import Column, Table

WHEN = Publication(date(2025, 12, 31), date(2026, 1, 20), "run-1")

EVERY_TYPE = Table(
    "every_type",
    "debt",
    "One row per number",
    (
        Column("ente", "text", "Tenant", required=True),
        Column("number", "integer", "Key", required=True),
        Column("name", "text", "Text"),
        Column("day", "date", "Date"),
        Column("amount", "money", "Money"),
        Column("rate", "decimal", "Decimal"),
        Column("flag", "boolean", "Boolean"),
        Column("moment", "timestamp", "Timestamp"),
        Column("names", "texts", "Texts"),
        Column("parts", "records", "Records", fields=(Column("a", "money", "a"), Column("b", "text", "b"))),
    ),
    key=("ente", "number"),
    published=True,
)

#: For each non-text type, the least, usual and greatest values that must survive.
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "name": st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
    "day": st.dates(date(1, 1, 1)),
    "amount": st.decimals(Decimal("-9999999999999999.99"), Decimal("9999999999999999.99"), places=2),
    "rate": st.decimals(Decimal("-9999999999.99999999"), Decimal("9999999999.99999999"), places=8),
    "flag": st.booleans(),
    "moment": st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC)),
}


@pytest.fixture
def described(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> sa.Engine:
    """A database with one more published table, which has every type."""
    schema.published.cache_clear()
    known = {**schema.published(), EVERY_TYPE.name: EVERY_TYPE}
    for module in ("publish", "export"):
        monkeypatch.setattr(f"pcc_pipeline.database.{module}.published", lambda: known)
    bind = engine(settings)
    schema.build([EVERY_TYPE]).create_all(bind)
    return bind


def parquet(store: Store, rows: list[dict[str, Any]], table: Table = EVERY_TYPE) -> str:
    rel = f"models/{uuid4().hex}.parquet"
    with store.write(rel) as uri, store.fs.open(uri, "wb") as out:
        pq.write_table(pa.Table.from_pylist(rows, schema=table.arrow_schema), out)
    return store.uri(rel)


def rows(bind: sa.Engine, ente: str) -> list[dict[str, Any]]:
    with bind.connect() as connection:
        connection.execute(sa.text("SET TIME ZONE 'UTC'"))
        found = connection.execute(sa.text("SELECT * FROM pcc.every_type WHERE ente = :e ORDER BY number"), {"e": ente})
        return [dict(row._mapping) for row in found]


@effort(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.fixed_dictionaries({name: st.none() | value for name, value in VALUES.items()}), max_size=5))
def test_every_value_arrives_exactly(described: sa.Engine, store: Store, given_rows: list[dict[str, Any]]) -> None:
    wanted = [{"ente": "alfa", "number": n, **row, "names": None, "parts": None} for n, row in enumerate(given_rows)]
    publish(described, "alfa", {"every_type": parquet(store, wanted)}, WHEN)
    assert rows(described, "alfa") == wanted


def row(number: int, ente: str = "alfa", **more: Any) -> dict[str, Any]:
    return {"ente": ente, "number": number, **more}


def test_lists_become_json(described: sa.Engine, store: Store) -> None:
    parts = [{"a": Decimal("1.10"), "b": 'x"\n,'}, {"a": None, "b": None}]
    publish(described, "alfa", {"every_type": parquet(store, [row(1, parts=parts, names=["a", "b"])])}, WHEN)
    found = rows(described, "alfa")[0]
    assert found["parts"] == [{"a": 1.1, "b": 'x"\n,'}, {"a": None, "b": None}]
    assert found["names"] == ["a", "b"]


def test_the_character_that_postgresql_cannot_keep(described: sa.Engine, store: Store) -> None:
    publish(described, "alfa", {"every_type": parquet(store, [row(1, name="a\0b")])}, WHEN)
    assert rows(described, "alfa")[0]["name"] == "ab"


def test_publication_replaces_one_ente_and_says_what_is_seen(described: sa.Engine, store: Store) -> None:
    publish(described, "alfa", {"every_type": parquet(store, [row(1), row(2)])}, WHEN)
    publish(described, "beta", {"every_type": parquet(store, [row(1, "beta")])}, WHEN)
    assert current(described, "gamma") is None
    made = publish(described, "alfa", {"every_type": parquet(store, [row(3)])}, WHEN)
    assert [r["number"] for r in rows(described, "alfa")] == [3]
    assert [r["number"] for r in rows(described, "beta")] == [1]
    assert current(described, "alfa") == made
    assert (made.rows, made.reference_date, made.observed_at, made.run_id) == (
        1,
        WHEN.reference_date,
        WHEN.observed_at,
        "run-1",
    )


@pytest.mark.parametrize("fault", ["twice", "foreign", "missing", "not parquet"])
def test_a_failed_publication_changes_nothing(described: sa.Engine, store: Store, fault: str) -> None:
    good = parquet(store, [row(1)])
    before = publish(described, "alfa", {"every_type": good}, WHEN)
    store.write_bytes("broken.parquet", b"PAR1")
    bad = {
        "twice": parquet(store, [row(1), row(1)]),
        "foreign": parquet(store, [row(1, "beta")]),
        "missing": store.uri("nothing.parquet"),
        "not parquet": store.uri("broken.parquet"),
    }[fault]
    with pytest.raises(Exception, match=r".+"):
        publish(described, "alfa", {"every_type": bad}, WHEN)
    assert [r["number"] for r in rows(described, "alfa")] == [1]
    assert current(described, "alfa") == before


def test_readers_see_the_state_before_until_the_whole_is_there(described: sa.Engine, store: Store) -> None:
    publish(described, "alfa", {"every_type": parquet(store, [row(1)])}, WHEN)
    seen = []

    def look(*_: object) -> None:
        seen.append([r["number"] for r in rows(described, "alfa")])

    sa.event.listen(described, "commit", look)
    publish(described, "alfa", {"every_type": parquet(store, [row(2)])}, WHEN)
    sa.event.remove(described, "commit", look)
    assert seen[0] == [1]
    assert [r["number"] for r in rows(described, "alfa")] == [2]


def test_a_store_that_is_not_local(described: sa.Engine) -> None:
    store = Store(f"memory://{uuid4().hex}")
    publish(described, "alfa", {"every_type": parquet(store, [row(1)])}, WHEN, store.attach)
    assert len(rows(described, "alfa")) == 1


FULL = row(
    2,
    name="=1+1",
    day=date(2025, 1, 31),
    amount=Decimal("1234.5"),
    rate=Decimal("0.125"),
    flag=True,
    moment=datetime(2026, 1, 20, 8, 30, tzinfo=UTC),
    names=["x"],
    parts=[{"a": Decimal("1.00"), "b": "è"}],
)


@pytest.fixture
def shown(described: sa.Engine, store: Store) -> sa.Engine:
    publish(described, "alfa", {"every_type": parquet(store, [row(3, name=""), FULL, row(1)])}, WHEN)
    publish(described, "beta", {"every_type": parquet(store, [row(9, "beta")])}, WHEN)
    return described


def test_export_csv(shown: sa.Engine, tmp_path: Path) -> None:
    out = tmp_path / "x.csv"
    assert export(shown, "every_type", "alfa", out) == 3
    found = list(csv.DictReader(out.open(encoding="utf-8", newline="")))
    assert [r["number"] for r in found] == ["1", "2", "3"]
    assert json.loads(found[1].pop("parts"))[0]["b"] == "è"
    assert found[1] == {
        "ente": "alfa",
        "number": "2",
        "name": "'=1+1",  # no formula for whoever opens it in a spreadsheet; --raw writes it as it is
        "day": "2025-01-31",
        "amount": "1234.50",
        "rate": "0.12500000",
        "flag": "true",
        "moment": "2026-01-20T08:30:00.000000Z",
        "names": '["x"]',
    }
    standard = io.BytesIO()
    assert export(shown, "every_type", "alfa", "-", standard) == 3
    assert standard.getvalue() == out.read_bytes()


def test_export_xlsx(shown: sa.Engine, tmp_path: Path) -> None:
    out = tmp_path / "x.xlsx"
    assert export(shown, "every_type", "alfa", out) == 3
    sheet = CalamineWorkbook.from_path(str(out)).get_sheet_by_index(0).to_python()
    assert sheet[0] == EVERY_TYPE.column_names
    assert sheet[2][:8] == [
        "alfa",
        2.0,
        "=1+1",
        date(2025, 1, 31),
        1234.5,
        0.125,
        True,
        datetime(2026, 1, 20, 8, 30),
    ]


def test_export_parquet(shown: sa.Engine, tmp_path: Path) -> None:
    out = tmp_path / "x.parquet"
    assert export(shown, "every_type", "alfa", out) == 3
    found = pq.read_table(out)
    assert found.schema.field("amount").type == pa.decimal128(18, 2)
    second = found.to_pylist()[1]
    assert {name: second[name] for name in VALUES} == {name: FULL[name] for name in VALUES}
    assert found.to_pylist()[2]["name"] == ""


@pytest.mark.parametrize("suffix", ["csv", "xlsx", "parquet"])
def test_the_same_state_gives_the_same_file(shown: sa.Engine, tmp_path: Path, suffix: str) -> None:
    first, second = tmp_path / f"1.{suffix}", tmp_path / f"2.{suffix}"
    export(shown, "every_type", "alfa", first)
    export(shown, "every_type", "alfa", second)
    assert first.read_bytes() == second.read_bytes()


def test_what_cannot_be_exported_is_said(shown: sa.Engine, tmp_path: Path) -> None:
    with pytest.raises(NotExported, match=r"No table nothing: there are .*every_type"):
        export(shown, "nothing", "alfa", tmp_path / "x.csv")
    with pytest.raises(NotExported, match="No table deliveries"):
        export(shown, "deliveries", "alfa", tmp_path / "x.csv")
    with pytest.raises(NotExported, match="ente gamma"):
        export(shown, "every_type", "gamma", tmp_path / "x.csv")
    with pytest.raises(NotExported, match=r"must end in \.csv"):
        export(shown, "every_type", "alfa", tmp_path / "x.pdf")
    assert not list(tmp_path.glob("*x.*"))


def test_a_large_excel_takes_more_sheets(shown: sa.Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pcc_pipeline.database.export.SHEET", 2)
    out = tmp_path / "x.xlsx"
    assert export(shown, "every_type", "alfa", out) == 3
    book = CalamineWorkbook.from_path(str(out))
    assert [len(book.get_sheet_by_name(name).to_python()) for name in book.sheet_names] == [3, 2]

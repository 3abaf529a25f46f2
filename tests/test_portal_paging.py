"""How the desk pages through many rows: each once, in order, the same page under the same number; and what it costs to look."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa
from babel.numbers import format_decimal
from fastapi.testclient import TestClient
from hypothesis import example, given
from hypothesis import strategies as st
from test_portal import PASSWORD, try_password

from pcc_pipeline.database.engine import engine
from pcc_pipeline.database.publish import Publication, current, publish
from pcc_pipeline.database.summary import explanations, summary
from pcc_pipeline.settings import Settings
from pcc_pipeline.store import Store
from pcc_pipeline.tables import TABLES
from portal import words
from portal.accounts import add_user
from portal.app import create_app
from portal.headers import HEADERS
from portal.queries.creditors import creditors as by_creditor
from portal.queries.documents import DocumentFilter, anomalies, documents
from portal.queries.paging import SIZE, Page
from portal.queries.questions import questions
from portal.tenancy import ROLE, DeskDatabase

D, O = date(2025, 12, 31), date(2026, 1, 20)  # noqa: E741 (the rules' own letters)
MANY = 3 * SIZE + 7


def _rows(ente: str) -> dict[str, list[dict[str, Any]]]:
    """`MANY` documents in the stock, few amounts over and over, credit notes among them, as many that are paid."""
    positions, anomalous, asked = [], [], []
    for n in range(2 * MANY):
        paid = n % 2 == 1
        amount = Decimal(0) if paid else Decimal((n // 2 % 11) - 3 or 20)
        key = {"id_documento": f"D{n:04}" if n % 3 else None, "progressivo_registrazione": f"P{n:04}" if n % 5 else None}
        if not any(key.values()):
            key["id_documento"] = f"D{n:04}"
        row = {
            "view": "right", "observed_at": O, **key, "tipo_documento": "TD01", "numero": f"{n}/Ab_{n % 7}%", "origin": "SDI",
            "issue_date": date(2025, 1, 1), "issue_year": 2025, "reception_date": date(2025, 1, 2), "due_date": date(2025, 2, 1),
            "original_creditor": "01234567890", "creditor": "01234567890", "creditor_name": "ROSSI SRL", "days_past_due": 300,
            "bucket": "181-365", "reason": "PAID" if paid else "DUE", "stock": amount, "open_amount": amount,
            "commercial_amount": Decimal(20), "paid_at_reference": Decimal(20) if paid else Decimal(0),
            "paid_at_observation": Decimal(0), "not_payable": Decimal(0), "suspended_excluded": Decimal(0),
        }  # fmt: skip
        positions += [row, {**row, "view": "pcc"}]
        told = {"amount": amount, "numero": str(n), "original_creditor": "1", "creditor": "1", "observed_at": O, **key}
        anomalous.append({"code": "NOT_BOOKED", "severity": "low", "remedy": "CO LIQ", "manual": False, "origin": "SDI",
                          "to_communicate": False, **told})  # fmt: skip
        asked.append({"code": "AMOUNT_DIFFERS", "addressee": "ENTE", "severity": "low", "question": "?", "remaining": amount,
                      "data_emissione": date(2025, 1, 1), **told})  # fmt: skip
    creditors = [
        {"view": "right", "creditor": f"{n:011}", "creditor_name": f"Ditta {n}", "amount": Decimal(n % 4), "documents": 1}
        for n in range(MANY)
    ]
    return {
        "debt_positions": positions, "anomalies": anomalous, "questions": asked, "stock_by_creditor": creditors,
        "stock": [{"view": "pcc", "amount": Decimal(12), "documents": 3}, {"view": "right", "amount": Decimal(15), "documents": 4}],
        "difference_by_code": [
            {"code": code, "amount": Decimal(amount), "documents": documents}
            for code, amount, documents in (("NOT_BOOKED", 0, 9), ("MISSING_ON_PCC", -5, 2), ("PAID_NOT_REPORTED", 2, 1))
        ],
    }  # fmt: skip


@pytest.fixture
def bind(settings: Settings) -> sa.Engine:
    """The database with two enti of many documents each."""
    store, found = Store(settings.store_url), engine(settings)
    for ente in ("alfa", "beta"):
        files = {}
        for name, values in _rows(ente).items():
            schema = pa.schema([field.with_nullable(True) for field in TABLES[name].arrow_schema])
            full = [{"ente": ente, "reference_date": D, **row} for row in values]
            with store.write(f"trial/{ente}/{name}.parquet") as target:
                pq.write_table(pa.Table.from_pylist(full, schema=schema), target)
            files[name] = store.uri(f"trial/{ente}/{name}.parquet")
        publish(found, ente, files, Publication(D, O))
    return found


@pytest.fixture
def own(settings: Settings, bind: sa.Engine) -> Iterator[DeskDatabase]:
    """The desk's side of that database."""
    found = DeskDatabase(settings)
    yield found
    found.close()


@pytest.fixture
def client(settings: Settings, bind: sa.Engine) -> Iterator[TestClient]:
    """Someone of alfa, signed in."""
    add_user(bind, "chi@alfa.it", "Chi", "ente_user", "alfa", PASSWORD)
    with TestClient(create_app(settings)) as found:
        assert try_password(found, "chi@alfa.it").status_code == 303
        yield found


def _all(list_page: Any) -> list[sa.RowMapping]:
    """All rows, page after page, to the one after which there is no other."""
    rows: list[sa.RowMapping] = []
    number = 1
    while True:
        found: Page = list_page(number)
        rows += found.rows
        if not found.more:
            assert not list_page(number + 1).rows
            return rows
        number += 1


def _key(row: sa.RowMapping) -> tuple[str, str]:
    return row["id_documento"] or "", row["progressivo_registrazione"] or ""


@pytest.mark.parametrize(
    "wanted",
    [
        DocumentFilter(),
        DocumentFilter(bucket="181-365"),
        DocumentFilter(creditor="01234567890"),
        DocumentFilter(in_stock=False),
    ],
)
def test_every_document_is_on_one_page_largest_first(own: DeskDatabase, wanted: DocumentFilter) -> None:
    with own.tenant("alfa") as connection:
        rows = _all(lambda number: documents(connection, "alfa", wanted, number))
        again = documents(connection, "alfa", wanted, 3)
    expected = MANY if wanted.in_stock else 2 * MANY
    assert len(rows) == expected == len({_key(row) for row in rows})
    assert [row["stock"] for row in rows] == sorted((row["stock"] for row in rows), reverse=True)
    assert {row["ente"] for row in rows} == {"alfa"} and rows[-1]["stock"] < 0
    assert list(again.rows) == rows[2 * SIZE : 3 * SIZE]


def test_the_other_lists_have_every_row_once_too(own: DeskDatabase) -> None:
    with own.tenant("beta") as connection:
        borne = _all(lambda number: anomalies(connection, "beta", None, number))
        asked = _all(lambda number: questions(connection, "beta", number))
        creditors = _all(lambda number: by_creditor(connection, "beta", "right", None, number))
    for rows in (borne, asked):
        assert len(rows) == 2 * MANY == len({_key(row) for row in rows})
        assert [abs(row["amount"]) for row in rows] == sorted((abs(row["amount"]) for row in rows), reverse=True)
    assert len(creditors) == MANY == len({row["creditor"] for row in creditors})
    assert [row["amount"] for row in creditors] == sorted((row["amount"] for row in creditors), reverse=True)


@pytest.mark.parametrize(
    ("text", "matches"),
    [
        ("12/", lambda n: str(n).endswith("12")), ("/ab_3", lambda n: n % 7 == 3), ("/AB_3%", lambda n: n % 7 == 3), ("_3%", lambda n: n % 7 == 3),
        ("a_b", lambda n: False), ("%", lambda n: True), ("1%2", lambda n: False), ("\\", lambda n: False), ("3\\", lambda n: False),
    ],
)  # fmt: skip
def test_a_search_finds_what_contains_just_that(own: DeskDatabase, text: str, matches: Any) -> None:
    with own.tenant("alfa") as connection:
        rows = _all(lambda number: documents(connection, "alfa", DocumentFilter(number=text, in_stock=False), number))
    assert sorted(row["numero"] for row in rows) == sorted(f"{n}/Ab_{n % 7}%" for n in range(2 * MANY) if matches(n))


def test_pages_by_number_lead_to_one_another(client: TestClient) -> None:
    first, second = client.get("/documenti").text, client.get("/documenti?pagina=2").text
    assert 'href="?pagina=2" rel="next"' in first and 'rel="prev"' not in first
    assert 'href="?pagina=1" rel="prev"' in second and 'href="?pagina=3" rel="next"' in second
    last = client.get("/documenti?pagina=4").text
    assert 'rel="next"' not in last and last.count('<th scope="row">') == MANY - 3 * SIZE
    assert client.get("/documenti?pagina=1").text == first
    assert client.get("/documenti?pagina=99999").status_code == 200


def test_the_difference_is_explained_alike_everywhere(
    settings: Settings, own: DeskDatabase, bind: sa.Engine, client: TestClient
) -> None:
    with own.tenant("alfa") as connection:
        parts = explanations(connection, "alfa")
    assert [(part.code, part.documents, part.amount) for part in parts] == [
        ("MISSING_ON_PCC", 2, Decimal(-5)), ("PAID_NOT_REPORTED", 1, Decimal(2)), ("NOT_BOOKED", 9, Decimal(0)),
    ]  # fmt: skip
    short = summary(bind, "alfa")
    assert short is not None and short.explained_by == parts and short.explained == short.difference
    text = client.get("/").text
    places = [text.index(f'/anomalie?codice={part.code}">') for part in parts]
    assert places == sorted(places) and "-5,00 €" in text


def test_every_answer_bears_its_time_and_the_headers(client: TestClient) -> None:
    for path in ("/", "/static/desk.css", "/documento?id_documento=nessuno", "/api/v1/stato", "/accesso", "/non/c/e"):
        answer = client.get(path)
        name, _, milliseconds = answer.headers["server-timing"].partition(";dur=")
        assert name == "desk" and float(milliseconds) >= 0
        assert {key: answer.headers[key] for key in HEADERS} == HEADERS
        assert (answer.headers.get("cache-control") == "no-store") is not path.startswith("/static/")


def test_what_restricts_a_transaction_ends_with_it(own: DeskDatabase) -> None:
    asked = sa.text(
        "SELECT session_user, current_user, current_setting('pcc.scope', true), current_setting('transaction_read_only')"
    )
    seen = sa.text("SELECT count(DISTINCT ente) FROM pcc.debt_positions")
    with own.tenant("alfa") as connection:
        assert connection.execute(asked).one() == (ROLE, ROLE, "ente:alfa", "on")
        assert connection.execute(seen).scalar_one() == 1
        used, pool = connection.connection.dbapi_connection, connection.engine
    with pool.connect() as connection:  # the same connection again, from the pool
        assert connection.connection.dbapi_connection is used
        assert connection.execute(asked).one() == (ROLE, ROLE, "", "off") and connection.execute(seen).scalar_one() == 0


def test_a_page_is_one_state_even_when_another_is_published_meanwhile(
    settings: Settings, own: DeskDatabase, bind: sa.Engine
) -> None:
    from pcc_pipeline.database.publish import current_in

    with own.tenant("alfa") as connection:
        before = current_in(connection, "alfa")
        publish(bind, "alfa", {}, Publication(D, O))
        assert current_in(connection, "alfa") == before
    after = current(bind, "alfa")
    assert before is not None and after is not None and after.publication > before.publication


def test_many_at_once_may_each_hold_one_connection_and_ask_for_another(own: DeskDatabase, bind: sa.Engine) -> None:
    """Each look at a document is recorded while its rows are being read."""
    held = [own.tenant("alfa") for _ in range(20)]
    try:
        for each in held:
            each.__enter__()
        with bind.connect() as connection:
            assert connection.execute(sa.text("SELECT 1")).scalar_one() == 1
    finally:
        for each in held:
            each.__exit__(None, None, None)


@example(Decimal("9999999999999999.00"))
@given(
    st.decimals(Decimal(-(10**16)), Decimal(10**16), allow_nan=False, places=2)
    | st.decimals(Decimal(-1000), Decimal(1000), allow_nan=False, places=6)
)
def test_numbers_are_written_as_the_locale_does_to_the_last_cent(value: Decimal) -> None:
    expected = format_decimal(value, "#,##0.00", locale="it_IT")
    assert words.number(value) == expected and words.euro(value) == f"{expected} €" and words.percent(value) == f"{expected} %"
    assert words.whole(int(value)) == format_decimal(int(value), "#,##0", locale="it_IT")


@pytest.mark.parametrize(
    ("value", "shown"), [(2.675, "2,68"), (0.1, "0,10"), (1234.5, "1.234,50"), (None, "–"), (Decimal("0.125"), "0,12")]
)
def test_a_float_is_written_as_it_reads(value: float | Decimal | None, shown: str) -> None:
    assert words.number(value) == shown

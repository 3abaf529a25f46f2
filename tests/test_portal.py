"""The clients' desk: who may see what, what an upload becomes, what the pages and the API say."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import httpx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from pcc_pipeline.arrival.landing import land
from pcc_pipeline.arrival.welcome import Unwelcome, safe_name
from pcc_pipeline.database.engine import engine
from pcc_pipeline.database.publish import Publication, publish
from pcc_pipeline.database.schema import SCHEMA, published, table
from pcc_pipeline.installation import Installation
from pcc_pipeline.review.operations import Selection, decide_operations
from pcc_pipeline.review.standing import published_anew
from pcc_pipeline.settings import Settings
from pcc_pipeline.store import Store
from pcc_pipeline.tables import FEEDS, TABLES
from portal import audit, wall
from portal.accounts import FAILURES, LOCKED_FOR, AccountError, add_user, check_password
from portal.app import create_app
from portal.files import table_file
from portal.queries import due
from portal.tenancy import DeskDatabase
from portal.tokens import new_token
from portal.words import translator

PASSWORD = "una lunga parola d'ordine"
SECRETS = {"alfa": "SEGRETO DI ALFA", "beta": "SEGRETO DI BETA"}
AMOUNTS = {"alfa": Decimal("1234.50"), "beta": Decimal("98765.43")}

PAGES = (
    "/", "/in-corso", "/scadenze", "/creditori", "/creditori?cerca=segreto", "/documenti", "/documenti?numero=1", "/anomalie", "/consegne", "/domande", "/indicatori",
    "/servizio", "/indicatori/ITP/2025", "/rapporti", "/operazioni", "/operazioni?stato=proposed",
    "/servizio?per=quarter", "/segnalazioni", "/segnalazioni?stato=closed", "/scadenze?mese=2025-11&vista=right",
    "/documenti?scadenza=2025-11-01", "/documenti?scadenza=2025-11-01..2025-11-30&vista=right", "/creditori/09999999999",
    "/documento?progressivo=P1", "/esporta/document_events.csv", "/esporta/ticket_contacts.csv",
    "/creditori/01234567890", "/documento?id_documento=D1", "/esporta/stock_by_creditor.csv", "/esporta/debt_positions.csv",
)  # fmt: skip


def _publish(settings: Settings, ente: str) -> None:
    """A published state of one document, with the ente's secret in every name."""
    rows = {
        "stock": [{"view": view, "amount": AMOUNTS[ente], "documents": 1} for view in ("pcc", "right", "projected")],
        "stock_by_creditor": [
            {"view": "right", "creditor": "01234567890", "creditor_name": SECRETS[ente], "amount": AMOUNTS[ente], "documents": 1}
        ],
        "stock_by_due_date": [{"view": "right", "bucket": "31-60", "amount": AMOUNTS[ente], "documents": 1}],
        "debt_positions": [
            {
                "view": "right", "observed_at": date(2026, 1, 20), "id_documento": "D1", "progressivo_registrazione": "P1",
                "tipo_documento": "TD01", "numero": "1/A", "issue_date": date(2025, 10, 1), "issue_year": 2025, "origin": "SDI", "reception_date": date(2025, 10, 2),
                "due_date": date(2025, 11, 1), "original_creditor": "09999999999", "creditor": "01234567890",
                "creditor_name": SECRETS[ente], "original_creditor_name": f"{SECRETS[ente]} (già)", "days_past_due": 60, "bucket": "31-60", "reason": "DUE", "stock": AMOUNTS[ente],
                "open_amount": AMOUNTS[ente], "commercial_amount": AMOUNTS[ente], "paid_at_reference": Decimal(0),
                "paid_at_observation": Decimal(0), "not_payable": Decimal(0), "suspended_excluded": Decimal(0),
            }
        ],
        "questions": [
            {
                "code": "AMOUNT_DIFFERS", "id_documento": "D1", "progressivo_registrazione": "P1", "addressee": "ENTE", "severity": "high",
                "question": f"{SECRETS[ente]}: quale importo è giusto?", "amount": Decimal(10), "remaining": Decimal(10), "numero": "1/A",
                "data_emissione": date(2025, 10, 1), "original_creditor": "01234567890", "creditor": "01234567890",
                "observed_at": date(2026, 1, 20),
            }
        ],
        "document_events": [
            {"id_documento": "D1", "side": "ERP", "kind": "PAYMENT", "row_id": 1, "day": date(2025, 12, 3), "first_seen": False,
             "amount": Decimal("7.00"), "reference": f"M1 {SECRETS[ente]}", "reference_day": date(2025, 12, 1)},
            {"progressivo_registrazione": "P1", "side": "PCC", "kind": "MOVEMENT", "row_id": 2, "day": date(2025, 11, 5),
             "first_seen": False, "amount": Decimal("5.00"), "code": "CO", "detail": "SOSPdaLIQ"},
            {"progressivo_registrazione": "P1", "side": "PCC", "kind": "BALANCE", "row_id": 16, "day": date(2026, 1, 20),
             "first_seen": False, "amount": Decimal("3.00"), "code": "SOSPESO", "words": "CONT"},
            {"id_documento": "D1", "side": "SDI", "kind": "MESSAGE", "row_id": 3, "day": date(2025, 10, 2), "first_seen": False,
             "code": "EC", "detail": "EC01", "reference": "111"},
            {"progressivo_registrazione": "P1", "side": "SDI", "kind": "MESSAGE", "row_id": 3, "day": date(2025, 10, 2),
             "first_seen": False, "code": "EC", "detail": "EC01", "reference": "111"},
        ],
        "matches": [
            {"id_documento": "D1", "progressivo_registrazione": "P1", "tier": "sdi_lot", "agreed": "creditor,number", "differed": "total"}
        ],
        "operations": [
            {
                "operation_id": f"op-{ente}", "code": "PAID_NOT_REPORTED", "id_documento": "D1", "progressivo_registrazione": "P1",
                "step": 1, "model": "003", "azione": "CP", "importo": Decimal("7.00"), "non_commercial": False, "numero_mandato": "M1",
                "numero_documento": "1/A", "data_emissione": date(2025, 10, 1), "importo_totale": Decimal("7.00"),
                "tipo_documento": "TD01", "original_creditor": "09999999999", "stock_effect": Decimal("7.00"),
                "observed_at": date(2026, 1, 20),
            }
        ],
        "sent_states": [
            {
                "operation_id": f"sent-{ente}", "attempt": 1, "file": f"{ente}.csv", "line": 2, "sent_at": datetime(2026, 1, 5, 23, 30, tzinfo=UTC),
                "progressivo_registrazione": "P1", "azione": "CO", "importo": Decimal("5.00"), "state": "refused", "answer_code": "E255",
                "reason": f"natura errata {SECRETS[ente]}", "answered_at": datetime(2026, 1, 8, 9, tzinfo=UTC), "overdue": False, "in_flight": False,
            }
        ],
        "ticket_contacts": [
            {
                "id_ticket": f"{number}-{ente}", "origin": "FEED", "channel": "EMAIL", "opened_at": datetime(2025, 12, 1, 9, tzinfo=UTC), "opened_day": date(2025, 12, 1),
                "closed_at": datetime(2025, 12, 2, 9, tzinfo=UTC) if number == "chiusa" else None, "reopened": False,
                "subject": f"{SECRETS[ente]}: {number}", "waited": 0, "minutes": Decimal(0), "limit_minutes": Decimal(120),
                "waiting": number == "aperta", "breached": False, "seen_until": datetime(2026, 1, 20, tzinfo=UTC),
            }
            for number in ("chiusa", "aperta")
        ],
        "sla_satisfaction": [
            {
                "channel": channel, "period_kind": "month", "period": period, "ratings": 4, "positive": 3, "neutral": 0, "negative": 1,
                "positive_share": Decimal(75), "neutral_share": Decimal(0), "negative_share": Decimal(25), "closed": True,
                "seen_until": datetime(2026, 1, 20, tzinfo=UTC),
            }
            for period in ("2025-11", "2025-12") for channel in ("EMAIL", "ALL")
        ],
    }  # fmt: skip
    store = Store(settings.store_url)
    files = {}
    for name, values in rows.items():
        schema = pa.schema([field.with_nullable(True) for field in TABLES[name].arrow_schema])
        full = [{"ente": ente, "reference_date": date(2025, 12, 31), **row} for row in values]
        with store.write(f"trial/{ente}/{name}.parquet") as target:
            pq.write_table(pa.Table.from_pylist(full, schema=schema), target)
        files[name] = store.uri(f"trial/{ente}/{name}.parquet")
    publish(engine(settings), ente, files, Publication(date(2025, 12, 31), date(2026, 1, 20)), after=published_anew)


@pytest.fixture
def desk(settings: Settings) -> Iterator[TestClient]:
    """The desk with two published enti, a user of each, an operator."""
    for ente in SECRETS:
        _publish(settings, ente)
        add_user(engine(settings), f"chi@{ente}.it", ente.title(), "ente_manager", ente, PASSWORD)
    add_user(engine(settings), "operatore@fornitore.it", "Operatore", "operator", None, PASSWORD)
    with TestClient(create_app(settings)) as client:
        yield client


def try_password(client: TestClient, email: str, password: str = PASSWORD) -> httpx.Response:
    """What the desk says to somebody who fills in the form of sign-in."""
    token = client.get("/accesso").text.split('name="csrf" value="')[1].split('"')[0]
    return client.post("/accesso", data={"csrf": token, "email": email, "password": password}, follow_redirects=False)


def _sign_in(client: TestClient, email: str, password: str = PASSWORD) -> None:
    answer = try_password(client, email, password)
    assert answer.status_code == 303, answer.text


def _csrf(client: TestClient) -> str:
    return client.get("/consegne").text.split('name="csrf" value="')[1].split('"')[0]


def test_nothing_is_shown_without_signing_in(desk: TestClient) -> None:
    for path in PAGES:
        answer = desk.get(path, follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (303, "/accesso"), path
    assert desk.post("/consegne", follow_redirects=False).headers["location"] == "/accesso"


@pytest.mark.parametrize(("mine", "other"), [("alfa", "beta"), ("beta", "alfa")])
def test_every_page_shows_ones_own_ente_alone(desk: TestClient, mine: str, other: str) -> None:
    _sign_in(desk, f"chi@{mine}.it")
    seen = ""
    for path in PAGES:
        answer = desk.get(path)
        assert answer.status_code == 200, path
        seen += answer.text
    assert SECRETS[mine] in seen and SECRETS[other] not in seen
    assert "98.765,43" not in seen or mine == "beta"


def test_another_ente_cannot_be_chosen_nor_smuggled_in(desk: TestClient, settings: Settings) -> None:
    _sign_in(desk, "chi@alfa.it")
    token = _csrf(desk)
    assert desk.post("/enti", data={"csrf": token, "ente": "beta"}).status_code == 403
    with engine(settings).begin() as connection:  # even a session that names the wrong ente shows nothing of it
        connection.execute(sa.update(table("sessions")).values(ente="beta"))
    assert SECRETS["beta"] not in desk.get("/creditori").text
    assert desk.get("/enti", follow_redirects=False).headers["location"] == "/"


def test_the_database_itself_keeps_enti_apart(desk: TestClient, settings: Settings) -> None:
    for name in wall.readable():
        with DeskDatabase(settings).tenant("alfa") as connection:
            enti = set(connection.execute(sa.text(f"SELECT DISTINCT ente FROM {SCHEMA}.{name}")).scalars())
        assert enti <= {"alfa"}, name
    with DeskDatabase(settings).tenant("nobody") as connection:
        assert connection.execute(sa.text(f"SELECT count(*) FROM {SCHEMA}.stock")).scalar_one() == 0
    for name in ("users", "sessions", "audit", "api_tokens"):
        with DeskDatabase(settings).tenant("alfa") as connection:
            assert connection.execute(sa.text(f"SELECT * FROM {SCHEMA}.{name}")).all() == []
    with DeskDatabase(settings).tenant("alfa") as connection, pytest.raises(sa.exc.DBAPIError):
        connection.execute(sa.text(f"DELETE FROM {SCHEMA}.stock"))
    with DeskDatabase(settings).tenant_engine("alfa") as restricted, restricted.connect() as connection:
        assert set(connection.execute(sa.text(f"SELECT ente FROM {SCHEMA}.stock")).scalars()) == {"alfa"}


def test_every_published_table_of_an_ente_is_guarded(desk: TestClient, settings: Settings) -> None:
    query = sa.text("SELECT relname FROM pg_class WHERE relrowsecurity AND relnamespace = 'pcc'::regnamespace")
    with engine(settings).connect() as connection:
        guarded = set(connection.execute(query).scalars())
    assert {name for name, found in published().items() if "ente" in found.column_names} <= guarded


def test_an_operator_chooses_the_ente(desk: TestClient) -> None:
    _sign_in(desk, "operatore@fornitore.it")
    overview = desk.get("/").text
    assert "1.234,50 €" in overview and "98.765,43 €" in overview
    token = overview.split('name="csrf" value="')[1].split('"')[0]
    assert "98.765,43" in desk.post("/enti", data={"csrf": token, "ente": "beta"}).text


def test_reports_are_written_once_and_downloaded_as_files(desk: TestClient, settings: Settings) -> None:
    _sign_in(desk, "chi@alfa.it")
    assert desk.get("/rapporti/2025-12-31/report.html").status_code == 404
    csrf = {"csrf": _csrf(desk)}
    written = desk.post("/rapporti", data=csrf).text
    assert "I rapporti dicono ciò che è pubblicato" in written and written.count("/rapporti/2025-12-31/") == 5
    place = settings.home / "reports" / "alfa" / "2025-12-31"
    before = {path.name: path.stat().st_mtime_ns for path in place.iterdir()}
    desk.post("/rapporti", data=csrf)
    assert {path.name: path.stat().st_mtime_ns for path in place.iterdir()} == before
    page = desk.get("/rapporti/2025-12-31/report.html")
    assert "1.234,50 €" in page.text and page.headers["content-disposition"].startswith("attachment")
    assert desk.get("/rapporti/2025-12-31/report.pdf").content.startswith(b"%PDF")
    (settings.home / "reports" / "alfa" / "segreto.csv").write_text("x")
    for path in (
        "/rapporti/../segreto.csv",
        "/rapporti/%2e%2e/segreto.csv",
        "/rapporti/2025-12-31/..%2fsegreto.csv",
        "/rapporti/2025-12-31/x.csv",
    ):
        assert desk.get(path).status_code == 404, path
    _publish(settings, "alfa")
    assert "più vecchi" in desk.get("/rapporti").text
    _sign_in(desk, "chi@beta.it")
    assert desk.get("/rapporti/2025-12-31/report.html").status_code == 404
    assert "2025-12-31/" not in desk.get("/rapporti").text


def test_a_probe_learns_whether_the_desk_can_serve(desk: TestClient, settings: Settings) -> None:
    assert desk.get("/health").json() == {"status": "ok"}
    gone = create_app(replace(settings, database_url="postgresql+psycopg://nobody@127.0.0.1:9/pcc?connect_timeout=1"))
    assert TestClient(gone).get("/health").status_code == 503  # without `with`: nothing is opened at its start


def test_who_saw_what_is_kept_once_an_hour(desk: TestClient, settings: Settings) -> None:
    _sign_in(desk, "chi@alfa.it")
    for path in ("/creditori?cerca=a", "/creditori?cerca=b", "/documento?id_documento=D1", "/documento?id_documento=D2&x=1"):
        desk.get(path)
    token = new_token(engine(settings), "beta", "gestionale", 1, datetime.now(UTC))
    for _ in range(2):
        desk.get("/api/v1/tabelle/stock", headers={"Authorization": f"Bearer {token}"})
    t = table("audit")
    query = sa.select(t.c.who, t.c.ente, t.c.detail).where(t.c.action == "view").order_by(t.c.entry)
    with engine(settings).connect() as connection:
        assert connection.execute(query).all() == [
            ("chi@alfa.it", "alfa", "/creditori"),
            ("chi@alfa.it", "alfa", "/documento?id_documento=D1"),
            ("chi@alfa.it", "alfa", "/documento?id_documento=D2"),
            ("token gestionale", "beta", "/api/v1/tabelle/stock"),
        ]
    seen = audit.SeenPage()
    assert [seen.anew("a", "/", datetime(2026, 1, 1, hour)) for hour in (8, 8, 9)] == [True, False, True]


def test_an_ente_is_called_by_its_name_where_the_register_knows_it(desk: TestClient, settings: Settings) -> None:
    row = {"ente": "_provider", "codice_ente": "alfa", "denominazione": "Comune di Alfa", "state": "active", "processed": True,
           "missing": [], "at_risk": False, "seen_on": date(2026, 1, 20)}  # fmt: skip
    with engine(settings).begin() as connection:
        connection.execute(sa.insert(table("service_life")).values(row))
    _sign_in(desk, "chi@alfa.it")
    assert "Comune di Alfa" in desk.get("/").text
    _sign_in(desk, "chi@beta.it")
    assert "Comune di Alfa" not in desk.get("/").text and " · beta" in desk.get("/").text
    _sign_in(desk, "operatore@fornitore.it")
    assert "Comune di Alfa" in desk.get("/enti").text


def test_a_form_without_its_token_is_refused(desk: TestClient, settings: Settings) -> None:
    _sign_in(desk, "chi@alfa.it")
    files = {"files": ("stock.csv", b"a;b\n1;2\n")}
    for data in ({}, {"csrf": "guessed"}):
        assert desk.post("/consegne", data=data, files=files).status_code == 403
    assert not any(settings.inbox.rglob("*.csv"))


def test_wrong_passwords_lock_the_account_and_then_the_address(desk: TestClient, settings: Settings) -> None:
    connected, now = engine(settings), datetime.now(UTC)
    for _ in range(FAILURES):
        assert check_password(connected, "chi@alfa.it", "sbagliata", now) is None
    assert check_password(connected, "chi@alfa.it", PASSWORD, now) is None
    assert check_password(connected, "CHI@alfa.it", PASSWORD, now + LOCKED_FOR + timedelta(seconds=1)) is not None
    try_password(desk, "chi@alfa.it", "no")
    with connected.connect() as connection:  # under its ente, so that it goes when the ente is erased
        entry = sa.select(table("audit").c.ente).where(table("audit").c.who == "chi@alfa.it")
        assert connection.execute(entry).scalars().all() == ["alfa"]
    statuses = [try_password(desk, f"{n}@x.it", "no").status_code for n in range(21)]
    assert statuses == [401] * 19 + [429] * 2


def test_signing_out_ends_the_session(desk: TestClient) -> None:
    _sign_in(desk, "chi@alfa.it")
    cookie = desk.cookies["pcc_desk"]
    desk.post("/uscita", data={"csrf": _csrf(desk)})
    desk.cookies.set("pcc_desk", cookie)
    assert desk.get("/", follow_redirects=False).status_code == 303


@pytest.mark.parametrize(
    ("email", "role", "ente", "password"),
    [
        ("nobody", "operator", None, PASSWORD), ("a@b.it", "king", None, PASSWORD), ("a@b.it", "ente_user", None, PASSWORD),
        ("a@b.it", "operator", "alfa", PASSWORD), ("a@b.it", "ente_user", "Alfa!", PASSWORD), ("a@b.it", "operator", None, "short"),
    ],
)  # fmt: skip
def test_accounts_that_cannot_be(settings: Settings, email: str, role: str, ente: str | None, password: str) -> None:
    with pytest.raises(AccountError):
        add_user(engine(settings), email, "", role, ente, password)


PAYMENTS = "id_documento;numero_mandato;data_pagamento;importo\nD1;M1;2025-12-31;10.50\nD2;M2;2025-12-30;molto\nD3;M3;2025-12-13;1.00\n"


def _landed(settings: Settings) -> list[str]:
    found = [path for path in settings.inbox.rglob("*") if path.is_file()]
    return sorted(path.relative_to(settings.inbox).as_posix() for path in found)


def test_an_upload_of_a_named_kind_reaches_the_inbox_and_its_errors_are_shown_at_once(
    desk: TestClient, settings: Settings
) -> None:
    _sign_in(desk, "chi@alfa.it")
    files = [
        ("files", ("pagamenti.csv", PAYMENTS.encode())),
        ("files", ("virus.csv", b"MZ\x90\0\0")),
        ("files", ("vuoto.csv", b"")),
    ]
    answer = desk.post("/consegne", data={"csrf": _csrf(desk), "kind": "erp_payments"}, files=files)
    assert "Pagamenti del gestionale: 2 righe leggibili, 1 rifiutate" in answer.text
    assert "molto" in answer.text and "Il file è un programma" in answer.text and "Il file è vuoto" in answer.text
    assert _landed(settings) == ["alfa/erp_payments/pagamenti.csv"]
    assert (settings.inbox / "alfa/erp_payments/pagamenti.csv").read_text() == PAYMENTS


def test_a_large_file_in_pieces_goes_on_where_it_stopped(desk: TestClient, settings: Settings) -> None:
    _sign_in(desk, "chi@alfa.it")
    content = "id_documento;numero_mandato;data_pagamento;importo\n" + "".join(
        f"D{n};M{n};2025-12-31;10.50\n" for n in range(1000)
    )
    data = content.encode()
    asked = {"csrf": _csrf(desk), "name": "grande.csv", "size": str(len(data)), "changed": "1"}
    begun = desk.post("/consegne/parti", data=asked).json()
    assert begun["offset"] == 0
    address = f"/consegne/parti/{begun['key']}"

    def send(start: int, end: int) -> dict[str, object]:
        answer = desk.post(address, data={"csrf": asked["csrf"], "offset": str(start)}, files={"piece": ("p", data[start:end])})
        return answer.json()

    assert send(0, 9000) == {"offset": 9000}
    assert send(0, 9000) == {"offset": 9000}  # sent twice, kept once
    assert "problem" in send(12000, 13000)  # a gap
    assert desk.post(f"{address}/fine", data=asked).status_code == 409
    assert desk.post("/consegne/parti", data=asked).json() == {**begun, "offset": 9000}
    send(9000, len(data))
    page = desk.post(f"{address}/fine", data=asked).text
    assert "Pagamenti del gestionale: 1.000 righe leggibili" in page and not any(
        path.is_file() for path in settings.inbox.rglob("*")
    )
    key = page.split('name="chiave" value="')[1].split('"')[0]
    confirmed = {"csrf": asked["csrf"], "chiave": key, "tipo": "erp_payments"}
    assert "1.000 righe leggibili" in desk.post("/consegne/conferma", data=confirmed).text
    (landed,) = [path for path in settings.inbox.rglob("*") if path.is_file()]
    assert landed.read_bytes() == data and not list((settings.home / "uploads").rglob("*.part"))
    _sign_in(desk, "chi@beta.it")
    assert desk.post(f"{address}/fine", data={**asked, "csrf": _csrf(desk)}).status_code == 404


def test_what_an_external_ticketing_system_delivered_is_shown_apart(desk: TestClient) -> None:
    _sign_in(desk, "chi@alfa.it")
    shown = desk.get("/servizio").text
    outside = shown.split("Segnalazioni consegnate da un sistema esterno")[-1]
    assert "aperta-alfa" in outside and "beta" not in outside and "giudizio" not in outside


def test_an_answer_becomes_a_special_case_of_ones_own_ente(desk: TestClient, settings: Settings) -> None:
    _sign_in(desk, "chi@alfa.it")
    asked = desk.get("/domande").text
    assert SECRETS["alfa"] in asked and SECRETS["beta"] not in asked
    fields = {
        "csrf": _csrf(desk),
        "codice": "AMOUNT_DIFFERS",
        "scelta": '["D1", "P1"]',
        "risposta": "NON_COMMERCIALE",
    }
    assert "manca la data" in desk.post("/domande", data=fields).text
    assert desk.post("/domande", data={**fields, "scelta": '["D9", null]'}).status_code == 404
    assert "Risposta registrata" in desk.post("/domande", data={**fields, "dal": "2025-01-01"}).text
    (case,) = [path for path in settings.inbox.rglob("*") if path.is_file()]
    assert case.parent == settings.inbox / "alfa" / "special_cases" and "NON_COMMERCIALE" in case.read_text()


def _text(page: str) -> str:
    return " ".join(re.sub("<[^>]*>", " ", page).split())


@pytest.mark.parametrize("address", ["/documento?id_documento=D1", "/documento?progressivo=P1"])
def test_a_document_tells_its_history_on_both_sides_in_time_order(desk: TestClient, address: str) -> None:
    _sign_in(desk, "chi@alfa.it")
    page = desk.get(address).text
    told = _text(page.split('id="storia"')[1].split("</table>")[0])
    order = [
        "01/10/2025 Documento Emesso", "02/10/2025 SDI Messaggio – esito del committente: accettata",
        "01/11/2025 Documento Scadenza", "05/11/2025 PCC Movimento 5,00 € contabilizzazione da liquidato a sospeso",
        "03/12/2025 Gestionale Pagamento 7,00 € mandato M1", "06/01/2026 PCC Operazione inviata", "08/01/2026 PCC Risposta",
    ]  # fmt: skip
    places = [told.find(text) for text in order]
    assert -1 not in places and places == sorted(places), (places, told)
    assert told.count("Messaggio") == 1 and "E255: natura errata" in told  # the message reached both sides, and is told once
    whole = _text(page)
    assert "Abbinato per lotto SDI e numero normalizzato, o lotto con un solo documento e stesso importo: concordano" in whole
    assert "concordano creditore, numero; differiscono totale." in whole
    assert "Sospeso 3,00 € 20/01/2026 CONT" in whole
    assert "Domande aperte Importo diverso" in whole


def test_the_operations_of_a_document_bear_their_state(desk: TestClient, settings: Settings) -> None:
    def state() -> str:
        return _text(desk.get("/documento?id_documento=D1").text).split("Operazioni proposte su PCC")[1]

    _sign_in(desk, "chi@alfa.it")
    assert "1. comunicazione di pagamento 7,00 € mandato M1 da decidere" in state()
    decide_operations(engine(settings), "alfa", "approve", Selection(operations=("op-alfa",)), who="chi@alfa.it")
    assert "approvata, da inviare" in state()
    _sign_in(desk, "chi@beta.it")
    assert "da decidere" in state() and "approvata" not in state()


def test_the_calendar_leads_to_the_documents_due_that_day(desk: TestClient) -> None:
    _sign_in(desk, "chi@alfa.it")
    page = desk.get("/scadenze?mese=2025-11").text
    assert 'href="/documenti?scadenza=2025-11-01&amp;vista=right">1.234,50 €' in page
    assert 'href="/documenti?scadenza=2025-11-01..2025-11-30&amp;vista=right">1<' in page
    assert "?mese=2025-10&amp;vista=right" in page and "?mese=2025-12&amp;vista=right" in page
    assert "scadenza=2025" not in desk.get("/scadenze?mese=2025-11&vista=pcc").text  # another view has none of it
    assert "dicembre 2025" in desk.get("/scadenze").text  # the reference date's month
    for wanted, there in (
        ("2025-11-01", True),
        ("2025-11-02", False),
        ("2025-10-31..2025-11-01", True),
        ("2025-11-02..2025-12-31", False),
    ):
        assert ("1/A" in desk.get(f"/documenti?scadenza={wanted}").text) is there, wanted
    assert desk.get("/documenti?scadenza=domani").status_code == 422
    assert desk.get("/scadenze?mese=2025-13").status_code == 422


def test_the_weeks_of_a_month_hold_each_of_its_days_once(desk: TestClient, settings: Settings) -> None:
    with DeskDatabase(settings).tenant("alfa") as connection:
        for month in (date(2024, 2, 29), date(2025, 12, 31), date(2026, 2, 1)):
            days = [day for week in due.by_day(connection, "alfa", "right", month) for day in week if day]
            first, last = due.month_of(month)
            assert [day.first for day in days] == [first + timedelta(days=n) for n in range((last - first).days + 1)]
            assert all(len(week) == 7 for week in due.by_day(connection, "alfa", "right", month))
        year = due.by_month(connection, "alfa", "right", 2025)
    assert [found.documents for found in year] == [0] * 10 + [1, 0] and sum(found.amount for found in year) == AMOUNTS["alfa"]


def test_creditors_are_found_by_who_they_took_over_from(desk: TestClient) -> None:
    _sign_in(desk, "chi@alfa.it")
    for search, there in (("09999999999", True), ("(già)", True), ("0123456", True), ("%", False), ("09999_99999", False)):
        assert ("1.234,50 €" in desk.get("/creditori", params={"cerca": search}).text) is there, search
    present = _text(desk.get("/creditori/01234567890").text)
    assert "Corretto 1.234,50 € 1 documenti nello stock" in present and "31–60 giorni 1.234,50 €" in present
    assert "SEGRETO DI ALFA (già)" in present
    original = _text(desk.get("/creditori/09999999999").text)
    assert original.startswith("SEGRETO DI ALFA (già)") and "1/A" in original and "nello stock" not in original


def test_satisfaction_is_drawn_from_its_table_in_time_order(desk: TestClient) -> None:
    _sign_in(desk, "chi@alfa.it")
    table = desk.get("/servizio").text.split('id="giudizi"')[1].split("</table>")[0]
    assert (
        table.index("2025-11") < table.index("2025-12")
        and table.count('data-value="3"') == 2
        and table.count('data-value="1"') == 2
    )


def test_every_table_has_its_files_under_it(installation: Installation, desk: TestClient, settings: Settings) -> None:
    files: set[str] = set()
    _sign_in(desk, "chi@alfa.it")
    upload = [("files", ("pagamenti.csv", b"id_documento;numero_mandato;data_pagamento;importo\nD1;M1;2025-12-31;10.50\n"))]
    desk.post("/consegne", data={"csrf": _csrf(desk), "kind": "erp_payments"}, files=upload)
    land(installation)
    for path in (*PAGES, "/persone"):
        if path.startswith("/esporta"):
            continue
        page = desk.get(path).text
        for number, rest in enumerate(page.split("</table>")[1:]):
            found = re.findall(r'href="(/[^"]+\.(?:csv|xlsx))"', rest.split("<table")[0])
            assert len(found) == 2, (path, number)
            files |= set(found)
    assert {"/consegne/storico.csv", "/persone/registro.xlsx", "/esporta/sla_satisfaction.csv"} <= files
    for address in sorted(files):
        answer = desk.get(address)
        assert answer.status_code == 200 and SECRETS["beta"] not in answer.text, address
        assert answer.headers["content-disposition"].startswith("attachment")
    assert "pagamenti.csv" in desk.get("/consegne/storico.csv").text


def test_files_of_people_and_enti_are_for_those_who_see_the_pages(desk: TestClient, settings: Settings) -> None:
    add_user(engine(settings), "altro@alfa.it", "Altro", "ente_user", "alfa", PASSWORD)
    _sign_in(desk, "altro@alfa.it")
    assert {desk.get(f"/persone/{name}").status_code for name in ("accessi.csv", "registro.csv")} == {403}
    assert desk.get("/enti.csv").status_code == 403
    _sign_in(desk, "chi@alfa.it")
    people = desk.get("/persone/accessi.csv").text
    assert "altro@alfa.it" in people and "beta" not in people and "argon2" not in people
    _sign_in(desk, "operatore@fornitore.it")
    assert "alfa,,2025-12-31," in desk.get("/enti.csv").text and ",98765.43" in desk.get("/enti.csv").text
    assert desk.get("/enti.xlsx").content.startswith(b"PK")
    # The provider's own figures are published too, and are of no ente.
    own = {"ente": "_provider", "reference_date": date(2025, 12, 31), "observed_at": date(2026, 1, 20), "run_id": "r", "rows": 0,
           "seen_sequence": 0, "published_at": datetime(2026, 1, 20, tzinfo=UTC)}  # fmt: skip
    with engine(settings).begin() as connection:
        connection.execute(sa.insert(table("publications")), [own])
    assert "_provider" not in desk.get("/enti.csv").text


def test_a_text_that_a_spreadsheet_would_run_is_none_in_a_file() -> None:
    body = table_file("x", "csv", ("who", "amount"), [{"who": "=1+1", "amount": Decimal("-1.50")}]).body
    assert bytes(body).decode().splitlines() == ["who,amount", "'=1+1,-1.50"]


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("../../etc/passwd.csv", "passwd.csv"),
        ("C:\\dati\\fatture.xlsx", "fatture.xlsx"),
        ("a\nb<c>.csv", "a_b_c_.csv"),
        (".nascosto.csv", "nascosto.csv"),
    ],
)
def test_names_are_made_safe(name: str, safe: str) -> None:
    assert safe_name(name) == safe


@pytest.mark.parametrize("name", ["", "...", "programma.exe", "pagina.html", "senza"])
def test_names_that_are_not_taken(name: str) -> None:
    with pytest.raises(Unwelcome):
        safe_name(name)


def test_an_archive_that_swells_is_refused(desk: TestClient, settings: Settings) -> None:
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(3):
            archive.writestr(f"{number}.csv", b"0" * 200_000_000)
    _sign_in(desk, "chi@alfa.it")
    answer = desk.post(
        "/consegne", data={"csrf": _csrf(desk), "kind": "erp_invoices"}, files={"files": ("bomba.zip", bomb.getvalue())}
    )
    assert "Archivio non accettato" in answer.text
    assert not any(settings.inbox.rglob("*.zip"))


def test_the_api_reads_one_ente(desk: TestClient, settings: Settings) -> None:
    headers = {"Authorization": f"Bearer {new_token(engine(settings), 'alfa', 'prova', 1, datetime.now(UTC))}"}
    assert desk.get("/api/v1/stato").status_code == 401
    assert desk.get("/api/v1/stato", headers={"Authorization": "Bearer pcc_guessed"}).status_code == 401
    assert desk.get("/api/v1/stato", headers=headers).json()["reference_date"] == "2025-12-31"
    for name in (row["name"] for row in desk.get("/api/v1/tabelle", headers=headers).json()):
        answer = desk.get(f"/api/v1/tabelle/{name}", headers=headers)
        assert answer.status_code == 200 and SECRETS["beta"] not in answer.text
    first = desk.get("/api/v1/tabelle/stock?size=2", headers=headers).json()
    assert (first["next"], len(first["rows"]), first["rows"][0]["amount"]) == (2, 2, "1234.50")
    assert desk.get("/api/v1/tabelle/stock?size=2&page=2", headers=headers).json()["next"] is None
    assert desk.get("/api/v1/tabelle/users", headers=headers).status_code == 404


def test_every_text_of_the_pages_has_its_english() -> None:
    import re

    from portal.words import LABELS

    folder = Path(__file__).parents[1] / "portal" / "templates"
    texts = {
        text
        for page in folder.glob("*.html")
        for text in re.findall(r"""_\(["']([^"']+(?:'[^"']+)?)["']\)""", page.read_text())
    }
    english = translator("en")
    missing = [
        text for text in sorted(texts | set(LABELS.values())) if english(text) == text and text not in ("Stock", "Ente", "Enti")
    ]
    assert len(texts) > 50 and not missing


def test_every_code_of_a_history_has_its_words() -> None:
    from pcc_pipeline.rules import match_tiers
    from pcc_pipeline.tables.history import ACCOUNTS, KINDS
    from portal.words import LABELS

    def codes(kind: str, column: str) -> tuple[str, ...]:
        return FEEDS[kind].column(column).allowed

    used = {
        "KIND": (*KINDS, "ISSUED", "DUE", "SENT", "ANSWERED", "DONE"), "STATE": (*codes("erp_invoices", "stato"), *codes("pcc_invoices", "stato_documento")),
        "MESSAGE": codes("sdi_messages", "tipo"), "OUTCOME": codes("sdi_messages", "esito"), "MOVEMENT": codes("pcc_operations", "azione"),
        "DEBT": codes("pcc_operations", "stato_debito"), "ACCOUNT": ACCOUNTS, "TIER": match_tiers(),
        "OPERATION": (*(state for state in TABLES["sent_states"].column("state").allowed if state != "refused"), "pcc_refused"),
    }  # fmt: skip
    missing = {f"{group}.{code}" for group, listed in used.items() for code in listed} - set(LABELS) - {"KIND.BALANCE"}
    assert not missing and all(used.values())

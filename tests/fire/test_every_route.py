"""Every address of the desk, as each role, with the objects of one's own ente and of another.

The addresses come from the application itself. What is expected of each is declared here; an address without a
declaration fails, so a new page is tried before it is forgotten.
"""
# ruff: noqa: F401, F811 (the desk of test_portal)

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient
from test_portal import PASSWORD, PAYMENTS, SECRETS, _landed, _publish, desk

from pcc_pipeline.arrival.landing import land
from pcc_pipeline.database.engine import engine
from pcc_pipeline.database.schema import published, table
from pcc_pipeline.installation import Installation
from pcc_pipeline.reports.letters import Letter, Paper, Sender
from pcc_pipeline.reports.write import write_ente
from pcc_pipeline.service.letters import prepare
from pcc_pipeline.settings import Settings
from pcc_pipeline.support.tickets import Person, Request, open_ticket
from portal import chunks
from portal.accounts import User, add_user
from portal.chunks import Declared
from portal.sessions import digest, open_session
from portal.tokens import new_token
from portal.web import SESSION

#: Who asks. `choosing` is an operator who has not said which ente to look at.
ROLES = ("nobody", "user", "manager", "operator", "administrator", "choosing")
ANYBODY = set(ROLES)
SIGNED_IN = ANYBODY - {"nobody"}
OF_ENTE = SIGNED_IN - {"choosing"}
MANAGES = {"manager", "administrator"}
DECIDES = {"manager", "operator", "administrator"}
PROVIDER = {"operator", "administrator", "choosing"}
ADMINISTERS = {"administrator"}
SENDS = {"operator", "administrator"}
CLIENTS = {"user", "manager"}
TOKEN: set[str] = set()  # no session opens it: a token does


@dataclass(frozen=True)
class Expected:
    """Who gets in, and with what statuses; what is sent. `{}` in a value names an object of the ente under trial: one's own,
    or another's, for which the answer is `other`."""

    who: set[str]
    ok: tuple[int, ...] = (200,)
    data: dict[str, Any] | None = None
    files: dict[str, Any] | None = None
    values: dict[str, str] = field(default_factory=dict)
    other: tuple[int, ...] | None = None
    bare: bool = False  # the form has no field: its address bears the proof
    #: What nobody gets: the way to sign in, but where a program asks.
    nobody: tuple[int, str] = (303, "/accesso")


FILE = {"suffix": "csv"}
TICKET = {"number": "{ticket}"}
MINE = {"user_id": "person", "token_hash": "token", "key": "delivery"}

#: What is expected of each address, by method and path.
EXPECTED: dict[tuple[str, str], Expected] = {
    ("MOUNT", "/static"): Expected(ANYBODY),
    ("GET", "/health"): Expected(ANYBODY),
    ("GET", "/operatori/verifica"): Expected(PROVIDER, (204,), nobody=(401, "")),
    ("GET", "/accesso"): Expected(ANYBODY),
    ("POST", "/accesso"): Expected(ANYBODY, (403,), {"email": "chi@alfa.it", "password": PASSWORD}),  # its own token is missing
    ("GET", "/accesso/identita"): Expected(ANYBODY, (404,)),  # no identity provider here
    ("GET", "/accesso/identita/ritorno"): Expected(ANYBODY, (404,)),
    ("GET", "/lingua/{code}"): Expected(ANYBODY, (303,), values={"code": "en"}),
    ("POST", "/uscita"): Expected(SIGNED_IN, (303,), {}),
    ("GET", "/password"): Expected(SIGNED_IN),
    ("POST", "/password"): Expected(SIGNED_IN, (400,), {"old": "no", "new": "no"}),
    ("GET", "/api/documentazione"): Expected(SIGNED_IN),
    ("GET", "/api/openapi.json"): Expected(SIGNED_IN),
    ("GET", "/enti"): Expected(PROVIDER),
    ("GET", "/enti.{suffix}"): Expected(PROVIDER, values=FILE),
    ("POST", "/enti"): Expected(SIGNED_IN, (303,), {"ente": "{ente}"}, other=(403, 303)),
    ("GET", "/enti/{ente}"): Expected(PROVIDER, values={"ente": "{ente}"}),
    ("POST", "/enti/{ente}/registro"): Expected(PROVIDER, (404,), {}, values={"ente": "{ente}"}),  # the register has no row of it
    ("POST", "/enti/{ente}/lettere"): Expected(PROVIDER, (404,), {"tipo": "REMINDER", "a": "x@y.it"}, values={"ente": "{ente}"}),
    ("GET", "/enti/{ente}/lettere/{number}/{file}"): Expected(
        PROVIDER, values={"ente": "{ente}", "number": "{letter}", "file": "lettera.pdf"}
    ),
    ("POST", "/enti/{ente}/lettere/{number}/{how}"): Expected(
        PROVIDER, (400,), {}, values={"ente": "{ente}", "number": "{letter}", "how": "spedisci"}  # no server is configured
    ),
    ("GET", "/ricevute"): Expected(PROVIDER),
    ("POST", "/ricevute/{name}"): Expected(PROVIDER, (404,), {"nome": "x", "a": "x@y.it"}, values={"name": "r-1"}),
    ("GET", "/nuovo-ente"): Expected(PROVIDER),
    ("POST", "/nuovo-ente"): Expected(PROVIDER, (400,), {"ente": "NO"}),
    ("GET", "/"): Expected(OF_ENTE),
    ("GET", "/in-corso"): Expected(OF_ENTE),
    ("POST", "/avvisi"): Expected(CLIENTS, (303,), {"pubblicate": "true"}),
    ("GET", "/scadenze"): Expected(OF_ENTE),
    ("GET", "/creditori"): Expected(OF_ENTE),
    ("GET", "/creditori/{creditor}"): Expected(OF_ENTE, values={"creditor": "01234567890"}),
    ("GET", "/documenti"): Expected(OF_ENTE),
    ("GET", "/documento"): Expected(OF_ENTE, values={"?": "id_documento=D1"}),
    ("GET", "/anomalie"): Expected(OF_ENTE),
    ("GET", "/cambiamenti-pcc"): Expected(OF_ENTE),
    ("GET", "/esporta/{name}.{suffix}"): Expected(OF_ENTE, values={"name": "stock_by_creditor", **FILE}),
    ("GET", "/consegne"): Expected(OF_ENTE),
    ("POST", "/consegne"): Expected(OF_ENTE, data={"kind": "erp_payments"}, files={"files": ("p.csv", PAYMENTS.encode())}),
    ("POST", "/consegne/parti"): Expected(OF_ENTE, data={"name": "g.csv", "size": "9", "changed": "1"}),
    ("POST", "/consegne/parti/{key}"): Expected(
        OF_ENTE, (409,), {"offset": "0"}, {"piece": ("p", b"x")}, {"key": "{transfer}"}, (409,)
    ),
    ("POST", "/consegne/parti/{key}/fine"): Expected(OF_ENTE, (404,), {}, values={"key": "{transfer}"}, other=(404,)),
    ("POST", "/consegne/conferma"): Expected(OF_ENTE, data={"chiave": "0" * 32, "tipo": "erp_payments"}),
    ("GET", "/consegne/storico.{suffix}"): Expected(OF_ENTE, values=FILE),
    ("GET", "/consegne/{key}"): Expected(OF_ENTE, values={"key": "{delivery}"}, other=(404,)),
    ("POST", "/consegne/{key}/conferma"): Expected(
        {"operator", "administrator"}, (404,), {}, values={"key": "{delivery}"}, other=(404,)  # none was said to be whole
    ),
    ("GET", "/modelli/{kind}.csv"): Expected(OF_ENTE, values={"kind": "open_list"}),
    ("GET", "/modelli/{kind}.xlsx"): Expected(OF_ENTE, values={"kind": "open_list"}),
    ("GET", "/domande"): Expected(OF_ENTE),
    ("POST", "/domande"): Expected(
        OF_ENTE, (200, 404),
        {"codice": "AMOUNT_DIFFERS", "scelta": '["D1", "P1"]', "risposta": "NOTA", "nota": "x"},
        files={"allegati": ("atto.pdf", b"%PDF-1.7 x")},
    ),
    ("GET", "/domande/allegati/{wanted}"): Expected(OF_ENTE, (404,), values={"wanted": "999"}, other=(404,)),
    ("POST", "/domande/{decision}/annulla"): Expected(OF_ENTE, (200, 400), {}, values={"decision": "{answer}"}, other=(400,)),
    ("GET", "/operazioni"): Expected(OF_ENTE),
    ("POST", "/operazioni"): Expected(
        DECIDES, (200,), {"decisione": "approve-ticked", "operazione": "op-{ente}"}, other=(400, 403)
    ),
    ("GET", "/file-pcc"): Expected(SENDS),
    ("POST", "/file-pcc"): Expected(SENDS, (200, 400), {"codice_fiscale": "RSSMRA80A01H501U"}),
    ("GET", "/file-pcc/{name}"): Expected(SENDS, (404,), values={"name": "no.csv"}),
    ("GET", "/file-pcc/{name}/scarica"): Expected(SENDS, (404,), values={"name": "no.csv"}),
    ("POST", "/file-pcc/{name}/caricato"): Expected(SENDS, (404,), {}, values={"name": "no.csv"}),
    ("GET", "/indicatori"): Expected(OF_ENTE),
    ("POST", "/indicatori/previsione"): Expected(OF_ENTE, (200, 400), {"fino_al": "2026-12-31", "pagate_il": "2027-01-01"}),
    ("GET", "/indicatori/{name}/{period}"): Expected(OF_ENTE, values={"name": "ITP", "period": "2025"}),
    ("GET", "/servizio"): Expected(OF_ENTE),
    ("GET", "/segnalazioni"): Expected(OF_ENTE),
    ("POST", "/segnalazioni"): Expected(CLIENTS, (303,), {"oggetto": "una richiesta", "testo": "x"}),
    ("GET", "/segnalazioni/{number}"): Expected(OF_ENTE, values=TICKET, other=(404,)),
    ("POST", "/segnalazioni/{number}"): Expected(CLIENTS, (303, 409), {"testo": "x"}, values=TICKET, other=(404,)),
    ("POST", "/segnalazioni/{number}/chiudi"): Expected(CLIENTS, (303, 409), {}, values=TICKET, other=(404,)),
    ("POST", "/segnalazioni/{number}/riapri"): Expected(CLIENTS, (303, 409), {"testo": "x"}, values=TICKET, other=(404,)),
    ("POST", "/segnalazioni/{number}/giudizio"): Expected(
        CLIENTS, (303, 409), {"voto": "POSITIVO"}, values=TICKET, other=(404,)
    ),
    ("GET", "/segnalazioni/{number}/allegati/{wanted}"): Expected(OF_ENTE, (404,), values={**TICKET, "wanted": "1"}),
    ("GET", "/assistenza"): Expected(PROVIDER),
    ("POST", "/assistenza"): Expected(PROVIDER, (303,), {"ente": "{ente}", "oggetto": "x", "testo": "x"}),
    ("GET", "/assistenza/{number}"): Expected(PROVIDER, values=TICKET),
    ("POST", "/assistenza/{number}"): Expected(PROVIDER, (303, 409), {"testo": "x"}, values=TICKET),
    ("POST", "/assistenza/{number}/prendi"): Expected(PROVIDER, (303, 409), {}, values=TICKET),
    ("POST", "/assistenza/{number}/reparto"): Expected(PROVIDER, (303, 409), {"reparto": "TECNICO"}, values=TICKET),
    ("POST", "/assistenza/{number}/chiudi"): Expected(PROVIDER, (303, 409), {}, values=TICKET),
    ("POST", "/assistenza/{number}/riapri"): Expected(PROVIDER, (303, 409), {"testo": "x"}, values=TICKET),
    ("GET", "/assistenza/{number}/allegati/{wanted}"): Expected(PROVIDER, (404,), values={**TICKET, "wanted": "1"}),
    ("GET", "/giudizio/{token}"): Expected(ANYBODY, (403,), values={"token": "x"}),  # only with a link of a mail
    ("POST", "/giudizio/{token}/{verdict}"): Expected(
        ANYBODY, (403,), {}, values={"token": "x", "verdict": "POSITIVO"}, bare=True
    ),
    ("GET", "/rapporti"): Expected(OF_ENTE),
    ("POST", "/rapporti"): Expected(OF_ENTE, data={}),
    ("GET", "/rapporti/{day}/{name}"): Expected(OF_ENTE, values={"day": "2025-12-31", "name": "report.html"}),
    ("GET", "/rapporti/{what}.xlsx"): Expected(OF_ENTE, values={"what": "lavoro"}),
    ("GET", "/persone"): Expected(MANAGES),
    ("GET", "/persone/{name}.{suffix}"): Expected(MANAGES, values={"name": "accessi", **FILE}),
    ("POST", "/persone"): Expected(MANAGES, (200, 400), {"email": "nuova@alfa.it", "password": PASSWORD}),
    ("POST", "/persone/{user_id}/chiudi"): Expected(MANAGES, data={}, values={"user_id": "{person}"}, other=(404, 403)),
    ("POST", "/persone/{user_id}/password"): Expected(
        MANAGES, data={"password": PASSWORD}, values={"user_id": "{person}"}, other=(404, 403)
    ),
    ("POST", "/gettoni"): Expected(MANAGES, data={"name": "prova"}),
    ("POST", "/gettoni/{token_hash}/revoca"): Expected(
        MANAGES, (200, 404), {}, values={"token_hash": "{token}"}, other=(404, 403)
    ),
    ("GET", "/fornitore/persone"): Expected(ADMINISTERS),
    ("POST", "/fornitore/persone"): Expected(ADMINISTERS, (200, 400), {"email": "nuovo@fornitore.it", "password": PASSWORD}),
    ("POST", "/fornitore/persone/{user_id}/chiudi"): Expected(ADMINISTERS, (404,), {}, values={"user_id": "{person}"}),
    ("POST", "/fornitore/persone/{user_id}/password"): Expected(
        ADMINISTERS, (404,), {"password": PASSWORD}, values={"user_id": "{person}"}
    ),
    ("GET", "/fornitore/rapporto"): Expected(PROVIDER),
    ("GET", "/api/v1/stato"): Expected(TOKEN),
    ("GET", "/api/v1/servizio"): Expected(TOKEN),
    ("GET", "/api/v1/tabelle"): Expected(TOKEN),
    ("GET", "/api/v1/tabelle/{name}"): Expected(TOKEN, values={"name": "stock_by_creditor"}),
}  # fmt: skip

#: Pages of all enti: what another ente's people may never see stands there.
OF_ALL = {("GET", "/enti"), ("GET", "/enti.{suffix}"), ("GET", "/fornitore/rapporto")}
OF_ALL |= {address for address in EXPECTED if address[1].startswith(("/assistenza", "/enti/", "/nuovo-ente", "/ricevute"))}


def addresses(app: Any) -> set[tuple[str, str]]:
    """Every method and path that the application answers to."""
    found = set()
    for route in app.routes:
        if hasattr(route, "effective_route_contexts"):
            found |= {(method, inner.path) for inner in route.effective_route_contexts() for method in inner.methods}
        elif getattr(route, "methods", None):
            found |= {(method, route.path) for method in route.methods - {"HEAD"}}
        else:
            found.add(("MOUNT", route.path))
    return found


class Trial:
    """The desk of two enti with people of each role and, of each ente, a delivery, a token, an account, a transfer."""

    def __init__(self, client: TestClient, settings: Settings) -> None:
        self.client, self.bind = client, engine(settings)
        self.people: dict[str, User | None] = {"nobody": None}
        for role, kind, ente in (
            ("user", "ente_user", "alfa"), ("manager", "ente_manager", "alfa"), ("operator", "operator", None),
            ("administrator", "administrator", None), ("choosing", "operator", None),
        ):  # fmt: skip
            self.people[role] = add_user(self.bind, f"{role}@prova.it", role, kind, ente, PASSWORD)
        installation = Installation(settings)
        self.objects: dict[str, dict[str, str]] = {}
        for ente in SECRETS:
            folder = settings.inbox / ente / "erp_payments"
            folder.mkdir(parents=True)
            (folder / f"{SECRETS[ente]}.csv").write_text(PAYMENTS)
            write_ente(installation, ente)
            person = add_user(self.bind, f"altra@{ente}.it", SECRETS[ente], "ente_user", ente, PASSWORD)
            self.objects[ente] = {
                "ente": ente, "person": str(person.user_id),
                "token": digest(new_token(self.bind, ente, SECRETS[ente], person.user_id, datetime.now(UTC))),
                "ticket": str(self._ticket(ente)),
                "answer": str(self._answer(ente)),
                "letter": str(self._letter(installation, ente)),
                "transfer": chunks.begin(settings, ente, person.user_id, Declared("g.csv", 9, 1)).key,
            }  # fmt: skip
        land(installation, settings.inbox, drain=True)
        with self.bind.connect() as connection:
            t = table("deliveries")
            for ente, delivery in connection.execute(sa.select(t.c.ente, t.c.delivery)):
                self.objects[ente]["delivery"] = delivery

    def _letter(self, installation: Installation, ente: str) -> int:
        paper = Paper(SECRETS[ente], (("text", ("x",)),))
        written = Letter("REMINDER", date(2026, 1, 20), paper)
        return prepare(self.bind, installation.store, ente, written, f"{ente}@pec.it", "chi", Sender())

    def _ticket(self, ente: str) -> int:
        asked = Request(ente, "SCRIVANIA", SECRETS[ente], "x")
        return open_ticket(self.bind, asked, Person("chi", False), datetime.now(UTC))

    def _answer(self, ente: str) -> int:
        t = table("answers")
        row = {
            "ente": ente, "code": "WRONG_OFFICE", "id_documento": SECRETS[ente], "answer": "NOTA", "whole_supplier": False,
            "decided_by": "chi", "decided_at": datetime.now(UTC),
        }  # fmt: skip
        with self.bind.begin() as connection:
            return int(connection.execute(sa.insert(t).values(row).returning(t.c.decision)).scalar_one())

    def ask(
        self, method: str, path: str, role: str, ente: str, *, token: bool = True, bearing: str | None = None
    ) -> tuple[int, str, str]:
        """Status, location and text of an answer to a role that looks at alfa and names objects of `ente`."""
        expected, client = EXPECTED[method, path], self.client
        if method == "MOUNT":
            method, path = "GET", f"{path}/desk.css"
        client.cookies.clear()
        csrf = ""
        if (user := self.people[role]) is not None:
            cookie = open_session(self.bind, user, datetime.now(UTC))
            client.cookies.set(SESSION, cookie)
            sessions = table("sessions")
            mine = sessions.c.token_hash == digest(cookie)
            with self.bind.begin() as connection:
                if role != "choosing":
                    connection.execute(sa.update(sessions).where(mine).values(ente="alfa"))
                csrf = connection.execute(sa.select(sessions.c.csrf).where(mine)).scalar_one()
        objects = self.objects[ente]
        values = {name: value.format(**objects) for name, value in expected.values.items()}
        query = values.pop("?", None)
        address = path.format(**values) + (f"?{query}" if query else "")
        data = None
        if expected.data is not None and not expected.bare:
            data = {name: value.format(**objects) for name, value in expected.data.items()}
            data |= {"csrf": csrf} if token else {}
        headers = {"Authorization": f"Bearer {bearing}"} if bearing else {}
        answer = client.request(method, address, data=data, files=expected.files, headers=headers, follow_redirects=False)
        return answer.status_code, answer.headers.get("location", ""), answer.content.decode("utf-8", "replace")


@pytest.fixture
def trial(desk: TestClient, settings: Settings) -> Trial:
    return Trial(desk, settings)


def test_every_address_is_declared(desk: TestClient) -> None:
    found = addresses(desk.app)
    assert found - set(EXPECTED) == set(), "say in EXPECTED who may go there"
    assert set(EXPECTED) - found == set(), "gone: take it out of EXPECTED"


def test_every_address_asks_who_is_there(trial: Trial) -> None:
    wrong = {}
    for (method, path), expected in EXPECTED.items():
        for role in ROLES:
            status, location, text = trial.ask(method, path, role, "alfa")
            if role in expected.who:
                fine = status in expected.ok
            elif expected.who is TOKEN:
                fine = status == 401
            elif role == "nobody":
                fine = (status, location) == expected.nobody
            elif role == "choosing" and (expected.who & OF_ENTE) - {"choosing"}:
                fine = (status, location) == (303, "/enti") or status == 403
            else:
                fine = status == 403 or (status, location, path) == (303, "/", "/enti")
            if not fine:
                wrong[method, path, role] = (status, location)
            if (method, path) not in OF_ALL and SECRETS["beta"] in text:
                wrong[method, path, role] = (status, "shows another ente")
    assert wrong == {}


def test_every_form_needs_its_token(trial: Trial, settings: Settings) -> None:
    before = _landed(settings)
    wrong = {}
    for (method, path), expected in EXPECTED.items():
        if method == "POST":
            for role in SIGNED_IN:
                status, location, _ = trial.ask(method, path, role, "alfa", token=False)
                if status != 403 and (status, location) != (303, "/enti"):
                    wrong[path, role] = (status, location)
            assert expected.data is not None, path
    assert wrong == {} and _landed(settings) == before


def test_nothing_of_another_ente_is_seen_or_changed(trial: Trial, settings: Settings) -> None:
    """alfa's people, and the provider's while they look at alfa, name the objects of beta."""

    def state() -> dict[str, Any]:
        found: dict[str, Any] = {"files": [path for path in _landed(settings) if path.startswith("beta/")]}
        with trial.bind.connect() as connection:
            for name in (
                "match_decisions",
                "operation_decisions",
                "answers",
                "answer_attachments",
                "delivery_confirmations",
                "model_files",
                "sent_operations",
                "model_uploads",
                "support_tickets",
                "support_messages",
                "support_judgements",
                "letters",
                "deliveries",
                "users",
                "api_tokens",
                *published(),
            ):
                t = table(name)
                if "ente" in t.c:
                    rows = connection.execute(sa.select(t).where(t.c.ente == "beta")).all()
                    found[name] = sorted(map(str, rows))
        return found

    before, wrong = state(), {}
    for (method, path), expected in EXPECTED.items():
        if (method, path) in OF_ALL and method == "POST" and path != "/enti":
            continue  # the provider works for every ente there; who may is tried above
        for role in OF_ENTE:
            status, location, text = trial.ask(method, path, role, "beta")
            if expected.other is not None and role in expected.who and status not in expected.other:
                wrong[method, path, role] = (status, location)
            if (method, path) == ("POST", "/enti") and role in ("user", "manager") and status != 403:
                wrong[method, path, role] = (status, location)
            if (method, path) not in OF_ALL and SECRETS["beta"] in text:
                wrong[method, path, role] = (status, "shows another ente")
    assert wrong == {}
    assert state() == before


def test_a_token_reads_its_ente_and_opens_nothing_else(trial: Trial) -> None:
    person = int(trial.objects["beta"]["person"])
    token = new_token(trial.bind, "beta", "prova", person, datetime.now(UTC))
    for method, path in EXPECTED:
        status, location, text = trial.ask(method, path, "nobody", "alfa", bearing=token)
        if EXPECTED[method, path].who is TOKEN:
            assert status == 200 and SECRETS["alfa"] not in text, path
        elif EXPECTED[method, path].who is not ANYBODY:
            assert (status, location) == EXPECTED[method, path].nobody, path
    for wrong in ("", "x", token[:-1], f"{token}x", digest(token)):
        for method, path in EXPECTED:
            if EXPECTED[method, path].who is TOKEN:
                assert trial.ask(method, path, "nobody", "alfa", bearing=wrong)[0] == 401

"""The support desk's pages: clients open, follow and judge; the provider takes, answers, closes; figures move at once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient
from test_portal import PASSWORD, try_password

from pcc_pipeline.database.engine import engine
from pcc_pipeline.database.schema import table
from pcc_pipeline.settings import Settings
from pcc_pipeline.support.links import judge_token
from portal.accounts import User, add_user
from portal.app import create_app
from portal.sessions import open_session
from portal.tenancy import DeskDatabase
from portal.tokens import new_token
from portal.web import SESSION

NOTE = "il cliente è sempre in ritardo"


class People:
    """A client of each of two enti, two operators, each a sign-in away."""

    def __init__(self, client: TestClient, settings: Settings) -> None:
        self.client, self.bind = client, engine(settings)
        self.users: dict[str, User] = {}
        for name, role, ente in (
            ("chi", "ente_user", "alfa"), ("altro", "ente_manager", "beta"), ("anna", "operator", None), ("bruno", "administrator", None),
        ):  # fmt: skip
            self.users[name] = add_user(self.bind, f"{name}@prova.it", name.title(), role, ente, PASSWORD)

    def get(self, who: str, path: str) -> str:
        self._become(who)
        answer = self.client.get(path)
        assert answer.status_code == 200, (path, answer.status_code)
        return answer.text

    def status(self, who: str, path: str) -> int:
        self._become(who)
        return self.client.get(path, follow_redirects=False).status_code

    def post(self, who: str, path: str, *, ok: int = 200, files: dict[str, object] | None = None, **data: str) -> str:
        self._become(who)
        csrf = re.search(r'name="csrf" value="([^"]+)"', self.client.get("/password").text)
        assert csrf is not None
        answer = self.client.post(path, data={"csrf": csrf[1], **data}, files=files)
        assert answer.status_code == ok, (path, answer.status_code, answer.text[:2000])
        return answer.text

    def _become(self, who: str) -> None:
        self.client.cookies.clear()
        self.client.cookies.set(SESSION, open_session(self.bind, self.users[who], datetime.now(UTC)))


@pytest.fixture
def people(settings: Settings) -> Iterator[People]:
    with TestClient(create_app(settings)) as client:
        yield People(client, settings)


def _live(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.split('id="t-ora"')[1].split("</section>")[0]))


def test_a_ticket_from_the_client_to_the_provider_and_back(people: People, settings: Settings) -> None:
    assert "Segnalazioni aperte ora 0" in _live(people.get("chi", "/servizio"))
    asked = {"oggetto": "Manca una fattura", "testo": "Dov'è la 12/A?\n<script>"}
    shown = people.post("chi", "/segnalazioni", files={"allegati": ("prova.pdf", b"%PDF-1.7 segreto")}, **asked)
    assert "PCC-1: Manca una fattura" in shown and "&lt;script&gt;" in shown and "prova.pdf" in shown
    moved = _live(people.get("chi", "/servizio"))
    assert "Segnalazioni aperte ora 1" in moved and "In attesa di primo contatto 1" in moved and "scrivania 1 1" in moved
    assert "PCC-1" not in people.get("altro", "/segnalazioni")
    queue = people.get("anna", "/assistenza")
    assert "PCC-1" in queue and "alfa" in queue and re.search(r"2\.(400|399)", queue)  # by day a moment of it is gone
    assert "presa in carico (anna@prova.it)" in people.post("anna", "/assistenza/1/prendi")
    late = people.post("bruno", "/assistenza/1/prendi", ok=409)
    assert "già presa in carico" in late and "anna@prova.it" in late
    assert NOTE in people.post("anna", "/assistenza/1", testo=NOTE, azione="nota")
    people.post("anna", "/assistenza/1", testo="L'abbiamo trovata", azione="rispondi", attendi="true")
    seen = people.get("chi", "/segnalazioni/1")
    assert "abbiamo trovata" in seen and NOTE not in seen and "in attesa del cliente" in seen
    assert "In attesa di primo contatto 0" in _live(people.get("chi", "/servizio"))
    people.post("chi", "/segnalazioni/1", testo="Grazie")
    people.post("anna", "/assistenza/1/reparto", reparto="TECNICO")
    people.post("chi", "/segnalazioni/1/giudizio", ok=409, voto="POSITIVO")
    assert "Come è andata?" in people.post("chi", "/segnalazioni/1/chiudi")
    assert "Giudizio registrato" in people.post("chi", "/segnalazioni/1/giudizio", voto="POSITIVO")
    moved = _live(people.get("chi", "/servizio"))
    assert "Segnalazioni aperte ora 0" in moved and "scrivania 1 0 0" in moved
    assert "riaperta" in people.post("chi", "/segnalazioni/1/riapri", testo="Ancora no")
    assert people.get("anna", "/assistenza?stato=free&reparto=TECNICO").count('href="/assistenza/1"') == 1
    token = new_token(people.bind, "alfa", "prova", people.users["chi"].user_id, datetime.now(UTC))
    told = people.client.get("/api/v1/servizio", headers={"Authorization": f"Bearer {token}"}).json()
    assert told["tickets"][-1]["opened"] == 1 and told["judgements"][-1]["positive"] == 1
    # Nothing of all this is a delivery, and nothing waits to be read: no run has anything to start for.
    assert not [path for path in settings.inbox.rglob("*") if path.is_file()]
    with people.bind.connect() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(table("deliveries"))).scalar_one() == 0
        deeds = connection.execute(sa.select(table("audit").c.action).where(table("audit").c.detail == "PCC-1")).scalars().all()
    assert {"ticket_opened", "ticket_taken", "ticket_note", "ticket_answered", "ticket_passed", "ticket_closed"} <= set(deeds)


def test_phone_and_mail_are_entered_by_the_provider(people: People) -> None:
    asked = {"oggetto": "Ha chiamato", "testo": "Chiede del giornale", "contatto": "Chi@Prova.it"}
    called = people.post("anna", "/assistenza", ente="alfa", canale="TELEFONO", **asked)
    assert "presa in carico (anna@prova.it)" in called and "Minuti lavorativi che restano" not in called  # a call is a contact
    assert "Ha chiamato" in people.get("chi", "/segnalazioni") and "telefono" in people.get("chi", "/segnalazioni/1")
    assert "Minuti lavorativi che restano" in people.post("anna", "/assistenza", ente="alfa", canale="EMAIL", **asked)
    for ente in ("nessuno", "_provider", "../x", ""):
        assert "Questo ente non c" in people.post("anna", "/assistenza", ok=400, ente=ente, **asked)
    people.post("chi", "/assistenza", ok=403, ente="alfa", **asked)


def test_wrong_ente_and_wrong_role_are_refused_on_each(people: People) -> None:
    people.post("chi", "/segnalazioni", oggetto="Di alfa", testo="x", files={"allegati": ("a.txt", b"di alfa")})
    (attached,) = re.findall(r"/segnalazioni/1/allegati/\d+", people.get("chi", "/segnalazioni/1"))
    for deed in ("", "/chiudi", "/riapri", "/giudizio"):
        people.post("altro", f"/segnalazioni/1{deed}", ok=404, testo="x", voto="POSITIVO")
    assert people.status("altro", "/segnalazioni/1") == people.status("altro", attached) == 404
    assert people.status("altro", attached.replace("/1/", "/2/")) == 404
    for deed in ("", "/prendi", "/reparto", "/chiudi", "/riapri"):
        people.post("chi", f"/assistenza/1{deed}", ok=403, testo="x", reparto="TECNICO")
        people.post("anna", f"/assistenza/9{deed}", ok=404, testo="x", reparto="TECNICO")
    for path in ("/assistenza", "/assistenza/1", attached.replace("segnalazioni", "assistenza")):
        assert people.status("chi", path) == 403
    people.post("anna", "/enti", ente="alfa")
    people._become("anna")
    csrf = re.search(r'name="csrf" value="([^"]+)"', people.client.get("/password").text)
    people.client.post("/enti", data={"csrf": csrf[1] if csrf else "", "ente": "alfa"})
    for deed in ("", "/1", "/1/chiudi", "/1/riapri", "/1/giudizio"):  # the provider neither asks nor judges in a client's name
        data = {"csrf": csrf[1] if csrf else "", "testo": "x", "oggetto": "x", "voto": "POSITIVO"}
        assert people.client.post(f"/segnalazioni{deed}", data=data).status_code == 403
    people._become("anna")
    answer = people.client.get(attached.replace("segnalazioni", "assistenza"))
    assert answer.content == b"di alfa" and answer.headers["content-disposition"].startswith("attachment")
    for name, content in (("a.exe", b"x"), ("a.pdf", b"MZ")):
        people.post("chi", "/segnalazioni", ok=400, oggetto="x", testo="y", files={"allegati": (name, content)})
    for number in (0, 2**63, 10**30):
        assert people.status("chi", f"/segnalazioni/{number}") in (404, 422)
        assert people.status("anna", f"/assistenza/{number}") in (404, 422)


def test_the_database_hides_notes_and_other_enti(people: People, settings: Settings) -> None:
    for who in ("chi", "altro"):
        people.post(who, "/segnalazioni", oggetto=f"Di {who}", testo="x")
    people.post("anna", "/assistenza/1", testo=NOTE, azione="nota")
    own = DeskDatabase(settings)
    query = sa.text("SELECT ente, words FROM pcc.support_messages")
    with own.tenant("alfa") as connection:
        assert connection.execute(query).all() == [("alfa", "x")]
    with own.provider() as connection:
        assert connection.execute(query).all() == []
    with own.support.connect() as connection:
        assert len(connection.execute(query).all()) == 3
        assert connection.execute(sa.text("SELECT count(*) FROM pcc.deliveries")).scalar_one() == 0
    line = sa.text(
        "INSERT INTO pcc.support_messages (ente, number, at, who, side, kind, internal, words)"
        " VALUES (:ente, 1, now(), 'x', 'FORNITORE', 'MESSAGE', false, 'x')"
    )
    with own.tenant_engine("beta") as bind, bind.connect() as connection, pytest.raises(sa.exc.ProgrammingError):
        connection.execute(line, {"ente": "alfa"})
    with own.tenant_engine("alfa") as bind, bind.connect() as connection, pytest.raises(sa.exc.ProgrammingError):
        connection.execute(sa.text("UPDATE pcc.support_tickets SET opened_at = now()"))
    own.close()


def test_a_link_judges_one_closing_and_nothing_else(people: People, settings: Settings) -> None:
    people.post("chi", "/segnalazioni", oggetto="Da giudicare", testo="x")
    people.post("anna", "/assistenza/1/chiudi")
    with people.bind.connect() as connection:
        closed = connection.execute(sa.select(table("support_tickets").c.closed_at)).scalar_one()
    link = f"/giudizio/{judge_token(settings, 'alfa', 1, closed)}"
    people.client.cookies.clear()
    page = people.client.get(f"{link}?voto=NEGATIVO").text
    assert "data-at-once" in page and "Da giudicare" not in page
    judged = sa.select(table("support_judgements").c.verdict)
    with people.bind.connect() as connection:
        assert connection.execute(judged).all() == []  # opening it changes nothing
    done = people.client.post(f"{link}/NEGATIVO")
    assert done.status_code == 200 and "Giudizio registrato" in done.text and "data-at-once" not in done.text
    with people.bind.connect() as connection:
        assert connection.execute(judged).scalars().all() == ["NEGATIVO"]
    for wrong in (f"{link}x", "/giudizio/x", link.replace("/giudizio/", "/giudizio/x")):
        assert people.client.get(wrong).status_code == people.client.post(f"{wrong}/POSITIVO").status_code == 403
    assert people.client.post(f"{link}/OTTIMO").status_code == 422
    people.post("chi", "/segnalazioni/1/riapri", testo="Ancora")
    people.client.cookies.clear()
    assert people.client.post(f"{link}/POSITIVO").status_code == 409
    assert try_password(people.client, "chi@prova.it").status_code == 303

"""An ente of which nothing is published yet, and requests that nobody makes by the forms: pages answer, never a server error."""

from __future__ import annotations

from fastapi.testclient import TestClient
from test_portal import PAGES, PASSWORD, _csrf, _sign_in, try_password

from pcc_pipeline.database.engine import engine
from pcc_pipeline.settings import Settings
from portal.accounts import add_user
from portal.app import create_app

ODD = (
    "/persone", "/password", "/scadenze?mese=9999-12", "/scadenze?mese=0001-01", "/scadenze?mese=abc", "/documenti?scadenza=x",
    "/documenti?scadenza=2025-02-30", "/documenti?scadenza=2025-02-01..2025-01-01", "/documenti?pagina=999999",
    "/documenti?numero=%25_%5C", "/documenti?numero=%00", "/creditori?cerca=%25", "/creditori/%00", "/documento",
    "/documento?id_documento=%00", "/operazioni?pagina=0", "/operazioni?codice=zzz", "/operazioni?stato=xxx", "/rapporti/lavoro.xlsx",
    "/rapporti/domande.xlsx", "/indicatori/XXX/2025", "/consegne/abc", "/servizio?per=x", "/segnalazioni?stato=x", "/segnalazioni/0", "/segnalazioni/1/allegati/99999999999999999999", "/giudizio/x",
)  # fmt: skip

FORMS = (
    ("/rapporti", {}),
    ("/operazioni", {}),
    ("/operazioni", {"decisione": "approve", "operazione": "x\0", "pubblicazione": "1"}),
    ("/domande", {"codice": "x", "risposta": "y"}),
    ("/segnalazioni", {"oggetto": "a\0bc", "testo": "x"}),
    ("/segnalazioni", {"oggetto": "x" * 301, "reparto": "\0"}),
    ("/segnalazioni/99999999999999999999/giudizio", {"voto": "OTTIMO"}),
    ("/segnalazioni/1/riapri", {}),
    ("/giudizio/%00/POSITIVO", {}),
    ("/consegne/conferma", {"chiave": "x", "tipo": "y"}),
    ("/persone", {"email": "a\0@b.it", "password": PASSWORD}),
    ("/persone/99999999999/password", {"password": PASSWORD}),
    ("/persone/999999999999999999999/chiudi", {}),
    ("/gettoni", {"name": "a\0"}),
    ("/password", {"old": "\0", "new": "\0" * 13}),
)


def test_no_request_makes_a_server_error(settings: Settings) -> None:
    add_user(engine(settings), "n@nuovo.it", "N", "ente_manager", "nuovo", PASSWORD)
    with TestClient(create_app(settings), raise_server_exceptions=False) as client:
        _sign_in(client, "n@nuovo.it")
        statuses = {}
        for chosen in ("it", "en"):
            client.cookies.set("lingua", chosen)
            statuses |= {f"{chosen} {path}": client.get(path).status_code for path in (*PAGES, *ODD)}
        csrf = _csrf(client)
        statuses |= {
            f"POST {path} {given}": client.post(path, data={"csrf": csrf, **given}).status_code for path, given in FORMS
        }
        statuses["signing in"] = try_password(client, "a\0", "x\0").status_code
    assert {what: status for what, status in statuses.items() if status >= 500} == {}
    assert statuses["it /"] == 200 and statuses["it /documenti?numero=%00"] == 422

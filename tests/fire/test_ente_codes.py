"""A code of an ente is judged wherever it could become a path, an option of a connection, a partition."""
# ruff: noqa: F401, F811 (the desk of test_portal)

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient
from test_portal import _sign_in, desk
from typer.testing import CliRunner

from pcc_pipeline.arrival.delivery import DeliveryError, deliver
from pcc_pipeline.cli import app
from pcc_pipeline.codes import NoEnteCode, ente_code
from pcc_pipeline.database.engine import engine
from pcc_pipeline.reports.write import folder
from pcc_pipeline.settings import Settings
from portal import chunks, pending, uploads
from portal.tenancy import DeskDatabase
from portal.tokens import new_token

NO_CODES = (
    "../../victim", "..", ".", "", "a", "/etc", "alfa/..", "Alfa", "alfa beta", "alfa\0", "alfa\n", "alfa'", 'alfa"', "x" * 33,
    "x" * 100_000, "alfa -c role=postgres", "alfa;drop", "àlfa", "_provider", "alfa\\", "%2e%2e",
)  # fmt: skip


@pytest.mark.parametrize("text", NO_CODES)
def test_what_is_no_code_becomes_nothing(settings: Settings, tmp_path: Path, text: str) -> None:
    with pytest.raises(NoEnteCode):
        ente_code(text)
    with pytest.raises(NoEnteCode):
        uploads.room(settings, text)
    with pytest.raises(NoEnteCode):
        pending.place(settings, text, 1)
    with pytest.raises(NoEnteCode):
        chunks.find(settings, text, 1, "0" * 32)
    if text != "_provider":
        with pytest.raises(NoEnteCode):
            folder(settings, text)
        with pytest.raises(DeliveryError):
            deliver(settings.inbox, text, "open_list", tmp_path)
        own = DeskDatabase(settings)
        for opened in (own.tenant, own.tenant_engine):
            with pytest.raises(NoEnteCode), opened(text):
                pass


def test_codes_that_are(settings: Settings) -> None:
    assert [ente_code(text) for text in ("alfa", "c_a1", "00", "x" * 32)] == ["alfa", "c_a1", "00", "x" * 32]
    assert ente_code("_provider", provider=True) == "_provider"


def test_an_operator_chooses_enti_that_are(desk: TestClient, settings: Settings) -> None:
    _sign_in(desk, "operatore@fornitore.it")
    victim = settings.home / "victim" / "2025-01-01"
    victim.mkdir(parents=True)
    (victim / "report.html").write_text("SECRET")
    csrf = desk.get("/enti").text.split('name="csrf" value="')[1].split('"')[0]
    for text in (*(text for text in NO_CODES if len(text) < 200), "gamma"):
        answer = desk.post("/enti", data={"csrf": csrf, "ente": text}, follow_redirects=False)
        assert answer.status_code in (404, 422), text
    with engine(settings).connect() as connection:
        assert connection.execute(sa.text("SELECT DISTINCT ente FROM pcc.sessions")).scalars().all() == [None]
    assert desk.post("/enti", data={"csrf": csrf, "ente": "beta"}, follow_redirects=False).status_code == 303
    with engine(settings).begin() as connection:  # and a session that names what no ente is called shows nothing
        connection.execute(sa.text("UPDATE pcc.sessions SET ente = '../victim'"))
    answer = desk.get("/rapporti/2025-01-01/report.html", follow_redirects=False)
    assert answer.status_code in (303, 403, 404) and "SECRET" not in answer.text


@pytest.mark.parametrize(
    "command",
    [
        ["export", "stock", "--ente", "{}"], ["submit", __file__, "--ente", "{}", "--kind", "open_list"], ["report", "--ente", "{}"],
        ["run", "--inbox", "/", "--ente", "{}"], ["restage", "--kind", "open_list", "--ente", "{}"], ["connect", "--ente", "{}"],
        ["model", "write", "--ente", "{}", "--user", "x"], ["quarantine", "release", "--ente", "{}"],
        ["user", "add", "a@b.it", "--role", "ente_user", "--ente", "{}"],
        ["user", "token", "--ente", "{}", "--name", "x", "--by", "x"], ["user", "tokens", "--ente", "{}"],
    ],
)  # fmt: skip
def test_commands_take_codes_alone(command: list[str], tmp_path: Path) -> None:
    found = CliRunner().invoke(app, [part.format("../x") for part in command], env={"PCC_HOME": str(tmp_path)})
    assert found.exit_code == 2 and "tenant code" in found.output, found.output
    assert not list(tmp_path.iterdir())


def test_every_command_with_an_ente_has_it_judged() -> None:
    """A new command is tried without being listed: each option `--ente` has the judge for its callback."""
    import typer.main

    unjudged = []

    def look(name: str, command: object) -> None:
        for inner, found in getattr(command, "commands", {}).items():
            look(f"{name} {inner}", found)
        unjudged.extend(
            name for option in getattr(command, "params", []) if "--ente" in option.opts and option.callback is None
        )

    look("pcc", typer.main.get_command(app))
    assert [name for name in unjudged if name != "pcc demo"] == []  # how many enti, there


def test_a_token_is_of_an_ente(settings: Settings) -> None:
    from datetime import UTC, datetime

    with pytest.raises(NoEnteCode):
        new_token(engine(settings), "../x", "x", 1, datetime.now(UTC))

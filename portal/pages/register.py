"""The register of enti, kept by the provider's people: an ente's own page, its row to change, a new ente."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Request, Response
from fastapi.responses import RedirectResponse

from pcc_pipeline.arrival.welcome import Unwelcome
from pcc_pipeline.clock import today
from pcc_pipeline.codes import ENTE, PROVIDER
from pcc_pipeline.database.engine import lock
from pcc_pipeline.enti.keeping import FIELDS, RegisterError, enter, mark, present, written
from pcc_pipeline.enti.life import life
from pcc_pipeline.enti.overview import lists_of
from pcc_pipeline.installation import Installation
from pcc_pipeline.service import letters as post
from pcc_pipeline.tables.letters import ERASURE, LETTER_KINDS
from portal import audit
from portal.pages.access import known_ente
from portal.queries import enti as queries
from portal.sessions import DeskSession
from portal.uploads import preview
from portal.web import (
    HonestForm,
    SignedIn,
    address_of,
    database_of,
    engine_of,
    installation_for,
    now,
    only_provider,
    page,
    settings_of,
)
from portal.words import label

router = APIRouter()

#: The deadlines of the life of the service in their order, by the column that has the day, with the register's column that
#: says when what is due was done (null: nothing says so).
DEADLINES = (
    ("charge_due_on", "presa_in_carico_il"), ("lists_due_on", None), ("guaranteed_from", "attivato_il"),
    ("dismissal_due_on", None), ("erase_from", None),
)  # fmt: skip
_LONGEST = 300


async def _fields(request: Request) -> dict[str, str]:
    form = await request.form()
    given = {column.name: str(form.get(column.name, ""))[:_LONGEST] for column in FIELDS}
    return given | {name: str(form.get(name, ""))[:_LONGEST] for name in ("ente", "visto")}


Given = Annotated[dict[str, str], Depends(_fields)]


@router.get("/nuovo-ente")
def new(request: Request, session: SignedIn) -> Response:
    """The form of an ente that the register does not have."""
    only_provider(session)
    return _new(request, {}, [])


@router.post("/nuovo-ente")
def add(request: Request, session: HonestForm, given: Given) -> Response:
    """Enters a new ente."""
    only_provider(session)
    ente = given["ente"].strip()
    if ENTE.fullmatch(ente) is None or ente == PROVIDER:
        return _new(request, given, ["Il codice ha da 2 a 32 caratteri tra a-z, 0-9 e _"])
    problems = _enter(request, session, ente, given, mark(None))
    return _new(request, given, problems) if problems else RedirectResponse(f"/enti/{ente}?salvato=1", 303)


@router.get("/enti/{ente}")
def one(request: Request, session: SignedIn, ente: str, salvato: bool = False) -> Response:
    """An ente as the provider keeps it: the life of its service, its row of the register, its letters, the checks that fail."""
    only_provider(session)
    done = "Registrato. La tabella degli enti lo mostra appena il programma lo ha letto." if salvato else None
    return ente_page(request, ente, done=done)


@router.post("/enti/{ente}/registro")
def change(request: Request, session: HonestForm, ente: str, given: Given) -> Response:
    """Changes an ente's row of the register."""
    only_provider(session)
    if row_of(request, ente) is None:
        raise HTTPException(404, "L'ente non è nel registro")
    problems = _enter(request, session, ente, given, given["visto"])
    if problems:
        return ente_page(request, ente, problems=problems, given=given)
    return RedirectResponse(f"/enti/{ente}?salvato=1", 303)


def row_of(request: Request, ente: str) -> dict[str, Any] | None:
    """The register's row of an ente as it stands at this moment; None where there is none."""
    if ENTE.fullmatch(ente) is None:
        return None
    with installation_for(request, PROVIDER) as installation:
        return present(installation, ente)


@contextmanager
def row_lock(installation: Installation, ente: str) -> Iterator[None]:
    """Nobody else enters a row of the ente meanwhile."""
    with installation.engine.begin() as connection, lock(connection, f"register row {ente}"):
        yield


def ente_page(
    request: Request, ente: str, *, done: str | None = None, problems: Sequence[str] = (),
    given: Mapping[str, str] | None = None,
) -> Response:  # fmt: skip
    """An ente's page; with `problems` the form bears what was `given`. 404 for a code that nobody knows."""
    row = row_of(request, ente)
    if row is None and not known_ente(request, ente):
        raise HTTPException(404, "Questo ente non c'è")
    settings = settings_of(request)
    with database_of(request).provider() as connection:
        standing, failing = queries.standing(connection, now(), ente), queries.failing(connection, ente)
        found = life(row, today(), lists_of(settings.inbox, connection, ente)) if row else None
        letters = post.letters(connection, ente)
    return page(
        request, "ente.html", 400 if problems else 200, ente=ente, name=(row or standing or {}).get("denominazione") or ente,
        standing=standing, failing=failing, row=row, life=found, deadlines=DEADLINES, fields=FIELDS, given=given or row,
        seen=mark(row), problems=problems, done=done, letters=letters, kinds=[kind for kind in LETTER_KINDS if kind != ERASURE],
        channels={kind: post.channel(settings, kind) for kind in LETTER_KINDS},
    )  # fmt: skip


def _new(request: Request, given: Mapping[str, str], problems: Sequence[str]) -> Response:
    return page(request, "new_ente.html", 400 if problems else 200, fields=FIELDS, given=given, problems=problems)


def _enter(request: Request, session: DeskSession, ente: str, given: Mapping[str, str], seen: str) -> list[str]:
    """Enters a row as a delivery of the register; returns what is wrong with it, in Italian."""
    who = session.user.email
    with tempfile.TemporaryDirectory(prefix="pcc-register-") as folder:
        file = written(Path(folder), ente, given, who, now())
        try:
            judged = preview(file, "enti")
            if judged.refused:
                return [
                    f"{label('REGISTER.' + str(defect['field']))}: {defect['value'] or ''} {defect['reason']}"
                    for defect in judged.defects
                ]
            with installation_for(request, PROVIDER) as installation, row_lock(installation, ente):
                enter(installation, ente, file, seen)
        except (RegisterError, Unwelcome) as error:
            return [str(error)]
    audit.record(engine_of(request), who, "register_entered", ente=ente, address=address_of(request))
    return []

"""The questions to the ente, answered where they are read: a special case, a decision, or a note.

An answer goes the way of the questionnaire (`pcc_pipeline.review.answers`): one line of it, read at once.
"""

from __future__ import annotations

import csv
import tempfile
from datetime import date
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Form, HTTPException, Request, Response

from pcc_pipeline.review.answers import answers, read_answers
from pcc_pipeline.review.pairs import DecisionError
from portal import audit
from portal.queries import questions as queries
from portal.second import two_persons
from portal.web import AtDesk, Desk, HonestForm, Number, address_of, engine_of, installation_for, now, page

router = APIRouter()

Short = Annotated[str, Form(max_length=300)]


@router.get("/domande")
def questions(request: Request, desk: AtDesk, number: Number = 1) -> Response:
    """The questions, each with a form to answer it."""
    return _questions(request, desk, number)


@router.post("/domande")
def answer(
    request: Request,
    desk: AtDesk,
    session: HonestForm,
    codice: Short,
    risposta: Short,
    id_documento: Short = "",
    progressivo: Short = "",
    valore: Short = "",
    dal: Annotated[date | str, Form()] = "",
    ambito: Annotated[str, Form(pattern="^(DOCUMENTO|FORNITORE)$")] = "DOCUMENTO",
    nota: Annotated[str, Form(max_length=2000)] = "",
) -> Response:
    """Takes one answer; says what it did or what it lacks."""
    asked = queries.question(desk.connection, desk.ente, codice, id_documento or None, progressivo or None)
    if asked is None:
        raise HTTPException(404, "La domanda non è più aperta")
    row = {
        "codice": codice, "id_documento": id_documento, "progressivo_registrazione": progressivo, "risposta": risposta,
        "valore": valore, "dal": str(dal), "ambito": ambito, "nota": nota,
    }  # fmt: skip
    problem, outcome = None, None
    with tempfile.TemporaryDirectory(prefix="pcc-answer-") as folder:
        path = Path(folder) / "risposta.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(row), delimiter=";")
            writer.writeheader()
            writer.writerow(row)
        try:
            judge = two_persons(engine_of(request), desk.ente, session.user, now())
            with installation_for(request, desk.ente) as installation:
                done = read_answers(installation, desk.ente, path, who=session.user.email, approving=judge)
            problem = done.errors[0][1] if done.errors else None
            outcome = "Risposta registrata" if problem is None else None
        except DecisionError as error:
            problem = str(error)
    audit.record(engine_of(request), session.user.email, "answer", ente=desk.ente,
                 detail=f"{codice} {id_documento or progressivo}: {risposta}", address=address_of(request))  # fmt: skip
    return _questions(request, desk, 1, problem=problem, outcome=outcome)


def _questions(
    request: Request, desk: Desk, number: int, *, problem: str | None = None, outcome: str | None = None
) -> Response:
    return page(request, "questions.html", 400 if problem else 200, ente=desk.ente, published=desk.published,
                found=queries.questions(desk.connection, desk.ente, number), answers=answers(), problem=problem,
                outcome=outcome)  # fmt: skip

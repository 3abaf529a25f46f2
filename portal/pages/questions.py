"""The questions to the ente by kind, answered where they are read, one or many at once; what was answered, and its undoing.

Answers go the way of the questionnaire (`pcc_pipeline.review.answers`): its lines are made here.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter, Depends, File, Form, HTTPException, Query, Request, Response, UploadFile

from pcc_pipeline.arrival.welcome import Unwelcome
from pcc_pipeline.formats.names import plain
from pcc_pipeline.review.amounts import amount
from pcc_pipeline.review.answers import Answered, answers, take_answers
from pcc_pipeline.review.asked import asked
from pcc_pipeline.review.pairs import DecisionError
from pcc_pipeline.review.sheets import Line
from pcc_pipeline.review.withdrawal import withdraw
from portal import audit, uploads
from portal.pages.tickets import LARGEST_NUMBER, file_answer, kept
from portal.queries import questions as queries
from portal.queries.questions import QuestionFilter
from portal.second import two_persons
from portal.web import (
    AtDesk,
    BoundedRoute,
    Desk,
    HonestForm,
    Number,
    address_of,
    address_with,
    database_of,
    engine_of,
    installation_for,
    now,
    page,
)

router = APIRouter(prefix="/domande", route_class=BoundedRoute)

#: Answers that are decisions of their own, each in its transaction: so many at once.
ONE_BY_ONE, AT_ONCE = ("pair", "split", "approve", "refuse"), 200

Short = Annotated[str, Form(max_length=300)]


@dataclass(frozen=True)
class Narrowed:
    """The filter of the page, as its address or form has it."""

    code: str = ""
    text: str = ""
    least: str = ""

    def wanted(self, effect: bool | None = None) -> QuestionFilter:
        """The same as the queries take it. Raises DecisionError for an amount that is none."""
        least: Decimal | None = amount(self.least) if self.least.strip() else None
        return QuestionFilter(self.code or None, self.text.strip() or None, least, effect)


def _of_address(
    code: Annotated[str, Query(alias="tipo", max_length=40)] = "",
    text: Annotated[str, Query(alias="cerca", max_length=100)] = "",
    least: Annotated[str, Query(alias="importo", max_length=20)] = "",
) -> Narrowed:
    return Narrowed(code, text, least)


def _of_form(
    code: Annotated[str, Form(alias="tipo", max_length=40)] = "",
    text: Annotated[str, Form(alias="cerca", max_length=100)] = "",
    least: Annotated[str, Form(alias="importo", max_length=20)] = "",
) -> Narrowed:
    return Narrowed(code, text, least)


@dataclass(frozen=True)
class Given:
    """What is answered."""

    answer: Annotated[str, Form(alias="risposta", max_length=40)] = ""
    #: The same said of all by one button.
    of_all: Annotated[str, Form(alias="risposta_a_tutte", max_length=40)] = ""
    value: Annotated[str, Form(alias="valore", max_length=300)] = ""
    since: Annotated[date | str, Form(alias="dal")] = ""
    scope: Annotated[str, Form(alias="ambito", pattern="^(DOCUMENTO|FORNITORE)$")] = "DOCUMENTO"
    note: Annotated[str, Form(alias="nota", max_length=2000)] = ""


@dataclass(frozen=True)
class Chosen:
    """Of which questions of a kind it is the answer: those ticked, or all that the page counted."""

    code: Annotated[str, Form(alias="codice", max_length=40)]
    ticked: Annotated[list[str] | None, Form(alias="scelta", max_length=500)] = None
    which: Annotated[str, Form(alias="quali", pattern="^(scelte|tutte)$")] = "scelte"
    effect: Annotated[bool, Form(alias="effetto")] = False
    counted: Annotated[int, Form(alias="quante")] = 0


@router.get("")
def listed(
    request: Request, desk: AtDesk, narrowed: Annotated[Narrowed, Depends(_of_address)], number: Number = 1,
    state: Annotated[str, Query(alias="stato", pattern="^(open|answered)$")] = "open",
) -> Response:  # fmt: skip
    """The questions by kind, each kind with a form; or what was answered."""
    return _questions(request, desk, narrowed, number, state)


@router.post("")
def answer(
    request: Request,
    desk: AtDesk,
    session: HonestForm,
    chosen: Annotated[Chosen, Depends()],
    given: Annotated[Given, Depends()],
    narrowed: Annotated[Narrowed, Depends(_of_form)],
    files: Annotated[list[UploadFile] | None, File(alias="allegati")] = None,
) -> Response:
    """Takes one answer for one question or many; says what it did, and of which questions it lacks something."""
    word = given.of_all or given.answer
    try:
        rows = _rows(desk, chosen, narrowed, word, everything=bool(given.of_all) or chosen.which == "tutte")
        lines = [_line(row, word, given) for row in rows]
        judge = two_persons(engine_of(request), desk.ente, session.user, now())
        attached = [file.__dict__ for file in kept(request, desk.ente, files)]
        with installation_for(request, desk.ente) as installation:
            done = take_answers(
                installation, desk.ente, lines, who=session.user.email, approving=judge, attached=attached
            )  # fmt: skip
    except (DecisionError, Unwelcome) as error:
        return _questions(request, desk, narrowed, 1, "open", problem=str(error))
    except OSError as error:
        return _questions(request, desk, narrowed, 1, "open", problem=uploads.no_room(error))
    first = rows[0]["id_documento"] or rows[0]["progressivo_registrazione"]
    more = f" e altre {len(rows) - 1}" if len(rows) > 1 else ""
    audit.record(engine_of(request), session.user.email, "answer", ente=desk.ente,
                 detail=f"{chosen.code} {first}{more}: {word}", address=address_of(request))  # fmt: skip
    return _questions(request, desk, narrowed, 1, "open", done=done, many=len(rows))


@router.post("/{decision}/annulla")
def undo(request: Request, desk: AtDesk, session: HonestForm, decision: int) -> Response:
    """Takes back an answer, with what it did."""
    problem = "questa risposta non c'è"
    if decision < LARGEST_NUMBER:
        try:
            with installation_for(request, desk.ente) as installation:
                withdraw(installation, desk.ente, decision, who=session.user.email)
        except DecisionError as error:
            problem = str(error)
        else:
            audit.record(engine_of(request), session.user.email, "answer_undone", ente=desk.ente, detail=str(decision),
                         address=address_of(request))  # fmt: skip
            return _questions(request, desk, Narrowed(), 1, "answered", undone=True)
    return _questions(request, desk, Narrowed(), 1, "answered", problem=problem)


@router.get("/allegati/{wanted}")
def attached_file(request: Request, desk: AtDesk, wanted: int) -> Response:
    """A file attached to an answer, to download."""
    found = queries.attachment(desk.connection, desk.ente, wanted) if wanted < LARGEST_NUMBER else None
    return file_answer(request, found)


def _rows(desk: Desk, chosen: Chosen, narrowed: Narrowed, word: str, *, everything: bool) -> Sequence[sa.RowMapping]:
    """The questions that are answered. Raises DecisionError; 404 for one that is not asked."""
    wanted = narrowed.wanted(chosen.effect)
    of_kind = (
        QuestionFilter(chosen.code, wanted.text, wanted.least, wanted.effect) if everything else QuestionFilter(chosen.code)
    )
    rows = queries.all_questions(desk.connection, desk.ente, of_kind)
    if everything:
        # Who answers all must have seen how many they are.
        if len(rows) != chosen.counted or not rows:
            raise DecisionError("nel frattempo le domande sono cambiate: guardarle di nuovo prima di rispondere a tutte")
    else:
        by_key = {_key(row): row for row in rows}
        ticked = list(dict.fromkeys(chosen.ticked or ()))
        if not ticked:
            raise DecisionError("nessuna domanda scelta")
        if any(key not in by_key for key in ticked):
            raise HTTPException(404, "La domanda non è più aperta")
        rows = [by_key[key] for key in ticked]
    rule = answers().get(word)
    if rule is not None and rule["effect"] in ONE_BY_ONE and len(rows) > AT_ONCE:
        raise DecisionError(f"con questa risposta si decide su {AT_ONCE} documenti alla volta: restringere la scelta")
    return rows


def _key(row: sa.RowMapping) -> str:
    """The question's keys as one value of a form."""
    return json.dumps([row["id_documento"], row["progressivo_registrazione"]], ensure_ascii=False)


def _line(row: sa.RowMapping, word: str, given: Given) -> Line:
    """The answer as a line of the questionnaire."""
    cells = {
        "codice": row["code"], "id_documento": row["id_documento"], "risposta": word, "valore": given.value,
        "progressivo_registrazione": row["progressivo_registrazione"], "dal": str(given.since), "ambito": given.scope,
        "nota": given.note,
    }  # fmt: skip
    return Line(str(row["numero"]), {plain(name): value for name, value in cells.items() if value not in (None, "")})


def _questions(
    request: Request, desk: Desk, narrowed: Narrowed, number: int, state: str, *, problem: str | None = None,
    done: Answered | None = None, many: int = 0, undone: bool = False,
) -> Response:  # fmt: skip
    try:
        wanted = narrowed.wanted()
    except DecisionError as error:
        narrowed, problem = Narrowed(narrowed.code, narrowed.text), str(error)
        wanted = narrowed.wanted()
    shown: dict[str, Any] = {"found": None, "groups": [], "files": {}}
    # A transaction of its own: the desk's sees what stood before the answer.
    with database_of(request).tenant(desk.ente) as connection:
        if state == "answered":
            shown["found"], shown["files"] = queries.answered(connection, desk.ente, number)
        else:
            shown["groups"] = queries.groups(connection, desk.ente, wanted)
            if wanted.code is not None:
                shown["found"] = queries.questions(connection, desk.ente, number, wanted)
        total, kinds = asked(connection, desk.ente), queries.codes(connection, desk.ente)
    address = {"tipo": narrowed.code, "cerca": narrowed.text, "importo": narrowed.least, "stato": state}
    failed = problem is not None or (done is not None and len(done.errors) == many)
    return page(
        request, "questions.html", 400 if failed else 200, ente=desk.ente, published=desk.published, answers=answers(),
        narrowed=narrowed, state=state, problem=problem, done=done, many=many, undone=undone, total=total, kinds=kinds,
        key=_key, query=lambda **changes: address_with({**address, **changes}), **shown,
    )  # fmt: skip

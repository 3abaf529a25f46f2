"""The operations proposed for PCC: looked at by everyone of the ente, approved, refused and undone by who may decide.

What a decision does (two persons above the ente's limit, one reviewer after the other, what a bulk one leaves alone) is
`pcc_pipeline.review.operations`; here is only who asks, for what, and what is said of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Form, HTTPException, Query, Request, Response

from pcc_pipeline.review.operations import Selection, decide_operations
from pcc_pipeline.review.operations import limit as limit_of
from pcc_pipeline.review.pairs import DecisionError, undo
from pcc_pipeline.review.states import SHOWN_STATES
from portal import audit
from portal.queries import operations as queries
from portal.queries.operations import OperationFilter
from portal.second import two_persons
from portal.web import AtDesk, Desk, HonestForm, Number, address_of, address_with, database_of, engine_of, now, page

router = APIRouter()

#: States of which all the operations listed may be decided at once; the others are decided one by one, or not at all.
IN_BULK = (None, "proposed", "waiting", "pcc_refused")
#: States that all the operations listed may be brought back from.
UNDONE_IN_BULK = ("waiting", "approved", "refused")
_STATE = f"^({'|'.join(SHOWN_STATES)})?$"


@dataclass(frozen=True)
class DecisionResult:
    """What was done: the verdict, decisions written, those that stood already, left alone, waiting for a second person."""

    verdict: str
    written: int
    already: int = 0
    left: int = 0
    waiting: int = 0


@router.get("/operazioni")
def operations(
    request: Request,
    desk: AtDesk,
    shown: Annotated[str | None, Query(alias="stato", pattern=_STATE)] = None,
    code: Annotated[str | None, Query(alias="codice", max_length=40)] = None,
    supplier: Annotated[str | None, Query(alias="fornitore", max_length=40)] = None,
    number: Number = 1,
) -> Response:
    """The operations by state, anomaly and supplier, with the forms to decide."""
    return _operations(request, desk, _filter(shown, code, supplier), number)


@router.post("/operazioni")
def decide(
    request: Request,
    desk: AtDesk,
    session: HonestForm,
    verdict: Annotated[str, Form(alias="decisione", pattern="^(approve|refuse|undo)-(ticked|all)$")],
    named: Annotated[list[str] | None, Form(alias="operazione", max_length=200)] = None,
    reason: Annotated[str, Form(alias="motivo", max_length=2000)] = "",
    publication: Annotated[int, Form(alias="pubblicazione")] = 0,
    shown: Annotated[str, Form(alias="stato", pattern=_STATE)] = "",
    code: Annotated[str, Form(alias="codice", max_length=40)] = "",
    supplier: Annotated[str, Form(alias="fornitore", max_length=40)] = "",
    number: Annotated[int, Form(alias="pagina", ge=1, le=100_000)] = 1,
) -> Response:
    """Decides on what was ticked, or on all that the filter shows; says how many, and what was left alone. 403 for who may
    only look."""
    if not session.user.decides:
        raise HTTPException(403, "Solo chi gestisce l'ente decide sulle operazioni")
    wanted = _filter(shown, code, supplier)
    word, scope = verdict.split("-")
    reason = " ".join(reason.split())
    try:
        chosen = _chosen(desk, wanted, word, scope, named or [], publication)
        if word == "refuse" and len(reason) < 3:
            raise DecisionError("per rifiutare serve il motivo")
        outcome = _decided(request, desk, word, chosen, reason or None)
    except DecisionError as error:
        return _operations(request, desk, wanted, number, problem=str(error))
    what = ", ".join(named or ()) if scope == "ticked" else f"stato={shown} codice={code} fornitore={supplier}"
    detail = f"{outcome.written} decise, {outcome.already} già così, {outcome.left} lasciate: {what}"
    audit.record(engine_of(request), session.user.email, f"operations_{word}", ente=desk.ente, detail=detail,
                 address=address_of(request))  # fmt: skip
    return _operations(request, desk, wanted, number, outcome=outcome)


def _filter(shown: str | None, code: str | None, supplier: str | None) -> OperationFilter:
    return OperationFilter(shown or None, code or None, (supplier or "").strip() or None)


def _chosen(desk: Desk, wanted: OperationFilter, word: str, scope: str, named: list[str], publication: int) -> Selection:
    if scope == "ticked":
        if not named:
            raise DecisionError("nessuna operazione scelta")
        return Selection(tuple(dict.fromkeys(named)))
    # Who decides on all must have seen them: another calculation may have brought others.
    if desk.published is None or desk.published.publication != publication:
        raise DecisionError("nel frattempo le operazioni sono state ricalcolate: guardarle di nuovo prima di decidere su tutte")
    if wanted.shown not in (UNDONE_IN_BULK if word == "undo" else IN_BULK):
        raise DecisionError("operazioni in questo stato si decidono scegliendole una per una")
    return wanted.selection()


def _decided(request: Request, desk: Desk, word: str, chosen: Selection, reason: str | None) -> DecisionResult:
    who = desk.session.user.email
    if word == "undo":
        numbers = queries.standing(desk.connection, desk.ente, chosen)
        if not numbers:
            raise DecisionError("su queste operazioni non c'è una decisione da annullare")
        with database_of(request).tenant_engine(desk.ente) as engine:
            undone = undo(engine, desk.ente, "operation", numbers, who=who, reason=reason)
        left = max(0, len(chosen.operations) - len(numbers))
        return DecisionResult(word, undone.written, undone.already, left)
    judge = two_persons(engine_of(request), desk.ente, desk.session.user, now()) if word == "approve" else None
    with database_of(request).tenant_engine(desk.ente) as engine:
        done = decide_operations(engine, desk.ente, word, chosen, who=who, reason=reason, judge=judge)
    return DecisionResult(
        word, done.written, done.already, done.left, done.states.get("waiting", 0) if word == "approve" else 0
    )


def _operations(
    request: Request, desk: Desk, wanted: OperationFilter, number: int, *,
    problem: str | None = None, outcome: DecisionResult | None = None,
) -> Response:  # fmt: skip
    # A transaction of its own: the desk's sees what stood before the decision.
    with database_of(request).tenant(desk.ente) as connection:
        found = queries.operations(connection, desk.ente, wanted, number)
        counted = queries.counts(connection, desk.ente, wanted.supplier)
        limit = limit_of(connection, desk.ente)
    here = [count for count in counted if wanted.code in (None, count.code)]
    states = {name: sum(c.operations for c in here if c.shown == name) for name in SHOWN_STATES}
    listed = [count for count in here if wanted.shown in (None, count.shown)]
    narrowed = {"stato": wanted.shown, "codice": wanted.code, "fornitore": wanted.supplier, "pagina": number}
    return page(
        request, "operations.html", 400 if problem else 200, ente=desk.ente, published=desk.published, found=found,
        wanted=wanted, states={name: many for name, many in states.items() if many or name == wanted.shown},
        codes=sorted({count.code for count in counted} | ({wanted.code} if wanted.code else set())),
        total=sum(count.operations for count in listed), effect=sum(count.stock_effect for count in listed), limit=limit,
        decides=desk.session.user.decides, in_bulk=wanted.shown in IN_BULK, undone_in_bulk=wanted.shown in UNDONE_IN_BULK,
        problem=problem, outcome=outcome, query=lambda **changes: address_with({**narrowed, **changes}),
    )  # fmt: skip

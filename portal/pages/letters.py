"""The provider's letters to an ente: prepared, looked at, sent or taken along; and the receipts of erasures."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

import sqlalchemy as sa
from fastapi import APIRouter, Form, HTTPException, Request, Response
from fastapi import Path as Part

from pcc_pipeline.clock import today
from pcc_pipeline.codes import PROVIDER
from pcc_pipeline.enti.keeping import RegisterError, enter_values
from pcc_pipeline.enti.overview import lists_of
from pcc_pipeline.enti.receipts import receipts, verified
from pcc_pipeline.reports.letters import DATED_BY, LetterError, letter, mail, receipt_letter
from pcc_pipeline.service import letters as post
from pcc_pipeline.store import Store
from pcc_pipeline.tables.letters import ERASURE, LETTER_KINDS
from portal import audit
from portal.pages.register import ente_page, row_lock, row_of
from portal.pages.tickets import LARGEST_NUMBER
from portal.queries.paging import SIZE, Page
from portal.sessions import DeskSession
from portal.web import (
    HonestForm,
    Number,
    SignedIn,
    address_of,
    address_with,
    database_of,
    engine_of,
    installation_for,
    now,
    only_provider,
    page,
    settings_of,
)

router = APIRouter()

#: What may be written to an ente that is there.
KINDS = tuple(kind for kind in LETTER_KINDS if kind != ERASURE)
LetterNumber = Annotated[int, Part(ge=1, le=LARGEST_NUMBER)]
Address = Annotated[str, Form(alias="a", max_length=200)]


@router.post("/enti/{ente}/lettere")
def prepare(
    request: Request, session: HonestForm, ente: str,
    kind: Annotated[str, Form(alias="tipo", pattern=f"^({'|'.join(KINDS)}|)$")] = "", recipient: Address = "",
) -> Response:  # fmt: skip
    """Prepares a letter of today; it is kept until it is sent or taken along."""
    only_provider(session)
    row = row_of(request, ente)
    if row is None or not kind:
        raise HTTPException(404, "L'ente non è nel registro")
    settings = settings_of(request)
    try:
        with database_of(request).provider() as connection:
            delivered = lists_of(settings.inbox, connection, ente)
        head = post.sender(settings)
        written = letter(kind, row, today(), delivered, head)
        bind, store = database_of(request).letters, Store(settings.store_url)
        number = post.prepare(bind, store, ente, written, recipient.strip(), session.user.email, head)
    except LetterError as error:
        return ente_page(request, ente, problems=[str(error)])
    return _done(request, session, ente, "letter_prepared", f"{number} {kind}", "Lettera preparata: leggerla, poi spedirla")


@router.get("/enti/{ente}/lettere/{number}/{file}")
def download(request: Request, session: SignedIn, ente: str, number: LetterNumber, file: str) -> Response:
    """A letter as a mail (`lettera.eml`), or one of the files in it."""
    only_provider(session)
    with database_of(request).provider() as connection:
        row = post.kept_letter(connection, ente, number)
    if row is None:
        raise HTTPException(404, "Questa lettera non c'è")
    data = post.mail_of(Store(settings_of(request).store_url), row)
    content = data if file == "lettera.eml" else post.papers(data).get(file)
    if content is None:
        raise HTTPException(404, "Questo file non c'è")
    audit.record(
        engine_of(request), session.user.email, "letter", ente=ente, detail=f"{number} {file}", address=address_of(request)
    )
    return _file(f"{ente}-{number}-{file}", content)


@router.post("/enti/{ente}/lettere/{number}/{how}")
def send(
    request: Request, session: HonestForm, ente: str, number: LetterNumber, how: Literal["spedisci", "spedita"]
) -> Response:
    """Sends a letter, or notes that it went out with other means. What the register says of its day is entered with it."""
    only_provider(session)
    settings, who = settings_of(request), session.user.email
    with database_of(request).provider() as connection:
        row = post.kept_letter(connection, ente, number)
    if row is None:
        raise HTTPException(404, "Questa lettera non c'è")
    bind = database_of(request).letters
    try:
        if how == "spedisci":
            post.send(bind, settings, Store(settings.store_url), ente, number, who, today())
        else:
            post.sent_by_hand(bind, ente, number, who, today())
    except LetterError as error:
        return ente_page(request, ente, problems=[str(error)])
    try:
        _enter_day(request, ente, row, who)
    except RegisterError as error:
        return ente_page(request, ente, problems=["La lettera è partita, ma il suo giorno non è nel registro", str(error)])
    return _done(request, session, ente, "letter_sent", f"{number} {row['kind']} {how}", "Lettera spedita")


@router.get("/ricevute")
def erased(request: Request, session: SignedIn, number: Number = 1) -> Response:
    """The receipts of erasures, latest first, each with the letter that brings it."""
    only_provider(session)
    return _receipts(request, number=number)


@router.post("/ricevute/{name}")
def receipt(
    request: Request, session: HonestForm, name: str, ente_name: Annotated[str, Form(alias="nome", max_length=200)] = "",
    recipient: Address = "", how: Annotated[str, Form(alias="come", pattern="^(scarica|spedisci)$")] = "scarica",
    number: Number = 1,
) -> Response:  # fmt: skip
    """Sends the receipt of an erasure, or gives it as a file. The name and address told are not kept."""
    only_provider(session)
    settings = settings_of(request)
    known = {str(one["receipt"]): one for one in receipts(Store(settings.store_url))}
    if name not in known:
        raise HTTPException(404, "Questa ricevuta non c'è")
    head = post.sender(settings)
    try:
        if not ente_name.strip():
            raise LetterError("Manca il nome dell'ente a cui si scrive")
        written = receipt_letter(known[name], " ".join(ente_name.split()), today())
        if how == "scarica":
            audit.record(engine_of(request), session.user.email, "receipt", detail=name, address=address_of(request))
            return _file(f"{name}.eml", mail(written, recipient.strip(), head).as_bytes())
        post.send_receipt(database_of(request).letters, settings, written, name, recipient.strip(), session.user.email, head)
    except LetterError as error:
        return _receipts(request, str(error), number=number)
    audit.record(engine_of(request), session.user.email, "receipt_sent", detail=name, address=address_of(request))
    return _receipts(request, done=True, number=number)


def _enter_day(request: Request, ente: str, row: sa.RowMapping, who: str) -> None:
    """The day of a letter that begins a term, in the register where it has none."""
    column, standing = DATED_BY.get(row["kind"]), row_of(request, ente)
    if column is None or standing is None or standing[column] is not None:
        return
    day: date = row["dated"]
    with installation_for(request, PROVIDER) as installation, row_lock(installation, ente):
        enter_values(installation, ente, {column: day.isoformat()}, who, now())


def _receipts(request: Request, problem: str | None = None, *, done: bool = False, number: int = 1) -> Response:
    store = Store(settings_of(request).store_url)
    with database_of(request).provider() as connection:
        sent: dict[Any, list[sa.RowMapping]] = {}
        for row in post.letters(connection, PROVIDER):
            sent.setdefault(row["reference"], []).append(row)
    every, first = receipts(store)[::-1], (number - 1) * SIZE
    shown = [{**one, "good": verified(one), "sent": sent.get(one["receipt"], [])} for one in every[first : first + SIZE]]
    found = Page(shown, number, len(every) > first + SIZE)
    return page(request, "receipts.html", 400 if problem else 200, receipts=found, problem=problem, done=done,
                channel=post.channel(settings_of(request), ERASURE),
                query=lambda **changes: "/ricevute" + address_with(changes))  # fmt: skip


def _done(request: Request, session: DeskSession, ente: str, action: str, detail: str, words: str) -> Response:
    audit.record(engine_of(request), session.user.email, action, ente=ente, detail=detail, address=address_of(request))
    return ente_page(request, ente, done=words)


def _file(name: str, content: bytes) -> Response:
    kind = "application/pdf" if name.endswith(".pdf") else "message/rfc822" if name.endswith(".eml") else "application/json"
    return Response(content, media_type=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'})

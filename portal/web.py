"""What every page needs of a request: who asks, for which ente, over which connection; templates and words.

`desk` is the one door to an ente's rows: it checks the session and the ente, and opens the connection that the
database itself restricts (`tenancy`). Pages are in `pages`.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlencode

import sqlalchemy as sa
from fastapi import Depends, Form, HTTPException, Query, Request, Response
from fastapi.responses import HTMLResponse
from fastapi.routing import APIRoute
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from pcc_pipeline.database.publish import Published, current_in
from pcc_pipeline.installation import Installation
from pcc_pipeline.settings import Settings
from portal import audit, purposes, words
from portal.sessions import DeskSession, find_session
from portal.tenancy import DeskDatabase

#: Cookies: the session, the token of the sign-in form, the language.
SESSION, SIGN_IN_FORM, LANGUAGE = "pcc_desk", "pcc_accesso", "lingua"

#: Which stock a page shows, and which page of a list.
View = Annotated[str, Query(alias="vista", pattern="^(pcc|right|projected)$")]
Number = Annotated[int, Query(alias="pagina", ge=1, le=100_000)]

_environment = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=select_autoescape(),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,  # pages change with the program alone: no look at the disk for each
)
_environment.filters.update(words.FILTERS)


class _Bounded(Request):
    """A request whose form has as many fields and files as a page of ours sends; beside a file none is long."""

    def form(self, **limits: Any) -> Any:
        return super().form(max_files=60, max_fields=1100, max_part_size=1 << 14)


class BoundedRoute(APIRoute):
    """An address that takes whole files: their size is the guard's business, the other fields are kept in memory."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, which sees the bounded request."""
        handle = super().get_route_handler()

        async def bounded(request: Request) -> Response:
            return await handle(_Bounded(request.scope, request.receive))

        return bounded


#: Where whoever must change their password may go before.
OWN_PASSWORD = "/password"
BEFORE_ALL = (OWN_PASSWORD, "/uscita")


class OtherPageFirst(Exception):
    """What was asked for needs another page first."""

    page = "/"


class SignInNeeded(OtherPageFirst):
    """A page was asked without an open session."""

    page = "/accesso"


class PasswordNeeded(OtherPageFirst):
    """The password of who asks is another person's choice: theirs comes first."""

    page = OWN_PASSWORD


class EnteNeeded(OtherPageFirst):
    """One of the provider's people has not said yet which ente to look at."""

    page = "/enti"


@dataclass(frozen=True)
class Desk:
    """One request for one ente: the session, the ente, a connection that sees its rows alone, its latest state."""

    session: DeskSession
    ente: str
    connection: sa.Connection
    published: Published | None


def database_of(request: Request) -> DeskDatabase:
    """The desk's side of the database."""
    database: DeskDatabase = request.app.state.database
    return database


def settings_of(request: Request) -> Settings:
    """The settings of the installation that the desk shows."""
    return database_of(request).settings


def engine_of(request: Request) -> sa.Engine:
    """Connections for accounts, sessions, tokens and the log: no ente's rows are seen through them."""
    return database_of(request).accounts


@contextmanager
def installation_for(request: Request, ente: str) -> Iterator[Installation]:
    """The installation as one ente may use it: the database shows that ente's rows, and takes its decisions."""
    with database_of(request).tenant_engine(ente) as engine:
        yield Installation(settings_of(request), engine)


def only_provider(session: DeskSession, reason: str = "Solo chi lavora per il fornitore vede questa pagina") -> None:
    """Ends the request with 403 and the reason, unless the person works for the provider."""
    if not session.user.of_provider:
        raise HTTPException(403, reason)


def address_of(request: Request) -> str | None:
    """The client's network address, as the server in front of us tells it."""
    return request.client.host if request.client else None


def now() -> datetime:
    """The present moment."""
    return datetime.now(UTC)


def cookie(request: Request, name: str) -> str:
    """What a cookie is called: over HTTPS so that browsers take it from this very host alone, and by HTTPS only."""
    return f"__Host-{name}" if request.app.state.secure_cookies else name


def set_cookie(request: Request, response: Response, name: str, value: str, seconds: int, *, strict: bool = False) -> None:
    """Sets a cookie that pages' scripts cannot read."""
    response.set_cookie(
        cookie(request, name), value, max_age=seconds, httponly=True, samesite="strict" if strict else "lax",
        secure=request.app.state.secure_cookies,
    )  # fmt: skip


def signed_in(request: Request) -> DeskSession:
    """The session of the request, looked up once. Raises SignInNeeded, PasswordNeeded."""
    session: DeskSession | None = getattr(request.state, "session", None)
    if session is None:
        session = find_session(engine_of(request), request.cookies.get(cookie(request, SESSION)), now())
    if session is None:
        raise SignInNeeded
    request.state.session = session
    if session.must_change and request.url.path not in BEFORE_ALL:
        raise PasswordNeeded
    return session


SignedIn = Annotated[DeskSession, Depends(signed_in)]


def honest_form(session: SignedIn, csrf: Annotated[str | None, Form()] = None) -> DeskSession:
    """The session of a form that bears its CSRF token; 403 else."""
    if not session.honest(csrf):
        raise HTTPException(403, "La pagina è scaduta: ricaricarla e riprovare")
    return session


HonestForm = Annotated[DeskSession, Depends(honest_form)]


def desk(request: Request) -> Iterator[Desk]:
    """What a page of an ente works with. Raises SignInNeeded, EnteNeeded; 403 for another ente's user.

    It asks for the session itself: as a dependency of its own that would be one more change of threads a page.
    """
    session = signed_in(request)
    if session.ente is None:
        raise EnteNeeded
    if not session.user.may_see(session.ente):
        raise HTTPException(403, "Questo ente non è il vostro")
    if request.method == "GET":
        _enter_view(request, session)
    with database_of(request).tenant(session.ente) as connection:
        yield Desk(session, session.ente, connection, current_in(connection, session.ente))


AtDesk = Annotated[Desk, Depends(desk)]

#: Parameters that say whose page it is; the others only arrange it.
_SUBJECT = ("id_documento", "progressivo")


def _enter_view(request: Request, session: DeskSession) -> None:
    subject = {name: request.query_params[name][:100] for name in _SUBJECT if name in request.query_params}
    what = request.url.path[:200] + (f"?{urlencode(subject)}" if subject else "")
    if request.app.state.seen.anew(session.token_hash, f"{session.ente} {what}", now()):
        audit.record(
            engine_of(request), session.user.email, "view", ente=session.ente, detail=what, address=address_of(request)
        )


def language_of(request: Request) -> str:
    """The language that the person chose, or their browser asks for."""
    return words.language(request.cookies.get(cookie(request, LANGUAGE)), request.headers.get("accept-language"))


def page(request: Request, template: str, status: int = 200, **values: Any) -> HTMLResponse:
    """A rendered template, in the language of the request."""
    language = language_of(request)
    given = {
        "_": words.translator(language),
        "language": language,
        "session": getattr(request.state, "session", None),
        "path": request.url.path,
        "template": template,
        "about": purposes.PAGES.get(template),
        "terms": purposes.TERMS,
        "provider": getattr(request.app.state, "provider", None),
        "query": lambda **changes: address_with({**request.query_params, **changes}),
        **values,
    }
    return HTMLResponse(_environment.get_template(template).render(given), status)


def address_with(values: Mapping[str, Any]) -> str:
    """A query string of values; null or empty ones are left out."""
    return "?" + urlencode({name: value for name, value in values.items() if value not in (None, "")})

"""Asked before a request's body is read: who sends it, how long it is, to which name, from which site.

Forms are read into memory or a temporary folder before a page's own code runs, so whoever may send none is sent away here.
Pure ASGI, like `headers`.
"""

from __future__ import annotations

from collections import Counter
from threading import Lock
from urllib.parse import urlsplit

from anyio.to_thread import run_sync
from fastapi import HTTPException, Request
from starlette.datastructures import Headers
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pcc_pipeline.support.attachments import TOGETHER
from portal.chunks import PIECE
from portal.sessions import find_session
from portal.uploads import LARGEST
from portal.web import SESSION, cookie, engine_of, now, page

SIGN_IN = "/accesso"

#: Longest body by the beginning of the path, in bytes; the first that fits counts. Beside a file there are the form's
#: other fields and the marks between them.
BESIDE = 1 << 16
LONGEST: tuple[tuple[str, int], ...] = (
    ("/api/", 0),  # nothing is sent to the API
    ("/static/", 0),
    ("/consegne/parti/", PIECE + BESIDE),
    ("/consegne/conferma", 1 << 18),
    ("/segnalazioni", TOGETHER + BESIDE),
    ("/assistenza", TOGETHER + BESIDE),
    ("/domande", TOGETHER + BESIDE),
    ("/operazioni", 1 << 18),  # every operation of a page ticked
    ("/", 1 << 16),
)
#: Paths that take whole files: the largest file, and how many such bodies one person may send at once.
FILES, AT_ONCE = "/consegne", 3

TOO_LONG = "La richiesta è troppo grande"


def longest(path: str) -> int:
    """The longest body that a path takes, in bytes."""
    if path == FILES:
        return LARGEST + BESIDE
    return next(size for beginning, size in LONGEST if path.startswith(beginning))


class Guard:
    """Refuses bodies that are too long (413), that nobody who is signed in sends, or that another site's page sends (403)."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._sending: Counter[int] = Counter()
        self._lock = Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on, its body counted as it comes; or answers it."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if scope["method"] not in ("GET", "HEAD", "OPTIONS", "TRACE") and not _from_here(headers):
            await _answer(scope, receive, send, 403, "La richiesta viene da un altro sito")
            return
        if not _has_body(headers):
            await self.app(scope, receive, send)
            return
        most = longest(scope["path"])
        told = headers.get("content-length", "0")
        if not told.isdecimal() or int(told) > most or (most == 0):
            await _answer(scope, receive, send, 413 if told.isdecimal() else 400, TOO_LONG)
            return
        sender = None
        if scope["path"] != SIGN_IN:
            sender = await run_sync(_sender, Request(scope))
            if sender is None:
                await RedirectResponse(SIGN_IN, 303)(scope, receive, send)
                return
        await self._pass_on(scope, _counted(receive, most), send, sender)

    async def _pass_on(self, scope: Scope, receive: Receive, send: Send, sender: int | None) -> None:
        """One person's whole files a few at a time: each is written to the disk before its quota is looked at."""
        if scope["path"] != FILES or sender is None:
            await self.app(scope, receive, send)
            return
        with self._lock:
            busy = self._sending[sender] >= AT_ONCE
            self._sending[sender] += not busy
        if busy:
            await _answer(scope, receive, send, 429, "Altre consegne sono in corso: riprovare quando sono finite")
            return
        try:
            await self.app(scope, receive, send)
        finally:
            with self._lock:
                self._sending[sender] -= 1
                if not self._sending[sender]:
                    del self._sending[sender]


def _has_body(headers: Headers) -> bool:
    return "transfer-encoding" in headers or headers.get("content-length", "0") != "0"


def _from_here(headers: Headers) -> bool:
    """Whether a form comes from a page of ours, as far as the browser says: programs say nothing."""
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = headers.get("origin")  # an older browser, or plain HTTP
    return origin is None or urlsplit(origin).netloc.lower() == headers.get("host", "").lower()


def _sender(request: Request) -> int | None:
    """The user of the request's session, which is kept with the request; None where there is none."""
    session = find_session(engine_of(request), request.cookies.get(cookie(request, SESSION)), now())
    if session is None:
        return None
    request.state.session = session
    return session.user.user_id


def _counted(receive: Receive, most: int) -> Receive:
    """The body, until it is longer than that: then 413 to whoever reads it."""
    had = 0

    async def counting() -> Message:
        nonlocal had
        message = await receive()
        had += len(message.get("body", b""))
        if had > most:
            raise HTTPException(413, TOO_LONG)
        return message

    return counting


async def _answer(scope: Scope, receive: Receive, send: Send, status: int, words: str) -> None:
    answer: Response
    if scope["path"].startswith("/api/"):
        answer = JSONResponse({"detail": words}, status)
    else:
        answer = page(Request(scope), "error.html", status, detail=words, code=status)
    await answer(scope, receive, send)

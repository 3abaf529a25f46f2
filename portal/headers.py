"""The headers that every answer bears, and how long the server took for it."""

from __future__ import annotations

from time import perf_counter

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

#: Nothing from elsewhere, no script or style in a page: what someone smuggles into a page does not run.
HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data:; font-src 'self' data:; object-src 'none'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}

#: Beside them where the desk is served by HTTPS: for a year browsers ask for it by nothing else.
BY_HTTPS = {"Strict-Transport-Security": "max-age=31536000"}


class Headers:
    """Pure ASGI, since Starlette's own middleware class costs a task and two queues a request.

    `Server-Timing` tells the milliseconds from the request's head to the answer's: an upload's body is in it, the way
    through the network and the wait for a free worker are not.
    """

    def __init__(self, app: ASGIApp, https: bool = False) -> None:
        self.app = app
        self.headers = {**HEADERS, **BY_HTTPS} if https else HEADERS

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on; its answer bears the headers."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began = perf_counter()

        async def bearing(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(self.headers)
                if not scope["path"].startswith("/static/"):
                    headers["Cache-Control"] = "no-store"
                headers["Server-Timing"] = f"desk;dur={(perf_counter() - began) * 1000:.1f}"
            await send(message)

        await self.app(scope, receive, bearing)

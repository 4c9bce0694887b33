"""What every answer of the web process carries, so that a page cannot be framed or sniffed."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from apps.web.address import prefix

POLICY = "; ".join(
    (
        "default-src 'self'",
        # Streamlit writes styles into the page and starts components from blobs
        "script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "connect-src 'self' ws: wss:",
        "worker-src 'self' blob:",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    # a personal link must not be told to anybody
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
CLOSED = ("/_stcore/metrics",)
"""Paths that tell a stranger about the machine."""


class SecurityHeaders:
    """ASGI middleware: adds ``HEADERS`` to every answer and hides ``CLOSED``."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        if scope["path"].rstrip("/").removeprefix(prefix()) in CLOSED:
            await PlainTextResponse("not found", 404)(scope, receive, with_headers)
            return
        await self.app(scope, receive, with_headers)

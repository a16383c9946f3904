"""What every answer of the API carries, and how much of a request it reads."""

from collections.abc import Awaitable, Callable

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import problem
from services.core.settings import settings

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
}
STRICT_CSP = "default-src 'none'; frame-ancestors 'none'"
DOCS_CSP = (
    "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:"
)
DOCS_PATHS = ("/docs", "/redoc", "/static-offline-docs")


class BodyTooLarge(Exception):
    """The request's body went over the limit while it was read."""


class Guard:
    """Security headers on every answer, and a bound on every request body, declared or streamed."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, bounded, and dress the answer."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        limit = settings().api_max_body_kb * 1024
        declared = Headers(scope=scope).get("content-length", "0")
        if declared.isdigit() and int(declared) > limit:
            await self._refuse(scope, receive, self._dressed(scope, send))
            return
        try:
            await self.app(scope, self._bounded(receive, limit), self._dressed(scope, send))
        except BodyTooLarge:
            await self._refuse(scope, receive, self._dressed(scope, send))

    @staticmethod
    async def _refuse(scope: Scope, receive: Receive, send: Send) -> None:
        limit = settings().api_max_body_kb
        await problem(413, f"The request's body is larger than {limit:,} kB.")(scope, receive, send)

    @staticmethod
    def _bounded(receive: Receive, limit: int) -> Callable[[], Awaitable[Message]]:
        read = 0

        async def bounded() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > limit:
                raise BodyTooLarge
            return message

        return bounded

    @staticmethod
    def _dressed(scope: Scope, send: Send) -> Send:
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        csp = DOCS_CSP if path.startswith(DOCS_PATHS) else STRICT_CSP

        async def dressed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                headers["Content-Security-Policy"] = csp
            await send(message)

        return dressed

"""Security headers, body limits, and answers to unexpected errors, for every request of the API."""

import logging
import re
import secrets
from collections.abc import Awaitable, Callable

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.http.problems import from_error, problem
from services.assets.files.formats import MOST_BYTES
from services.core.errors import Finding, Invalid
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
FILES = re.compile(r"/v1/assets/[^/]+/comments/[^/]+/attachments")
LARGEST_FILE = 50 * 1024 * 1024
"""Bytes: the upper bound of the setting asset.attachment_max_mb."""
PORTFOLIOS = "/v1/assets/bulk"
EXTRA = "fmar.headers"
"""Where a route or dependency leaves headers that the answer shall carry, be it a refusal or not."""
TELL = "Nothing was changed unless the register says so when asked; tell its operator the reference"
NUL = Finding("REQUEST-NUL", None, None, "text without NUL characters", "The address holds a NUL character.")
log = logging.getLogger("fmar.api")


def path_of(scope: Scope) -> str:
    """The address inside this API."""
    return str(scope["path"]).removeprefix(scope.get("root_path", ""))


class BodyTooLarge(HTTPException):
    """The request's body went over the limit while it was read."""

    def __init__(self, limit: int) -> None:
        super().__init__(413, too_large(limit))


def too_large(limit: int) -> str:
    """Say that a body is over the limit (bytes)."""
    return f"The request's body is larger than {limit // 1024:,} kB. Send it in parts."


def limit_of(path: str) -> int:
    """The largest body of a request to this address, in bytes; that of an attached file is a setting of the register."""
    usual = settings().api_max_body_kb * 1024
    if path == PORTFOLIOS:
        return MOST_BYTES
    return max(usual, LARGEST_FILE) if FILES.fullmatch(path) else usual


def leave_headers(scope: Scope, headers: dict[str, str]) -> None:
    """Let the answer to this request carry these headers, whatever it will be."""
    scope[EXTRA].update(headers)


class Guard:
    """Security headers on every answer, and a bound on every request body, declared or streamed."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, bounded, and dress the answer."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        scope[EXTRA] = {}
        dressed = self._dressed(scope, send)
        limit = limit_of(path_of(scope))
        declared = Headers(scope=scope).get("content-length", "0")
        refusal: JSONResponse | None = None
        if declared.isdigit() and int(declared) > limit:
            refusal = problem(413, too_large(limit))
        elif b"%00" in scope.get("query_string", b"") or "\x00" in scope["path"]:
            refusal = from_error(Invalid([NUL]))
        if refusal is not None:
            await refusal(scope, receive, dressed)
            return
        await self._answered(scope, self._bounded(receive, limit), dressed)

    async def _answered(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on. A mistake in the code is told to the log, and its number to the caller."""
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self.app(scope, receive, watched)
        except BodyTooLarge as error:
            if not started:
                await problem(413, str(error.detail))(scope, receive, send)
        except Exception:
            reference = secrets.token_hex(4)
            log.exception("Reference %s: %s %s", reference, scope["method"], scope["path"])
            if not started:
                await problem(500, f"Something went wrong in the register. {TELL} {reference}.")(scope, receive, send)

    @staticmethod
    def _bounded(receive: Receive, limit: int) -> Callable[[], Awaitable[Message]]:
        read = 0

        async def bounded() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > limit:
                raise BodyTooLarge(limit)
            return message

        return bounded

    @staticmethod
    def _dressed(scope: Scope, send: Send) -> Send:
        path = path_of(scope)
        csp = DOCS_CSP if path.startswith(DOCS_PATHS) else STRICT_CSP

        async def dressed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                headers["Content-Security-Policy"] = csp
                if settings().public_url.startswith("https://"):
                    headers["Strict-Transport-Security"] = "max-age=31536000"
                for name, value in scope[EXTRA].items():
                    headers[name] = value
            await send(message)

        return dressed

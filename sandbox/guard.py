"""What stands before every sandbox system: its key, its signature check, and faults on request.

Faults are ordered with ``PUT /_control`` (see docs/outside-systems.md) and are there for tests and demonstrations of
what the register does when an outside system fails. A sandbox that other people can reach is built without it.
"""

import asyncio
import base64
import binascii
import hashlib
import hmac
import json
import time
from dataclasses import asdict, dataclass, fields
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

SIGNATURE_SECONDS = 300
BIG = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Access:
    """How a system lets callers in: the scheme (``basic``: the key is the user name; ``header``: X-Api-Key) and keys."""

    scheme: str
    key: str = "sandbox"
    signing_key: str | None = None
    control: bool = True


@dataclass(slots=True)
class Faults:
    """What goes wrong. `answer` and `status` shape the next `fail_next` answers; `down` fails all; `delay_ms` delays all.

    `answer` is one of ``status`` (an error of that status), ``malformed``, ``html``, ``oversized``, ``cut`` (the
    connection ends half-way), ``trickle`` (a byte now and then), ``redirect``.
    """

    fail_next: int = 0
    status: int = 503
    retry_after: str | None = None
    answer: str = "status"
    delay_ms: int = 0
    down: bool = False


def error(status: int, code: str, headers: dict[str, str] | None = None) -> JSONResponse:
    """An error in the one form that all sandbox systems share (that of Companies House)."""
    return JSONResponse({"errors": [{"type": "sandbox", "error": code}]}, status, headers)


class Guard:
    """ASGI middleware: control endpoint, then faults, then key, then signature, then the system itself."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self.app = app
        self.access = access
        self.faults = Faults()
        self.requests = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request = Request(scope, receive)
        if self.access.control and request.url.path.endswith("/_control"):
            await (await self._control(request))(scope, receive, send)
            return
        self.requests += 1
        if self.faults.delay_ms:
            await asyncio.sleep(self.faults.delay_ms / 1000)
        if self.faults.down or self.faults.fail_next > 0:
            self.faults.fail_next = max(0, self.faults.fail_next - 1)
            await self._fail(scope, receive, send)
            return
        refusal = self._locked_out(request) or await self._unsigned(request)
        await (refusal or self.app)(scope, receive, send)

    async def _control(self, request: Request) -> Response:
        if self._locked_out(request):
            return error(401, "key-not-accepted")
        if request.method == "PUT":
            try:
                ordered = json.loads(await request.body())
                self.faults = Faults(**ordered)
            except (ValueError, TypeError):
                return error(400, "expected " + ", ".join(field.name for field in fields(Faults)))
            self.requests = 0
        return JSONResponse({**asdict(self.faults), "requests": self.requests})

    def _locked_out(self, request: Request) -> Response | None:
        offered = _basic_user(request) if self.access.scheme == "basic" else request.headers.get("x-api-key", "")
        if hmac.compare_digest(offered.encode(), self.access.key.encode()):
            return None
        return error(401, "key-not-accepted", {"WWW-Authenticate": "Basic"} if self.access.scheme == "basic" else None)

    async def _unsigned(self, request: Request) -> Response | None:
        key = self.access.signing_key
        if key is None:
            return None
        stamp = request.headers.get("x-fmar-timestamp", "")
        if not stamp.isdecimal() or abs(time.time() - int(stamp)) > SIGNATURE_SECONDS:
            return error(403, "signature-too-old")
        digest = hashlib.sha256(await request.body()).hexdigest()
        message = "\n".join((request.method, _target(request), digest, stamp)).encode()
        expected = "v1=" + hmac.new(key.encode(), message, hashlib.sha256).hexdigest()
        signature = request.headers.get("x-fmar-signature", "")
        sent_digest = request.headers.get("x-fmar-content-sha256", "")
        if hmac.compare_digest(signature.encode(), expected.encode()) and sent_digest == digest:
            return None
        return error(403, "signature-not-accepted")

    async def _fail(self, scope: Scope, receive: Receive, send: Send) -> None:
        faults = self.faults
        headers = {"Retry-After": faults.retry_after} if faults.retry_after is not None else None
        plain: dict[str, Response] = {
            "malformed": Response('{"unfinished": ', media_type="application/json"),
            "html": Response("<h1>Down for maintenance</h1>", media_type="text/html"),
            "redirect": RedirectResponse("/elsewhere"),
        }
        if faults.down or faults.answer not in (*plain, "oversized", "cut", "trickle"):
            await error(faults.status, "ordered-fault", headers)(scope, receive, send)
        elif faults.answer in plain:
            await plain[faults.answer](scope, receive, send)
        elif faults.answer == "oversized":
            await JSONResponse({"padding": "x" * BIG})(scope, receive, send)
        else:
            await _unfinished(send, trickle=faults.answer == "trickle")


async def _unfinished(send: Send, *, trickle: bool) -> None:
    """An answer that promises 1,000 bytes and never gets there."""
    headers = [(b"content-type", b"application/json"), (b"content-length", b"1000")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    for _ in range(200 if trickle else 1):
        await send({"type": "http.response.body", "body": b" ", "more_body": True})
        if trickle:
            await asyncio.sleep(0.05)


def _basic_user(request: Request) -> str:
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    try:
        decoded = base64.b64decode(given, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""
    return decoded.partition(":")[0] if scheme.lower() == "basic" else ""


def _target(request: Request) -> str:
    """Path and query exactly as they were sent."""
    scope: dict[str, Any] = dict(request.scope)
    path = scope.get("raw_path") or request.url.path.encode()
    query = scope.get("query_string", b"")
    return (path + (b"?" + query if query else b"")).decode("latin-1")

"""Sign-out over HTTP (UC-01.01): by POST from a page of ours; what ends the session is the register, not the lost cookie.

Streamlit's own address signs out whoever opens it, from a link or a picture on any page. Here a GET takes the cookie of a
session that has ended already, as the portal's button has seen to before it sends people there.
"""

import json
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.auth_util import get_cookie_with_chunks
from streamlit.web.server.starlette.starlette_app_utils import decode_signed_value

from pages.frame.session import SIGN_IN, identity_of
from services.core.settings import settings
from services.participants.identity import Identity, has_session, sign_out

ADDRESS = "/auth/logout"
WORDS = "To sign out, use the button at the top of the portal: a link can't do it."


class SignOutGuard:
    """Stands before Streamlit's sign-out address."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """End the session by POST; pass a GET on where there is no session left to end."""
        if scope["type"] != "http" or scope["path"].rstrip("/") != ADDRESS:
            await self._app(scope, receive, send)
            return
        identity = _signed_in_identity(Request(scope))
        own_page = comes_from_own_page(Headers(scope=scope))
        if scope["method"] == "POST" and own_page:
            if identity is not None:
                await run_in_threadpool(sign_out, identity)
            await self._app({**scope, "method": "GET"}, _without_body, _see_other(send))
            return
        if scope["method"] == "GET" and (identity is None or await _has_ended(identity, own_page=own_page)):
            await self._app(scope, receive, send)
            return
        status, headers = (405, {"Allow": "POST"}) if scope["method"] != "POST" else (403, {})
        await PlainTextResponse(WORDS, status, headers=headers)(scope, receive, send)


async def _has_ended(identity: Identity, *, own_page: bool) -> bool:
    """Tell whether a sign-in is over; one without an account can only be forgotten, by a page of ours."""
    open_now = await run_in_threadpool(has_session, identity)
    return own_page if open_now is None else not open_now


def comes_from_own_page(headers: Headers) -> bool:
    """Tell whether a page of this host sent the request: browsers say so themselves, and no page can say it for another."""
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if origin is not None and origin.split("://", 1)[-1] != headers.get("host", ""):
        return False
    return site == "same-origin" or (site is None and origin is not None)


def _signed_in_identity(request: Request) -> Identity | None:
    """The identity of the sign-in cookie; None without one that this portal has signed."""
    secret = settings().cookie_secret
    if secret is None:
        return None
    key = secret.get_secret_value()

    def read_cookie(name: str) -> bytes | None:
        value = request.cookies.get(name)
        return None if value is None else decode_signed_value(key, name, value.encode("latin-1", "replace"))

    content = get_cookie_with_chunks(read_cookie, SIGN_IN)
    try:
        claims: Any = json.loads(content) if content else None
    except ValueError:
        return None
    return identity_of(claims) if isinstance(claims, dict) else None


async def _without_body() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}


def _see_other(send: Send) -> Send:
    """After a POST, the page that follows is fetched by GET."""

    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] in (302, 307):
            message = {**message, "status": 303}
        await send(message)

    return sent

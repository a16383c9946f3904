"""Headers of every answer of the portal, and a word to foreign pages that try its websocket."""

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.core.settings import settings

CSP = "; ".join(
    (
        "default-src 'self'",
        # Streamlit's inline components and the map's WebAssembly need these; nothing is loaded from elsewhere, and no text is
        # run as code.
        "script-src 'self' 'unsafe-inline' 'wasm-unsafe-eval' blob:",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "connect-src 'self'",
        "worker-src 'self' blob:",
        "frame-src 'self' blob:",
        "frame-ancestors 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "object-src 'none'",
    )
)
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Content-Security-Policy": CSP,
}


def _with_tiles(policy: str, host: str) -> str:
    """The policy with the host of online map tiles, and nothing but it, allowed for pictures and what fetches them."""
    for source in ("img-src", "connect-src"):
        policy = policy.replace(f"{source} 'self'", f"{source} 'self' {host}")
    return policy


SHUT = ("/_stcore/metrics",)
"""Addresses of Streamlit that tell how the process is used, and that no page needs."""


class PortalHeaders:
    """Dresses each answer, makes sign-in cookies Secure behind https, and closes websockets opened by foreign pages."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what is ours."""
        if scope["type"] == "websocket" and _foreign(Headers(scope=scope)):
            # Streamlit refuses these too, but asks an outside server for its own address first.
            await receive()
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        secure = settings().public_url.startswith("https://")
        tiles = settings().map_tiles_host

        async def dressed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, _with_tiles(value, tiles) if tiles else value)
                if secure:
                    headers.setdefault("Strict-Transport-Security", "max-age=31536000")
                    _secure_cookies(headers)
            await send(message)

        shut = scope["path"].rstrip("/") in SHUT
        app = PlainTextResponse("There is nothing at this address.", 404) if shut else self.app
        await app(scope, receive, dressed)


def _foreign(headers: Headers) -> bool:
    origin = headers.get("origin", "")
    return bool(origin) and origin.split("://", 1)[-1] != headers.get("host", "")


def _secure_cookies(headers: MutableHeaders) -> None:
    cookies = headers.getlist("set-cookie")
    if cookies:
        del headers["set-cookie"]
        for cookie in cookies:
            headers.append("set-cookie", cookie if "; secure" in cookie.lower() else f"{cookie}; Secure")

"""The page that holds the portal in the browser: Streamlit's own, with our title, style and script.

Streamlit answers every address with the same page, named "Streamlit". Here it gets the register's name, `static/frame.css` and
`static/frame.js` before anything is drawn, so that no page run has to send them.
"""

import hashlib
from functools import cache

from starlette.datastructures import MutableHeaders
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pages.frame.navigation import START
from services.core.settings import ROOT

FOLDER = "/frame/"
KINDS = {"frame.css": "text/css", "frame.js": "text/javascript"}
OTHERS = ("/_stcore", "/static", "/media", "/component", "/api", "/sandbox", "/auth", "/oauth2callback", "/frame")
"""Where addresses begin that aren't pages."""
PROBES = ("/_stcore/", "/static/")
"""Parts of what Streamlit's page asks for in the folders of its address, too."""
UNKNOWN = "unknown-address"
"""A page of this address is offered to nobody: it says that there is nothing."""
LEFT_OUT = (b"if-none-match", b"if-modified-since", b"range", b"accept-encoding")
"""Headers that would have Streamlit answer with something else than its plain page."""


class PortalShell:
    """Serves the portal's own style and script, and names them in Streamlit's page."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer for our files, dress pages, pass on the rest."""
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
            await self._app(scope, receive, send)
            return
        path = scope["path"]
        if path.startswith(FOLDER):
            await _send_file(path.removeprefix(FOLDER), scope, receive, send)
        elif not _is_page(path):
            await self._app(scope, receive, send)
        elif path.strip("/") == START:
            await RedirectResponse("/", 307)(scope, receive, send)
        elif "/" in path.strip("/"):
            # Streamlit looks for its scripts beside the address, and would show an empty window.
            await RedirectResponse(f"/{UNKNOWN}", 307)(scope, receive, send)
        else:
            await self._dress(scope, receive, send)

    async def _dress(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(name, value) for name, value in scope["headers"] if name not in LEFT_OUT]
        start: Message | None = None
        chunks: list[bytes] = []

        async def gather(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start" and _is_html(message):
                start = message
            elif start is None or message["type"] != "http.response.body":
                await send(message)
            else:
                chunks.append(message.get("body", b""))
                if not message.get("more_body"):
                    body = dress_page(b"".join(chunks))
                    await send({**start, "headers": _headers_of(start, len(body))})
                    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})

        await self._app({**scope, "headers": headers}, receive, gather)


def dress_page(body: bytes) -> bytes:
    """Streamlit's page with the register's name, and our style and script at the end of its head."""
    script, style = (f"{FOLDER}{name}?v={_version(name)}" for name in ("frame.js", "frame.css"))
    ours = f'<link rel="stylesheet" href="{style}" /><script src="{script}"></script></head>'
    for theirs, own in (
        (b"<title>Streamlit</title>", b"<title>FMAR</title>"),
        (b'<html lang="en">', b'<html lang="en-GB">'),
        (b"</head>", ours.encode()),
    ):
        body = body.replace(theirs, own, 1)
    return body


def _is_page(path: str) -> bool:
    """Tell whether an address may be one of a page: a file's name has a full stop."""
    starts = any(path == other or path.startswith(f"{other}/") for other in OTHERS)
    return not starts and "." not in path and not any(probe in path for probe in PROBES)


def _is_html(message: Message) -> bool:
    kind = next((value for name, value in message["headers"] if name == b"content-type"), b"")
    return message["status"] == 200 and kind.startswith(b"text/html")


def _headers_of(message: Message, length: int) -> list[tuple[bytes, bytes]]:
    headers = MutableHeaders(raw=list(message["headers"]))
    headers["content-length"] = str(length)
    del headers["etag"]
    del headers["last-modified"]
    return headers.raw


@cache
def _read(name: str) -> bytes:
    return (ROOT / "static" / name).read_bytes()


@cache
def _version(name: str) -> str:
    return hashlib.sha256(_read(name)).hexdigest()[:12]


async def _send_file(name: str, scope: Scope, receive: Receive, send: Send) -> None:
    """Send a file of ours, kept by browsers for as long as its address names its content."""
    if name not in KINDS:
        await Response("There is nothing at this address.", 404, media_type="text/plain")(scope, receive, send)
        return
    headers = {"Cache-Control": "public, immutable, max-age=31536000"}
    await Response(_read(name), headers=headers, media_type=KINDS[name])(scope, receive, send)

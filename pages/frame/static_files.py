"""Compression of Streamlit's own scripts and styles: each file once, kept in memory as browsers take it.

Streamlit sends them as they are, up to 8 MB for a page with a chart, and compressing them anew for everybody costs a server
more than it saves. Their names hold a hash of what is in them, so what is compressed never changes.
"""

import gzip
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import brotli
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

FOLDER = "/static/"
KINDS = ("text/javascript", "application/javascript", "text/css", "application/json", "application/wasm")
LEAST = 1_000
"""Bytes below which a file is sent as it is."""
ENCODERS: Mapping[str, Callable[[bytes], bytes]] = {
    "br": lambda body: brotli.compress(body, quality=6),
    "gzip": lambda body: gzip.compress(body, 6, mtime=0),
}
"""By the name that browsers know them by, the best first. Browsers take Brotli by https and from their own machine only."""


@dataclass(frozen=True, slots=True)
class _File:
    """A compressed file with the headers that it is sent with."""

    headers: list[tuple[bytes, bytes]]
    body: bytes


class CompressedStatic:
    """Answers for Streamlit's static files from memory, compressed; everything else is passed on."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._files: dict[tuple[str, str], _File] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send a compressed file where there is one and the browser takes it."""
        encoding = _encoding_for(scope)
        if encoding is None:
            await self._app(scope, receive, send)
            return
        file = self._files.get((scope["path"], encoding))
        if file is None:
            await self._read(scope, receive, send, encoding)
        else:
            await _send(file, send)

    async def _read(self, scope: Scope, receive: Receive, send: Send, encoding: str) -> None:
        """Have the file sent by who owns it, compressed on its way if it is a whole one worth it."""
        start: Message | None = None
        chunks: list[bytes] = []

        async def gather(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start" and _worth_compressing(message):
                start = message
                return
            if start is None or message["type"] != "http.response.body":
                await send(message)
                return
            chunks.append(message.get("body", b""))
            if not message.get("more_body"):
                body = await run_in_threadpool(ENCODERS[encoding], b"".join(chunks))
                file = self._files[scope["path"], encoding] = _File(_headers_of(start, encoding, len(body)), body)
                await _send(file, send)

        await self._app(scope, receive, gather)


def _encoding_for(scope: Scope) -> str | None:
    """The encoding to answer in; None where the request is no plain one for a static file."""
    if scope["type"] != "http" or scope["method"] != "GET" or not scope["path"].startswith(FOLDER):
        return None
    headers = Headers(scope=scope)
    if "range" in headers or "if-none-match" in headers or "if-modified-since" in headers:
        return None
    parts = [part.strip().partition(";") for part in headers.get("accept-encoding", "").split(",")]
    accepted = {name for name, _, weight in parts if weight.replace(" ", "") not in ("q=0", "q=0.0")}
    return next((name for name in ENCODERS if name in accepted), None)


def _worth_compressing(message: Message) -> bool:
    headers = Headers(raw=message["headers"])
    kind = headers.get("content-type", "").partition(";")[0]
    return (
        message["status"] == 200
        and kind in KINDS
        and "content-encoding" not in headers
        and int(headers.get("content-length", LEAST)) >= LEAST
    )


def _headers_of(message: Message, encoding: str, length: int) -> list[tuple[bytes, bytes]]:
    headers = MutableHeaders(raw=list(message["headers"]))
    headers["content-encoding"] = encoding
    headers["content-length"] = str(length)
    headers.add_vary_header("Accept-Encoding")
    if "etag" in headers:
        headers["etag"] = f"W/{headers['etag'].removeprefix('W/')}"
    del headers["accept-ranges"]
    return headers.raw


async def _send(file: _File, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": list(file.headers)})
    await send({"type": "http.response.body", "body": file.body})

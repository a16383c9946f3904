"""The door that uploads come through: for people who are signed in, bounded, and emptied when they have gone.

Streamlit takes files at an address of its own, before any page of ours runs, from whoever has opened a websocket, and keeps
them in memory for as long as it remembers the session. What is refused here never reaches it.
"""

import asyncio
import time
from collections import defaultdict

import streamlit as st
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.runtime import Runtime
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.scriptrunner import get_script_run_ctx

from services.assets.files.formats import MOST_BYTES
from services.core.settings import settings

ADDRESS = "/_stcore/upload_file/"
FRAMING = 64 * 1024
"""Bytes that a form adds to the file in it."""
MOST_FILES = 50
"""Files that one session holds at once."""
KEPT_S = 60.0
"""Seconds for which the files of a session without a connection are kept: it may come back."""
SWEEP_S = 5.0
RETRY_AFTER_S = 60
_signed_in: set[str] = set()
"""Streamlit's sessions in which somebody is signed in, as the latest run of the portal found."""
_under_way: dict[str, dict[str, int]] = defaultdict(dict)
"""Bytes announced by uploads that are under way: by session and file."""
_gone_since: dict[str, float] = {}


def note_visitor(*, signed_in: bool) -> None:
    """Open or shut the door for the session of this run; one that is signed out leaves nothing behind."""
    context = get_script_run_ctx()
    if context is None:
        return
    if signed_in:
        _signed_in.add(context.session_id)
    elif context.session_id in _signed_in:
        _signed_in.discard(context.session_id)
        store = _store()
        if store is not None:
            store.remove_session_files(context.session_id)


def _store() -> MemoryUploadedFileManager | None:
    """The memory that Streamlit keeps uploads in; None where no server runs, as in tests of pages."""
    store = Runtime.instance().uploaded_file_mgr if Runtime.exists() else None
    return store if isinstance(store, MemoryUploadedFileManager) else None


def _held(store: MemoryUploadedFileManager, session_id: str) -> dict[str, int]:
    """Bytes of the files of a session, those under way included, by file."""
    files = {file_id: len(file.data) for file_id, file in list(store.file_storage.get(session_id, {}).items())}
    return {**files, **_under_way.get(session_id, {})}


def sweep_uploads(kept_seconds: float = KEPT_S) -> None:
    """Take away the files of sessions that have been without a connection for so long."""
    store = _store()
    if store is None:
        return
    runtime, moment = Runtime.instance(), time.monotonic()
    holders = set(store.file_storage) | _signed_in
    for session_id in holders:
        if runtime.is_active_session(session_id):
            _gone_since.pop(session_id, None)
        elif moment - _gone_since.setdefault(session_id, moment) >= kept_seconds:
            store.remove_session_files(session_id)
    for session_id in set(_gone_since) - holders:
        del _gone_since[session_id]
    remembered = float(st.get_option("server.disconnectedSessionTTL"))
    _signed_in.difference_update(
        [session_id for session_id, since in _gone_since.items() if moment - since > remembered]
    )


async def keep_sweeping() -> None:
    """Sweep for as long as the server runs."""
    while True:
        await asyncio.sleep(SWEEP_S)
        sweep_uploads()


class UploadGuard:
    """Passes on uploads of people who are signed in, within the bounds of a file, a session and the process."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer what is refused; pass on the rest."""
        if scope["type"] != "http" or not scope["path"].startswith(ADDRESS) or scope["method"] == "OPTIONS":
            await self._app(scope, receive, send)
            return
        session_id, _, file_id = scope["path"].removeprefix(ADDRESS).partition("/")
        length = _declared_length(scope)
        refusal = _refusal(session_id, file_id, length) if scope["method"] == "PUT" else _unknown(session_id)
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        if scope["method"] != "PUT":
            await self._app(scope, receive, send)
            return
        _under_way[session_id][file_id] = length or 0
        try:
            await self._app(scope, _bounded(receive, length or 0), send)
        finally:
            _end_upload(session_id, file_id)


def _declared_length(scope: Scope) -> int | None:
    text = Headers(scope=scope).get("content-length", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 15 else None


def _unknown(session_id: str) -> PlainTextResponse | None:
    """The refusal of a session that isn't connected, or in which nobody is signed in."""
    if session_id in _signed_in and Runtime.exists() and Runtime.instance().is_active_session(session_id):
        return None
    return PlainTextResponse("Sign in first, then send the file from the page that asks for it.", 403)


def _refusal(session_id: str, file_id: str, length: int | None) -> PlainTextResponse | None:
    """The reason why a file isn't taken; None for one that is."""
    refusal = _unknown(session_id)
    store = _store()
    if refusal is not None or store is None:
        return refusal or PlainTextResponse("No files are taken here.", 403)
    if length is None:
        return PlainTextResponse("Say in Content-Length how large the file is.", 411)
    held = _held(store, session_id)
    held.pop(file_id, None)
    of_session = settings().upload_session_mb * 1024 * 1024
    if length > min(MOST_BYTES, of_session) + FRAMING:
        return PlainTextResponse("The file is too large. Send it in parts.", 413)
    if sum(held.values()) + length > of_session + FRAMING or len(held) >= MOST_FILES:
        return PlainTextResponse("You have sent as many files as one page holds. Take some away, then go on.", 413)
    if _held_by_all(store) + length > settings().upload_total_mb * 1024 * 1024:
        sweep_uploads(kept_seconds=0.0)
    if _held_by_all(store) + length > settings().upload_total_mb * 1024 * 1024:
        words = "Too many files are being handed in at once. Try again in a minute."
        return PlainTextResponse(words, 503, headers={"Retry-After": str(RETRY_AFTER_S)})
    return None


def _held_by_all(store: MemoryUploadedFileManager) -> int:
    return sum(sum(_held(store, session_id).values()) for session_id in {*store.file_storage, *_under_way})


def _bounded(receive: Receive, length: int) -> Receive:
    """Hold a body to the length that it announced."""
    read = 0

    async def bounded() -> Message:
        nonlocal read
        message = await receive()
        read += len(message.get("body", b""))
        return message if read <= length else {"type": "http.disconnect"}

    return bounded


def _end_upload(session_id: str, file_id: str) -> None:
    """Forget what was announced; what arrived is in the store now, or nowhere."""
    announced = _under_way.get(session_id, {})
    announced.pop(file_id, None)
    if not announced:
        _under_way.pop(session_id, None)

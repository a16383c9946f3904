"""Work on files: in a bounded queue and on threads of its own, so that no file holds up what everybody waits for.

Reading or making a file takes seconds where other calls take milliseconds. In the pool that all calls share, a few dozen of
them would stop the register for everybody.
"""

import asyncio
import contextvars
import os
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, ParamSpec, TypeVar

from fastapi import Request

from services.core.errors import TooManyRequests
from services.core.identity.actor import Actor
from services.core.settings import settings

P = ParamSpec("P")
T = TypeVar("T")
AT_ONCE = max(2, os.cpu_count() or 2)
"""Files that are worked on at the same time."""
MOST = 4 * AT_ONCE + 8
"""Files that are worked on or wait, all together."""
MOST_OF_ONE = MOST // 2
"""Files of one organisation that are worked on or wait: nobody fills the queue for all."""
RETRY_AFTER_S = 15
_threads = ThreadPoolExecutor(max_workers=AT_ONCE, thread_name_prefix="fmar-files")
_taken: Counter[str] = Counter()
"""Places in the queue by organisation; touched on the event loop alone."""
_bytes = 0


def _announced(request: Request, largest: int) -> int:
    """Bytes that the body of a request may have: what it says, else the most that it can."""
    declared = request.headers.get("content-length", "")
    return min(int(declared), largest) if declared.isascii() and declared.isdigit() else largest


@contextmanager
def place_in_queue(actor: Actor, request: Request | None = None, largest: int = 0) -> Iterator[None]:
    """Hold a place in the queue while the block runs; taken before a body of up to `largest` bytes is read.

    Raises TooManyRequests when the queue is full, or the organisation's share of it.
    """
    global _bytes
    owner = str(actor.organisation_id or actor.key)
    size = _announced(request, largest) if request is not None else 0
    full = _taken.total() >= MOST or _bytes + size > settings().upload_total_mb * 1024 * 1024
    if full or _taken[owner] >= MOST_OF_ONE:
        whose = (
            "Too many files are being worked on" if full else "Too many files of your organisation are being worked on"
        )
        raise TooManyRequests(f"{whose}. Try again in {RETRY_AFTER_S} seconds.", RETRY_AFTER_S)
    _taken[owner] += 1
    _bytes += size
    try:
        yield
    finally:
        _bytes -= size
        _taken[owner] -= 1
        if not _taken[owner]:
            del _taken[owner]


async def work_on_file(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run a function on a thread of the queue; to be called inside `place_in_queue`."""
    context = contextvars.copy_context()

    def run() -> Any:
        return context.run(function, *args, **kwargs)

    return await asyncio.wrap_future(_threads.submit(run))


async def make_file(actor: Actor, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Take a place in the queue and run a function that makes a file."""
    with place_in_queue(actor):
        return await work_on_file(function, *args, **kwargs)

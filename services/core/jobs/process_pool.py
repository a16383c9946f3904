"""A process beside this one, for work that would take the pages' time: it counts as the same program, and ends with it."""

import gc
import logging
import os
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import Executor

from services.core.reactions import reactions
from services.core.settings import settings

IDLE_SECONDS = 30
MOST_GROWN = "2e9"
"""Bytes by which the process may grow before loky ends it and starts another, 300 MB unless told: one that works on a large
file grows by more, and who asks next would wait until the process beside that one has been idle for its half a minute.
"""
YOUNG_OBJECTS = 50_000
"""New objects before garbage is looked for."""
NICENESS = 5
"""It gives way to pages, which people wait for."""


def second_process() -> Executor:
    """The one process beside this one; it is started when it is wanted, and ends when nobody wanted it for a while.

    What it is given has to be a function of a module, with arguments that can be pickled. A future raises
    `concurrent.futures.BrokenExecutor` when the process was killed; the next call starts another.
    """
    # For another register another process is started: what differs here is never the same executor.
    environment = {"DATABASE_URL": settings().resolved_database_url(), "LOKY_MAX_MEMORY_LEAK_SIZE": MOST_GROWN}
    arguments = (os.getpid(), reactions().wire_process)
    from loky import get_reusable_executor

    return get_reusable_executor(
        max_workers=1, timeout=IDLE_SECONDS, initializer=_begin, initargs=arguments, env=environment
    )


def _begin(parent: int, wire: Callable[[], None]) -> None:
    """Give way to others, and end with the process that asked, however it ends, but not at a key pressed in its terminal.

    It is wired as that one is: whatever it writes is reacted to.
    """
    wire()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Not more than a process that gives way itself, and has it started: that one waits for it.
    os.setpriority(os.PRIO_PROCESS, 0, NICENESS)
    collect_seldom()
    logging.getLogger("fmar").setLevel(logging.INFO)
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def collect_seldom() -> None:
    """Look for garbage less often: rows by the thousand are none."""
    gc.set_threshold(YOUNG_OBJECTS, 50, 50)


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(0)

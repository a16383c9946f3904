"""A process beside this one, for work that would take the pages' time: it counts as the same program, and ends with it."""

import logging
import os
import signal
import threading
import time
from concurrent.futures import Executor

from loky import get_reusable_executor

IDLE_SECONDS = 30
NICENESS = 5
"""It gives way to pages, which people wait for."""


def second_process() -> Executor:
    """The one process beside this one; it is started when it is wanted, and ends when nobody wanted it for a while.

    What it is given has to be a function of a module, with arguments that can be pickled. A future raises
    `concurrent.futures.BrokenExecutor` when the process was killed; the next call starts another.
    """
    mine = (os.getpid(),)
    return get_reusable_executor(max_workers=1, timeout=IDLE_SECONDS, initializer=_begin, initargs=mine)


def _begin(parent: int) -> None:
    """Give way to others, and end with the process that asked, however it ends, but not at a key pressed in its terminal."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.nice(NICENESS)
    logging.getLogger("fmar").setLevel(logging.INFO)
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(0)

"""Garbage collection of a server: what is imported is set aside for good, the rest is collected between pages.

A full collection looks at every object of the heap, most of which are modules that never go: it takes longer than a page.
Young objects are collected by Python as ever. Full collections run in a thread of their own, and only after something
happened; without them, sessions that ended would keep what refers to itself.
"""

import gc
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

YOUNG, MIDDLE = 10_000, 20
"""Python's thresholds: this many new objects before the youngest are looked at, this many such looks before the next ones."""
NEVER = 1_000_000
EVERY_S = 20.0
FIRST_AFTER_S = 3.0

log = logging.getLogger("fmar.memory")


@contextmanager
def without_collection() -> Iterator[None]:
    """Import modules without looking for garbage among them, and set aside what is there afterwards."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_enabled:
            gc.enable()


class Collector:
    """A thread that loads what pages will need, sets it aside, and then collects every 20 s if anything was allocated."""

    def __init__(
        self, load: Callable[[], object], every_s: float = EVERY_S, first_after_s: float = FIRST_AFTER_S
    ) -> None:
        self._load = load
        self._every_s, self._first_after_s = every_s, first_after_s
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="fmar-collector", daemon=True)
        self._thresholds = gc.get_threshold()

    def start(self) -> None:
        """Begin; from now on Python makes no full collection by itself, and none at all until the modules are loaded."""
        gc.set_threshold(YOUNG, MIDDLE, NEVER)
        self._thread.start()

    def stop(self) -> None:
        """End, and leave collecting to Python again."""
        self._stopping.set()
        self._thread.join(timeout=10)
        gc.set_threshold(*self._thresholds)

    def _run(self) -> None:
        if self._stopping.wait(self._first_after_s):
            return
        gc.enable()
        try:
            with without_collection():
                self._load()
        except Exception:
            log.exception("What pages need could not be loaded ahead; each page loads it when it is opened")
        while not self._stopping.wait(self._every_s):
            if gc.get_count()[2]:
                gc.collect()

"""Garbage of a server: what refers to itself goes without a full collection after each page."""

import gc
import weakref
from time import monotonic, sleep

from services.core.memory import Collector, without_collection


class Session:
    """Something that refers to itself, as sessions of pages do."""

    def __init__(self) -> None:
        self.itself = self


def test_imports_run_without_the_collector_and_are_set_aside() -> None:
    frozen = gc.get_freeze_count()
    with without_collection():
        assert not gc.isenabled()
        kept = [Session() for _ in range(1_000)]
    assert gc.isenabled()
    assert gc.get_freeze_count() >= frozen + len(kept)


def test_what_ended_is_collected_beside_the_pages_and_what_was_loaded_first_stays() -> None:
    loaded: list[Session] = []
    thresholds = gc.get_threshold()
    collector = Collector(lambda: loaded.append(Session()), every_s=0.05, first_after_s=0.0)
    collector.start()
    try:
        _wait_until(lambda: bool(loaded))
        sessions = [Session() for _ in range(1_000)]
        gc.collect(1)
        ended = weakref.ref(sessions[0])
        sessions.clear()
        for _ in range(100):
            # Enough for the middle generation to be looked at: that is when something may have grown old.
            gc.collect(1)
        _wait_until(lambda: ended() is None)
    finally:
        collector.stop()
    assert gc.get_threshold() == thresholds


def _wait_until(reached: object, seconds: float = 10.0) -> None:
    assert callable(reached)
    give_up = monotonic() + seconds
    while not reached():
        assert monotonic() < give_up
        sleep(0.01)

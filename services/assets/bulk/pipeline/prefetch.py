"""What is said of the next rows of a file is asked by a second process while this one writes those before (UC-02.01, bulk)."""

import logging
import os
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import NamedTuple

import polars as pl

from services.assets.bulk.pipeline.chunks import CHUNK_ROWS, given_rows, unpack
from services.assets.bulk.pipeline.duplicates import Earlier
from services.assets.bulk.pipeline.lookups import Asked, Early, Written, ask, ask_ahead, brought_up_to_date
from services.assets.bulk.pipeline.new_assets import StagedAssets
from services.core.audit_context import Stamp
from services.core.db.bulk_insert import uncollected
from services.core.identity.actor import Actor
from services.core.jobs.process_pool import packed, second_process, unpacked

log = logging.getLogger("fmar.bulk")
WORTH_IT = 3 * CHUNK_ROWS
"""Rows of a job from which on a second process is started; it takes about a second to come up."""
MOST_ASKED = 2
"""Chunks that are asked about together: while one answer waits to be taken, the next is worked out."""
NO_END = 1_000_000
"""More chunks than any file has."""
UP_SECONDS = 0.05
"""A process that is up already answers within this time."""
_UNPACKING = ThreadPoolExecutor(max_workers=1, thread_name_prefix="fmar-ahead")
"""Answers are unpacked as they come, while the rows before are written."""


def is_large(rows_total: int) -> bool:
    """Whether a job of so many rows gains by a second process."""
    return rows_total >= WORTH_IT and (os.cpu_count() or 1) > 1


def get_ready(seconds: float = 0) -> bool:
    """Have the second process come up, because it will soon be wanted; whether it is up within so many seconds.

    If it can't, whoever wants it will see.
    """
    with suppress(Exception):
        return bool(wait([second_process().submit(_ready)], seconds).done)
    return False


class Question(NamedTuple):
    """A chunk of a job to be asked about: its rows as they are kept, the columns by term, values for rows that give none.

    With a `stamp` its assets are staged for that `moment`.
    """

    actor: Actor
    number: int
    content: bytes
    columns: Mapping[str, str]
    constants: Mapping[str, str]
    stamp: Stamp | None
    moment: datetime


@dataclass(slots=True)
class _Asked:
    """`alone`: no other wrote for the provider of the rows then. `since`: what the job did from then on."""

    answer: Future[Early]
    alone: bool
    since: Written = field(default_factory=Written)


class Ahead:
    """Asks about chunks of a job ahead of the one that is written.

    `mostly_new` is false while most rows speak of assets that are there: these are held against their records instead.
    `chunks_left` is how many will be begun, from the next on, before other jobs and events have their turn.
    """

    def __init__(self) -> None:
        self.mostly_new = True
        self.chunks_left = NO_END
        self._able = True
        self._asked: dict[int, _Asked] = {}

    def knows_of(self, number: int) -> bool:
        """Whether a chunk has been asked about."""
        return number in self._asked

    def to_ask(self, number: int, rows_total: int, most: int = MOST_ASKED) -> range:
        """The chunks to be asked about, so that `most` are, beside the one that is written; the file may have fewer."""
        if not (self._able and self.mostly_new and is_large(rows_total)):
            return range(0)
        first = max((number, *self._asked)) + 1
        if not self._asked and not get_ready(UP_SECONDS):
            # Before the process is up and has answered, this one will have asked about the next chunk itself.
            first += 1
        last = first + most - len(self._asked.keys() - {number})
        return range(first, min(last, number + self.chunks_left))

    def ask(self, question: Question, *, alone: bool) -> None:
        """Have a chunk asked about; `alone` says that no other writes for the provider of its rows in this moment."""
        if not self._able:
            return
        try:
            future = second_process().submit(_ask, question)
        except Exception:
            self._give_up("can't be started")
        else:
            self._asked[question.number] = _Asked(_UNPACKING.submit(lambda: unpacked(future.result())), alone)

    def said_of(
        self, actor: Actor, number: int, given: pl.DataFrame, constants: Mapping[str, str], earlier: Earlier
    ) -> tuple[Asked, StagedAssets | None]:
        """What the rules and the register say of a chunk, asked ahead as far as that still holds, and what was staged of it.

        In the transaction that writes it; no other writes for its providers until that ends.
        """
        asked = self._asked.pop(number, None)
        early = self._answered(asked) if asked else None
        if asked is None or early is None:
            return ask(actor, given, constants), None
        since = asked.since if asked.alone else replace(asked.since, providers=frozenset())
        return brought_up_to_date(actor, given, constants, early, since, earlier)

    def note(self, written: Written) -> None:
        """What became of the chunk that was written: it is not in the answers to what was asked before."""
        for asked in self._asked.values():
            asked.since += written

    def _answered(self, asked: _Asked) -> Early | None:
        """The answer, which is waited for; None when the process is gone."""
        try:
            return asked.answer.result()
        except Exception:
            self._give_up("is gone")
            return None

    def _give_up(self, why: str) -> None:
        log.warning("The process that asks about rows ahead %s; they are asked about here", why, exc_info=True)
        self._able = False
        self._asked.clear()


def _ready() -> None:
    """Nothing but this module, with all that it imports, is wanted in the second process."""


def _ask(question: Question) -> bytes:
    """The second process's part."""
    with uncollected():
        given = given_rows(unpack(question.content), question.columns)
        return packed(ask_ahead(question.actor, given, question.constants, question.stamp, question.moment))

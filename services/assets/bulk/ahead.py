"""What is said of the next rows of a file is asked by a second process while this one writes those before (UC-02.01, bulk)."""

import logging
import os
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime

import polars as pl

from services.assets.bulk.asking import Asked, Early, Written, ask, ask_ahead, brought_up_to_date
from services.assets.bulk.earlier import Earlier
from services.assets.bulk.new_assets import StagedAssets
from services.assets.bulk.storing import CHUNK_ROWS, given_rows, unpack
from services.core.actor import Actor
from services.core.many import uncollected
from services.core.second_process import packed, second_process, unpacked
from services.core.stamp import Stamp

log = logging.getLogger("fmar.bulk")
WORTH_IT = 3 * CHUNK_ROWS
"""Rows of a job from which on a second process is started; it takes about a second to come up."""
_UNPACKING = ThreadPoolExecutor(max_workers=1, thread_name_prefix="fmar-ahead")
"""Answers are unpacked as they come, while the rows before are written."""


def is_large(rows_total: int) -> bool:
    """Whether a job of so many rows gains by a second process."""
    return rows_total >= WORTH_IT and (os.cpu_count() or 1) > 1


def get_ready() -> None:
    """Have the second process come up, because it will soon be wanted; if it can't, whoever wants it will see."""
    with suppress(Exception):
        second_process().submit(_ready)


class Ahead:
    """Asks about one chunk of a job ahead of the one that is written.

    `mostly_new` is false while most rows speak of assets that are there: these are held against their records instead.
    `goes_on` is false while the chunk that is written is likely the last one before other jobs and events have their turn.
    `written` is what the chunk did during which the question was asked.
    """

    def __init__(self) -> None:
        self.mostly_new = True
        self.goes_on = True
        self.written = Written()
        self._able = True
        self._asked: dict[int, Future[Early]] = {}

    def is_worth_it(self, rows_total: int) -> bool:
        """Whether a job of so many rows gains by it."""
        return self._able and self.mostly_new and self.goes_on and is_large(rows_total)

    def ask(
        self,
        actor: Actor,
        number: int,
        content: bytes,
        columns: Mapping[str, str],
        constants: Mapping[str, str],
        stamp: Stamp | None,
        moment: datetime,
    ) -> None:
        """Have a chunk asked about: its rows as they are kept, the columns by term, values for rows that give none.

        With a `stamp` its assets are staged for that `moment`.
        """
        try:
            future = second_process().submit(_ask, actor, content, dict(columns), dict(constants), stamp, moment)
        except Exception:
            self._give_up("can't be started")
        else:
            self._asked[number] = _UNPACKING.submit(lambda: unpacked(future.result()))

    def knows_of(self, number: int) -> bool:
        """Whether a chunk has been asked about."""
        return number in self._asked

    def said_of(
        self, actor: Actor, number: int, given: pl.DataFrame, constants: Mapping[str, str], earlier: Earlier
    ) -> tuple[Asked, StagedAssets | None]:
        """What the rules and the register say of a chunk, asked ahead as far as that still holds, and what was staged of it.

        In the transaction that writes it; no other writes for its providers until that ends.
        """
        early = self.taken(number)
        if early is None:
            return ask(actor, given, constants), None
        return brought_up_to_date(actor, given, constants, early, self.written, earlier)

    def taken(self, number: int) -> Early | None:
        """What was said of a chunk; waits for it. None where it wasn't asked about, or the process is gone."""
        asked = self._asked.pop(number, None)
        try:
            return asked.result() if asked else None
        except Exception:
            self._give_up("is gone")
            return None

    def _give_up(self, why: str) -> None:
        log.warning("The process that asks about rows ahead %s; they are asked about here", why, exc_info=True)
        self._able = False


def _ready() -> None:
    """Nothing but this module, with all that it imports, is wanted in the second process."""


def _ask(
    actor: Actor,
    content: bytes,
    columns: Mapping[str, str],
    constants: Mapping[str, str],
    stamp: Stamp | None,
    moment: datetime,
) -> bytes:
    """The second process's part."""
    with uncollected():
        return packed(ask_ahead(actor, given_rows(unpack(content), columns), constants, stamp, moment))

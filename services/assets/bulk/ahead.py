"""The next rows of a file are checked by a second process while this one writes those before them (UC-02.01, bulk).

Only rules that need nothing but the row itself are asked there (`services.assets.rules`, which are pure). What the register
says of a row is asked here, in the transaction that writes it.
"""

import logging
import os
import pickle
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from functools import lru_cache

import polars as pl

from services.assets.bulk.new_assets import StagedAssets, Writer, stage_assets
from services.assets.bulk.storing import CHUNK_ROWS, fresh_cells, given_rows, unpack
from services.assets.rules import CheckedAssets, check_assets
from services.assets.rules_prepare import AssetReference, AssetRuleContext
from services.core.many import uncollected
from services.core.rules import ROW_SCHEMA
from services.core.second_process import second_process

log = logging.getLogger("fmar.bulk")
WORTH_IT = 3 * CHUNK_ROWS
"""Rows of a job from which on a second process is started; it takes about a second to come up."""


def is_large(rows_total: int) -> bool:
    """Whether a job of so many rows gains by a second process."""
    return rows_total >= WORTH_IT and (os.cpu_count() or 1) > 1


@dataclass(frozen=True, slots=True)
class Checked:
    """What the rules say of all rows of a chunk, by their place in it, and what they were judged against.

    `staged` holds the assets that they become if the register has nothing to say either.
    """

    assets: CheckedAssets
    context: AssetRuleContext
    staged: StagedAssets | None = None

    def of_rows(self, places: Sequence[int], context: AssetRuleContext) -> CheckedAssets | None:
        """What the rules say of these rows, numbered anew; None where they have changed since they were asked."""
        if not self.context.judges_like(context):
            return None
        if len(places) == self.assets.values.height:
            return self.assets
        moved = pl.DataFrame({"row": places}, schema=ROW_SCHEMA).with_row_index("moved")
        found = (
            self.assets.findings.join(moved, on="row", maintain_order="left").with_columns(row="moved").drop("moved")
        )
        return replace(self.assets, values=self.assets.values.select(pl.all().gather(places)), findings=found)


class Ahead:
    """Checks one chunk of a job ahead of the one that is written.

    `mostly_new` is false while most rows speak of assets that are there: these are held against their records instead.
    `goes_on` is false while the chunk that is written is likely the last one before other jobs and events have their turn.
    """

    def __init__(self) -> None:
        self.mostly_new = True
        self.goes_on = True
        self._able = True
        self._asked: tuple[int, AssetRuleContext, Future[tuple[CheckedAssets, StagedAssets | None]]] | None = None

    def is_worth_it(self, rows_total: int) -> bool:
        """Whether a job of so many rows gains by it."""
        return self._able and self.mostly_new and self.goes_on and is_large(rows_total)

    def ask(
        self,
        number: int,
        content: bytes,
        columns: Mapping[str, str],
        constants: Mapping[str, str],
        context: AssetRuleContext,
        writer: Writer | None = None,
    ) -> None:
        """Have a chunk checked: its rows as they are kept, the columns by term, values for rows that give none.

        With a `writer` the assets are staged for them too.
        """
        said = replace(context, reference=_NO_REFERENCE)
        reference = _packed(context.reference)
        try:
            future = second_process().submit(_check, content, dict(columns), dict(constants), said, reference, writer)
        except Exception:
            self._give_up("can't be started")
        else:
            self._asked = number, context, future

    def taken(self, number: int) -> Checked | None:
        """What was found about a chunk; waits for it. None where it wasn't asked for, or the process is gone."""
        asked, self._asked = self._asked, None
        if asked is None or asked[0] != number:
            return None
        try:
            assets, staged = asked[2].result()
        except Exception:
            self._give_up("is gone")
            return None
        return Checked(assets, asked[1], staged)

    def _give_up(self, why: str) -> None:
        log.warning("The process that checks rows ahead %s; they are checked here", why, exc_info=True)
        self._able = False


_NO_REFERENCE = AssetReference({}, {})


@lru_cache(maxsize=2)
def _packed(reference: AssetReference) -> bytes:
    return pickle.dumps(AssetReference(reference.code_lists, reference.schemas))


@lru_cache(maxsize=2)
def _unpacked(data: bytes) -> AssetReference:
    """One object for one version: what is worked out of it is kept with it."""
    return pickle.loads(data)  # noqa: S301  # packed by the process that started this one


def _check(
    content: bytes,
    columns: Mapping[str, str],
    constants: Mapping[str, str],
    said: AssetRuleContext,
    reference: bytes,
    writer: Writer | None,
) -> tuple[CheckedAssets, StagedAssets | None]:
    """The second process's part."""
    with uncollected():
        given = given_rows(unpack(content), columns)
        checked = check_assets(fresh_cells(given, constants), replace(said, reference=_unpacked(reference)))
        return checked, stage_assets(checked, writer) if writer else None

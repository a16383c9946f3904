"""The columns of new assets of a run of rows, as `register_asset` fills them in for one; staged ahead for a large file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import polars as pl

from models.assets import Asset, AssetStatus
from models.base import new_ids
from services.assets.counters.maintain import COUNTED
from services.assets.registration.record import IDENTITIES, STORED_TERMS, key_of, waits_for_consent
from services.core.audit_context import Stamp
from services.core.db.columns import Column, Ids, Json, Same, each
from services.core.db.engine import engine
from services.core.ledger.canonical import columns_of
from services.core.ledger.prepared_rows import StagedRows, stage_rows

_SET_BY_LEDGER = frozenset({"version", "recorded_at", "recorded_by"})
ASKED_FOR = (*COUNTED, "aliases")
"""Columns that are looked at once assets are written."""


@dataclass(frozen=True, slots=True)
class StagedAssets:
    """Assets staged to be registered: `at` tells by a row's place in its run which of `rows` is its asset."""

    at: Mapping[int, int]
    rows: StagedRows

    def of_places(self, places: Sequence[int]) -> StagedRows:
        """The assets of these rows, of which there is at least one."""
        return self.rows.picked([self.at[place] for place in places])


def stage_assets(
    places: Sequence[int],
    values: pl.DataFrame,
    findings: Sequence[pl.DataFrame],
    stamp: Stamp,
    moment: datetime,
    versions: Mapping[str, int],
) -> StagedAssets | None:
    """Stage the assets of all rows of which nothing was found; None where there is no such row.

    The row `values[n]` stands at `places[n]`, and `findings` speak of it as n; `versions` are those of the categories' schemas.
    """
    numbered = values.with_row_index("index")
    found = pl.concat([part["row"] for part in findings]).unique()
    sound = numbered.filter(~pl.col("index").is_in(found.implode()))
    if sound.is_empty():
        return None
    nothing: list[Any] = []
    columns = asset_columns(sound, stamp.actor.organisation_id, versions, moment, Same(nothing))
    rows = stage_rows(Asset, columns, sound.height, stamp, moment, engine(writes=True).dialect, ASKED_FOR)
    return StagedAssets({places[index]: at for at, index in enumerate(sound["index"])}, rows)


def asset_columns(
    values: pl.DataFrame, own: UUID | None, versions: Mapping[str, int], moment: datetime, justifications: Column
) -> dict[str, Column]:
    """Every column of new assets but those that the ledger sets; `values` as `conforming.conform_rows` gives them.

    `own` is the organisation that registers them, under these versions of the categories' schemas.
    """
    when, count = Same(moment), values.height
    blank: dict[str, Column] = {
        name: Same(None) for name in columns_of(Asset.record_type()) if name not in _SET_BY_LEDGER
    }
    given = {column: _column(values[term]) for term, column in STORED_TERMS.items()}
    for term in IDENTITIES:
        given[STORED_TERMS[term]] = each(given[STORED_TERMS[term]], lambda text: None if text is None else UUID(text))
    given["category_attributes"] = Json(values["CategoryAttributes"].to_list())
    waiting = AssetStatus.AWAITING_CONSENT_CHECK
    consents = zip(values["ConsumerOwned"].to_list(), values["ConsentReference"].to_list(), strict=True)
    reasons = [waits_for_consent(reference) if owned else None for owned, reference in consents]
    return {
        **blank,
        **given,
        "id": Ids(new_ids(count)),
        "status": each(given["consumer_owned"], lambda owned: waiting if owned else AssetStatus.PENDING_VALIDATION),
        "status_reason": reasons,
        "status_since": when,
        "registered_at": when,
        "managed_from": when,
        "submitted_by_organisation": each(given["service_provider_id"], lambda one: own if one != own else None),
        "schema_version": each(given["asset_category"], lambda category: versions.get(category, 1)),
        "serial_key": each(given["serial_number"], key_of),
        "manufacturer_key": each(given["manufacturer"], key_of),
        "aliases": _lists(values["Aliases"]),
        "derived_terms": _derived(values["derived"]),
        "justifications": justifications,
    }


def _lists(series: pl.Series) -> Column:
    """A column of lists of aliases; where there is none, one empty list for all."""
    nothing: list[Any] = []
    if not series.list.len().sum():
        return Same(nothing)
    return [one or nothing for one in series.to_list()]


def _derived(series: pl.Series) -> Column:
    """The terms that the register worked out, sorted; equal lists are the very same one."""
    known: dict[tuple[str, ...], list[str]] = {}
    return [known.setdefault(tuple(one), sorted(one)) for one in series.to_list()]


def _column(series: pl.Series) -> Column:
    if series.n_unique() == 1:
        return Same(series[0])
    return series if series.dtype in (pl.String, pl.Decimal) else series.to_list()

"""Two providers' assets on one meter: a warning to who registers, and a notice to both (UC-02.01)."""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

from models.assets import Asset
from services.core.events import emit_for_asset
from services.core.transaction import current_session

SHARED = "asset.mpan_shared"
"""Somebody else's asset stands on the same meter: told to both providers, to neither who the other is."""


def tell_shared(asset: Asset, others: Iterable[tuple[UUID, str]]) -> None:
    """Tell the provider of an asset, and those of the `others` on its meters (asset and MPAN); inside an operation."""
    met = sorted(set(others), key=str)
    if not met:
        return
    chosen = select(Asset).where(col(Asset.id).in_({other for other, _mpan in met}))
    theirs = {one.id: one for one in current_session().scalars(chosen)}
    for mpan in sorted({mpan for _other, mpan in met}):
        emit_for_asset(SHARED, asset, {"mpan": mpan})
    for other, mpan in met:
        emit_for_asset(SHARED, theirs[other], {"mpan": mpan})

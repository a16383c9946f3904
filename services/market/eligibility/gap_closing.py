"""Gap closing: the free assets that would bring a unit, or some assets, to the least capacity of a product (UC-04.03)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import UUID

import polars as pl
from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import aliased
from sqlmodel import col

from models.assets import Asset, AssetStatus
from models.products import Direction, Family, ProductVersion, Spread
from models.units import MarketUnit, UnitMember
from services.core.clock import today
from services.core.errors import Finding, Forbidden, Invalid
from services.core.identity.actor import Actor
from services.core.identity.visibility import reach, visible
from services.core.operation import operation
from services.core.transaction import current_session
from services.market.eligibility.arrays import AREA_CODES, GROUP_CODES, SCOTTISH, find_buyers_areas
from services.market.eligibility.explanations import format_kw
from services.market.eligibility.frames import load_frames, load_frames_of_assets, load_frames_with_added
from services.market.eligibility.opportunities import require_selection
from services.market.eligibility.requirements import Requirement
from services.market.eligibility.verdicts import EligibilityStanding, EligibilityVerdict, explain_verdicts, judge
from services.market.products.catalogue import list_versions_in_force
from services.market.units.capability import measure_assets
from services.market.units.members import CURRENT, batches
from services.market.units.totals import load_assets_by_id

MAX_CANDIDATES = 5_000
"""The most free assets that are considered, largest first: a set of more is no small one."""
_DIRECTIONS = {Direction.UP: ("up",), Direction.DOWN: ("down",), Direction.BOTH: ("up", "down")}


@dataclass(frozen=True, slots=True)
class AddedAsset:
    """A free asset, with the kW it adds in the direction that counts. The name was typed by somebody: escape it."""

    asset_id: UUID
    name: str
    adds: Decimal


@dataclass(frozen=True, slots=True)
class GapClosing:
    """The effect of adding free assets to a unit, or to some assets."""

    product_code: str
    gap: Decimal
    """kW below the least capacity."""
    assets: list[AddedAsset]
    """The fewest assets that close the gap; all that help when it stays open."""
    closes: bool
    words: str
    after: EligibilityVerdict | None
    """The verdict with these assets added."""
    gained: list[str]
    """Other products for which the unit would become eligible."""
    lost: list[str]
    """Products for which it would no longer be eligible."""


@operation("UC-04.03", permission="unit.manage", writes=False, name="closing_set")
def closing_set(actor: Actor, unit_id: UUID, product_code: str) -> GapClosing:
    """Find the fewest free assets of the unit's FSP that give it a product's least capacity, and their other effects.

    Free: Verified, in no active unit of the family, in the same place, and neither too slow nor too short for the product.
    Raises NotFound when the unit is unseen, Forbidden when it is another provider's, Invalid for an unknown product.
    """
    unit = reach(MarketUnit, actor, unit_id, "unit.manage", lock=False)
    products, product = _find_product(product_code)
    units, areas = load_frames(col(MarketUnit.id) == unit_id)
    if units.is_empty():
        return _build_empty(product_code, "The unit is de-registered, or its assets are being counted.")
    members = select(col(UnitMember.asset_id)).where(col(UnitMember.unit_id) == unit_id, CURRENT)
    target = _Target(
        unit.service_provider_id, unit.family, members, partial(load_frames_with_added, unit.id, str(unit.family))
    )
    return _close_gap(actor, target, units, areas, products, product)


@operation("UC-04.03", permission="unit.manage", writes=False, name="closing_set_of_assets")
def closing_set_of_assets(actor: Actor, asset_ids: Sequence[UUID], product_code: str) -> GapClosing:
    """Find the closing set for some assets of the actor's organisation, as if they were a unit of the product's family.

    Raises NotFound for an asset that is unseen, Forbidden for one that another provider manages, Invalid for none, more
    than 10,000, or an unknown product.
    """
    products, product = _find_product(product_code)
    assets = require_selection(actor, asset_ids)
    _require_own_assets(actor, assets)
    assert actor.organisation_id is not None

    def with_added(added: Sequence[UUID]) -> tuple[pl.DataFrame, pl.DataFrame]:
        return load_frames_of_assets([*assets, *added], str(product.family))

    units, areas = with_added([])
    members = select(col(Asset.id)).where(col(Asset.id).in_(assets))
    return _close_gap(
        actor, _Target(actor.organisation_id, product.family, members, with_added), units, areas, products, product
    )


@dataclass(frozen=True, slots=True)
class _Target:
    """The target of a gap closing: provider, family, a query for its assets, and its frames with assets added."""

    provider: UUID
    family: Family
    members: Any
    with_added: Callable[[Sequence[UUID]], tuple[pl.DataFrame, pl.DataFrame]]


def _find_product(product_code: str) -> tuple[Sequence[ProductVersion], ProductVersion]:
    products = list_versions_in_force(today())
    product = next((version for version in products if version.code == product_code), None)
    if product is None:
        expected = "The code of a product in force"
        message = f"There is no product {product_code} in force. Look into the catalogue."
        raise Invalid([Finding("OPPORTUNITY-02", "ProductCode", product_code, expected, message)])
    return products, product


def _require_own_assets(actor: Actor, asset_ids: Sequence[UUID]) -> None:
    for batch in batches(asset_ids):
        query = select(col(Asset.asset_name)).where(
            col(Asset.id).in_(batch), col(Asset.service_provider_id) != actor.organisation_id
        )
        name = current_session().scalar(query.limit(1))
        if name is not None:
            raise Forbidden(f"{name} is managed by another provider: only your own assets are filled up. Leave it out.")


def _close_gap(
    actor: Actor,
    target: _Target,
    units: pl.DataFrame,
    areas: pl.DataFrame,
    products: Sequence[ProductVersion],
    product: ProductVersion,
) -> GapClosing:
    [row] = judge(units, areas, [product]).rows(named=True)
    if row["met_min_capacity"] is not False:
        return _build_empty(
            product.code, "The least capacity is there, as far as is known: no asset needs to be added."
        )
    free = _find_candidates(actor, target, product, row["place"], areas)
    return _build_closing(target, products, product, row["short"], _select_fewest(free, product, row["short"]))


def _build_empty(product_code: str, words: str) -> GapClosing:
    return GapClosing(product_code, Decimal(0), [], False, words, None, [], [])


def _find_candidates(
    actor: Actor, target: _Target, product: ProductVersion, place: str | None, areas: pl.DataFrame
) -> pl.DataFrame:
    """Find the largest free assets that may help, measured; one statement."""
    membership = select(col(UnitMember.id)).where(col(UnitMember.asset_id) == col(Asset.id), CURRENT)
    conditions: list[ColumnElement[bool]] = [
        visible(Asset, actor),
        col(Asset.service_provider_id) == target.provider,
        col(Asset.status) == AssetStatus.VERIFIED,
        col(Asset.id).not_in(target.members),
        ~membership.where(col(UnitMember.family) == target.family).correlate(Asset).exists(),
    ]
    codes = _find_areas(product, place, areas)
    if codes is not None:
        groups = [group for area, group in zip(AREA_CODES, GROUP_CODES, strict=True) if area in codes]
        conditions.append(or_(col(Asset.dno_connection).in_(codes), col(Asset.gsp_group).in_(groups)))
    if product.aggregation is Spread.NONE:
        conditions.append(_same_point_condition(target.members))
    query = select(col(Asset.id)).where(*conditions).order_by(col(Asset.rated_capacity).desc(), col(Asset.id))
    return _filter_fitting(
        measure_assets(load_assets_by_id(list(current_session().scalars(query.limit(MAX_CANDIDATES))))), product
    )


def _find_areas(product: ProductVersion, place: str | None, areas: pl.DataFrame) -> list[str] | None:
    """Find the licence areas in which an asset would count; None for anywhere."""
    if place is not None:
        return [place]
    buyers_areas = find_buyers_areas(tuple(product.procurers))
    codes = [code for code in AREA_CODES if buyers_areas is None or code in buyers_areas]
    if product.aggregation is Spread.SCOTTISH_GSP:
        return [code for code, group in zip(AREA_CODES, GROUP_CODES, strict=True) if group in SCOTTISH]
    if product.aggregation in (Spread.GSP_GROUP, Spread.CONSTRAINT_ZONE) and not areas.is_empty():
        present = set(areas["dno_code"]) & set(codes)
        return sorted(present)[:1]
    return None if buyers_areas is None else codes


def _same_point_condition(members: Any) -> ColumnElement[bool]:
    """Build the condition for assets on a meter of the target's assets."""
    meters: list[ColumnElement[bool]] = []
    for name in ("import_mpan", "export_mpan"):
        member: Any = aliased(Asset)
        mpan = getattr(member, name)
        meters.append(col(getattr(Asset, name)).in_(select(mpan).where(member.id.in_(members), mpan.is_not(None))))
    return or_(*meters)


def _filter_fitting(contributions: pl.DataFrame, product: ProductVersion) -> pl.DataFrame:
    """Keep the assets that are neither too slow nor too short for the product, as far as that is known."""
    fits = pl.lit(True)
    if product.full_delivery_s is not None:
        fits &= (pl.col("response") <= product.full_delivery_s).fill_null(True)
    if product.min_duration_min is not None:
        fits &= (pl.col("duration") >= product.min_duration_min).fill_null(True)
    return contributions.filter(fits)


def _select_fewest(free: pl.DataFrame, product: ProductVersion, gap: int) -> pl.DataFrame:
    """Select the fewest assets, as asset_id and `adds` (hundredths of kW).

    Largest first until the gap is closed; the last one is the smallest that will do.
    """
    best: pl.DataFrame | None = None
    for direction in _DIRECTIONS[product.direction]:
        helping = free.filter(pl.col(direction) > 0).select("asset_id", adds=pl.col(direction)).sort("adds", "asset_id")
        helping = helping.reverse()
        before = helping["adds"].cum_sum() - helping["adds"]
        selection = helping.filter(before < gap)
        if selection.height and selection["adds"].sum() >= gap:
            remaining = gap - selection["adds"][:-1].sum()
            last = helping[selection.height - 1 :].filter(pl.col("adds") >= remaining).tail(1)
            selection = pl.concat([selection[:-1], last])
        if best is None or _is_better(selection, best, gap):
            best = selection
    return pl.DataFrame() if best is None else best


def _is_better(candidate: pl.DataFrame, best: pl.DataFrame, gap: int) -> bool:
    candidate_sum, best_sum = candidate["adds"].sum(), best["adds"].sum()
    if candidate_sum >= gap and best_sum >= gap:
        return candidate.height < best.height
    return candidate_sum > best_sum


def _build_closing(
    target: _Target, products: Sequence[ProductVersion], product: ProductVersion, gap: int, selection: pl.DataFrame
) -> GapClosing:
    added = [UUID(identifier) for identifier in selection["asset_id"]]
    if not added:
        words = f"{format_kw(gap)} short, and none of your free assets would count for it there."
        return GapClosing(product.code, Decimal(gap) / 100, [], False, words, None, [], [])
    names = _load_names(added)
    sums = selection["adds"].sum()
    assets = [
        AddedAsset(asset, names[asset], Decimal(adds) / 100)
        for asset, adds in zip(added, selection["adds"], strict=True)
    ]
    [before] = explain_verdicts(*target.with_added([]), products).values()
    [after] = explain_verdicts(*target.with_added(added), products).values()
    changed = [(old, new) for old, new in zip(before, after, strict=True) if old.product_code != product.code]
    verdict = next(new for new in after if new.product_code == product.code)
    count = f"{len(added):,} of your free assets {'adds' if len(added) == 1 else 'add'} {format_kw(sums)}"
    # Judged again: an asset that stores nothing, say, could change more than the sum.
    [met] = [reason.met for reason in verdict.reasons if reason.requirement is Requirement.MIN_CAPACITY]
    closes = met is not False
    ends = "that closes the gap" if closes else f"{format_kw(max(gap - sums, 0))} would still be missing"
    return GapClosing(
        product.code,
        Decimal(gap) / 100,
        assets,
        closes,
        f"{format_kw(gap)} short; {count}: {ends}.",
        verdict,
        [new.product_code for old, new in changed if _becomes_eligible(old, new)],
        [new.product_code for old, new in changed if _becomes_eligible(new, old)],
    )


def _becomes_eligible(old: EligibilityVerdict, new: EligibilityVerdict) -> bool:
    return new.eligibility is EligibilityStanding.ELIGIBLE and old.eligibility is not EligibilityStanding.ELIGIBLE


def _load_names(ids: Sequence[UUID]) -> dict[UUID, str]:
    names: dict[UUID, str] = {}
    for batch in batches(ids):
        rows = current_session().execute(select(col(Asset.id), col(Asset.asset_name)).where(col(Asset.id).in_(batch)))
        names.update({row.id: row.asset_name for row in rows})
    return names

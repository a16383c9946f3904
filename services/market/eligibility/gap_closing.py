"""Which of one's own free assets would close the gap of a unit, or of some assets, to a product (UC-04.03)."""

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
from services.market.eligibility.arrays import AREA_CODES, GROUP_CODES, SCOTTISH, buyers_areas
from services.market.eligibility.explanations import kw
from services.market.eligibility.frames import frames_of_assets, frames_where, frames_with
from services.market.eligibility.opportunities import selected
from services.market.eligibility.requirements import Requirement
from services.market.eligibility.verdicts import Standing, Verdict, judge, verdicts_in
from services.market.products.catalogue import in_force_on
from services.market.units.capability import of_assets
from services.market.units.members import CURRENT, runs
from services.market.units.totals import assets_by_id

CANDIDATES = 5_000
"""As many of the largest free assets are looked at: a set of more is no small one."""
_WAYS = {Direction.UP: ("up",), Direction.DOWN: ("down",), Direction.BOTH: ("up", "down")}


@dataclass(frozen=True, slots=True)
class Added:
    """A free asset, and what it adds in the direction that counts (kW). The name was typed by somebody: escape it."""

    asset_id: UUID
    name: str
    adds: Decimal


@dataclass(frozen=True, slots=True)
class Closing:
    """What adding assets to a unit, or to some assets, would change."""

    product_code: str
    gap: Decimal
    """kW below the least capacity."""
    assets: list[Added]
    """The fewest that close the gap; all that help when it stays open."""
    closes: bool
    words: str
    after: Verdict | None
    """How it would stand with them."""
    gained: list[str]
    """Other products for which it would become eligible with them."""
    lost: list[str]
    """Products for which it would no longer be."""


@operation("UC-04.03", permission="unit.manage", writes=False, name="closing_set")
def closing_set(actor: Actor, unit_id: UUID, product_code: str) -> Closing:
    """The fewest free assets of the unit's FSP that give it a product's least capacity, and what else they change.

    Free is: Verified, in no active unit of the family, in the same place, and neither too slow nor too short for the
    product. Raises NotFound when the unit is unseen, Forbidden when it isn't one's own, Invalid for an unknown product.
    """
    unit = reach(MarketUnit, actor, unit_id, "unit.manage", lock=False)
    products, product = _asked(product_code)
    units, areas = frames_where(col(MarketUnit.id) == unit_id)
    if units.is_empty():
        return _none(product_code, "The unit is de-registered, or its assets are being counted.")
    held = select(col(UnitMember.asset_id)).where(col(UnitMember.unit_id) == unit_id, CURRENT)
    whose = _Whose(unit.service_provider_id, unit.family, held, partial(frames_with, unit.id, str(unit.family)))
    return _answer(actor, whose, units, areas, products, product)


@operation("UC-04.03", permission="unit.manage", writes=False, name="closing_set_of_assets")
def closing_set_of_assets(actor: Actor, asset_ids: Sequence[UUID], product_code: str) -> Closing:
    """The same for some assets of the actor's organisation as if they were a unit of the product's family.

    Raises NotFound for an asset that is unseen, Forbidden for one that another provider manages, Invalid for none, more than
    10,000, or an unknown product.
    """
    products, product = _asked(product_code)
    wanted = selected(actor, asset_ids)
    _require_own(actor, wanted)
    assert actor.organisation_id is not None

    def with_more(added: Sequence[UUID]) -> tuple[pl.DataFrame, pl.DataFrame]:
        return frames_of_assets([*wanted, *added], str(product.family))

    units, areas = with_more([])
    held = select(col(Asset.id)).where(col(Asset.id).in_(wanted))
    return _answer(
        actor, _Whose(actor.organisation_id, product.family, held, with_more), units, areas, products, product
    )


@dataclass(frozen=True, slots=True)
class _Whose:
    """What is to be filled up: whose it is, in which family, the assets in it, and how it would be with more of them."""

    provider: UUID
    family: Family
    held: Any
    with_more: Callable[[Sequence[UUID]], tuple[pl.DataFrame, pl.DataFrame]]


def _asked(product_code: str) -> tuple[Sequence[ProductVersion], ProductVersion]:
    products = in_force_on(today())
    product = next((one for one in products if one.code == product_code), None)
    if product is None:
        expected = "The code of a product in force"
        message = f"There is no product {product_code} in force. Look into the catalogue."
        raise Invalid([Finding("OPPORTUNITY-02", "ProductCode", product_code, expected, message)])
    return products, product


def _require_own(actor: Actor, wanted: Sequence[UUID]) -> None:
    for some in runs(wanted):
        strange = select(col(Asset.asset_name)).where(
            col(Asset.id).in_(some), col(Asset.service_provider_id) != actor.organisation_id
        )
        name = current_session().scalar(strange.limit(1))
        if name is not None:
            raise Forbidden(f"{name} is managed by another provider: only your own assets are filled up. Leave it out.")


def _answer(
    actor: Actor,
    whose: _Whose,
    units: pl.DataFrame,
    areas: pl.DataFrame,
    products: Sequence[ProductVersion],
    product: ProductVersion,
) -> Closing:
    [row] = judge(units, areas, [product]).rows(named=True)
    if row["met_min_capacity"] is not False:
        return _none(product.code, "The least capacity is there, as far as is known: no asset needs to be added.")
    free = _free_assets(actor, whose, product, row["place"], areas)
    return _told(whose, products, product, row["short"], _fewest(free, product, row["short"]))


def _none(product_code: str, words: str) -> Closing:
    return Closing(product_code, Decimal(0), [], False, words, None, [], [])


def _free_assets(
    actor: Actor, whose: _Whose, product: ProductVersion, place: str | None, areas: pl.DataFrame
) -> pl.DataFrame:
    """The largest that help, with what each brings; one statement finds them."""
    taken = select(col(UnitMember.id)).where(col(UnitMember.asset_id) == col(Asset.id), CURRENT)
    conditions: list[ColumnElement[bool]] = [
        visible(Asset, actor),
        col(Asset.service_provider_id) == whose.provider,
        col(Asset.status) == AssetStatus.VERIFIED,
        col(Asset.id).not_in(whose.held),
        ~taken.where(col(UnitMember.family) == whose.family).correlate(Asset).exists(),
    ]
    codes = _places(product, place, areas)
    if codes is not None:
        groups = [group for area, group in zip(AREA_CODES, GROUP_CODES, strict=True) if area in codes]
        conditions.append(or_(col(Asset.dno_connection).in_(codes), col(Asset.gsp_group).in_(groups)))
    if product.aggregation is Spread.NONE:
        conditions.append(_same_point(whose.held))
    found = select(col(Asset.id)).where(*conditions).order_by(col(Asset.rated_capacity).desc(), col(Asset.id))
    return _fit(of_assets(assets_by_id(list(current_session().scalars(found.limit(CANDIDATES))))), product)


def _places(product: ProductVersion, place: str | None, areas: pl.DataFrame) -> list[str] | None:
    """The licence areas in which an asset would count; None for anywhere."""
    if place is not None:
        return [place]
    bought = buyers_areas(tuple(product.procurers))
    codes = [code for code in AREA_CODES if bought is None or code in bought]
    if product.aggregation is Spread.SCOTTISH_GSP:
        return [code for code, group in zip(AREA_CODES, GROUP_CODES, strict=True) if group in SCOTTISH]
    if product.aggregation in (Spread.GSP_GROUP, Spread.CONSTRAINT_ZONE) and not areas.is_empty():
        held = set(areas["dno_code"]) & set(codes)
        return sorted(held)[:1]
    return None if bought is None else codes


def _same_point(held: Any) -> ColumnElement[bool]:
    """On a meter of the assets that are there."""
    meters: list[ColumnElement[bool]] = []
    for name in ("import_mpan", "export_mpan"):
        theirs: Any = aliased(Asset)
        mpan = getattr(theirs, name)
        meters.append(col(getattr(Asset, name)).in_(select(mpan).where(theirs.id.in_(held), mpan.is_not(None))))
    return or_(*meters)


def _fit(brought: pl.DataFrame, product: ProductVersion) -> pl.DataFrame:
    """Those that neither are too slow nor end too soon, as far as they say."""
    fits = pl.lit(True)
    if product.full_delivery_s is not None:
        fits &= (pl.col("response") <= product.full_delivery_s).fill_null(True)
    if product.min_duration_min is not None:
        fits &= (pl.col("duration") >= product.min_duration_min).fill_null(True)
    return brought.filter(fits)


def _fewest(free: pl.DataFrame, product: ProductVersion, gap: int) -> pl.DataFrame:
    """Asset and `adds` (hundredths of kW): largest first until the gap is closed, the last one as small as will do."""
    best: pl.DataFrame | None = None
    for way in _WAYS[product.direction]:
        helping = free.filter(pl.col(way) > 0).select("asset_id", adds=pl.col(way)).sort("adds", "asset_id")
        helping = helping.reverse()
        before = helping["adds"].cum_sum() - helping["adds"]
        wanted = helping.filter(before < gap)
        if wanted.height and wanted["adds"].sum() >= gap:
            left = gap - wanted["adds"][:-1].sum()
            last = helping[wanted.height - 1 :].filter(pl.col("adds") >= left).tail(1)
            wanted = pl.concat([wanted[:-1], last])
        if best is None or _better(wanted, best, gap):
            best = wanted
    return pl.DataFrame() if best is None else best


def _better(one: pl.DataFrame, other: pl.DataFrame, gap: int) -> bool:
    mine, theirs = one["adds"].sum(), other["adds"].sum()
    if mine >= gap and theirs >= gap:
        return one.height < other.height
    return mine > theirs


def _told(
    whose: _Whose, products: Sequence[ProductVersion], product: ProductVersion, gap: int, chosen: pl.DataFrame
) -> Closing:
    added = [UUID(one) for one in chosen["asset_id"]]
    if not added:
        words = f"{kw(gap)} short, and none of your free assets would count for it there."
        return Closing(product.code, Decimal(gap) / 100, [], False, words, None, [], [])
    names = _names(added)
    sums = chosen["adds"].sum()
    assets = [Added(one, names[one], Decimal(adds) / 100) for one, adds in zip(added, chosen["adds"], strict=True)]
    [before] = verdicts_in(*whose.with_more([]), products).values()
    [after] = verdicts_in(*whose.with_more(added), products).values()
    changed = [(old, new) for old, new in zip(before, after, strict=True) if old.product_code != product.code]
    verdict = next(one for one in after if one.product_code == product.code)
    count = f"{len(added):,} of your free assets {'adds' if len(added) == 1 else 'add'} {kw(sums)}"
    # Judged anew: an asset that stores nothing, say, could change more than the sum.
    closes = next(one.met for one in verdict.reasons if one.requirement is Requirement.MIN_CAPACITY) is not False
    ends = "that closes the gap" if closes else f"{kw(max(gap - sums, 0))} would still be missing"
    return Closing(
        product.code,
        Decimal(gap) / 100,
        assets,
        closes,
        f"{kw(gap)} short; {count}: {ends}.",
        verdict,
        [new.product_code for old, new in changed if _gains(old, new)],
        [new.product_code for old, new in changed if _gains(new, old)],
    )


def _gains(old: Verdict, new: Verdict) -> bool:
    return new.standing is Standing.ELIGIBLE and old.standing is not Standing.ELIGIBLE


def _names(ids: Sequence[UUID]) -> dict[UUID, str]:
    found: dict[UUID, str] = {}
    for some in runs(ids):
        rows = current_session().execute(select(col(Asset.id), col(Asset.asset_name)).where(col(Asset.id).in_(some)))
        found.update((row[0], row[1]) for row in rows)
    return found

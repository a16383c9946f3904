"""What units and assets may earn (UC-04.03): every product in force with reasons, equivalences, stacking and primacy.

Indicative: the register compares, the system operator assesses.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from uuid import UUID

import polars as pl
from sqlalchemy import select
from sqlmodel import col

from models.assets import Asset
from models.products import Family, ProductVersion
from models.units import MarketUnit, UnitStatus
from services.core.clock import today
from services.core.errors import Finding, Invalid, NotFound, Refused
from services.core.identity.actor import Actor
from services.core.identity.visibility import see, visible
from services.core.operation import operation
from services.core.transaction import current_session
from services.market.eligibility.frames import frames_of_assets, frames_where
from services.market.eligibility.stacking_check import (
    Beside,
    Primacy,
    Served,
    beside,
    holdings_of_assets,
    holdings_of_units,
    primacy_of_units,
)
from services.market.eligibility.verdicts import Standing, Verdict, verdicts_in, verdicts_of
from services.market.products.catalogue import in_force_on
from services.market.products.market_tables import equivalences, stacking
from services.market.units.connection_limits import ConnectionLimit, limits_of
from services.market.units.members import runs

__all__ = [
    "MOST_ASSETS",
    "Opportunities",
    "Opportunity",
    "Through",
    "opportunities_of_assets",
    "opportunities_of_unit",
    "verdicts_of",
]
MOST_ASSETS = 10_000
RANK = {Standing.ELIGIBLE: 0, Standing.NEARLY: 1, Standing.NOT: 2}


@dataclass(frozen=True, slots=True)
class Through:
    """That being qualified for one product lets a unit apply for another (table of equivalences); indicative."""

    product_code: str
    unit_code: str
    """As typed by its provider: escape it."""
    note: str

    @property
    def words(self) -> str:
        """As people read it."""
        return f"Qualified for {self.product_code} (unit {self.unit_code}): may apply for it. {self.note}".strip()


@dataclass(frozen=True, slots=True)
class Opportunity:
    """One product, and how the unit or the assets stand to it."""

    version: ProductVersion
    verdict: Verdict
    holds: Served | None = None
    """What the same unit holds of it already, or has applied for."""
    through: Sequence[Through] = ()
    beside: Sequence[Beside] = ()


@dataclass(frozen=True, slots=True)
class Opportunities:
    """All products for one unit or some assets, the best standing first. Powers in kW."""

    unit: MarketUnit | None
    assets: int
    up: Decimal
    down: Decimal
    items: list[Opportunity]
    holdings: list[Served] = field(default_factory=list)
    primacy: Primacy | None = None
    limit: ConnectionLimit | None = None
    being_counted: bool = False
    """Assets changed a moment ago: these figures are those from before."""
    chosen: Sequence[UUID] = ()
    """The assets, where it is a selection of them."""


@operation("UC-04.03", permission="unit.read", writes=False, name="opportunities_of_unit")
def opportunities_of_unit(actor: Actor, unit_id: UUID) -> Opportunities:
    """Every product for one unit. Raises NotFound when unseen, Refused when it is de-registered or not counted yet."""
    unit = see(MarketUnit, actor, unit_id)
    if unit.status is not UnitStatus.ACTIVE:
        raise Refused("The unit is de-registered: nothing can be applied for with it. Choose an active unit.")
    units, areas = frames_where(col(MarketUnit.id) == unit_id)
    if units.is_empty():
        raise Refused("The unit's assets are being counted. Look again in a moment.")
    held = holdings_of_units(actor, [unit_id]).get(unit_id, [])
    return _gathered(
        units,
        areas,
        held,
        unit=unit,
        primacy=primacy_of_units([unit_id]).get(unit_id),
        limit=limits_of([unit_id]).get(unit_id),
    )


@operation("UC-04.03", permission="asset.read", writes=False, name="opportunities_of_assets")
def opportunities_of_assets(actor: Actor, asset_ids: Sequence[UUID], family: Family | None = None) -> Opportunities:
    """Every product for some assets as if they were one unit; without a family, of whichever family fits the product.

    Raises NotFound for an asset that the actor may not see, Invalid for none or more than 10,000.
    """
    wanted = selected(actor, asset_ids)
    units, areas = frames_of_assets(wanted, None if family is None else str(family))
    return replace(_gathered(units, areas, holdings_of_assets(actor, wanted)), chosen=wanted)


def selected(actor: Actor, asset_ids: Sequence[UUID]) -> list[UUID]:
    """The assets of a selection, each once. Raises NotFound for an unseen one, Invalid for none or more than 10,000."""
    wanted = list(dict.fromkeys(asset_ids))
    if not 1 <= len(wanted) <= MOST_ASSETS:
        expected = f"1 to {MOST_ASSETS:,} assets"
        message = f"Choose {expected}: {len(wanted):,} were named."
        raise Invalid([Finding("OPPORTUNITY-01", "AssetIds", f"{len(wanted):,}", expected, message)])
    _require_seen(actor, wanted)
    return wanted


def _require_seen(actor: Actor, wanted: Sequence[UUID]) -> None:
    seen: set[UUID] = set()
    for some in runs(wanted):
        chosen = select(col(Asset.id)).where(col(Asset.id).in_(some), visible(Asset, actor))
        seen.update(current_session().scalars(chosen))
    unseen = next((one for one in wanted if one not in seen), None)
    if unseen is not None:
        raise NotFound("asset", unseen)


def _gathered(
    units: pl.DataFrame,
    areas: pl.DataFrame,
    held: Sequence[Served],
    *,
    unit: MarketUnit | None = None,
    primacy: Primacy | None = None,
    limit: ConnectionLimit | None = None,
) -> Opportunities:
    products = in_force_on(today())
    versions = {one.code: one for one in products}
    [row] = units.rows(named=True)
    verdicts = verdicts_in(units, areas, products)
    cells, ways = stacking(), _ways(held)
    items = [
        Opportunity(
            version,
            verdict,
            next((one for one in held if unit and one.unit_id == unit.id and one.product_code == version.code), None),
            ways.get(version.code, ()),
            beside(version, held, cells, versions),
        )
        for version, verdict in zip(products, verdicts[row["unit_id"]], strict=True)
    ]
    items.sort(key=order_of)
    return Opportunities(
        unit,
        row["assets"],
        Decimal(row["up"]).scaleb(-2),
        Decimal(row["down"]).scaleb(-2),
        items,
        list(held),
        primacy,
        limit,
        bool(row.get("stale")),
    )


def order_of(item: Opportunity) -> tuple[int, int, int, str]:
    """The best standing first, then what would be in another family, then the fewest gaps."""
    return (
        RANK[item.verdict.standing],
        RANK[item.verdict.apart_from_family],
        len(item.verdict.unmet),
        item.version.code,
    )


def _ways(held: Sequence[Served]) -> Mapping[str, list[Through]]:
    """By product, the equivalent ones that a unit is qualified for, steps of the table taken one after the other."""
    steps: dict[str, list[tuple[str, str]]] = {}
    for source, target, note in equivalences():
        steps.setdefault(source, []).append((target, note))
    found: dict[str, list[Through]] = {}
    for one in held:
        if not one.qualified:
            continue
        reached, ahead = {one.product_code}, [one.product_code]
        while ahead:
            for target, note in steps.get(ahead.pop(0), ()):
                if target not in reached:
                    reached.add(target)
                    ahead.append(target)
                    found.setdefault(target, []).append(Through(one.product_code, one.unit_code, note))
    return found

"""Opportunities of units and assets (UC-04.03): every product in force with reasons, equivalences, stacking and primacy.


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
from services.market.eligibility.frames import load_frames, load_frames_of_assets
from services.market.eligibility.stacking_check import (
    HeldProduct,
    Primacy,
    StackingWith,
    check_beside_holdings,
    find_holdings_of_assets,
    find_holdings_of_units,
    find_primacy,
)
from services.market.eligibility.verdicts import EligibilityStanding, EligibilityVerdict, explain_verdicts
from services.market.products.catalogue import list_versions_in_force
from services.market.products.market_tables import load_equivalences, load_stacking_matrix
from services.market.units.connection_limits import ConnectionLimit, limits_of
from services.market.units.members import batches

__all__ = [
    "MAX_ASSETS",
    "EquivalentRoute",
    "Opportunities",
    "Opportunity",
    "opportunities_of_assets",
    "opportunities_of_unit",
]
MAX_ASSETS = 10_000
RANK = {EligibilityStanding.ELIGIBLE: 0, EligibilityStanding.NEARLY: 1, EligibilityStanding.NOT: 2}


@dataclass(frozen=True, slots=True)
class EquivalentRoute:
    """A route by the table of equivalences: qualified for one product, a unit may apply for another; indicative."""

    product_code: str
    unit_code: str
    """As typed by its provider: escape it."""
    note: str

    @property
    def words(self) -> str:
        """The route as a sentence."""
        return f"Qualified for {self.product_code} (unit {self.unit_code}): may apply for it. {self.note}".strip()


@dataclass(frozen=True, slots=True)
class Opportunity:
    """One product with the verdict of the unit or the assets."""

    version: ProductVersion
    verdict: EligibilityVerdict
    holds: HeldProduct | None = None
    """The unit's own qualification or application for it, if any."""
    through: Sequence[EquivalentRoute] = ()
    beside: Sequence[StackingWith] = ()


@dataclass(frozen=True, slots=True)
class Opportunities:
    """All products for one unit or some assets, the best standing first. Powers in kW."""

    unit: MarketUnit | None
    assets: int
    up: Decimal
    down: Decimal
    items: list[Opportunity]
    holdings: list[HeldProduct] = field(default_factory=list)
    primacy: Primacy | None = None
    limit: ConnectionLimit | None = None
    being_counted: bool = False
    """True when assets changed a moment ago: the figures are those from before."""
    selection: Sequence[UUID] = ()
    """The assets, where the opportunities are of a selection."""


@operation("UC-04.03", permission="unit.read", writes=False, name="opportunities_of_unit")
def opportunities_of_unit(actor: Actor, unit_id: UUID) -> Opportunities:
    """Judge one unit against every product. Raises NotFound when unseen, Refused when de-registered or not counted yet."""
    unit = see(MarketUnit, actor, unit_id)
    if unit.status is not UnitStatus.ACTIVE:
        raise Refused("The unit is de-registered: nothing can be applied for with it. Choose an active unit.")
    units, areas = load_frames(col(MarketUnit.id) == unit_id)
    if units.is_empty():
        raise Refused("The unit's assets are being counted. Look again in a moment.")
    holdings = find_holdings_of_units(actor, [unit_id]).get(unit_id, [])
    return _build_opportunities(
        units,
        areas,
        holdings,
        unit=unit,
        primacy=find_primacy([unit_id]).get(unit_id),
        limit=limits_of([unit_id]).get(unit_id),
    )


@operation("UC-04.03", permission="asset.read", writes=False, name="opportunities_of_assets")
def opportunities_of_assets(actor: Actor, asset_ids: Sequence[UUID], family: Family | None = None) -> Opportunities:
    """Judge some assets against every product, as if they were one unit; without a family, of any that fits the product.


    Raises NotFound for an asset that the actor may not see, Invalid for none or more than 10,000.
    """
    selection = require_selection(actor, asset_ids)
    units, areas = load_frames_of_assets(selection, None if family is None else str(family))
    return replace(_build_opportunities(units, areas, find_holdings_of_assets(actor, selection)), selection=selection)


def require_selection(actor: Actor, asset_ids: Sequence[UUID]) -> list[UUID]:
    """Return the assets of a selection, each once. Raises NotFound for an unseen one, Invalid for none or over 10,000."""
    selection = list(dict.fromkeys(asset_ids))
    if not 1 <= len(selection) <= MAX_ASSETS:
        expected = f"1 to {MAX_ASSETS:,} assets"
        message = f"Choose {expected}: {len(selection):,} were named."
        raise Invalid([Finding("OPPORTUNITY-01", "AssetIds", f"{len(selection):,}", expected, message)])
    _require_visible(actor, selection)
    return selection


def _require_visible(actor: Actor, asset_ids: Sequence[UUID]) -> None:
    visible_ids: set[UUID] = set()
    for batch in batches(asset_ids):
        query = select(col(Asset.id)).where(col(Asset.id).in_(batch), visible(Asset, actor))
        visible_ids.update(current_session().scalars(query))
    unseen = next((asset_id for asset_id in asset_ids if asset_id not in visible_ids), None)
    if unseen is not None:
        raise NotFound("asset", unseen)


def _build_opportunities(
    units: pl.DataFrame,
    areas: pl.DataFrame,
    holdings: Sequence[HeldProduct],
    *,
    unit: MarketUnit | None = None,
    primacy: Primacy | None = None,
    limit: ConnectionLimit | None = None,
) -> Opportunities:
    products = list_versions_in_force(today())
    versions = {version.code: version for version in products}
    [row] = units.rows(named=True)
    verdicts = explain_verdicts(units, areas, products)
    own: dict[str, HeldProduct] = {}
    for holding in holdings:
        if unit and holding.unit_id == unit.id:
            own.setdefault(holding.product_code, holding)
    cells, routes = load_stacking_matrix(), _find_routes(holdings)
    items = [
        Opportunity(
            version,
            verdict,
            own.get(version.code),
            routes.get(version.code, ()),
            check_beside_holdings(version, holdings, cells, versions),
        )
        for version, verdict in zip(products, verdicts[row["unit_id"]], strict=True)
    ]
    items.sort(key=opportunity_order)
    return Opportunities(
        unit,
        row["assets"],
        Decimal(row["up"]).scaleb(-2),
        Decimal(row["down"]).scaleb(-2),
        items,
        list(holdings),
        primacy,
        limit,
        bool(row.get("stale")),
    )


def opportunity_order(item: Opportunity) -> tuple[int, int, int, str]:
    """Return the sort key: best standing first, then best standing in another family, then the fewest gaps."""
    return (
        RANK[item.verdict.eligibility],
        RANK[item.verdict.apart_from_family],
        len(item.verdict.unmet),
        item.version.code,
    )


def _find_routes(holdings: Sequence[HeldProduct]) -> Mapping[str, list[EquivalentRoute]]:
    """Find, by product, the routes from products that a unit is qualified for, following the table step by step."""
    steps: dict[str, list[tuple[str, str]]] = {}
    for source, target, note in load_equivalences():
        steps.setdefault(source, []).append((target, note))
    routes: dict[str, list[EquivalentRoute]] = {}
    for holding in holdings:
        if not holding.qualified:
            continue
        reached, queue = {holding.product_code}, [holding.product_code]
        while queue:
            for target, note in steps.get(queue.pop(0), ()):
                if target not in reached:
                    reached.add(target)
                    queue.append(target)
                    routes.setdefault(target, []).append(EquivalentRoute(holding.product_code, holding.unit_code, note))
    return routes

"""Map tiles (UC-05.01): hexagons with counts where there is much, assets where they can be told apart, by signed ticket."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from sqlalchemy import select
from sqlmodel import col

from models.assets import AssetStatus
from models.core import Event
from services.assets.filters import AssetFilters, dump_filters, load_filters
from services.assets.map.features import Kinds, hexagons, points
from services.assets.map.queries import (
    HIGHEST_ZOOM,
    LOWEST_ZOOM,
    box_of,
    by_group,
    cells_of_tile,
    counts_in,
    extent_of,
    points_in,
    without_position,
)
from services.assets.rules.reference import CATEGORY_LIST, catalogue
from services.core.errors import Finding, Invalid, Unauthenticated
from services.core.identity.actor import Actor
from services.core.identity.holders import issue_to, open_for_holder
from services.core.identity.permissions import may
from services.core.identity.visibility import visible
from services.core.operation import operation
from services.core.transaction import current_session

MOST_POINTS = 2000
"""Assets that one tile draws one by one, and that are all drawn so at any zoom when the filters let no more through."""
POINTS_FROM_ZOOM = 9
"""From this zoom of the tile on, assets are drawn one by one where there aren't too many."""
PURPOSE = "map"
MOST_COUNTED = 1000


class Layer(StrEnum):
    """Layers of the asset map."""

    ASSETS = "assets"
    CAPACITY = "capacity"


class Colouring(StrEnum):
    """Colour scales of the points on the map."""

    STATUS = "status"
    CATEGORY = "category"


@dataclass(frozen=True, slots=True)
class TileView:
    """View that a ticket opens to its holder: filters, layer, colours, and whether assets are shown one by one."""

    filters: AssetFilters
    layer: Layer = Layer.ASSETS
    colouring: Colouring = Colouring.STATUS
    one_by_one: bool = False
    """At every zoom, because what passes the filters is few."""


@dataclass(frozen=True, slots=True)
class MapSummary:
    """Extent of a map's assets. `unplaced`: without a position, counted no further than 1,001."""

    unplaced: int
    extent: tuple[float, float, float, float] | None
    """South, west, north, east of what is shown; None when there is too much to say, or nothing."""


@dataclass(frozen=True, slots=True)
class GroupCount:
    """A GSP group with how many assets pass the filters and their rated kW."""

    code: str
    assets: int
    rated_kw: Decimal


@operation("UC-05.01", permission="asset.read", writes=False, name="map_ticket")
def map_ticket(actor: Actor, view: TileView, browser: str | None = None) -> str:
    """A ticket that opens the tiles of this view to this person, in this browser where `browser` names it.

    It is the same text for five minutes unless something happened to what the actor sees.
    """
    newest = select(col(Event.seq)).where(visible(Event, actor)).order_by(col(Event.seq).desc()).limit(1)
    revision = current_session().scalar(newest) if may(actor, "event.read") else None
    return issue_to(
        actor,
        PURPOSE,
        {
            "roles": sorted(actor.roles),
            "filters": dump_filters(view.filters),
            "layer": view.layer,
            "colour": view.colouring,
            "all": view.one_by_one,
            "rev": revision,
        },
        browser,
    )


def open_ticket(ticket: str, browser: str | None = None) -> tuple[Actor, TileView]:
    """Open a map ticket: its holder, as they stand in the register at this moment, and the view that it opens.

    Raises Unauthenticated when it was changed or has ended, or its holder's access has or their roles have changed;
    Forbidden in another browser than the one it was made for.
    """
    actor, claims = open_for_holder(PURPOSE, ticket, browser, "Open the map in this one.")
    if sorted(actor.roles) != claims["roles"]:
        raise Unauthenticated("Your roles have changed. Reload the page.")
    filters = load_filters(claims["filters"])
    return actor, TileView(filters, Layer(claims["layer"]), Colouring(claims["colour"]), bool(claims["all"]))


@operation("UC-05.01", permission="asset.read", writes=False, name="map_tile")
def map_tile(actor: Actor, view: TileView, zoom: int, x: int, y: int) -> bytes:
    """A tile as GeoJSON: the actor's assets that pass the filters, one by one or counted by hexagon; under 300 kB.

    Raises Invalid for a tile that isn't on the map.
    """
    if not (LOWEST_ZOOM <= zoom <= HIGHEST_ZOOM and 0 <= x < 1 << zoom and 0 <= y < 1 << zoom):
        expected = f"zoom {LOWEST_ZOOM} to {HIGHEST_ZOOM}, column and row within it"
        raise Invalid([Finding("TILE-01", None, f"{zoom}/{x}/{y}", expected, "There is no such tile.")])
    cells = cells_of_tile(zoom, x, y)
    counts = [] if view.one_by_one else counts_in(actor, view.filters, cells)
    few = view.one_by_one or (zoom >= POINTS_FROM_ZOOM and sum(count.assets for count in counts) <= MOST_POINTS)
    if view.layer is Layer.ASSETS and few:
        assets = points_in(actor, view.filters, (zoom, x, y), MOST_POINTS)
        if len(assets) <= MOST_POINTS:
            return points(assets, zoom, _kinds(view.colouring))
    hexagon_counts = counts or counts_in(actor, view.filters, cells)
    return hexagons(hexagon_counts, zoom, box_of(zoom, x, y), view.layer is Layer.CAPACITY)


def _kinds(colouring: Colouring) -> Kinds:
    """The place of an asset's colour in its scale (the one after the last for what the scale doesn't know); its category."""
    positions = {code: position for position, code in enumerate(colour_codes(colouring))}
    labels = catalogue().reference.code_lists.get(CATEGORY_LIST, {})
    by_status = colouring is Colouring.STATUS

    def kind(status: str, category: str) -> tuple[int, str]:
        label = labels[category].label if category in labels else category
        return positions.get(status if by_status else category, len(positions)), label

    return kind


def colour_codes(colouring: Colouring) -> list[str]:
    """Codes of a colour scale in its order, inside an operation: statuses, or categories of the catalogue."""
    if colouring is Colouring.STATUS:
        return [str(status) for status in AssetStatus]
    return list(catalogue().reference.code_lists.get(CATEGORY_LIST, {}))


@operation("UC-05.01", permission="asset.read", writes=False, name="map_summary")
def map_summary(actor: Actor, filters: AssetFilters, total: int) -> MapSummary:
    """Extent of the assets that pass the filters, while `total` is few enough to draw one by one, and the unplaced ones."""
    unplaced = without_position(actor, filters, MOST_COUNTED)
    return MapSummary(unplaced, extent_of(actor, filters, total) if total <= MOST_POINTS else None)


@operation("UC-05.01", permission="asset.read", writes=False, name="group_counts")
def group_counts(actor: Actor, filters: AssetFilters) -> list[GroupCount]:
    """Count the actor's assets that pass the filters by GSP group, with their rated kW."""
    return [GroupCount(code, assets, Decimal(rated) / 100) for code, assets, rated in by_group(actor, filters) if code]

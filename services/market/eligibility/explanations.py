"""The matrix of requirements in words with numbers: one verdict for each unit and product (UC-04.03)."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import polars as pl

from models.products import FAMILY_LABELS, Direction, Family, Phase, ProductVersion, Spread
from services.grid.geography import gsp_group_name
from services.market.eligibility.arrays import AREA_CODES, GROUP_CODES, SCOTTISH, buyers_areas
from services.market.eligibility.matrix import judge
from services.market.eligibility.requirements import Reason, Requirement, Standing, Verdict

GROUP_OF_AREA = dict(zip(AREA_CODES, GROUP_CODES, strict=True))
WAYS = {Direction.UP: "up", Direction.DOWN: "down", Direction.BOTH: "up or down"}
NOT_SAID = UNIT_SILENT = "not known"
NAMED = 4
"""As many places are named, not only given by their codes."""


def verdicts_in(
    units: pl.DataFrame, areas: pl.DataFrame, products: Sequence[ProductVersion]
) -> dict[str, list[Verdict]]:
    """Every verdict by unit, in the order of the products; the frames are those of `judge`."""
    matrix = judge(units, areas, products)
    versions = {(one.code, one.product_version): one for one in products}
    held = {row["unit_id"]: _Unit(row, []) for row in units.iter_rows(named=True)}
    for row in areas.iter_rows(named=True):
        if row["unit_id"] in held:
            held[row["unit_id"]].places.append(row)
    found: dict[str, list[Verdict]] = defaultdict(list)
    for row in matrix.iter_rows(named=True):
        version = versions[row["product_code"], row["product_version"]]
        found[row["unit_id"]].append(_verdict(row, held[row["unit_id"]], version))
    return dict(found)


@dataclass(frozen=True, slots=True)
class _Unit:
    row: Mapping[str, Any]
    places: list[Mapping[str, Any]]

    def spread(self) -> str:
        """The places of the unit, the largest first: ``_C, _A and no known area``."""
        sizes: dict[str, int] = defaultdict(int)
        for one in self.places:
            sizes[_group(one) or ""] += max(one["up"], one["down"])
        names = sorted(sizes, key=lambda name: (not name, -sizes[name], name))
        return _joined([name or "no known area" for name in names]) or "no known area"

    def unplaced(self) -> int:
        """Hundredths of kW without an area, in the better direction."""
        return max((sum(one[way] for one in self.places if not _group(one)) for way in ("up", "down")), default=0)


def _group(place: Mapping[str, Any]) -> str | None:
    return GROUP_OF_AREA.get(place["dno_code"]) or (place["gsp_group"] if place["gsp_group"] in GROUP_CODES else None)


def _verdict(row: Mapping[str, Any], unit: _Unit, product: ProductVersion) -> Verdict:
    reasons = [_REASONS[one](row, unit, product) for one in Requirement if one is not Requirement.METERING]
    if product.metering:
        needs = f"{product.metering} metering"
        words = f"Needs {needs}; what the unit has is not known: the register holds no meter data."
        reasons.append(Reason(Requirement.METERING, needs, UNIT_SILENT, None, None, words))
    standing, apart = Standing(row["standing"]), Standing(row["apart_from_family"])
    return Verdict(product.code, product.product_version, standing, tuple(reasons), apart)


def _reason(
    requirement: Requirement, needs: str, has: str, met: bool | None, short_by: Decimal | None = None, more: str = ""
) -> Reason:
    if needs == NOT_SAID:
        words = f"What it needs is not known; the unit has {has}." if has != NOT_SAID else "Not known."
    elif has == UNIT_SILENT:
        words = f"Needs {needs}; what the unit has is not known: one of its assets doesn't say{more}."
    else:
        words = f"Needs {needs}; has {has}{more}."
    return Reason(requirement, needs, has, short_by, met, words)


def _family(row: Mapping[str, Any], unit: _Unit, product: ProductVersion) -> Reason:
    needs = f"a unit of family {FAMILY_LABELS[product.family]}"
    given = unit.row["family"]
    has = "a family still to be chosen" if given is None else f"one of {FAMILY_LABELS[Family(given)]}"
    met = row["met_family"]
    more = "" if met else ": the same assets can be in a unit of that family too"
    return _reason(Requirement.FAMILY, needs, has, met, more=more)


def _phase(row: Mapping[str, Any], unit: _Unit, product: ProductVersion) -> Reason:
    needs = "a product that is open for qualification in this register"
    has = {
        Phase.GO_LIVE: "one that is",
        Phase.PHASE_3: "one that opens with phase 3",
        Phase.LEGACY: "a legacy product, closed to new units",
    }[product.phase]
    return _reason(Requirement.PHASE, needs, has, row["met_phase"])


def _direction(row: Mapping[str, Any], unit: _Unit, product: ProductVersion) -> Reason:
    both = product.direction is Direction.BOTH
    needs = "power up or down" if both else f"power {WAYS[product.direction]}"
    has = f"{kw(unit.row['up'])} up and {kw(unit.row['down'])} down"
    return _reason(Requirement.DIRECTION, needs, has, row["met_direction"])


def _area(row: Mapping[str, Any], unit: _Unit, product: ProductVersion) -> Reason:
    areas = buyers_areas(tuple(product.procurers))
    buyers = _joined(product.procurers) or "an unnamed buyer"
    buy = "buys" if len(product.procurers) < 2 else "buy"
    if areas is None:
        return _reason(Requirement.AREA, f"assets where {buyers} {buy} (all of Great Britain)", unit.spread(), True)
    groups = [GROUP_OF_AREA[code] for code in AREA_CODES if code in areas]
    where = _joined([f"{one} {gsp_group_name(one)}" if len(groups) <= NAMED else one for one in sorted(groups)], "or")
    return _reason(Requirement.AREA, f"assets where {buyers} {buy} ({where})", unit.spread(), row["met_area"])


def _place(row: Mapping[str, Any], unit: _Unit, product: ProductVersion) -> Reason:
    met, spread, points = row["met_place"], unit.spread(), unit.row["accounting_points"]
    short, more = None, ""
    match product.aggregation:
        case None:
            return _reason(Requirement.PLACE, NOT_SAID, f"assets in {spread}", None)
        case Spread.NONE:
            needs = "all assets at one accounting point"
            has = f"{points:,} accounting {'point' if points == 1 else 'points'}"
            return _reason(Requirement.PLACE, needs, has, met)
        case Spread.NATIONAL:
            return _reason(Requirement.PLACE, "assets anywhere in Great Britain", spread, met)
        case Spread.GSP_GROUP:
            needs = "all assets in one GSP group"
        case Spread.SCOTTISH_GSP:
            needs = f"all assets in the Scottish GSP groups ({_joined(SCOTTISH)})"
        case Spread.CONSTRAINT_ZONE:
            needs = "all assets in one constraint zone, which lies in one licence area"
            if met is None:
                more = ": which zone, the system operator knows"
    if met is False and row["capacity"]:
        short = _kilowatts(row["outside"])
        more = f": leave out {kw(row['outside'])} that lies elsewhere"
    return _reason(Requirement.PLACE, needs, spread, met, short, more)


def _least(row: Mapping[str, Any], unit: _Unit, product: ProductVersion) -> Reason:
    has = _had(row, unit, product)
    if product.min_capacity is None:
        return _reason(Requirement.MIN_CAPACITY, NOT_SAID, has, None)
    needs = f"{kw(int(product.min_capacity * 100))}{_way(product)}{_within(product)}"
    met = row["met_min_capacity"]
    if met is None:
        more = f", and {kw(unit.unplaced())} whose area is not known"
        return _reason(Requirement.MIN_CAPACITY, needs, has, None, _kilowatts(row["short"]), more)
    more = "" if met else f": {kw(row['short'])} short"
    return _reason(Requirement.MIN_CAPACITY, needs, has, met, None if met else _kilowatts(row["short"]), more)


def _most(row: Mapping[str, Any], unit: _Unit, product: ProductVersion) -> Reason:
    has = _had(row, unit, product)
    if product.max_capacity is None:
        return _reason(Requirement.MAX_CAPACITY, NOT_SAID, has, None)
    needs, met = f"at most {kw(int(product.max_capacity * 100))}", row["met_max_capacity"]
    over = row["over"] if met is False else 0
    more = f": offer {kw(over)} less" if over else ""
    return _reason(Requirement.MAX_CAPACITY, needs, has, met, _kilowatts(over) if over else None, more)


def _delivery(row: Mapping[str, Any], unit: _Unit, product: ProductVersion) -> Reason:
    needed, takes = product.full_delivery_s, unit.row["response_s"]
    needs = NOT_SAID if needed is None else f"full delivery within {seconds(needed)}"
    has = UNIT_SILENT if takes is None else seconds(takes)
    met = row["met_full_delivery"]
    if met is not False or needed is None or takes is None:
        return _reason(Requirement.FULL_DELIVERY, needs, has, met)
    late = takes - needed
    return _reason(Requirement.FULL_DELIVERY, needs, has, met, Decimal(late), f": {seconds(late)} too slow")


def _duration(row: Mapping[str, Any], unit: _Unit, product: ProductVersion) -> Reason:
    needed, lasts = product.min_duration_min, unit.row["duration_min"]
    needs = NOT_SAID if needed is None else f"delivery for {needed:,} min"
    has = UNIT_SILENT if lasts is None else f"{lasts:,} min"
    met = row["met_duration"]
    if met is not False or needed is None or lasts is None:
        return _reason(Requirement.DURATION, needs, has, met)
    more = f": {needed - lasts:,} min short"
    carried = (unit.row["energy"] or 0) * 60 // needed
    if carried and carried >= int((product.min_capacity or 0) * 100):
        more += f"; its energy carries {kw(carried)} for {needed:,} min"
    return _reason(Requirement.DURATION, needs, has, met, Decimal(needed - lasts), more)


_REASONS = {
    Requirement.FAMILY: _family,
    Requirement.PHASE: _phase,
    Requirement.DIRECTION: _direction,
    Requirement.AREA: _area,
    Requirement.PLACE: _place,
    Requirement.MIN_CAPACITY: _least,
    Requirement.MAX_CAPACITY: _most,
    Requirement.FULL_DELIVERY: _delivery,
    Requirement.DURATION: _duration,
}


def _had(row: Mapping[str, Any], unit: _Unit, product: ProductVersion) -> str:
    """What counts and where: ``940 kW in _C``."""
    if row["place"] is not None:
        where = f" in {GROUP_OF_AREA[row['place']]}"
    elif product.aggregation is Spread.SCOTTISH_GSP:
        where = " there"
    else:
        where = ""
    return f"{kw(row['capacity'])}{where}"


def _within(product: ProductVersion) -> str:
    match product.aggregation:
        case Spread.GSP_GROUP:
            return " in one GSP group"
        case Spread.CONSTRAINT_ZONE:
            return " in one licence area of the buyer"
        case Spread.SCOTTISH_GSP:
            return " in the Scottish GSP groups"
        case Spread.NONE:
            return " at one accounting point"
        case Spread.NATIONAL | None:
            return ""


def _way(product: ProductVersion) -> str:
    return "" if product.direction is Direction.BOTH else f" {WAYS[product.direction]}"


def kw(amount: int) -> str:
    """Hundredths of a kW as they are read: ``1,000 kW``, without zeros that say nothing."""
    text = f"{_kilowatts(amount):,.2f}".rstrip("0").rstrip(".")
    return f"{text} kW"


def seconds(count: int) -> str:
    """Seconds as they are read: minutes, hours or days where they come out whole."""
    for name, size in (("days", 86_400), ("h", 3_600), ("min", 60)):
        if count >= 2 * size and count % size == 0:
            return f"{count // size:,} {name}"
    return f"{count:,} s"


def _kilowatts(amount: int) -> Decimal:
    return Decimal(amount) / 100


def _joined(words: Sequence[str], last: str = "and") -> str:
    return f" {last} ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)

"""Explanations of the requirement matrix, in words with numbers: one verdict for each unit and product (UC-04.03)."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import polars as pl

from models.products import FAMILY_LABELS, Direction, Family, Phase, ProductVersion, Spread
from services.grid.geography import gsp_group_name
from services.market.eligibility.arrays import AREA_CODES, GROUP_CODES, SCOTTISH, find_buyers_areas
from services.market.eligibility.matrix import judge
from services.market.eligibility.requirements import EligibilityStanding, EligibilityVerdict, Reason, Requirement

GROUP_OF_AREA = dict(zip(AREA_CODES, GROUP_CODES, strict=True))
DIRECTION_WORDS = {Direction.UP: "up", Direction.DOWN: "down", Direction.BOTH: "up or down"}
NOT_KNOWN = "not known"
MAX_NAMED_GROUPS = 4
"""The most GSP groups that are named in full; more are given by code."""


def explain_verdicts(
    units: pl.DataFrame, areas: pl.DataFrame, products: Sequence[ProductVersion]
) -> dict[str, list[EligibilityVerdict]]:
    """Explain every verdict, by unit, in the order of the products; the frames are those of `judge`."""
    matrix = judge(units, areas, products)
    versions = {(version.code, version.product_version): version for version in products}
    unit_rows = {row["unit_id"]: _Unit(row, []) for row in units.iter_rows(named=True)}
    for row in areas.iter_rows(named=True):
        if row["unit_id"] in unit_rows:
            unit_rows[row["unit_id"]].places.append(row)
    verdicts: dict[str, list[EligibilityVerdict]] = defaultdict(list)
    for row in matrix.iter_rows(named=True):
        version = versions[row["product_code"], row["product_version"]]
        verdicts[row["unit_id"]].append(_build_verdict(row, unit_rows[row["unit_id"]], version))
    return dict(verdicts)


@dataclass(frozen=True, slots=True)
class _Unit:
    row: Mapping[str, Any]
    places: list[Mapping[str, Any]]

    def spread(self) -> str:
        """Describe the places of the unit, largest first: ``_C, _A and no known area``."""
        sizes: dict[str, int] = defaultdict(int)
        for place in self.places:
            sizes[_find_group(place) or ""] += max(place["up"], place["down"])
        names = sorted(sizes, key=lambda name: (not name, -sizes[name], name))
        return _join_words([name or "no known area" for name in names]) or "no known area"

    def unplaced(self) -> int:
        """Sum the hundredths of kW without a known area, in the better direction."""
        unplaced = [place for place in self.places if not _find_group(place)]
        return max(sum(place[direction] for place in unplaced) for direction in ("up", "down"))


def _find_group(place: Mapping[str, Any]) -> str | None:
    return GROUP_OF_AREA.get(place["dno_code"]) or (place["gsp_group"] if place["gsp_group"] in GROUP_CODES else None)


def _build_verdict(row: Mapping[str, Any], unit: _Unit, product: ProductVersion) -> EligibilityVerdict:
    reasons = [explain(row, unit, product) for explain in _EXPLAIN.values()]
    if product.metering:
        needs = f"{product.metering} metering"
        words = f"Needs {needs}; what the unit has is not known: the register holds no meter data."
        reasons.append(Reason(Requirement.METERING, needs, NOT_KNOWN, None, None, words))
    standing_in_unit, standing_in_family = (
        EligibilityStanding(row["standing"]),
        EligibilityStanding(row["apart_from_family"]),
    )
    return EligibilityVerdict(
        product.code, product.product_version, standing_in_unit, tuple(reasons), standing_in_family
    )


def _build_reason(
    requirement: Requirement, needs: str, has: str, met: bool | None, short_by: Decimal | None = None, remark: str = ""
) -> Reason:
    if needs == NOT_KNOWN:
        words = f"What it needs is not known; the unit has {has}." if has != NOT_KNOWN else "Not known."
    elif has == NOT_KNOWN:
        words = f"Needs {needs}; what the unit has is not known: one of its assets doesn't say{remark}."
    else:
        words = f"Needs {needs}; has {has}{remark}."
    return Reason(requirement, needs, has, short_by, met, words)


def _explain_family(row: Mapping[str, Any], unit: _Unit, product: ProductVersion) -> Reason:
    needs = f"a unit of family {FAMILY_LABELS[product.family]}"
    family = unit.row["family"]
    has = "a family still to be chosen" if family is None else f"one of {FAMILY_LABELS[Family(family)]}"
    met = row["met_family"]
    remark = "" if met else ": the same assets can be in a unit of that family too"
    return _build_reason(Requirement.FAMILY, needs, has, met, remark=remark)


def _explain_phase(row: Mapping[str, Any], unit: _Unit, product: ProductVersion) -> Reason:
    needs = "a product that is open for qualification in this register"
    has = {
        Phase.GO_LIVE: "one that is",
        Phase.PHASE_3: "one that opens with phase 3",
        Phase.LEGACY: "a legacy product, closed to new units",
    }[product.phase]
    return _build_reason(Requirement.PHASE, needs, has, row["met_phase"])


def _explain_direction(row: Mapping[str, Any], unit: _Unit, product: ProductVersion) -> Reason:
    either_way = product.direction is Direction.BOTH
    needs = "power up or down" if either_way else f"power {DIRECTION_WORDS[product.direction]}"
    has = f"{format_kw(unit.row['up'])} up and {format_kw(unit.row['down'])} down"
    return _build_reason(Requirement.DIRECTION, needs, has, row["met_direction"])


def _explain_area(row: Mapping[str, Any], unit: _Unit, product: ProductVersion) -> Reason:
    areas = find_buyers_areas(tuple(product.procurers))
    buyers = _join_words(product.procurers) or "an unnamed buyer"
    buy = "buys" if len(product.procurers) < 2 else "buy"
    if areas is None:
        return _build_reason(
            Requirement.AREA, f"assets where {buyers} {buy} (all of Great Britain)", unit.spread(), True
        )
    groups = [GROUP_OF_AREA[code] for code in AREA_CODES if code in areas]
    names = [
        f"{gsp_group_name(group)} ({group})" if len(groups) <= MAX_NAMED_GROUPS else group for group in sorted(groups)
    ]
    needs = f"assets where {buyers} {buy} ({_join_words(names, 'or')})"
    return _build_reason(Requirement.AREA, needs, unit.spread(), row["met_area"])


def _explain_place(row: Mapping[str, Any], unit: _Unit, product: ProductVersion) -> Reason:
    met, spread, points = row["met_place"], unit.spread(), unit.row["accounting_points"]
    short_by, remark = None, ""
    match product.aggregation:
        case None:
            return _build_reason(Requirement.PLACE, NOT_KNOWN, f"assets in {spread}", None)
        case Spread.NONE:
            needs = "all assets at one accounting point"
            has = f"{points:,} accounting {'point' if points == 1 else 'points'}"
            return _build_reason(Requirement.PLACE, needs, has, met)
        case Spread.NATIONAL:
            return _build_reason(Requirement.PLACE, "assets anywhere in Great Britain", spread, met)
        case Spread.GSP_GROUP:
            needs = "all assets in one GSP group"
        case Spread.SCOTTISH_GSP:
            needs = f"all assets in the Scottish GSP groups ({_join_words(SCOTTISH)})"
        case Spread.CONSTRAINT_ZONE:
            needs = "all assets in one constraint zone, which lies in one licence area"
            if met is None:
                remark = ": which zone, the system operator knows"
    if met is False and row["capacity"]:
        short_by = _to_kw(row["outside"])
        remark = f": leave out {format_kw(row['outside'])} that lies elsewhere"
    return _build_reason(Requirement.PLACE, needs, spread, met, short_by, remark)


def _explain_min_capacity(row: Mapping[str, Any], unit: _Unit, product: ProductVersion) -> Reason:
    has = _describe_capacity(row, unit, product)
    if product.min_capacity is None:
        return _build_reason(Requirement.MIN_CAPACITY, NOT_KNOWN, has, None)
    needs = f"{format_kw(int(product.min_capacity * 100))}{_describe_direction(product)}{_describe_place(product)}"
    met = row["met_min_capacity"]
    if met is None:
        remark = f", and {format_kw(unit.unplaced())} whose area is not known"
        return _build_reason(Requirement.MIN_CAPACITY, needs, has, None, _to_kw(row["short"]), remark)
    remark = "" if met else f": {format_kw(row['short'])} short"
    return _build_reason(Requirement.MIN_CAPACITY, needs, has, met, None if met else _to_kw(row["short"]), remark)


def _explain_max_capacity(row: Mapping[str, Any], unit: _Unit, product: ProductVersion) -> Reason:
    has = _describe_capacity(row, unit, product)
    if product.max_capacity is None:
        return _build_reason(Requirement.MAX_CAPACITY, NOT_KNOWN, has, None)
    needs, met = f"at most {format_kw(int(product.max_capacity * 100))}", row["met_max_capacity"]
    excess = row["over"] if met is False else 0
    remark = f": offer {format_kw(excess)} less" if excess else ""
    return _build_reason(Requirement.MAX_CAPACITY, needs, has, met, _to_kw(excess) if excess else None, remark)


def _explain_full_delivery(row: Mapping[str, Any], unit: _Unit, product: ProductVersion) -> Reason:
    needed, response = product.full_delivery_s, unit.row["response_s"]
    needs = NOT_KNOWN if needed is None else f"full delivery within {format_seconds(needed)}"
    has = NOT_KNOWN if response is None else format_seconds(response)
    met = row["met_full_delivery"]
    if met is not False or needed is None or response is None:
        return _build_reason(Requirement.FULL_DELIVERY, needs, has, met)
    late = response - needed
    return _build_reason(
        Requirement.FULL_DELIVERY, needs, has, met, Decimal(late), f": {format_seconds(late)} too slow"
    )


def _explain_duration(row: Mapping[str, Any], unit: _Unit, product: ProductVersion) -> Reason:
    needed, duration = product.min_duration_min, unit.row["duration_min"]
    needs = NOT_KNOWN if needed is None else f"delivery for {needed:,} min"
    has = NOT_KNOWN if duration is None else f"{duration:,} min"
    met = row["met_duration"]
    if met is not False or needed is None or duration is None:
        return _build_reason(Requirement.DURATION, needs, has, met)
    remark = f": {needed - duration:,} min short"
    sustained = (unit.row["energy"] or 0) * 60 // needed
    if sustained and sustained >= int((product.min_capacity or 0) * 100):
        remark += f"; its energy carries {format_kw(sustained)} for {needed:,} min"
    return _build_reason(Requirement.DURATION, needs, has, met, Decimal(needed - duration), remark)


_EXPLAIN = {
    Requirement.FAMILY: _explain_family,
    Requirement.PHASE: _explain_phase,
    Requirement.DIRECTION: _explain_direction,
    Requirement.AREA: _explain_area,
    Requirement.PLACE: _explain_place,
    Requirement.MIN_CAPACITY: _explain_min_capacity,
    Requirement.MAX_CAPACITY: _explain_max_capacity,
    Requirement.FULL_DELIVERY: _explain_full_delivery,
    Requirement.DURATION: _explain_duration,
}


def _describe_capacity(row: Mapping[str, Any], unit: _Unit, product: ProductVersion) -> str:
    """Describe the capacity that counts, and where: ``940 kW in _C``."""
    if row["place"] is not None:
        place = f" in {GROUP_OF_AREA[row['place']]}"
    elif product.aggregation is Spread.SCOTTISH_GSP:
        place = " there"
    else:
        place = ""
    return f"{format_kw(row['capacity'])}{place}"


def _describe_place(product: ProductVersion) -> str:
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


def _describe_direction(product: ProductVersion) -> str:
    return "" if product.direction is Direction.BOTH else f" {DIRECTION_WORDS[product.direction]}"


def format_kw(amount: int) -> str:
    """Format hundredths of a kW: ``1,000 kW``, without trailing zeros."""
    text = f"{_to_kw(amount):,.2f}".rstrip("0").rstrip(".")
    return f"{text} kW"


def format_seconds(count: int) -> str:
    """Format seconds: as minutes, hours or days where they come out whole."""
    for name, size in (("days", 86_400), ("h", 3_600), ("min", 60)):
        if count >= 2 * size and count % size == 0:
            return f"{count // size:,} {name}"
    return f"{count:,} s"


def _to_kw(amount: int) -> Decimal:
    return Decimal(amount) / 100


def _join_words(words: Sequence[str], last: str = "and") -> str:
    return f" {last} ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)

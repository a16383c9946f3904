"""Top blockers (UC-05.02): which requirements stop most units, and how much power, from being eligible for what is open."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from threading import Lock
from typing import Any

import numpy as np
import polars as pl
from sqlalchemy import BigInteger, ColumnElement, func, select, type_coerce
from sqlmodel import col

from models.participants import Organisation
from models.products import Family, ProductVersion
from models.units import MarketUnit, UnitCapability, UnitStatus
from services.core.clock import now, today
from services.core.identity.actor import Actor
from services.core.identity.permissions import Scope, scopes_of
from services.core.identity.visibility import within
from services.core.operation import operation
from services.core.settings import settings
from services.core.transaction import current_session
from services.market.eligibility.explanations import GROUP_OF_AREA
from services.market.eligibility.frames import as_stored, frames_to_count
from services.market.eligibility.requirements import STOPPERS, Requirement, stops
from services.market.eligibility.verdicts import judge
from services.market.products.catalogue import offered_on
from services.market.products.procurers import procurers_of
from services.market.statistics.blocker_text import joined, label_of, what_stops, words_of
from services.market.statistics.disclosure_control import shown_to_all
from services.market.statistics.model import MarketFilters
from services.market.statistics.queries import PERMISSION

TOP = 12
"""So many are told; how many more there are is said."""
KEPT = 64
"""Answers that are kept: one for each view that is in use."""


@dataclass(frozen=True, slots=True)
class Blocker:
    """One requirement that stops units; `kw` is their power in the better direction, counted once a unit.

    `product_codes`: the products that ask for the same and are out of reach of the same units by it.
    `gsp_group`: where most of each unit counts, for products whose capacity has to be in one place. `alone`: units that
    nothing else stops. `nearest`: what the nearest of them lacks, in kW, seconds or minutes as the requirement has it. The
    last two are None where they would tell of single units, and `nearest` where no number says it.
    """

    requirement: Requirement
    product_codes: tuple[str, ...]
    family: Family
    gsp_group: str | None
    units: int
    alone: int | None
    kw: Decimal
    nearest: Decimal | None
    label: str
    words: str


@dataclass(frozen=True, slots=True)
class Blockers:
    """The requirements that stop most units, the most first, of all units that the actor may see (None: withheld)."""

    counted_at: datetime
    anonymised: bool
    units: int | None
    items: Sequence[Blocker]
    more: int | None
    """How many other requirements stop fewer; None: withheld."""
    withheld: bool = False
    """Whether some that would belong here are withheld."""


@dataclass(frozen=True, slots=True)
class _Found:
    """A blocker before it is decided whether it may be shown; `rows` are the places of its units."""

    versions: tuple[ProductVersion, ...]
    requirement: Requirement
    gsp_group: str | None
    units: int
    alone: int
    hundredths: int
    nearest: int | None
    rows: np.ndarray

    @property
    def alike(self) -> tuple[object, ...]:
        """What it has in common with other products of which it is told as one."""
        what = what_stops(self.requirement, self.versions[0])
        return self.requirement, what, self.gsp_group, self.alone, self.nearest, self.rows.tobytes()


_kept: dict[tuple[object, ...], Blockers] = {}
_lock = Lock()


@operation("UC-05.02", permission="market.statistics", writes=False, name="top_blockers")
def top_blockers(actor: Actor, filters: MarketFilters | None = None) -> Blockers:
    """What is in the way of eligibility now: units in the family of a product that one may apply for, against what it asks for.

    An FSP has its own units, an SO those in its areas against the products that it buys, the administrator all. Who sees
    more here than unit by unit (regulator, viewer) gets figures over all, none of fewer than 5 units or of fewer than 3
    providers, nor two whose difference is one, and no filters. Of the filters, days don't count.
    Counted once for as long as units and products stand as they do.
    """
    anonymised = not scopes_of(actor, PERMISSION) <= scopes_of(actor, "unit.read")
    products = _products(actor, MarketFilters() if anonymised or filters is None else filters)
    mine = within(MarketUnit, actor, PERMISSION)
    key = (_view(actor), anonymised, tuple((one.code, one.product_version) for one in products), *_stand(mine))
    found = _kept.get(key)
    if found is None:
        found = _count(mine, products, anonymised)
        with _lock:
            while len(_kept) >= KEPT:
                _kept.pop(next(iter(_kept)))
            _kept[key] = found
    return found


def _view(actor: Actor) -> tuple[object, ...]:
    """Whose units: nobody is given what was counted for somebody who sees others."""
    scopes = tuple(sorted(scopes_of(actor, PERMISSION)))
    return scopes, actor.organisation_id, tuple(sorted(actor.areas)), actor.all_areas


def _stand(mine: ColumnElement[bool]) -> tuple[object, ...]:
    """How the units stand: changes whenever one comes, goes, or is counted anew."""
    capability = UnitCapability
    sums = [
        func.coalesce(func.sum(type_coerce(column, BigInteger)), 0)
        for column in (col(MarketUnit.version), col(capability.assets), col(capability.up), col(capability.down))
    ]
    chosen = select(func.count(), func.max(col(capability.counted_at)), *sums).select_from(MarketUnit)
    chosen = chosen.join(capability, col(capability.unit_id) == col(MarketUnit.id))
    row = current_session().execute(chosen.where(col(MarketUnit.status) == UnitStatus.ACTIVE, mine)).one()
    return settings().resolved_database_url(), *map(str, row)


def _products(actor: Actor, filters: MarketFilters) -> list[ProductVersion]:
    """What one may apply for today, as far as it is asked for; of an SO's, what it buys."""
    scopes = scopes_of(actor, PERMISSION)
    bought = [set(_bought_by(filters.operators))] if filters.operators else []
    if Scope.AREA in scopes and not scopes & {Scope.ALL, Scope.OWN} and actor.organisation_id:
        bought.append(set(_bought_by([actor.organisation_id])))
    return [
        one
        for one in offered_on(today())
        if filters.wants(one.code, one.family, one.sub_market) and all(codes & set(one.procurers) for codes in bought)
    ]


def _bought_by(organisations: Iterable[object]) -> list[str]:
    """The procurers that these organisations are."""
    chosen = select(Organisation).where(col(Organisation.id).in_(list(organisations)))
    return [code for one in current_session().scalars(chosen) for code in procurers_of(one)]


def _count(mine: ColumnElement[bool], products: Sequence[ProductVersion], anonymised: bool) -> Blockers:
    units, areas = frames_to_count(mine)
    units = units.with_row_index("row")
    found: list[_Found] = []
    # Family by family: a unit is held against the products of its own, a quarter of all pairs.
    for family in dict.fromkeys(one.family for one in products):
        inside = units.filter(pl.col("family") == str(family))
        if inside.height:
            found += _in_family(inside, areas, [one for one in products if one.family is family])
    found = _together(found)
    found.sort(key=lambda one: (-one.units, -one.alone, -one.hundredths, one.versions[0].code, one.requirement))
    shown = found[:TOP]
    if anonymised:
        places = shown_to_all([one.rows for one in found], _providers(mine, units), TOP)
        shown = [found[place] for place in places]
    return Blockers(
        now(),
        anonymised,
        None if anonymised else units.height,
        [_blocker(one, anonymised) for one in shown],
        None if anonymised else len(found) - len(shown),
        anonymised and len(shown) < min(len(found), TOP),
    )


def _in_family(units: pl.DataFrame, areas: pl.DataFrame, products: Sequence[ProductVersion]) -> list[_Found]:
    """What stops units of one family, by product, and by place where the least capacity has to be in one."""
    matrix = judge(units, areas, products)
    each = units.select("row", "response_s", "duration_min", kw=pl.max_horizontal("up", "down"))
    matrix = pl.concat([matrix, pl.concat([each] * len(products))], how="horizontal").with_columns(
        count=pl.sum_horizontal(stops(one).cast(pl.UInt8) for one in STOPPERS)
    )
    versions = {one.code: one for one in products}
    found: list[_Found] = []
    for requirement in STOPPERS:
        place = pl.col("place") if requirement is Requirement.MIN_CAPACITY else pl.lit(None, pl.String).alias("place")
        sums = (
            matrix.filter(stops(requirement))
            .group_by("product_code", place)
            .agg(
                pl.len(),
                (pl.col("count") == 1).sum().alias("alone"),
                pl.col("kw").sum(),
                pl.col("row"),
                *(pl.col(name).min() for name in ("short", "over", "outside", "response_s")),
                pl.col("duration_min").max(),
            )
        )
        for row in sums.iter_rows(named=True):
            version = versions[row["product_code"]]
            found.append(
                _Found(
                    (version,),
                    requirement,
                    GROUP_OF_AREA[row["place"]] if row["place"] else None,
                    row["len"],
                    row["alone"],
                    row["kw"],
                    _nearest(requirement, row, version),
                    np.sort(np.asarray(row["row"])),
                )
            )
    return found


def _together(found: Iterable[_Found]) -> list[_Found]:
    """One line for products that stop the same units by the same."""
    alike: dict[tuple[object, ...], list[_Found]] = defaultdict(list)
    for one in found:
        alike[one.alike].append(one)
    return [
        replace(some[0], versions=tuple(sorted((one.versions[0] for one in some), key=lambda each: each.code)))
        for some in alike.values()
    ]


def _nearest(requirement: Requirement, row: dict[str, Any], version: ProductVersion) -> int | None:
    """What the nearest unit lacks: hundredths of kW, seconds, minutes."""
    match requirement:
        case Requirement.MIN_CAPACITY:
            return row["short"]
        case Requirement.MAX_CAPACITY:
            return row["over"]
        case Requirement.PLACE:
            return row["outside"] or None
        case Requirement.FULL_DELIVERY:
            return row["response_s"] - (version.full_delivery_s or 0)
        case Requirement.DURATION:
            return (version.min_duration_min or 0) - row["duration_min"]
        case _:
            return None


def _providers(mine: ColumnElement[bool], units: pl.DataFrame) -> np.ndarray:
    """The number of each unit's provider, in the order of the units."""
    chosen = select(as_stored(col(MarketUnit.id)), col(MarketUnit.service_provider_id))
    chosen = chosen.where(col(MarketUnit.status) == UnitStatus.ACTIVE, mine)
    whose = {str(unit): provider for unit, provider in current_session().execute(chosen)}
    numbers: dict[object, int] = {}
    return np.array([numbers.setdefault(whose.get(unit), len(numbers)) for unit in units["unit_id"]], dtype=np.int64)


def _blocker(found: _Found, anonymised: bool) -> Blocker:
    in_kw = found.requirement not in (Requirement.FULL_DELIVERY, Requirement.DURATION)
    nearest = None if anonymised or found.nearest is None else Decimal(found.nearest)
    alone, kw = None if anonymised else found.alone, Decimal(found.hundredths) / 100
    nearest = nearest / 100 if nearest is not None and in_kw else nearest
    first, codes = found.versions[0], tuple(one.code for one in found.versions)
    label, what = label_of(codes, found.requirement, first, found.gsp_group), what_stops(found.requirement, first)
    where = f" in {found.gsp_group}" if found.gsp_group else ""
    return Blocker(
        found.requirement,
        codes,
        first.family,
        found.gsp_group,
        found.units,
        alone,
        kw,
        nearest,
        label,
        words_of(found.requirement, f"{joined(codes)}: {what}{where}", found.units, alone, kw, nearest),
    )

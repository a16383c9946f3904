"""Top blockers (UC-05.02): the requirements that stop most units, with their power, from being eligible for open products."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from functools import partial
from threading import Lock
from typing import Any

import numpy as np
import polars as pl
from sqlalchemy import BigInteger, ColumnElement, func, select, type_coerce
from sqlmodel import col

from models.participants import Organisation
from models.products import Family, ProductVersion
from models.units import MarketUnit, UnitCapability, UnitStatus
from services.assets.counters.editions import begin_edition, read_edition, round_count, round_kw, with_edition
from services.core.clock import now, today
from services.core.identity.actor import Actor, system_actor
from services.core.identity.permissions import Scope, scopes_of
from services.core.identity.visibility import within
from services.core.operation import operation, system_step
from services.core.settings import settings
from services.core.transaction import current_session
from services.market.eligibility.explanations import GROUP_OF_AREA
from services.market.eligibility.frames import as_stored_text, load_frames_for_counts
from services.market.eligibility.requirements import STOPPERS, Requirement, stops_expression
from services.market.eligibility.verdicts import judge
from services.market.products.catalogue import list_offered_versions
from services.market.products.procurers import list_procurer_codes
from services.market.statistics.blocker_text import blocker_label, blocker_sentence, describe_stop, join_products
from services.market.statistics.disclosure_control import Tally, select_publishable_sets
from services.market.statistics.edition import settle_line
from services.market.statistics.model import MarketFilters
from services.market.statistics.queries import PERMISSION

MAX_BLOCKERS = 12
"""The most blockers that are listed; the others are given as a number."""
CACHED_ANSWERS = 64
"""The most answers in the cache: one for each view that is in use."""


@dataclass(frozen=True, slots=True)
class TopBlocker:
    """One requirement that stops units; `kw` is their power in the better direction, counted once a unit.

    `product_codes`: the products that ask for the same and that the same units miss by it. `gsp_group`: where most of each
    unit counts, for products whose capacity has to be in one place. `alone`: units that nothing else stops. `nearest`: the
    smallest shortfall, in kW, seconds or minutes as the requirement has it. The last two are None where they would disclose
    single units, and `nearest` where it has no number.
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
    """Blockers of the units that the actor may see (`units`; None: withheld), those that stop most first."""

    counted_at: datetime
    anonymised: bool
    units: int | None
    items: Sequence[TopBlocker]
    more: int | None
    """The number of further blockers, which stop fewer; None: withheld."""
    withheld: bool = False
    """True when blockers that would belong here are withheld."""


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A blocker before disclosure control; `rows` are the row numbers of its units."""

    versions: tuple[ProductVersion, ...]
    requirement: Requirement
    gsp_group: str | None
    units: int
    alone: int
    hundredths: int
    nearest: int | None
    rows: np.ndarray

    @property
    def merge_key(self) -> tuple[object, ...]:
        """The key that it shares with candidates of other products to be merged into one blocker."""
        description = describe_stop(self.requirement, self.versions[0])
        return self.requirement, description, self.gsp_group, self.alone, self.nearest, self.rows.tobytes()


_cache: dict[tuple[object, ...], Blockers] = {}
_lock = Lock()


EDITION = "blockers"


def top_blockers(actor: Actor, filters: MarketFilters | None = None) -> Blockers:
    """Find the top blockers of eligibility: units against the open products of their family.

    An FSP has its own units, an SO those in its areas against the products that it buys, the administrator all, as of now. An
    actor who sees more here than unit by unit (regulator, viewer) gets the edition of the day: rounded figures over all under
    disclosure control, none of fewer than 5 units or of fewer than 3 providers, nor two whose difference is one, and no
    filters. Days in the filters don't count. Cached for as long as no unit or product changes.
    """
    return with_edition(partial(_find_blockers, actor, filters), publish_blockers)


@operation("UC-05.02", permission="market.statistics", writes=False, name="top_blockers")
def _find_blockers(actor: Actor, filters: MarketFilters | None) -> Blockers:
    """Find the top blockers in the actor's view; for who sees no single unit, read the edition of the day."""
    if not scopes_of(actor, PERMISSION) <= scopes_of(actor, "unit.read"):
        return read_edition(EDITION, Blockers)
    products = _select_products(actor, filters or MarketFilters())
    visibility = within(MarketUnit, actor, PERMISSION)
    versions = tuple((version.code, version.product_version) for version in products)
    key = (_view_key(actor), versions, *_state_of_units(visibility))
    blockers = _cache.get(key)
    if blockers is None:
        blockers = _count_blockers(visibility, products)
        with _lock:
            while len(_cache) >= CACHED_ANSWERS:
                _cache.pop(next(iter(_cache)))
            _cache[key] = blockers
    return blockers


def _view_key(actor: Actor) -> tuple[object, ...]:
    """Return the cache key of the actor's view: an answer serves only actors who see the same units."""
    scopes = tuple(sorted(scopes_of(actor, PERMISSION)))
    return scopes, actor.organisation_id, tuple(sorted(actor.areas)), actor.all_areas


def _state_of_units(visibility: ColumnElement[bool]) -> tuple[object, ...]:
    """Return the state of the units: it changes whenever one is added, ends, or is recounted."""
    capability = UnitCapability
    sums = [
        func.coalesce(func.sum(type_coerce(column, BigInteger)), 0)
        for column in (col(MarketUnit.version), col(capability.assets), col(capability.up), col(capability.down))
    ]
    query = select(func.count(), func.max(col(capability.counted_at)), *sums).select_from(MarketUnit)
    query = query.join(capability, col(capability.unit_id) == col(MarketUnit.id))
    row = current_session().execute(query.where(col(MarketUnit.status) == UnitStatus.ACTIVE, visibility)).one()
    return settings().resolved_database_url(), *map(str, row)


def _select_products(actor: Actor, filters: MarketFilters) -> list[ProductVersion]:
    """Select the products open today that pass the filters; for an SO, those that it buys."""
    scopes = scopes_of(actor, PERMISSION)
    bought = [set(_find_procurer_codes(filters.operators))] if filters.operators else []
    if Scope.AREA in scopes and not scopes & {Scope.ALL, Scope.OWN} and actor.organisation_id:
        bought.append(set(_find_procurer_codes([actor.organisation_id])))
    return [
        version
        for version in list_offered_versions(today())
        if filters.wants(version.code, version.family, version.sub_market)
        and all(codes & set(version.procurers) for codes in bought)
    ]


def _find_procurer_codes(organisations: Iterable[object]) -> list[str]:
    """Find the procurer codes of these organisations."""
    query = select(Organisation).where(col(Organisation.id).in_(list(organisations)))
    organisations_found = current_session().scalars(query)
    return [code for organisation in organisations_found for code in list_procurer_codes(organisation)]


def _count_blockers(visibility: ColumnElement[bool], products: Sequence[ProductVersion]) -> Blockers:
    height, candidates = _list_candidates(visibility, products)
    items = [_build_blocker(candidate) for candidate in candidates[:MAX_BLOCKERS]]
    return Blockers(now(), False, height, items, len(candidates) - len(items))


def _list_candidates(
    visibility: ColumnElement[bool], products: Sequence[ProductVersion]
) -> tuple[int, list[_Candidate]]:
    """List the candidates, those that stop most first, with the number of units."""
    units, areas = load_frames_for_counts(visibility)
    units = units.with_row_index("row")
    candidates: list[_Candidate] = []
    # Family by family: a unit is judged against the products of its own, a quarter of all pairs.
    for family in dict.fromkeys(version.family for version in products):
        in_family = units.filter(pl.col("family") == str(family))
        if in_family.height:
            candidates += _find_in_family(
                in_family, areas, [version for version in products if version.family is family]
            )
    return units.height, sorted(_merge_alike(candidates), key=_order)


@system_step("UC-05.02", name="publish_blockers")
def publish_blockers() -> None:
    """Make today's edition of the top blockers, unless it is there."""
    edition = begin_edition(EDITION)
    if edition is None:
        return
    actor = system_actor()
    visibility = within(MarketUnit, actor, PERMISSION)
    _height, candidates = _list_candidates(visibility, _select_products(actor, MarketFilters()))
    providers = _list_providers(visibility)
    numbers = np.unique(np.array(providers, dtype=object).astype(str), return_inverse=True)[1]
    publishable = select_publishable_sets([candidate.rows for candidate in candidates], numbers, MAX_BLOCKERS)
    tallies: dict[str, Tally] = {}
    for candidate in candidates:
        tally = tallies[_text_key(candidate)] = Tally()
        for row in candidate.rows:
            tally.add(1, 0, providers[row])
        tally.kw = candidate.hundredths
    settled = settle_line(edition, "units", tallies)
    items: list[TopBlocker] = []
    for index in publishable:
        key = _text_key(candidates[index])
        if key not in settled or settled[key].small:
            continue
        kept = replace(candidates[index], units=settled[key].count, hundredths=settled[key].kw)
        items.append(_build_blocker(kept, anonymised=True))
    items.sort(key=lambda item: -item.units)
    withheld = len(items) < min(len(candidates), MAX_BLOCKERS)
    edition.save(Blockers(edition.made_at, True, None, items, None, withheld))


def _text_key(candidate: _Candidate) -> str:
    """The key by which editions know a blocker: the requirement, the products that ask for it, and the place."""
    codes = ",".join(version.code for version in candidate.versions)
    description = describe_stop(candidate.requirement, candidate.versions[0])
    return "|".join((str(candidate.requirement), codes, description, candidate.gsp_group or ""))


def _order(candidate: _Candidate) -> tuple[int, int, int, str, Requirement]:
    first = candidate.versions[0].code
    return -candidate.units, -candidate.alone, -candidate.hundredths, first, candidate.requirement


def _find_in_family(units: pl.DataFrame, areas: pl.DataFrame, products: Sequence[ProductVersion]) -> list[_Candidate]:
    """Find the candidates of one family, by product, and by GSP group where the least capacity has to be in one place."""
    matrix = judge(units, areas, products)
    measures = units.select("row", "response_s", "duration_min", kw=pl.max_horizontal("up", "down"))
    matrix = pl.concat([matrix, pl.concat([measures] * len(products))], how="horizontal").with_columns(
        count=pl.sum_horizontal(stops_expression(requirement).cast(pl.UInt8) for requirement in STOPPERS)
    )
    versions = {version.code: version for version in products}
    candidates: list[_Candidate] = []
    for requirement in STOPPERS:
        place = pl.col("place") if requirement is Requirement.MIN_CAPACITY else pl.lit(None, pl.String).alias("place")
        sums = (
            matrix.filter(stops_expression(requirement))
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
            candidates.append(
                _Candidate(
                    (version,),
                    requirement,
                    GROUP_OF_AREA[row["place"]] if row["place"] else None,
                    row["len"],
                    row["alone"],
                    row["kw"],
                    _smallest_gap(requirement, row, version),
                    np.sort(np.asarray(row["row"])),
                )
            )
    return candidates


def _merge_alike(candidates: Iterable[_Candidate]) -> list[_Candidate]:
    """Merge the candidates of products that the same units miss by the same requirement."""
    groups: dict[tuple[object, ...], list[_Candidate]] = defaultdict(list)
    for candidate in candidates:
        groups[candidate.merge_key].append(candidate)
    return [
        replace(
            group[0],
            versions=tuple(sorted((candidate.versions[0] for candidate in group), key=lambda version: version.code)),
        )
        for group in groups.values()
    ]


def _smallest_gap(requirement: Requirement, row: dict[str, Any], version: ProductVersion) -> int | None:
    """Return the smallest gap to the requirement: hundredths of kW, seconds or minutes."""
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


def _list_providers(visibility: ColumnElement[bool]) -> list[str]:
    """List the provider of each unit, in the order of the units' frame."""
    units, _areas = load_frames_for_counts(visibility)
    query = select(as_stored_text(col(MarketUnit.id)), col(MarketUnit.service_provider_id))
    query = query.where(col(MarketUnit.status) == UnitStatus.ACTIVE, visibility)
    provider_of_unit = {str(unit): str(provider) for unit, provider in current_session().execute(query)}
    return [provider_of_unit.get(unit, "") for unit in units["unit_id"]]


def _build_blocker(candidate: _Candidate, *, anonymised: bool = False) -> TopBlocker:
    in_kw = candidate.requirement not in (Requirement.FULL_DELIVERY, Requirement.DURATION)
    nearest = None if anonymised or candidate.nearest is None else Decimal(candidate.nearest)
    alone, kw = None if anonymised else candidate.alone, Decimal(candidate.hundredths) / 100
    units = round_count(candidate.units) if anonymised else candidate.units
    kw = Decimal(round_kw(int(kw))) if anonymised else kw
    nearest = nearest / 100 if nearest is not None and in_kw else nearest
    first, codes = candidate.versions[0], tuple(version.code for version in candidate.versions)
    label, description = (
        blocker_label(codes, candidate.requirement, first, candidate.gsp_group),
        describe_stop(candidate.requirement, first),
    )
    place = f" in {candidate.gsp_group}" if candidate.gsp_group else ""
    return TopBlocker(
        candidate.requirement,
        codes,
        first.family,
        candidate.gsp_group,
        units,
        alone,
        kw,
        nearest,
        label,
        blocker_sentence(
            candidate.requirement, f"{join_products(codes)}: {description}{place}", units, alone, kw, nearest
        ),
    )

"""Reading the counts kept beside the assets, for whoever sees all of them or whole licence areas (UC-05.01, UC-05.02)."""

import time
from collections.abc import Mapping
from dataclasses import fields, replace
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, ColumnElement, String, Uuid, bindparam, cast, func, literal_column, or_, select, true
from sqlmodel import SQLModel, col

from models.assets import ENDED_STATUSES, Asset
from models.tallies import AssetCellTally, AssetMonthTally, AssetProviderTally, AssetTally
from services.assets.counters.maintain import bring_up_to_date
from services.assets.filters import AssetFilters
from services.core.db.statements import Prepared
from services.core.identity.actor import Actor
from services.core.identity.permissions import Scope, permission_table, scopes_of
from services.core.settings import settings
from services.core.transaction import current_connection, current_session, reads_only

COUNTED_FILTERS = ("asset_category", "status", "dno_connection", "gsp_group")
"""The filters that the counts tell apart."""
Areas = tuple[str, ...] | None
"""The licence areas to count in; None: all there are, assets without one included."""


class CellCount(NamedTuple):
    """A hexagon (H3, resolution 4) as the map of all shows it; `rated` in hundredths of a kW."""

    cell: int
    assets: int
    rated: int


class TallyRow(NamedTuple):
    """Assets of one status and GSP group (empty: none), or of one category; `rated` in hundredths of a kW."""

    status: str
    code: str
    assets: int
    rated: int


def narrowed(actor: Actor, permission: str) -> Actor:
    """The actor without roles that reach single organisations' assets, where these lie in the actor's areas anyway.

    A system operator's user who also looks after its people sees what the organisation itself provides, and mostly it
    provides nothing: its areas alone then say what is seen, which an index and the kept counts answer.
    """
    if not _is_wide(actor, permission):
        return actor
    table = permission_table()[permission].scopes
    return replace(actor, roles=frozenset(role for role in actor.roles if table[role] is not Scope.OWN))


def _is_wide(actor: Actor, permission: str) -> bool:
    """True where the actor sees areas and single organisations' assets, and none of these outside the areas."""
    scopes = scopes_of(actor, permission)
    if not scopes >= {Scope.OWN, Scope.AREA} or Scope.ALL in scopes:
        return False
    if actor.all_areas or actor.organisation_id is None:
        return True
    values = {
        "organisation": actor.organisation_id,
        **{f"area_{n:03}": area for n, area in enumerate(sorted(actor.areas))},
    }
    return not _elsewhere(len(actor.areas)).raw(current_connection(), values)


@lru_cache(maxsize=20)
def _elsewhere(areas: int) -> Prepared:
    """One asset that an organisation has outside so many areas."""
    organisation = bindparam("organisation", type_=Uuid())
    within = [bindparam(f"area_{number:03}", type_=String()) for number in range(areas)]
    outside = or_(col(Asset.dno_connection).is_(None), col(Asset.dno_connection).not_in(within)) if areas else true()
    owned = or_(
        col(Asset.service_provider_id) == organisation,
        col(Asset.organisation_id) == organisation,
        col(Asset.submitted_by_organisation) == organisation,
    )
    return Prepared(select(literal_column("1")).select_from(Asset).where(owned, outside).limit(literal_column("1")))


def areas_of(actor: Actor, permission: str) -> tuple[bool, Areas]:
    """True with the actor's licence areas (None: all) where the maintained counts can answer for the actor, else False.

    They can't for who sees single organisations' assets: these are counted directly, by an index.
    """
    scopes = scopes_of(actor, permission)
    if Scope.ALL in scopes:
        return True, None
    if scopes != {Scope.AREA} and not _is_wide(actor, permission):
        return False, None
    if actor.all_areas:
        return True, None
    return (True, tuple(sorted(actor.areas))) if actor.areas else (False, None)


def only_counted(filters: AssetFilters) -> bool:
    """True where no filter is set but those that the maintained counts tell apart."""
    uncounted = (field.name for field in fields(filters) if field.name not in COUNTED_FILTERS)
    return not any(getattr(filters, name) not in (None, (), []) for name in uncounted)


def _up_to_date() -> None:
    if not reads_only():
        session = current_session()
        session.flush()
        bring_up_to_date(session)


def _read(prepared: Prepared, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    _up_to_date()
    return prepared.all(current_connection(), values)


Chosen = tuple[tuple[str, int], ...]
"""The form of a condition: columns, and how many values of each are alternatives."""


def _chosen(areas: Areas, filters: AssetFilters | None = None) -> tuple[Chosen, dict[str, Any]] | None:
    """The form and the values of what to count; None when nothing can be in it."""
    selected: dict[str, list[str]] = {}
    if filters is not None:
        for name in COUNTED_FILTERS:
            if filter_values := getattr(filters, name):
                selected[name] = sorted({str(value) for value in filter_values})
    if areas is not None:
        filter_values = selected.get("dno_connection", areas)
        selected["dno_connection"] = [area for area in areas if area in filter_values]
        if not selected["dno_connection"]:
            return None
    form = tuple((name, len(values)) for name, values in selected.items())
    return form, {
        f"{name}_{number:03}": value for name, values in selected.items() for number, value in enumerate(values)
    }


def _conditions(table: type[SQLModel], form: Chosen) -> list[ColumnElement[bool]]:
    return [
        col(getattr(table, name)).in_([bindparam(f"{name}_{number:03}", type_=String()) for number in range(count)])
        for name, count in form
    ]


def _sums(table: Any) -> tuple[Any, Any]:
    return cast(func.sum(col(table.assets)), BigInteger), cast(func.sum(col(table.rated)), BigInteger)


@lru_cache(maxsize=100)
def _by_group(form: Chosen) -> Prepared:
    keys = (col(AssetTally.status), col(AssetTally.gsp_group))
    return Prepared(select(*keys, *_sums(AssetTally)).where(*_conditions(AssetTally, form)).group_by(*keys))


@lru_cache(maxsize=100)
def _by_category(form: Chosen) -> Prepared:
    active = col(AssetTally.status).not_in(
        [bindparam(f"ended_{n}", str(status)) for n, status in enumerate(ENDED_STATUSES)]
    )
    query = select(col(AssetTally.asset_category), *_sums(AssetTally)).where(*_conditions(AssetTally, form), active)
    return Prepared(query.group_by(col(AssetTally.asset_category)))


@lru_cache(maxsize=100)
def _by_month(form: Chosen) -> Prepared:
    keys = (col(AssetMonthTally.active), col(AssetMonthTally.month))
    query = select(*keys, cast(func.sum(col(AssetMonthTally.assets)), BigInteger)).where(
        *_conditions(AssetMonthTally, form)
    )
    return Prepared(query.group_by(*keys))


@lru_cache(maxsize=100)
def _total(form: Chosen) -> Prepared:
    return Prepared(select(cast(func.sum(col(AssetTally.assets)), BigInteger)).where(*_conditions(AssetTally, form)))


@lru_cache(maxsize=100)
def _by_cell(form: Chosen) -> Prepared:
    filtered = {name for name, _ in form}
    # Rows with an empty category or status are the sums over all of them.
    summed = [
        col(getattr(AssetCellTally, name)) == bindparam(f"all_{name}", "", type_=String())
        for name in ("asset_category", "status")
        if name not in filtered
    ]
    query = select(col(AssetCellTally.cell), *_sums(AssetCellTally))
    return Prepared(query.where(*summed, *_conditions(AssetCellTally, form)).group_by(col(AssetCellTally.cell)))


_BEHIND = (col(AssetProviderTally.dimension), col(AssetProviderTally.code))
_PROVIDERS = Prepared(select(*_BEHIND, func.count()).group_by(*_BEHIND))


def by_status_and_group(areas: Areas) -> list[TallyRow]:
    """Assets by status and GSP group."""
    selection = _chosen(areas)
    return [] if selection is None else [TallyRow(*row) for row in _read(_by_group(selection[0]), selection[1])]


def active_by_category(areas: Areas) -> list[TallyRow]:
    """Active assets by category."""
    selection = _chosen(areas)
    if selection is None:
        return []
    return [TallyRow("", *row) for row in _read(_by_category(selection[0]), selection[1])]


def by_month(areas: Areas) -> list[tuple[bool, int, int]]:
    """Assets by (still active, month of registration as `services.assets.counters.maintain.month_of`)."""
    selection = _chosen(areas)
    return (
        [] if selection is None else [(row[0], row[1], row[2]) for row in _read(_by_month(selection[0]), selection[1])]
    )


def providers_behind() -> dict[tuple[str, str], int]:
    """Number of providers behind each figure over all areas, by dimension and code (`AssetProviderTally`)."""
    return {(row[0], row[1]): row[2] for row in _read(_PROVIDERS, {})}


def count_kept(actor: Actor, filters: AssetFilters) -> int | None:
    """Count the visible assets that pass the filters from maintained counts; None when these can't tell."""
    answers, areas = areas_of(actor, "asset.read")
    if not answers or not only_counted(filters):
        return None
    selection = _chosen(areas, filters)
    return 0 if selection is None else _read(_total(selection[0]), selection[1])[0][0] or 0


def counts_by_cell(actor: Actor, filters: AssetFilters) -> list[CellCount] | None:
    """The actor's assets that pass the filters and have a position, by H3 cell of resolution 4, inside an operation.

    None when the kept counts can't tell: for a filter other than category, status, network and GSP group, or an actor who
    sees single organisations' assets.
    """
    answers, areas = areas_of(actor, "asset.read")
    if not answers or not only_counted(filters):
        return None
    selection = _chosen(areas, filters)
    if selection is None:
        return []
    return list(map(CellCount._make, _read(_by_cell(selection[0]), selection[1])))


_sizes: dict[str, tuple[float, int]] = {}
SIZE_KEPT_S = 300.0


def register_size() -> int:
    """About how many assets there are: some minutes old, enough to choose a way of looking by."""
    url = settings().resolved_database_url()
    cached = _sizes.get(url)
    if cached is None or cached[0] < time.monotonic() - SIZE_KEPT_S:
        cached = _sizes[url] = (time.monotonic(), _read(_total(()), {})[0][0] or 0)
    return cached[1]

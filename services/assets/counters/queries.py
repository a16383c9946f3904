"""Reading the counts kept beside the assets, for whoever sees all of them or whole licence areas (UC-05.01, UC-05.02)."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, ColumnElement, Select, cast, func, literal_column, or_, select
from sqlmodel import SQLModel, col

from models.assets import ENDED_STATUSES, Asset
from models.tallies import AssetCellTally, AssetMonthTally, AssetProviderTally, AssetTally
from services.assets.counters.maintain import bring_up_to_date
from services.assets.filters import AssetFilters
from services.core.audit_context import WRITES
from services.core.identity.actor import Actor
from services.core.identity.permissions import Scope, permission_table, scopes_of
from services.core.settings import settings
from services.core.transaction import current_session

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


def narrow_roles(actor: Actor, permission: str) -> Actor:
    """Drop the actor's roles that reach single organisations' assets, where these lie in the actor's areas anyway.

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
    outside = or_(col(Asset.dno_connection).is_(None), col(Asset.dno_connection).not_in(actor.areas))
    owned = or_(
        col(Asset.service_provider_id) == actor.organisation_id,
        col(Asset.organisation_id) == actor.organisation_id,
        col(Asset.submitted_by_organisation) == actor.organisation_id,
    )
    elsewhere = select(literal_column("1")).select_from(Asset).where(owned, outside).limit(1)
    return current_session().scalar(elsewhere) is None


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


def is_countable(filters: AssetFilters) -> bool:
    """True where no filter is set but those that the maintained counts tell apart."""
    uncounted = (field.name for field in fields(filters) if field.name not in COUNTED_FILTERS)
    return not any(getattr(filters, name) not in (None, (), []) for name in uncounted)


def _read(query: Select[*tuple[Any, ...]]) -> Sequence[Any]:
    session = current_session()
    if session.info[WRITES]:
        session.flush()
        bring_up_to_date(session)
    return session.execute(query).all()


Selection = Mapping[str, Sequence[str]]
"""What to count: columns, and the values of each that are alternatives."""


def _selection(areas: Areas, filters: AssetFilters | None = None) -> Selection | None:
    """Selection of what to count; None when nothing can be in it."""
    selection: dict[str, list[str]] = {}
    for name in COUNTED_FILTERS if filters is not None else ():
        if values := getattr(filters, name):
            selection[name] = sorted({str(value) for value in values})
    if areas is not None:
        asked_for = selection.get("dno_connection", areas)
        selection["dno_connection"] = [area for area in areas if area in asked_for]
        if not selection["dno_connection"]:
            return None
    return selection


def _conditions(table: type[SQLModel], selection: Selection) -> list[ColumnElement[bool]]:
    return [col(getattr(table, name)).in_(values) for name, values in selection.items()]


def _sum(column: Any) -> Any:
    return cast(func.sum(col(column)), BigInteger)


def _sums_by(table: Any, keys: Sequence[Any], *conditions: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    return select(*keys, _sum(table.assets), _sum(table.rated)).where(*conditions).group_by(*keys)


def _select_total(selection: Selection) -> Select[*tuple[Any, ...]]:
    return select(_sum(AssetTally.assets)).where(*_conditions(AssetTally, selection))


_BEHIND = (col(AssetProviderTally.dimension), col(AssetProviderTally.code))
_PROVIDERS = select(*_BEHIND, func.count()).group_by(*_BEHIND)


def by_status_and_group(areas: Areas) -> list[TallyRow]:
    """Assets by status and GSP group."""
    selection = _selection(areas)
    if selection is None:
        return []
    keys = (col(AssetTally.status), col(AssetTally.gsp_group))
    return list(map(TallyRow._make, _read(_sums_by(AssetTally, keys, *_conditions(AssetTally, selection)))))


def active_by_category(areas: Areas) -> list[TallyRow]:
    """Active assets by category."""
    selection = _selection(areas)
    if selection is None:
        return []
    active = col(AssetTally.status).not_in([str(status) for status in ENDED_STATUSES])
    query = _sums_by(AssetTally, [col(AssetTally.asset_category)], *_conditions(AssetTally, selection), active)
    return [TallyRow("", *row) for row in _read(query)]


def by_month(areas: Areas) -> list[tuple[bool, int, int]]:
    """Assets by (still active, month of registration as `services.assets.counters.maintain.month_of`)."""
    selection = _selection(areas)
    if selection is None:
        return []
    keys = (col(AssetMonthTally.active), col(AssetMonthTally.month))
    query = select(*keys, _sum(AssetMonthTally.assets)).where(*_conditions(AssetMonthTally, selection)).group_by(*keys)
    return [(row[0], row[1], row[2]) for row in _read(query)]


def providers_behind() -> dict[tuple[str, str], int]:
    """Number of providers behind each figure over all areas, by dimension and code (`AssetProviderTally`)."""
    return {(row[0], row[1]): row[2] for row in _read(_PROVIDERS)}


def parts_of_providers() -> dict[tuple[str, str], dict[str, tuple[int, int]]]:
    """Assets of each provider in each figure over all areas, by dimension and code; their power is not known (0)."""
    columns = (*_BEHIND, col(AssetProviderTally.service_provider_id), col(AssetProviderTally.assets))
    parts: dict[tuple[str, str], dict[str, tuple[int, int]]] = {}
    for dimension, code, provider, assets in _read(select(*columns)):
        parts.setdefault((dimension, code), {})[str(provider)] = (assets, 0)
    return parts


def count_from_tallies(actor: Actor, filters: AssetFilters) -> int | None:
    """Count the visible assets that pass the filters from maintained counts; None when these can't tell."""
    answers, areas = areas_of(actor, "asset.read")
    if not answers or not is_countable(filters):
        return None
    selection = _selection(areas, filters)
    return 0 if selection is None else _read(_select_total(selection))[0][0] or 0


def counts_by_cell(actor: Actor, filters: AssetFilters) -> list[CellCount] | None:
    """The actor's assets that pass the filters and have a position, by H3 cell of resolution 4, inside an operation.

    None when the kept counts can't tell: for a filter other than category, status, network and GSP group, or an actor who
    sees single organisations' assets.
    """
    answers, areas = areas_of(actor, "asset.read")
    if not answers or not is_countable(filters):
        return None
    selection = _selection(areas, filters)
    if selection is None:
        return []
    # Rows with an empty category or status are the sums over all of them.
    summed = [
        col(getattr(AssetCellTally, name)) == "" for name in ("asset_category", "status") if name not in selection
    ]
    conditions = (*summed, *_conditions(AssetCellTally, selection))
    return list(map(CellCount._make, _read(_sums_by(AssetCellTally, [col(AssetCellTally.cell)], *conditions))))


_sizes: dict[str, tuple[float, int]] = {}
SIZE_KEPT_S = 300.0


def register_size() -> int:
    """About how many assets there are: some minutes old, enough to choose a way of looking by."""
    url = settings().resolved_database_url()
    cached = _sizes.get(url)
    if cached is None or cached[0] < time.monotonic() - SIZE_KEPT_S:
        cached = _sizes[url] = (time.monotonic(), _read(_select_total({}))[0][0] or 0)
    return cached[1]

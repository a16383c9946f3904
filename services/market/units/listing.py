"""Lists of market units: filters by ontology term, any order, page by page by keyset (UC-05.01)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, literal_column, or_, select
from sqlmodel import col

from models.participants import Organisation
from models.products import Family
from models.units import MarketUnit, UnitArea, UnitCapability, UnitStatus, UnitType
from services.core.errors import Finding, Invalid
from services.core.identity.actor import Actor
from services.core.identity.visibility import visible
from services.core.operation import operation
from services.core.paging import Keyset, Page
from services.core.text import clean_text
from services.core.transaction import current_session

LONGEST_PAGE = 500
COUNT_LIMIT = 10_000


@dataclass(frozen=True, slots=True)
class UnitFilters:
    """Filters over market units; an empty one lets everything through, several values of one are alternatives.

    Powers are in kW. `text` is looked for in code and name. Areas and groups: some of the unit lies there.
    """

    family: Sequence[str] = ()
    unit_type: Sequence[str] = ()
    status: Sequence[str] = ()
    dno_connection: Sequence[str] = ()
    gsp_group: Sequence[str] = ()
    service_provider_id: Sequence[UUID] = ()
    up_min: Decimal | None = None
    down_min: Decimal | None = None
    text: str | None = None


UNIT_FILTER_TERMS: dict[str, str] = {
    "Family": "family",
    "UnitType": "unit_type",
    "Status": "status",
    "DNOConnection": "dno_connection",
    "GspGroup": "gsp_group",
    "ServiceProviderId": "service_provider_id",
    "UpCapacityMin": "up_min",
    "DownCapacityMin": "down_min",
    "Text": "text",
}
_KINDS: dict[str, Any] = {"family": Family, "unit_type": UnitType, "status": UnitStatus}


@dataclass(frozen=True, slots=True)
class UnitLine:
    """One unit in a list. Name and code were typed by somebody: escape them."""

    id: UUID
    code: str
    name: str
    family: Family
    status: UnitStatus
    service_provider_id: UUID
    provider: str
    version: int
    unit_type: UnitType
    assets: int
    accounting_points: int
    up: Decimal
    down: Decimal
    energy_kwh: Decimal | None
    response_s: int | None
    duration_min: int | None
    not_verified: int


_ID = col(MarketUnit.id)
ORDERS: dict[str, Keyset] = {
    "newest": Keyset(_ID),
    "oldest": Keyset(_ID, descending=False),
    "name": Keyset(_ID, col(MarketUnit.name), descending=False),
    "up": Keyset(_ID, col(UnitCapability.up)),
    "down": Keyset(_ID, col(UnitCapability.down)),
}
"""The orders of the list: newest and oldest by registration; by name; the most kW up, the most kW down first."""
_COLUMNS: tuple[Any, ...] = (
    col(MarketUnit.id), col(MarketUnit.code), col(MarketUnit.name), col(MarketUnit.family), col(MarketUnit.status),
    col(MarketUnit.service_provider_id), col(Organisation.organisation_legal_name), col(MarketUnit.version),
    col(UnitCapability.unit_type), col(UnitCapability.assets), col(UnitCapability.accounting_points),
    col(UnitCapability.up), col(UnitCapability.down), col(UnitCapability.energy_kwh), col(UnitCapability.response_s),
    col(UnitCapability.duration_min), col(UnitCapability.not_verified),
)  # fmt: skip


def parse_unit_filters(values_by_term: Mapping[str, Sequence[str]]) -> UnitFilters:
    """Parse filters from text by ontology term. Raises Invalid for unknown terms and unreadable values, all at once."""
    filters: dict[str, Any] = {}
    findings: list[Finding] = []
    for term, values in values_by_term.items():
        name = UNIT_FILTER_TERMS.get(term)
        filled = [value.strip() for value in values if value.strip()]
        if name is None:
            expected = f"One of {', '.join(UNIT_FILTER_TERMS)}"
            findings.append(Finding("FILTER-01", term, term, expected, f"There is no filter {term}."))
        elif filled:
            try:
                filters[name] = _parse_values(name, filled)
            except (ValueError, InvalidOperation):
                expected = ", ".join(_KINDS[name]) if name in _KINDS else "A value this filter knows"
                message = f"{', '.join(filled)} can't be used as {term}."
                findings.append(Finding("FILTER-02", term, ", ".join(filled), expected, message))
    if findings:
        raise Invalid(findings)
    return UnitFilters(**filters)


def _parse_values(name: str, values: Sequence[str]) -> Any:
    if name in _KINDS:
        return tuple(_KINDS[name](value.upper()) for value in values)
    if name == "service_provider_id":
        return tuple(UUID(value) for value in values)
    if name == "text":
        return values[-1]
    if name in ("up_min", "down_min"):
        power = Decimal(values[-1])
        if not power.is_finite() or abs(power) >= Decimal(10) ** 12 or power != power.quantize(Decimal("0.01")):
            raise ValueError(values[-1])
        return power
    return tuple(value.upper() if name == "dno_connection" else value for value in values)


def unit_conditions(filters: UnitFilters) -> list[ColumnElement[bool]]:
    """Build the filters as SQL over units and their capability; the caller adds visibility."""
    conditions: list[ColumnElement[bool]] = []
    for model, names in ((MarketUnit, ("family", "status", "service_provider_id")), (UnitCapability, ("unit_type",))):
        for name in names:
            if values := getattr(filters, name):
                conditions.append(col(getattr(model, name)).in_(list(values)))
    places = {"dno_code": filters.dno_connection, "gsp_group": filters.gsp_group}
    if any(places.values()):
        share = select(literal_column("1")).select_from(UnitArea).where(col(UnitArea.unit_id) == col(MarketUnit.id))
        for name, values in places.items():
            share = share.where(col(getattr(UnitArea, name)).in_(list(values))) if values else share
        conditions.append(share.correlate(MarketUnit).exists())
    if filters.up_min is not None:
        conditions.append(col(UnitCapability.up) >= filters.up_min)
    if filters.down_min is not None:
        conditions.append(col(UnitCapability.down) >= filters.down_min)
    if filters.text and (text := clean_text(filters.text)):
        columns = (col(MarketUnit.code), col(MarketUnit.name))
        conditions.append(or_(*(column.icontains(text, autoescape=True) for column in columns)))
    return conditions


def _join_capability(statement: Any) -> Any:
    return statement.select_from(MarketUnit).join(UnitCapability, col(UnitCapability.unit_id) == col(MarketUnit.id))


@operation("UC-05.01", permission="unit.read", writes=False, name="list_units")
def list_units(
    actor: Actor,
    filters: UnitFilters | None = None,
    *,
    order: str = "newest",
    after: str | None = None,
    limit: int = 100,
) -> Page[UnitLine]:
    """List the actor's visible units that pass the filters, in an order of `ORDERS`; `limit` at most 500.

    Raises Invalid for a cursor or an order that isn't one.
    """
    if order not in ORDERS:
        expected = f"One of {', '.join(ORDERS)}"
        raise Invalid([Finding("PAGE-02", "order", order, expected, f"There is no order {order}.")])
    size = max(1, min(limit, LONGEST_PAGE))
    query = _join_capability(select(*_COLUMNS)).join(
        Organisation, col(Organisation.id) == col(MarketUnit.service_provider_id)
    )
    query = query.where(visible(MarketUnit, actor), *unit_conditions(filters or UnitFilters()))
    rows = current_session().execute(ORDERS[order].select_page(query, after, size)).all()
    page = ORDERS[order].page_of(rows, size)
    return Page([UnitLine(*row) for row in page.items], page.next_cursor)


@operation("UC-05.01", permission="unit.read", writes=False, name="count_units")
def count_units(actor: Actor, filters: UnitFilters | None = None) -> int:
    """Count the visible units that pass the filters, no further than 10,001."""
    matching = _join_capability(select(literal_column("1"))).where(
        visible(MarketUnit, actor), *unit_conditions(filters or UnitFilters())
    )
    return current_session().scalar(select(func.count()).select_from(matching.limit(COUNT_LIMIT + 1).subquery())) or 0

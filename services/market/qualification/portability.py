"""Portability of qualifications (UC-04.02): an SO may accept a colleague's qualification of a unit with one act.


A colleague's qualification shows product, SO, validity and conditions, and nothing else of the application behind it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, and_, false, func, or_, select
from sqlalchemy.orm import aliased
from sqlmodel import col

from models.events import EventType
from models.participants import Organisation
from models.products import ProductVersion
from models.qualifications import Qualification, QualificationStatus, SaidKind
from models.units import MarketUnit, UnitArea, UnitStatus
from services.assets.registration.parties import active_parties
from services.core.clock import now, today
from services.core.errors import Blocker, NotFound, Refused
from services.core.identity.actor import Actor
from services.core.identity.visibility import see, visible
from services.core.operation import operation
from services.core.paging import Keyset, Page
from services.core.transaction import current_session
from services.market.products.catalogue import list_offered_versions
from services.market.products.market_tables import load_equivalences
from services.market.products.procurers import buys
from services.market.qualification.application import find_unverified_assets
from services.market.qualification.assessment import ASSESS, approve
from services.market.qualification.data_package import freeze_package, product_capacity, unit_gsp_group
from services.market.qualification.lifecycle import (
    change_status,
    emit_for_qualification,
    find_qualifications_of_unit,
    record_step,
)
from services.market.qualification.messages import add_message
from services.market.units.units import load_details

MAX_PAGE_SIZE = 200
"""The most qualifications on one page."""
HELD = (QualificationStatus.QUALIFIED, QualificationStatus.SUSPENDED)


@dataclass(frozen=True, slots=True)
class ColleagueQualification:
    """A colleague's qualification of a unit, and the product of one's own for which it counts."""

    qualification_id: UUID
    unit_id: UUID
    unit_name: str
    unit_code: str
    product_code: str
    operator: str
    valid_from: date | None
    valid_until: date | None
    conditions: str | None
    for_product: str
    """The product of one's own that it may be accepted for."""
    note: str
    """The note of the table of equivalences: what remains to be checked."""


class _Row(NamedTuple):
    qualification: Qualification
    unit: MarketUnit
    operator: Organisation

    @property
    def id(self) -> UUID:
        return self.qualification.id


@dataclass(frozen=True, slots=True)
class ColleagueQualificationPage(Page[ColleagueQualification]):
    """A page of colleagues' qualifications, newest first: an item for each product of one's own that one counts for.

    `total` counts the qualifications of all pages.
    """

    total: int


@operation("UC-04.02", permission=ASSESS, writes=False, name="qualified_elsewhere")
def qualified_elsewhere(
    actor: Actor, unit_id: UUID | None = None, *, after: str | UUID | None = None, limit: int = 50
) -> ColleagueQualificationPage:
    """List units in the actor's areas that a colleague has qualified for an equivalent of a product that the actor's SO buys.

    Of one unit, or of all; without units that the actor's SO has qualified itself. `limit` is of qualifications, at most
    200; `after` is the cursor of the page before. Raises NotFound for an unseen unit.
    """
    if unit_id is not None:
        see(MarketUnit, actor, unit_id)
    size = max(1, min(limit, MAX_PAGE_SIZE))
    equivalents = _find_equivalents(actor)
    conditions = _acceptable_conditions(actor, unit_id, equivalents)
    total = current_session().scalar(_join_unit_and_operator(select(func.count())).where(*conditions)) or 0
    query = _join_unit_and_operator(select(Qualification, MarketUnit, Organisation)).where(*conditions)
    newest = Keyset(col(Qualification.id))
    rows = current_session().execute(newest.select_page(query, after, size)).all()
    page = newest.page_of([_Row(*row) for row in rows], size)
    own_qualified = _find_own_qualified(actor, [row.unit.id for row in page.items])
    items = [
        _build_line(qualification, unit, operator, version.code, note)
        for qualification, unit, operator in page.items
        for version, note in equivalents[qualification.product_code]
        if (unit.id, version.code) not in own_qualified and unit.family is version.family
    ]
    return ColleagueQualificationPage(items, page.next_cursor, total)


def _find_equivalents(actor: Actor) -> dict[str, list[tuple[ProductVersion, str]]]:
    """Find, by product of a colleague, the products of the actor's SO for which it counts, with the table's note."""
    areas = sorted(actor.areas)
    operator = _load_own_organisation(actor)
    own_products = {
        version.code: version
        for version in list_offered_versions(today())
        if operator is not None and buys(operator, version, areas)
    }
    equivalents: dict[str, list[tuple[ProductVersion, str]]] = {
        code: [(version, "The same product.")] for code, version in own_products.items()
    }
    for source, target, note in load_equivalences():
        if target in own_products:
            equivalents.setdefault(source, []).append((own_products[target], note))
    return equivalents


def _load_own_organisation(actor: Actor) -> Organisation | None:
    return current_session().get(Organisation, actor.organisation_id) if actor.organisation_id else None


def _join_unit_and_operator(query: Any) -> Any:
    with_unit = query.select_from(Qualification).join(MarketUnit, col(MarketUnit.id) == col(Qualification.unit_id))
    return with_unit.join(Organisation, col(Organisation.id) == col(Qualification.addressed_to))


def _acceptable_conditions(
    actor: Actor, unit_id: UUID | None, equivalents: Mapping[str, Sequence[tuple[ProductVersion, str]]]
) -> list[ColumnElement[bool]]:
    """Build the conditions for colleagues' qualifications that count for a product the actor's SO hasn't qualified itself."""
    own: Any = aliased(Qualification)
    own_qualified = select(own.id).where(
        col(own.unit_id) == col(Qualification.unit_id),
        col(own.addressed_to) == actor.organisation_id,
        col(own.status).in_(HELD),
    )
    pairs = [
        and_(
            col(Qualification.product_code) == source,
            col(MarketUnit.family) == version.family,
            ~own_qualified.where(col(own.product_code) == version.code).correlate(Qualification).exists(),
        )
        for source, versions in sorted(equivalents.items())
        for version, _ in versions
    ]
    of_unit = [] if unit_id is None else [col(Qualification.unit_id) == unit_id]
    return [
        col(Qualification.product_code).in_(sorted(equivalents)),
        col(Qualification.addressed_to) != actor.organisation_id,
        *_validity_conditions(),
        visible(MarketUnit, actor),
        col(MarketUnit.status) == UnitStatus.ACTIVE,
        or_(false(), *pairs),
        *of_unit,
    ]


def _validity_conditions() -> list[ColumnElement[bool]]:
    return [
        col(Qualification.status) == QualificationStatus.QUALIFIED,
        col(Qualification.valid_from) <= today(),
        col(Qualification.valid_until) >= today(),
    ]


def _find_own_qualified(actor: Actor, units: Sequence[UUID]) -> set[tuple[UUID, str]]:
    """Find the pairs of unit and product that the actor's SO has qualified or suspended, of these units."""
    query = select(col(Qualification.unit_id), col(Qualification.product_code)).where(
        col(Qualification.addressed_to) == actor.organisation_id,
        col(Qualification.status).in_(HELD),
        col(Qualification.unit_id).in_(units),
    )
    return {(row.unit_id, row.product_code) for row in current_session().execute(query)}


def _build_line(
    qualification: Qualification, unit: MarketUnit, operator: Organisation, product: str, note: str
) -> ColleagueQualification:
    return ColleagueQualification(
        qualification_id=qualification.id,
        unit_id=unit.id,
        unit_name=unit.name,
        unit_code=unit.code,
        product_code=qualification.product_code,
        operator=operator.organisation_trading_name or operator.organisation_legal_name,
        valid_from=qualification.valid_from,
        valid_until=qualification.valid_until,
        conditions=qualification.conditions,
        for_product=product,
        note=note,
    )


@operation("UC-04.02", permission=ASSESS, name="accept_colleague")
def accept_colleague(actor: Actor, colleagues_id: UUID, product_code: str) -> Qualification:
    """Accept a colleague's qualification of a unit for an equivalent product: Qualified, same validity and conditions.

    This decides an open application for the product; without one, the qualification begins here. Raises NotFound when the
    unit is unseen or no such qualification is valid, Refused where the SO doesn't buy the product for that unit, where the
    status of its own application forbids it, or where the unit's assets aren't all Verified.
    """
    colleagues = current_session().get(Qualification, colleagues_id)
    equivalents = _find_equivalents(actor)
    version = (
        next(
            (version for version, _ in equivalents.get(colleagues.product_code, ()) if version.code == product_code),
            None,
        )
        if colleagues
        else None
    )
    if (
        colleagues is None
        or version is None
        or colleagues.addressed_to == actor.organisation_id
        or not _is_valid(colleagues)
    ):
        raise NotFound("qualification with a colleague", colleagues_id)
    unit = see(MarketUnit, actor, colleagues.unit_id)
    current_session().refresh(unit, with_for_update=True)
    _require_acceptable(actor, unit, version)
    own = next(
        (
            qualification
            for qualification in find_qualifications_of_unit(unit.id)
            if qualification.product_code == product_code and qualification.addressed_to == actor.organisation_id
        ),
        None,
    )
    operator = current_session().get_one(Organisation, colleagues.addressed_to).organisation_legal_name
    words = f"Accepted as qualified for {colleagues.product_code} by {operator}."
    accepted = own or _begin_qualification(actor, unit, version, colleagues)
    approve(accepted, today(), colleagues.valid_until, colleagues.conditions or "")
    accepted.accepted_from = colleagues.id
    if own is not None:
        change_status(own, QualificationStatus.QUALIFIED, "accept_colleague", reason=words)
    else:
        accepted.status_reason = words
        record_step(accepted, None, None)
    accepted.decided_at = now()
    add_message(actor, accepted, SaidKind.DECISION, words)
    emit_for_qualification(
        EventType.QUALIFICATION_ACCEPTED, accepted, {"by": actor.name, "accepted_from": str(colleagues.id)}
    )
    return accepted


def _is_valid(qualification: Qualification) -> bool:
    begin, end = qualification.valid_from, qualification.valid_until
    if qualification.status is not QualificationStatus.QUALIFIED or begin is None or end is None:
        return False
    return begin <= today() <= end


def _require_acceptable(actor: Actor, unit: MarketUnit, version: ProductVersion) -> None:
    areas = list(current_session().scalars(select(col(UnitArea.dno_code)).where(col(UnitArea.unit_id) == unit.id)))
    operator = _load_own_organisation(actor)
    bought = operator is not None and buys(operator, version, [area for area in areas if area])
    if version.family is not unit.family or not bought:
        raise Refused(f"Your organisation doesn't buy {version.code} from a unit like this one where its assets are.")
    blockers: list[Blocker] = find_unverified_assets(unit.id)
    if unit.status is not UnitStatus.ACTIVE:
        blockers.append(Blocker("market_unit", str(unit.id), f"{unit.name} is de-registered", "Nothing to accept"))
    if str(unit.service_provider_id) not in active_parties(unit.service_provider_id):
        label, action = "Its provider isn't active", "Wait until the FMAR administrator has reinstated it"
        blockers.append(Blocker("organisation", str(unit.service_provider_id), label, action))
    if blockers:
        raise Refused("The unit can't be accepted as it stands. These come first.", blockers)


def _begin_qualification(
    actor: Actor, unit: MarketUnit, version: ProductVersion, colleagues: Qualification
) -> Qualification:
    """Begin a qualification that rests on a colleague's: its SLA clock never runs."""
    details, moment = load_details(unit), now()
    assert actor.organisation_id is not None
    qualification = Qualification(
        unit_id=unit.id,
        service_provider_id=unit.service_provider_id,
        product_code=version.code,
        product_version=version.product_version,
        family=version.family,
        addressed_to=actor.organisation_id,
        status=QualificationStatus.QUALIFIED,
        status_since=moment,
        submitted_at=moment,
        capacity=product_capacity(details, version),
        gsp_group=unit_gsp_group(details),
        package_id=freeze_package(unit, actor).id,
    )
    current_session().add(qualification)
    current_session().flush()
    return qualification

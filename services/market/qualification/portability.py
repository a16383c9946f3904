"""Portability (UC-04.02): what a colleague has qualified a unit for, another SO may accept with one act.

A colleague's qualification shows product, SO, validity and conditions, and nothing else of the application behind it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, false, func, or_, select
from sqlalchemy.orm import aliased
from sqlmodel import col

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
from services.core.transaction import current_session
from services.market.products.catalogue import offered_on
from services.market.products.market_tables import equivalences
from services.market.products.procurers import buys
from services.market.qualification.application import unverified
from services.market.qualification.assessment import ASSESS, approve
from services.market.qualification.data_package import capacity_for, freeze, group_of
from services.market.qualification.lifecycle import emit_for_qualification, move, note_step, standing_of_unit
from services.market.qualification.messages import say_on
from services.market.units.units import whole

ACCEPTED = "qualification.accepted"
MOST = 200
"""Qualifications on one page."""
HELD = (QualificationStatus.QUALIFIED, QualificationStatus.SUSPENDED)


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """That a unit is qualified with a colleague, and for which product of one's own that counts."""

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
    """What remains to be checked, as the table of equivalences has it."""


@dataclass(frozen=True, slots=True)
class ElsewherePage:
    """Some of what colleagues have qualified, the newest first; `total` counts their qualifications, on every page."""

    items: list[Elsewhere]
    """One for each product of one's own that a qualification counts for."""
    total: int
    next_cursor: UUID | None


@operation("UC-04.02", permission=ASSESS, writes=False, name="qualified_elsewhere")
def qualified_elsewhere(
    actor: Actor, unit_id: UUID | None = None, *, after: UUID | None = None, limit: int = 50
) -> ElsewherePage:
    """Units in the actor's areas that a colleague has qualified for an equivalent of a product that the actor's SO buys.

    Of one unit, or of all; left out where the actor's SO has qualified the unit itself. `limit` is of qualifications, at most
    200; `after` is where the page before ended. Raises NotFound for an unseen unit.
    """
    if unit_id is not None:
        see(MarketUnit, actor, unit_id)
    size = max(1, min(limit, MOST))
    counts = _counting_for(actor)
    wanted = _counting(actor, unit_id, counts)
    total = current_session().scalar(_joined(select(func.count())).where(*wanted)) or 0
    chosen = _joined(select(Qualification, MarketUnit, Organisation)).where(*wanted)
    if after is not None:
        chosen = chosen.where(col(Qualification.id) < after)
    rows = current_session().execute(chosen.order_by(col(Qualification.id).desc()).limit(size + 1)).all()
    ours = _ours(actor, [unit.id for _, unit, _ in rows[:size]])
    items = [
        _told(theirs, unit, operator, version.code, note)
        for theirs, unit, operator in rows[:size]
        for version, note in counts[theirs.product_code]
        if (unit.id, version.code) not in ours and unit.family is version.family
    ]
    return ElsewherePage(items, total, rows[size - 1][0].id if len(rows) > size else None)


def _counting_for(actor: Actor) -> dict[str, list[tuple[ProductVersion, str]]]:
    """Product of a colleague -> the products that the actor's SO buys and for which it counts, with the table's note."""
    areas = sorted(actor.areas)
    operator = _own_organisation(actor)
    ours = {
        version.code: version
        for version in offered_on(today())
        if operator is not None and buys(operator, version, areas)
    }
    counts: dict[str, list[tuple[ProductVersion, str]]] = {
        code: [(version, "The same product.")] for code, version in ours.items()
    }
    for source, target, note in equivalences():
        if target in ours:
            counts.setdefault(source, []).append((ours[target], note))
    return counts


def _own_organisation(actor: Actor) -> Organisation | None:
    return current_session().get(Organisation, actor.organisation_id) if actor.organisation_id else None


def _joined(chosen: Any) -> Any:
    with_unit = chosen.select_from(Qualification).join(MarketUnit, col(MarketUnit.id) == col(Qualification.unit_id))
    return with_unit.join(Organisation, col(Organisation.id) == col(Qualification.addressed_to))


def _counting(
    actor: Actor, unit_id: UUID | None, counts: Mapping[str, Sequence[tuple[ProductVersion, str]]]
) -> list[ColumnElement[bool]]:
    """The colleagues' qualifications that count for a product of which the actor's SO hasn't qualified the unit itself."""
    mine: Any = aliased(Qualification)
    held = select(mine.id).where(
        col(mine.unit_id) == col(Qualification.unit_id),
        col(mine.addressed_to) == actor.organisation_id,
        col(mine.status).in_(HELD),
    )
    pairs = [
        and_(
            col(Qualification.product_code) == source,
            col(MarketUnit.family) == version.family,
            ~held.where(col(mine.product_code) == version.code).correlate(Qualification).exists(),
        )
        for source, versions in sorted(counts.items())
        for version, _ in versions
    ]
    of_unit = [] if unit_id is None else [col(Qualification.unit_id) == unit_id]
    return [
        col(Qualification.product_code).in_(sorted(counts)),
        col(Qualification.addressed_to) != actor.organisation_id,
        *_valid(),
        visible(MarketUnit, actor),
        col(MarketUnit.status) == UnitStatus.ACTIVE,
        or_(false(), *pairs),
        *of_unit,
    ]


def _valid() -> list[ColumnElement[bool]]:
    return [
        col(Qualification.status) == QualificationStatus.QUALIFIED,
        col(Qualification.valid_from) <= today(),
        col(Qualification.valid_until) >= today(),
    ]


def _ours(actor: Actor, units: Sequence[UUID]) -> set[tuple[UUID, str]]:
    """Unit and product of what the actor's SO has qualified or suspended, of these units."""
    mine = select(col(Qualification.unit_id), col(Qualification.product_code)).where(
        col(Qualification.addressed_to) == actor.organisation_id,
        col(Qualification.status).in_(HELD),
        col(Qualification.unit_id).in_(units),
    )
    return {(row[0], row[1]) for row in current_session().execute(mine)}


def _told(theirs: Qualification, unit: MarketUnit, operator: Organisation, product: str, note: str) -> Elsewhere:
    return Elsewhere(
        qualification_id=theirs.id,
        unit_id=unit.id,
        unit_name=unit.name,
        unit_code=unit.code,
        product_code=theirs.product_code,
        operator=operator.organisation_trading_name or operator.organisation_legal_name,
        valid_from=theirs.valid_from,
        valid_until=theirs.valid_until,
        conditions=theirs.conditions,
        for_product=product,
        note=note,
    )


@operation("UC-04.02", permission=ASSESS, name="accept_colleague")
def accept_colleague(actor: Actor, theirs_id: UUID, product_code: str) -> Qualification:
    """Accept a colleague's qualification of a unit for an equivalent product of one's own: Qualified, with the same validity
    and conditions.

    An application for it that is under way is decided by this; without one, it begins with it. Raises NotFound when the
    unit is unseen or nothing of the kind holds, Refused where the SO doesn't buy it for that unit, where the unit stands
    otherwise, or where its assets aren't all Verified.
    """
    theirs = current_session().get(Qualification, theirs_id)
    counts = _counting_for(actor)
    version = (
        next((one for one, _ in counts.get(theirs.product_code, ()) if one.code == product_code), None)
        if theirs
        else None
    )
    if theirs is None or version is None or theirs.addressed_to == actor.organisation_id or not _holds(theirs):
        raise NotFound("qualification with a colleague", theirs_id)
    unit = see(MarketUnit, actor, theirs.unit_id)
    current_session().refresh(unit, with_for_update=True)
    _require_acceptable(actor, unit, version)
    ours = next(
        (
            one
            for one in standing_of_unit(unit.id)
            if one.product_code == product_code and one.addressed_to == actor.organisation_id
        ),
        None,
    )
    operator = current_session().get_one(Organisation, theirs.addressed_to).organisation_legal_name
    words = f"Accepted as qualified for {theirs.product_code} by {operator}."
    made = ours or _begun(actor, unit, version, theirs)
    approve(made, today(), theirs.valid_until, theirs.conditions or "")
    made.accepted_from = theirs.id
    if ours is not None:
        move(ours, QualificationStatus.QUALIFIED, "accept_colleague", reason=words)
    else:
        made.status_reason = words
        note_step(made, None, None)
    made.decided_at = now()
    say_on(actor, made, SaidKind.DECISION, words)
    emit_for_qualification(ACCEPTED, made, {"by": actor.name, "accepted_from": str(theirs.id)})
    return made


def _holds(theirs: Qualification) -> bool:
    begin, end = theirs.valid_from, theirs.valid_until
    if theirs.status is not QualificationStatus.QUALIFIED or begin is None or end is None:
        return False
    return begin <= today() <= end


def _require_acceptable(actor: Actor, unit: MarketUnit, version: ProductVersion) -> None:
    areas = list(current_session().scalars(select(col(UnitArea.dno_code)).where(col(UnitArea.unit_id) == unit.id)))
    operator = _own_organisation(actor)
    bought = operator is not None and buys(operator, version, [area for area in areas if area])
    if version.family is not unit.family or not bought:
        raise Refused(f"Your organisation doesn't buy {version.code} from a unit like this one where its assets are.")
    blockers: list[Blocker] = unverified(unit.id)
    if unit.status is not UnitStatus.ACTIVE:
        blockers.append(Blocker("market_unit", str(unit.id), f"{unit.name} is de-registered", "Nothing to accept"))
    if str(unit.service_provider_id) not in active_parties(unit.service_provider_id):
        label, action = "Its provider isn't active", "Wait until the FMAR administrator has reinstated it"
        blockers.append(Blocker("organisation", str(unit.service_provider_id), label, action))
    if blockers:
        raise Refused("The unit can't be accepted as it stands. These come first.", blockers)


def _begun(actor: Actor, unit: MarketUnit, version: ProductVersion, theirs: Qualification) -> Qualification:
    """A qualification that begins with being accepted: no clock has run."""
    stands, moment = whole(unit), now()
    assert actor.organisation_id is not None
    made = Qualification(
        unit_id=unit.id,
        service_provider_id=unit.service_provider_id,
        product_code=version.code,
        product_version=version.product_version,
        family=version.family,
        addressed_to=actor.organisation_id,
        status=QualificationStatus.QUALIFIED,
        status_since=moment,
        submitted_at=moment,
        capacity=capacity_for(stands, version),
        gsp_group=group_of(stands),
        package_id=freeze(unit, actor).id,
    )
    current_session().add(made)
    current_session().flush()
    return made

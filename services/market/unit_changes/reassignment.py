"""Re-assigning a market unit to another FSP (UC-03.02): whole, with its assets, on evidence; qualifications are looked at anew.

An asset's provider changes with it, as it does by a switch. What an owner has to consent to first, or what another unit of
the losing FSP still needs, stands in the way.
"""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlmodel import col

from models.assets import ENDED_STATUSES, Asset
from models.units import MarketUnit, UnitMember, UnitStatus
from services.assets.registration.parties import PROVIDER_ROLES, active_parties
from services.core.clock import now
from services.core.db.columns import Same
from services.core.errors import Blocker, Finding, Invalid, Refused
from services.core.identity.actor import Actor
from services.core.identity.visibility import reach
from services.core.jobs.outbox import emit, emit_many
from services.core.ledger.bulk_update import change_columns
from services.core.operation import operation
from services.core.transaction import current_session
from services.market.unit_changes.deregistration import LONGEST
from services.market.units.members import CURRENT, memberships_elsewhere
from services.market.units.units import WholeUnit, conflict, emit_for_unit, whole

Moves = Callable[[MarketUnit, UUID, str], None]
WHEN_UNIT_MOVES: list[Moves] = []
"""What moves with a unit: it is handed the unit, as the gaining FSP's already, the losing FSP and the evidence."""
TOLD, NAMED = 20, 3
FEWEST_EVIDENCE = 10


@operation("UC-03.02", permission="unit.reassign", writes=False, name="reassignment_blockers")
def reassignment_blockers(actor: Actor, unit_id: UUID, gaining: UUID) -> list[Blocker]:
    """What stands in the way of re-assigning a unit to an FSP; empty when nothing does."""
    unit = reach(MarketUnit, actor, unit_id, "unit.reassign", lock=False)
    return _blockers(unit, gaining)


@operation("UC-03.02", permission="unit.reassign", name="reassign_unit")
def reassign_unit(actor: Actor, unit_id: UUID, gaining: UUID, evidence: str, version: int) -> WholeUnit:
    """Hand a unit, with the assets in it, to another FSP, from the version the actor read.

    `evidence` says what it rests on, in 10 characters or more, and stays with the record. Raises Conflict when somebody changed
    it since, Invalid for who can't have it, Refused with what stands in the way.
    """
    unit = reach(MarketUnit, actor, unit_id, "unit.reassign")
    if unit.version != version:
        raise conflict(unit, version)
    given = _checked(unit, gaining, evidence)
    if unit.status is not UnitStatus.ACTIVE:
        raise Refused(f"{unit.name} ({unit.code}) is de-registered: there is nothing to re-assign.")
    blockers = _blockers(unit, gaining)
    if blockers:
        raise Refused("The unit can't be re-assigned as it stands. Settle these first.", blockers)
    losing = unit.service_provider_id
    handed_over = _hand_over(unit, gaining)
    unit.service_provider_id, unit.reassigned_from, unit.reassignment_evidence = gaining, losing, given
    current_session().flush()
    for moves in WHEN_UNIT_MOVES:
        moves(unit, losing, given)
    told = {"code": unit.code, "assets": handed_over}
    emit_for_unit("market_unit.reassigned", unit, told)
    emit("market_unit.handed_over", unit, organisation_id=losing, payload=told)
    return whole(unit)


def _checked(unit: MarketUnit, gaining: UUID, evidence: str) -> str:
    """The evidence, in single blanks; every finding at once."""
    found: list[Finding] = []
    expected = "Another active FSP or Aggregator"
    roles = active_parties(gaining).get(str(gaining), set())
    if gaining == unit.service_provider_id or not roles & PROVIDER_ROLES:
        own = "It manages the unit already." if gaining == unit.service_provider_id else "It can't manage units."
        found.append(
            Finding("UNIT-30", "ServiceProviderId", str(gaining), expected, f"{own} Choose {expected.lower()}.")
        )
    given = " ".join(evidence.replace("\x00", "").split())
    if not FEWEST_EVIDENCE <= len(given) <= LONGEST:
        words = "Say what the re-assignment rests on: a contract, a letter, its date."
        expected = f"{FEWEST_EVIDENCE} to {LONGEST:,} characters"
        found.append(Finding("UNIT-31", "Evidence", given[:200], expected, words))
    if found:
        raise Invalid(found)
    return given


def _blockers(unit: MarketUnit, gaining: UUID) -> list[Blocker]:
    session = current_session()
    moving = _moving(unit)
    found: list[Blocker] = []
    same = (col(MarketUnit.service_provider_id) == gaining, col(MarketUnit.code) == unit.code)
    taken = session.scalar(select(MarketUnit).where(*same))
    if taken is not None:
        label = f"The gaining FSP has used the code {unit.code} already, for {taken.name}"
        found.append(
            Blocker("market_unit", str(taken.id), label, "Codes are never used again: build the unit anew there.")
        )
    owned = select(col(Asset.asset_name)).where(col(Asset.id).in_(moving), col(Asset.consumer_owned))
    consumers = session.scalar(select(func.count()).select_from(owned.subquery())) or 0
    if consumers:
        names = list(session.scalars(owned.order_by(col(Asset.asset_name), col(Asset.id)).limit(NAMED)))
        more = f" and {consumers - len(names):,} more" if consumers > len(names) else ""
        verb = "is" if consumers == 1 else "are"
        label = f"{', '.join(names)}{more} {verb} consumer-owned"
        action = "Their owners' consent comes first: switch these assets, or have them taken out."
        found.append(Blocker("asset", "consumer-owned", label, action))
    for one in memberships_elsewhere(unit.id, moving)[:TOLD]:
        label = f"{one.asset_name} is in {one.name} ({one.code}) too"
        found.append(Blocker("market_unit", str(one.unit_id), label, "Have it taken out there first."))
    return found


def _moving(unit: MarketUnit) -> Any:
    """The assets of the unit that its FSP manages still: a switch may have moved some before."""
    inside = select(col(UnitMember.asset_id)).where(col(UnitMember.unit_id) == unit.id, CURRENT)
    theirs = col(Asset.service_provider_id) == unit.service_provider_id
    return select(col(Asset.id)).where(col(Asset.id).in_(inside), theirs, col(Asset.status).not_in(ENDED_STATUSES))


def _hand_over(unit: MarketUnit, gaining: UUID) -> int:
    """Make the gaining FSP the provider of the assets; a friendly code that it uses already is left behind."""
    session = current_session()
    columns: tuple[Any, ...] = (col(Asset.id), col(Asset.friendly_code), col(Asset.dno_connection))
    inside = _moving(unit)
    moving = session.execute(
        select(*columns).where(col(Asset.id).in_(inside)).order_by(col(Asset.id)).with_for_update()
    ).all()
    used = _codes_of(gaining, inside)
    change = {"service_provider_id": gaining, "managed_from": now()}
    ids = [asset for asset, code, _ in moving if code not in used]
    change_columns(session, Asset, ids, change)
    nameless = [asset for asset, code, _ in moving if code in used]
    change_columns(session, Asset, nameless, {**change, "friendly_code": None})
    told = {"record_id": [one[0] for one in moving], "dno_code": [one[2] for one in moving]}
    payload = Same({"market_unit": str(unit.id)})
    emit_many(
        "asset.provider_changed", Asset, {**told, "organisation_id": Same(gaining), "payload": payload}, len(moving)
    )
    return len(moving)


def _codes_of(gaining: UUID, moving: Any) -> set[str]:
    """Those friendly codes of the assets of a query that the gaining FSP uses for assets of its own."""
    code = col(Asset.friendly_code)
    theirs = (col(Asset.service_provider_id) == gaining, col(Asset.status).not_in(ENDED_STATUSES))
    both = select(code).where(*theirs, code.in_(select(code).where(col(Asset.id).in_(moving), code.is_not(None))))
    return {one for one in current_session().scalars(both) if one}

"""Re-assignment of a market unit to another FSP (UC-03.02): whole, with its assets, on evidence; SOs assess it again.

An asset's provider changes with it, as it does by a switch. Assets that need their owner's consent, or that another unit of
the losing FSP has too, block it.
"""

from collections import defaultdict
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlmodel import col

from models.assets import ENDED_STATUSES, Asset
from models.events import EventType
from models.units import MarketUnit, UnitMember, UnitStatus
from services.assets.registration.parties import PROVIDER_ROLES, active_parties
from services.core.clock import now
from services.core.errors import Blocker, Finding, Invalid, Refused
from services.core.identity.actor import Actor
from services.core.identity.visibility import reach
from services.core.jobs.outbox import emit, emit_many
from services.core.ledger.bulk_update import change_columns
from services.core.operation import operation
from services.core.text import clean_line
from services.core.transaction import current_session
from services.market.qualification.lifecycle import move_with_unit
from services.market.unit_changes.deregistration import LONGEST
from services.market.units.members import CURRENT, other_memberships
from services.market.units.units import UnitDetails, emit_for_unit, load_details, version_conflict

MAX_UNITS_LISTED, MAX_ASSETS_NAMED = 20, 3
FEWEST_EVIDENCE = 10


@operation("UC-03.02", permission="unit.reassign", writes=False, name="reassignment_blockers")
def reassignment_blockers(actor: Actor, unit_id: UUID, gaining: UUID) -> list[Blocker]:
    """List the blockers of a unit's re-assignment to an FSP; empty when nothing blocks."""
    unit = reach(MarketUnit, actor, unit_id, "unit.reassign", lock=False)
    return _find_blockers(unit, gaining)


@operation("UC-03.02", permission="unit.reassign", name="reassign_unit")
def reassign_unit(actor: Actor, unit_id: UUID, gaining: UUID, evidence: str, version: int) -> UnitDetails:
    """Re-assign a unit, with the assets in it, to another FSP, from the version the actor read.

    `evidence` says what it rests on, in 10 characters or more, and stays with the record. Raises Conflict when somebody changed
    it since, Invalid for who can't have it, Refused with what stands in the way.
    """
    unit = reach(MarketUnit, actor, unit_id, "unit.reassign")
    if unit.version != version:
        raise version_conflict(unit, version)
    checked_evidence = _require_evidence(unit, gaining, evidence)
    if unit.status is not UnitStatus.ACTIVE:
        raise Refused(f"{unit.name} ({unit.code}) is de-registered: there is nothing to re-assign.")
    blockers = _find_blockers(unit, gaining)
    if blockers:
        raise Refused("The unit can't be re-assigned as it stands. Settle these first.", blockers)
    losing = unit.service_provider_id
    handed_over = _hand_over(unit, gaining)
    unit.service_provider_id, unit.reassigned_from, unit.reassignment_evidence = gaining, losing, checked_evidence
    current_session().flush()
    move_with_unit(unit, checked_evidence)
    payload = {"code": unit.code, "assets": handed_over}
    emit_for_unit(EventType.MARKET_UNIT_REASSIGNED, unit, payload)
    emit(EventType.MARKET_UNIT_HANDED_OVER, unit, organisation_id=losing, payload=payload)
    return load_details(unit)


def _require_evidence(unit: MarketUnit, gaining: UUID, evidence: str) -> str:
    """Return the evidence in single blanks. Raises Invalid with every finding at once."""
    findings: list[Finding] = []
    expected = "Another active FSP or Aggregator"
    roles = active_parties(gaining).get(str(gaining), set())
    if gaining == unit.service_provider_id or not roles & PROVIDER_ROLES:
        own = "It manages the unit already." if gaining == unit.service_provider_id else "It can't manage units."
        findings.append(
            Finding("UNIT-30", "ServiceProviderId", str(gaining), expected, f"{own} Choose {expected.lower()}.")
        )
    evidence_text = clean_line(evidence)
    if not FEWEST_EVIDENCE <= len(evidence_text) <= LONGEST:
        words = "Say what the re-assignment rests on: a contract, a letter, its date."
        expected = f"{FEWEST_EVIDENCE} to {LONGEST:,} characters"
        findings.append(Finding("UNIT-31", "Evidence", evidence_text[:200], expected, words))
    if findings:
        raise Invalid(findings)
    return evidence_text


def _find_blockers(unit: MarketUnit, gaining: UUID) -> list[Blocker]:
    session = current_session()
    moving = _moving_assets(unit)
    blockers: list[Blocker] = []
    same = (col(MarketUnit.service_provider_id) == gaining, col(MarketUnit.code) == unit.code)
    namesake = session.scalar(select(MarketUnit).where(*same))
    if namesake is not None:
        label = f"The gaining FSP has used the code {unit.code} already, for {namesake.name}"
        blockers.append(
            Blocker("market_unit", str(namesake.id), label, "Codes are never used again: build the unit anew there.")
        )
    owned = select(col(Asset.asset_name)).where(col(Asset.id).in_(moving), col(Asset.consumer_owned))
    consumers = session.scalar(select(func.count()).select_from(owned.subquery())) or 0
    if consumers:
        names = list(session.scalars(owned.order_by(col(Asset.asset_name), col(Asset.id)).limit(MAX_ASSETS_NAMED)))
        further = f" and {consumers - len(names):,} more" if consumers > len(names) else ""
        verb = "is" if consumers == 1 else "are"
        label = f"{', '.join(names)}{further} {verb} consumer-owned"
        action = "Their owners' consent comes first: switch these assets, or have them taken out."
        blockers.append(Blocker("asset", "consumer-owned", label, action))
    for membership in other_memberships(unit.id, moving)[:MAX_UNITS_LISTED]:
        label = f"{membership.asset_name} is in {membership.name} ({membership.code}) too"
        blockers.append(Blocker("market_unit", str(membership.unit_id), label, "Have it taken out there first."))
    return blockers


def _moving_assets(unit: MarketUnit) -> Any:
    """Query the identifiers of the unit's assets that its FSP still manages: a switch may have moved some before."""
    inside = select(col(UnitMember.asset_id)).where(col(UnitMember.unit_id) == unit.id, CURRENT)
    managed = col(Asset.service_provider_id) == unit.service_provider_id
    return select(col(Asset.id)).where(col(Asset.id).in_(inside), managed, col(Asset.status).not_in(ENDED_STATUSES))


def _hand_over(unit: MarketUnit, gaining: UUID) -> int:
    """Make the gaining FSP the provider of the assets; a friendly code that it uses already is cleared.

    Nothing that made the losing FSP see them stays: it is no longer their owner where nobody had named one, nor known as who
    submitted them. What it named as its own property stays its property.
    """
    session, losing = current_session(), unit.service_provider_id
    columns: tuple[Any, ...] = (
        col(Asset.id), col(Asset.friendly_code), col(Asset.dno_connection), col(Asset.organisation_id),
        col(Asset.derived_terms), col(Asset.submitted_by_organisation),
    )  # fmt: skip
    moving_ids = _moving_assets(unit)
    moving = session.execute(
        select(*columns).where(col(Asset.id).in_(moving_ids)).order_by(col(Asset.id)).with_for_update()
    ).all()
    used = _find_used_codes(gaining, moving_ids)
    alike: dict[tuple[bool, bool, bool], list[UUID]] = defaultdict(list)
    for asset, code, _dno, owner, derived, submitter in moving:
        alike[code in used, owner == losing and "OrganisationId" in derived, submitter == losing].append(asset)
    change = {"service_provider_id": gaining, "managed_from": now()}
    for (code_is_used, is_derived_owner, is_submitter), ids in alike.items():
        changes = dict(change)
        if code_is_used:
            changes["friendly_code"] = None
        if is_derived_owner:
            changes["organisation_id"] = gaining
        if is_submitter:
            changes["submitted_by_organisation"] = None
        change_columns(session, Asset, ids, changes)
    event_columns: dict[str, list[Any]] = {
        "record_id": [row.id for row in moving],
        "organisation_id": [gaining] * len(moving),
        "dno_code": [row.dno_connection for row in moving],
        "payload": [{"market_unit": str(unit.id)}] * len(moving),
    }
    emit_many(EventType.ASSET_PROVIDER_CHANGED, Asset, event_columns)
    return len(moving)


def _find_used_codes(gaining: UUID, moving: Any) -> set[str]:
    """Find the friendly codes of the queried assets that the gaining FSP uses for assets of its own."""
    code = col(Asset.friendly_code)
    own = (col(Asset.service_provider_id) == gaining, col(Asset.status).not_in(ENDED_STATUSES))
    shared = select(code).where(*own, code.in_(select(code).where(col(Asset.id).in_(moving), code.is_not(None))))
    return {used_code for used_code in current_session().scalars(shared) if used_code}

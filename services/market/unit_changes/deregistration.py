"""De-registration of market units (UC-03.04): refused while one has to deliver; its qualifications end, its assets stay."""

from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

from models.events import EventType
from models.units import MarketUnit, UnitStatus
from services.core.clock import now
from services.core.errors import Blocker, Refused
from services.core.identity.actor import Actor
from services.core.identity.visibility import reach, see, within
from services.core.lifecycle import Action
from services.core.operation import operation
from services.core.text import clean_line, require_text
from services.core.transaction import current_session
from services.market.qualification.lifecycle import end_with_unit
from services.market.qualification.service_windows import find_unit_window_blockers
from services.market.units.members import end_members
from services.market.units.units import (
    UNIT_LIFE_CYCLE,
    UNIT_STATUS_LABELS,
    UnitDetails,
    emit_for_unit,
    load_details,
    version_conflict,
)

SHORTEST, LONGEST = 3, 1000


@operation("UC-03.04", permission="unit.read", writes=False, name="unit_end_blockers")
def unit_end_blockers(actor: Actor, unit_id: UUID) -> list[Blocker]:
    """List the blockers of a unit's de-registration, each with the action that settles it; empty when nothing blocks."""
    return find_unit_window_blockers(see(MarketUnit, actor, unit_id))


@operation("UC-03.04", permission="unit.manage", name="deregister_unit")
def deregister_unit(actor: Actor, unit_id: UUID, reason: str, version: int) -> UnitDetails:
    """End a unit for good, from the version the actor read: its assets are free for other units, its code is never used again.

    Raises Conflict when somebody changed it since, Invalid without a reason, Refused with the blockers or when it has ended.
    """
    unit = reach(MarketUnit, actor, unit_id, "unit.manage")
    if unit.version != version:
        raise version_conflict(unit, version)
    written_reason = require_reason("UNIT-20", "Reason", reason, "Say why the unit is de-registered.")
    UNIT_LIFE_CYCLE.require(unit.status, UnitStatus.DEREGISTERED, "deregister_unit")
    blockers = find_unit_window_blockers(unit)
    if blockers:
        raise Refused("The unit still has to deliver. Settle these first.", blockers)
    moment = now()
    end_with_unit(unit, written_reason)
    released = end_members(unit.id, None, moment)
    unit.status, unit.status_reason, unit.status_since = UnitStatus.DEREGISTERED, written_reason, moment
    current_session().flush()
    emit_for_unit(
        EventType.MARKET_UNIT_DEREGISTERED, unit, {"code": unit.code, "reason": written_reason, "assets": released}
    )
    return load_details(unit)


def require_reason(code: str, field: str, text: str, message: str) -> str:
    """Return a written reason in single blanks. Raises Invalid when it is too short or too long."""
    return require_text(clean_line(text), field, code=code, message=message, shortest=SHORTEST, longest=LONGEST)


OFFERS = (
    ("update_composition", "unit.manage", "Change its assets", "Only the FSP that manages it can do this."),
    ("deregister_unit", "unit.manage", "De-register", "Only the FSP that manages it can do this."),
    ("reassign_unit", "unit.reassign", "Re-assign to another FSP", "Only the FMAR administrator can do this."),
)


@operation("UC-03.01", permission="unit.read", writes=False, name="unit_actions")
def unit_actions(actor: Actor, unit_id: UUID) -> list[Action]:
    """List the actions on a unit as it stands; one that the actor can't take says why not. Raises NotFound when unseen."""
    unit = see(MarketUnit, actor, unit_id)
    actions: list[Action] = []
    for name, permission, label, restriction in OFFERS:
        reached = within(MarketUnit, actor, permission, writing=True)
        why_not, in_reach, blockers = None, True, list[Blocker]()
        if current_session().scalar(select(col(MarketUnit.id)).where(reached, col(MarketUnit.id) == unit_id)) is None:
            why_not, in_reach = restriction, False
        elif unit.status is not UnitStatus.ACTIVE:
            why_not = f"It is {UNIT_STATUS_LABELS[unit.status]}: its record is closed."
        elif name == "deregister_unit" and (blockers := find_unit_window_blockers(unit)):
            why_not = f"First: {'; '.join(blocker.action for blocker in blockers)}."
        actions.append(Action(name, label, why_not is None, why_not, in_reach, blockers))
    return actions

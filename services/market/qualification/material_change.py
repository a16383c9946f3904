"""When a change of a unit is material (UC-03.03): capacity moves by more than a setting, or one point becomes several."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from sqlalchemy import ColumnElement, select
from sqlmodel import col

from models.participants import Organisation
from models.qualifications import Qualification, QualificationStatus
from models.units import UnitHistory, UnitType
from services.core.register_settings import setting
from services.core.transaction import current_session
from services.market.units.totals import Totals
from services.market.units.units import kilowatts


@dataclass(frozen=True, slots=True)
class Affected:
    """A qualification that a material change makes Re-assessment Required: of which product, at which SO."""

    qualification_id: UUID
    product_code: str
    addressed_to: UUID
    operator: str


def material_reasons(before: Totals | None, after: Totals, unit_id: UUID | None = None) -> list[str]:
    """Why a change is material, in words; empty when it isn't. Inside an operation.

    Capacity is held against what it was, and against what it was when the unit was qualified: small steps add up.
    """
    if before is None:
        return []
    limit = setting("asset.material_change_percent")
    qualified = _when_qualified(unit_id) if unit_id else []
    reasons = []
    for name, words in (("up", "capacity up"), ("down", "capacity down")):
        now_stands, then = getattr(before, name), getattr(after, name)
        moves = max((_percent(getattr(one, name), then) for one in (before, *qualified)), default=Decimal(0))
        if moves > limit:
            how = "from nothing" if moves.is_infinite() else f"by {moves:.1f} %, more than {limit.normalize():f} %"
            reasons.append(f"{words} moves {how} ({kilowatts(now_stands)} to {kilowatts(then)})")
    if before.unit_type is UnitType.SPU and after.unit_type is UnitType.SPG:
        reasons.append(f"it becomes a group: {after.accounting_points:,} accounting points instead of one (SPU to SPG)")
    return reasons


def _percent(before: Decimal, after: Decimal) -> Decimal:
    if before == after:
        return Decimal(0)
    return abs(after - before) / before * 100 if before else Decimal("Infinity")


def _when_qualified(unit_id: UUID) -> Sequence[UnitHistory]:
    """What the unit came to when each qualification that holds got its status."""
    session = current_session()
    holding = select(col(Qualification.status_since)).where(*_holding(unit_id)).distinct()
    past = select(UnitHistory).where(col(UnitHistory.unit_id) == unit_id)
    newest = past.order_by(col(UnitHistory.at).desc(), col(UnitHistory.id).desc()).limit(1)
    found = [session.scalar(newest.where(col(UnitHistory.at) <= since)) for since in session.scalars(holding)]
    return [one for one in found if one is not None]


def _holding(unit_id: UUID) -> tuple[ColumnElement[bool], ...]:
    return col(Qualification.unit_id) == unit_id, col(Qualification.status) == QualificationStatus.QUALIFIED


def affected_by_change(unit_id: UUID) -> list[Affected]:
    """The qualifications that a material change makes Re-assessment Required; inside an operation."""
    columns = (
        col(Qualification.id),
        col(Qualification.product_code),
        col(Qualification.addressed_to),
        col(Organisation.organisation_legal_name),
    )
    chosen = select(*columns).join(Organisation, col(Organisation.id) == col(Qualification.addressed_to))
    rows = current_session().execute(chosen.where(*_holding(unit_id)).order_by(col(Qualification.product_code)))
    return [Affected(*row) for row in rows]

"""Material change of a unit (UC-03.03): capacity moves by more than a setting, or one accounting point becomes several."""

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
from services.market.units.units import format_kilowatts


@dataclass(frozen=True, slots=True)
class AffectedQualification:
    """A qualification that a material change makes Re-assessment Required, with product and SO."""

    qualification_id: UUID
    product_code: str
    addressed_to: UUID
    operator: str


def find_material_reasons(before: Totals | None, after: Totals, unit_id: UUID | None = None) -> list[str]:
    """Find the reasons why a change is material, in words; empty when it isn't. Inside an operation.

    Capacity is compared with the totals before and with those when the unit was qualified: small steps add up.
    """
    if before is None:
        return []
    limit = setting("asset.material_change_percent")
    qualified = _totals_when_qualified(unit_id) if unit_id else []
    reasons = []
    for name, words in (("up", "capacity up"), ("down", "capacity down")):
        old, new = getattr(before, name), getattr(after, name)
        moves = max(
            (_percent_change(getattr(totals, name), new) for totals in (before, *qualified)), default=Decimal(0)
        )
        if moves > limit:
            change = "from nothing" if moves.is_infinite() else f"by {moves:.1f} %, more than {limit.normalize():f} %"
            reasons.append(f"{words} moves {change} ({format_kilowatts(old)} to {format_kilowatts(new)})")
    if before.unit_type is UnitType.SPU and after.unit_type is UnitType.SPG:
        reasons.append(f"it becomes a group: {after.accounting_points:,} accounting points instead of one (SPU to SPG)")
    return reasons


def _percent_change(before: Decimal, after: Decimal) -> Decimal:
    if before == after:
        return Decimal(0)
    return abs(after - before) / before * 100 if before else Decimal("Infinity")


def _totals_when_qualified(unit_id: UUID) -> Sequence[UnitHistory]:
    """Load the unit's history at the moment each of its qualifications became Qualified."""
    session = current_session()
    moments = select(col(Qualification.status_since)).where(*_qualified_conditions(unit_id)).distinct()
    past = select(UnitHistory).where(col(UnitHistory.unit_id) == unit_id)
    newest = past.order_by(col(UnitHistory.at).desc(), col(UnitHistory.id).desc()).limit(1)
    histories = [session.scalar(newest.where(col(UnitHistory.at) <= since)) for since in session.scalars(moments)]
    return [history for history in histories if history is not None]


def _qualified_conditions(unit_id: UUID) -> tuple[ColumnElement[bool], ...]:
    return col(Qualification.unit_id) == unit_id, col(Qualification.status) == QualificationStatus.QUALIFIED


def find_affected(unit_id: UUID) -> list[AffectedQualification]:
    """Find the qualifications that a material change makes Re-assessment Required; inside an operation."""
    columns = (
        col(Qualification.id),
        col(Qualification.product_code),
        col(Qualification.addressed_to),
        col(Organisation.organisation_legal_name),
    )
    query = select(*columns).join(Organisation, col(Organisation.id) == col(Qualification.addressed_to))
    rows = current_session().execute(
        query.where(*_qualified_conditions(unit_id)).order_by(col(Qualification.product_code))
    )
    return [AffectedQualification(*row) for row in rows]

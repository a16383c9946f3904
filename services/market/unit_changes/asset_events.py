"""Reactions of market units to changes of their assets: an asset in a unit stays registered; a change recounts the unit.

A change of an asset marks its units stale in the same commit; the first mark since a unit was counted emits an event, and
the worker recounts the unit once, however many assets changed.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session as OrmSession
from sqlalchemy.orm.attributes import get_history
from sqlmodel import col

from models.assets import Asset
from models.core import Event
from models.events import EventType
from models.units import MarketUnit, UnitCapability, UnitMember, UnitStatus
from services.core.db.bulk_insert import Columns
from services.core.errors import Blocker
from services.core.jobs.outbox import emit_many
from services.core.ledger.writer import table_of
from services.core.operation import system_step
from services.core.transaction import current_session
from services.market.qualification.lifecycle import require_reassessment
from services.market.qualification.material_change import find_material_reasons
from services.market.units.members import CURRENT, batches, current_memberships
from services.market.units.totals import recount_units

_PENDING = "fmar_assets_of_units"
COUNTED = (
    "status", "connection_status", "fuel_type_energy_source", "rated_capacity", "gen_capacity", "demand_capacity",
    "import_mpan", "export_mpan", "dno_connection", "gsp_group", "category_attributes",
)  # fmt: skip
"""Columns of an asset that the rules of capability read."""


def block_asset_in_units(asset: Asset) -> list[Blocker]:
    """Block the end of an asset that is in an active unit: it is taken out there first (UC-02.02)."""
    return [
        Blocker(
            "market_unit",
            str(membership.unit_id),
            f"It is in the market unit {membership.name} ({membership.code})",
            f"take it out of the market unit {membership.code}",
        )
        for membership in current_memberships([asset.id])
    ]


def block_provider_with_units(organisation_id: UUID) -> list[Blocker]:
    """Block the end of an organisation that has active units, with their number (UC-01.04)."""
    active = (col(MarketUnit.service_provider_id) == organisation_id, col(MarketUnit.status) == UnitStatus.ACTIVE)
    count = current_session().scalar(select(func.count()).select_from(MarketUnit).where(*active)) or 0
    if not count:
        return []
    label = f"{count:,} active market {'unit' if count == 1 else 'units'}"
    return [Blocker("market_units", "active", label, "De-register them, or have them re-assigned.")]


def note_flushed(session: OrmSession) -> None:
    """Note the assets that a session has just changed."""
    for record in session.dirty:
        if isinstance(record, Asset) and any(get_history(record, name).has_changes() for name in COUNTED):
            session.info.setdefault(_PENDING, set()).add(record.id)


def note_changed(session: OrmSession, model: type[Any], before: Columns, changes: Mapping[str, Any]) -> None:
    """Note many assets that changed alike."""
    if model is Asset and not changes.keys().isdisjoint(COUNTED):
        session.info.setdefault(_PENDING, set()).update(before["id"])


def mark_units(session: OrmSession) -> None:
    """Mark each unit of a changed asset as stale; the first mark since it was counted emits an event."""
    changed = session.info.pop(_PENDING, None)
    if not changed:
        return
    capabilities = table_of(UnitCapability)
    newly_stale: list[UUID] = []
    for batch in batches(sorted(changed)):
        query = select(col(UnitMember.unit_id)).where(col(UnitMember.asset_id).in_(batch), CURRENT)
        units = sorted(set(session.scalars(query)))
        if units:
            marked = (
                update(capabilities).where(capabilities.c.unit_id.in_(units)).values(stale=capabilities.c.stale + 1)
            )
            rows = session.execute(marked.returning(capabilities.c.unit_id, capabilities.c.stale))
            newly_stale += [row.unit_id for row in rows if row.stale == 1]
    if newly_stale:
        providers_query = select(col(MarketUnit.id), col(MarketUnit.service_provider_id)).where(
            col(MarketUnit.id).in_(newly_stale)
        )
        providers = session.execute(providers_query).all()
        columns: dict[str, list[Any]] = {
            "record_id": [row.id for row in providers],
            "organisation_id": [row.service_provider_id for row in providers],
            "dno_code": [None] * len(providers),
            "payload": [{}] * len(providers),
        }
        emit_many(EventType.MARKET_UNIT_ASSETS_CHANGED, MarketUnit, columns)


def count_marked(happened: Event) -> None:
    """Recount a unit whose assets changed; a capacity that moves too far is a material change (UC-03.03)."""
    recount_unit(happened.record_id)


@system_step("UC-03.03", name="recount_unit")
def recount_unit(unit_id: UUID) -> bool:
    """Recount an active unit that is marked stale; return True for a material change."""
    capabilities = table_of(UnitCapability)
    session = current_session()
    marked = select(capabilities.c.stale).where(capabilities.c.unit_id == unit_id).with_for_update()
    unit = session.get(MarketUnit, unit_id)
    if unit is None or unit.status is not UnitStatus.ACTIVE or not session.scalar(marked):
        return False
    totals = recount_units([unit_id])
    if unit_id not in totals:
        return False
    before, after = totals[unit_id]
    reasons = find_material_reasons(before, after, unit_id)
    if reasons:
        require_reassessment(unit_id, "ASSET_CHANGED", f"Assets in it changed: {'; '.join(reasons)}.")
    return bool(reasons)


def tell_units(happened: Event) -> None:
    """Make each qualified unit with a materially changed asset Re-assessment Required (UC-02.03)."""
    if happened.payload.get("material"):
        reassess_units_of(happened.record_id, happened.payload.get("reasons", []))


@system_step("UC-02.03", name="reassess_units_of")
def reassess_units_of(asset_id: UUID, reasons: list[str]) -> int:
    """Make the qualifications of an asset's units Re-assessment Required; return the number of its units."""
    memberships = current_memberships([asset_id])
    for membership in memberships:
        require_reassessment(
            membership.unit_id, "ASSET_CHANGED", f"{membership.asset_name} was changed: {'; '.join(reasons)}."
        )
    return len(memberships)

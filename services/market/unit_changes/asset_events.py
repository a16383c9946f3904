"""What assets and units are to each other outside of composing: an asset in a unit stays registered; a change of one counts.

Whoever changes an asset leaves a mark at its units, in the same commit; the first mark since a unit was counted tells the
worker, which counts it anew once, however many assets changed.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import event, func, select, update
from sqlalchemy.orm import Session as OrmSession
from sqlalchemy.orm import UOWTransaction
from sqlalchemy.orm.attributes import get_history
from sqlmodel import Session, col

from models.assets import Asset
from models.core import Event
from models.units import MarketUnit, UnitCapability, UnitMember, UnitStatus
from services.assets.registration.lifecycle import DEREGISTRATION_BLOCKERS
from services.core.db.columns import Columns, Same, values_of
from services.core.errors import Blocker
from services.core.identity.actor import Actor, system_actor
from services.core.jobs.outbox import emit_many, handles
from services.core.ledger.bulk_update import seen_changed
from services.core.ledger.writer import table_of
from services.core.operation import operation
from services.core.transaction import at_the_end, current_session
from services.market.qualification.lifecycle import require_reassessment
from services.market.qualification.material_change import material_reasons
from services.market.units.members import CURRENT, memberships_now, runs
from services.market.units.totals import recount
from services.participants.ending import blocks_ending

CHANGED = "market_unit.assets_changed"
_PENDING = "fmar_assets_of_units"
COUNTED = (
    "status", "connection_status", "fuel_type_energy_source", "rated_capacity", "gen_capacity", "demand_capacity",
    "import_mpan", "export_mpan", "dno_connection", "gsp_group", "category_attributes",
)  # fmt: skip
"""Columns of an asset that the rules of capability read."""


def _in_units(asset: Asset) -> list[Blocker]:
    """UC-02.02: an asset in an active unit is taken out there first."""
    return [
        Blocker(
            "market_unit",
            str(one.unit_id),
            f"It is in the market unit {one.name} ({one.code})",
            f"take it out of the market unit {one.code}",
        )
        for one in memberships_now([asset.id])
    ]


DEREGISTRATION_BLOCKERS.append(_in_units)


@blocks_ending
def _units(organisation_id: UUID) -> list[Blocker]:
    """UC-01.04: active units, counted."""
    active = (col(MarketUnit.service_provider_id) == organisation_id, col(MarketUnit.status) == UnitStatus.ACTIVE)
    count = current_session().scalar(select(func.count()).select_from(MarketUnit).where(*active)) or 0
    if not count:
        return []
    label = f"{count:,} active market {'unit' if count == 1 else 'units'}"
    return [Blocker("market_units", "active", label, "De-register them, or have them re-assigned.")]


def _note_changed(session: OrmSession, _context: UOWTransaction) -> None:
    for record in session.dirty:
        if isinstance(record, Asset) and any(get_history(record, name).has_changes() for name in COUNTED):
            session.info.setdefault(_PENDING, set()).add(record.id)


def _note_many(session: OrmSession, model: type[Any], before: Columns, changes: Mapping[str, Any], count: int) -> None:
    if model is Asset and not changes.keys().isdisjoint(COUNTED):
        session.info.setdefault(_PENDING, set()).update(values_of(before["id"], count))


def mark_units(session: OrmSession) -> None:
    """Leave a mark at each unit of an asset that changed; the first one since it was counted is told to the worker."""
    changed = session.info.pop(_PENDING, None)
    if not changed:
        return
    kept = table_of(UnitCapability)
    first: list[UUID] = []
    for some in runs(sorted(changed)):
        theirs = select(col(UnitMember.unit_id)).where(col(UnitMember.asset_id).in_(some), CURRENT)
        units = sorted(set(session.scalars(theirs)))
        if units:
            marked = update(kept).where(kept.c.unit_id.in_(units)).values(stale=kept.c.stale + 1)
            rows = session.execute(marked.returning(kept.c.unit_id, kept.c.stale))
            first += [row.unit_id for row in rows if row.stale == 1]
    if first:
        chosen = select(col(MarketUnit.id), col(MarketUnit.service_provider_id)).where(col(MarketUnit.id).in_(first))
        found = session.execute(chosen).all()
        told = {"record_id": [row[0] for row in found], "organisation_id": [row[1] for row in found]}
        emit_many(CHANGED, MarketUnit, {**told, "dno_code": Same(None), "payload": Same({})}, len(found))


event.listen(Session, "after_flush", _note_changed)
seen_changed(_note_many)
at_the_end(mark_units)


@handles(CHANGED, name="market.asset_hooks.count_marked")
def count_marked(happened: Event) -> None:
    """Count a unit anew whose assets changed; a capacity that moves too far is a material change (UC-03.03)."""
    recount_unit(system_actor(), happened.record_id)


@operation("UC-03.03", permission="unit.recount", name="recount_unit")
def recount_unit(actor: Actor, unit_id: UUID) -> bool:
    """Count an active unit anew; whether that was a material change. One that nobody marked is left as it is."""
    kept = table_of(UnitCapability)
    session = current_session()
    marked = select(kept.c.stale).where(kept.c.unit_id == unit_id).with_for_update()
    unit = session.get(MarketUnit, unit_id)
    if unit is None or unit.status is not UnitStatus.ACTIVE or not session.scalar(marked):
        return False
    counted = recount([unit_id])
    if unit_id not in counted:
        return False
    before, after = counted[unit_id]
    reasons = material_reasons(before, after, unit_id)
    if reasons:
        require_reassessment(unit_id, "ASSET_CHANGED", f"Assets in it changed: {'; '.join(reasons)}.")
    return bool(reasons)


@handles("asset.changed", name="market.asset_hooks.tell_units")
def tell_units(happened: Event) -> None:
    """UC-02.03: a material change of an asset makes each qualified unit with it Re-assessment Required."""
    if happened.payload.get("material"):
        reassess_units_of(system_actor(), happened.record_id, happened.payload.get("reasons", []))


@operation("UC-02.03", permission="unit.recount", name="reassess_units_of")
def reassess_units_of(actor: Actor, asset_id: UUID, reasons: list[str]) -> int:
    """Make what the units of an asset are qualified for Re-assessment Required; how many units it is in."""
    inside = memberships_now([asset_id])
    for one in inside:
        require_reassessment(one.unit_id, "ASSET_CHANGED", f"{one.asset_name} was changed: {'; '.join(reasons)}.")
    return len(inside)

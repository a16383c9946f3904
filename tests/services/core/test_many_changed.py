"""Many records changed at once leave, letter for letter, what one at a time would have left."""

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
import time_machine
from sqlalchemy import select
from sqlmodel import col

from models.assets import Asset
from models.core import LedgerEntry
from models.units import UnitMember
from services.assets.counters.reconcile import drifts
from services.core.audit_context import NoTransaction
from services.core.clock import now
from services.core.ledger.bulk_update import change_columns
from services.core.ledger.canonical import entry_hash
from services.core.ledger.verifying import FaultKind, verify_ledger
from services.core.transaction import current_session, unit_of_work
from services.market.unit_changes.composition import update_composition
from services.market.unit_changes.deregistration import deregister_unit
from services.market.units.members import list_members
from tests.asset_factories import STAMP, make_administrator, make_provider, registered
from tests.unit_factories import make_unit, verified

MOMENT = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)
pytestmark = pytest.mark.usefixtures("register")


def last_entries(*ids: UUID) -> list[LedgerEntry]:
    """The newest entry of each record."""
    chosen = select(LedgerEntry).where(col(LedgerEntry.record_id).in_(ids)).order_by(col(LedgerEntry.version))
    with unit_of_work(STAMP, writes=False) as session:
        newest = {one.record_id: one for one in session.scalars(chosen)}
    return [newest[one] for one in ids]


@pytest.mark.use_case("UC-05.06")
def test_many_are_changed_as_one_by_one() -> None:
    actor, gaining = make_provider(), make_provider("Kelvin")
    with time_machine.travel(MOMENT, tick=False):
        many, alone = [registered(actor) for _ in range(3)], registered(actor)
    change: dict[str, Any] = {
        "service_provider_id": gaining.organisation_id,
        "managed_from": MOMENT,
        "friendly_code": None,
    }
    with time_machine.travel(MOMENT, tick=False), unit_of_work(STAMP, writes=True) as session:
        held = session.get_one(Asset, many[0].id)
        assert change_columns(session, Asset, [one.id for one in many], change) == 3
        assert (held.version, held.service_provider_id) == (many[0].version + 1, gaining.organisation_id)
        single = session.get_one(Asset, alone.id)
        for name, value in change.items():
            setattr(single, name, value)
    *bulk, one_by_one = last_entries(*(one.id for one in many), alone.id)
    own = ("id", "asset_name", "import_mpan", "export_mpan", "serial_number", "serial_key")
    stated = [{k: v for k, v in json.loads(one.state).items() if k not in own} for one in (*bulk, one_by_one)]
    assert stated[:3] == [stated[3]] * 3
    for entry in bulk:
        assert (entry.version, entry.recorded_at, entry.operation) == (
            one_by_one.version, one_by_one.recorded_at, one_by_one.operation,
        )  # fmt: skip
        assert entry.hash == entry_hash(entry)
    faults = verify_ledger(make_administrator()).faults
    assert {fault.kind for fault in faults} <= {FaultKind.TIME_BROKEN}, (
        "the clock was set back, and nothing else is wrong"
    )
    with unit_of_work(STAMP, writes=False) as session:
        assert drifts(session) == [], "counts beside the assets follow"
        assert session.get_one(Asset, many[2].id).recorded_at == MOMENT


@pytest.mark.use_case("UC-05.06")
def test_what_is_worked_out_or_set_by_the_ledger_is_not_changed_this_way() -> None:
    asset = registered(make_provider())
    with unit_of_work(STAMP, writes=True) as session:
        for change in ({"latitude": 52.0}, {"version": 7}, {"nothing_like_it": 1}, {}):
            with pytest.raises(ValueError, match=r"worked out|others than"):
                change_columns(session, Asset, [asset.id], change)
        assert change_columns(session, Asset, [], {"friendly_code": None}) == 0
    with unit_of_work(STAMP, writes=False), pytest.raises(NoTransaction):
        change_columns(current_session(), Asset, [asset.id], {"friendly_code": None})


@pytest.mark.use_case("UC-03.03")
@pytest.mark.use_case("UC-03.04")
def test_memberships_end_together_each_with_its_entry() -> None:
    actor = make_provider()
    assets = [verified(actor) for _ in range(4)]
    made = make_unit(actor, *assets)
    left = update_composition(actor, made.unit.id, made.unit.version, remove=[one.id for one in assets[:2]])
    before = now()
    assert left.capability.assets == 2
    deregister_unit(actor, made.unit.id, "Not offered any more.", left.unit.version)
    with unit_of_work(STAMP, writes=False) as session:
        members = session.scalars(select(UnitMember).where(col(UnitMember.unit_id) == made.unit.id)).all()
        entries = session.scalars(select(LedgerEntry).where(col(LedgerEntry.record_type) == "unit_member")).all()
    assert [one.version for one in members] == [2] * 4
    assert all(one.until_at for one in members)
    assert sorted(one.operation for one in entries if one.version == 2) == [
        "deregister_unit", "deregister_unit", "update_composition", "update_composition",
    ]  # fmt: skip
    assert len(list_members(actor, made.unit.id, moment=before).items) == 2
    assert list_members(actor, made.unit.id).items == []
    assert verify_ledger(make_administrator()).faults == []

"""Entries of the ledger to browse: by who, what and when, within what one may see (UC-05.06)."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from models.participants import Role
from services.assets.registration.update import update_asset
from services.core.clock import today
from services.core.errors import Forbidden, Invalid
from services.governance.ledger_entries import EntryFilters, list_entries, list_entry_kinds
from tests.asset_factories import battery, registered
from tests.factories import administrator, make_actor, make_fsp, make_organisation

pytestmark = [pytest.mark.use_case("UC-05.06"), pytest.mark.usefixtures("one_register")]


def test_entries_are_found_by_who_what_and_when() -> None:
    auditor = administrator()
    with time_machine.travel(datetime(2027, 3, 1, 9, tzinfo=UTC)):
        actor = make_fsp("Bramble Flex")
        asset = registered(actor, **battery())
    with time_machine.travel(datetime(2027, 3, 5, 9, tzinfo=UTC)):
        update_asset(actor, asset.id, {"AssetName": "Renamed"}, asset.version)
        [entry] = list_entries(auditor, EntryFilters(operation="update_asset")).items
        assert entry.changes == {"asset_name": (asset.asset_name, "Renamed")}
        assert (entry.record, entry.record_id, entry.version) == ("Renamed", asset.id, asset.version + 1)
        assert entry.organisation == actor.organisation_name
        assert entry.use_case == "UC-02.03"
        of_asset = EntryFilters(record_id=asset.id)
        assert [view.operation for view in list_entries(auditor, of_asset).items] == ["update_asset", "register_asset"]
        for filters, count in (
            (EntryFilters(record_id=asset.id, since=today()), 1),
            (EntryFilters(record_id=asset.id, until=today() - timedelta(days=1)), 1),
            (EntryFilters(record_id=asset.id, who="bramble"), 2),
            (EntryFilters(record_id=asset.id, who="nobody at all"), 0),
            (EntryFilters(record_id=asset.id, record_type="organisation"), 0),
        ):
            assert len(list_entries(auditor, filters).items) == count, filters
        operations, kinds = list_entry_kinds(auditor)
        assert {"register_asset", "update_asset"} <= set(operations)
        assert {"asset", "organisation"} <= set(kinds)


def test_pages_follow_one_another() -> None:
    auditor = administrator()
    actor = make_fsp("Bramble Flex")
    for _ in range(3):
        registered(actor, **battery())
    numbers: list[int] = []
    cursor = None
    while True:
        page = list_entries(auditor, None, cursor, 4)
        numbers += [view.seq for view in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert numbers == sorted(set(numbers), reverse=True)
    assert len(numbers) == len(list_entries(auditor, limit=500).items)
    with pytest.raises(Invalid):
        list_entries(auditor, after="x")


def test_entries_of_what_one_may_not_see_are_left_out() -> None:
    actor = make_fsp("Bramble Flex")
    asset = registered(actor, **battery())
    regulator = make_actor(make_organisation("Ofgem", ("Regulator",)), [Role.REGULATOR])
    items = list_entries(regulator, limit=500).items
    assert {view.record_type for view in items}.isdisjoint({"asset", "asset_check", "asset_message", "qualification"})
    assert "organisation" in {view.record_type for view in items}
    assert not list_entries(regulator, EntryFilters(record_id=asset.id)).items
    assert "register_asset" not in list_entry_kinds(regulator)[0]
    with pytest.raises(Forbidden):
        list_entries(actor)

"""Who opened what: written once an opening, read by the administrator and the regulator only (UC-05.01)."""

from threading import Thread

import pytest

from models.base import new_id
from models.participants import Role
from services.assets.registration.lookup import look_up
from services.core.access_buffer import AccessBuffer
from services.core.errors import Forbidden, Unavailable
from services.core.transaction import Stamp, unit_of_work
from services.governance.accesses import list_accesses, note_opening
from tests.asset_factories import make_actor, make_administrator, make_organisation, make_provider, registered

pytestmark = pytest.mark.use_case("UC-05.01")


def test_an_opening_names_who_what_and_when_and_one_that_shows_nothing_is_told_apart(register: str) -> None:
    actor, kelvin, administrator = make_provider(), make_provider("Kelvin"), make_administrator()
    mine, theirs = registered(actor), registered(kelvin)
    note_opening(actor, "asset", mine.id)
    note_opening(actor, "asset", theirs.id)
    note_opening(actor, "asset", new_id())
    assert actor.organisation_id
    note_opening(actor, "organisation", actor.organisation_id)
    look_up(actor, mpan="nonsense")
    found = list_accesses(administrator)
    assert [one.kind for one in found] == [
        "asset.lookup",
        "organisation.read",
        "asset.refused",
        "asset.refused",
        "asset.read",
    ]
    first = found[-1]
    assert (first.who, first.organisation, first.record) == ("Priya Shah", "Northgate Flex Ltd", mine.asset_name)
    assert [one.number for one in list_accesses(administrator, record_id=mine.id)] == [first.number]
    assert [one.kind for one in list_accesses(administrator, kind="asset.refused", limit=1)] == ["asset.refused"]
    assert [one.number for one in list_accesses(administrator, before=found[1].number, limit=1)] == [found[2].number]


@pytest.mark.both_engines
def test_what_a_page_shows_is_written_behind_it_in_its_order_and_whole_at_an_orderly_stop(register: str) -> None:
    actor, administrator = make_provider(), make_administrator()
    assets = [registered(actor) for _ in range(3)]
    buffer = AccessBuffer()
    buffer.start()
    try:
        for asset in assets * 40:
            note_opening(actor, "asset", asset.id)
    finally:
        buffer.stop()
    assert [view.record_id for view in list_accesses(administrator, limit=500)] == [
        asset.id for asset in reversed(assets * 40)
    ]
    note_opening(actor, "asset", assets[0].id)
    assert list_accesses(administrator)[0].record_id == assets[0].id, "Without a buffer it is written at once."


def test_a_page_does_not_wait_for_another_writer(sqlite_register: str) -> None:
    actor, administrator = make_provider(), make_administrator()
    asset = registered(actor)
    buffer = AccessBuffer()
    buffer.start()
    try:
        with unit_of_work(Stamp("hold", "", actor), writes=True):
            opening = Thread(target=note_opening, args=(actor, "asset", asset.id))
            opening.start()
            opening.join(timeout=10)
            assert not opening.is_alive()
    finally:
        buffer.stop()
    assert [view.kind for view in list_accesses(administrator)] == ["asset.read"]


def test_what_can_not_be_logged_is_not_shown(register: str) -> None:
    actor = make_provider()
    asset = registered(actor)
    buffer = AccessBuffer(most=0)
    buffer.start()
    try:
        with pytest.raises(Unavailable, match="access log"):
            note_opening(actor, "asset", asset.id)
    finally:
        buffer.stop()


def test_only_the_administrator_and_auditors_read_it(register: str) -> None:
    assert list_accesses(make_actor(make_organisation("Ofgem", ("Regulator",)), Role.REGULATOR)) == []
    with pytest.raises(Forbidden):
        list_accesses(make_provider())

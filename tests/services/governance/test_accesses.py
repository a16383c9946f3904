"""Who opened what: written once an opening, read by the administrator and the regulator only (UC-05.01)."""

import pytest

from models.base import new_id
from models.participants import Role
from services.assets.registration.lookup import look_up
from services.core.errors import Forbidden
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


def test_only_the_administrator_and_auditors_read_it(register: str) -> None:
    assert list_accesses(make_actor(make_organisation("Ofgem", ("Regulator",)), Role.REGULATOR)) == []
    with pytest.raises(Forbidden):
        list_accesses(make_provider())

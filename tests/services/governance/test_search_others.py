"""Units, products, applications and people in the search: found by whoever sees them, and by nobody else (UC-05.01)."""

import pytest

from services.core.identity.actor import Actor
from services.governance.search import search
from services.governance.search_hits import Found
from services.governance.tasks import TaskArea, count_tasks
from tests import factories
from tests.asset_factories import make_administrator, make_provider
from tests.market_factories import apply_for, make_dso, make_market

pytestmark = [pytest.mark.both_engines, pytest.mark.use_case("UC-05.01")]


def titles(actor: Actor, text: str, kind: Found) -> list[str]:
    """What is found of a kind, by name, in order."""
    return [hit.title for hit in search(actor, text).of(kind)]


@pytest.mark.parametrize("text", ["cambridge bat", "BATTERIES", "code", "id"])
def test_a_unit_is_found_by_name_code_and_id_by_whoever_sees_it(register: str, text: str) -> None:
    actor, operator, unit = make_market()
    words = {"code": unit.code.lower(), "id": str(unit.id)}.get(text, text)
    for reader in (actor, operator, make_administrator()):
        assert titles(reader, words, Found.UNIT) == ["Cambridge batteries"]
    for reader in (make_provider("Elsewhere"), make_dso("Scottish Power", "SPEN_SP")):
        assert titles(reader, words, Found.UNIT) == []
    only = search(actor, unit.code).only
    assert only
    assert (only.kind, only.identifier) == (Found.UNIT, str(unit.id))


@pytest.mark.parametrize("text", ["SU", "Cambridge", "su cambridge"])
def test_an_application_is_found_by_its_product_and_unit(register: str, text: str) -> None:
    actor, operator, unit = make_market()
    (application,) = apply_for(actor, unit)
    for reader in (actor, operator):
        hits = search(reader, text).of(Found.APPLICATION)
        assert [hit.identifier for hit in hits] == [str(application.id)]
        assert hits[0].title == "SU · Cambridge batteries"
    assert titles(make_provider("Elsewhere"), text, Found.APPLICATION) == []


def test_a_product_is_found_by_code_and_name(register: str) -> None:
    actor = make_provider()
    assert titles(actor, "dc", Found.PRODUCT)[0] == "DC: Dynamic Containment"
    assert "DC: Dynamic Containment" in titles(actor, "containment", Found.PRODUCT)
    only = search(actor, "DC").only
    assert only
    assert only.identifier == "DC"


def test_people_are_found_in_ones_own_organisation(register: str) -> None:
    first, second = factories.make_organisation("Bramble"), factories.make_organisation("Kelvin")
    priya = factories.make_user(
        first, ["fsp_user", "organisation_admin"], name="Priya Shah", email="priya@bramble.example.org"
    )
    factories.make_user(second, ["fsp_user"], name="Priya Patel", email="patel@kelvin.example.org")
    actor = factories.actor_of(priya)
    assert titles(actor, "priya", Found.PERSON) == ["Priya Shah"]
    assert titles(actor, "patel@kelvin", Found.PERSON) == []
    assert titles(factories.administrator(), "priya", Found.PERSON) == ["Priya Patel", "Priya Shah"]


@pytest.mark.use_case("UC-05.02")
def test_tasks_are_counted_where_they_are_done(register: str) -> None:
    actor, operator, unit = make_market()
    apply_for(actor, unit)
    assert count_tasks(operator) == {TaskArea.ASSESSMENT: 1}
    assert TaskArea.APPLICATIONS not in count_tasks(actor)

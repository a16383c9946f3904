"""Saved views and drafts of forms: one's own alone, replaced by name, one view of a page pinned (UC-05.01)."""

import pytest

from services.core.errors import Invalid, NotFound, Refused
from services.governance import saved_views
from services.governance.form_drafts import keep_form_draft, read_form_draft
from services.governance.saved_views import LONGEST_NAME, delete_view, list_views, pin_view, save_view
from tests import factories

pytestmark = pytest.mark.use_case("UC-05.01")


def test_a_view_is_replaced_by_its_name_and_seen_by_its_person_alone(register: str) -> None:
    organisation = factories.make_organisation("Northgate Flex")
    one, other = (
        factories.actor_of(factories.make_user(organisation, ["fsp_user"], email=f"{name}@northgate.example.org"))
        for name in ("ada", "ben")
    )
    view = save_view(one, "assets", "  Batteries\n in Kent ", {"category": ["BESS"], "order": ["name"]})
    assert (view.name, view.query["category"]) == ("Batteries in Kent", ["BESS"])
    save_view(one, "assets", "Batteries in Kent", {"category": ["BESS", "SOLAR_PV"]})
    assert [view.query for view in list_views(one)] == [{"category": ["BESS", "SOLAR_PV"]}]
    assert list_views(other) == []
    for act in (lambda: pin_view(other, view.id, True), lambda: delete_view(other, view.id)):
        with pytest.raises(NotFound):
            act()
    delete_view(one, view.id)
    assert list_views(one) == []


def test_one_view_of_a_page_is_pinned(register: str) -> None:
    actor = factories.administrator()
    first, second = (save_view(actor, "assets", name, {"q": [name]}) for name in ("first", "second"))
    elsewhere = save_view(actor, "market-units", "first", {})
    for view in (first, elsewhere, second):
        pin_view(actor, view.id, True)
    assert {view.id for view in list_views(actor) if view.pinned} == {second.id, elsewhere.id}
    pin_view(actor, second.id, False)
    assert {view.id for view in list_views(actor) if view.pinned} == {elsewhere.id}


@pytest.mark.parametrize(
    ("name", "query", "code"),
    [
        ("", {}, "VIEW-01"),
        (" \n ", {}, "VIEW-01"),
        ("n" * (LONGEST_NAME + 1), {}, "VIEW-01"),
        ("long", {"q": ["x" * 5000]}, "VIEW-02"),
    ],
)
def test_a_name_or_filters_that_cannot_be_kept_are_refused(
    register: str, name: str, query: dict[str, list[str]], code: str
) -> None:
    with pytest.raises(Invalid) as refused:
        save_view(factories.administrator(), "assets", name, query)
    assert [finding.code for finding in refused.value.findings] == [code]


def test_nobody_fills_the_register_with_views(register: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saved_views, "MOST_VIEWS", 2)
    actor = factories.administrator()
    for name in ("a", "b", "a"):
        save_view(actor, "assets", name, {})
    with pytest.raises(Refused, match="Delete one"):
        save_view(actor, "assets", "c", {})


def test_a_draft_of_a_form_is_there_again_and_goes_when_it_is_emptied(register: str) -> None:
    organisation = factories.make_organisation("Northgate Flex")
    one = factories.actor_of(factories.make_user(organisation, ["fsp_user"], email="ada@northgate.example.org"))
    keep_form_draft(one, "product", {"Name": "Static FFR", "MinCapacity_kW": "1000"})
    keep_form_draft(one, "product", {"Name": "Static FFR 2"})
    draft = read_form_draft(one, "product")
    assert draft is not None
    assert draft.values == {"Name": "Static FFR 2"}
    assert read_form_draft(factories.administrator(), "product") is None
    assert read_form_draft(one, "organisation") is None
    keep_form_draft(one, "product", {})
    assert read_form_draft(one, "product") is None
    with pytest.raises(Refused, match="64 kB"):
        keep_form_draft(one, "product", {"Notes": "é" * 65536})

"""Categories and code lists in the portal: what their keeper sees and does, and what everybody else reads (UC-05.07)."""

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from services.assets.categories.codes import code_list_entries
from services.assets.categories.drafts import begin_version, category_draft, save_category
from services.assets.categories.form import AttributeForm, form_of
from services.assets.registration.register import register_asset
from services.assets.rules.reference import categories, category_schema, code_list, schema_versions
from services.core.identity.actor import Actor
from tests.category_factories import HUB, TITLE, drafted_hub, hub, hub_values, published_hub
from tests.factories import administrator as another_administrator
from tests.factories import make_organisation
from tests.pages.portal import be, be_administrator, open_page, press, quiet, text

pytestmark = [pytest.mark.usefixtures("one_register"), pytest.mark.use_case("UC-05.07")]


def editor(part: str = "Category") -> AppTest:
    """The editor of the hub's draft, at one of its parts."""
    return open_page("administrator", "assets/edit_category", code=HUB, part=part)


def field(at: AppTest, name: str) -> Any:
    """A widget of the editor by the name of its field, as ``a1/label``."""
    found = [
        one
        for kind in (at.text_input, at.text_area, at.selectbox, at.multiselect, at.toggle, at.color_picker)
        for one in kind
        if str(one.key).endswith(f"/{name}") and str(one.key).startswith("category-")
    ]
    assert len(found) == 1, (name, [one.key for one in found])
    return found[0]


def type_in(at: AppTest, **values: Any) -> AppTest:
    """Type into fields; two underscores stand for a stroke."""
    for name, value in values.items():
        field(at, name.replace("__", "/")).set_value(value)
    return quiet(at.run())


def put(at: AppTest, key: str, value: Any) -> AppTest:
    """Type into a widget that isn't the editor's, by its key."""
    widget: Any = at.get_by_key(key)
    widget.set_value(value)
    return quiet(at.run())


def press_at(at: AppTest, label: str, identifier: str) -> AppTest:
    """Press a button of an attribute's line."""
    return quiet(next(one for one in at.button if str(one.key).endswith(f"!{label}-{identifier}")).click().run())


def drafted(administrator: Actor) -> Any:
    """The draft as the register has it."""
    return form_of(category_draft(administrator, HUB).document)


def test_a_category_is_begun_typed_checked_and_published() -> None:
    administrator = be_administrator()
    at = open_page("administrator", "assets/categories")
    press(at, "New category")
    put(at, "new-category-title", TITLE)
    press(at, "Begin the draft")
    assert at.title[0].value.replace("\\", "") == TITLE
    at = editor()
    press(at, "Publish")
    said = text(at)
    assert "2 to correct before it can be published" in said
    assert said.count("Say what assets belong to the category") == 2, "in the summary and beside its field"
    type_in(at, description="Chargers that give power back.", kind="storage")
    assert drafted(administrator).description == "Chargers that give power back.", "kept as it is typed"
    assert "Nothing to correct" in text(at)
    at = editor("Its attributes")
    press(at, "Add an attribute")
    type_in(at, a1__label="Bidirectional sockets", a1__kind="integer")
    type_in(at, a1__minimum="1", a1__maximum="5x", a1__mandatory=True)
    press(at, "Check")
    assert "Its attributes, Bidirectional sockets, Maximum: 5x isn't a number." in text(at)
    assert field(at, "a1/maximum").value == "5x", "nothing typed is lost"
    type_in(at, a1__maximum="50")
    press(at, "Publish")
    press(at, "Publish version 1")
    assert "Vehicle-to-grid hub, version 1, is in use." in at.toast[0].value.replace("\\", "")
    document = category_schema(administrator, HUB).document
    assert document["properties"]["BidirectionalSockets"]["maximum"] == 50
    assert document["required"] == ["BidirectionalSockets"]


def test_attributes_are_moved_and_removed_and_keep_what_was_typed() -> None:
    administrator = be_administrator()
    drafted_hub(administrator)
    at = editor("Its attributes")
    assert "mandatory, whole number, at least 1, at most 500" in text(at)
    press_at(at, "Edit", "a3")
    type_in(at, a3__label="Who may use it")
    press_at(at, "Up", "a3")
    assert [one.id for one in drafted(administrator).attributes] == ["a1", "a3", "a2"]
    assert field(at, "a3/label").value == "Who may use it"
    press_at(at, "Remove", "a1")
    assert [one.display_name for one in drafted(administrator).attributes] == ["Who may use it", "Usable energy"]


def test_core_attributes_usual_values_and_groups_are_chosen() -> None:
    administrator = be_administrator()
    drafted_hub(administrator, hub(usual=[]))
    at = editor("Shared attributes")
    type_in(at, mandatory=["ImportMPAN", "SerialNumber"], hidden=["FuelType_DemandTechType"])
    press(at, "Add a usual value")
    type_in(at, **{"usual__0__term": "FuelType_EnergySource"})
    type_in(at, **{"usual__0__value": "GRID"})
    press(at, "Add a group")
    type_in(at, **{"one-of__0": ["Postcode", "Latitude"]})
    form = drafted(administrator)
    assert (form.mandatory, form.hidden) == (["ImportMPAN", "SerialNumber"], ["FuelType_DemandTechType"])
    assert [(one.term, one.value) for one in form.usual] == [("FuelType_EnergySource", "GRID")]
    assert form.one_of == [["Postcode", "Latitude"]]


def test_the_preview_is_the_registration_form_and_says_what_the_rules_say() -> None:
    drafted_hub(be_administrator())
    at = editor("Preview")
    labels = [one.label for one in (*at.text_input, *at.selectbox)]
    assert {"Asset name *", "Bidirectional sockets *", "Usable energy (kWh)", "Import MPAN *"} <= set(labels)
    put(at, f"try-{HUB}/BidirectionalSockets", "900")
    press(at, "Check what I typed")
    assert text(at).count("Bidirectional sockets must be 1 to 500: 900 is too large.") == 2
    put(at, str(next(one.key for one in at.button_group if str(one.key).endswith("!view"))), "template")
    assert "UsableEnergy_kWh" in text(at)
    assert "PUBLIC, FLEET" in text(at)


def test_differences_and_effect_are_told_in_words_before_publishing() -> None:
    administrator = be_administrator()
    published_hub(administrator)
    provider = be("northgate", make_organisation("Northgate Ltd"), ["fsp_user"])
    register_asset(provider, hub_values(BidirectionalSockets=400))
    register_asset(provider, hub_values(BidirectionalSockets=4))
    draft = begin_version(administrator, HUB)
    first, *others = hub().attributes
    stricter = hub(attributes=[first.model_copy(update={"maximum": "100"}), *others])
    save_category(administrator, draft.id, stricter, draft.version)
    at = editor("Differences")
    said = text(at)
    assert "range narrowed, from at least 1, at most 500 to at least 1, at most 100" in said
    assert "Would fail 1" in said
    assert "They keep the version they were registered with" in said
    press(at, "Publish")
    assert "1 of 2 active assets would not pass under this version." in text(at)
    press(at, "Publish version 2")
    assert category_schema(administrator, HUB).schema_version == 2
    assert "version 1: 2" in text(at)


def test_a_second_administrator_is_told_what_the_first_changed() -> None:
    ada, ben = be_administrator(), another_administrator()
    drafted_hub(ada)
    at = editor()
    draft = category_draft(ben, HUB)
    save_category(ben, draft.id, hub(title="V2G hub"), draft.version)
    quiet(at.run())
    assert "Somebody else changed this draft too" in text(at)
    assert "Name: Vehicle-to-grid hub becomes V2G hub" in text(at)
    assert field(at, "title").value == "V2G hub"
    draft = category_draft(ben, HUB)
    save_category(ben, draft.id, hub(title="Hub of Ben"), draft.version)
    type_in(at, description="What Ada typed.")
    assert "Name: V2G hub becomes Hub of Ben" in text(at)
    assert (drafted(ada).title, drafted(ada).description) == ("Hub of Ben", "What Ada typed."), "both are kept"


def test_two_administrators_on_the_same_field_choose_what_counts_and_lose_nothing() -> None:
    ada, ben = be_administrator(), another_administrator()
    drafted_hub(ada)
    at = editor()
    draft = category_draft(ben, HUB)
    save_category(ben, draft.id, hub(title="Hub of Ben"), draft.version)
    type_in(at, title="Hub of Ada")
    said = text(at)
    assert "What you typed is still here, but isn't saved." in said
    assert "Hub of Ben" in said
    assert field(at, "title").value == "Hub of Ada"
    type_in(at, description="More of Ada's.")
    assert drafted(ada).title == "Hub of Ben"
    press(at, "Keep what I have")
    assert (drafted(ada).title, drafted(ada).description) == ("Hub of Ada", "More of Ada's.")
    draft = category_draft(ben, HUB)
    save_category(ben, draft.id, hub(title="Once more"), draft.version)
    type_in(at, title="Ada once more")
    press(at, "Continue from theirs")
    assert field(at, "title").value == "Once more"
    assert field(at, "description").value == hub().description


def test_a_draft_is_discarded_and_a_category_deprecated_with_a_reason() -> None:
    administrator = be_administrator()
    published_hub(administrator)
    at = open_page("administrator", "assets/categories", category=HUB)
    press(at, "New version")
    at = editor()
    press(at, "Discard the draft")
    press(at, "Discard the draft", 1)
    assert at.title[0].value == "Categories"
    at = open_page("administrator", "assets/categories", category=HUB)
    press(at, "Deprecate")
    assert "No new asset of it can be registered" in text(at)
    press(at, "Deprecate it")
    assert "Say in 10 characters or more why" in text(at)
    put(at, f"deprecate-reason-{HUB}", "Nobody builds them any more.")
    press(at, "Deprecate it")
    assert HUB not in [one.category for one in categories(administrator)]
    assert schema_versions(administrator, HUB)[0].document["x-deprecation"] == "Nobody builds them any more."
    at = open_page("administrator", "assets/categories", category=HUB)
    assert "Out of use: Nobody builds them any more." in text(at)


def test_a_category_that_is_no_more_leads_to_those_that_are() -> None:
    be_administrator()
    at = open_page("administrator", "assets/categories", category="GIVEN_UP")
    assert "Battery Energy Storage System" in text(at)
    at = open_page("administrator", "assets/edit_category", code="GIVEN_UP")
    assert "No draft of this category is in work" in text(at)


def test_versions_stand_side_by_side() -> None:
    administrator = be_administrator()
    published_hub(administrator)
    draft = begin_version(administrator, HUB)
    changed = hub(attributes=[*hub().attributes[:2], AttributeForm(id="a9", label="Roof", kind="boolean")])
    save_category(administrator, draft.id, changed, draft.version)
    said = text(editor("Versions"))
    assert "Version 1" in said
    assert "Removed: Vehicle access" in said
    assert "optional, yes or no" in said
    assert "by Ada Field" in said


def test_code_lists_are_kept_by_administrators() -> None:
    administrator = be_administrator()
    at = open_page("administrator", "assets/categories", list="Code lists", **{"code-list": "ConnectionStatus"})
    assert "Used by: Connection status." in text(at)
    press(at, "Down")
    assert [one.code for one in code_list("ConnectionStatus")][:2] == ["PENDING", "CONNECTED"]
    press(at, "Add a code")
    press(at, "Add it")
    assert "2 fields need attention" in text(at)
    put(at, "add-code-code", "ISLANDED")
    put(at, "add-code-label", "Islanded")
    press(at, "Add it")
    assert code_list_entries(administrator, "ConnectionStatus")[-1].label == "Islanded"


def test_others_read_what_is_published_and_no_draft() -> None:
    drafted_hub(be_administrator())
    be("northgate", make_organisation("Northgate Ltd"), ["fsp_user"])
    at = open_page("northgate", "assets/categories", category="BESS")
    said = text(at)
    assert "Battery Energy Storage System" in said
    assert "Storage capacity" in said
    assert TITLE not in said
    assert not {"New category", "New version", "Deprecate"} & {one.label for one in at.button}
    at = open_page("northgate", "assets/categories", list="Code lists", **{"code-list": "EnergySource"})
    assert "Hydrogen" in text(at)
    assert "Add a code" not in {one.label for one in at.button}

"""UC-05.07: what is wrong with a category is said beside its fields, and every shipped one is right."""

import pytest

from services.assets.categories.drafts import (
    begin_version,
    check_category,
)
from services.assets.categories.effect import mandatable_terms
from services.assets.categories.form import AttributeForm, UsualValue, blank_attribute, form_of
from services.assets.categories.merge import merge_forms
from services.assets.categories.publishing import publish_category
from services.assets.registration.register import register_asset
from services.assets.rules.reference import category_schema
from services.assets.rules.schemas import shipped_schemas
from tests.asset_factories import make_administrator, make_provider, values_for
from tests.category_factories import HUB, hub

pytestmark = pytest.mark.use_case("UC-05.07")


@pytest.mark.parametrize("category", sorted(shipped_schemas()))
def test_every_shipped_category_goes_through_the_editor_unchanged(one_register: str, category: str) -> None:
    administrator = make_administrator()
    before = category_schema(administrator, category).document
    draft = begin_version(administrator, category)
    assert check_category(administrator, category, form_of(draft.document)) == []
    publish_category(administrator, draft.id, draft.version)
    after = category_schema(administrator, category).document
    assert list(after["properties"]) == list(before["properties"])
    assert {key: one for key, one in after.items() if one and key not in ("$id", "properties")} == {
        key: one for key, one in before.items() if one and key not in ("$id", "properties")
    }
    register_asset(make_provider(), values_for(category))


@pytest.mark.parametrize(
    ("part", "wrong"),
    [
        ("label", {"label": " "}),
        ("name", {"name": "Rated Capacity"}),
        ("name", {"name": "RatedCapacity"}),
        ("name", {"name": "VehicleAccess"}),
        ("name", {"name": "StorageCapacity_kWh", "unit": "MWh"}),
        ("minimum", {"minimum": "1,000"}),
        ("maximum", {"minimum": "10", "maximum": "5"}),
        ("example", {"minimum": "10", "example": "5"}),
        ("longest", {"kind": "text", "longest": "-1"}),
        ("longest", {"kind": "text", "shortest": "9", "longest": "5"}),
        ("pattern", {"kind": "text", "pattern": "(["}),
        ("pattern", {"kind": "text", "pattern": "(?=a)b"}),
        ("choices", {"kind": "choice", "choices": ""}),
        ("choices", {"kind": "choice", "choices": "A = One\nA = Two"}),
        ("choices", {"kind": "choices", "code_list": "Nothing"}),
    ],
)
def test_what_is_wrong_with_an_attribute_is_said_beside_its_field(
    one_register: str, part: str, wrong: dict[str, str]
) -> None:
    form = hub()
    spoilt = form.attributes[1].model_copy(update=wrong)
    form = form.model_copy(update={"attributes": [form.attributes[0], spoilt, form.attributes[2]]})
    found = check_category(make_administrator(), HUB, form)
    assert f"attributes.a2.{part}" in {one.field for one in found}
    assert all(one.message for one in found)


def test_what_is_hidden_needs_a_value_and_usual_values_are_values(one_register: str) -> None:
    administrator = make_administrator()
    usual = [UsualValue(term="ConnectionType", value="TIMED"), UsualValue(), UsualValue(term="GenCapacity", value="x")]
    form = hub(hidden=["AssetName"], one_of=[["ImportMPAN"]], usual=usual)
    found = [(one.code, one.field) for one in check_category(administrator, HUB, form)]
    assert found == [
        ("CATEGORY-11", "x-hidden"),
        ("CATEGORY-22", "x-mandatory-any"),
        ("CATEGORY-19", "usual.0"),
        ("CATEGORY-19", "usual.1"),
        ("CATEGORY-19", "usual.2"),
    ]
    assert "SerialNumber" in mandatable_terms()
    assert "AssetName" not in mandatable_terms()
    assert blank_attribute(form.attributes).id == "a4"


def test_changes_of_two_people_are_put_together_where_they_dont_meet() -> None:
    base = hub()
    sockets, energy, access = base.attributes
    mine = hub(title="Mine", attributes=[sockets.model_copy(update={"maximum": "9"}), energy, access])
    added = AttributeForm(id="a4", label="Roof", kind="boolean")
    helped = sockets.model_copy(update={"help": "How many."})
    theirs = hub(description="Theirs.", attributes=[access, helped, energy, added])
    both = merge_forms(base, mine, theirs)
    assert both is not None
    assert (both.title, both.description) == ("Mine", "Theirs.")
    assert [one.id for one in both.attributes] == ["a3", "a1", "a2", "a4"]
    assert (both.attributes[1].maximum, both.attributes[1].help) == ("9", "How many.")
    assert merge_forms(base, mine, hub(title="Theirs")) is None
    assert (
        merge_forms(base, mine, hub(attributes=[sockets.model_copy(update={"maximum": "8"}), energy, access])) is None
    )
    assert merge_forms(base, hub(attributes=[energy, sockets, access]), theirs) is None
    assert merge_forms(base, mine, hub(attributes=[energy, access])) is None, "what I changed isn't taken out unseen"
    without = merge_forms(base, mine, hub(attributes=[sockets, energy]))
    assert without is not None
    assert [one.id for one in without.attributes] == ["a1", "a2"]

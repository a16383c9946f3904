"""UC-05.07: a category is drafted field by field, checked all at once, compared, held against assets, and published."""

import os
import subprocess
import sys
from typing import Any

import pytest

from models.assets import CategorySchema, SchemaStatus
from services.assets.catalogue import categories, category_schema, code_list, schema_versions
from services.assets.categories import category_versions, deprecate_category, publish_category
from services.assets.category_drafts import (
    begin_category,
    begin_version,
    category_changes,
    category_draft,
    category_overview,
    check_category,
    discard_category,
    save_category,
)
from services.assets.category_effect import category_effect, mandatable_terms, try_category
from services.assets.category_form import AttributeForm, CategoryForm, UsualValue, blank_attribute, form_of
from services.assets.codes import (
    add_code,
    code_list_entries,
    code_usage,
    code_users,
    order_codes,
    rename_code,
    set_code_active,
    stale_attributes,
)
from services.assets.reading import as_terms
from services.assets.registration import check_registration, register_asset
from services.assets.schemas import shipped_schemas
from services.assets.template_columns import template_columns
from services.core.actor import Actor
from services.core.errors import Conflict, Duplicate, Forbidden, Invalid, NotFound, Refused
from services.core.ledger.reading import entries
from services.core.transaction import unit_of_work
from tests.asset_factories import STAMP, battery, make_administrator, make_provider, registered, values_for

pytestmark = pytest.mark.use_case("UC-05.07")
HUB = "VEHICLE_TO_GRID_HUB"


def hub(**changes: Any) -> CategoryForm:
    """A category with three attributes of its own, as an administrator types it."""
    made: dict[str, Any] = {
        "title": "Vehicle-to-grid hub",
        "description": "Several vehicle chargers behind one connection that give power back.",
        "kind": "storage",
        "colour": "#0077BB",
        "mandatory": ["ImportMPAN"],
        "usual": [UsualValue(term="FuelType_EnergySource", value="GRID", always=True)],
        "attributes": [
            AttributeForm(
                id="a1", label="Bidirectional sockets", kind="integer", minimum="1", maximum="500", mandatory=True
            ),
            AttributeForm(id="a2", label="Usable energy", kind="number", unit="kWh", minimum="0", above_minimum=True),
            AttributeForm(id="a3", label="Vehicle access", kind="choice", choices="PUBLIC = Anybody\nFLEET = A fleet"),
        ],
    }
    return CategoryForm(**{**made, **changes})


def published_hub(administrator: Actor, form: CategoryForm | None = None) -> CategorySchema:
    """The category in use."""
    draft = begin_category(administrator, "Vehicle-to-grid hub")
    draft = save_category(administrator, draft.id, form or hub(), draft.version)
    return publish_category(administrator, draft.id, draft.version)


def hub_values(**changes: Any) -> dict[str, Any]:
    """Values of a hub that passes every rule."""
    values = battery(AssetCategory=HUB, BidirectionalSockets="12", UsableEnergy_kWh="480.5", VehicleAccess="A fleet")
    del values["StorageCapacity_kWh"]
    return values | changes


def test_a_category_made_in_the_editor_registers_at_once_and_everything_follows(register: str) -> None:
    administrator, provider = make_administrator(), make_provider()
    assert HUB not in [one.category for one in categories(provider)]
    published_hub(administrator)
    terms = as_terms(register_asset(provider, hub_values()))
    assert (terms["BidirectionalSockets"], terms["UsableEnergy_kWh"], terms["VehicleAccess"]) == (12, 480.5, "FLEET")
    assert terms["FuelType_EnergySource"] == "GRID", "the usual value is filled in"
    refused = check_registration(provider, hub_values(BidirectionalSockets="0", ImportMPAN=None, VehicleAccess="Mine"))
    assert {(one.code, one.field) for one in refused} == {
        ("SCHEMA-04", "BidirectionalSockets"),
        ("SCHEMA-03", "VehicleAccess"),
        ("MPAN-03", "ImportMPAN"),
    }
    assert [code.label for code in code_list("AssetCategory") if code.code == HUB] == ["Vehicle-to-grid hub"]
    columns = {column.term: column for column in template_columns(HUB)}
    assert columns["BidirectionalSockets"].mandatory
    assert columns["UsableEnergy_kWh"].unit == "kWh"
    assert columns["VehicleAccess"].allowed == "PUBLIC, FLEET"
    assert columns["AssetCategory"].example == HUB
    assert "For Vehicle-to-grid hub" in {c.term: c.meaning for c in template_columns(None)}["VehicleAccess"]
    document = category_schema(provider, HUB).document
    assert document["$id"] == f"urn:fmar:category:{HUB}:1"
    assert document["x-colour"] == "#0077BB"
    assert "x-draft" not in document


def test_another_process_follows_without_a_restart(register: str) -> None:
    administrator, provider = make_administrator(), make_provider()
    draft = begin_category(administrator, "Vehicle-to-grid hub")
    draft = save_category(administrator, draft.id, hub(), draft.version)
    with pytest.raises(Invalid):
        register_asset(provider, hub_values())
    script = (
        "import sys; from uuid import UUID; from services.registry import load_all; load_all()\n"
        "from services.assets.categories import publish_category; from services.core.actor import system_actor\n"
        "publish_category(system_actor(), UUID(sys.argv[1]), int(sys.argv[2]))"
    )
    command = [sys.executable, "-c", script, str(draft.id), str(draft.version)]
    subprocess.run(command, check=True, env={**os.environ, "DATABASE_URL": register}, timeout=120)
    assert as_terms(register_asset(provider, hub_values()))["AssetCategory"] == HUB


def test_a_draft_is_kept_however_unfinished_and_counts_for_nothing(register: str) -> None:
    administrator = make_administrator()
    draft = begin_category(administrator, "Vehicle-to-grid hub")
    half = hub(title="", attributes=[AttributeForm(id="a1", kind="number", minimum="12,5", example="x")])
    kept = save_category(administrator, draft.id, half, draft.version)
    assert form_of(category_draft(administrator, HUB).document) == half
    assert save_category(administrator, draft.id, half, kept.version).version == kept.version, "nothing new to keep"
    assert HUB not in [one.category for one in categories(administrator)]
    with pytest.raises(NotFound):
        schema_versions(administrator, HUB)
    with pytest.raises(Invalid) as refused:
        publish_category(administrator, draft.id, kept.version)
    assert {one.field for one in refused.value.findings} == {"title", "attributes.a1.label", "attributes.a1.minimum"}


def test_two_administrators_on_one_draft_the_second_is_told_what_changed(register: str) -> None:
    ada, ben = make_administrator(), make_administrator()
    draft = begin_category(ada, "Vehicle-to-grid hub")
    assert begin_version(ben, HUB).id == draft.id, "they work on the same draft"
    draft = save_category(ada, draft.id, hub(), draft.version)
    changed = hub(title="V2G hub", attributes=[*hub().attributes[:2]])
    save_category(ben, draft.id, changed, draft.version)
    with pytest.raises(Conflict) as late:
        save_category(ada, draft.id, hub(description="Mine"), draft.version)
    assert late.value.changes["Name"] == ("Vehicle-to-grid hub", "V2G hub")
    assert late.value.changes["Vehicle access"] == ("one of a list, optional", "removed")
    assert form_of(category_draft(ada, HUB).document) == changed


def test_a_new_version_starts_as_the_last_and_says_in_words_what_differs(register: str) -> None:
    administrator = make_administrator()
    published_hub(administrator)
    draft = begin_version(administrator, HUB)
    assert draft.schema_version == 2
    assert category_changes(administrator, HUB, form_of(draft.document)) == []
    sockets, energy, access = form_of(draft.document).attributes
    after = form_of(draft.document).model_copy(
        update={
            "mandatory": ["ImportMPAN", "SerialNumber"],
            "attributes": [
                energy.model_copy(update={"mandatory": True, "help": "From full to empty."}),
                sockets.model_copy(update={"maximum": "100", "label": "Sockets"}),
                access.model_copy(update={"choices": "PUBLIC = Anybody\nDEPOT = A depot"}),
                AttributeForm(id="a9", label="Roof", kind="boolean"),
            ],
        }
    )
    changes = category_changes(administrator, HUB, after)
    assert changes is not None
    words = {change.words: change.tightens for change in changes}
    assert words == {
        "Serial number is mandatory now": True,
        "Sockets: range narrowed, from at least 1, at most 500 to at least 1, at most 100": True,
        "Usable energy is mandatory now": True,
        "Vehicle access can no longer be A fleet": True,
        "Bidirectional sockets is called Sockets now": False,
        "Usable energy, help: – becomes From full to empty.": False,
        "Vehicle access can also be A depot": False,
        "Added: Roof (Roof), yes or no, optional": False,
        "In another order: Usable energy, Sockets, Vehicle access": False,
    }


def test_a_draft_is_held_against_the_assets_registered_so_far(register: str) -> None:
    administrator, provider = make_administrator(), make_provider()
    published_hub(administrator)
    good = register_asset(provider, hub_values(BidirectionalSockets=4))
    big = register_asset(provider, hub_values(BidirectionalSockets=400, SerialNumber=None))
    registered(provider)
    strict = hub(mandatory=["ImportMPAN", "SerialNumber"])
    sockets = strict.attributes[0].model_copy(update={"maximum": "100"})
    strict = strict.model_copy(update={"attributes": [sockets, *strict.attributes[1:]]})
    told: list[tuple[int, int]] = []
    effect = category_effect(administrator, HUB, strict, lambda done, of: told.append((done, of)))
    assert (effect.checked, effect.passing, effect.failing) == (2, 1, 1)
    assert effect.by_version == {1: (2, 1)}
    assert {(rule.code, rule.label, rule.failing) for rule in effect.rules} == {
        ("SERIAL-01", "Serial number", 1),
        ("SCHEMA-05", "Bidirectional sockets", 1),
    }
    assert {one.asset_id for rule in effect.rules for one in rule.examples} == {big.id} != {good.id}
    assert told == [(2, 2)]
    assert category_effect(administrator, HUB, hub()).failing == 0
    assert as_terms(big)["SchemaVersion"] == 1


def test_values_can_be_tried_under_a_draft_before_it_is_published(register: str) -> None:
    administrator = make_administrator()
    begin_category(administrator, "Vehicle-to-grid hub")
    found = try_category(administrator, HUB, hub(), hub_values(BidirectionalSockets="many"))
    assert [(one.code, one.field) for one in found] == [("SCHEMA-02", "BidirectionalSockets")]
    assert not try_category(administrator, HUB, hub(), hub_values())


def test_a_draft_is_given_up_and_its_number_is_used_again(register: str) -> None:
    administrator = make_administrator()
    published_hub(administrator)
    draft = begin_version(administrator, HUB)
    discard_category(administrator, draft.id, draft.version)
    with pytest.raises(NotFound):
        category_draft(administrator, HUB)
    assert [one.status for one in category_versions(administrator, HUB)] == [SchemaStatus.PUBLISHED]
    again = begin_version(administrator, HUB)
    assert (again.id, again.schema_version) == (draft.id, 2)
    assert form_of(again.document).title == "Vehicle-to-grid hub"
    schema = category_schema(administrator, HUB)
    with pytest.raises(Refused):
        discard_category(administrator, schema.id, schema.version)


def test_a_deprecated_category_takes_nothing_new_and_comes_back_with_a_new_version(register: str) -> None:
    administrator, provider = make_administrator(), make_provider()
    published_hub(administrator)
    second = begin_version(administrator, HUB)
    second = publish_category(administrator, second.id, second.version)
    deprecate_category(administrator, second.id, second.version, "It asked for too much.")
    assert category_schema(provider, HUB).schema_version == 1, "the version before counts again"
    first = category_schema(provider, HUB)
    deprecate_category(administrator, first.id, first.version, "Nobody builds them any more.", whole=True)
    assert HUB not in [one.category for one in categories(provider)]
    assert [one.code for one in check_registration(provider, hub_values())] == ["CAT-03"]
    old = schema_versions(provider, HUB)[1].document
    assert (old["deprecated"], old["x-deprecation"]) == (True, "Nobody builds them any more.")
    third = begin_version(administrator, HUB)
    publish_category(administrator, third.id, third.version)
    document = category_schema(provider, HUB).document
    assert "deprecated" not in document
    assert as_terms(register_asset(provider, hub_values()))["SchemaVersion"] == 3


def test_the_overview_counts_assets_by_version_and_names_drafts(register: str) -> None:
    administrator, provider = make_administrator(), make_provider()
    published_hub(administrator)
    register_asset(provider, hub_values())
    second = begin_version(administrator, HUB)
    publish_category(administrator, second.id, second.version)
    register_asset(provider, hub_values())
    register_asset(provider, hub_values())
    begin_version(administrator, HUB)
    begin_category(administrator, "Tidal stream")
    found = {one.category: one for one in category_overview(administrator)}
    one = found[HUB]
    assert (one.state, one.in_use, one.older_in_use, one.draft, one.assets) == ("In use", 2, 1, 3, {1: 1, 2: 2})
    assert (found["TIDAL_STREAM"].state, found["TIDAL_STREAM"].draft) == ("In work", 1)
    assert found["BESS"].assets == {}


def test_codes_and_names_of_categories_are_taken_once(register: str) -> None:
    administrator = make_administrator()
    with pytest.raises(Duplicate):
        begin_category(administrator, "A battery", "BESS")
    with pytest.raises(Invalid) as wrong:
        begin_category(administrator, "", "2-hot")
    assert [one.code for one in wrong.value.findings] == ["CATEGORY-02", "CATEGORY-01"]
    draft = begin_category(administrator, "Heat pump", "heat_pumps")
    assert draft.category == "HEAT_PUMPS"
    assert "CATEGORY-20" in {one.code for one in check_category(administrator, draft.category, form_of(draft.document))}


def test_only_administrators_see_or_touch_drafts(register: str) -> None:
    provider = make_provider()
    draft = begin_category(make_administrator(), "Vehicle-to-grid hub")
    for act in (
        lambda: begin_category(provider, "Mine"),
        lambda: begin_version(provider, "BESS"),
        lambda: category_draft(provider, HUB),
        lambda: category_overview(provider),
        lambda: save_category(provider, draft.id, hub(), draft.version),
        lambda: discard_category(provider, draft.id, draft.version),
        lambda: check_category(provider, HUB, hub()),
        lambda: category_effect(provider, HUB, hub()),
        lambda: try_category(provider, HUB, hub(), {}),
        lambda: code_usage(provider, "EnergySource"),
    ):
        with pytest.raises(Forbidden):
            act()


def test_every_saving_is_in_the_ledger(register: str) -> None:
    administrator = make_administrator()
    schema = published_hub(administrator)
    with unit_of_work(STAMP, writes=False):
        written = [(one.version, one.operation) for one in entries("category_schema", schema.id)]
    assert written == [(1, "begin_category"), (2, "save_category"), (3, "publish_category")]


@pytest.mark.parametrize("category", sorted(shipped_schemas()))
def test_every_shipped_category_goes_through_the_editor_unchanged(sqlite_register: str, category: str) -> None:
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
    sqlite_register: str, part: str, wrong: dict[str, str]
) -> None:
    form = hub()
    spoilt = form.attributes[1].model_copy(update=wrong)
    form = form.model_copy(update={"attributes": [form.attributes[0], spoilt, form.attributes[2]]})
    found = check_category(make_administrator(), HUB, form)
    assert f"attributes.a2.{part}" in {one.field for one in found}
    assert all(one.message for one in found)


def test_what_is_hidden_needs_a_value_and_usual_values_are_values(sqlite_register: str) -> None:
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


def test_choices_from_a_code_list_are_those_of_the_day_it_was_published(register: str) -> None:
    administrator, provider = make_administrator(), make_provider()
    source = AttributeForm(id="a1", label="Backup source", kind="choice", code_list="EnergySource")
    published_hub(administrator, hub(attributes=[source]))
    values = hub_values(BackupSource="DIESEL", BidirectionalSockets=None, UsableEnergy_kWh=None, VehicleAccess=None)
    register_asset(provider, {name: one for name, one in values.items() if one is not None})
    assert code_users(provider, "EnergySource") == ["Energy source", "Vehicle-to-grid hub: Backup source"]
    assert code_usage(administrator, "EnergySource")["DIESEL"] == 1
    assert stale_attributes(administrator, "EnergySource") == []
    add_code(administrator, "EnergySource", "TIDAL", "Tidal stream", "Gen")
    assert stale_attributes(administrator, "EnergySource") == ["Vehicle-to-grid hub: Backup source"]
    draft = begin_version(administrator, HUB)
    publish_category(administrator, draft.id, draft.version)
    assert stale_attributes(administrator, "EnergySource") == []


def test_codes_are_renamed_put_in_order_and_counted(register: str) -> None:
    administrator, provider = make_administrator(), make_provider()
    registered(provider, Aliases=[{"scheme": "ECR", "value": "X-1"}])
    assert code_usage(administrator, "ConnectionStatus") == {"CONNECTED": 1}
    assert code_usage(administrator, "AliasScheme") == {"ECR": 1}
    assert code_usage(administrator, "OrganisationRole")["FSP"] == 1
    entry = rename_code(administrator, "ConnectionStatus", "PENDING", "Waiting for connection", 1)
    assert (entry.label, entry.version) == ("Waiting for connection", 2)
    with pytest.raises(Conflict) as late:
        rename_code(administrator, "ConnectionStatus", "PENDING", "Other", 1)
    assert late.value.changes["label"] == ("Pending Connection", "Waiting for connection")
    codes = [code.code for code in code_list("ConnectionStatus")]
    order_codes(administrator, "ConnectionStatus", [*codes[1:], codes[0]])
    assert [code.code for code in code_list("ConnectionStatus")] == [*codes[1:], codes[0]]
    pending = next(one for one in code_list_entries(provider, "ConnectionStatus") if one.code == "PENDING")
    with pytest.raises(Conflict):
        order_codes(administrator, "ConnectionStatus", codes[1:])
    with pytest.raises(Invalid):
        rename_code(administrator, "ConnectionStatus", "PENDING", " ", pending.version)
    with pytest.raises(Refused):
        rename_code(administrator, "AssetCategory", "BESS", "Battery", 1)
    with pytest.raises(Refused):
        set_code_active(administrator, "AssetCategory", "BESS", False, 1)

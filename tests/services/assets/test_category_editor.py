"""UC-05.07: a category is drafted field by field, checked all at once, compared, held against assets, and published."""

from uuid import UUID

import pytest

from models.assets import SchemaStatus
from services.assets.categories.codes import (
    code_usage,
)
from services.assets.categories.drafts import (
    begin_category,
    begin_version,
    category_changes,
    category_draft,
    category_overview,
    check_category,
    discard_category,
    save_category,
)
from services.assets.categories.effect import category_effect, try_category
from services.assets.categories.form import AttributeForm, form_of
from services.assets.categories.publishing import category_versions, deprecate_category, publish_category
from services.assets.registration.record import as_terms
from services.assets.registration.register import check_registration, register_asset
from services.assets.rules.reference import categories, category_colours, category_schema, code_list, schema_versions
from services.assets.rules.template_columns import template_columns
from services.core.errors import Conflict, Duplicate, Forbidden, Invalid, NotFound, Refused
from services.core.identity.actor import system_actor
from services.core.ledger.history import entries
from services.core.transaction import unit_of_work
from tests.asset_factories import STAMP, make_administrator, make_provider, registered
from tests.category_factories import HUB, hub, hub_values, published_hub
from tests.processes import run_process

pytestmark = pytest.mark.use_case("UC-05.07")


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
    assert list(category_colours().items())[-1] == (HUB, (0, 0x77, 0xBB)), "the map's legend has it"
    assert "x-draft" not in document


def _publish(draft_id: UUID, version: int) -> None:
    publish_category(system_actor(), draft_id, version)


@pytest.mark.both_engines
def test_another_process_follows_without_a_restart(register: str) -> None:
    administrator, provider = make_administrator(), make_provider()
    draft = begin_category(administrator, "Vehicle-to-grid hub")
    draft = save_category(administrator, draft.id, hub(), draft.version)
    with pytest.raises(Invalid):
        register_asset(provider, hub_values())
    assert run_process(_publish, register, draft.id, draft.version) == 0
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
    words = {change.sentence: change.tightens for change in changes}
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


@pytest.mark.both_engines
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

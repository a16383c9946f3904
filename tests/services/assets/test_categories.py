"""UC-05.07: categories, schemas and code lists are the administrator's, and take effect at once."""

from typing import Any

import pytest

from models.assets import SchemaStatus
from services.assets.categories.codes import add_code, code_list_entries, set_code_active
from services.assets.categories.publishing import (
    category_versions,
    deprecate_category,
    draft_category,
    publish_category,
)
from services.assets.reading.assets import get_asset
from services.assets.registration.record import as_terms
from services.assets.registration.register import register_asset
from services.assets.registration.update import update_asset
from services.assets.rules.reference import categories, category_schema, code_list, load_catalogue
from services.assets.rules.schemas import shipped_schemas
from services.core.errors import Conflict, Duplicate, Forbidden, Invalid, NotFound, Refused
from tests.asset_factories import battery, make_administrator, make_provider, values_for

HEAT_STORE: dict[str, Any] = {
    "title": "Heat Store",
    "type": "object",
    "x-kind": "demand",
    "x-colour": "#AA4499",
    "x-mandatory": ["DemandCapacity"],
    "properties": {
        "TankVolume_l": {"type": "number", "title": "Tank volume", "x-unit": "l", "exclusiveMinimum": 0},
        "Insulated": {"type": "boolean", "title": "Insulated"},
    },
    "required": ["TankVolume_l"],
}


def publish(document: dict[str, Any] = HEAT_STORE, category: str = "HEAT_STORE") -> None:
    """Draft and publish a category as an administrator."""
    administrator = make_administrator()
    draft = draft_category(administrator, category, document)
    publish_category(administrator, draft.id, draft.version)


@pytest.mark.use_case("UC-05.07")
def test_the_register_is_born_with_all_categories_and_code_lists_once(register: str) -> None:
    actor = make_administrator()
    assert load_catalogue() == 0
    assert {schema.category for schema in categories(actor)} >= {"BESS", "SOLAR_PV", "HEAT_PUMP", "OTHER"}
    assert len(categories(actor)) == 11
    assert [code.code for code in code_list("ConnectionStatus") if code.active] == [
        "CONNECTED",
        "PENDING",
        "DISCONNECTED",
    ]


@pytest.mark.use_case("UC-05.07")
def test_a_category_that_the_administrator_adds_registers_at_once(register: str) -> None:
    provider = make_provider()
    values = battery(AssetCategory="HEAT_STORE", TankVolume_l="300", Insulated="yes")
    values.pop("StorageCapacity_kWh")
    with pytest.raises(Invalid) as unknown:
        register_asset(provider, values)
    assert {"CAT-02", "FIELD-01"} <= {finding.code for finding in unknown.value.findings}

    publish()
    assert "Heat Store" in [schema.document["title"] for schema in categories(provider)]
    terms = as_terms(register_asset(provider, values))
    assert (terms["TankVolume_l"], terms["Insulated"], terms["SchemaVersion"]) == (300, True, 1)

    with pytest.raises(Invalid) as missing:
        register_asset(provider, battery(AssetCategory="HEAT_STORE", TankVolume_l=None, StorageCapacity_kWh=None))
    assert "SCHEMA-01" in {finding.code for finding in missing.value.findings}


@pytest.mark.use_case("UC-05.07")
def test_registered_assets_keep_the_schema_version_they_registered_with(register: str) -> None:
    publish()
    provider = make_provider()
    old = register_asset(provider, battery(AssetCategory="HEAT_STORE", TankVolume_l="300", StorageCapacity_kWh=None))
    newer = {
        **HEAT_STORE,
        "properties": {"Volume_m3": {"type": "number", "title": "Volume"}},
        "required": ["Volume_m3"],
    }
    publish(newer)

    changed = update_asset(provider, old.id, {"TankVolume_l": 350}, old.version)
    assert (changed.schema_version, changed.category_attributes) == (1, {"TankVolume_l": 350})
    new = register_asset(provider, battery(AssetCategory="HEAT_STORE", Volume_m3=1, StorageCapacity_kWh=None))
    assert new.schema_version == 2
    assert category_schema(provider, "HEAT_STORE").schema_version == 2
    assert "TankVolume_l" in category_schema(provider, "HEAT_STORE", 1).document["properties"]


@pytest.mark.use_case("UC-05.07")
def test_the_attributes_of_a_category_keep_the_order_in_which_they_were_written(register: str) -> None:
    provider = make_provider()
    for schema in categories(provider):
        assert list(schema.document["properties"]) == list(shipped_schemas()[schema.category]["properties"])


@pytest.mark.use_case("UC-05.07")
def test_a_draft_is_seen_by_those_who_maintain_categories_alone(register: str) -> None:
    administrator, provider = make_administrator(), make_provider()
    draft = draft_category(administrator, "HEAT_STORE", HEAT_STORE)
    with pytest.raises(NotFound):
        category_schema(provider, "HEAT_STORE", draft.schema_version)
    assert [one.id for one in category_versions(administrator, "HEAT_STORE")] == [draft.id]
    with pytest.raises(Forbidden):
        category_versions(provider, "HEAT_STORE")


@pytest.mark.use_case("UC-05.07")
def test_a_deprecated_category_takes_no_new_asset_and_keeps_the_old_ones(register: str) -> None:
    administrator, provider = make_administrator(), make_provider()
    boiler = register_asset(provider, values_for("ELECTRIC_BOILER"))
    schema = category_schema(administrator, "ELECTRIC_BOILER")
    with pytest.raises(Invalid):
        deprecate_category(administrator, schema.id, schema.version, "Old")
    deprecate_category(administrator, schema.id, schema.version, "Nobody makes them any more.")

    with pytest.raises(Invalid) as retired:
        register_asset(provider, values_for("ELECTRIC_BOILER"))
    assert [finding.code for finding in retired.value.findings] == ["CAT-03"]
    update_asset(provider, boiler.id, {"AssetModel": "EB-2"}, boiler.version)
    assert get_asset(provider, boiler.id).asset_model == "EB-2"
    with pytest.raises(Refused):
        deprecate_category(administrator, schema.id, schema.version + 1, "Nobody makes them any more.")


@pytest.mark.use_case("UC-05.07")
@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"title": ""}, "CATEGORY-02"),
        ({"x-kind": "heat"}, "CATEGORY-03"),
        ({"x-colour": "red"}, "CATEGORY-04"),
        ({"x-mandatory": ["Nonsense"]}, "CATEGORY-05"),
        ({"x-mandatory": "DemandCapacity "}, "CATEGORY-05"),
        ({"type": "array"}, "CATEGORY-06"),
        ({"properties": {"RatedCapacity": {"type": "number", "title": "Taken"}}}, "CATEGORY-07"),
        ({"properties": {"Colour": {"title": "No type"}}}, "CATEGORY-07"),
        ({"allOf": [{"$ref": "http://example.org/schema"}]}, "CATEGORY-08"),
        ({"description": "x" * 200_000}, "CATEGORY-09"),
        ({"properties": {"A": {"type": "string", "title": "A", "pattern": "(["}}}, "CATEGORY-10"),
        ({"properties": {"A": {"type": "number", "title": "A", "minimum": "x"}}}, "CATEGORY-10"),
    ],
)
def test_a_document_that_is_no_category_is_refused(one_register: str, change: dict[str, Any], code: str) -> None:
    with pytest.raises(Invalid) as refused:
        draft_category(make_administrator(), "HEAT_STORE", {**HEAT_STORE, "required": [], **change})
    assert code in {finding.code for finding in refused.value.findings}


@pytest.mark.use_case("UC-05.07")
def test_a_draft_changes_nothing_until_it_is_published_and_only_administrators_do_either(register: str) -> None:
    administrator, provider = make_administrator(), make_provider()
    with pytest.raises(Forbidden):
        draft_category(provider, "HEAT_STORE", HEAT_STORE)
    draft = draft_category(administrator, "HEAT_STORE", HEAT_STORE)
    again = draft_category(administrator, "HEAT_STORE", {**HEAT_STORE, "title": "Heat Vault"})
    assert (again.id, again.status, again.version) == (draft.id, SchemaStatus.DRAFT, 2)
    assert "HEAT_STORE" not in {schema.category for schema in categories(provider)}
    with pytest.raises(Conflict):
        publish_category(administrator, draft.id, 1)
    publish_category(administrator, draft.id, 2)
    assert [schema.status for schema in category_versions(administrator, "HEAT_STORE")] == [SchemaStatus.PUBLISHED]


@pytest.mark.use_case("UC-05.07")
def test_codes_are_added_and_retired(register: str) -> None:
    administrator, provider = make_administrator(), make_provider()
    with pytest.raises(Invalid):
        register_asset(provider, battery(FuelType_EnergySource="TIDAL"))
    added = add_code(administrator, "EnergySource", "TIDAL", "Tidal stream", "Gen")
    asset = register_asset(provider, battery(FuelType_EnergySource="TIDAL"))
    set_code_active(administrator, "EnergySource", "TIDAL", False, added.version)
    with pytest.raises(Invalid) as retired:
        register_asset(provider, battery(FuelType_EnergySource="TIDAL"))
    assert [finding.code for finding in retired.value.findings] == ["FUEL-02"]
    assert get_asset(provider, asset.id).fuel_type_energy_source == "TIDAL"
    assert code_list_entries(provider, "EnergySource")[-1].active is False
    with pytest.raises(Duplicate):
        add_code(administrator, "EnergySource", "TIDAL", "Again")
    with pytest.raises(Conflict):
        set_code_active(administrator, "EnergySource", "TIDAL", True, 1)
    with pytest.raises(Refused):
        add_code(administrator, "AssetCategory", "TANK", "A tank")

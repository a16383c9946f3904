"""The attribute catalogues, category schemas and code lists that forms, templates and documents are made from."""

from typing import Any

import jsonschema_rs
import pytest

from scripts.make_docs import TARGET, data_dictionary
from services.assets.rules.check import ASSET_RULES, AssetReference, AssetRuleContext, check_asset
from services.assets.rules.schemas import (
    CATEGORY_GROUP,
    CORE,
    CORE_ATTRIBUTES,
    form_fields,
    shipped_schemas,
    snake,
    term,
)
from services.core.attributes import shipped_code_lists
from services.core.clock import today
from services.grid.distributors import DISTRIBUTORS
from services.participants.rules import ORGANISATION_ATTRIBUTES

pytestmark = pytest.mark.use_case("UC-05.07")
SCHEMAS = shipped_schemas()
CATEGORIES = sorted(SCHEMAS)


def test_every_category_has_a_schema_and_a_colour_of_its_own() -> None:
    assert set(SCHEMAS) == set(shipped_code_lists()["AssetCategory"])
    assert len({schema["x-colour"] for schema in SCHEMAS.values()}) == len(SCHEMAS) == 11


@pytest.mark.parametrize("category", CATEGORIES)
def test_a_schema_is_sound_and_speaks_of_known_terms_and_codes(category: str) -> None:
    schema = SCHEMAS[category]
    jsonschema_rs.meta.validate(dict(schema))
    assert schema["title"] == shipped_code_lists()["AssetCategory"][category].label
    assert schema["x-kind"] in ("storage", "gen", "demand", "both")
    keywords: list[Any] = [schema.get(name, ()) for name in ("x-mandatory", "x-mandatory-when", "x-defaults")]
    named = {name for keyword in (*keywords, schema["x-hidden"], schema.get("x-suggestions", ())) for name in keyword}
    assert named | {name for group in schema.get("x-mandatory-any", ()) for name in group} <= set(CORE)
    for name, code in {**schema["x-defaults"], **schema.get("x-suggestions", {})}.items():
        code_list = CORE[name].code_list
        assert code_list is None or code in shipped_code_lists()[code_list]
    for name, spec in schema["properties"].items():
        assert spec["title"]
        assert spec["description"]
        assert name not in CORE


@pytest.mark.parametrize("category", CATEGORIES)
def test_a_form_filled_with_its_own_examples_is_accepted(category: str) -> None:
    fields = form_fields(SCHEMAS[category])
    shown = {field.term: field.example for field in fields}
    filled = {
        field.term: field.default for field in fields if field.default is not None and field.group != CATEGORY_GROUP
    }
    own = {
        "AssetCategory": category,
        "ExportMPAN": None if SCHEMAS[category]["x-kind"] == "demand" else "1050000000005",
        "EffectiveDate": today().isoformat(),
        "ConsentReference": None,
    }
    checked = check_asset(shown | filled | own, AssetRuleContext(today(), AssetReference()))
    assert checked.findings == []


@pytest.mark.parametrize("category", CATEGORIES)
def test_a_form_has_every_field_that_its_category_asks_for(category: str) -> None:
    schema = SCHEMAS[category]
    fields = {field.term: field for field in form_fields(schema)}
    assert set(fields) == (set(CORE) - set(schema["x-hidden"])) | set(schema["properties"])
    assert all(fields[name].mandatory for name in schema["x-mandatory"])
    assert all(field.options for field in fields.values() if field.kind == "code")


def test_options_are_the_active_codes() -> None:
    fields = {field.term: field for field in form_fields(SCHEMAS["BESS"])}
    assert [option.code for option in fields["ConnectionStatus"].options] == ["CONNECTED", "PENDING", "DISCONNECTED"]
    assert len(fields["DNOConnection"].options) == 14
    assert fields["FuelType_EnergySource"].default == "GRID"
    assert fields["StorageCapacity_kWh"].unit == "kWh"


def test_terms_and_their_python_names() -> None:
    names = {
        "RatedCapacity": "rated_capacity",
        "FuelType_EnergySource": "fuel_type_energy_source",
        "FuelType_DemandTechType": "fuel_type_demand_tech_type",
        "ImportMPAN": "import_mpan",
        "DNOConnection": "dno_connection",
        "GspGroup": "gsp_group",
        "AssetId": "asset_id",
    }
    assert {one: snake(one) for one in names} == names
    assert all(term(snake(one)) == one for one in (*CORE, *names))


def test_code_lists_agree_with_the_distributors() -> None:
    codes = shipped_code_lists()["DNOCode"]
    assert {one.code: one.active for one in DISTRIBUTORS if one.code} == {
        one.code: one.active for one in codes.values()
    }


def test_every_attribute_is_explained() -> None:
    for attribute in (*CORE_ATTRIBUTES, *ORGANISATION_ATTRIBUTES):
        assert attribute.label
        assert attribute.help
        assert attribute.example
    assert {rule.field for rule in ASSET_RULES.values() if rule.field} - {"Justification", "CategoryAttributes"} <= set(
        CORE
    )


def test_the_data_dictionary_is_what_the_code_says() -> None:
    assert TARGET.read_text(encoding="utf-8") == data_dictionary(), "Run `make docs`."

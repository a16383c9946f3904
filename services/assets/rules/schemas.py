"""Attributes of an asset: the core ones, declared once, and the category schemas that add to them.

Forms, bulk templates, the API description and the data dictionary are all made from here. A category is a JSON Schema
(2020-12) document; these keywords of ours drive forms and rules:
`x-kind` storage, gen, demand or both; `x-mandatory` core terms the category needs; `x-mandatory-any` groups of which one is
needed; `x-mandatory-when` a term needed when another's value is above 0; `x-defaults` filled in when left empty; `x-usual-
kw` the rated capacities that are usual, from and to; `x-suggestions` pre-filled in forms only; `x-hidden` core terms that
forms leave out; `x-colour`, `x-icon` for the map.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import jsonschema_rs

from services.core.attributes import DATA, CodeLists, FormField, Option, options_of, read_attributes, shipped_code_lists

CATEGORY_GROUP = "Category"
ATTRIBUTES_TERM = "CategoryAttributes"
_WORD_START = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


CORE_ATTRIBUTES: tuple[FormField, ...] = read_attributes(DATA / "asset_attributes.csv")
CORE: Mapping[str, FormField] = {attribute.term: attribute for attribute in CORE_ATTRIBUTES}
# Written by the register itself: a file that was exported carries them, and they are passed over when it comes back.
REGISTER_TERMS = (
    "AssetId",
    "Status",
    "StatusReason",
    "StatusSince",
    "RegisteredAt",
    "ManagedFrom",
    "GspGroup",
    "PositionSource",
    "SchemaVersion",
    "Version",
    "RecordedAt",
    "RecordedBy",
    "Justification",
)


def snake(term: str) -> str:
    """The Python name of an ontology term: ``FuelType_EnergySource`` is ``fuel_type_energy_source``."""
    return "_".join(_WORD_START.sub("_", part) for part in term.split("_")).replace("__", "_").lower()


@cache
def _terms() -> Mapping[str, str]:
    return {snake(name): name for name in (*CORE, *REGISTER_TERMS, ATTRIBUTES_TERM)}


def term(name: str) -> str:
    """The ontology term of a Python name. KeyError for a name that is no core attribute."""
    return _terms()[name]


@cache
def shipped_schemas() -> Mapping[str, Mapping[str, Any]]:
    """The category schemas that the register is born with (data/categories), by category."""
    files = sorted((DATA / "categories").glob("*.json"))
    return {file.stem: json.loads(file.read_text(encoding="utf-8")) for file in files}


def form_fields(schema: Mapping[str, Any], code_lists: CodeLists | None = None) -> list[FormField]:
    """Every field of the form for one category: the core ones it shows, then its own, in the order to be drawn."""
    lists = shipped_code_lists() if code_lists is None else code_lists
    hidden = set(schema.get("x-hidden", ()))
    core = [_for_category(attribute, schema, lists) for attribute in CORE_ATTRIBUTES if attribute.term not in hidden]
    return core + category_fields(schema)


def _for_category(attribute: FormField, schema: Mapping[str, Any], lists: CodeLists) -> FormField:
    filled = {**schema.get("x-suggestions", {}), **schema.get("x-defaults", {})}
    return replace(
        attribute,
        mandatory=attribute.mandatory or attribute.term in schema.get("x-mandatory", ()),
        default=filled.get(attribute.term),
        options=options_of(lists, attribute.code_list) if attribute.code_list else (),
    )


def category_fields(schema: Mapping[str, Any]) -> list[FormField]:
    """The attributes that a category adds, from its schema."""
    required = set(schema.get("required", ()))
    return [_field(name, spec, name in required) for name, spec in schema.get("properties", {}).items()]


def _field(name: str, spec: Mapping[str, Any], mandatory: bool) -> FormField:
    choices = choices_of(spec)
    kinds = {"number": "number", "integer": "integer", "boolean": "boolean", "array": "codes"}
    kind = "code" if choices and spec.get("type") != "array" else kinds.get(spec.get("type", ""), "text")
    if spec.get("format") == "date":
        kind = "date"
    examples: Sequence[Any] = spec.get("examples") or [choice.code for choice in choices[:1]]
    return FormField(
        term=name,
        label=spec.get("title", name),
        help=spec.get("description", ""),
        kind=kind,
        group=CATEGORY_GROUP,
        unit=spec.get("x-unit", ""),
        mandatory=mandatory,
        options=choices,
        default=str(spec["default"]) if "default" in spec else None,
        example=str(examples[0]) if examples else "",
        max_length=spec.get("maxLength"),
        minimum=spec.get("minimum", spec.get("exclusiveMinimum")),
        maximum=spec.get("maximum", spec.get("exclusiveMaximum")),
    )


def choices_of(spec: Mapping[str, Any]) -> tuple[Option, ...]:
    """The choices of a property: ``oneOf`` with const and title, or a plain ``enum``; an array's are those of its items."""
    source = spec.get("items", {}) if spec.get("type") == "array" else spec
    if "oneOf" in source:
        return tuple(
            Option(str(choice["const"]), choice.get("title", str(choice["const"]))) for choice in source["oneOf"]
        )
    return tuple(Option(str(value), str(value)) for value in source.get("enum", ()))


def compile_schema(schema: Mapping[str, Any]) -> jsonschema_rs.Validator:
    """A category's schema, ready to judge. ValueError where the document is no JSON Schema.

    Nothing is fetched for a reference, patterns run in linear time (no look-around), and formats such as date count.
    """
    options = jsonschema_rs.RegexOptions()
    return jsonschema_rs.validator_for(dict(schema), offline=True, pattern_options=options, validate_formats=True)

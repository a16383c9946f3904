"""The columns of a bulk template, made from the schema in force: one category's, or all (UC-05.07)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from services.assets.rules.attributes import expectation
from services.assets.rules.reference import CATEGORY_LIST, catalogue
from services.assets.rules.schemas import category_fields, form_fields
from services.core.attributes import CodeLists, FormField, Option
from services.core.errors import NotFound
from services.core.identity.actor import system_actor
from services.core.transaction import Stamp, unit_of_work

KIND_WORDS = {
    "boolean": "Yes or No",
    "date": "A date as 2026-01-31",
    "power": "A number from 0 with at most two decimals",
    "mpan": "13 digits; the long form of 21 digits is reduced",
    "postcode": "A UK postcode",
    "uuid": "The identifier of an organisation in the register",
    "degrees": "Decimal degrees (WGS84)",
    "metres": "Metres of the National Grid (EPSG:27700)",
    "aliases": "SCHEME:value; SCHEME:value",
    "email": "An email address",
    "phone": "A telephone number",
    "url": "An address beginning with https://",
}


@dataclass(frozen=True, slots=True)
class TemplateColumn:
    """One column of a template. `term` is the heading that the register reads, `label` what people call it.

    `allowed` says in words which values are taken; `options` are the codes to choose from, where it is a choice (the
    kinds code and codes; several codes are parted by semicolons). `kind` is that of `FormField`.
    """

    term: str
    label: str
    meaning: str
    unit: str
    mandatory: bool
    allowed: str
    example: str
    kind: str
    options: tuple[Option, ...] = ()


def template_columns(category: str | None) -> list[TemplateColumn]:
    """The columns of the template for a category by its newest schema in use, or for assets of all categories.

    Can be asked inside or outside an operation: what the register asks for is no secret. Raises NotFound for a category
    that the register doesn't know.
    """
    with unit_of_work(Stamp("template_columns", "UC-05.07", system_actor()), writes=False):
        reference = catalogue().reference
    if category is None:
        in_use = {code for code, entry in reference.code_lists.get(CATEGORY_LIST, {}).items() if entry.active}
        schemas = {code: schema for code, schema in reference.schemas.items() if code in in_use}
        return columns_of_all(schemas, reference.code_lists)
    if category not in reference.schemas:
        raise NotFound("category", category)
    return columns_of(category, reference.schemas[category], reference.code_lists)


def columns_of(category: str, schema: Mapping[str, Any], lists: CodeLists) -> list[TemplateColumn]:
    """The columns for one category's schema, a draft's too; the category itself is given as the example of its column."""
    specs: Mapping[str, Mapping[str, Any]] = schema.get("properties", {})
    columns = [_column(field, spec=specs.get(field.term)) for field in form_fields(schema, lists)]
    title = str(schema.get("title", category))
    return [
        TemplateColumn(
            "AssetCategory",
            column.label,
            column.meaning,
            "",
            True,
            category,
            category,
            "code",
            (Option(category, title),),
        )
        if column.term == "AssetCategory"
        else column
        for column in columns
    ]


def columns_of_all(schemas: Mapping[str, Mapping[str, Any]], lists: CodeLists) -> list[TemplateColumn]:
    """The core columns, then each attribute that any category adds, saying which; one that several add stands once."""
    core_columns = [_column(field) for field in form_fields({}, lists)]
    owners: dict[str, list[str]] = {}
    fields: dict[str, FormField] = {}
    specs: dict[str, Mapping[str, Any]] = {}
    for category, schema in schemas.items():
        for field in category_fields(schema):
            fields.setdefault(field.term, field)
            owners.setdefault(field.term, []).append(str(schema.get("title", category)))
            specs.setdefault(field.term, schema["properties"][field.term])
    return [*core_columns, *(_column(field, owners[term], specs[term]) for term, field in fields.items())]


def _column(field: FormField, owners: Iterable[str] = (), spec: Mapping[str, Any] | None = None) -> TemplateColumn:
    names = ", ".join(owners)
    return TemplateColumn(
        term=field.term,
        label=field.label,
        meaning=f"For {names}: {field.help}".strip() if names else field.help,
        unit=field.unit,
        mandatory=field.mandatory and not names,
        allowed=allowed_words(field, spec),
        example=field.default or field.example,
        kind=field.kind,
        options=field.options,
    )


def allowed_words(field: FormField, spec: Mapping[str, Any] | None = None) -> str:
    """Describe the values that a field takes, to fit a cell; `spec` is the property of a category's attribute."""
    if field.options:
        several = "One or more of, parted by semicolons: " if field.kind == "codes" else ""
        return several + ", ".join(option.code for option in field.options)
    if field.kind in KIND_WORDS:
        return KIND_WORDS[field.kind]
    if spec is not None:
        words = expectation({key: value for key, value in spec.items() if key != "x-unit"})
        return words[:1].upper() + words[1:]
    return f"Text of at most {field.max_length} characters" if field.max_length else "Text"

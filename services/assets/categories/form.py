"""A category as its editor holds it: every field as typed, half-typed ones too, and how a document becomes a form.

`category_document` makes the document from the form, `category_checks` says what is missing or wrong.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from pydantic import BaseModel, ConfigDict

from services.assets.rules.schemas import CORE, choices_of

KEPT = "x-draft"
"""Where a draft keeps its form; a published document has no such keyword."""
LIST_KEYWORD = "x-code-list"
KIND_LABELS = {
    "text": "Text",
    "integer": "Whole number",
    "number": "Number",
    "boolean": "Yes or no",
    "date": "Date",
    "choice": "One of a list",
    "choices": "Several of a list",
}
OTHER = "other"
"""A property whose shape the editor doesn't know: kept as it is."""
NUMBERS, LISTS = ("integer", "number"), ("choice", "choices")
# Lights and darks in turn, beside those of the categories that ship: told apart on light and dark ground.
COLOURS = (
    "#0077BB", "#EE7733", "#009988", "#CC3311", "#33BBEE", "#EE3377", "#BBCC33", "#661100", "#AA7744", "#4477AA",
    "#AAAA00", "#774411", "#99DDFF", "#771155", "#77AADD", "#FFAABB", "#44BB99", "#AA7788", "#114477", "#EEDD88",
)  # fmt: skip
_OWN_KEYWORDS = (
    "$schema", "$id", "title", "description", "type", "x-kind", "x-colour", "x-mandatory", "x-mandatory-any",
    "x-mandatory-when", "x-defaults", "x-suggestions", "x-hidden", "properties", "required", "additionalProperties",
    "x-note", "deprecated", "x-deprecation", KEPT,
)  # fmt: skip
_WORD = re.compile(r"[A-Za-z0-9]+")


class AttributeForm(BaseModel):
    """One attribute of the category as typed. `id` tells it apart in the form while its name changes.

    `choices` has one choice a line, ``CODE = Label`` or the label alone; with `code_list` they are taken from that list.
    `rest` are keywords of the property that the editor doesn't show.
    """

    model_config = ConfigDict(frozen=True)

    id: str
    name: str = ""
    label: str = ""
    help: str = ""
    kind: str = "text"
    unit: str = ""
    mandatory: bool = False
    minimum: str = ""
    above_minimum: bool = False
    maximum: str = ""
    below_maximum: bool = False
    shortest: str = ""
    longest: str = ""
    pattern: str = ""
    code_list: str = ""
    choices: str = ""
    example: str = ""
    rest: dict[str, Any] = {}

    @property
    def term(self) -> str:
        """Its name in exports, files and the API: the one given, else one made of label and unit."""
        return self.name.strip() or suggested_name(self.label, self.unit)

    @property
    def display_name(self) -> str:
        """The label of the attribute, or its name while it has none."""
        return self.label.strip() or self.term or "New attribute"


class UsualValue(BaseModel):
    """A value that most assets of the category have; `always` fills it in wherever nothing is given, not in the form alone."""

    model_config = ConfigDict(frozen=True)

    term: str = ""
    value: str = ""
    always: bool = False


class CategoryForm(BaseModel):
    """A category as typed: what it is, which core attributes it asks for, and its own attributes in their order."""

    model_config = ConfigDict(frozen=True)

    title: str = ""
    description: str = ""
    kind: str = ""
    colour: str = ""
    mandatory: list[str] = []
    hidden: list[str] = []
    one_of: list[list[str]] = []
    when: dict[str, str] = {}
    usual: list[UsualValue] = []
    attributes: list[AttributeForm] = []
    note: str = ""
    rest: dict[str, Any] = {}


def form_of(document: Mapping[str, Any]) -> CategoryForm:
    """The form of a document; a draft's own form where it keeps one."""
    if KEPT in document:
        return CategoryForm.model_validate(document[KEPT])
    required = set(document.get("required", ()))
    properties: Mapping[str, Mapping[str, Any]] = document.get("properties", {})
    usual = [
        UsualValue(term=term, value=str(value), always=keyword == "x-defaults")
        for keyword in ("x-defaults", "x-suggestions")
        for term, value in document.get(keyword, {}).items()
    ]
    return CategoryForm(
        title=str(document.get("title", "")),
        description=str(document.get("description", "")),
        kind=str(document.get("x-kind", "")),
        colour=str(document.get("x-colour", "")),
        mandatory=list(document.get("x-mandatory", ())),
        hidden=list(document.get("x-hidden", ())),
        one_of=[list(group) for group in document.get("x-mandatory-any", ())],
        when=dict(document.get("x-mandatory-when", {})),
        usual=usual,
        attributes=[
            _attribute(f"a{number}", name, spec, name in required)
            for number, (name, spec) in enumerate(properties.items(), 1)
        ],
        rest={name: value for name, value in document.items() if name not in _OWN_KEYWORDS},
    )


def _attribute(identifier: str, name: str, spec: Mapping[str, Any], mandatory: bool) -> AttributeForm:
    kind = _kind(spec)
    used_keywords = {"type", "title", "description", "x-unit", "examples"}
    fields: dict[str, Any] = {"id": identifier, "name": name, "kind": kind, "mandatory": mandatory}
    fields |= {"label": str(spec.get("title", "")), "help": str(spec.get("description", ""))}
    fields["unit"] = str(spec.get("x-unit", ""))
    examples = spec.get("examples", [])
    if len(examples) <= 1 and not isinstance(examples[0] if examples else "", list | dict):
        fields["example"] = _text(examples[0]) if examples else ""
    else:
        used_keywords.discard("examples")
    if kind in NUMBERS:
        for word, bound, excluded, mark in (
            ("minimum", "minimum", "exclusiveMinimum", "above_minimum"),
            ("maximum", "maximum", "exclusiveMaximum", "below_maximum"),
        ):
            keyword = bound if bound in spec else excluded
            if keyword in spec:
                fields |= {word: _text(spec[keyword]), mark: keyword == excluded}
                used_keywords.add(keyword)
    elif kind == "text":
        fields |= {word: str(spec[key]) for word, key in LENGTHS.items() if key in spec}
        used_keywords |= set(LENGTHS.values())
    elif kind == "date":
        used_keywords.add("format")
    elif kind in LISTS:
        fields["code_list"] = str(spec.get(LIST_KEYWORD, ""))
        fields["choices"] = (
            "" if fields["code_list"] else "\n".join(_line(choice.code, choice.label) for choice in choices_of(spec))
        )
        used_keywords |= {"oneOf", "enum", "items", "uniqueItems", LIST_KEYWORD}
    fields["rest"] = (
        dict(spec) if kind == OTHER else {key: value for key, value in spec.items() if key not in used_keywords}
    )
    return AttributeForm(**fields)


LENGTHS = {"shortest": "minLength", "longest": "maxLength", "pattern": "pattern"}


def _kind(spec: Mapping[str, Any]) -> str:
    kind = str(spec.get("type", ""))
    if kind == "array":
        return "choices" if choices_of(spec) else OTHER
    if kind == "string":
        return "choice" if choices_of(spec) else "date" if spec.get("format") == "date" else "text"
    return kind if kind in ("integer", "number", "boolean") else OTHER


def _line(code: str, label: str) -> str:
    return code if code == label else f"{code} = {label}"


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return format(Decimal(repr(value)), "f").removesuffix(".0")
    return str(value)


def suggested_name(label: str, unit: str = "") -> str:
    """The ontology term for a label: ``Usable energy`` in kWh is ``UsableEnergy_kWh``."""
    words = _WORD.findall(label)
    name = "".join(word[:1].upper() + word[1:] for word in words).lstrip("0123456789")
    measure = "".join(_WORD.findall(unit.replace("%", "Percent")))
    return f"{name}_{measure}"[:60] if name and measure else name[:60]


def suggested_code(label: str) -> str:
    """The code for a label: ``Vehicle-to-grid hub`` is ``VEHICLE_TO_GRID_HUB``."""
    return "_".join(_WORD.findall(label)).upper().lstrip("0123456789_")[:40]


def next_colour(used: Iterable[str]) -> str:
    """The first colour of the palette that no category has."""
    used_colours = {colour.upper() for colour in used}
    return next((colour for colour in COLOURS if colour not in used_colours), COLOURS[len(used_colours) % len(COLOURS)])


def blank_attribute(attributes: Sequence[AttributeForm]) -> AttributeForm:
    """A new attribute with an identifier that none of the others has."""
    identifiers = {attribute.id for attribute in attributes}
    return AttributeForm(
        id=next(f"a{number}" for number in range(1, len(identifiers) + 2) if f"a{number}" not in identifiers)
    )


def core_label(term: str) -> str:
    """The label of a core attribute."""
    return CORE[term].label if term in CORE else term

"""From the form of a category to its JSON Schema document.

What can't be read yet (a bound that is no number, an attribute without a name) is left out, so that a draft can be kept,
compared and previewed at any moment.
"""

import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from services.assets.categories.form import (
    KEPT,
    LENGTHS,
    LIST_KEYWORD,
    LISTS,
    NUMBERS,
    OTHER,
    AttributeForm,
    CategoryForm,
    form_of,
    suggested_code,
)
from services.core.attributes import CodeLists
from services.core.text import clean_line

DIALECT = "https://json-schema.org/draft/2020-12/schema"
TYPES = {"choice": "string", "choices": "array", "text": "string", "date": "string"}


def compile_document(category: str, document: Mapping[str, Any], lists: CodeLists) -> dict[str, Any]:
    """The document as rules and forms take it: a draft's is made from the form that it keeps."""
    return document_of(category, form_of(document), lists) if KEPT in document else dict(document)


def document_of(category: str, form: CategoryForm, lists: CodeLists) -> dict[str, Any]:
    """The JSON Schema document that the form describes, without what can't be read yet."""
    attributes: dict[str, AttributeForm] = {}
    for attribute in form.attributes:
        if attribute.term:
            attributes.setdefault(attribute.term, attribute)
    usual = [value for value in form.usual if value.term and value.value.strip()]
    document: dict[str, Any] = {
        "$schema": DIALECT,
        "$id": f"urn:fmar:category:{category}",
        "title": _tidy(form.title),
        "description": _tidy(form.description),
        "type": "object",
        "x-kind": form.kind,
        **({"x-colour": form.colour} if form.colour else {}),
        **form.rest,
        "x-mandatory": list(form.mandatory),
        "x-mandatory-any": [list(group) for group in form.one_of if group],
        "x-mandatory-when": dict(form.when),
        "x-defaults": {value.term: value.value.strip() for value in usual if value.always},
        "x-suggestions": {value.term: value.value.strip() for value in usual if not value.always},
        "x-hidden": list(form.hidden),
        "properties": {name: spec_of(attribute, lists) for name, attribute in attributes.items()},
        "required": [name for name, attribute in attributes.items() if attribute.mandatory],
        "additionalProperties": False,
    }
    return {**document, **({"x-note": _tidy(form.note)} if form.note.strip() else {})}


def spec_of(attribute: AttributeForm, lists: CodeLists) -> dict[str, Any]:
    """The property of a document that an attribute becomes."""
    if attribute.kind == OTHER:
        return {**attribute.rest, "title": attribute.display_name, "description": _tidy(attribute.help)}
    spec: dict[str, Any] = {"type": TYPES.get(attribute.kind, attribute.kind), "title": _tidy(attribute.display_name)}
    spec["description"] = _tidy(attribute.help)
    if attribute.unit.strip() and attribute.kind in NUMBERS:
        spec["x-unit"] = _tidy(attribute.unit)
    if attribute.kind in NUMBERS:
        spec["exclusiveMinimum" if attribute.above_minimum else "minimum"] = number_of(attribute.minimum)
        spec["exclusiveMaximum" if attribute.below_maximum else "maximum"] = number_of(attribute.maximum)
    elif attribute.kind == "text":
        spec |= {key: length_of(getattr(attribute, word)) for word, key in list(LENGTHS.items())[:2]}
        spec["pattern"] = attribute.pattern.strip() or None
    elif attribute.kind == "date":
        spec["format"] = "date"
    elif attribute.kind in LISTS:
        spec |= _choices(attribute, lists)
    example = example_of(attribute)
    spec |= {"examples": [example]} if example is not None else {}
    return {key: value for key, value in {**spec, **attribute.rest}.items() if value is not None}


def _choices(attribute: AttributeForm, lists: CodeLists) -> dict[str, Any]:
    pairs = choices_in(attribute, lists)
    plain = all(code == label for code, label in pairs)
    options: dict[str, Any] = (
        {"enum": [code for code, _label in pairs]}
        if plain
        else {"oneOf": [{"const": code, "title": label} for code, label in pairs]}
    )
    keywords = {LIST_KEYWORD: attribute.code_list} if attribute.code_list else {}
    if attribute.kind == "choices":
        return {"items": {"type": "string", **options}, "uniqueItems": True, **keywords}
    return {**options, **keywords}


def choices_in(attribute: AttributeForm, lists: CodeLists) -> list[tuple[str, str]]:
    """Code and label of each choice: the active codes of the list it takes them from, else those typed line by line."""
    if attribute.code_list:
        codes = lists.get(attribute.code_list, {}).values()
        return [(entry.code, entry.label) for entry in codes if entry.active]
    pairs = []
    for line in attribute.choices.splitlines():
        code, equals, label = (part.strip() for part in line.partition("="))
        if equals and (code or label):
            pairs.append((code or suggested_code(label), label or code))
        elif code:
            pairs.append((code, code) if re.fullmatch(r"[A-Z0-9_]+", code) else (suggested_code(code), code))
    return pairs


def number_of(text: str) -> int | float | None:
    """The number that a text is, whole ones as int; None for anything else."""
    try:
        number = Decimal(text.strip())
    except InvalidOperation:
        return None
    if not number.is_finite() or abs(number) > Decimal("1e15"):
        return None
    return int(number) if number == number.to_integral_value() else float(number)


def length_of(text: str) -> int | None:
    """The length that a text gives; None for anything but a whole number from 0."""
    number = number_of(text)
    return number if isinstance(number, int) and number >= 0 else None


def example_of(attribute: AttributeForm) -> object:
    """The example in the type of the attribute; None where there is none or it can't be read."""
    text = attribute.example.strip()
    if not text or attribute.kind == "choices":
        return None
    if attribute.kind in NUMBERS:
        return number_of(text)
    if attribute.kind == "boolean":
        return {"true": True, "yes": True, "false": False, "no": False}.get(text.lower())
    return text


def _tidy(text: str) -> str:
    return clean_line(text)

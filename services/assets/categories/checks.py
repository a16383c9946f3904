"""Everything that keeps a category from being published: its document as such, whoever wrote it (UC-05.07)."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import jsonschema_rs

from services.assets.rules.schemas import ATTRIBUTES_TERM, CORE, REGISTER_TERMS, compile_schema
from services.core.errors import Finding

KINDS = ("storage", "gen", "demand", "both")
LARGEST_DOCUMENT = 100_000
CODE = re.compile(r"[A-Z][A-Z0-9_]{1,39}")
ATTRIBUTE = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,59}")
COLOUR = re.compile(r"#[0-9A-Fa-f]{6}")
TYPES = ("string", "number", "integer", "boolean", "array")


def find_document_faults(category: str, document: Mapping[str, Any]) -> Iterator[Finding]:
    """Everything that keeps a document from being a category's schema."""
    if not CODE.fullmatch(category):
        yield document_finding(
            "CATEGORY-01", "category", category, "2 to 40 capitals, digits and underscores, such as HEAT_STORE"
        )
    title = document.get("title")
    if not isinstance(title, str) or not 1 <= len(title.strip()) <= 200:
        yield document_finding("CATEGORY-02", "title", title, "The label of the category, 1 to 200 characters")
    if document.get("x-kind") not in KINDS:
        yield document_finding("CATEGORY-03", "x-kind", document.get("x-kind"), f"One of {', '.join(KINDS)}")
    if "x-colour" in document and not COLOUR.fullmatch(str(document["x-colour"])):
        yield document_finding("CATEGORY-04", "x-colour", document["x-colour"], "A colour such as #332288")
    yield from _find_term_faults(document)
    yield from _find_property_faults(document)
    text = json.dumps(document, default=str)
    # The register asks nothing of the network: a schema stands on its own.
    if '"$ref"' in text or '"$dynamicRef"' in text:
        yield document_finding("CATEGORY-08", "$ref", None, "A document without references")
    elif len(text) > LARGEST_DOCUMENT or "\\u0000" in text:
        yield document_finding(
            "CATEGORY-09", None, None, f"A document of at most {LARGEST_DOCUMENT:,} characters of text"
        )
    else:
        try:
            # As the rules compile it: a pattern that they can't run (look-around) would stop every registration.
            compile_schema(document)
        except (ValueError, jsonschema_rs.ValidationError) as wrong:
            yield document_finding("CATEGORY-10", None, str(wrong)[:200], "A JSON Schema document (2020-12)")


def _find_term_faults(document: Mapping[str, Any]) -> Iterator[Finding]:
    """Keywords of ours that name core terms."""
    named: list[tuple[str, Any]] = [
        (keyword, term) for keyword in ("x-mandatory", "x-hidden") for term in _items(document.get(keyword, []))
    ]
    named += [
        ("x-mandatory-any", term) for group in _items(document.get("x-mandatory-any", [])) for term in _items(group)
    ]
    for keyword in ("x-defaults", "x-suggestions", "x-mandatory-when"):
        value = document.get(keyword, {})
        named += [(keyword, term) for term in (value if isinstance(value, Mapping) else [value])]
    named += [("x-mandatory-when", term) for term in _values(document.get("x-mandatory-when"))]
    for keyword, term in named:
        if term not in CORE:
            yield document_finding(
                "CATEGORY-05", keyword, term, "Core terms of the data definitions, in the shape the keyword has"
            )


def _items(value: Any) -> list[Any]:
    """The items of a list; anything else as one item, which no core term equals."""
    return (
        [str(item) if isinstance(item, Mapping) else item for item in value]
        if isinstance(value, list)
        else [str(value)]
    )


def _values(value: Any) -> list[Any]:
    return [str(item) for item in value.values()] if isinstance(value, Mapping) else []


def _find_property_faults(document: Mapping[str, Any]) -> Iterator[Finding]:
    properties = document.get("properties", {})
    if document.get("type") != "object" or not isinstance(properties, Mapping):
        yield document_finding(
            "CATEGORY-06", "properties", None, "A schema of type object with its attributes under properties"
        )
        return
    for name, spec in properties.items():
        reserved = name in CORE or name in REGISTER_TERMS or name == ATTRIBUTES_TERM
        if reserved or not ATTRIBUTE.fullmatch(name):
            yield document_finding(
                "CATEGORY-07", name, name, "A name of letters, digits and underscores that no core term has"
            )
        elif not isinstance(spec, Mapping) or spec.get("type") not in TYPES or not spec.get("title"):
            expected = f"An attribute with a title and a type: {', '.join(TYPES)}"
            yield document_finding("CATEGORY-07", name, json.dumps(spec, default=str)[:200], expected)


def document_finding(code: str, field: str | None, value: object, expected: str) -> Finding:
    """A finding about a keyword or attribute of the document."""
    text = None if value is None else str(value)
    return Finding(code, field, text, expected, f"{field or 'The document'} can't be used. Expected: {expected}.")

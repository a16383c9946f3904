"""Categories and code lists, as the administrator keeps them (UC-05.07): drafted, published, deprecated, by data alone."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

import jsonschema_rs
from sqlalchemy import func, select
from sqlmodel import col

from models.assets import CategorySchema, CodeListEntry, SchemaStatus
from services.assets.catalogue import CATEGORY_LIST
from services.assets.schemas import ATTRIBUTES_TERM, CORE, REGISTER_TERMS
from services.core.actor import Actor
from services.core.clock import now
from services.core.errors import Conflict, Duplicate, Finding, Invalid, NotFound, Refused
from services.core.events import emit
from services.core.operation import operation
from services.core.transaction import current_session

KINDS = ("storage", "gen", "demand", "both")
APPLIES_TO = {"storage": "Storage", "gen": "Gen", "demand": "Demand", "both": "Both"}
LARGEST_DOCUMENT = 100_000
_CODE = re.compile(r"[A-Z][A-Z0-9_]{1,39}")
_ATTRIBUTE = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,59}")
_COLOUR = re.compile(r"#[0-9A-Fa-f]{6}")
_TYPES = ("string", "number", "integer", "boolean", "array")


@operation("UC-05.07", permission="category.manage")
def draft_category(actor: Actor, category: str, document: Mapping[str, Any]) -> CategorySchema:
    """Keep a JSON Schema document as the draft of a category's next version; a draft that stands is replaced.

    Raises Invalid with everything that is wrong with the document.
    """
    made = {"$schema": "https://json-schema.org/draft/2020-12/schema", **document, "additionalProperties": False}
    findings = list(_wrong(category, made))
    if findings:
        raise Invalid(findings)
    session = current_session()
    of_category = col(CategorySchema.category) == category
    newest = session.scalar(select(func.max(col(CategorySchema.schema_version))).where(of_category)) or 0
    draft = session.scalar(
        select(CategorySchema).where(of_category, col(CategorySchema.status) == SchemaStatus.DRAFT).with_for_update()
    )
    if draft is None:
        draft = CategorySchema(category=category, schema_version=newest + 1)
        session.add(draft)
    draft.document = made
    session.flush()
    return draft


@operation("UC-05.07", permission="category.manage")
def publish_category(actor: Actor, schema_id: UUID, version: int) -> CategorySchema:
    """Put a drafted version into use: from now on assets of the category register under it, in every process.

    `version` is that of the record as the actor read it. Assets that are registered keep their own schema version.
    """
    schema = _schema(schema_id, version)
    if schema.status is not SchemaStatus.DRAFT:
        raise Refused("This version was published before. Draft a new version to change the category.")
    schema.status = SchemaStatus.PUBLISHED
    schema.published_at = now()
    entry = _entry(CATEGORY_LIST, schema.category)
    if entry is None:
        entry = CodeListEntry(
            list_name=CATEGORY_LIST, code=schema.category, label="", position=_next_position(CATEGORY_LIST)
        )
        current_session().add(entry)
    entry.label = str(schema.document["title"])
    entry.applies_to = APPLIES_TO[schema.document["x-kind"]]
    entry.active = True
    _tell(schema, "category.published")
    return schema


@operation("UC-05.07", permission="category.manage")
def deprecate_category(actor: Actor, schema_id: UUID, version: int) -> CategorySchema:
    """Take a published version out of use; with its last one, no new asset of the category registers. Assets stay."""
    schema = _schema(schema_id, version)
    if schema.status is not SchemaStatus.PUBLISHED:
        raise Refused("Only a published version can be deprecated.")
    schema.status = SchemaStatus.DEPRECATED
    left = select(col(CategorySchema.id)).where(
        col(CategorySchema.category) == schema.category, col(CategorySchema.status) == SchemaStatus.PUBLISHED
    )
    entry = _entry(CATEGORY_LIST, schema.category)
    if entry is not None and current_session().scalar(left.limit(1)) is None:
        entry.active = False
    _tell(schema, "category.deprecated")
    return schema


@operation("UC-05.07", permission="category.manage", writes=False)
def category_versions(actor: Actor, category: str) -> list[CategorySchema]:
    """All versions of a category, drafts and deprecated ones included, the newest first."""
    chosen = select(CategorySchema).where(col(CategorySchema.category) == category)
    return list(current_session().scalars(chosen.order_by(col(CategorySchema.schema_version).desc())))


@operation("UC-05.07", permission="category.read", writes=False)
def code_list_entries(actor: Actor, list_name: str) -> list[CodeListEntry]:
    """The codes of one list as records, in their order, retired ones included."""
    chosen = select(CodeListEntry).where(col(CodeListEntry.list_name) == list_name)
    return list(current_session().scalars(chosen.order_by(col(CodeListEntry.position), col(CodeListEntry.code))))


@operation("UC-05.07", permission="category.manage")
def add_code(actor: Actor, list_name: str, code: str, label: str, applies_to: str = "All") -> CodeListEntry:
    """Add a code to a list that is there. Categories are added by publishing one."""
    if list_name == CATEGORY_LIST:
        raise Refused("A category comes with its schema: draft and publish it instead.")
    position = _next_position(list_name)
    if position == 0:
        raise NotFound("code list", list_name)
    words = " ".join(label.replace("\x00", "").split())
    if not _CODE.fullmatch(code) or not 1 <= len(words) <= 200:
        expected = "A code of 2 to 40 capitals, digits and underscores, and a label of 1 to 200 characters"
        raise Invalid([Finding("CODE-01", "Code", code, expected, f"{code} can't be added. {expected}.")])
    if _entry(list_name, code) is not None:
        raise Duplicate(f"{code} is in the list {list_name} already.", "code")
    entry = CodeListEntry(list_name=list_name, code=code, label=words, applies_to=applies_to[:40], position=position)
    current_session().add(entry)
    current_session().flush()
    return entry


@operation("UC-05.07", permission="category.manage")
def set_code_active(actor: Actor, list_name: str, code: str, active: bool, version: int) -> CodeListEntry:
    """Put a code into use or retire it: no new value may have it, values that are recorded stay."""
    entry = _entry(list_name, code)
    if entry is None:
        raise NotFound("code", code)
    if list_name == CATEGORY_LIST:
        raise Refused("A category is put into use and retired by publishing and deprecating its schema.")
    if entry.version != version:
        current = {"Code": entry.code, "Label": entry.label, "Active": entry.active, "Version": entry.version}
        raise Conflict("Somebody else changed this code.", current)
    entry.active = active
    return entry


def _schema(schema_id: UUID, version: int) -> CategorySchema:
    schema = current_session().scalar(
        select(CategorySchema).where(col(CategorySchema.id) == schema_id).with_for_update()
    )
    if schema is None:
        raise NotFound("category", schema_id)
    if schema.version != version:
        current = {"Category": schema.category, "Status": str(schema.status), "Version": schema.version}
        raise Conflict("Somebody else changed this category.", current)
    return schema


def _entry(list_name: str, code: str) -> CodeListEntry | None:
    named = (col(CodeListEntry.list_name) == list_name, col(CodeListEntry.code) == code)
    return current_session().scalar(select(CodeListEntry).where(*named).with_for_update())


def _next_position(list_name: str) -> int:
    """One after the last of the list; 0 when there is no such list."""
    last = select(func.max(col(CodeListEntry.position))).where(col(CodeListEntry.list_name) == list_name)
    found = current_session().scalar(last)
    return 0 if found is None else found + 1


def _tell(schema: CategorySchema, event_type: str) -> None:
    payload = {"category": schema.category, "schema_version": schema.schema_version}
    emit(event_type, schema, organisation_id=None, payload=payload)


def _wrong(category: str, document: Mapping[str, Any]) -> Iterator[Finding]:
    """Everything that keeps a document from being a category's schema."""
    if not _CODE.fullmatch(category):
        yield _no("CATEGORY-01", "category", category, "2 to 40 capitals, digits and underscores, such as HEAT_STORE")
    title = document.get("title")
    if not isinstance(title, str) or not 1 <= len(title.strip()) <= 200:
        yield _no("CATEGORY-02", "title", title, "The label of the category, 1 to 200 characters")
    if document.get("x-kind") not in KINDS:
        yield _no("CATEGORY-03", "x-kind", document.get("x-kind"), f"One of {', '.join(KINDS)}")
    if "x-colour" in document and not _COLOUR.fullmatch(str(document["x-colour"])):
        yield _no("CATEGORY-04", "x-colour", document["x-colour"], "A colour such as #332288")
    yield from _wrong_terms(document)
    yield from _wrong_properties(document)
    text = json.dumps(document, default=str)
    # The register asks nothing of the network: a schema stands on its own.
    if '"$ref"' in text or '"$dynamicRef"' in text:
        yield _no("CATEGORY-08", "$ref", None, "A document without references")
    elif len(text) > LARGEST_DOCUMENT or "\\u0000" in text:
        yield _no("CATEGORY-09", None, None, f"A document of at most {LARGEST_DOCUMENT:,} characters of text")
    else:
        try:
            jsonschema_rs.validator_for(dict(document))
        except (ValueError, jsonschema_rs.ValidationError) as wrong:
            yield _no("CATEGORY-10", None, str(wrong)[:200], "A JSON Schema document (2020-12)")


def _wrong_terms(document: Mapping[str, Any]) -> Iterator[Finding]:
    """Keywords of ours that name core terms."""
    named: list[tuple[str, Any]] = [
        (keyword, term) for keyword in ("x-mandatory", "x-hidden") for term in _items(document.get(keyword, []))
    ]
    named += [
        ("x-mandatory-any", term) for group in _items(document.get("x-mandatory-any", [])) for term in _items(group)
    ]
    for keyword in ("x-defaults", "x-suggestions", "x-mandatory-when"):
        given = document.get(keyword, {})
        named += [(keyword, term) for term in (given if isinstance(given, Mapping) else [given])]
    named += [("x-mandatory-when", term) for term in _values(document.get("x-mandatory-when"))]
    for keyword, term in named:
        if term not in CORE:
            yield _no("CATEGORY-05", keyword, term, "Core terms of the data definitions, in the shape the keyword has")


def _items(given: Any) -> list[Any]:
    """The items of a list; anything else as one item, which no core term equals."""
    return [str(one) if isinstance(one, Mapping) else one for one in given] if isinstance(given, list) else [str(given)]


def _values(given: Any) -> list[Any]:
    return [str(one) for one in given.values()] if isinstance(given, Mapping) else []


def _wrong_properties(document: Mapping[str, Any]) -> Iterator[Finding]:
    properties = document.get("properties", {})
    if document.get("type") != "object" or not isinstance(properties, Mapping):
        yield _no("CATEGORY-06", "properties", None, "A schema of type object with its attributes under properties")
        return
    for name, spec in properties.items():
        taken = name in CORE or name in REGISTER_TERMS or name == ATTRIBUTES_TERM
        if taken or not _ATTRIBUTE.fullmatch(name):
            yield _no("CATEGORY-07", name, name, "A name of letters, digits and underscores that no core term has")
        elif not isinstance(spec, Mapping) or spec.get("type") not in _TYPES or not spec.get("title"):
            expected = f"An attribute with a title and a type: {', '.join(_TYPES)}"
            yield _no("CATEGORY-07", name, json.dumps(spec, default=str)[:200], expected)


def _no(code: str, field: str | None, given: object, expected: str) -> Finding:
    shown = None if given is None else str(given)
    return Finding(code, field, shown, expected, f"{field or 'The document'} can't be used. Expected: {expected}.")

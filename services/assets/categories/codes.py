"""Code lists, as the administrator keeps them (UC-05.07): codes added, renamed, put in order, retired; never removed."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import func, select
from sqlmodel import col

from models.assets import ENDED_STATUSES, Asset, AssetAlias, CategorySchema, CodeListEntry, SchemaStatus
from models.participants import Organisation
from services.assets.categories.checks import CODE
from services.assets.categories.form import LIST_KEYWORD
from services.assets.rules.reference import CATEGORY_LIST, catalogue
from services.assets.rules.schemas import CORE, snake
from services.core.errors import Conflict, Duplicate, Finding, Invalid, NotFound, Refused
from services.core.identity.actor import Actor
from services.core.identity.visibility import visible
from services.core.ledger.history import changes_since
from services.core.operation import operation
from services.core.text import clean_line
from services.core.transaction import current_session

ALIAS_LIST = "AliasScheme"
APPLIES = ("All", "Gen", "Storage", "Demand", "Both")
LABEL_WORDS = "A label of 1 to 200 characters"


@operation("UC-05.07", permission="category.read", writes=False, name="code_list_entries")
def code_list_entries(actor: Actor, list_name: str) -> list[CodeListEntry]:
    """The codes of one list as records, in their order, retired ones included."""
    query = select(CodeListEntry).where(col(CodeListEntry.list_name) == list_name)
    return list(current_session().scalars(query.order_by(col(CodeListEntry.position), col(CodeListEntry.code))))


@operation("UC-05.07", permission="category.manage", name="add_code")
def add_code(actor: Actor, list_name: str, code: str, label: str, applies_to: str = "All") -> CodeListEntry:
    """Add a code to a list that is there. Categories are added by publishing one."""
    if list_name == CATEGORY_LIST:
        raise Refused("A category comes with its schema: draft and publish it instead.")
    position = _next_position(list_name)
    if position == 0:
        raise NotFound("code list", list_name)
    words = _label(label)
    findings = []
    if not CODE.fullmatch(code):
        expected = "2 to 40 capitals, digits and underscores, a capital first"
        findings.append(Finding("CODE-01", "Code", code or None, expected, f"{code or 'Nothing'} can't be a code."))
    if not words:
        findings.append(Finding("CODE-02", "Label", label or None, LABEL_WORDS, "Say how people read the code."))
    if findings:
        raise Invalid(findings)
    if _entry(list_name, code) is not None:
        raise Duplicate(f"{code} is in the list {list_name} already.", "code")
    entry = CodeListEntry(list_name=list_name, code=code, label=words, applies_to=applies_to[:40], position=position)
    current_session().add(entry)
    current_session().flush()
    return entry


@operation("UC-05.07", permission="category.manage", name="set_code_active")
def set_code_active(actor: Actor, list_name: str, code: str, active: bool, version: int) -> CodeListEntry:
    """Put a code into use or retire it: no new value may have it, values that are recorded stay."""
    entry = _reach(list_name, code, version)
    if list_name == CATEGORY_LIST:
        raise Refused("A category is put into use and retired by publishing and deprecating its schema.")
    entry.active = active
    return entry


@operation("UC-05.07", permission="category.manage", name="rename_code")
def rename_code(actor: Actor, list_name: str, code: str, label: str, version: int) -> CodeListEntry:
    """Change what people read; the code stays, and so does every record that has it."""
    entry = _reach(list_name, code, version)
    if list_name == CATEGORY_LIST:
        raise Refused("A category is renamed by publishing a version with the new name.")
    words = _label(label)
    if not words:
        raise Invalid([Finding("CODE-02", "Label", label or None, LABEL_WORDS, "Say how people read the code.")])
    entry.label = words
    return entry


@operation("UC-05.07", permission="category.manage", name="order_codes")
def order_codes(actor: Actor, list_name: str, codes: Sequence[str]) -> list[CodeListEntry]:
    """Put the codes of a list in this order, in which forms and templates offer them.

    Raises Conflict unless `codes` are those of the list, each once: somebody may have added one meanwhile.
    """
    entries = {entry.code: entry for entry in code_list_entries(actor, list_name)}
    if not entries:
        raise NotFound("code list", list_name)
    if Counter(codes) != Counter(entries.keys()):
        raise Conflict("The list has other codes now. Look at it again.", {"Codes": list(entries)})
    for position, code in enumerate(codes):
        if entries[code].position != position:
            entries[code].position = position
    return [entries[code] for code in codes]


@operation("UC-05.07", permission="category.read", writes=False, name="code_users")
def code_users(actor: Actor, list_name: str) -> list[str]:
    """Attributes that use a code list, by label: core attributes, and those of categories that took the list over."""
    labels = [attribute.label for attribute in CORE.values() if attribute.code_list == list_name]
    for schema in catalogue().reference.schemas.values():
        names = _attributes_from(schema, list_name)
        labels += [f"{schema['title']}: {schema['properties'][name]['title']}" for name in names]
    return labels


def _attributes_from(schema: Mapping[str, Any], list_name: str) -> list[str]:
    return [name for name, spec in schema.get("properties", {}).items() if spec.get(LIST_KEYWORD) == list_name]


@operation("UC-05.07", permission="category.manage", writes=False, name="code_usage")
def code_usage(actor: Actor, list_name: str) -> dict[str, int]:
    """Count the active records that have each code: assets, or organisations for the lists about these."""
    if list_name in _OF_ORGANISATIONS:
        return _organisations(list_name)
    session, active = current_session(), col(Asset.status).not_in(ENDED_STATUSES)
    is_visible = visible(Asset, actor)
    counts: Counter[str] = Counter()
    if list_name == ALIAS_LIST:
        scheme = col(AssetAlias.scheme)
        rows = session.execute(select(scheme, func.count()).where(col(AssetAlias.active)).group_by(scheme))
        return {str(code): int(count) for code, count in rows}
    columns: list[tuple[Any, list[Any]]] = [
        (col(getattr(Asset, snake(term))), []) for term, attribute in CORE.items() if attribute.code_list == list_name
    ]
    for category, schema in catalogue().reference.schemas.items():
        columns += [
            (col(Asset.category_attributes)[name].as_string(), [col(Asset.asset_category) == category])
            for name in _attributes_from(schema, list_name)
            if schema["properties"][name]["type"] == "string"
        ]
    for column, conditions in columns:
        rows = session.execute(select(column, func.count()).where(active, is_visible, *conditions).group_by(column))
        counts.update({code: count for code, count in rows if code is not None})
    return dict(counts)


_OF_ORGANISATIONS = ("OrganisationType", "OrganisationRole", "IdentifierScheme")


def _organisations(list_name: str) -> dict[str, int]:
    """Organisations are few: their lists of roles and identifiers are counted as they come."""
    rows = current_session().execute(
        select(col(Organisation.organisation_type), col(Organisation.organisation_roles), col(Organisation.identifiers))
    )
    counts: Counter[str] = Counter()
    for kind, roles, identifiers in rows:
        if list_name == "OrganisationType":
            counts[kind] += 1
        elif list_name == "OrganisationRole":
            counts.update(set(roles))
        else:
            counts.update({str(identifier.get("scheme")) for identifier in identifiers or ()})
    return dict(counts)


@operation("UC-05.07", permission="category.manage", writes=False, name="stale_attributes")
def stale_attributes(actor: Actor, list_name: str) -> list[str]:
    """Attributes of published categories whose choices aren't the active codes of the list any more, by label.

    A published version keeps the choices that it was published with; a new version takes over the list as it stands.
    """
    reference = catalogue().reference
    active = [code.code for code in reference.code_lists.get(list_name, {}).values() if code.active]
    labels = []
    for schema in _published():
        for name in _attributes_from(schema.document, list_name):
            spec = schema.document["properties"][name]
            source = spec.get("items", spec)
            choices = source.get("enum") or [choice["const"] for choice in source.get("oneOf", ())]
            if choices != active:
                labels.append(f"{schema.document['title']}: {spec['title']}")
    return labels


def _published() -> list[CategorySchema]:
    newest: dict[str, CategorySchema] = {}
    query = select(CategorySchema).where(col(CategorySchema.status) == SchemaStatus.PUBLISHED)
    for schema in current_session().scalars(query.order_by(col(CategorySchema.schema_version))):
        newest[schema.category] = schema
    return list(newest.values())


def _label(label: str) -> str:
    """The label tidied; empty where it can't be one."""
    words = clean_line(label)
    return words if len(words) <= 200 else ""


def _reach(list_name: str, code: str, version: int) -> CodeListEntry:
    entry = _entry(list_name, code)
    if entry is None:
        raise NotFound("code", code)
    if entry.version != version:
        current = {"Code": entry.code, "Label": entry.label, "Active": entry.active, "Version": entry.version}
        raise Conflict("Somebody else changed this code.", current, changes_since(entry, version))
    return entry


def _entry(list_name: str, code: str) -> CodeListEntry | None:
    named = (col(CodeListEntry.list_name) == list_name, col(CodeListEntry.code) == code)
    return current_session().scalar(select(CodeListEntry).where(*named).with_for_update())


def _next_position(list_name: str) -> int:
    """One after the last of the list; 0 when there is no such list."""
    query = select(func.max(col(CodeListEntry.position))).where(col(CodeListEntry.list_name) == list_name)
    last_position = current_session().scalar(query)
    return 0 if last_position is None else last_position + 1

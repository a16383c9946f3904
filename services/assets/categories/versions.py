"""The versions of a category, side by side (UC-05.07): who published which when, and what each asks for."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from models.assets import CategorySchema, SchemaStatus
from services.assets.categories.changes import changes_between, range_words
from services.assets.categories.document import choices_in, length_of
from services.assets.categories.form import (
    KIND_LABELS,
    LISTS,
    NUMBERS,
    AttributeForm,
    CategoryForm,
    core_label,
    form_of,
)
from services.assets.categories.publishing import category_versions
from services.assets.rules.reference import catalogue
from services.core.attributes import CodeLists
from services.core.identity.actor import Actor
from services.core.ledger.history import history
from services.core.operation import operation

STATUS_WORDS = {
    SchemaStatus.DRAFT: "Draft",
    SchemaStatus.PUBLISHED: "In use",
    SchemaStatus.DEPRECATED: "Deprecated",
    SchemaStatus.DISCARDED: "Given up",
}
SUPERSEDED = "Followed by a newer version"


@dataclass(frozen=True, slots=True)
class VersionFacts:
    """One version: its state in words, when and by whom it was published, what was said of it, what changed in it."""

    version: int
    state: str
    published_at: datetime | None
    published_by: str
    note: str
    deprecation: str
    changes: list[str]


@dataclass(frozen=True, slots=True)
class CategoryHistory:
    """The versions, newest first, and what each asks for: rows of (what, how in each version, in the same order)."""

    versions: list[VersionFacts]
    rows: list[tuple[str, list[str]]]


@operation("UC-05.07", permission="category.manage", writes=False, name="category_history")
def category_history(actor: Actor, category: str) -> CategoryHistory:
    """All versions of a category with what each asks for; a draft in work is the first. Empty for an unknown one."""
    versions = category_versions(actor, category)
    lists = catalogue().reference.code_lists
    forms = [form_of(version.document) for version in versions]
    in_use = next((version.id for version in versions if version.status is SchemaStatus.PUBLISHED), None)
    facts = [
        _facts(version, version.id == in_use, form, forms[index + 1] if index + 1 < len(forms) else None, lists)
        for index, (version, form) in enumerate(zip(versions, forms, strict=True))
    ]
    return CategoryHistory(facts, _rows(forms, lists))


def _facts(
    schema: CategorySchema, in_use: bool, form: CategoryForm, before: CategoryForm | None, lists: CodeLists
) -> VersionFacts:
    acts = {change.operation: change for change in reversed(history(schema.record_type(), schema.id))}
    published = acts.get("publish_category") or acts.get("load_catalogue")
    by = f"{published.actor}{f', {published.organisation}' if published.organisation else ''}" if published else ""
    older = schema.status is SchemaStatus.PUBLISHED and not in_use
    return VersionFacts(
        version=schema.schema_version,
        state=SUPERSEDED if older else STATUS_WORDS[schema.status],
        published_at=schema.published_at,
        published_by=by if schema.published_at else "",
        note=str(schema.document.get("x-note", form.note)),
        deprecation=str(schema.document.get("x-deprecation", "")),
        changes=[change.sentence for change in changes_between(before, form, lists)] if before else [],
    )


def _rows(forms: Sequence[CategoryForm], lists: CodeLists) -> list[tuple[str, list[str]]]:
    """The newest version's attributes in its order, then those that only older ones have, then core attributes."""
    by_name = [{attribute.term: attribute for attribute in form.attributes if attribute.term} for form in forms]
    names = {name: attribute.display_name for attributes in reversed(by_name) for name, attribute in attributes.items()}
    order = {name: None for attributes in by_name for name in attributes}
    rows = [
        (
            f"{names[name]} ({name})",
            [attribute_words(attributes[name], lists) if name in attributes else "" for attributes in by_name],
        )
        for name in order
    ]
    core = {term: None for form in forms for term in (*form.mandatory, *form.hidden)}
    return rows + [(core_label(term), [_core_words(term, form) for form in forms]) for term in core]


def _core_words(term: str, form: CategoryForm) -> str:
    return "mandatory" if term in form.mandatory else "left out" if term in form.hidden else "optional"


def attribute_words(attribute: AttributeForm, lists: CodeLists) -> str:
    """An attribute in a line: ``mandatory, number in kWh, above 0``."""
    parts = [
        "mandatory" if attribute.mandatory else "optional",
        KIND_LABELS.get(attribute.kind, "kept as it is").lower(),
    ]
    if attribute.kind in NUMBERS:
        parts[-1] += f" in {attribute.unit.strip()}" if attribute.unit.strip() else ""
        parts += [range_words(attribute)] if attribute.minimum.strip() or attribute.maximum.strip() else []
    elif attribute.kind in LISTS:
        labels = [label for _code, label in choices_in(attribute, lists)]
        parts.append(", ".join(labels[:6]) + (f" and {len(labels) - 6} more" if len(labels) > 6 else ""))
    elif attribute.kind == "text":
        longest = length_of(attribute.longest)
        parts += [f"at most {longest} characters"] if longest is not None else []
        parts += [f"in the form {attribute.pattern.strip()}"] if attribute.pattern.strip() else []
    return ", ".join(part for part in parts if part)

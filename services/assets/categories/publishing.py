"""Categories, as the administrator keeps them (UC-05.07): drafted, published, deprecated, by data alone."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlmodel import col

from models.assets import CategorySchema, CodeListEntry, SchemaStatus
from models.events import EventType
from services.assets.categories.changes import changes_between
from services.assets.categories.checks import find_document_faults
from services.assets.categories.document import compile_document
from services.assets.categories.form import KEPT, CategoryForm, form_of
from services.assets.categories.form_checks import find_form_faults
from services.assets.registration.record import is_justification
from services.assets.rules.reference import CATEGORY_LIST, catalogue
from services.core.attributes import CodeLists
from services.core.clock import now
from services.core.errors import Conflict, Finding, Invalid, NotFound, Refused
from services.core.identity.actor import Actor
from services.core.jobs.outbox import emit
from services.core.ledger.history import changes_since
from services.core.operation import operation
from services.core.text import clean_line
from services.core.transaction import current_session

APPLIES_TO = {"storage": "Storage", "gen": "Gen", "demand": "Demand", "both": "Both"}


@operation("UC-05.07", permission="category.manage", name="draft_category")
def draft_category(actor: Actor, category: str, document: Mapping[str, Any]) -> CategorySchema:
    """Keep a JSON Schema document as the draft of a category's next version; a draft that stands is replaced.

    Raises Invalid with everything that is wrong with the document.
    """
    content = {"$schema": "https://json-schema.org/draft/2020-12/schema", **document, "additionalProperties": False}
    content.pop(KEPT, None)
    findings = list(find_document_faults(category, content))
    if findings:
        raise Invalid(findings)
    draft = open_draft(category)
    draft.document = content
    current_session().flush()
    return draft


def open_draft(category: str) -> CategorySchema:
    """The draft of a category's next version, empty where there was none; one that was given up is taken up again."""
    session = current_session()
    of_category = col(CategorySchema.category) == category
    query = select(CategorySchema).where(
        of_category, col(CategorySchema.status).in_((SchemaStatus.DRAFT, SchemaStatus.DISCARDED))
    )
    draft = session.scalar(query.with_for_update())
    if draft is None:
        newest = session.scalar(select(func.max(col(CategorySchema.schema_version))).where(of_category)) or 0
        draft = CategorySchema(category=category, schema_version=newest + 1)
        session.add(draft)
    if draft.status is SchemaStatus.DISCARDED:
        draft.document = {}
    draft.status = SchemaStatus.DRAFT
    return draft


def find_draft_faults(category: str, form: CategoryForm) -> list[Finding]:
    """Find everything that keeps a draft's form from being published, inside an operation."""
    reference = catalogue().reference
    others = {name: schema for name, schema in reference.schemas.items() if name != category}
    findings = find_form_faults(category, form, reference.code_lists, others)
    document = compile_document(category, {KEPT: form.model_dump()}, reference.code_lists)
    # Only what the form's own checks don't say: a document that is too large, or that no rule can run.
    return findings or list(find_document_faults(category, document))


@operation("UC-05.07", permission="category.manage", name="publish_category")
def publish_category(actor: Actor, schema_id: UUID, version: int) -> CategorySchema:
    """Put a drafted version into use: from now on assets of the category register under it, in every process.

    `version` is that of the record as the actor read it. Assets that are registered keep their own schema version.
    Raises Invalid with everything that is wrong with a draft from the editor.
    """
    schema = reach_schema(schema_id, version)
    if schema.status is not SchemaStatus.DRAFT:
        raise Refused("This version is no draft. Draft a new version to change the category.")
    lists = catalogue().reference.code_lists
    if KEPT in schema.document:
        findings = find_draft_faults(schema.category, form_of(schema.document))
        if findings:
            raise Invalid(findings)
        named = {"$id": f"urn:fmar:category:{schema.category}:{schema.schema_version}"}
        schema.document = {**compile_document(schema.category, schema.document, lists), **named}
    schema.status = SchemaStatus.PUBLISHED
    schema.published_at = now()
    entry = _category_code(schema.category)
    entry.label = str(schema.document["title"])
    entry.applies_to = APPLIES_TO[schema.document["x-kind"]]
    entry.active = True
    _emit_change(schema, EventType.CATEGORY_PUBLISHED, {})
    return schema


def _category_code(category: str) -> CodeListEntry:
    """The category's code in the list of categories, made when it is new."""
    session = current_session()
    of_list = col(CodeListEntry.list_name) == CATEGORY_LIST
    entry = session.scalar(select(CodeListEntry).where(of_list, col(CodeListEntry.code) == category).with_for_update())
    if entry is None:
        last = session.scalar(select(func.max(col(CodeListEntry.position))).where(of_list))
        entry = CodeListEntry(list_name=CATEGORY_LIST, code=category, label="", position=(last or 0) + 1)
        session.add(entry)
    return entry


@operation("UC-05.07", permission="category.manage", name="deprecate_category")
def deprecate_category(
    actor: Actor, schema_id: UUID, version: int, reason: str, *, whole: bool = False
) -> CategorySchema:
    """Take a published version out of use; with its last one, no new asset of the category registers. Assets stay.

    While an older version is published, that one counts again; `whole` takes all of them out of use. The reason (10
    characters or more) stays with the version. Raises Invalid without one.
    """
    schema = reach_schema(schema_id, version)
    if schema.status is not SchemaStatus.PUBLISHED:
        raise Refused("Only a published version can be deprecated.")
    words = clean_line(reason)
    if not is_justification(words) or len(words) > 1000:
        expected = "10 to 1,000 characters"
        message = "Say in 10 characters or more why it goes out of use: those who register its assets read it."
        raise Invalid([Finding("REASON-01", "Reason", words or None, expected, message)])
    query = select(CategorySchema).where(
        col(CategorySchema.category) == schema.category, col(CategorySchema.status) == SchemaStatus.PUBLISHED
    )
    published_versions = list(current_session().scalars(query.with_for_update()))
    for ended in published_versions if whole else [schema]:
        ended.status = SchemaStatus.DEPRECATED
        ended.document = {**ended.document, "deprecated": True, "x-deprecation": words}
        _emit_change(ended, EventType.CATEGORY_DEPRECATED, {"reason": words})
    if whole or len(published_versions) == 1:
        _category_code(schema.category).active = False
    return schema


@operation("UC-05.07", permission="category.manage", writes=False, name="category_versions")
def category_versions(actor: Actor, category: str) -> list[CategorySchema]:
    """All versions of a category, drafts and deprecated ones included, the newest first."""
    query = select(CategorySchema).where(
        col(CategorySchema.category) == category, col(CategorySchema.status) != SchemaStatus.DISCARDED
    )
    return list(current_session().scalars(query.order_by(col(CategorySchema.schema_version).desc())))


def reach_schema(schema_id: UUID, version: int | None) -> CategorySchema:
    """The record, locked. Raises NotFound, and Conflict with what changed, in words, when somebody was faster."""
    schema = current_session().scalar(
        select(CategorySchema).where(col(CategorySchema.id) == schema_id).with_for_update()
    )
    if schema is None:
        raise NotFound("category", schema_id)
    if version is not None and schema.version != version:
        current = {"Category": schema.category, "Status": str(schema.status), "Version": schema.version}
        raise Conflict("Somebody else changed this category.", current, _describe_changes(schema, version))
    return schema


def _describe_changes(schema: CategorySchema, version: int) -> dict[str, tuple[Any, Any]]:
    """Changes that others made since a version was read, by their subject: (before, after)."""
    lists: CodeLists = catalogue().reference.code_lists
    changes = changes_since(schema, version)
    described: dict[str, tuple[Any, Any]] = {"Status": changes["status"]} if "status" in changes else {}
    before, after = changes.get("document", (None, None))
    if before is None or after is None:
        return described
    for change in changes_between(form_of(before), form_of(after), lists):
        described[change.sentence if change.subject in described else change.subject] = (change.before, change.after)
    return described


def _emit_change(schema: CategorySchema, event_type: EventType, more: Mapping[str, str]) -> None:
    payload = {"category": schema.category, "schema_version": schema.schema_version, **more}
    emit(event_type, schema, organisation_id=None, payload=payload)

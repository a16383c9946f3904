"""Drafts of categories: begun, kept while one works on them, compared, given up (UC-05.07).

A draft belongs to the register, not to a person: administrators work on the same one, and whoever saves second is told
what the other changed. Each saving is in the ledger.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlmodel import col

from models.assets import ENDED_STATUSES, Asset, CategorySchema, SchemaStatus
from services.assets.categories.changes import SchemaChange, changes_between
from services.assets.categories.checks import CODE
from services.assets.categories.form import KEPT, CategoryForm, form_of, next_colour, suggested_code
from services.assets.categories.publishing import find_draft_faults, open_draft, reach_schema
from services.assets.rules.reference import catalogue
from services.core.errors import Duplicate, Finding, Invalid, NotFound, Refused
from services.core.identity.actor import Actor
from services.core.identity.visibility import visible
from services.core.operation import operation
from services.core.text import clean_line
from services.core.transaction import current_session

LARGEST_FORM = 200_000


@dataclass(frozen=True, slots=True)
class CategorySummary:
    """A category as its keeper sees it: the version in use, the draft in work, and how many active assets by version.

    `in_use` is the newest published version, none for a category that was never published or is deprecated.
    """

    category: str
    title: str
    colour: str
    in_use: int | None
    published_at: datetime | None
    older_in_use: int | None
    """The version that would count again if the newest went out of use."""
    draft: int | None
    deprecated: bool
    assets: Mapping[int, int]

    @property
    def state(self) -> str:
        """The state of the category, in words."""
        if self.in_use is not None:
            return "In use"
        return "Deprecated" if self.deprecated else "In work"


@operation("UC-05.07", permission="category.manage", writes=False, name="category_overview")
def category_overview(actor: Actor) -> list[CategorySummary]:
    """Every category, those in use first, by name."""
    query = select(CategorySchema).where(col(CategorySchema.status) != SchemaStatus.DISCARDED)
    versions: dict[str, list[CategorySchema]] = {}
    for schema in current_session().scalars(query.order_by(col(CategorySchema.schema_version).desc())):
        versions.setdefault(schema.category, []).append(schema)
    asset_counts = _assets_by_version(actor)
    summaries = [_summary(category, schemas, asset_counts.get(category, {})) for category, schemas in versions.items()]
    return sorted(summaries, key=lambda summary: (summary.in_use is None, summary.title.lower()))


def _summary(category: str, schemas: list[CategorySchema], assets: Mapping[int, int]) -> CategorySummary:
    """`schemas` are the newest first."""
    published = [schema for schema in schemas if schema.status is SchemaStatus.PUBLISHED]
    draft = next((schema for schema in schemas if schema.status is SchemaStatus.DRAFT), None)
    form = form_of((published or schemas)[0].document)
    return CategorySummary(
        category=category,
        title=form.title or category,
        colour=form.colour,
        in_use=published[0].schema_version if published else None,
        published_at=published[0].published_at if published else None,
        older_in_use=published[1].schema_version if len(published) > 1 else None,
        draft=draft.schema_version if draft else None,
        deprecated=any(schema.status is SchemaStatus.DEPRECATED for schema in schemas),
        assets=dict(assets),
    )


def _assets_by_version(actor: Actor) -> dict[str, dict[int, int]]:
    keys = col(Asset.asset_category), col(Asset.schema_version)
    active = col(Asset.status).not_in(ENDED_STATUSES)
    rows = current_session().execute(select(*keys, func.count()).where(visible(Asset, actor), active).group_by(*keys))
    counts: dict[str, dict[int, int]] = {}
    for category, version, count in rows:
        counts.setdefault(category, {})[version] = count
    return counts


@operation("UC-05.07", permission="category.manage", name="begin_category")
def begin_category(actor: Actor, title: str, category: str = "") -> CategorySchema:
    """Begin a category that isn't there yet; its code is made from the name unless one is given, and then stays.

    Raises Invalid for a name or code that can't be, Duplicate for a code that a category or an ended draft's category has.
    """
    words = clean_line(title)
    code = category.strip().upper() or suggested_code(words)
    findings = []
    if not 1 <= len(words) <= 200:
        findings.append(
            Finding("CATEGORY-02", "title", words or None, "1 to 200 characters", "Give the category a name.")
        )
    if not CODE.fullmatch(code) and (words or category.strip()):
        expected = "2 to 40 capitals, digits and underscores, a capital first, such as HEAT_STORE"
        findings.append(
            Finding("CATEGORY-01", "category", code or None, expected, f"{code or 'Nothing'} can't be a code.")
        )
    if findings:
        raise Invalid(findings)
    query = select(CategorySchema).where(
        col(CategorySchema.category) == code, col(CategorySchema.status) != SchemaStatus.DISCARDED
    )
    if current_session().scalar(query.limit(1)) is not None:
        raise Duplicate(f"There is a category {code} already: open it, or take another code.", "category")
    colours = [str(schema.get("x-colour", "")) for schema in catalogue().reference.schemas.values()]
    draft = open_draft(code)
    draft.document = {KEPT: CategoryForm(title=words, colour=next_colour(colours)).model_dump()}
    current_session().flush()
    return draft


@operation("UC-05.07", permission="category.manage", name="begin_version")
def begin_version(actor: Actor, category: str) -> CategorySchema:
    """The draft of a category's next version: the one in work, else a new one that starts as the newest version."""
    draft = find_draft(category)
    if draft is not None:
        return draft
    base = newest(category)
    if base is None:
        raise NotFound("category", category)
    next_draft = open_draft(category)
    next_draft.document = {KEPT: form_of(base.document).model_dump()}
    current_session().flush()
    return next_draft


@operation("UC-05.07", permission="category.manage", writes=False, name="category_draft")
def category_draft(actor: Actor, category: str) -> CategorySchema:
    """The draft of a category that is in work. Raises NotFound when there is none."""
    draft = find_draft(category)
    if draft is None:
        raise NotFound("draft", category)
    return draft


def find_draft(category: str) -> CategorySchema | None:
    """The draft in work, inside an operation."""
    return current_session().scalar(
        select(CategorySchema).where(
            col(CategorySchema.category) == category, col(CategorySchema.status) == SchemaStatus.DRAFT
        )
    )


def newest(category: str) -> CategorySchema | None:
    """The newest version that is in use, else the newest that was, inside an operation."""
    settled = (SchemaStatus.PUBLISHED, SchemaStatus.DEPRECATED)
    query = select(CategorySchema).where(
        col(CategorySchema.category) == category, col(CategorySchema.status).in_(settled)
    )
    versions = list(current_session().scalars(query.order_by(col(CategorySchema.schema_version).desc())))
    return next(
        (schema for schema in versions if schema.status is SchemaStatus.PUBLISHED), versions[0] if versions else None
    )


@operation("UC-05.07", permission="category.manage", name="save_category")
def save_category(actor: Actor, schema_id: UUID, form: CategoryForm, version: int) -> CategorySchema:
    """Keep the form of a draft as it stands, whatever is still missing in it.

    Raises Conflict, with what the other changed, when somebody saved it since `version`.
    """
    schema = reach_schema(schema_id, version)
    if schema.status is not SchemaStatus.DRAFT:
        raise Refused("This version is no longer a draft. Draft a new version to change the category.")
    content = form.model_dump()
    text = form.model_dump_json()
    if len(text) > LARGEST_FORM or "\\u0000" in text:
        expected = f"At most {LARGEST_FORM:,} characters of text in all"
        raise Invalid([Finding("CATEGORY-09", None, None, expected, "The category is too large to be kept.")])
    if schema.document.get(KEPT) != content:
        schema.document = {KEPT: content}
        current_session().flush()
    return schema


@operation("UC-05.07", permission="category.manage", name="discard_category")
def discard_category(actor: Actor, schema_id: UUID, version: int) -> None:
    """Give a draft up: nothing changes for anybody. What was in it stays in the ledger."""
    schema = reach_schema(schema_id, version)
    if schema.status is not SchemaStatus.DRAFT:
        raise Refused("Only a draft can be discarded. A published version is deprecated.")
    schema.status = SchemaStatus.DISCARDED


@operation("UC-05.07", permission="category.manage", writes=False, name="check_category")
def check_category(actor: Actor, category: str, form: CategoryForm) -> list[Finding]:
    """Everything that keeps the form from being published, beside its fields; see `category_form_checks`."""
    return find_draft_faults(category, form)


@operation("UC-05.07", permission="category.manage", writes=False, name="category_changes")
def category_changes(actor: Actor, category: str, form: CategoryForm) -> list[SchemaChange] | None:
    """Compare a form with the newest version that is or was in use; None when there is none yet."""
    base = newest(category)
    if base is None:
        return None
    return changes_between(form_of(base.document), form, catalogue().reference.code_lists)

"""Reference data of the asset rules: categories with their schemas, and code lists, read once per version (UC-05.07).

Rows are data of the register, so an administrator's change shows in the next operation of every process: each operation
asks the database for the catalogue's version (one short query) and keeps what it read for as long as that stands.
"""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Any

from sqlalchemy import and_, func, select, true
from sqlmodel import col

from models.assets import Asset, CategorySchema, CodeListEntry, SchemaStatus
from services.assets.rules.prepare import AssetReference, AssetRuleContext
from services.assets.rules.schemas import shipped_schemas
from services.core.attributes import DATA, Code, CodeLists
from services.core.clock import now, today
from services.core.errors import NotFound
from services.core.identity.actor import Actor, system_actor
from services.core.operation import operation, system_step
from services.core.register_settings import setting
from services.core.settings import settings
from services.core.transaction import Stamp, current_session, once_while_reading, unit_of_work

CATEGORY_LIST = "AssetCategory"
CACHED_VERSIONS = 8
GREY = "#7A7A7A"


@dataclass(frozen=True, slots=True)
class RuleCatalogue:
    """One version of it: what rules look up, and which schema version of each category that is."""

    reference: AssetReference
    schema_versions: Mapping[str, int]


IN_WORK = (SchemaStatus.DRAFT, SchemaStatus.DISCARDED)
"""Versions that nobody registers under: working on one changes nothing for anybody, this process's memory included."""
_VERSION = select(
    *(
        select(function(column)).where(counts).scalar_subquery()
        for model, counts in (
            (CategorySchema, and_(*(col(CategorySchema.status) != status for status in IN_WORK))),
            (CodeListEntry, true()),
        )
        for function, column in (
            (func.count, col(model.id)),
            (func.sum, col(model.version)),
            (func.max, col(model.recorded_at)),
        )
    )
)
_cache: dict[tuple[object, ...], RuleCatalogue] = {}
_lock = Lock()


def _cache_once(key: tuple[object, ...], entry: RuleCatalogue) -> RuleCatalogue:
    with _lock:
        while len(_cache) >= CACHED_VERSIONS:
            _cache.pop(next(iter(_cache)))
        return _cache.setdefault(key, entry)


def catalogue(asset: Asset | None = None) -> RuleCatalogue:
    """The catalogue in force, inside an operation; for an asset, with the schema version that it was registered with."""
    stands = once_while_reading("catalogue_version", lambda: current_session().execute(_VERSION).one())
    version = (settings().resolved_database_url(), *(str(value) for value in stands))
    current = _cache.get(version) or _cache_once(version, _read())
    if asset is None or current.schema_versions.get(asset.asset_category) == asset.schema_version:
        return current
    key = (*version, asset.asset_category, asset.schema_version)
    return _cache.get(key) or _cache_once(key, _with_version(current, asset.asset_category, asset.schema_version))


def _read() -> RuleCatalogue:
    lists: dict[str, dict[str, Code]] = {}
    entries = select(CodeListEntry).order_by(col(CodeListEntry.list_name), col(CodeListEntry.position))
    for entry in current_session().scalars(entries):
        code = Code(entry.code, entry.label, entry.applies_to or "All", entry.active)
        lists.setdefault(entry.list_name, {})[entry.code] = code
    newest: dict[str, CategorySchema] = {}
    published = select(CategorySchema).where(col(CategorySchema.status).not_in(IN_WORK))
    for schema in current_session().scalars(published.order_by(col(CategorySchema.schema_version))):
        if schema.status is SchemaStatus.PUBLISHED or schema.category not in newest:
            newest[schema.category] = schema
    documents = {category: newest[category].document for category in sorted(newest)}
    versions = {category: schema.schema_version for category, schema in newest.items()}
    return RuleCatalogue(AssetReference(lists, documents), versions)


def _with_version(current: RuleCatalogue, category: str, version: int) -> RuleCatalogue:
    document = _schema(category, version).document
    reference = AssetReference(current.reference.code_lists, {**current.reference.schemas, category: document})
    return RuleCatalogue(reference, {**current.schema_versions, category: version})


def _schema(category: str, version: int | None) -> CategorySchema:
    query = select(CategorySchema).where(col(CategorySchema.category) == category)
    if version is None:
        query = query.where(col(CategorySchema.status) == SchemaStatus.PUBLISHED)
    else:
        in_work = col(CategorySchema.status).in_(IN_WORK)
        query = query.where(col(CategorySchema.schema_version) == version, ~in_work)
    schema = current_session().scalar(query.order_by(col(CategorySchema.schema_version).desc()).limit(1))
    if schema is None:
        raise NotFound("category", category if version is None else f"{category}, version {version}")
    return schema


def rule_context(
    asset: Asset | None = None, *, effective_date_changed: bool = False, current: RuleCatalogue | None = None
) -> AssetRuleContext:
    """Rule context of the moment, inside an operation: for a new asset, or for changes to `asset`.

    `known` spares asking for the catalogue again.
    """
    return AssetRuleContext(
        today=today(),
        reference=(current or catalogue(asset)).reference,
        is_new=asset is None,
        effective_date_changed=effective_date_changed,
        justify_above_kw=setting("asset.large_capacity_kw"),
    )


@operation("UC-05.07", permission="category.read", writes=False, name="categories")
def categories(actor: Actor) -> list[CategorySchema]:
    """The categories in use, by label: each one's newest published version."""
    codes = catalogue().reference.code_lists.get(CATEGORY_LIST, {})
    newest: dict[str, CategorySchema] = {}
    query = select(CategorySchema).where(col(CategorySchema.status) == SchemaStatus.PUBLISHED)
    for schema in current_session().scalars(query.order_by(col(CategorySchema.schema_version))):
        newest[schema.category] = schema
    return [newest[code] for code, entry in codes.items() if entry.active and code in newest]


@operation("UC-05.07", permission="category.read", writes=False, name="category_schema")
def category_schema(actor: Actor, category: str, version: int | None = None) -> CategorySchema:
    """One version of a category's schema that is or was in use, or its newest published one. Raises NotFound."""
    return _schema(category, version)


@operation("UC-05.07", permission="category.read", writes=False, name="schema_versions")
def schema_versions(actor: Actor, category: str) -> list[CategorySchema]:
    """All versions of a category that are or were in use, the newest first. Raises NotFound when there is none."""
    query = select(CategorySchema).where(
        col(CategorySchema.category) == category, col(CategorySchema.status).not_in(IN_WORK)
    )
    versions = list(current_session().scalars(query.order_by(col(CategorySchema.schema_version).desc())))
    if not versions:
        raise NotFound("category", category)
    return versions


def code_lists() -> CodeLists:
    """All code lists as they stand, inside or outside an operation: names, codes and labels are no secret."""
    with unit_of_work(Stamp("code_lists", "UC-05.07", system_actor()), writes=False):
        return catalogue().reference.code_lists


def code_list(name: str) -> list[Code]:
    """The codes of one list in their order, retired ones included. Raises NotFound for an unknown list."""
    lists = code_lists()
    if name not in lists:
        raise NotFound("code list", name)
    return list(lists[name].values())


def category_colours() -> dict[str, tuple[int, int, int]]:
    """The colour of each category on maps and in legends (red, green, blue), in the order of the list of categories.

    It is the one that the administrator keeps with the category; grey where none is.
    """
    with unit_of_work(Stamp("category_colours", "UC-05.07", system_actor()), writes=False):
        reference = catalogue().reference
    colours = {}
    for code in reference.code_lists.get(CATEGORY_LIST, {}):
        text = str(reference.schemas.get(code, {}).get("x-colour", GREY))
        colours[code] = (int(text[1:3], 16), int(text[3:5], 16), int(text[5:7], 16))
    return colours


def label_of(name: str, code: str | None) -> str:
    """The label of a code; the code itself where the list doesn't know it, a dash for none."""
    entry = code_lists().get(name, {}).get(code or "")
    return entry.label if entry else code or "–"


def _shipped_codes() -> list[dict[str, Any]]:
    with (DATA / "code_lists.csv").open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


@system_step("UC-05.07", name="load_catalogue")
def load_catalogue() -> int:
    """Lay down the code lists and categories that ship with the register and aren't in it yet; how many were missing.

    What an administrator has changed stays as it is.
    """
    session = current_session()
    present = {tuple(row) for row in session.execute(select(col(CodeListEntry.list_name), col(CodeListEntry.code)))}
    added = 0
    for position, row in enumerate(_shipped_codes()):
        if (row["list"], row["code"]) not in present:
            added += 1
            session.add(
                CodeListEntry(
                    list_name=row["list"],
                    code=row["code"],
                    label=row["label"],
                    applies_to=row["applies_to"] or None,
                    active=row["active"] == "true",
                    position=position,
                )
            )
    known_categories = set(session.scalars(select(col(CategorySchema.category))))
    for category, document in shipped_schemas().items():
        if category not in known_categories:
            added += 1
            session.add(
                CategorySchema(
                    category=category,
                    schema_version=1,
                    status=SchemaStatus.PUBLISHED,
                    document=dict(document),
                    published_at=now(),
                )
            )
    return added

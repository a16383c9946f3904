"""Entries of the ledger to browse: who changed what, and when, among the records that the actor may see (UC-05.06)."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, false, func, or_, select
from sqlalchemy.sql.elements import True_
from sqlmodel import col

from models.assets import Asset, CategorySchema, CodeListEntry
from models.core import LedgerEntry, LedgerSeal, Setting
from models.participants import Organisation, User
from models.qualifications import Qualification
from models.units import MarketUnit
from services.core.clock import start_of
from services.core.errors import Finding, Invalid
from services.core.identity.actor import Actor
from services.core.identity.permissions import scopes_of
from services.core.identity.visibility import has_rule, visible
from services.core.ledger.canonical import model_by_type
from services.core.ledger.history import authors_of, differences
from services.core.operation import operation
from services.core.paging import Page
from services.core.transaction import current_session

LONGEST_PAGE = 500
BY_PERMISSION: dict[type[Any], str] = {
    CategorySchema: "category.read",
    CodeListEntry: "category.read",
    Setting: "setting.read",
    LedgerSeal: "ledger.verify",
}
"""Records that are seen all or not at all, by a permission; of any other kind without a rule, by who exports the ledger."""
NAMES: tuple[tuple[type[Any], Any], ...] = (
    (Asset, Asset.asset_name),
    (Organisation, Organisation.organisation_legal_name),
    (MarketUnit, MarketUnit.name),
    (User, User.full_name),
    (Qualification, Qualification.product_code),
)


@dataclass(frozen=True, slots=True)
class EntryFilters:
    """Filters over entries, all of which have to hold: by `who` (a part of a person's or organisation's name, or a program's
    client ID), operation, kind or identifier of the record, and days in London, both included.
    """

    who: str = ""
    operation: str | None = None
    record_type: str | None = None
    record_id: UUID | None = None
    since: date | None = None
    until: date | None = None


@dataclass(frozen=True, slots=True)
class EntryView:
    """One entry: its number, when and by whom, the record, and each column that it changed (before, after)."""

    seq: int
    at: datetime
    who: str
    organisation: str | None
    operation: str
    use_case: str
    record_type: str
    record_id: UUID
    record: str
    version: int
    changes: dict[str, tuple[Any, Any]]
    hash: str


@operation("UC-05.06", permission="ledger.verify", writes=False, name="list_entries")
def list_entries(
    actor: Actor, filters: EntryFilters | None = None, after: str | None = None, limit: int = 100
) -> Page[EntryView]:
    """A page of entries, the newest first. Entries of records that the actor may not see are left out, as if there were none.

    Raises Invalid for a cursor that is none.
    """
    size = max(1, min(limit, LONGEST_PAGE))
    query = select(LedgerEntry).where(_readable(actor), *_conditions(filters or EntryFilters()))
    if after is not None:
        query = query.where(col(LedgerEntry.seq) < _read_cursor(after))
    rows = list(current_session().scalars(query.order_by(col(LedgerEntry.seq).desc()).limit(size + 1)))
    shown = rows[:size]
    return Page(_views(shown), str(shown[-1].seq) if len(rows) > size else None)


@operation("UC-05.06", permission="ledger.verify", writes=False, name="list_entry_kinds")
def list_entry_kinds(actor: Actor) -> tuple[list[str], list[str]]:
    """The operations and the kinds of record that entries which the actor may see have; both sorted."""
    session, readable = current_session(), _readable(actor)
    operations = session.scalars(select(col(LedgerEntry.operation)).where(readable).distinct())
    kinds = session.scalars(select(col(LedgerEntry.record_type)).where(readable).distinct())
    return sorted(operations), sorted(kinds)


def _readable(actor: Actor) -> ColumnElement[bool]:
    """Condition of entries about records that the actor may see."""
    conditions: list[ColumnElement[bool]] = [false()]
    for kind, model in model_by_type().items():
        if not has_rule(model):
            if scopes_of(actor, BY_PERMISSION.get(model, "ledger.export")):
                conditions.append(col(LedgerEntry.record_type) == kind)
        elif isinstance(visible(model, actor), True_):
            conditions.append(col(LedgerEntry.record_type) == kind)
        else:
            record = select(col(model.id)).where(col(model.id) == col(LedgerEntry.record_id), visible(model, actor))
            conditions.append(and_(col(LedgerEntry.record_type) == kind, record.correlate(LedgerEntry).exists()))
    return or_(*conditions)


def _conditions(filters: EntryFilters) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if filters.operation:
        conditions.append(col(LedgerEntry.operation) == filters.operation)
    if filters.record_type:
        conditions.append(col(LedgerEntry.record_type) == filters.record_type)
    if filters.record_id is not None:
        conditions.append(col(LedgerEntry.record_id) == filters.record_id)
    if filters.since is not None:
        conditions.append(col(LedgerEntry.recorded_at) >= start_of(filters.since))
    if filters.until is not None:
        conditions.append(col(LedgerEntry.recorded_at) < start_of(filters.until + timedelta(days=1)))
    if text := filters.who.strip():
        people = select(col(User.id)).where(_contains(User.full_name, text))
        bodies = select(col(Organisation.id)).where(_contains(Organisation.organisation_legal_name, text))
        conditions.append(
            or_(
                col(LedgerEntry.user_id).in_(people),
                col(LedgerEntry.organisation_id).in_(bodies),
                col(LedgerEntry.client_id) == text,
            )
        )
    return conditions


def _contains(column: Any, text: str) -> ColumnElement[bool]:
    return func.lower(col(column)).contains(text.lower(), autoescape=True)


def _read_cursor(text: str) -> int:
    if text.isascii() and text.isdigit() and len(text) <= 18:
        return int(text)
    expected = "The cursor that the page before gave"
    raise Invalid([Finding("PAGE-01", "after", text, expected, "This isn't a cursor of this list.")])


def _views(entries: Sequence[LedgerEntry]) -> list[EntryView]:
    people, bodies = authors_of(entries)
    before, names = _states_before(entries), _names(entries)
    return [
        EntryView(
            seq=entry.seq or 0,
            at=entry.recorded_at,
            who=people.get(entry.user_id) or entry.client_id or "The register",
            organisation=bodies.get(entry.organisation_id),
            operation=entry.operation,
            use_case=entry.use_case,
            record_type=entry.record_type,
            record_id=entry.record_id,
            record=names.get(entry.record_id, ""),
            version=entry.version,
            changes=differences(before.get((entry.record_id, entry.version - 1), {}), json.loads(entry.state)),
            hash=entry.hash,
        )
        for entry in entries
    ]


def _states_before(entries: Iterable[LedgerEntry]) -> dict[tuple[UUID, int], dict[str, Any]]:
    """The states of the records before these entries, by record and version."""
    wanted = {(entry.record_type, entry.record_id, entry.version - 1) for entry in entries if entry.version > 1}
    if not wanted:
        return {}
    identifiers = {record_id for _kind, record_id, _version in wanted}
    versions = {version for _kind, _record_id, version in wanted}
    query = select(LedgerEntry).where(
        col(LedgerEntry.record_type).in_({kind for kind, _record_id, _version in wanted}),
        col(LedgerEntry.record_id).in_(identifiers),
        col(LedgerEntry.version).in_(versions),
    )
    return {(entry.record_id, entry.version): json.loads(entry.state) for entry in current_session().scalars(query)}


def _names(entries: Iterable[LedgerEntry]) -> dict[UUID, str]:
    """Names of today of the records, where they have one."""
    identifiers: dict[str, set[UUID]] = {}
    for entry in entries:
        identifiers.setdefault(entry.record_type, set()).add(entry.record_id)
    names: dict[UUID, str] = {}
    for model, name in NAMES:
        if ids := identifiers.get(model.record_type()):
            rows = current_session().execute(select(col(model.id), col(name)).where(col(model.id).in_(ids)))
            names |= {row[0]: row[1] for row in rows}
    return names

"""Reading the ledger: the history of a record, and the record as it stood at any moment (UC-05.06)."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

from models.base import Recorded
from models.core import LedgerEntry
from models.participants import Organisation, User
from services.core.ledger.canonical import model_by_type
from services.core.transaction import current_session

R = TypeVar("R", bound=Recorded)
UNSHOWN = frozenset({"version", "recorded_at", "recorded_by", "id"})
"""Columns that every change moves, or none does: no news in a history."""


@dataclass(frozen=True, slots=True)
class RecordChange:
    """One entry of a record's history: what changed, from what to what, by whom, under which use case."""

    version: int
    at: datetime
    operation: str
    use_case: str
    actor: str
    organisation: str | None
    changes: dict[str, tuple[Any, Any]]
    hash: str


def entries(record_type: str, record_id: UUID) -> list[LedgerEntry]:
    """All entries of one record, oldest first. The caller has seen to it that the actor may see the record."""
    query = select(LedgerEntry).where(
        col(LedgerEntry.record_type) == record_type, col(LedgerEntry.record_id) == record_id
    )
    return list(current_session().scalars(query.order_by(col(LedgerEntry.version))))


def differences(before: dict[str, Any], after: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Compare two states: the columns that differ, as name -> (before, after)."""
    names = [name for name in {**before, **after} if name not in UNSHOWN]
    return {name: (before.get(name), after.get(name)) for name in names if before.get(name) != after.get(name)}


def changes_since(record: Recorded, version: int) -> dict[str, tuple[Any, Any]]:
    """Changes that others made in a record since somebody read that version of it."""
    states = {entry.version: json.loads(entry.state) for entry in entries(record.record_type(), record.id)}
    return differences(states.get(version, {}), states.get(record.version, {}))


def history(record_type: str, record_id: UUID) -> list[RecordChange]:
    """The record's changes, newest first, with names instead of identifiers."""
    return changes_of(entries(record_type, record_id))


def changes_of(ledger_entries: Sequence[LedgerEntry]) -> list[RecordChange]:
    """The changes that entries of one record (oldest first) tell, newest first; of the first one, all that it says."""
    people, bodies = authors_of(ledger_entries)
    before: dict[str, Any] = {}
    changes: list[RecordChange] = []
    for entry in ledger_entries:
        after = json.loads(entry.state)
        changes.append(
            RecordChange(
                version=entry.version,
                at=entry.recorded_at,
                operation=entry.operation,
                use_case=entry.use_case,
                actor=people.get(entry.user_id) or entry.client_id or "The register",
                organisation=bodies.get(entry.organisation_id),
                changes=differences(before, after),
                hash=entry.hash,
            )
        )
        before = after
    return changes[::-1]


def authors_of(ledger_entries: Iterable[LedgerEntry]) -> tuple[dict[UUID | None, str], dict[UUID | None, str]]:
    """The names of the people who wrote these entries, and of the organisations they wrote for, by identifier."""
    listed = list(ledger_entries)
    people = _names(User, "full_name", {entry.user_id for entry in listed})
    return people, _names(Organisation, "organisation_legal_name", {entry.organisation_id for entry in listed})


def _names(model: type[Recorded], column: str, ids: set[UUID | None]) -> dict[UUID | None, str]:
    user_ids = [identifier for identifier in ids if identifier is not None]
    if not user_ids:
        return {}
    rows = current_session().execute(select(col(model.id), getattr(model, column)).where(col(model.id).in_(user_ids)))
    return {row[0]: row[1] for row in rows}


def as_of(model: type[R], record_id: UUID, moment: datetime) -> R | None:
    """The record as it stood at a moment, made from the ledger; None when it did not exist yet.

    The result is detached: it can be read, never saved.
    """
    entry = current_session().scalar(
        select(LedgerEntry)
        .where(
            col(LedgerEntry.record_type) == model.record_type(),
            col(LedgerEntry.record_id) == record_id,
            col(LedgerEntry.recorded_at) <= moment,
        )
        .order_by(col(LedgerEntry.version).desc())
        .limit(1)
    )
    return None if entry is None else restore(entry)  # pyright: ignore[reportReturnType]


def restore(entry: LedgerEntry) -> Recorded:
    """The record that an entry describes, its columns in their Python types."""
    model = model_by_type()[entry.record_type]
    state = json.loads(entry.state)
    columns = {name: value for name, value in state.items() if name in model.model_fields}
    return model.model_validate(columns)

"""Checks and ledger entries of one asset (UC-05.06).

Everything here runs inside an operation that has seen to it that the actor may see the asset. The records are detached.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Uuid, bindparam, select
from sqlmodel import col

from models.assets import Asset, AssetCheck, AssetMessage
from models.core import LedgerEntry
from models.participants import Organisation, User
from services.core.identity.actor import Actor
from services.core.identity.visibility import visible
from services.core.ledger.history import restore
from services.core.transaction import current_session


class Entry(NamedTuple):
    """One entry of the ledger, with the names of those who wrote it; `state` is the record's state as JSON."""

    seq: int
    record_type: str
    record_id: UUID
    version: int
    recorded_at: datetime
    operation: str
    use_case: str
    user_id: UUID | None
    client_id: str | None
    organisation_id: UUID | None
    state: str
    hash: str
    user_name: str | None
    organisation_name: str | None

    @property
    def author(self) -> str:
        """The writer's name: the person, else the program, else the register."""
        return self.user_name or self.client_id or "The register"

    @property
    def author_key(self) -> tuple[UUID | None, str | None, UUID | None]:
        """The writer's identity: user, program and organisation, by identifier."""
        return self.user_id, self.client_id, self.organisation_id


_ASSET = bindparam("asset", type_=Uuid())
_CHECKS = (
    select(AssetCheck)
    .where(col(AssetCheck.asset_id) == _ASSET)
    .order_by(col(AssetCheck.asset_version), col(AssetCheck.id))
)


def _select_entries(kind: str, condition: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    columns = [getattr(LedgerEntry, name) for name in Entry._fields[:-2]]
    return (
        select(*columns, col(User.full_name), col(Organisation.organisation_legal_name))
        .outerjoin(User, col(User.id) == col(LedgerEntry.user_id))
        .outerjoin(Organisation, col(Organisation.id) == col(LedgerEntry.organisation_id))
        .where(col(LedgerEntry.record_type) == kind, condition)
        .order_by(col(LedgerEntry.seq))
    )


_OF_ASSET = _select_entries(Asset.record_type(), col(LedgerEntry.record_id) == _ASSET)
_OF_CHECKS = _select_entries(
    AssetCheck.record_type(),
    col(LedgerEntry.record_id).in_(select(col(AssetCheck.id)).where(col(AssetCheck.asset_id) == _ASSET)),
)


def _entries(query: Select[*tuple[Any, ...]], asset_id: UUID) -> list[Entry]:
    return [Entry(*row) for row in current_session().execute(query, {"asset": asset_id})]


def entries_of_asset(asset_id: UUID) -> list[Entry]:
    """The ledger of the asset's own record, oldest first."""
    return _entries(_OF_ASSET, asset_id)


def entries_around(actor: Actor, asset_id: UUID) -> list[Entry]:
    """The ledger of the asset, its checks, and the messages that the actor may read, in the order of writing."""
    messages = select(col(AssetMessage.id)).where(col(AssetMessage.asset_id) == _ASSET, visible(AssetMessage, actor))
    of_messages = _select_entries(AssetMessage.record_type(), col(LedgerEntry.record_id).in_(messages))
    queries = (_OF_ASSET, _OF_CHECKS, of_messages)
    return sorted((entry for query in queries for entry in _entries(query, asset_id)), key=lambda entry: entry.seq)


def checks_of_asset(asset_id: UUID) -> list[AssetCheck]:
    """All checks of an asset, those of older versions first."""
    return list(current_session().scalars(_CHECKS, {"asset": asset_id}))


def read_checks_at(asset_id: UUID, moment: datetime) -> list[AssetCheck]:
    """Checks of an asset at a moment, as the ledger has them."""
    latest = {entry.record_id: entry for entry in _entries(_OF_CHECKS, asset_id) if entry.recorded_at <= moment}
    checks = [restore_record(AssetCheck, entry) for entry in latest.values()]
    return sorted(checks, key=lambda check: (check.asset_version, check.id))


def read_asset_at(entries: Sequence[Entry], moment: datetime) -> Asset | None:
    """The asset as it stood at a moment, by its own entries; None where it wasn't registered yet."""
    latest = next((entry for entry in reversed(entries) if entry.recorded_at <= moment), None)
    return None if latest is None else restore_record(Asset, latest)


def restore_record(model: type[Any], entry: Entry) -> Any:
    """The record that an entry describes, its columns in their Python types."""
    return restore(LedgerEntry.model_construct(record_type=model.record_type(), state=entry.state))

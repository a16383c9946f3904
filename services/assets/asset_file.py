"""Everything about one asset in one reading and few statements, as it stands or as it stood (UC-05.01, UC-05.06)."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Uuid, bindparam, func, select
from sqlmodel import col

from models.assets import Asset, AssetCheck, AssetMessage, CheckSource
from models.core import LedgerEntry
from models.participants import Organisation, User
from services.assets.reading import changed_terms
from services.core.actor import Actor
from services.core.errors import NotFound
from services.core.ledger.reading import Change, differences, restore
from services.core.operation import operation
from services.core.permissions import may
from services.core.prepared import Prepared, PreparedRecords
from services.core.transaction import current_connection
from services.core.visibility import View, see, view_of


@dataclass(frozen=True, slots=True)
class AssetFile:
    """An asset with all that belongs to it, as far as the actor may see it.

    `asset` is as it stood at the moment that was asked for, `present_version` the version that stands now. `checks` has the
    newest one against each source, `history` is newest first, `names` has the organisations that are named anywhere in it.
    """

    asset: Asset
    present_version: int
    checks: Sequence[AssetCheck]
    messages: Sequence[AssetMessage]
    history: Sequence[Change]
    names: Mapping[UUID, str]


class _Entry(NamedTuple):
    version: int
    recorded_at: datetime
    operation: str
    use_case: str
    client_id: str | None
    organisation_id: UUID | None
    state: str
    hash: str
    person: str | None
    body: str | None


_ASSET = bindparam("asset", type_=Uuid())
_CHECKS = PreparedRecords(
    AssetCheck, col(AssetCheck.asset_id) == _ASSET, order=(col(AssetCheck.asset_version), col(AssetCheck.id))
)


def _chain(*conditions: Any) -> Prepared:
    """Entries of the ledger with the names of those who wrote them, oldest first."""
    columns = (
        col(LedgerEntry.version),
        col(LedgerEntry.recorded_at),
        col(LedgerEntry.operation),
        col(LedgerEntry.use_case),
        col(LedgerEntry.client_id),
        col(LedgerEntry.organisation_id),
        col(LedgerEntry.state),
        col(LedgerEntry.hash),
        col(User.full_name),
        col(Organisation.organisation_legal_name),
    )
    return Prepared(
        select(*columns)
        .outerjoin(User, col(User.id) == col(LedgerEntry.user_id))
        .outerjoin(Organisation, col(Organisation.id) == col(LedgerEntry.organisation_id))
        .where(*conditions)
        .order_by(col(LedgerEntry.version))
    )


_OF_ASSET = _chain(
    col(LedgerEntry.record_type) == bindparam("kind", Asset.record_type()), col(LedgerEntry.record_id) == _ASSET
)
_OF_CHECKS = _chain(
    col(LedgerEntry.record_type) == bindparam("kind", AssetCheck.record_type()),
    col(LedgerEntry.record_id).in_(select(col(AssetCheck.id)).where(col(AssetCheck.asset_id) == _ASSET)),
)
_NAMED = ("service_provider_id", "organisation_id", "submitted_by_organisation")
_NAMES = Prepared(
    select(
        col(Organisation.id),
        func.coalesce(col(Organisation.organisation_trading_name), col(Organisation.organisation_legal_name)),
    ).where(col(Organisation.id).in_([bindparam(name, type_=Uuid()) for name in _NAMED]))
)


@lru_cache(maxsize=100)
def _messages(view: View) -> PreparedRecords[AssetMessage]:
    of_asset = col(AssetMessage.asset_id) == _ASSET
    return PreparedRecords(AssetMessage, of_asset, view.visible(AssetMessage), order=(col(AssetMessage.id),))


@operation("UC-05.01", permission="asset.read", writes=False)
def asset_file(actor: Actor, asset_id: UUID, moment: datetime | None = None) -> AssetFile:
    """An asset with checks, messages, history and names; at a `moment` (aware), as it all stood then.

    Raises NotFound when the actor may not see the asset, or when it wasn't registered yet. Who may not read histories gets
    an empty one, and nothing of the past.
    """
    present = see(Asset, actor, asset_id)
    connection, values = current_connection(), {"asset": asset_id}
    reads_history = may(actor, "history.read")
    chain = [_Entry(*row) for row in _OF_ASSET.all(connection, values)] if reads_history else []
    asset, checks = present, _newest(_CHECKS.records(connection, values))
    if moment is not None:
        chain = [entry for entry in chain if entry.recorded_at <= moment]
        if not chain:
            raise NotFound("asset", asset_id)
        asset = _restored(Asset, chain[-1])
        checks = _newest(_checks_then(asset_id, moment))
    view, seen = view_of(actor)
    messages = _messages(view).records(connection, {**seen, **values})
    named = {name: getattr(asset, name) for name in _NAMED}
    names = {row[0]: row[1] for row in _NAMES.all(connection, named)}
    names |= {entry.organisation_id: entry.body for entry in chain if entry.organisation_id and entry.body}
    return AssetFile(
        asset=asset,
        present_version=present.version,
        checks=checks,
        messages=[message for message in messages if moment is None or message.sent_at <= moment],
        history=_told(chain),
        names=names,
    )


def _restored(model: type[Any], entry: _Entry) -> Any:
    return restore(LedgerEntry.model_construct(record_type=model.record_type(), state=entry.state))


def _checks_then(asset_id: UUID, moment: datetime) -> list[AssetCheck]:
    """The checks of an asset as the ledger tells of them at a moment, older versions of the asset first."""
    latest: dict[str, _Entry] = {}
    for row in _OF_CHECKS.all(current_connection(), {"asset": asset_id}):
        entry = _Entry(*row)
        if entry.recorded_at <= moment:
            latest[json.loads(entry.state)["id"]] = entry
    return sorted((_restored(AssetCheck, entry) for entry in latest.values()), key=lambda one: one.asset_version)


def _newest(checks: Sequence[AssetCheck]) -> list[AssetCheck]:
    by_source = {check.source: check for check in checks}
    return [by_source[source] for source in CheckSource if source in by_source]


def _told(chain: Sequence[_Entry]) -> list[Change]:
    told: list[Change] = []
    before: dict[str, Any] = {}
    for entry in chain:
        after = json.loads(entry.state)
        told.append(
            Change(
                version=entry.version,
                at=entry.recorded_at,
                operation=entry.operation,
                use_case=entry.use_case,
                actor=entry.person or entry.client_id or "The register",
                organisation=entry.body,
                changes=changed_terms(differences(before, after)),
                hash=entry.hash,
            )
        )
        before = after
    return told[::-1]

"""Access log: who opened, looked up, searched or took what; read by the administrator and auditors (UC-05.01)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

from models.assets import Asset
from models.base import Recorded
from models.core import Access
from models.participants import ApiClient, Organisation, User
from models.qualifications import Qualification
from models.sources import SourceRecord
from models.units import MarketUnit
from services.core.access_log import log_access_soon
from services.core.identity.actor import Actor
from services.core.identity.visibility import visible
from services.core.operation import operation
from services.core.transaction import current_session

LONGEST_PAGE = 500
OPENED: Mapping[str, type[Any]] = {
    "asset": Asset,
    "market_unit": MarketUnit,
    "organisation": Organisation,
    "qualification": Qualification,
    "source_record": SourceRecord,
}
"""Records that have a page of their own."""


@dataclass(frozen=True, slots=True)
class AccessView:
    """One access as an auditor reads it; `who` is a person or a program, `record` the record's name of today."""

    number: int
    at: datetime
    kind: str
    who: str
    organisation: str
    record_type: str | None
    record_id: UUID | None
    record: str
    detail: dict[str, Any]


@operation("UC-05.01", permission="access.log", writes=False, name="note_opening")
def note_opening(actor: Actor, record_type: str, record_id: UUID) -> None:
    """Keep that a record's page is opened, before it is drawn; where the actor may not see the record, that it was tried.

    The kinds are those of the API: `asset.read`, `organisation.read`; `asset.refused` where nothing will be shown.
    """
    model = OPENED[record_type]
    seen = current_session().scalar(select(col(model.id)).where(col(model.id) == record_id, visible(model, actor)))
    log_access_soon(actor, f"{record_type}.{'read' if seen else 'refused'}", record_type, record_id, {"door": "portal"})


@operation("UC-05.01", permission="access.read", writes=False, name="list_accesses")
def list_accesses(
    actor: Actor,
    *,
    kind: str | None = None,
    record_id: UUID | None = None,
    before: int | None = None,
    limit: int = 100,
) -> list[AccessView]:
    """Accesses, the newest first: all, of one kind, or to one record; `before` is the number of the last one seen."""
    query = select(Access)
    if kind:
        query = query.where(col(Access.kind) == kind)
    if record_id is not None:
        query = query.where(col(Access.record_id) == record_id)
    if before is not None:
        query = query.where(col(Access.id) < before)
    newest = query.order_by(col(Access.id).desc()).limit(max(1, min(limit, LONGEST_PAGE)))
    rows = list(current_session().scalars(newest))
    names = _names(rows)
    return [_view(row, names) for row in rows]


def _view(row: Access, names: Mapping[object, str]) -> AccessView:
    who = names.get(row.user_id) or names.get(row.client_id) or row.client_id or row.actor_key
    return AccessView(
        number=row.id or 0,
        at=row.at,
        kind=row.kind,
        who=who,
        organisation=names.get(row.organisation_id, "–"),
        record_type=row.record_type,
        record_id=row.record_id,
        record=names.get(row.record_id, "–"),
        detail=row.detail,
    )


def _names(rows: Sequence[Access]) -> dict[object, str]:
    """Names of people, programs, organisations and assets, by what the log knows them by."""
    records = {row.record_id for row in rows} | {row.organisation_id for row in rows} | {row.user_id for row in rows}
    labels: list[tuple[type[Recorded], Any]] = [
        (User, User.full_name),
        (Organisation, Organisation.organisation_legal_name),
        (Asset, Asset.asset_name),
    ]
    session = current_session()
    names: dict[object, str] = {}
    for model, name in labels:
        ids = [identifier for identifier in records if identifier is not None]
        names |= {
            row[0]: row[1] for row in session.execute(select(col(model.id), col(name)).where(col(model.id).in_(ids)))
        }
    programs = [row.client_id for row in rows if row.client_id]
    clients = select(col(ApiClient.client_id), col(ApiClient.name)).where(col(ApiClient.client_id).in_(programs))
    return names | {row[0]: row[1] for row in session.execute(clients)}

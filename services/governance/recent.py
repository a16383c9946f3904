"""Recent changes in words: the newest events that an actor may see, with the names of their records (UC-05.06)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

from models.assets import STATUS_LABELS, Asset, AssetStatus
from models.bulk import BulkJob
from models.core import Event
from models.events import EventType
from models.participants import Organisation
from models.products import MarketTable, MarketTableKind, Product, ProductProposal, ProposalKind
from models.qualifications import QUALIFICATION_LABELS, Qualification, QualificationStatus
from models.sources import SourceEdition
from models.units import MarketUnit
from services.core.identity.actor import Actor
from services.core.identity.visibility import visible
from services.core.operation import operation
from services.core.transaction import current_session

PROPOSALS = {
    ProposalKind.NEW: "New product",
    ProposalKind.CHANGE: "Change of",
    ProposalKind.DEPRECATE: "End of",
}
TABLES = {
    MarketTableKind.EQUIVALENCES: "Table of equivalences",
    MarketTableKind.STACKING: "Stacking matrix",
}
EVENT_TYPES = frozenset(EventType)
OF_DRAFTS = (EventType.ASSET_DRAFT_SUBMITTED, EventType.ASSET_DRAFT_RETURNED)
"""Events of drafts, which name their draft themselves."""


@dataclass(frozen=True, slots=True)
class RecentChange:
    """One event: what happened to which record."""

    at: datetime
    kind: str
    name: str
    what: str
    record_id: UUID


@operation("UC-05.06", permission="event.read", writes=False, name="recent_changes")
def recent_changes(actor: Actor, limit: int = 12) -> list[RecentChange]:
    """The newest events that the actor may see, newest first; at most 100. Records by their names of today."""
    query = select(Event).where(visible(Event, actor)).order_by(col(Event.seq).desc())
    events = list(current_session().scalars(query.limit(max(1, min(limit, 100)))))
    names = _names(actor, events)
    return [
        RecentChange(
            at=event.occurred_at,
            kind="draft" if event.type in OF_DRAFTS else event.record_type,
            name=_name(names, event),
            what=_what(event),
            record_id=event.record_id,
        )
        for event in events
    ]


def _names(actor: Actor, events: list[Event]) -> dict[UUID, str]:
    """Names of the records that the actor may see, and of the organisations that the events concern."""
    identifiers = {event.record_id for event in events} | {event.organisation_id for event in events}
    names: dict[UUID, str] = {}
    columns: list[tuple[Any, Any]] = [(Asset, Asset.asset_name), (Organisation, Organisation.organisation_legal_name)]
    for model, column in columns:
        rows = select(col(model.id), col(column)).where(col(model.id).in_(identifiers), visible(model, actor))
        names |= {row[0]: row[1] for row in current_session().execute(rows)}
    units = select(col(MarketUnit.id), col(MarketUnit.name)).where(visible(MarketUnit, actor))
    names |= {row[0]: row[1] for row in current_session().execute(units.where(col(MarketUnit.id).in_(identifiers)))}
    applied = (
        select(col(Qualification.id), col(Qualification.product_code), col(MarketUnit.name))
        .join(MarketUnit, col(MarketUnit.id) == col(Qualification.unit_id))
        .where(col(Qualification.id).in_(identifiers), visible(Qualification, actor))
    )
    names |= {row[0]: f"{row[2]} for {row[1]}" for row in current_session().execute(applied)}
    products = select(col(Product.id), col(Product.code)).where(
        col(Product.id).in_(identifiers), visible(Product, actor)
    )
    names |= {row[0]: row[1] for row in current_session().execute(products)}
    proposals = select(ProductProposal).where(col(ProductProposal.id).in_(identifiers), visible(ProductProposal, actor))
    names |= {record.id: f"{PROPOSALS[record.kind]} {record.code}" for record in current_session().scalars(proposals)}
    tables = select(MarketTable).where(col(MarketTable.id).in_(identifiers), visible(MarketTable, actor))
    names |= {record.id: TABLES[record.kind] for record in current_session().scalars(tables)}
    editions = select(SourceEdition).where(col(SourceEdition.id).in_(identifiers), visible(SourceEdition, actor))
    names |= {record.id: f"{record.kind} of {record.publisher}" for record in current_session().scalars(editions)}
    return names


def _name(names: dict[UUID, str], event: Event) -> str:
    """Subject of the event; drafts and files are no records, so that their events say what they are called."""
    if event.type in OF_DRAFTS:
        return str(event.payload.get("name") or "A draft")
    if event.record_type == BulkJob.record_type():
        return str(event.payload.get("file_name") or "A file")
    return names.get(event.record_id) or _body(names, event) or "–"


def _body(names: dict[UUID, str], event: Event) -> str | None:
    return names.get(event.organisation_id) if event.organisation_id else None


def _what(event: Event) -> str:
    if event.type in OF_DRAFTS:
        declined = " for good" if event.payload.get("declined") else ""
        return f"{EventType(event.type).label} {event.payload.get('from') or 'somebody'}{declined}"
    if event.type == EventType.BULK_COMPLETED:
        counts = [event.payload.get(f"rows_{name}") or 0 for name in ("registered", "updated", "refused")]
        return "Registered {:,}, changed {:,} and refused {:,}".format(*counts)
    if event.type == EventType.ASSET_STATUS_CHANGED and event.payload.get("to") in list(AssetStatus):
        return f"Became {STATUS_LABELS[AssetStatus(event.payload['to'])]}"
    if event.type == EventType.QUALIFICATION_STATUS_CHANGED and event.payload.get("to") in list(QualificationStatus):
        return f"Became {QUALIFICATION_LABELS[QualificationStatus(event.payload['to'])]}"
    if event.type in EVENT_TYPES:
        return EventType(event.type).label
    # A newer version of the register wrote it, and this one runs again.
    return event.type.partition(".")[2].replace("_", " ").capitalize()

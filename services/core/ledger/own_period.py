"""The past of a record for who manages it now, and for who managed it then: of its own period alone (UC-05.06)."""

import json
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

from models.assets import Asset
from models.units import MarketUnit
from services.core.errors import NotFound
from services.core.identity.actor import Actor
from services.core.identity.permissions import Scope, scopes_of
from services.core.identity.visibility import visible
from services.core.ledger.history import RecordChange, as_of, changes_of, entries
from services.core.transaction import current_session

R = TypeVar("R", Asset, MarketUnit)
PERMISSION = "history.read"


def read_as_of(model: type[R], actor: Actor, identifier: UUID, moment: datetime) -> R:
    """Read a record as it stood at a moment (aware): one that the actor sees now, or whose provider it was at that moment.

    Raises NotFound when it is neither, or when the record wasn't there yet.
    """
    record = as_of(model, identifier, moment)
    if record is None or not (_sees(model, actor, identifier) or record.service_provider_id == _former_provider(actor)):
        raise NotFound(model.record_type().replace("_", " "), identifier)
    return record


def read_history(model: type[R], actor: Actor, identifier: UUID) -> list[RecordChange]:
    """Read the changes of a record, newest first: all for who sees it now, those of its own period for a former provider.

    Raises NotFound for everybody else.
    """
    ledger_entries = entries(model.record_type(), identifier)
    if not _sees(model, actor, identifier):
        own = _former_provider(actor)
        ledger_entries = [
            entry for entry in ledger_entries if own and json.loads(entry.state)["service_provider_id"] == str(own)
        ]
        if not ledger_entries:
            raise NotFound(model.record_type().replace("_", " "), identifier)
    return changes_of(ledger_entries)


def _sees(model: type[R], actor: Actor, identifier: UUID) -> bool:
    query = select(col(model.id)).where(col(model.id) == identifier, visible(model, actor))
    return current_session().scalar(query) is not None


def _former_provider(actor: Actor) -> UUID | None:
    """The actor's organisation where the actor reads the past of what it manages; None for everybody else."""
    return actor.organisation_id if Scope.OWN in scopes_of(actor, PERMISSION) else None

"""The access log: who read which personal or commercial data, kept apart from the ledger (UC-05.01)."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from models.core import Access
from services.core.access_buffer import put_off
from services.core.clock import now
from services.core.identity.actor import Actor
from services.core.operation import operation
from services.core.transaction import afterwards, current_session


@operation("UC-05.01", permission="access.log", name="log_access")
def log_access(
    actor: Actor,
    kind: str,
    record_type: str | None = None,
    record_id: UUID | None = None,
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Keep that the actor is about to be shown something. Call it before the answer leaves: what isn't logged isn't shown.

    `kind` is what was done (``asset.read``, ``asset.list``, ...), `detail` what tells which records of a list were shown.
    """
    current_session().add(Access(**_entry(actor, kind, record_type, record_id, detail)))


@operation("UC-05.01", permission="access.log", writes=False, name="log_access_soon")
def log_access_soon(
    actor: Actor,
    kind: str,
    record_type: str | None = None,
    record_id: UUID | None = None,
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Keep what `log_access` keeps, behind the page where this process serves pages, else once this operation has ended.

    Raises Refused while the log can't be written: then nothing may be shown either.
    """
    entry = _entry(actor, kind, record_type, record_id, detail)
    if not put_off(entry):
        afterwards(lambda: current_session().add(Access(**entry)))


def _entry(
    actor: Actor, kind: str, record_type: str | None, record_id: UUID | None, detail: Mapping[str, Any] | None
) -> dict[str, Any]:
    return {
        "at": now(),
        "kind": kind,
        "actor_key": actor.key,
        "user_id": actor.user_id,
        "client_id": actor.client_id,
        "organisation_id": actor.organisation_id,
        "record_type": record_type,
        "record_id": record_id,
        "detail": dict(detail or {}),
    }

"""The event feed holds to permissions by the type of record: nobody is told of what they may not read (UC-05.01)."""

import pytest
from sqlalchemy import select
from sqlmodel import col

from models.base import Recorded, new_id
from models.core import Event
from models.events import EventType
from models.participants import Role
from services.core.clock import now
from services.core.identity.actor import Actor, system_actor
from services.core.identity.permissions import scopes_of
from services.core.identity.visibility import EVENT_PERMISSIONS, visible
from services.core.transaction import Stamp, unit_of_work
from tests.factories import make_organisation

WORKING = [role for role in Role if role not in (Role.APPLICANT, Role.SYSTEM)]


def _every_type() -> set[str]:
    kinds: set[str] = set(EVENT_PERMISSIONS)
    waiting = [Recorded]
    while waiting:
        model = waiting.pop()
        waiting += model.__subclasses__()
        if model is not Recorded:
            kinds.add(model.record_type())
    return kinds


def _feed(actor: Actor) -> list[Event]:
    """The events that an actor may see, as the feed asks for them."""
    with unit_of_work(Stamp("test", "UC-05.01", system_actor()), writes=False) as session:
        return list(
            session.scalars(select(Event).where(visible(Event, actor), col(Event.organisation_id).is_not(None)))
        )


@pytest.mark.use_case("UC-05.01")
@pytest.mark.parametrize("role", WORKING)
def test_an_actor_gets_events_of_types_that_they_may_read_and_no_others(register: str, role: Role) -> None:
    organisation = make_organisation()
    types = sorted(_every_type())
    actor = Actor(name="Somebody", roles=frozenset({role}), organisation_id=organisation.id)
    with unit_of_work(Stamp("test", "UC-05.01", system_actor()), writes=True) as session:
        for record_type in types:
            values = {"record_type": record_type, "record_id": new_id(), "organisation_id": organisation.id}
            session.add(Event(type=str(EventType.ASSET_CHANGED), payload={}, occurred_at=now(), **values))
    told = {event.record_type for event in _feed(actor)}
    if not scopes_of(actor, "event.read"):
        assert told == set()
        return
    readable = {kind for kind, permission in EVENT_PERMISSIONS.items() if scopes_of(actor, permission)}
    assert told <= readable
    if role is not Role.SO_USER:
        assert told == readable & set(types)


@pytest.mark.use_case("UC-05.01")
def test_drafts_are_told_to_those_who_work_on_drafts(register: str) -> None:
    organisation = make_organisation()
    with unit_of_work(Stamp("test", "UC-05.01", system_actor()), writes=True) as session:
        for event_type in (EventType.ASSET_DRAFT_SUBMITTED, EventType.ASSET_DRAFT_RETURNED):
            values = {"record_type": "organisation", "record_id": organisation.id, "organisation_id": organisation.id}
            session.add(Event(type=str(event_type), payload={}, occurred_at=now(), **values))

    def told(role: Role) -> set[str]:
        actor = Actor(name="Somebody", roles=frozenset({role}), organisation_id=organisation.id)
        return {event.type for event in _feed(actor) if event.type.startswith("asset.draft")}

    assert told(Role.ORGANISATION_ADMIN) == set()
    assert told(Role.INSTALLER) == {"asset.draft_returned"}
    assert told(Role.FSP_USER) == {"asset.draft_submitted", "asset.draft_returned"}

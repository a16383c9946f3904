"""Organisation whose records a page shows: the actor's own, or the one that an administrator chooses."""

from uuid import UUID

import streamlit as st

from services.core.errors import NotFound
from services.core.identity.actor import Actor
from services.core.identity.permissions import Scope, scopes_of
from services.participants.reading import list_organisations

MOST = 200


def choose_organisation(actor: Actor, key: str) -> UUID:
    """The organisation to work on; a choice is offered to those who see all of them, and their own comes first."""
    if actor.organisation_id is None:
        raise NotFound("organisation", "yours")
    if Scope.ALL not in scopes_of(actor, "organisation.read"):
        return actor.organisation_id
    others = {
        organisation.id: organisation.organisation_legal_name
        for organisation in list_organisations(actor, limit=MOST).items
    }
    names = {actor.organisation_id: actor.organisation_name or "My organisation", **others}
    return st.selectbox(
        "Organisation", list(names), format_func=names.__getitem__, key=f"{key}-organisation", persist_state="session"
    )

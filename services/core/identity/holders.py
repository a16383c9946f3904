"""Holders of signed tickets: a person, acting for an organisation, in one browser and until they sign out (UC-01.01)."""

from typing import Any
from uuid import UUID

from services.core import signed_tickets as tickets
from services.core.errors import Unauthenticated
from services.core.identity.actor import Actor
from services.core.identity.resolve import actor_for_user


def issue_to(actor: Actor, purpose: str, claims: dict[str, Any], browser: str | None) -> str:
    """A ticket for this person, in the browser that `browser` names (any when None), until it ends or they sign out."""
    holder = {
        "sub": str(actor.user_id),
        "org": str(actor.organisation_id),
        "at": tickets.mark_of(browser),
        "out": _sign_out_mark(actor),
    }
    return tickets.issue(purpose, {**claims, **holder})


def open_for_holder(purpose: str, ticket: str, browser: str | None, onward: str) -> tuple[Actor, dict[str, Any]]:
    """The holder of a ticket, as they stand in the register at this moment, and its claims.

    Raises Unauthenticated when it was changed or has ended, its holder has signed out since, or their access has ended;
    Forbidden, with the way `onward`, in another browser.
    """
    claims = tickets.read(purpose, ticket)
    tickets.require_browser(claims.get("at"), browser, onward)
    try:
        user_id, organisation_id = UUID(str(claims.get("sub"))), UUID(str(claims.get("org")))
    except ValueError:
        raise Unauthenticated("This ticket is nobody's. Reload the page for a new one.") from None
    actor = actor_for_user(user_id, organisation_id)
    if claims.get("out") != _sign_out_mark(actor):
        raise Unauthenticated("You have signed out since this ticket was made. Sign in and open the page again.")
    return actor, claims


def _sign_out_mark(actor: Actor) -> str | None:
    return None if actor.signed_out_at is None else actor.signed_out_at.isoformat()

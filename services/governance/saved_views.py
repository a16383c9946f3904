"""Saved views: filters and order of a list page under a name, one's own alone; one of a page can be pinned (UC-05.01)."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, update
from sqlmodel import col

from models.personal import SavedView
from services.core.clock import now
from services.core.errors import Finding, Invalid, NotFound, Refused
from services.core.identity.actor import Actor
from services.core.identity.visibility import visible
from services.core.operation import operation
from services.core.text import clean_line
from services.core.transaction import current_session

LONGEST_NAME = 60
LONGEST_QUERY = 4000
MOST_VIEWS = 100
"""Views that one person keeps, over all pages."""


@operation("UC-05.01", permission="personal.keep", writes=False, name="list_views")
def list_views(actor: Actor) -> list[SavedView]:
    """The actor's saved views of all pages, by name."""
    query = select(SavedView).where(visible(SavedView, actor)).order_by(func.lower(col(SavedView.name)))
    return list(current_session().scalars(query))


@operation("UC-05.01", permission="personal.keep", name="save_view")
def save_view(actor: Actor, page: str, name: str, query: Mapping[str, Sequence[str]]) -> SavedView:
    """Save a page's filters and order under a name; a view of the same name is replaced.

    Raises Invalid (VIEW-01, VIEW-02) for a name or filters that are too long, Refused beyond `MOST_VIEWS`.
    """
    title = clean_line(name)
    stored = {str(key): [str(value) for value in values] for key, values in query.items()}
    findings: list[Finding] = []
    if not title or len(title) > LONGEST_NAME:
        expected = f"1 to {LONGEST_NAME} characters"
        findings.append(Finding("VIEW-01", "name", name, expected, f"Enter a name of {expected}."))
    if sum(len(key) + sum(map(len, values)) for key, values in stored.items()) > LONGEST_QUERY:
        expected = f"At most {LONGEST_QUERY:,} characters"
        findings.append(
            Finding("VIEW-02", "query", None, expected, "Choose fewer filters: these are too many to save.")
        )
    if findings:
        raise Invalid(findings)
    session = current_session()
    query_same = select(SavedView).where(visible(SavedView, actor), col(SavedView.page) == page)
    view = session.scalar(query_same.where(col(SavedView.name) == title))
    if view is None:
        if (session.scalar(select(func.count()).where(visible(SavedView, actor))) or 0) >= MOST_VIEWS:
            raise Refused(f"You have {MOST_VIEWS} saved views. Delete one that you don't need any more.")
        view = SavedView(owner=actor.key, page=page, name=title, saved_at=now())
        session.add(view)
    view.query, view.saved_at = stored, now()
    session.flush()
    return view


@operation("UC-05.01", permission="personal.keep", name="pin_view")
def pin_view(actor: Actor, view_id: UUID, pinned: bool) -> SavedView:
    """Have a page open with this view, instead of any other; or without. Raises NotFound."""
    view = _own_view(actor, view_id)
    others: Any = update(SavedView).where(visible(SavedView, actor), col(SavedView.page) == view.page)
    current_session().execute(others.values(pinned=False))
    view.pinned = pinned
    current_session().flush()
    return view


@operation("UC-05.01", permission="personal.keep", name="delete_view")
def delete_view(actor: Actor, view_id: UUID) -> None:
    """Delete a saved view. Raises NotFound."""
    current_session().delete(_own_view(actor, view_id))


def _own_view(actor: Actor, view_id: UUID) -> SavedView:
    view = current_session().scalar(select(SavedView).where(visible(SavedView, actor), col(SavedView.id) == view_id))
    if view is None:
        raise NotFound("view", view_id)
    return view

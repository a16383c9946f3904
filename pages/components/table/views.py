"""Saved views of a list page: opened from its list, one of them pinned, so that the page opens with it.

The browser goes to a view as it goes Back: only then do fields that are bound to the address take their values from it.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import streamlit as st

from pages.frame import page_filters
from pages.frame.refusals import show_refusal
from services.core.errors import RegisterError
from services.core.identity.actor import Actor
from services.core.identity.permissions import may
from services.governance.saved_views import delete_view, list_views, pin_view, save_view

VIEWS = "saved_views"
REFUSED = "saved_views!refused"
PASSING = frozenset({"as", "id", "asset", "present", "draft", "edition"})
"""Parameters of an address that belong to a person or a record, not to a view."""


def read_views(actor: Actor) -> list[dict[str, Any]]:
    """Saved views of the person, read once a session and after each change: by identifier, page, name, query."""
    stored = st.session_state.get(VIEWS)
    if stored is None or stored[0] != actor.key:
        views = [
            {"id": str(view.id), "page": view.page, "name": view.name, "query": view.query, "pinned": view.pinned}
            for view in (list_views(actor) if may(actor, "personal.keep") else [])
        ]
        stored = st.session_state[VIEWS] = (actor.key, views)
    return stored[1]


def pinned_query(actor: Actor, page: str) -> str:
    """Parameters of the page's pinned view, for somebody who has just arrived at its bare address; else nothing."""
    if not page_filters.take_arrival() or any(name not in PASSING for name in st.query_params):
        return ""
    view = next((view for view in read_views(actor) if view["page"] == page and view["pinned"]), None)
    return query_text(view) if view is not None else ""


def query_text(view: Mapping[str, Any]) -> str:
    """Parameters of a view as an address has them."""
    return urlencode(view["query"], doseq=True)


def change_views(actor: Actor, page: str, request: Mapping[str, Any]) -> None:
    """Do what was asked for in the list of views: save, pin or delete one."""
    try:
        match request:
            case {"act": "save", "name": str(name)}:
                save_view(actor, page, name, _current_query())
            case {"act": "pin", "id": str(identifier), "pinned": bool(pinned)}:
                pin_view(actor, UUID(identifier), pinned)
            case {"act": "delete", "id": str(identifier)}:
                delete_view(actor, UUID(identifier))
            case _:
                return
    except RegisterError as refused:
        st.session_state[REFUSED] = refused
    st.session_state.pop(VIEWS, None)


def show_refused_view() -> None:
    """Say why a view wasn't saved, once."""
    refused = st.session_state.pop(REFUSED, None)
    if refused is not None:
        show_refusal(refused)


def _current_query() -> dict[str, list[str]]:
    return {name: st.query_params.get_all(name) for name in st.query_params if name not in PASSING}

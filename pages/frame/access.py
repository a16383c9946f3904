"""The portal's part of the access log: each record page that somebody opens, once an opening."""

from uuid import UUID

import streamlit as st

from services.core.identity.actor import Actor
from services.governance.accesses import note_opening

OPEN = "fmar_open_record"
RECORD_PAGES = {
    "asset": "asset",
    "organisation": "organisation",
    "market-unit": "market_unit",
    "application": "qualification",
}
"""Addresses of pages that show one record, and what kind of record it is."""


def note_page(actor: Actor, address: str) -> None:
    """Log the record that the page at this address is about to show; once, however often the page is drawn again."""
    kind = RECORD_PAGES.get(address)
    text = st.query_params.get("id") or (str(actor.organisation_id) if kind == "organisation" else "")
    try:
        record_id = UUID(text) if kind else None
    except ValueError:
        record_id = None
    for other in RECORD_PAGES.values():
        if other != kind or record_id is None:
            st.session_state.pop(f"{OPEN}/{other}", None)
    if kind is not None and record_id is not None:
        note_record(actor, kind, record_id)


def note_record(actor: Actor, kind: str, record_id: UUID) -> None:
    """Log one record that is about to be shown, once for as long as it stays on screen."""
    opened = (actor.key, actor.organisation_id, record_id)
    if st.session_state.get(f"{OPEN}/{kind}") != opened:
        note_opening(actor, kind, record_id)
        st.session_state[f"{OPEN}/{kind}"] = opened

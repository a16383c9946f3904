"""The bar that takes a decision back, for the minute in which that is possible."""

from datetime import timedelta
from uuid import UUID

import streamlit as st

from models.assets import STATUS_LABELS
from pages.components.common.actions import attempt
from pages.frame.markdown import escape_markdown
from services.assets.checks.take_back import RecentDecision, recent_decision, take_back_decision
from services.core.clock import in_london, now
from services.core.errors import RegisterError
from services.core.identity.actor import Actor

DECIDED, BACK = "take-back!asset", "take-back!done"
EVERY = timedelta(seconds=5)


def note_decision(asset_id: UUID) -> None:
    """Remember the asset that was just decided on: the callback of a decision."""
    st.session_state[DECIDED] = asset_id


def taken_back() -> UUID | None:
    """The asset whose decision was taken back by the last press, once."""
    return st.session_state.pop(BACK, None)


def draw_take_back(actor: Actor) -> None:
    """Draw the bar for the last decision of this browser session; nothing once it is too late."""
    asset_id: UUID | None = st.session_state.get(DECIDED)
    if asset_id is None:
        return
    try:
        decision = recent_decision(actor, asset_id)
    except RegisterError:
        decision = None
    if decision is None:
        st.session_state.pop(DECIDED, None)
        return
    _draw_bar(actor, decision)


@st.fragment(run_every=EVERY)
def _draw_bar(actor: Actor, decision: RecentDecision) -> None:
    if now() > decision.until:
        st.session_state.pop(DECIDED, None)
        st.rerun()
    with st.container(horizontal=True, vertical_alignment="center", border=True, key="take-back"):
        st.markdown(
            f"**{escape_markdown(decision.name)}** is {STATUS_LABELS[decision.status]} by your decision.",
            width="content",
        )
        if st.button(
            f"Take it back (until {in_london(decision.until):%H:%M:%S})", icon=":material/undo:", key="take-back-button"
        ):
            attempt(
                lambda: take_back_decision(actor, decision.asset_id, decision.version),
                "Taken back: it waits as before.",
            )
            st.session_state.pop(DECIDED, None)
            st.session_state[BACK] = decision.asset_id
            st.rerun()

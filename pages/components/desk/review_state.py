"""State of a walk through the review queue: the asset in the address, and its place when it was shown last."""

from collections.abc import Sequence
from uuid import UUID

import streamlit as st

from pages.components.desk.state import ASSET, chosen_asset
from services.assets.checks.queries import Awaits, ReviewItem

PLACE, SHOWN = "review!place", "review!shown"


def place_in(queue: Sequence[ReviewItem], acted: bool) -> tuple[int, UUID | None]:
    """The place of the asset to show, and the one that the address names although it doesn't wait any more.

    Whoever stood there stays at the same place in the queue: the next one has moved up to it. So it is with an asset that
    waits for somebody else since the actor has `acted` on it; one that they decided on themselves is no news to them.
    """
    named, last = chosen_asset(), st.session_state.get(PLACE, 0)
    waiting = [item.asset.id for item in queue]
    there = waiting.index(named) if named in waiting else None
    handed_on = there is not None and acted and st.session_state.get(SHOWN) not in (None, _turn_of(queue[there]))
    place = max(0, min(last, len(queue) - 1)) if there is None or handed_on else there
    st.session_state[PLACE] = place
    if queue:
        st.query_params[ASSET] = str(waiting[place])
        st.session_state[SHOWN] = _turn_of(queue[place])
    return place, named if there is None and not acted else None


def _turn_of(item: ReviewItem) -> tuple[UUID, Awaits]:
    return item.asset.id, item.awaits


def go_to(identifier: UUID | None) -> None:
    """Show another one."""
    if identifier is not None:
        st.query_params[ASSET] = str(identifier)


def start_over() -> None:
    """Begin at the one that has waited longest: other filters, another queue."""
    st.session_state.pop(PLACE, None)
    st.query_params.pop(ASSET, None)

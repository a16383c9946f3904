"""Applications on the map, coloured by clock; choosing a piece narrows the table to it (UC-04.02)."""

import streamlit as st

from pages.parts.group_map import Kind, draw_group_map
from pages.parts.market_choice import choose_one
from services.core.actor import Actor
from services.market.places import applications_by_place
from services.market.qualification_clock import CLOCK_LABELS, ClockState
from services.market.qualification_filtering import SEVERAL_GROUPS, QualificationFilters

COLOURS = {
    ClockState.LATE: [213, 94, 0],
    ClockState.SOON: [230, 159, 0],
    ClockState.IN_TIME: [0, 158, 115],
    ClockState.PAUSED: [122, 122, 122],
    ClockState.STOPPED: [86, 180, 233],
}
"""Okabe and Ito's, as the dashboard has them; the number of each is said where one points."""
VIEWS = {"Table": "Table", "Map": "Map"}


def draw_queue_map(actor: Actor, filters: QualificationFilters) -> None:
    """The choice of view, and the map where it is wanted."""
    if choose_one("View", "view", VIEWS) != "Map":
        return
    draw_group_map(
        applications_by_place(actor, filters),
        [Kind(str(state), CLOCK_LABELS[state], colour) for state, colour in COLOURS.items()],
        "applications",
        key="queue-map",
        on_pick=narrow,
        several="Several",
    )
    st.caption("By the GSP group of the unit. Choose a piece to see its applications in the table.")


def narrow(group: str, clock: str) -> None:
    """Only the applications of one GSP group whose clock stands so: as the filters above would have it."""
    st.session_state["gsp"], st.session_state["clock"] = [group or SEVERAL_GROUPS], [clock]

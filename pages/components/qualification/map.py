"""Applications on the map, coloured by clock; choosing a piece narrows the table to it (UC-04.02)."""

import streamlit as st

from pages.components.common.group_map import PieSlice, draw_group_map
from pages.components.common.map_colours import rgb_of
from pages.components.dashboard.clock_charts import CLOCK_COLOURS
from pages.components.dashboard.filters import choose_one
from services.core.identity.actor import Actor
from services.market.qualification.filters import SEVERAL_GROUPS, QualificationFilters
from services.market.qualification.map_counts import applications_by_place
from services.market.qualification.sla_clock import CLOCK_LABELS, ClockState

COLOURS = {state: rgb_of(colour) for state, (colour, _) in CLOCK_COLOURS.items()} | {ClockState.STOPPED: [86, 180, 233]}
"""As the dashboard has them; it shows none that are decided."""
VIEWS = {"Table": "Table", "Map": "Map"}


def draw_queue_map(actor: Actor, filters: QualificationFilters) -> None:
    """The choice of view, and the map where it is wanted."""
    if choose_one("View", "view", VIEWS) != "Map":
        return
    draw_group_map(
        applications_by_place(actor, filters),
        [PieSlice(str(state), CLOCK_LABELS[state], colour) for state, colour in COLOURS.items()],
        "applications",
        key="queue-map",
        on_pick=narrow,
        several="Several",
    )
    st.caption("By the GSP group of the unit. Choose a piece to see its applications in the table.")


def narrow(group: str, clock: str) -> None:
    """Only the applications of one GSP group whose clock stands so: as the filters above would have it."""
    st.session_state["gsp"], st.session_state["clock"] = [group or SEVERAL_GROUPS], [clock]

"""Market units on the map, coloured by family; choosing a piece narrows the list to it (UC-05.01)."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from models.products import FAMILY_LABELS
from models.units import UnitStatus
from pages.components.common.group_map import PieSlice, draw_group_map
from pages.components.common.map_colours import UNKNOWN, rgb_of
from pages.components.dashboard.filters import choose_one
from pages.components.dashboard.power_charts import FAMILY_COLOURS
from pages.components.qualification.map import VIEWS
from pages.components.unit.filters import first_units
from services.core.identity.actor import Actor
from services.market.qualification.map_counts import units_by_place
from services.market.units.listing import UnitFilters
from services.market.units.units import UNIT_STATUS_LABELS


def draw_unit_map(actor: Actor, filters: UnitFilters, controls: DeltaGenerator) -> None:
    """The choice of view among the list's controls, and the map where it is wanted."""
    with controls:
        view = choose_one("View", "view", VIEWS)
    if view != "Map":
        return
    counts = units_by_place(actor, filters)
    kinds = [PieSlice(str(family), FAMILY_LABELS[family], rgb_of(colour)) for family, colour in FAMILY_COLOURS.items()]
    ended = UnitStatus.DEREGISTERED
    draw_group_map(
        counts,
        [*kinds, PieSlice(str(ended), UNIT_STATUS_LABELS[ended], UNKNOWN)],
        "units",
        key="unit-map",
        on_pick=narrow,
    )
    nowhere = sum(count.count for count in counts if not count.gsp_group)
    beside = f" {nowhere:,} with assets in no known group: the list has them." if nowhere else ""
    st.caption(
        f"A unit is counted in each GSP group in which some of it lies. Choose a piece to see its units in the list.{beside}"
    )


def narrow(group: str, kind: str) -> None:
    """Only the units of one family in one GSP group, or those that have ended there: as the filters above would have it."""
    first_units()
    ended = kind == UnitStatus.DEREGISTERED
    st.session_state["gsp"] = [group]
    st.session_state["family"] = [] if ended else [kind]
    st.session_state["status"] = [kind] if ended else [str(UnitStatus.ACTIVE)]

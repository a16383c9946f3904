"""A market unit as it stood at the end of a day: what it came to, and what was in it (UC-03.03)."""

from datetime import date

import streamlit as st

from pages.components.asset.as_of import KEY, end_of
from pages.components.common.power import show_kw
from pages.components.unit.labels import TYPE_LABELS, count_of, draw_fact
from pages.components.unit.members import draw_member_table
from services.core.clock import show_date
from services.core.identity.actor import Actor
from services.market.units.units import UNIT_STATUS_LABELS, UnitThen


def draw_then(actor: Actor, stood: UnitThen, day: date) -> None:
    """That this is the past, the sums of then, and the assets of then."""
    unit, counted = stood.unit, stood.counted
    st.warning(
        f"**The unit as it stood at the end of {show_date(day)}**: {UNIT_STATUS_LABELS[unit.status]}, composition "
        f"{unit.composition}. Nothing can be done with it here.",
        icon=":material/history:",
    )
    st.button("Back to the present", icon=":material/undo:", on_click=_to_present)
    if counted is not None:
        grid = st.grid(4, min_column_width=150)
        for label, value in {
            "kW up": show_kw(counted.up),
            "kW down": show_kw(counted.down),
            "Assets": f"{counted.assets:,}",
            "Type": str(counted.unit_type),
        }.items():
            draw_fact(grid, label, value)
        st.caption(f"{TYPE_LABELS[counted.unit_type]}; {count_of(counted.assets)} were in it.")
    st.markdown("#### Assets in it then")
    draw_member_table(actor, unit.id, end_of(day), f"members-{day}")


def _to_present() -> None:
    st.session_state[KEY] = None

"""Applications as a table: choosing one opens it; several can be chosen where they are decided together (UC-04.02)."""

from collections.abc import Sequence

import streamlit as st

from pages.components.qualification.labels import row_of
from services.market.qualification.listing import QualificationLine


def draw_qualification_table(
    lines: Sequence[QualificationLine], without: Sequence[str] = (), *, several: bool = False, key: str = "applications"
) -> list[QualificationLine]:
    """The table. One choice opens the application; with `several`, the selected ones are returned instead."""
    rows = [{name: value for name, value in row_of(line).items() if name not in without} for line in lines]
    event = st.dataframe(
        rows,
        hide_index=True,
        width="stretch",
        placeholder="–",
        height=min(35 * (len(rows) + 1) + 2, 620),
        column_config={
            "kW": st.column_config.NumberColumn("kW", format="localized"),
            "Due": st.column_config.DateColumn("Due", format="D MMM YYYY"),
            "Valid until": st.column_config.DateColumn("Valid until", format="D MMM YYYY"),
        },
        on_select="rerun",
        selection_mode="multi-row" if several else "single-row",
        key=key,
        alt=f"{len(rows)} applications",
    )
    selected = [lines[place] for place in event.selection.rows if place < len(lines)]
    if selected and not several:
        st.switch_page("pages/market/application.py", query_params={"id": str(selected[0].qualification.id)})
    if not several:
        st.caption("Choose a row to open the application.")
    return selected

"""The register in numbers, as far as the actor's view reaches, large enough for the back of a room."""

from collections.abc import Sequence

import streamlit as st

from models.assets import AssetStatus
from pages.components.common import charts
from pages.components.common.power import show_power
from pages.components.home.recent import draw_recent
from services.assets.counters.figures import RegisterNumbers, merge_withheld
from services.governance.recent import RecentChange


def draw_numbers(numbers: RegisterNumbers, changes: Sequence[RecentChange] = ()) -> None:
    """Draw headlines, assets by status and category, growth, where the power is; recent changes under the shorter side."""
    st.subheader("Key figures", anchor=False)
    if numbers.anonymised:
        st.caption(
            "Figures over all participants. A figure of fewer than five assets or three providers is withheld, and so is "
            "whatever would let it be worked out. They are made once a day and rounded, counts to five and power to three "
            "digits; a figure in which too little changed stays as it was."
        )
    verified = next((cell for cell in numbers.by_status if cell.code == AssetStatus.VERIFIED), None)
    new = numbers.growth[-1].registered if numbers.growth else None
    cells = st.grid(4, min_column_width=160)
    cells.metric("Active assets", _count(numbers.total.count), border=True)
    cells.metric("Rated power", show_power(numbers.total.rated_kw), border=True)
    cells.metric("Verified", _count(verified.count if verified else 0), border=True)
    cells.metric("New this month", _count(new), border=True)
    categories = merge_withheld(numbers.by_category, numbers.total, "Other categories")
    groups = merge_withheld(numbers.by_gsp_group, numbers.total, "Other GSP groups")
    left, right = st.columns(2)
    with left.container(border=True):
        charts.draw_assets_by_status(numbers.by_status)
    with left.container(border=True):
        charts.draw_growth(numbers.growth)
    if changes:
        with left:
            draw_recent(changes)
    with right.container(border=True):
        charts.draw_power_by_category(categories)
    with right.container(border=True):
        charts.draw_power_by_group(groups)
    every = [*numbers.by_status, *categories, *groups]
    withheld = sum(1 for cell in every if cell.withheld)
    if withheld:
        st.caption(f":material/visibility_off: {withheld} figures are withheld.")


def _count(count: int | None) -> str:
    return "withheld" if count is None else f"{count:,}"

"""Stacking (UC-04.01, UC-04.03): the matrix as one picture a mode, and the question for a set of products."""

from typing import Literal

import streamlit as st

from models.products import MarketTableKind
from pages.components.common.actions import show_outcome
from pages.components.common.asset_filters import accept_codes
from pages.components.common.downloads import draw_table_download
from pages.components.product.stacking_editor import draw_stacking_editor
from pages.components.product.stacking_matrix import MODES, draw_legend, draw_matrix
from pages.components.product.table_editions import choose_edition
from pages.frame import session
from pages.frame.markdown import escape_markdown
from pages.frame.navigation import link
from services.core.identity.permissions import may
from services.market.products.market_table_editions import market_table
from services.market.products.market_tables import STACKING_LABELS, build_stacking_matrix
from services.market.products.products import list_products
from services.market.products.stacking import Holding, can_be_held

COLOURS: dict[Holding, Literal["blue", "orange", "gray"]] = {
    Holding.YES: "blue",
    Holding.NO: "orange",
    Holding.ASK: "gray",
    Holding.NOT_APPLICABLE: "gray",
}


def draw_question() -> None:
    """Can these be stacked? For products that are chosen here or named in the address."""
    st.subheader("Can these be stacked?", anchor=False)
    names = {view.product.code: f"{view.product.code}, {view.version.name}" for view in list_products(actor)}
    accept_codes("product", names)
    codes = st.multiselect(
        "Products",
        list(names),
        format_func=names.__getitem__,
        key="product",
        bind="query-params",
        placeholder="Two or more",
    )
    if len(codes) < 2:
        st.caption("Choose two products or more.")
        return
    answer = can_be_held(actor, codes)
    with st.container(horizontal=True):
        for mode, holding in zip(MODES, (answer.co_delivery, answer.splitting, answer.jumping), strict=True):
            st.badge(f"{mode}: {holding}", color=COLOURS[holding])
    rows = [
        {
            "Products": f"{pair.first} with {pair.second}",
            **{mode: STACKING_LABELS[pair.cell[place]] for place, mode in enumerate(MODES)},
            "On condition": pair.condition or "",
        }
        for pair in answer.pairs
    ]
    st.dataframe(rows, hide_index=True, width="stretch", height="content", alt="What each pair comes to")
    st.caption(f"{'; '.join(f'{mode}: {words}' for mode, words in MODES.items())}.")
    st.caption("For the whole set the least favourable pair decides. What nobody has said is never taken for a yes.")


actor = session.actor()
st.title("Stacking", anchor=False)
st.caption(
    "Which products the same asset may serve, in three modes. By the codes of the matrix, some of which cover several."
)
show_outcome()
draw_question()
st.subheader("The matrix", anchor=False)
table = choose_edition(actor, MarketTableKind.STACKING)
cells = build_stacking_matrix(table.rows)
codes = list(dict.fromkeys(first for first, _second in cells))
draw_legend()
mode = st.segmented_control(
    "Mode", list(MODES), default=next(iter(MODES)), key="mode", bind="query-params", label_visibility="collapsed"
)
draw_matrix(mode or next(iter(MODES)), codes, cells, "stacking")
members = {
    code: [view.product.code for view in list_products(actor) if view.version.stacking_code == code] for code in codes
}
several = [
    f"{escape_markdown(code)}: {', '.join(related)}"
    for code, related in members.items()
    if related and related != [code]
]
without = [code for code, related in members.items() if not related]
st.caption(
    f"Codes that stand for other products: {'; '.join(several)}. Without a product in the catalogue: {', '.join(without)}."
)
draw_table_download("Download as CSV", table.rows, "stacking.csv")
if may(actor, "product.decide"):
    with st.expander("Publish the next edition", icon=":material/edit:"):
        draw_stacking_editor(actor, market_table(actor, MarketTableKind.STACKING), codes)
link("market/products.py", "All products", "arrow_back")

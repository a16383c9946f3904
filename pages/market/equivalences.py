"""The table of equivalences (UC-04.01): qualified for the one, a unit may apply for the other; kept in editions."""

import streamlit as st

from models.products import MarketTable, MarketTableKind
from pages.components.common.actions import show_outcome
from pages.components.common.downloads import draw_table_download
from pages.components.product.table_editions import choose_edition, draw_publishing
from pages.frame import session
from pages.frame.navigation import link
from services.core.identity.permissions import may
from services.market.products.market_table_editions import market_table
from services.market.products.products import ProductFilters, list_products

EDITED = "equivalences!edited"


def draw_editor(table: MarketTable) -> None:
    """All rows at once: add, change, take away; then publish."""
    codes = {view.product.code: view.version.name for view in list_products(actor, ProductFilters(ended=True))}
    product = {"options": list(codes), "format_func": lambda code: f"{code}, {codes.get(code, '')}", "required": True}
    edited = st.data_editor(
        table.rows,
        num_rows="dynamic",
        hide_index=True,
        width="stretch",
        height="content",
        column_config={
            "FromProduct": st.column_config.SelectboxColumn("Qualified for", **product),
            "ToProduct": st.column_config.SelectboxColumn("May apply for", **product),
            "Note": st.column_config.TextColumn("What remains to be checked", max_chars=300),
        },
        key=EDITED,
    )
    draw_publishing(actor, table, [{name: row.get(name) or "" for name in row} for row in edited], EDITED)


actor = session.actor()
st.title("Table of equivalences", anchor=False)
st.caption(
    "A unit that is qualified for the one product may apply for the other, too. Indicative: duration, direction, location and "
    "buyer are checked all the same."
)
show_outcome()
table = choose_edition(actor, MarketTableKind.EQUIVALENCES)
names = {view.product.code: view.version.name for view in list_products(actor, ProductFilters(ended=True))}
st.dataframe(
    [
        {
            "Qualified for": f"{row['FromProduct']}, {names.get(row['FromProduct'], '')}",
            "May apply for": f"{row['ToProduct']}, {names.get(row['ToProduct'], '')}",
            "What remains to be checked": row.get("Note", ""),
        }
        for row in table.rows
    ],
    hide_index=True,
    width="stretch",
    height="content",
    column_config={
        # Names are long: what remains to be checked is seen without moving the table.
        "Qualified for": st.column_config.TextColumn(width=270),
        "May apply for": st.column_config.TextColumn(width=270),
    },
    alt="The table of equivalences",
)
draw_table_download("Download as CSV", table.rows, "equivalences.csv")
if may(actor, "product.decide"):
    with st.expander("Publish the next edition", icon=":material/edit:"):
        draw_editor(market_table(actor, MarketTableKind.EQUIVALENCES))
link("market/products.py", "All products", "arrow_back")

"""Assets that are chosen in a table and stand in the address, as if they were one unit, against every product (UC-04.03)."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from uuid import UUID

import streamlit as st

from models.assets import STATUS_LABELS
from models.products import FAMILY_LABELS, Family
from pages.components.common.asset_filters import choose_filters
from pages.components.desk.table import code_labels
from pages.components.product.opportunities import draw_opportunities
from pages.frame.markdown import escape_markdown
from services.assets.reading.listing import AssetLine, list_lines
from services.core.errors import NotFound
from services.core.identity.actor import Actor
from services.market.eligibility.opportunities import opportunities_of_assets

MOST_ASSETS, MOST_IN_ADDRESS = 200, 50


def draw_assets(actor: Actor) -> None:
    """Assets that are chosen in a table, as if they were one unit."""
    st.caption("Choose assets: they are judged as if they were one unit. Nothing is built by it.")
    filters = choose_filters(actor)
    page = list_lines(actor, filters, limit=MOST_ASSETS)
    named = named_assets()
    if not page.items and not named:
        st.info("No asset passes these filters. Choose fewer, or register assets first.", icon=":material/bolt:")
        return
    ids = choose_assets(page.items, named)
    if page.next_cursor is not None:
        st.caption(f"The first {MOST_ASSETS} are listed: filter to find others.")
    families = [None, *Family]
    family = st.selectbox(
        "As a unit of",
        families,
        format_func=lambda family_choice: FAMILY_LABELS[family_choice] if family_choice else "whichever family fits",
    )
    share_assets(ids)
    if not ids:
        st.info("Choose one or more assets in the table.", icon=":material/touch_app:")
        return
    try:
        draw_opportunities(actor, opportunities_of_assets(actor, ids, family), "assets")
    except NotFound as refused:
        st.warning(f"{escape_markdown(refused.message)} Choose others.", icon=":material/visibility_off:")


def choose_assets(listed: Sequence[AssetLine], named: Sequence[UUID]) -> list[UUID]:
    """The assets that are chosen in the table; at first those that the address names, whether they are listed or not."""
    places = {asset.id: place for place, asset in enumerate(listed)}
    labels = code_labels()
    event = st.dataframe(
        [asset_row(asset, labels) for asset in listed],
        hide_index=True,
        width="stretch",
        height=min(35 * (len(listed) + 1) + 2, 320),
        column_config={"Rated (kW)": st.column_config.NumberColumn("Rated (kW)", format="localized")},
        on_select="rerun",
        selection_mode="multi-row",
        selection_default={"selection": {"rows": sorted(places[asset_id] for asset_id in named if asset_id in places)}},
        # Another list is another table: what is chosen there comes from the address again, not from places in this one.
        key=f"chosen-assets-{hash(tuple(places))}",
        alt=f"{len(listed)} assets to choose from",
    )
    beyond = [asset_id for asset_id in named if asset_id not in places]
    if beyond:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(f"{len(beyond):,} more that were chosen aren't among those listed; they count.")
            st.button("Choose anew", type="tertiary", on_click=st.query_params.pop, args=("assets", None))
    selected = {listed[row].id for row in event.selection.rows if row < len(listed)}
    # In the order of the address, what is new behind it: a link stays what it was.
    return [
        *(asset_id for asset_id in named if asset_id in selected or asset_id not in places),
        *sorted(selected - set(named)),
    ]


def named_assets() -> list[UUID]:
    """The assets that the address names; what isn't an identifier is passed over."""
    asset_ids: list[UUID] = []
    for text in st.query_params.get("assets", "").split(","):
        with suppress(ValueError):
            asset_ids.append(UUID(text))
    return list(dict.fromkeys(asset_ids))


def share_assets(ids: Sequence[UUID]) -> None:
    """The choice stands in the address, so that a link to it can be sent; of very many it would be too long."""
    if len(ids) > MOST_IN_ADDRESS:
        st.query_params.pop("assets", None)
        st.caption(f"More than {MOST_IN_ADDRESS} are too many for an address: a link to this page won't name them.")
    elif ids:
        st.query_params["assets"] = ",".join(map(str, ids))
    else:
        st.query_params.pop("assets", None)


def asset_row(asset: AssetLine, labels: Mapping[str, str]) -> dict[str, object]:
    """An asset to choose."""
    return {
        "Name": asset.name,
        "Category": labels.get(asset.category, asset.category),
        "Status": STATUS_LABELS[asset.status],
        "Rated (kW)": float(asset.rated_kw),
        "GSP group": asset.gsp_group or "",
    }

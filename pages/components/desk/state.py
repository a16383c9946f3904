"""Selection on the desk, kept in the address: an asset that is shown, a hexagon that is looked into."""

from collections.abc import Mapping
from contextlib import suppress
from uuid import UUID

import streamlit as st

from pages.components.common.asset_filters import HEXAGON, first_page
from services.assets.map.features import asset_of

ASSET = "asset"
FOCUS = "desk!focus"
"""Where the map is to look: set by choosing a row, which may lie outside of what the map shows."""


def chosen_asset() -> UUID | None:
    """The asset that is shown beside the map."""
    with suppress(ValueError):
        return UUID(st.query_params.get(ASSET, ""))
    return None


def choose_asset(identifier: object, focus: tuple[float, float] | None = None) -> None:
    """Show an asset; with `focus` (latitude, longitude) the map goes there."""
    st.query_params[ASSET] = str(identifier)
    if focus is not None:
        st.session_state[FOCUS] = focus


def leave_asset() -> None:
    """Show no asset any more."""
    st.query_params.pop(ASSET, None)


def choose_hexagon(cell: str) -> None:
    """Look into a hexagon: list and map hold what is in it."""
    _narrow()
    st.query_params[HEXAGON] = cell


def leave_hexagon() -> None:
    """Look at everything again."""
    _narrow()
    st.query_params.pop(HEXAGON, None)


def _narrow() -> None:
    first_page()
    st.session_state.pop(FOCUS, None)


def apply_map_click(picked: Mapping[str, str]) -> None:
    """Select what was clicked on the map: an asset (`i`, in short) is shown, a hexagon (`h`) looked into."""
    if picked.get("i"):
        choose_asset(asset_of(picked["i"]))
    elif picked.get("h"):
        choose_hexagon(picked["h"])

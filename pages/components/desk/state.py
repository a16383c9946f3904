"""Selection on the desk, kept in the address: an asset that is shown, a hexagon that is looked into."""

from contextlib import suppress
from typing import Any
from uuid import UUID

import streamlit as st

from pages.components.common.asset_filters import HEXAGON, first_page
from pages.frame.markdown import escape_markdown
from services.assets.map.features import asset_of
from services.grid.ground import find_place

ASSET = "asset"
VIEW = "desk!view"
"""View that the map keeps while filters change, with what would move it."""
FITTED = "desk!fitted"
"""Number of times that the map was fitted to what it shows."""
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


def go_to_place(key: str) -> None:
    """Have the map look at the postcode or town that was typed into the field of this key."""
    text = str(st.session_state.get(key) or "").strip()
    place = find_place(text)
    if place is not None:
        st.session_state[FOCUS] = (place.latitude, place.longitude)
    elif text:
        st.toast(
            f"No postcode or town in Great Britain begins with “{escape_markdown(text)}”.",
            icon=":material/wrong_location:",
        )


def fit_map() -> None:
    """Have the map show everything that passes the filters."""
    st.session_state.pop(FOCUS, None)
    for key in (VIEW, f"{VIEW}-review"):
        st.session_state.pop(key, None)
    st.session_state[FITTED] = st.session_state.get(FITTED, 0) + 1


def _narrow() -> None:
    first_page()
    st.session_state.pop(FOCUS, None)


def apply_map_click(key: str) -> None:
    """Select what was clicked on the map; a click on nothing changes nothing."""
    objects: dict[str, list[dict[str, Any]]] = st.session_state[key].selection.objects
    for item in objects.get("tiles", []):
        properties = item.get("properties") or {}
        if properties.get("i"):
            choose_asset(asset_of(properties["i"]))
        elif properties.get("h"):
            choose_hexagon(properties["h"])

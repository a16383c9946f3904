"""Position of an asset: picked on the map, typed in degrees or in National Grid metres, or taken from its postcode."""

import re
from collections.abc import Sequence
from typing import Any

import streamlit as st

from pages.components.asset_form.position_picker import pick_position
from pages.components.common.form_field import Findings, draw_field, show_beside
from pages.components.common.form_state import PLACE, FormState
from services.core.attributes import FormField
from services.grid.geography import (
    gsp_group_at,
    gsp_group_name,
    in_great_britain,
    km_beyond_postcode,
    nearest_outcode,
    outcode_of,
    outcode_position,
    to_national_grid,
    to_wgs84,
)

WAYS = {
    "map": "Pick on the map",
    "degrees": "Latitude and longitude",
    "metres": "Eastings and northings",
    "postcode": "Postcode only",
}
DEGREES, METRES = ("Latitude", "Longitude"), ("Easting", "Northing")
POSITION_TERMS = (*DEGREES, *METRES)
NUMBER = re.compile(r"\s*-?[0-9]{1,9}(\.[0-9]{1,15})?\s*")


def draw_position(fields: Sequence[FormField], state: FormState, findings: Findings) -> None:
    """The ways to say a position, the fields of the one chosen, and where that is."""
    by_term = {field.term: field for field in fields}
    rest = [field for field in fields if field.term not in POSITION_TERMS]
    if any(term in by_term for term in POSITION_TERMS):
        state.put(PLACE, state.get(PLACE))
        st.segmented_control(
            "How do you know the position?",
            list(WAYS),
            format_func=WAYS.__getitem__,
            required=True,
            key=state.key(PLACE),
            persist_state="session",
        )
    way = state.get(PLACE)
    terms = {"degrees": DEGREES, "metres": METRES}.get(way, ())
    grid = st.grid(3, min_column_width=220)
    for field in [*rest, *(by_term[term] for term in terms if term in by_term)]:
        with grid.container():
            draw_field(field, state, findings)
    if way == "map":
        _pick(state)
    for term in POSITION_TERMS:
        if term not in terms:
            show_beside(findings.get(term, ()))
    st.caption(describe_position(state))


def _pick(state: FormState) -> None:
    latitude, longitude = (_number(state.get(term)) for term in DEGREES)
    postcode = str(state.get("Postcode") or "")
    picked = pick_position(key=f"{state.slot}!map", latitude=latitude, longitude=longitude, postcode=postcode)
    if picked is None or picked == state.note("picked"):
        return
    state.remember("picked", picked)
    state.put("Latitude", f"{picked.latitude:.5f}")
    state.put("Longitude", f"{picked.longitude:.5f}")
    # What is said about the position was worked out before the pin moved.
    st.rerun()


def _number(value: Any) -> float | None:
    text = str(value or "")
    return float(text) if NUMBER.fullmatch(text) else None


def describe_position(state: FormState) -> str:
    """The position in words: both kinds of coordinates, GSP group and outward code; or what is still missing."""
    way = state.get(PLACE)
    if way == "postcode":
        centre = outcode_position(str(state.get("Postcode") or ""))
        if centre is None:
            return "Type the postcode: the centre of its outward code (about 3 km off) stands for the position."
        return f":material/pin_drop: About {_in_words(*centre)}, from the outward code"
    pair = [_number(state.get(term)) for term in (METRES if way == "metres" else DEGREES)]
    if pair[0] is None or pair[1] is None:
        hint = "Click or tap the map to set the pin." if way == "map" else "Type both coordinates."
        return f"No position yet. {hint} Without one, the postcode stands for it."
    try:
        place = to_wgs84(pair[0], pair[1]) if way == "metres" else (pair[0], pair[1])
    except ValueError:
        return ":orange[:material/warning: These coordinates are no place on Earth.]"
    if not in_great_britain(*place):
        return ":orange[:material/warning: This is outside Great Britain: check both coordinates.]"
    return f":material/pin_drop: {_in_words(*place)}{_far_from_postcode(*place, str(state.get('Postcode') or ''))}"


def _far_from_postcode(latitude: float, longitude: float, postcode: str) -> str:
    """How far the position is from the postcode beside it, where it can't be of that one."""
    km = km_beyond_postcode(latitude, longitude, postcode)
    if km is None:
        return ""
    words = f"{km:.0f} km from the centre of {outcode_of(postcode)}: check position and postcode."
    return f"\n\n:orange[:material/warning: {words}]"


def _in_words(latitude: float, longitude: float) -> str:
    group = gsp_group_at(latitude, longitude)
    metres = to_national_grid(latitude, longitude)
    area = f"GSP group {gsp_group_name(group)} ({group})" if group else "at sea, in no GSP group"
    near = nearest_outcode(latitude, longitude)
    return (
        f"{latitude:.5f}, {longitude:.5f} (easting {metres.easting:.0f}, northing {metres.northing:.0f}), {area}"
        f"{f', near {near}' if near else ''}"
    ).replace("_", "\\_")


def position_values(state: FormState) -> dict[str, object]:
    """The position as handed to the register: the coordinates of the way chosen, the others empty."""
    terms = {"map": DEGREES, "degrees": DEGREES, "metres": METRES}.get(state.get(PLACE), ())
    return {term: (state.get(term) or None) if term in terms else None for term in POSITION_TERMS}

"""Look-up before registering: is this asset in the register already? (UC-02.01)"""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from pages.components.asset_form.form import AssetForm
from pages.components.common.aliases import typed_aliases
from pages.components.common.form_state import PLACE, FormState
from pages.frame.markdown import escape_markdown
from services.assets.registration.lookup import LookupOutcome, LookupResult, look_up
from services.assets.rules.reference import code_list
from services.assets.rules.schemas import CORE
from services.core.attributes import text_of
from services.core.errors import TooManyRequests
from services.core.identity.actor import Actor

WAYS = {"mpan": "MPAN", "device": "Serial number", "alias": "Other identifier"}


def look_up_step(actor: Actor, state: FormState) -> LookupResult | None:
    """Ask for an identifier and look it up; the last answer, as long as the question stays what it was."""
    way = st.segmented_control(
        "Look up by",
        list(WAYS),
        format_func=WAYS.__getitem__,
        default="mpan",
        required=True,
        key=state.key("way"),
        persist_state="session",
    )
    with st.form(state.key("form"), border=False, enter_to_submit=True):
        asked = _question(str(way), state)
        pressed = st.form_submit_button("Look up", icon=":material/search:")
    if pressed:
        try:
            state.remember("answer", look_up(actor, **asked))
            state.remember("asked", asked)
        except TooManyRequests as refused:
            state.take("answer")
            st.error(escape_markdown(refused.message), icon=":material/timer:")
    answer = state.note("answer")
    if answer is None or asked != state.note("asked"):
        return None
    show_answer(answer)
    return answer


def _question(way: str, state: FormState) -> dict[str, str | None]:
    if way == "mpan":
        return {"mpan": st.text_input("MPAN", key=state.key("mpan"), placeholder="13 digits, or 21 from a bill")}
    grid = st.grid(2, min_column_width=220)
    if way == "device":
        return {
            "serial_number": grid.text_input(
                "Serial number", key=state.key("serial"), placeholder="From the nameplate"
            ),
            "manufacturer": grid.text_input("Manufacturer", key=state.key("maker")),
        }
    labels = {code.code: code.label for code in code_list("AliasScheme") if code.active}
    scheme = grid.selectbox("Scheme", list(labels), format_func=labels.__getitem__, key=state.key("scheme"))
    return {"alias_scheme": scheme, "alias_value": grid.text_input("Identifier", key=state.key("alias"))}


def show_answer(answer: LookupResult) -> None:
    """Answer of the look-up, and the ways on."""
    ways = "".join(f"\n- {escape_markdown(way)}" for way in answer.ways_on)
    words = f"{escape_markdown(answer.message)}\n{ways}"
    match answer.outcome:
        case LookupOutcome.MINE:
            st.success(words, icon=":material/bolt:")
            for asset_id in answer.asset_ids:
                st.page_link(
                    "pages/assets/asset.py",
                    label="Open the asset",
                    icon=":material/open_in_new:",
                    query_params={"id": str(asset_id)},
                )
        case LookupOutcome.OTHER_PROVIDER:
            st.warning(words, icon=":material/lock:")
        case LookupOutcome.MALFORMED:
            st.error(words, icon=":material/error:")
        case LookupOutcome.NONE:
            st.info(words, icon=":material/add_circle:")


def fill_empty(form: AssetForm, terms: Mapping[str, Any]) -> None:
    """Fill in values by term where nothing has been typed yet."""
    typed = as_typed(terms)
    form.fill({name: value for name, value in typed.items() if form.state.get(name) in (None, "", 1, "map")})


def as_typed(terms: Mapping[str, Any]) -> dict[str, Any]:
    """Values by term as they would be typed: text for all that is typed, yes or no and lists as they are."""
    entries: dict[str, Any] = {}
    for term, value in terms.items():
        if value in (None, "", []):
            continue
        if term == "Aliases":
            entries |= typed_aliases(value)
        elif term in CORE and CORE[term].kind == "boolean":
            entries[term] = bool(value)
        elif isinstance(value, list):
            entries[term] = [text_of(item) for item in value]
        elif term in CORE or term not in ("GspGroup", "PositionSource"):
            entries[term] = text_of(value)
    if "Latitude" in entries:
        entries[PLACE] = "degrees"
    return entries

"""Building a market unit, or putting more assets into one: pick by filter, table and map; see what it comes to; confirm."""

from uuid import UUID

import streamlit as st

from models.products import FAMILY_LABELS, Family
from models.units import UnitStatus
from pages.components.common.actions import DONE, show_outcome
from pages.components.common.asset_filters import choose_filters
from pages.components.unit.basket import basket, draw_basket, empty, put
from pages.components.unit.labels import FAMILY_HELP
from pages.components.unit.picker import draw_picking
from pages.components.unit.preview import describe_change, has_obstacles
from pages.frame import session
from pages.frame.markdown import escape_markdown
from pages.frame.refusals import show_refusal
from pages.frame.titles import name_window
from services.core.errors import NotFound, RegisterError
from services.market.unit_changes.composition import CompositionPreview, create_unit, update_composition
from services.market.units.units import UnitDetails, get_unit

WITH = "with"
"""The asset that a unit is begun with, in the address."""


def read_unit() -> UnitDetails | None:
    """The unit that assets are put into; None for a new one."""
    text = st.query_params.get("into", "")
    if not text:
        return None
    try:
        return get_unit(actor, UUID(text))
    except ValueError:
        raise NotFound("market unit", text) from None


def choose_family() -> Family:
    """Family that the unit is offered for; the basket stays, and says what another unit of the family has."""
    family = st.segmented_control(
        "Offered for",
        list(FAMILY_LABELS),
        format_func=FAMILY_LABELS.__getitem__,
        default=Family.DSO,
        required=True,
        key="family",
        bind="query-params",
    )
    st.caption(f"{FAMILY_LABELS[family]}: {FAMILY_HELP[family]}. An asset is in one unit of each family at a time.")
    return family


def confirm_new(family: Family) -> None:
    """Name and code, and the last word."""
    name = st.text_input(
        "Name", key="unit-name", persist_state="session", placeholder="For example: Riverside batteries"
    )
    code = st.text_input(
        "Code", key="unit-code", persist_state="session", help="Your own: unique in your organisation, never used again.",
        placeholder="For example: RIV-DSO",
    )  # fmt: skip
    if st.button("Make the unit", type="primary", icon=":material/add_box:", width="stretch"):
        try:
            details = create_unit(actor, name=name, code=code, family=family, asset_ids=basket())
        except RegisterError as refused:
            show_refusal(refused, {"UnitName": "Name", "UnitCode": "Code"})
            return
        for key in ("unit-name", "unit-code"):
            st.session_state.pop(key, None)
        open_unit(details, "Unit created.")


def confirm_change(whole: UnitDetails, preview: CompositionPreview) -> None:
    """The last word on putting more in."""
    if st.button(f"Confirm: {describe_change(preview)}", type="primary", icon=":material/check:", width="stretch"):
        try:
            details = update_composition(actor, whole.unit.id, whole.unit.version, add=basket())
        except RegisterError as refused:
            show_refusal(refused)
            return
        open_unit(details, "The unit is changed.")


def open_unit(details: UnitDetails, words: str) -> None:
    """Open the unit, with the good news."""
    empty()
    st.session_state[DONE] = words
    st.switch_page("pages/market/unit.py", query_params={"id": str(details.unit.id)})


def take_along() -> None:
    """Put the asset that the address names into the basket, once."""
    try:
        put([UUID(st.query_params.pop(WITH, ""))])
    except ValueError:
        return


actor = session.actor()
take_along()
whole = read_unit()
if whole is None:
    st.title("Build a market unit", anchor=False)
    st.caption("Pick Verified assets, see the total, then name the unit.")
    family = choose_family()
else:
    st.title(f"Put assets into {escape_markdown(whole.unit.name)}", anchor=False)
    name_window(f"Put assets into {whole.unit.name}")
    family = whole.unit.family
    back = {"id": str(whole.unit.id)}
    st.page_link("pages/market/unit.py", label="Back to the unit", icon=":material/arrow_back:", query_params=back)
    if whole.unit.status is not UnitStatus.ACTIVE:
        st.info("The unit is de-registered: its record is closed. Build a new one instead.", icon=":material/archive:")
        st.stop()
show_outcome()
left, right = st.columns([3, 2])
with right:
    preview = draw_basket(actor, family, whole)
    if preview is not None and not has_obstacles(preview):
        if whole is None:
            confirm_new(family)
        else:
            confirm_change(whole, preview)
with left:
    draw_picking(actor, family, choose_filters(actor, by_status=False))

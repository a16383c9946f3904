"""The basket of a unit that is being built: what lies in it, what that comes to, what it could be offered for (UC-03.01)."""

from collections.abc import Collection, Iterable
from uuid import UUID

import streamlit as st

from models.products import Family
from pages.components.unit.labels import count_of
from pages.components.unit.preview import draw_preview, has_obstacles
from pages.frame.markdown import escape_markdown
from services.core.identity.actor import Actor
from services.market.eligibility.opportunities import opportunities_of_assets
from services.market.eligibility.requirements import STANDING_LABELS, EligibilityStanding
from services.market.unit_changes.composition import CompositionPreview, preview_composition, preview_unit
from services.market.units.units import UnitDetails

BASKET = "unit!basket"
NEARLY_SHOWN = 5


def basket() -> list[UUID]:
    """Identifiers of the assets in the basket, in the order in which they were put in."""
    return list(st.session_state.get(BASKET, {}))


def put(asset_ids: Iterable[UUID]) -> None:
    """Put assets in; those that lie in it stay."""
    st.session_state[BASKET] = {**st.session_state.get(BASKET, {}), **dict.fromkeys(asset_ids)}


def leave_out(asset_ids: Collection[UUID]) -> None:
    """Take assets out of the basket."""
    st.session_state[BASKET] = {asset_id: None for asset_id in basket() if asset_id not in asset_ids}


def empty() -> None:
    """Begin anew."""
    st.session_state.pop(BASKET, None)


def draw_basket(actor: Actor, family: Family, whole: UnitDetails | None) -> CompositionPreview | None:
    """The basket with what its assets come to; None while nothing lies in it."""
    inside = basket()
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader(f"Basket: {count_of(len(inside))}", anchor=False)
        if inside:
            st.button("Empty it", icon=":material/remove_shopping_cart:", type="tertiary", on_click=empty)
    if not inside:
        st.info(
            "Your basket is empty. Choose rows of the table or a point on the map, or add all that match the filters.",
            icon=":material/add_shopping_cart:",
        )
        return None
    if whole is None:
        preview = preview_unit(actor, family, asset_ids=inside)
    else:
        preview = preview_composition(actor, whole.unit.id, add=inside)
    draw_preview(preview, new=whole is None)
    if has_obstacles(preview):
        st.button(
            "Leave these out", icon=":material/playlist_remove:", on_click=leave_out, args=(frozenset(preview.refused),)
        )
    elif whole is None:
        draw_outlook(actor, family, inside)
    return preview


def draw_outlook(actor: Actor, family: Family, inside: list[UUID]) -> None:
    """Products that a unit of these assets would be eligible for: it grows with the basket."""
    items = [item for item in opportunities_of_assets(actor, inside, family).items if item.version.family is family]
    eligible = [item for item in items if item.verdict.eligibility is EligibilityStanding.ELIGIBLE]
    nearly = [item for item in items if item.verdict.eligibility is EligibilityStanding.NEARLY]
    with st.container(border=True):
        st.markdown(f"**What it would be eligible for** :gray[(indicative; {len(items)} products of the family)]")
        if eligible:
            with st.container(horizontal=True):
                for item in eligible:
                    st.badge(
                        escape_markdown(item.version.code),
                        icon=":material/check:",
                        color="green",
                        help=escape_markdown(item.version.name),
                    )
        else:
            st.caption("Nothing yet.")
        for item in nearly[:NEARLY_SHOWN]:
            words = " ".join(reason.words for reason in item.verdict.unmet)
            label = STANDING_LABELS[EligibilityStanding.NEARLY]
            st.markdown(f":orange-badge[{label}] **{escape_markdown(item.version.name)}**: {escape_markdown(words)}")
        if len(nearly) > NEARLY_SHOWN:
            st.caption(f"And {len(nearly) - NEARLY_SHOWN} more nearly.")

"""The market units that an asset is in, on its page (UC-03.03)."""

from uuid import UUID

import streamlit as st

from models.products import FAMILY_LABELS
from pages.frame.banner import plain
from services.core.clock import show_moment
from services.core.identity.actor import Actor
from services.core.identity.permissions import may
from services.market.units.members import units_of_asset


def draw_units_of(actor: Actor, asset_id: UUID) -> None:
    """A link to each unit that it is in, and since when; nothing where it is in none."""
    if not may(actor, "unit.read"):
        return
    for one in units_of_asset(actor, asset_id):
        if one.until_at is None:
            label = f"In the {FAMILY_LABELS[one.family]} unit {plain(one.name)} since {show_moment(one.from_at)}"
            st.page_link(
                "pages/market/unit.py", label=label, icon=":material/hub:", query_params={"id": str(one.unit_id)}
            )

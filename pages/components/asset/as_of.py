"""The day as of which an asset's page stands: chosen by a date in the address, told by a banner, left by a button."""

from datetime import date, datetime, time, timedelta
from uuid import UUID

import streamlit as st

from models.assets import STATUS_LABELS
from services.assets.asset_page.page import WholeAsset, whole_asset, whole_asset_as_of
from services.core.clock import LONDON, now, show_date, today
from services.core.errors import NotFound
from services.core.identity.actor import Actor

KEY = "as_of"
EARLIEST = date(2000, 1, 1)


def draw_day() -> date | None:
    """The choice of the day, bound to the address, so that a page as it stood can be sent to somebody; None: the present."""
    entry = st.date_input(
        "As it stood at the end of",
        value=None,
        min_value=EARLIEST,
        max_value=today(),
        format="DD/MM/YYYY",
        key=KEY,
        bind="query-params",
        width=240,
        help="Leave empty for the present. The whole page is shown as it stood then: facts, checks, query, status.",
    )
    return entry if isinstance(entry, date) and entry < today() else None


def end_of(day: date) -> datetime:
    """The last moment of a day in Great Britain, or this moment when that is still to come."""
    return min(datetime.combine(day + timedelta(days=1), time(), LONDON) - timedelta(microseconds=1), now())


def read_asset(actor: Actor, asset_id: UUID, day: date | None) -> WholeAsset:
    """The page's content, now or as of a day. Stops with a word where the asset wasn't registered yet on that day."""
    if day is None:
        return whole_asset(actor, asset_id)
    try:
        return whole_asset_as_of(actor, asset_id, end_of(day))
    except NotFound:
        whole_asset(actor, asset_id)
        st.info(f"The asset wasn't registered yet at the end of {show_date(day)}.", icon=":material/history:")
        _way_back()
        st.stop()


def draw_banner(whole: WholeAsset, day: date) -> None:
    """That this is the past, and the way back."""
    st.warning(
        f"**The asset as it stood at the end of {show_date(day)}**: version {whole.asset.version}, "
        f"{STATUS_LABELS[whole.asset.status]}. It stands at version {whole.present_version} now. Everything on this "
        "page is as it was then; nothing can be done with it here.",
        icon=":material/history:",
    )
    _way_back()


def _way_back() -> None:
    st.button("Back to the present", icon=":material/undo:", on_click=_to_present)


def _to_present() -> None:
    st.session_state[KEY] = None

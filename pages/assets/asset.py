"""One asset: its status and what can be done next, its query, its attributes with where they come from, checks and history."""

from datetime import date, datetime, time, timedelta
from uuid import UUID

import streamlit as st

from models.assets import Asset, AssetStatus
from pages.frame import session
from pages.frame.banner import plain
from pages.parts.asset_acts import draw_acts
from pages.parts.asset_checks import draw_checks, follow_checks
from pages.parts.asset_facts import draw_facts
from pages.parts.asset_query import draw_query
from pages.parts.asset_words import Words, provider_name, status_badge, words_for
from pages.parts.attempt import show_outcome
from pages.parts.power import show_kw
from pages.parts.timeline import draw_timeline
from services.assets.checks import checks_of
from services.assets.lifecycle import allowed_actions
from services.assets.provenance import provenance_of
from services.assets.queries import messages_of
from services.assets.reading import asset_as_of, asset_history, get_asset
from services.core.clock import LONDON, in_london, now, show_date, show_moment, today
from services.core.errors import NotFound

NEXT = (
    "**Registered.** What happens next: the register asks the public registers that may know this asset. "
    "If they agree it becomes **Verified**; if one says otherwise it becomes **Query**, and you are asked here."
)


def draw_head(asset: Asset, words: Words) -> None:
    """Name, status and the four things everybody asks first."""
    st.title(plain(asset.asset_name), anchor=False)
    with st.container(horizontal=True, vertical_alignment="center"):
        status_badge(asset.status)
        st.badge(words.value("AssetCategory", asset.asset_category), icon=":material/category:", color="gray")
        st.badge(show_kw(asset.rated_capacity), icon=":material/bolt:", color="gray")
        name = provider_name(words.organisations, asset.service_provider_id)
        st.badge(plain(name), icon=":material/apartment:", color="gray")
    code = f"{plain(asset.friendly_code)} · " if asset.friendly_code else ""
    st.caption(f"{code}Asset ID {asset.id} · version {asset.version}, {show_moment(asset.recorded_at)}")
    if asset.status_reason and asset.status is not AssetStatus.QUERY:
        st.markdown(f"{plain(asset.status_reason)} :small[since {show_moment(asset.status_since)}]")


def choose_day(asset: Asset) -> date | None:
    """The day as of which the attributes are shown; None for now."""
    began = in_london(asset.registered_at).date() if asset.registered_at else today()
    return st.date_input(
        "As it stood at the end of",
        value=None,
        min_value=min(began, today()),
        max_value=today(),
        format="DD/MM/YYYY",
        key="as_of",
        bind="query-params",
        help="Leave empty for the present. The register can show an asset as it stood on any day since its registration.",
    )


def draw_details(asset: Asset, words: Words) -> None:
    """The attributes, now or as of a day."""
    day = choose_day(asset)
    checks = checks_of(actor, asset.id)
    if day is None or day >= today():
        draw_facts(asset, words, provenance_of(actor, asset.id), checks, "place")
        return
    moment = datetime.combine(day + timedelta(days=1), time(), LONDON) - timedelta(microseconds=1)
    try:
        past = asset_as_of(actor, asset.id, min(moment, now()))
    except NotFound:
        st.info(f"The asset wasn't registered yet at the end of {show_date(day)}.", icon=":material/history:")
        return
    st.warning(
        f"**The asset as it stood at the end of {show_date(day)}**: version {past.version}, "
        f"{words.value('Status', past.status)}. It stands at version {asset.version} now. "
        "What sources say is shown with the present only.",
        icon=":material/history:",
    )
    draw_facts(past, words, {}, [], "place-then")


actor = session.actor()
given = st.query_params.get("id", "")
if not given:
    st.info("This page shows one asset: choose it first.", icon=":material/bolt:")
    st.page_link("pages/assets/assets.py", label="Assets and map", icon=":material/map:")
    st.stop()
try:
    asset_id = UUID(given)
except ValueError:
    raise NotFound("asset", given) from None
asset = get_asset(actor, asset_id)
words = words_for(actor, asset)
checks = checks_of(actor, asset.id)
actions = allowed_actions(actor, asset)
messages = messages_of(actor, asset.id)
draw_head(asset, words)
show_outcome()
if st.session_state.get("asset_registered") == str(asset.id):
    if st.session_state.pop("asset_toast", False):
        st.toast("Asset registered.", icon=":material/check_circle:", duration="long")
    waits = asset.status in (AssetStatus.PENDING_VALIDATION, AssetStatus.AWAITING_CONSENT_CHECK)
    if waits and not messages:
        st.info(NEXT, icon=":material/arrow_forward:")
follow_checks(actor, asset, checks)
st.subheader("What can be done next", anchor=False)
draw_acts(actor, asset, actions)
allowed = {action.operation for action in actions if action.allowed}
draw_query(actor, asset, messages, checks, words, allowed)
details, checked, history = st.tabs(
    ["Details", "Checks", "History"], key="part", on_change="rerun", bind="query-params"
)
if details.open:
    with details:
        draw_details(asset, words)
if checked.open:
    with checked:
        draw_checks(checks, words)
if history.open:
    with history:
        draw_timeline(asset_history(actor, asset.id), words)

"""One asset: its status and what can be done next, its query, its attributes with where they come from, checks and history."""

from uuid import UUID

import streamlit as st

from models.assets import Asset, AssetStatus
from pages.components.asset.actions import acts_of, draw_acts
from pages.components.asset.as_of import draw_banner, draw_day, end_of, read_asset
from pages.components.asset.checks import draw_checks, follow_checks
from pages.components.asset.conversation import draw_conversation
from pages.components.asset.facts import draw_facts, draw_units_of
from pages.components.asset.outcome import show_news
from pages.components.asset.query import draw_query
from pages.components.asset.take_back import draw_take_back
from pages.components.asset.timeline import draw_timeline
from pages.components.common.asset_labels import AssetLabels, draw_badges, words_for
from pages.frame import session
from pages.frame.markdown import escape_markdown
from pages.frame.titles import name_window
from services.assets.asset_page.page import WholeAsset
from services.assets.asset_page.timeline import asset_timeline
from services.core.clock import show_moment
from services.core.errors import NotFound
from services.core.identity.permissions import may

NEXT = (
    "**Registered.** What happens next: the register asks the public registers that may know this asset. "
    "If they agree it becomes **Verified**; if one says otherwise it becomes **Query**, and you are asked here."
)


def read_identifier() -> UUID:
    """The asset that the address names; without one, the way to choose it."""
    text = st.query_params.get("id", "")
    if not text:
        st.info("This page shows one asset: choose it first.", icon=":material/bolt:")
        st.page_link("pages/assets/assets.py", label="Assets and map", icon=":material/map:")
        st.stop()
    try:
        return UUID(text)
    except ValueError:
        raise NotFound("asset", text) from None


def draw_head(asset: Asset, words: AssetLabels) -> None:
    """Name, status and the four things everybody asks first."""
    st.title(escape_markdown(asset.asset_name), anchor=False)
    name_window(asset.asset_name)
    draw_badges(asset, words)
    code = f"{escape_markdown(asset.friendly_code)} · " if asset.friendly_code else ""
    st.caption(f"{code}Asset ID {asset.id} · version {asset.version}, {show_moment(asset.recorded_at)}")
    if asset.status_reason and asset.status is not AssetStatus.QUERY:
        st.markdown(f"{escape_markdown(asset.status_reason)} :small[since {show_moment(asset.status_since)}]")


def draw_present(whole: WholeAsset, words: AssetLabels) -> None:
    """News, acts, and the query on top of everything else."""
    asset = whole.asset
    show_news(words)
    draw_take_back(actor)
    if st.session_state.get("asset_registered") == str(asset.id):
        if st.session_state.pop("asset_toast", False):
            st.toast("Asset registered.", icon=":material/check_circle:", duration="long")
        waits = asset.status in (AssetStatus.PENDING_VALIDATION, AssetStatus.AWAITING_CONSENT_CHECK)
        if waits and not whole.messages:
            st.info(NEXT, icon=":material/arrow_forward:")
    follow_checks(actor, asset)
    actions = acts_of(whole)
    if any(action.in_reach for action in actions):
        st.subheader("What can be done next", anchor=False)
    draw_acts(actor, asset, actions)
    allowed = {action.operation for action in actions if action.allowed}
    draw_query(actor, whole, allowed)


actor = session.actor()
asset_id = read_identifier()
head = st.container()
asked = st.empty()
with asked:
    day = draw_day()
try:
    whole = read_asset(actor, asset_id, day)
except NotFound:
    asked.empty()
    raise
words = words_for(actor, whole.asset)
with head:
    if day is not None:
        draw_banner(whole, day)
    draw_head(whole.asset, words)
    if day is None:
        draw_units_of(actor, asset_id)
if day is None:
    draw_present(whole, words)
else:
    draw_query(actor, whole, set())
details, talk, checked, history = st.tabs(
    ["Details", "Conversation", "Checks", "History"], key="part", on_change="rerun", bind="query-params"
)
if details.open:
    with details:
        place = "place" if day is None else "place-then"
        draw_facts(whole.asset, words, whole.provenance, whole.checks, place)
if talk.open:
    with talk:
        draw_conversation(actor, whole, with_form=day is None and may(actor, "asset.comment"))
if checked.open:
    with checked:
        draw_checks(whole.checks, words)
if history.open:
    with history:
        draw_timeline(actor, asset_timeline(actor, asset_id, None if day is None else end_of(day)), words)

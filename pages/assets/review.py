"""The administrator's queue (UC-02.01): assets in validation, the longest waiting first, and whose turn it is."""

import streamlit as st

from models.assets import STATUS_LABELS
from pages.frame import session
from pages.frame.navigation import open_asset
from pages.parts.asset_table import code_labels
from pages.parts.asset_words import organisation_names, provider_name
from services.assets.queries import Awaits, ReviewItem, review_queue
from services.core.clock import in_london, today, working_days_between
from services.core.register_settings import read_settings

TURNS = {Awaits.OPERATOR: "You", Awaits.PROVIDER: "The FSP", Awaits.SOURCES: "The sources"}
MOST = 500


def waited(item: ReviewItem) -> int:
    """Working days since the asset came into its status."""
    return working_days_between(in_london(item.since).date(), today()) if item.since else 0


def row(item: ReviewItem) -> dict[str, object]:
    """One asset as a row of the queue."""
    asset = item.asset
    last = item.last_message
    return {
        "Name": asset.asset_name,
        "Waits for": TURNS[item.awaits],
        "Working days": waited(item),
        "Status": STATUS_LABELS[asset.status],
        "What is open": " ".join(item.reasons) or asset.status_reason or "",
        "Managed by": provider_name(names, asset.service_provider_id),
        "Category": labels.get(asset.asset_category, asset.asset_category),
        "Rated": float(asset.rated_capacity),
        "Last said": f"{last.author_name}: {last.text}" if last else "",
    }


actor = session.actor()
st.title("Review", anchor=False)
st.caption("Assets that aren't verified yet, the longest waiting first. Choose one to read its query and decide.")
queue = review_queue(actor, MOST)
names, labels = organisation_names(actor), code_labels()
counts = {turn: sum(item.awaits is turn for item in queue) for turn in Awaits}
limit = next(int(one.value) for one in read_settings(actor) if one.kind.key == "asset.pending_notice_days")
late = sum(waited(item) > limit for item in queue)
grid = st.grid(4, min_column_width=150)
grid.metric("Wait for you", counts[Awaits.OPERATOR], border=True)
grid.metric("Wait for an FSP", counts[Awaits.PROVIDER], border=True)
grid.metric("Wait for sources", counts[Awaits.SOURCES], border=True)
grid.metric("Waiting too long", late, border=True, help=f"Longer than {limit} working days.")
turn = st.segmented_control(
    "Waits for", list(Awaits), format_func=TURNS.__getitem__, key="turn", persist_state="session", help="All when none."
)
shown = [item for item in queue if turn is None or item.awaits is turn]
if not shown:
    st.success("Nothing waits here. New assets appear once they are registered.", icon=":material/task_alt:")
    st.stop()
event = st.dataframe(
    [row(item) for item in shown],
    hide_index=True,
    width="stretch",
    column_config={
        "Rated": st.column_config.NumberColumn("Rated", format="%.2f kW"),
        "What is open": st.column_config.TextColumn("What is open", width="large"),
    },
    on_select="rerun",
    selection_mode="single-row",
    key="review",
    alt="Assets in review",
)
if event.selection.rows:
    open_asset(shown[event.selection.rows[0]].asset.id)
st.caption(f"{len(shown):,} of {len(queue):,}. Choose a row to open the asset.")

"""Review (UC-02.01): a walk through the assets in validation, the longest waiting first, with the decision on the spot."""

from dataclasses import replace
from uuid import UUID

import streamlit as st

from models.assets import STATUS_LABELS
from pages.components.asset.take_back import draw_take_back, taken_back
from pages.components.common.actions import DONE, show_outcome
from pages.components.common.asset_filters import choose_filters, clear_filters, is_filtered
from pages.components.common.asset_labels import STATUS_BADGES, organisation_names, provider_name
from pages.components.desk.many_queries import draw_many_queries, list_acts, show_query_report
from pages.components.desk.map import MapHighlight, draw_desk_map
from pages.components.desk.review import count_waiting_days, draw_item, draw_steps, in_sentence, say_gone
from pages.components.desk.review_state import go_to, place_in, start_over
from pages.components.desk.table import code_labels
from pages.components.table.cells import count_cell, power_cell, state_cell, text_cell
from pages.components.table.table import Column, Row, TableFile, TablePage, draw_table, sort_rows
from pages.frame import session
from services.assets.checks.queries import IN_REVIEW, Awaits, ReviewItem, review_queue
from services.assets.filters import AssetFilters
from services.core.identity.permissions import may
from services.core.register_settings import read_settings

VIEWS = {"walk": "One by one", "list": "List"}
MOST = 500
COLUMNS = (
    Column("Name"),
    Column("With"),
    Column("Working days", "Since the status changed.", number=True),
    Column("Status"),
    Column("Open points"),
    Column("Managed by"),
    Column("Category"),
    Column("Rated", "Rated capacity", number=True),
    Column("Last message"),
)


def name_turns() -> dict[Awaits, str]:
    """Whom an asset waits for, as the actor calls them."""
    operator = "You" if may(actor, "asset.settle") else "FMAR"
    provider = "You" if may(actor, "asset.answer") and not may(actor, "asset.settle") else "The FSP"
    return {Awaits.OPERATOR: operator, Awaits.PROVIDER: provider, Awaits.SOURCES: "The sources"}


def draw_numbers(queue: list[ReviewItem]) -> None:
    """Number of assets that wait, by whose turn it is, and how many too long."""
    limit = next(
        int(setting.value) for setting in read_settings(actor) if setting.kind.key == "asset.pending_notice_days"
    )
    grid = st.grid(4, min_column_width=150)
    for turn, who in turns.items():
        grid.metric(f"With {in_sentence(who)}", f"{sum(item.awaits is turn for item in queue):,}", border=True)
    late = sum(count_waiting_days(item) > limit for item in queue)
    grid.metric("Overdue", f"{late:,}", border=True, help=f"Longer than {limit} working days.")


def draw_list(items: list[ReviewItem]) -> None:
    """The queue as a table; a row shows the asset with its decision, its name opens the asset's page."""
    names, labels = organisation_names(actor), code_labels()

    def row_of(item: ReviewItem) -> Row:
        asset, days = item.asset, count_waiting_days(item)
        reply = f"{item.last_message.author_name}: {item.last_message.text}" if item.last_message else ""
        return Row(
            str(asset.id),
            (
                text_cell(asset.asset_name),
                text_cell(turns[item.awaits]),
                count_cell(days),
                state_cell(STATUS_LABELS[asset.status], STATUS_BADGES[asset.status]),
                text_cell(" ".join(item.reasons) or asset.status_reason),
                text_cell(provider_name(names, asset.service_provider_id)),
                text_cell(labels.get(asset.asset_category, asset.asset_category)),
                power_cell(asset.rated_capacity),
                text_cell(reply),
            ),
        )

    columns, rows, order = sort_rows(COLUMNS, [row_of(item) for item in items], whole=len(items) < MOST)
    ticked = draw_table(
        "review",
        "Assets in review",
        columns,
        rows,
        page=TablePage("assets/asset.py"),
        on_open=open_item,
        order=order,
        file=TableFile("review.csv", lambda: rows),
        several=bool(list_acts(actor)),
    )
    if ticked:
        draw_many_queries(actor, [item for item in items if str(item.asset.id) in ticked])


def open_item(identifier: str) -> None:
    """Show one asset of the queue, with its decision."""
    go_to(UUID(identifier))
    st.session_state["walk"] = "walk"


def draw_walk(items: list[ReviewItem], filters: AssetFilters) -> None:
    """One asset, with a map of it and the others beside it."""
    place, gone = place_in(items, acted)
    if gone is not None:
        say_gone(actor, gone)
    left, right = st.columns([3, 2])
    with left:
        draw_steps(items, place)
        draw_item(actor, items, place, turns)
    with right:
        asset = items[place].asset
        placed = asset.latitude is not None and asset.longitude is not None
        highlight = MapHighlight((asset.latitude, asset.longitude) if placed else None)  # pyright: ignore[reportArgumentType]
        map_filters = replace(filters, status=filters.status or tuple(map(str, IN_REVIEW)))
        draw_desk_map(actor, map_filters, len(items), highlight)


actor = session.actor()
turns = name_turns()
st.title("Review", anchor=False)
st.caption("Assets that aren't verified yet, the longest waiting first. Decide or answer, and the next one follows.")
if (returned := taken_back()) is not None:
    go_to(returned)
acted = DONE in st.session_state and returned is None
show_outcome()
show_query_report()
draw_take_back(actor)
filters = choose_filters(actor)
if is_filtered(filters):
    st.button("Clear the filters", icon=":material/filter_alt_off:", type="tertiary", on_click=clear_filters)
queue = review_queue(actor, MOST, filters)
draw_numbers(queue)
mine = next((turn for turn, who in turns.items() if who == "You"), None)
if "turn" not in st.session_state and "turn" not in st.query_params and any(item.awaits is mine for item in queue):
    st.session_state["turn"] = mine
with st.container(horizontal=True):
    turn = st.segmented_control(
        "With",
        list(Awaits),
        format_func=turns.__getitem__,
        key="turn",
        bind="query-params",
        on_change=start_over,
        help="All when none.",
    )
    how = st.segmented_control(
        "Show",
        list(VIEWS),
        format_func=VIEWS.__getitem__,
        key="walk",
        bind="query-params",
        default="walk",
        required=True,
    )
items = [item for item in queue if turn is None or item.awaits is turn]
if not items:
    _, gone = place_in([], acted)
    if gone is not None:
        say_gone(actor, gone)
    words = "Nothing that passes these filters waits." if is_filtered(filters) or turn else "Nothing waits here."
    st.success(f"{words} New assets appear once they are registered.", icon=":material/task_alt:")
elif how == "list":
    draw_list(items)
else:
    draw_walk(items, filters)
if len(queue) == MOST:
    st.caption(f"The {MOST:,} that have waited longest are shown. Choose filters to see others.")

"""Assets behind a line on home: those that wait for something, the longest waiting first."""

import streamlit as st

from models.assets import STATUS_LABELS, Asset
from pages.components.common.asset_labels import STATUS_BADGES, organisation_names, provider_name
from pages.components.table.cells import moment_cell, power_cell, state_cell, text_cell
from pages.components.table.table import Column, Row, TableFile, TablePage, draw_table, sort_rows
from pages.frame import session
from pages.frame.navigation import link
from pages.frame.titles import name_window
from services.assets.rules.reference import CATEGORY_LIST, code_lists
from services.core.errors import NotFound
from services.governance.waiting import LONGEST_LIST, Errand, waiting_assets

TITLES = {
    Errand.ANSWERED: ("Answered queries", "Their providers have answered: open one, and verify it or ask again."),
    Errand.OVERDUE: (
        "Queries unanswered for too long",
        "The time to answer has run out. The register suspends these by itself.",
    ),
    Errand.NEW: ("Registered this week", "What was registered in the last seven days, the newest first."),
    Errand.QUERY: ("Open queries", "What a provider has to answer."),
    Errand.PENDING: ("Pending validation", "What is held against the public registers, or waits for FMAR."),
    Errand.SHARED: (
        "On a meter of another provider, too",
        "Another provider has registered an asset on the same meter; the register tells neither who the other is. Two devices "
        "may stand on one meter: then there is nothing to do. Otherwise open yours: correct its MPAN if it is wrong, or "
        "de-register it if you don't manage it any more. If only yours can be right, say so in a comment on it, which the "
        "network operator and the register's operator read. What is dealt with leaves this list, and all does after 30 days.",
    ),
    Errand.CONSENT: ("Awaiting consent", "What waits for the consumer's consent to be confirmed."),
}

actor = session.actor()
name = st.query_params.get("what", Errand.QUERY.value)
if name not in list(Errand):
    raise NotFound("list", name)
errand = Errand(name)
title, words = TITLES[errand]
st.title(title, anchor=False)
name_window(title)
st.caption(words)
assets = waiting_assets(actor, errand, LONGEST_LIST)
if not assets:
    st.success("Nothing waits here any more.", icon=":material/task_alt:")
    link("home.py", "Back to home", "home")
    st.stop()
names = organisation_names(actor)
labels = {code.code: code.label for code in code_lists()[CATEGORY_LIST].values()}
on_a_meter = errand is Errand.SHARED
columns = (
    Column("Name"),
    *((Column("Import MPAN"), Column("Export MPAN")) if on_a_meter else ()),
    Column("Registered" if on_a_meter else "Since"),
    Column("Status"),
    Column("Category"),
    Column("Rated", "Rated capacity", number=True),
    Column("Managed by"),
    Column("Reason"),
)


def row_of(asset: Asset) -> Row:
    """An asset as a row."""
    since = asset.registered_at if errand in (Errand.NEW, Errand.SHARED) else asset.status_since
    meters = (text_cell(asset.import_mpan), text_cell(asset.export_mpan)) if on_a_meter else ()
    return Row(
        str(asset.id),
        (
            text_cell(asset.asset_name),
            *meters,
            moment_cell(since),
            state_cell(STATUS_LABELS[asset.status], STATUS_BADGES[asset.status]),
            text_cell(labels.get(asset.asset_category, asset.asset_category)),
            power_cell(asset.rated_capacity),
            text_cell(provider_name(names, asset.service_provider_id)),
            text_cell(asset.status_reason),
        ),
    )


whole = len(assets) < LONGEST_LIST
headings, rows, order = sort_rows(columns, [row_of(asset) for asset in assets], whole=whole)
page = TablePage("assets/asset.py")
draw_table("waiting", title, headings, rows, page=page, order=order, file=TableFile("assets.csv", lambda: rows))
if not whole:
    st.caption(f"The first {len(assets):,} assets are shown.")

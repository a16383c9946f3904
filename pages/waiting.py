"""Assets behind a line on home: those that wait for something, the longest waiting first."""

import streamlit as st

from models.assets import STATUS_LABELS
from pages.components.common.asset_labels import organisation_names, provider_name
from pages.components.common.moments import moment_column
from pages.frame import session
from pages.frame.navigation import link, open_asset
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
    Errand.PENDING: ("Pending validation", "What is held against the public registers, or waits for the operator."),
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
rows = [
    {
        "Name": asset.asset_name,
        **({"Import MPAN": asset.import_mpan or "", "Export MPAN": asset.export_mpan or ""} if on_a_meter else {}),
        "Registered" if on_a_meter else "Since": (
            asset.registered_at if errand in (Errand.NEW, Errand.SHARED) else asset.status_since
        ),
        "Status": STATUS_LABELS[asset.status],
        "Category": labels.get(asset.asset_category, asset.asset_category),
        "Rated": float(asset.rated_capacity),
        "Managed by": provider_name(names, asset.service_provider_id),
        "Reason": asset.status_reason or "",
    }
    for asset in assets
]
table = st.dataframe(
    rows,
    hide_index=True,
    width="stretch",
    column_config={
        column: moment_column(moment for asset in assets for moment in (asset.registered_at, asset.status_since))
        for column in ("Since", "Registered")
    }
    | {
        "Rated": st.column_config.NumberColumn(format="%.2f kW"),
    },
    on_select="rerun",
    selection_mode="single-row",
    key="waiting",
    alt=title,
)
if table.selection.rows:
    open_asset(assets[table.selection.rows[0]].id)
more = " There are more." if len(assets) == LONGEST_LIST else ""
st.caption(f"{len(assets):,} {'asset' if len(assets) == 1 else 'assets'}.{more} Choose a row to open the asset.")

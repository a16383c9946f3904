"""Change an asset (UC-02.03): the form filled with what is registered, the consequences before they happen, then the change."""

from uuid import UUID

import streamlit as st

from pages.components.asset_form.change_form import begin_change, changed_values, show_conflict, show_preview
from pages.components.asset_form.drafts import (
    draw_draft_conflict,
    keep_draft,
    leave_draft,
    offer_drafts,
    open_draft,
    show_saved,
    throw_away,
)
from pages.components.asset_form.form import AssetForm
from pages.components.common.actions import DONE
from pages.components.common.asset_labels import status_badge, words_for
from pages.components.common.form_findings import close_of_form, draw_form_summary, justification, summary_anchor
from pages.components.common.form_state import FormState
from pages.frame import navigation, session
from pages.frame.markdown import escape_markdown
from pages.frame.refusals import show_refusal
from pages.frame.titles import name_window
from services.assets.reading.assets import get_asset
from services.assets.registration.update import Preview, change_preview, update_asset
from services.core.errors import Conflict, Invalid, NotFound, RegisterError

actor = session.actor()
try:
    asset_id = UUID(st.query_params.get("id", ""))
except ValueError:
    raise NotFound("asset", st.query_params.get("id") or "nothing") from None
asset = get_asset(actor, asset_id)
state = FormState(f"edit-{asset.id}")
form = AssetForm(actor, state, asset.asset_category, asset.schema_version)


def check() -> None:
    """From now on the consequences are worked out at every change."""
    state.remember("checking", True)


def submit() -> None:
    """Confirm with the next run, once the consequences have been on screen."""
    state.remember("submitted", bool(state.note("checking")))
    check()


def change() -> RegisterError | None:
    """Change the asset and go to its page; the refusal when there is one."""
    values = changed_values(form)
    if not values or not keep_draft(actor, state, asset_id, finishing=True):
        return None
    try:
        update_asset(
            actor,
            asset_id,
            values,
            int(state.note("version")),
            justification=justification(state),
            draft_id=state.note("draft"),
        )
    except Conflict as conflict:
        state.remember("conflict", conflict)
        return None
    except Invalid:
        return None
    except RegisterError as refused:
        return refused
    leave_draft(state)
    st.session_state[DONE] = "The asset was changed."
    navigation.open_asset(asset_id)
    return None


def leave() -> None:
    """Give the change up: the draft goes too."""
    throw_away(actor, state)
    st.session_state["left_edit"] = True


if st.session_state.pop("left_edit", False):
    navigation.open_asset(asset_id)
open_draft(form)
begin_change(form, asset)
refused = change() if state.take("submitted") else None
preview: Preview | None = None
if state.note("checking"):
    try:
        preview = change_preview(actor, asset_id, changed_values(form))
    except RegisterError as no:
        refused = refused or no
words = words_for(actor, asset)

st.title(f"Change {escape_markdown(asset.asset_name)}", anchor=False)
name_window(f"Change {asset.asset_name}")
with st.container(horizontal=True, vertical_alignment="center"):
    status_badge(asset.status)
    st.badge(words.value("AssetCategory", asset.asset_category), icon=":material/category:", color="gray")
    st.page_link("pages/assets/asset.py", label="Back to the asset", query_params={"id": str(asset_id)})
st.caption(
    f"You change version {state.note('version')}. A change is kept as a new version; nothing is overwritten. The category "
    "can't change."
)
offer_drafts(form, asset_id)
draw_draft_conflict(form, form.labels)
if preview is not None and preview.findings:
    st.subheader("Check your entries", anchor=summary_anchor(state))
    draw_form_summary(state, preview.findings, form.labels, form.anchors)
with st.container(horizontal=True, vertical_alignment="center"):
    show_saved(state)
    with st.popover("Discard changes", icon=":material/delete:", type="tertiary"):
        st.markdown("What was typed here goes, with its draft. The asset stays as it is registered.")
        st.button("Discard them", icon=":material/delete_forever:", on_click=leave)
form.draw(preview.findings if preview else (), lambda: keep_draft(actor, state, asset_id))
if preview is not None:
    st.subheader("What this change would do", anchor=False)
    show_preview(preview, words)
if refused is not None:
    show_refusal(refused)
conflict = state.note("conflict")
if conflict is not None:
    show_conflict(form, conflict, words, asset_id)
close_of_form(
    state,
    preview.findings if preview else None,
    "Confirm the change" if preview else "Review the change",
    check,
    submit,
)
keep_draft(actor, state, asset_id)

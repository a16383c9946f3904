"""Edit a category (UC-05.07): its draft field by field, with what it makes, what it changes, and for whom."""

import streamlit as st

from pages.components.asset_form.form import group_by_field
from pages.components.category.attributes import draw_attributes
from pages.components.category.compare import draw_difference, draw_versions
from pages.components.category.dialogs import discard, publish
from pages.components.category.editor import Beside, CategoryEditor
from pages.components.category.fields import draw_core, draw_head
from pages.components.category.preview import draw_preview, title_of
from pages.components.category.problems import show_problems
from pages.components.common import dialogs
from pages.frame import session
from pages.frame.markdown import escape_markdown
from pages.frame.refusals import show_changes, show_refusal
from services.assets.categories.drafts import category_draft, check_category
from services.core.clock import show_time
from services.core.errors import NotFound


def ask_to_publish() -> None:
    """Ask for the confirmation; what is wrong is said first, and from then on at every change."""
    editor.state.remember("checking", True)
    if not check_category(actor, category, editor.form()):
        dialogs.ask("publish-category")


def show_news() -> None:
    """Changes that somebody else made to the draft: already shown here, or in the way of what was typed."""
    news = editor.state.note("news")
    if news is not None:
        lines = "\n".join(f"- {escape_markdown(words)}" for words in news) or "- the note, or the order of something"
        st.info(
            f"Somebody else changed this draft too; it is shown with their changes and yours.\n\n{lines}",
            icon=":material/group:",
        )
        st.button("Understood", on_click=editor.state.take, args=("news",))
    refused = editor.state.take("refused")
    if refused is not None:
        show_refusal(refused)
    late = editor.state.note("conflict")
    if late is None:
        return
    st.warning(
        "Somebody else changed this draft while you were typing. What you typed is still here, but isn't saved. "
        "They changed:",
        icon=":material/sync_problem:",
    )
    show_changes(late.changes)
    with st.container(horizontal=True):
        st.button("Keep what I have", icon=":material/save:", on_click=editor.keep_mine)
        st.button("Continue from theirs", icon=":material/sync:", on_click=editor.take_theirs)


def show_acts() -> None:
    """Publish, check, discard, and whether everything is saved."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button("Publish", type="primary", icon=":material/publish:", on_click=ask_to_publish)
        st.button("Check", icon=":material/rule:", on_click=editor.state.remember, args=("checking", True))
        st.button("Discard the draft", icon=":material/delete:", on_click=dialogs.ask, args=("discard-category",))
        saved = editor.state.note("saved_at")
        if saved is not None and editor.state.note("conflict") is None:
            st.caption(f":material/cloud_done: Saved {show_time(saved)}")
    if dialogs.is_open("publish-category"):
        publish(editor)
    elif dialogs.is_open("discard-category"):
        discard(editor)


actor = session.actor()
category = st.query_params.get("code", "")
try:
    editor = CategoryEditor(actor, category, category_draft(actor, category))
except NotFound:
    st.title("Edit a category", anchor=False)
    st.info(
        "No draft of this category is in work: it was published or discarded, or never begun.", icon=":material/draft:"
    )
    st.page_link("pages/assets/categories.py", label="Categories", icon=":material/category:")
    st.stop()
editor.keep()
form = editor.form()
checking = bool(editor.state.note("checking"))
findings = check_category(actor, category, form) if checking else []
beside: Beside = group_by_field(findings)
PARTS = {
    "Category": lambda: draw_head(editor, beside),
    "Its attributes": lambda: draw_attributes(editor, beside),
    "Shared attributes": lambda: draw_core(editor, beside),
    "Preview": lambda: draw_preview(editor),
    "Differences": lambda: draw_difference(editor),
    "Versions": lambda: draw_versions(actor, category),
}

st.title(title_of(form, category), anchor=False)
with st.container(horizontal=True, vertical_alignment="center"):
    st.badge(f"Draft of version {editor.draft.schema_version}", icon=":material/edit_note:", color="orange")
    st.badge(category, icon=":material/code:", color="gray")
    st.page_link("pages/assets/categories.py", label="All categories", icon=":material/arrow_back:")
st.caption("Every change is saved as you make it. Nobody registers under a draft: it counts once it is published.")
show_news()
show_acts()
if checking:
    show_problems(findings, form)
for tab, part in zip(st.tabs(list(PARTS), key="part", on_change="rerun", bind="query-params"), PARTS, strict=True):
    if tab.open:
        with tab:
            PARTS[part]()

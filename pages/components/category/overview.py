"""All categories as their keeper sees them: the state of each, how many assets, and what can be done with it."""

from collections.abc import Sequence

import streamlit as st

from pages.components.category.compare import draw_versions
from pages.components.category.dialogs import PUBLISHED, deprecate, new_category, open_editor
from pages.components.common import dialogs
from pages.frame.markdown import escape_markdown
from pages.frame.refusals import show_refusal
from services.assets.categories.drafts import CategorySummary, begin_version
from services.core.clock import show_date
from services.core.errors import RegisterError
from services.core.identity.actor import Actor


def draw_overview(actor: Actor, known: Sequence[CategorySummary]) -> None:
    """The table of all, and the button for a new one."""
    just = next((one for one in known if one.category == st.session_state.get(PUBLISHED)), None)
    if just is not None:
        st.session_state.pop(PUBLISHED)
        st.session_state["category"] = just.category
        st.toast(f"{escape_markdown(just.title)}, version {just.in_use}, is in use.", icon=":material/publish:")
    st.button("New category", type="primary", icon=":material/add:", on_click=dialogs.ask, args=("new-category",))
    if dialogs.asked("new-category"):
        new_category(actor)
    several = any(set(one.assets) - {one.in_use} for one in known)
    st.dataframe(
        [_row(one, several) for one in known],
        hide_index=True,
        width="stretch",
        height="content",
        column_config={"Category": st.column_config.TextColumn(width="medium")},
    )


def _row(one: CategorySummary, several: bool) -> dict[str, object]:
    """`several`: some category has assets of an older version, so the table says how many each version has."""
    versions = sorted(one.assets.items(), reverse=True)
    by_version = {"By version": ", ".join(f"version {version}: {count:,}" for version, count in versions)}
    return {
        "Category": one.title,
        "State": one.state,
        "Version": f"{one.in_use}" if one.in_use else "",
        "Published": show_date(one.published_at.date()) if one.published_at and one.in_use else "",
        "Draft in work": f"version {one.draft}" if one.draft else "",
        "Active assets": sum(one.assets.values()),
        **(by_version if several else {}),
        "Code": one.category,
    }


def draw_acts(actor: Actor, one: CategorySummary) -> None:
    """What can be done with the chosen category, and its versions side by side."""
    with st.container(horizontal=True, vertical_alignment="center"):
        color = {"In use": "green", "In work": "orange"}.get(one.state, "gray")
        st.badge(one.state, color=color)  # pyright: ignore[reportArgumentType]  # one of the three above
        if one.draft:
            if st.button(f"Go on with the draft of version {one.draft}", icon=":material/edit_note:", type="primary"):
                open_editor(one.category)
        elif st.button("New version", icon=":material/edit:"):
            _begin(actor, one)
        if one.in_use:
            name = f"deprecate-{one.category}"
            st.button("Deprecate", icon=":material/block:", on_click=dialogs.ask, args=(name,))
            if dialogs.asked(name):
                deprecate(actor, one)
    with st.expander("Versions side by side", icon=":material/history:", on_change="rerun") as versions:
        if versions.open:
            draw_versions(actor, one.category)


def _begin(actor: Actor, one: CategorySummary) -> None:
    try:
        begin_version(actor, one.category)
    except RegisterError as refused:
        show_refusal(refused)
    else:
        open_editor(one.category)


def name_of(one: CategorySummary) -> str:
    """A category as a choice says it."""
    return one.title if one.state == "In use" else f"{one.title} ({one.state.lower()})"


def never_published(one: CategorySummary) -> None:
    """What stands in place of the sheet of a category that is only a draft."""
    st.info(
        f"{escape_markdown(one.title)} was never published: nobody sees it yet. Go on with its draft.",
        icon=":material/draft:",
    )

"""Overview of all categories for their keeper: state, number of assets and acts of each."""

from collections.abc import Sequence

import streamlit as st

from pages.components.category.compare import draw_versions
from pages.components.category.dialogs import PUBLISHED, deprecate, new_category, open_editor
from pages.components.common import dialogs
from pages.components.table.cells import count_cell, date_cell, state_cell, text_cell
from pages.components.table.table import Column, Row, TableFile, TablePage, draw_table, sort_rows
from pages.frame.markdown import escape_markdown
from pages.frame.refusals import show_refusal
from services.assets.categories.drafts import CategorySummary, begin_version
from services.core.errors import RegisterError
from services.core.identity.actor import Actor

COLUMNS = (
    Column("Category"),
    Column("State"),
    Column("Version", "The version that new assets are registered with.", number=True),
    Column("Published"),
    Column("Draft"),
    Column("Active assets", number=True),
    Column("By version"),
    Column("Code"),
)
STATE_STYLES = {"In use": ("green", "check_circle"), "In work": ("orange", "edit_note")}


def draw_overview(actor: Actor, categories: Sequence[CategorySummary]) -> None:
    """The table of all, and the button for a new one."""
    just = next((category for category in categories if category.category == st.session_state.get(PUBLISHED)), None)
    if just is not None:
        st.session_state.pop(PUBLISHED)
        st.session_state["category"] = just.category
        st.toast(f"{escape_markdown(just.title)}, version {just.in_use}, is in use.", icon=":material/publish:")
    st.button("New category", type="primary", icon=":material/add:", on_click=dialogs.ask, args=("new-category",))
    if dialogs.is_open("new-category"):
        new_category(actor)
    several = any(set(category.assets) - {category.in_use} for category in categories)
    columns, rows, order = sort_rows(
        [column for column in COLUMNS if several or column.label != "By version"],
        [_row(category, several) for category in categories],
    )
    draw_table(
        "category-list",
        "Categories",
        columns,
        rows,
        page=TablePage("assets/categories.py", "category"),
        on_open=_open_category,
        order=order,
        file=TableFile("categories.csv", lambda: rows),
        height=420,
        marked=str(st.session_state.get("category") or ""),
    )


def _open_category(category: str) -> None:
    st.session_state["category"] = category


def _row(category: CategorySummary, several: bool) -> Row:
    """`several`: some category has assets of an older version, so the table says how many each version has."""
    versions = sorted(category.assets.items(), reverse=True)
    published = category.published_at.date() if category.published_at and category.in_use else None
    by_version = (text_cell(", ".join(f"version {version}: {count:,}" for version, count in versions)),)
    return Row(
        category.category,
        (
            text_cell(category.title),
            state_cell(category.state, STATE_STYLES.get(category.state, ("gray", "block"))),
            text_cell(category.in_use),
            date_cell(published),
            text_cell(f"version {category.draft}" if category.draft else ""),
            count_cell(sum(category.assets.values())),
            *(by_version if several else ()),
            text_cell(category.category),
        ),
    )


def draw_acts(actor: Actor, category: CategorySummary) -> None:
    """Acts on the chosen category, and its versions side by side."""
    with st.container(horizontal=True, vertical_alignment="center"):
        color = {"In use": "green", "In work": "orange"}.get(category.state, "gray")
        st.badge(category.state, color=color)  # pyright: ignore[reportArgumentType]  # one of the three above
        if category.draft:
            if st.button(
                f"Continue the draft of version {category.draft}", icon=":material/edit_note:", type="primary"
            ):
                open_editor(category.category)
        elif st.button("New version", icon=":material/edit:"):
            _begin(actor, category)
        if category.in_use:
            name = f"deprecate-{category.category}"
            st.button("Deprecate", icon=":material/block:", on_click=dialogs.ask, args=(name,))
            if dialogs.is_open(name):
                deprecate(actor, category)
    with st.expander("Versions side by side", icon=":material/history:", on_change="rerun") as versions:
        if versions.open:
            draw_versions(actor, category.category)


def _begin(actor: Actor, category: CategorySummary) -> None:
    try:
        begin_version(actor, category.category)
    except RegisterError as refused:
        show_refusal(refused)
    else:
        open_editor(category.category)


def category_label(category: CategorySummary) -> str:
    """Label of a category in a choice, with its state unless it is in use."""
    return category.title if category.state == "In use" else f"{category.title} ({category.state.lower()})"


def say_unpublished(category: CategorySummary) -> None:
    """Say, in place of its sheet, that the category is only a draft."""
    st.info(
        f"{escape_markdown(category.title)} was never published: nobody sees it yet. Continue its draft.",
        icon=":material/draft:",
    )

"""A draft of a category beside what is in use: differences in words, what registered assets say to it, all versions."""

from collections.abc import Sequence
from time import monotonic
from uuid import UUID

import streamlit as st

from pages.components.category.editor import CategoryEditor
from pages.frame import navigation
from pages.frame.markdown import escape_markdown
from services.assets.categories.changes import SchemaChange
from services.assets.categories.drafts import category_changes
from services.assets.categories.effect import CategoryEffect, category_effect
from services.assets.categories.form import CategoryForm
from services.assets.categories.versions import category_history
from services.core.clock import show_moment
from services.core.identity.actor import Actor

SHOWN = 12
LOOK_AGAIN_S = 60


def draw_difference(editor: CategoryEditor) -> None:
    """Differences that publishing would bring, and their effect on the assets registered so far."""
    form = editor.form()
    st.subheader("Difference to the version in use", anchor=False)
    changes = category_changes(editor.actor, editor.category, form)
    show_changes(changes)
    st.subheader("Assets registered so far", anchor=False)
    if changes is None:
        st.info("There is none: the category is new.", icon=":material/fiber_new:")
        return
    st.caption(
        "They keep the version they were registered with, whatever happens here. Would they pass under this one?"
    )
    show_effect(effect_of(editor.actor, editor.category, form, editor.version))


def show_changes(changes: Sequence[SchemaChange] | None, most: int | None = None) -> None:
    """The differences as sentences; what may refuse something is marked."""
    if changes is None:
        st.info("A new category: nothing was published before.", icon=":material/fiber_new:")
        return
    if not changes:
        st.info("No difference so far.", icon=":material/equal:")
        return
    lines = [
        f"- {':orange[:material/warning: stricter:] ' if change.tightens else ''}{escape_markdown(change.sentence)}"
        for change in changes[:most]
    ]
    if most is not None and len(changes) > most:
        lines.append(f"- and {len(changes) - most} more")
    st.markdown("\n".join(lines))


def effect_of(actor: Actor, category: str, form: CategoryForm, version: int) -> CategoryEffect:
    """The effect of this very draft, worked out once a minute at most; with a bar while it takes long."""
    key = f"category-effect-{category}"
    stored = st.session_state.get(key)
    if stored is not None and stored[0] == (version, form) and monotonic() - stored[2] < LOOK_AGAIN_S:
        return stored[1]
    bar = st.progress(0.0, text="Looking at the registered assets")
    effect = category_effect(
        actor,
        category,
        form,
        lambda done, total: bar.progress(min(done / max(total, 1), 1.0), text=f"{done:,} of {total:,} assets"),
    )
    bar.empty()
    st.session_state[key] = ((version, form), effect, monotonic())
    return effect


def show_effect(effect: CategoryEffect) -> None:
    """Counts, then each rule with how many fail it and a few of them to open."""
    if not effect.checked:
        st.info("No active asset of this category is registered.", icon=":material/category:")
        return
    grid = st.grid(3, min_column_width=140)
    for label, count in (("Active assets", effect.checked), ("Would pass", effect.passing)):
        with grid.container():
            st.metric(label, f"{count:,}", border=True)
    with grid.container():
        st.metric("Would fail", f"{effect.failing:,}", border=True)
    if not effect.rules:
        st.success("All of them would pass.", icon=":material/check_circle:")
        return
    for rule in effect.rules:
        with st.expander(
            f"**{escape_markdown(rule.label)}**: {rule.failing:,} would fail :small[{escape_markdown(rule.code)}]"
        ):
            st.markdown(escape_markdown(rule.examples[0].message))
            for example in rule.examples:
                _example(example.asset_id, example.asset_name)
    rows = [
        {"Registered with": f"Version {version}", "Active assets": checked, "Would fail": failed}
        for version, (checked, failed) in sorted(effect.by_version.items())
    ]
    st.dataframe(rows, hide_index=True, width="content")


def _example(asset_id: UUID, name: str) -> None:
    navigation.link("assets/asset.py", escape_markdown(name), "bolt", {"id": str(asset_id)})


def draw_versions(actor: Actor, category: str) -> None:
    """All versions: who published which when and why, and what each asks for, side by side."""
    history = category_history(actor, category)
    for version in history.versions:
        with st.container(border=True):
            with st.container(horizontal=True, vertical_alignment="center"):
                st.markdown(f"**Version {version.version}**")
                color = "green" if version.state == "In use" else "orange" if version.state == "Draft" else "gray"
                st.badge(version.state, color=color)
                if version.published_at:
                    by = f" by {escape_markdown(version.published_by)}" if version.published_by else ""
                    st.markdown(f":small[published {show_moment(version.published_at)}{by}]")
            if version.note:
                st.markdown(escape_markdown(version.note))
            if version.deprecation:
                st.markdown(f":material/block: Out of use: {escape_markdown(version.deprecation)}")
            if version.changes:
                with st.expander(f"{len(version.changes)} differences to the version before"):
                    st.markdown("\n".join(f"- {escape_markdown(words)}" for words in version.changes))
    heads = [f"Version {version.version}" for version in history.versions]
    rows = [{"Attribute": what, **dict(zip(heads, cells, strict=True))} for what, cells in history.rows]
    if rows:
        st.dataframe(rows, hide_index=True, width="stretch")

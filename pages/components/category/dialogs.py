"""Acts on categories, each asked for once more: begin, publish, discard a draft, deprecate."""

from collections.abc import Callable

import streamlit as st

from pages.components.category.compare import SHOWN, effect_of, show_changes
from pages.components.category.editor import CategoryEditor
from pages.components.common import dialogs
from pages.frame.markdown import escape_markdown
from pages.frame.refusals import show_refusal
from services.assets.categories.drafts import CategorySummary, begin_category, category_changes, discard_category
from services.assets.categories.form import suggested_code
from services.assets.categories.publishing import deprecate_category, publish_category
from services.assets.rules.reference import category_schema
from services.core.errors import RegisterError
from services.core.identity.actor import Actor

EDITOR, ALL = "pages/assets/edit_category.py", "pages/assets/categories.py"
PUBLISHED = "category-published"


def open_editor(category: str) -> None:
    """Go to the editor of a category's draft."""
    st.switch_page(EDITOR, query_params={"code": category})


def open_category(category: str) -> None:
    """Go to a category among all; without naming one, the part of the editor in the address would be in the way."""
    st.switch_page(ALL, query_params={"category": category})


def _do(act: Callable[[], object], then: Callable[[], None]) -> None:
    try:
        act()
    except RegisterError as refused:
        show_refusal(refused, {"title": "Name", "category": "Code"})
        return
    dialogs.close()
    then()


@st.dialog("New category", width="medium", on_dismiss=dialogs.close)
def new_category(actor: Actor) -> None:
    """Name and code; everything else is the editor's."""
    title = st.text_input("Name *", key="new-category-title", placeholder="e.g. Vehicle-to-grid hub", live="300ms")
    default_code = suggested_code(title or "")
    code = st.text_input(
        "Code",
        key="new-category-code",
        placeholder=default_code or "e.g. VEHICLE_TO_GRID_HUB",
        help="Capitals, digits and underscores. Files and programs use it, so it stays for good; made from the name "
        "when left empty.",
    )
    if st.button("Begin the draft", type="primary", icon=":material/edit_note:"):
        _do(
            lambda: begin_category(actor, title or "", code or ""),
            lambda: open_editor((code or "").strip().upper() or default_code),
        )


@st.dialog("Publish this version", width="large", on_dismiss=dialogs.close)
def publish(editor: CategoryEditor) -> None:
    """The dialog that publishes a draft: its changes, its effect on assets, confirmation."""
    form, number = editor.form(), editor.draft.schema_version
    changes = category_changes(editor.actor, editor.category, form)
    st.markdown(f"**{escape_markdown(form.title)}**, version {number}. From the next click on, in every process:")
    st.markdown(
        "- form, bulk template, API schema, filters and the map's legend follow it;\n"
        "- new assets of the category register under it;\n"
        "- registered assets keep the version they were registered with."
    )
    show_changes(changes, SHOWN)
    if changes is not None:
        effect = effect_of(editor.actor, editor.category, form, editor.version)
        if effect.failing:
            st.warning(
                f"{effect.failing:,} of {effect.checked:,} active assets would not pass under this version. They stay "
                "as they are.",
                icon=":material/rule:",
            )
        elif effect.checked:
            st.success(f"All {effect.checked:,} active assets would pass under this version.", icon=":material/check:")
    note = st.text_area(
        "What is new, in a sentence",
        value=form.note,
        key=f"{editor.state.slot}!note",
        height=80,
        help="Kept with the version and given out with its schema.",
    )
    if st.button(f"Publish version {number}", type="primary", icon=":material/publish:"):
        _do(lambda: _publish(editor, note or ""), lambda: _published(editor))


def _publish(editor: CategoryEditor, note: str) -> None:
    form = editor.form().model_copy(update={"note": note})
    if not editor.save(form, editor.version) or editor.state.note("news") is not None:
        # Somebody else was at it: the page says what they changed before anything is published.
        dialogs.close()
        st.rerun()
    publish_category(editor.actor, editor.draft.id, editor.version)


def _published(editor: CategoryEditor) -> None:
    """Back to the categories, where it stands now."""
    editor.state.clear()
    st.session_state[PUBLISHED] = editor.category
    open_category(editor.category)


@st.dialog("Discard this draft", width="medium", on_dismiss=dialogs.close)
def discard(editor: CategoryEditor) -> None:
    """Nothing changes for anybody."""
    st.markdown(
        "The draft goes out of sight; the ledger keeps what was in it. What is published stays as it is, and nobody's "
        "form or file changes."
    )
    if st.button("Discard the draft", type="primary", icon=":material/delete:"):
        _do(
            lambda: discard_category(editor.actor, editor.draft.id, editor.version),
            lambda: open_category(editor.category),
        )


@st.dialog("Deprecate", width="medium", on_dismiss=dialogs.close)
def deprecate(actor: Actor, category: CategorySummary) -> None:
    """The whole category, or the newest version alone where an older one would count again."""
    count = sum(category.assets.values())
    whole = True
    if category.older_in_use is not None:
        ways = {
            True: "The whole category",
            False: f"Version {category.in_use} alone: version {category.older_in_use} counts again",
        }
        whole = bool(
            st.radio("What goes out of use", [True, False], format_func=ways.__getitem__, key="deprecate-whole")
        )
    st.markdown(
        f"**{escape_markdown(category.title)}**\n\n"
        + (
            "- No new asset of it can be registered, in the portal, by file or by API; the form doesn't offer it.\n"
            "- Map, filters and lists still show the assets it has.\n"
            if whole
            else f"- New assets register under version {category.older_in_use} from now on.\n"
        )
        + f"- {count:,} active {'asset keeps' if count == 1 else 'assets keep'} the version they have, and can still "
        "be changed.\n- A new version puts it back into use."
    )
    reason = st.text_area(
        "Reason *", key=f"deprecate-reason-{category.category}", height=80, help="10 characters or more."
    )
    if st.button("Deprecate it", type="primary", icon=":material/block:"):
        _do(lambda: _deprecate(actor, category, reason or "", whole), st.rerun)


def _deprecate(actor: Actor, category: CategorySummary, reason: str, whole: bool) -> None:
    schema = category_schema(actor, category.category)
    deprecate_category(actor, schema.id, schema.version, reason, whole=whole)
    st.toast(f"{escape_markdown(category.title)} is out of use.", icon=":material/block:")

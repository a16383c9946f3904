"""The attributes that a category adds, in their order: a line each, and the fields of the one that is open."""

from collections.abc import Callable, Iterator

import streamlit as st

from pages.components.category.editor import Beside, CategoryEditor
from pages.components.common.form_field import show_beside
from pages.frame.markdown import escape_markdown
from services.assets.categories.form import KIND_LABELS, LISTS, NUMBERS, OTHER, AttributeForm, suggested_name
from services.assets.categories.versions import attribute_words
from services.assets.rules.reference import CATEGORY_LIST, code_lists
from services.core.errors import Finding


def draw_attributes(editor: CategoryEditor, beside: Beside) -> None:
    """All of them; the buttons of a line open, move and remove it."""
    attributes = editor.form().attributes
    if not attributes:
        st.info(
            "This category adds no attribute yet: its assets have what every asset has. Add what only they have.",
            icon=":material/playlist_add:",
        )
    for place, attribute in enumerate(attributes):
        with st.container(border=True):
            _line(editor, attribute, place, len(attributes))
            if editor.state.note("open") == attribute.id:
                _fields(editor, attribute, beside)
            else:
                show_beside(list(_findings_of(attribute, beside)))
    st.button("Add an attribute", icon=":material/add:", on_click=editor.add_attribute)


def _findings_of(attribute: AttributeForm, beside: Beside) -> Iterator[Finding]:
    """Findings on one attribute, whichever field of it."""
    for name, findings in beside.items():
        if (name or "").startswith(f"attributes.{attribute.id}."):
            yield from findings


def _line(editor: CategoryEditor, attribute: AttributeForm, place: int, count: int) -> None:
    opened = editor.state.note("open") == attribute.id
    summary = escape_markdown(attribute_words(attribute, code_lists()))
    st.markdown(f"**{place + 1}. {escape_markdown(attribute.display_name)}**  \n:small[{summary}]")
    with st.container(horizontal=True):
        for label, icon, act, args, off in (
            (
                ("Close", "expand_less", editor.open_attribute, (None,), False)
                if opened
                else ("Edit", "edit", editor.open_attribute, (attribute.id,), False)
            ),
            ("Up", "arrow_upward", editor.move_attribute, (attribute.id, -1), place == 0),
            ("Down", "arrow_downward", editor.move_attribute, (attribute.id, 1), place == count - 1),
            ("Remove", "delete", editor.remove_attribute, (attribute.id,), False),
        ):
            st.button(
                label,
                key=f"{editor.state.slot}!{label}-{attribute.id}",
                icon=f":material/{icon}:",
                help=f"{label}: {escape_markdown(attribute.display_name)}",
                on_click=act,
                args=args,
                disabled=off,
            )


def _fields(editor: CategoryEditor, attribute: AttributeForm, beside: Beside) -> None:
    def says(*parts: str) -> None:
        show_beside([finding for part in parts for finding in beside.get(f"attributes.{attribute.id}.{part}", ())])

    base = next(candidate for candidate in editor.base.attributes if candidate.id == attribute.id)
    grid = st.grid(2, min_column_width=260)
    with grid.container():
        st.text_input("Label *", **editor.widget(f"{attribute.id}/label", base.label), placeholder="e.g. Usable energy")
        says("label")
    with grid.container():
        st.text_input(
            "Name",
            **editor.widget(f"{attribute.id}/name", base.name),
            placeholder=suggested_name(attribute.label, attribute.unit) or "e.g. UsableEnergy_kWh",
            help="The heading in files, exports and the API. Made from label and unit when left empty.",
        )
        says("name")
    if attribute.kind == OTHER:
        st.info("This attribute was made by a program; its type is kept as it is.", icon=":material/data_object:")
    else:
        with grid.container():
            st.selectbox(
                "Type",
                list(KIND_LABELS),
                format_func=KIND_LABELS.__getitem__,
                **editor.widget(f"{attribute.id}/kind", base.kind),
            )
        with grid.container():
            st.toggle("Mandatory", **editor.widget(f"{attribute.id}/mandatory", base.mandatory))
        if attribute.kind in NUMBERS:
            _number(editor, base, says)
        elif attribute.kind == "text":
            _text(editor, base, says)
        elif attribute.kind in LISTS:
            _choices(editor, attribute, base, says)
    st.text_area(
        "Help text",
        **editor.widget(f"{attribute.id}/help", base.help),
        height=80,
        help="What it is and how it is measured, for whoever fills in the form or the file.",
    )
    says("help")
    if attribute.kind not in ("boolean", "choice", "choices", OTHER):
        st.text_input("Example", **editor.widget(f"{attribute.id}/example", base.example))
    says("example")


def _number(editor: CategoryEditor, base: AttributeForm, says: Callable[..., None]) -> None:
    grid = st.grid(3, min_column_width=200)
    with grid.container():
        st.text_input("Unit", **editor.widget(f"{base.id}/unit", base.unit), placeholder="e.g. kWh")
    for part, label, mark, meaning in (
        ("minimum", "Minimum", "above_minimum", "Exclude the minimum"),
        ("maximum", "Maximum", "below_maximum", "Exclude the maximum"),
    ):
        with grid.container():
            st.text_input(label, **editor.widget(f"{base.id}/{part}", getattr(base, part)), placeholder="No bound")
            st.toggle(meaning, **editor.widget(f"{base.id}/{mark}", getattr(base, mark)))
            says(part)


def _text(editor: CategoryEditor, base: AttributeForm, says: Callable[..., None]) -> None:
    grid = st.grid(3, min_column_width=200)
    for part, label, hint in (
        ("shortest", "Fewest characters", "No bound"),
        ("longest", "Most characters", "No bound"),
        ("pattern", "Pattern", "e.g. ^[A-Z]{2}[0-9]{4}$"),
    ):
        with grid.container():
            more = (
                "A regular expression; begin with ^ and end with $ for the whole text." if part == "pattern" else None
            )
            st.text_input(label, **editor.widget(f"{base.id}/{part}", getattr(base, part)), placeholder=hint, help=more)
            says(part)


def _choices(editor: CategoryEditor, attribute: AttributeForm, base: AttributeForm, says: Callable[..., None]) -> None:
    names = sorted(name for name in code_lists() if name != CATEGORY_LIST)
    st.selectbox(
        "Choices from",
        ["", *names],
        format_func=lambda name: name or "Its own list, below",
        **editor.widget(f"{attribute.id}/code_list", base.code_list if base.code_list in names else ""),
        help="A code list's active codes are taken over when the version is published.",
    )
    if not attribute.code_list:
        st.text_area(
            "Choices, one a line *",
            **editor.widget(f"{attribute.id}/choices", base.choices),
            placeholder="PUBLIC = Open to anybody\nFLEET = A fleet's own",
            help="CODE = Label; with the label alone, the code is made from it.",
            height=120,
        )
    says("choices")

"""Fields of a category's editor: its head, and its requirements on the attributes that all assets have."""

from collections.abc import Sequence

import streamlit as st

from pages.components.category.editor import Beside, CategoryEditor
from pages.components.common.form_field import show_beside
from pages.frame.markdown import escape_markdown
from services.assets.categories.changes import DIRECTIONS
from services.assets.categories.effect import mandatable_terms
from services.assets.categories.form import CategoryForm, UsualValue, core_label
from services.assets.rules.reference import code_lists
from services.assets.rules.schemas import CORE, CORE_ATTRIBUTES
from services.core.attributes import FormField, options_of

HIDEABLE = [field.term for field in CORE_ATTRIBUTES if not field.mandatory]
USUAL = [
    field.term
    for field in CORE_ATTRIBUTES
    if field.kind in ("code", "power", "text", "long_text") and field.term not in ("AssetName", "AssetCategory")
]
ALL_MANDATORY = ", ".join(field.label for field in CORE_ATTRIBUTES if field.mandatory)


def draw_head(editor: CategoryEditor, beside: Beside) -> None:
    """Name, code, description, what its assets do, and its colour on the map."""
    form = editor.base
    st.text_input("Name *", **editor.widget("title", form.title), help="As forms, lists and the map's legend show it.")
    show_beside(beside.get("title", ()))
    st.text_input(
        "Code",
        editor.category,
        disabled=True,
        help="Files and programs use it. It was checked when the category was begun, and stays.",
    )
    st.text_area(
        "Description *",
        **editor.widget("description", form.description),
        height=80,
        help="People read it when they choose a category: which assets belong to it?",
    )
    show_beside(beside.get("description", ()))
    st.selectbox(
        "What its assets do *",
        list(DIRECTIONS),
        index=None,
        format_func=DIRECTIONS.__getitem__,
        placeholder="Choose",
        **editor.widget("kind", form.kind if form.kind in DIRECTIONS else None),
        help="Generation or demand capacity that isn't given is the rated one in this direction.",
    )
    show_beside(beside.get("x-kind", ()))
    st.color_picker(
        "Colour on the map",
        **editor.widget("colour", form.colour or "#0077BB"),
        help="Chosen so that no other category has it. Change it if it reads badly beside its neighbours.",
    )
    show_beside(beside.get("x-colour", ()))


def draw_core(editor: CategoryEditor, beside: Beside) -> None:
    """Core attributes that the category needs, those it leaves out, and their usual values."""
    form = editor.base
    st.caption(f"Every asset has: {escape_markdown(ALL_MANDATORY)}.")
    st.multiselect(
        "Mandatory in this category",
        mandatable_terms(),
        format_func=core_label,
        placeholder="None besides those that every asset has",
        **editor.widget("mandatory", _known(form.mandatory, mandatable_terms())),
    )
    show_beside(beside.get("x-mandatory", ()))
    st.multiselect(
        "Left out of the form",
        HIDEABLE,
        format_func=core_label,
        placeholder="None",
        **editor.widget("hidden", _known(form.hidden, HIDEABLE)),
        help="What makes no sense for these assets. Files and programs may still give it.",
    )
    show_beside(beside.get("x-hidden", ()))
    _one_of(editor, form, beside)
    _usual(editor, form, beside)
    for term, other in form.when.items():
        st.markdown(
            f":material/rule: {escape_markdown(core_label(term))} is mandatory where "
            f"{escape_markdown(core_label(other))} is above 0."
        )


def _known(terms: Sequence[str], offered: Sequence[str]) -> list[str]:
    return [term for term in terms if term in offered]


def _one_of(editor: CategoryEditor, form: CategoryForm, beside: Beside) -> None:
    st.markdown("**One of these is needed**")
    offered = [term for term in HIDEABLE if term not in ("ConsumerOwned", "Easting", "Northing")]
    for place, group in enumerate(form.one_of):
        with st.container(horizontal=True, vertical_alignment="bottom"):
            st.multiselect(
                f"Group {place + 1}",
                offered,
                format_func=core_label,
                placeholder="Two or more",
                **editor.widget(f"one-of/{place}", _known(group, offered)),
            )
            st.button(
                "Remove",
                key=editor.state.key(f"remove-group-{place}"),
                icon=":material/delete:",
                help=f"Remove group {place + 1}",
                on_click=editor.change,
                args=(lambda form, at=place: _without(form, "one_of", at),),
            )
    show_beside(beside.get("x-mandatory-any", ()))
    st.button(
        "Add a group",
        icon=":material/add:",
        type="tertiary",
        on_click=editor.change,
        args=(lambda form: form.model_copy(update={"one_of": [*form.one_of, []]}),),
    )


def _without(form: CategoryForm, part: str, place: int) -> CategoryForm:
    remaining = [entry for at, entry in enumerate(getattr(form, part)) if at != place]
    return form.model_copy(update={part: remaining})


def _usual(editor: CategoryEditor, form: CategoryForm, beside: Beside) -> None:
    st.markdown("**Usual values**")
    st.caption("Stand in the form from the start; with *Also where nothing is given*, in files and programs too.")
    for place, usual_value in enumerate(form.usual):
        with st.container(border=True):
            grid = st.grid(3, min_column_width=220, vertical_alignment="bottom")
            with grid.container():
                st.selectbox(
                    "Attribute",
                    USUAL,
                    index=None,
                    format_func=core_label,
                    placeholder="Choose",
                    **editor.widget(f"usual/{place}/term", usual_value.term if usual_value.term in USUAL else None),
                )
            with grid.container():
                _value(editor, place, usual_value, CORE.get(editor.form().usual[place].term))
            with grid.container():
                st.toggle("Also where nothing is given", **editor.widget(f"usual/{place}/always", usual_value.always))
            show_beside(beside.get(f"usual.{place}", ()))
            st.button(
                "Remove",
                key=editor.state.key(f"remove-usual-{place}"),
                icon=":material/delete:",
                type="tertiary",
                on_click=editor.change,
                args=(lambda form, at=place: _without(form, "usual", at),),
            )
    st.button(
        "Add a usual value",
        icon=":material/add:",
        type="tertiary",
        on_click=editor.change,
        args=(lambda form: form.model_copy(update={"usual": [*form.usual, UsualValue()]}),),
    )


def _value(editor: CategoryEditor, place: int, usual_value: UsualValue, field: FormField | None) -> None:
    """A choice where the attribute is one of a list, else a text."""
    name = f"usual/{place}/value"
    if field is None or not field.code_list:
        measure = f" ({field.unit})" if field and field.unit else ""
        st.text_input(f"Value{measure}", **editor.widget(name, usual_value.value))
        return
    labels = {option.code: option.label for option in options_of(code_lists(), field.code_list)}
    if editor.state.get(name) not in labels:
        editor.state.drop(name)
    st.selectbox(
        "Value",
        list(labels),
        index=None,
        format_func=labels.__getitem__,
        placeholder="Choose",
        **editor.widget(name, usual_value.value if usual_value.value in labels else None),
    )

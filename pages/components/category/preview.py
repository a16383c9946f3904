"""Preview of a category's draft: the form as the registration draws it, the template's columns, the JSON Schema."""

import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import streamlit as st

from models.assets import CategorySchema
from pages.components.asset_form.form import AssetForm
from pages.components.category.editor import CategoryEditor
from pages.components.common.downloads import draw_small_download
from pages.components.common.form_findings import show_summary
from pages.components.common.form_state import FormState
from pages.frame.markdown import escape_markdown
from services.assets.categories.document import document_of
from services.assets.categories.effect import try_category
from services.assets.categories.form import CategoryForm
from services.assets.rules.reference import code_lists
from services.assets.rules.template_columns import columns_of
from services.core.attributes import CodeLists
from services.core.errors import Finding
from services.core.identity.actor import Actor

VIEWS = {"form": "The form", "template": "Columns of the bulk template", "schema": "JSON Schema"}


@dataclass
class DraftedForm(AssetForm):
    """The registration form of a category that is still a draft."""

    drafted: CategorySchema | None = None

    @cached_property
    def schema(self) -> CategorySchema | None:  # pyright: ignore[reportIncompatibleVariableOverride]  # both are cached
        """The draft instead of a published version."""
        return self.drafted


def draw_preview(editor: CategoryEditor) -> None:
    """The form to try, the columns, or the document."""
    view = st.segmented_control(
        "Preview of",
        list(VIEWS),
        format_func=VIEWS.__getitem__,
        default="form",
        required=True,
        key=f"{editor.state.slot}!view",
        label_visibility="collapsed",
    )
    form, lists = editor.form(), code_lists()
    document = document_of(editor.category, form, lists)
    if view == "form":
        _form(editor.actor, editor.category, form, document)
    elif view == "template":
        _template(editor.category, document, lists)
    else:
        text = json.dumps(document, indent=2, ensure_ascii=False)
        st.caption("As the API gives it out once it is published; its identifier then carries the version.")
        draw_small_download("Download", text.encode(), f"{editor.category}.schema.json", "application/schema+json")
        st.code(text, language="json", height=560)


def _form(actor: Actor, category: str, form: CategoryForm, document: dict[str, Any]) -> None:
    """The registration's own parts, with the rules' own words; what is typed here goes nowhere."""
    state = FormState(f"try-{category}")
    drafted = CategorySchema(category=category, schema_version=0, document=document)
    trial = DraftedForm(actor, state, fixed_category=category, drafted=drafted)
    asked = state.note("checking")
    findings: list[Finding] = try_category(actor, category, form, trial.values()) if asked else []
    st.caption("Try it: nothing that you type here is registered.")
    with st.container(horizontal=True):
        st.button("Check what I typed", icon=":material/rule:", on_click=state.remember, args=("checking", True))
        st.button("Empty the form", icon=":material/restart_alt:", type="tertiary", on_click=state.clear)
    if asked:
        show_summary(findings, trial.labels, trial.anchors, "Nothing to correct: such an asset could be registered.")
    for field in trial.fields:
        if field.default is not None and not asked and state.get(field.term) in (None, ""):
            state.put(field.term, field.default)
    trial.draw(findings, lambda: None)


def _template(category: str, document: dict[str, Any], lists: CodeLists) -> None:
    columns = columns_of(category, document, lists)
    needed = sum(column.mandatory for column in columns)
    st.caption(f"{len(columns)} columns, {needed} of them mandatory, in this order.")
    st.dataframe(
        [
            {
                "Heading": column.term,
                "What it is": column.label,
                "Mandatory": "Yes" if column.mandatory else "",
                "Unit": column.unit,
                "Accepted": column.allowed,
                "Example": column.example,
                "Meaning": column.meaning,
            }
            for column in columns
        ],
        hide_index=True,
        width="stretch",
        height=560,
    )


def title_of(form: CategoryForm, category: str) -> str:
    """Title of the category, escaped; its code while it has none."""
    return escape_markdown(form.title.strip() or category)

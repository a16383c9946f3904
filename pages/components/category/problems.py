"""Problems of a category's draft, in one list that says where each field is."""

from collections.abc import Sequence

import streamlit as st

from pages.frame.markdown import escape_markdown
from services.assets.categories.form import CategoryForm
from services.core.errors import Finding

WHERE = {
    "title": "Category, Name",
    "category": "Category, Code",
    "description": "Category, Description",
    "x-kind": "Category, What its assets do",
    "x-colour": "Category, Colour",
    "x-mandatory": "Shared attributes, Mandatory",
    "x-hidden": "Shared attributes, Left out of the form",
    "x-mandatory-any": "Shared attributes, One of these is needed",
}
PARTS = {
    "label": "Label",
    "name": "Name",
    "minimum": "Minimum",
    "maximum": "Maximum",
    "shortest": "Fewest characters",
    "longest": "Most characters",
    "pattern": "Pattern",
    "choices": "Choices",
    "help": "Help text",
    "example": "Example",
}


def show_problems(findings: Sequence[Finding], form: CategoryForm) -> None:
    """All of it at once; or that the draft can be published."""
    if not findings:
        st.success("Nothing to correct: the draft can be published.", icon=":material/check_circle:")
        return
    lines = [
        f"- **{escape_markdown(place_of(finding.field, form))}**: {escape_markdown(finding.message)}"
        for finding in findings
    ]
    st.error(
        f"**{len(findings)} to correct before it can be published**\n\n" + "\n".join(lines), icon=":material/error:"
    )


def place_of(field: str | None, form: CategoryForm) -> str:
    """Place of a field in the form, in words: ``Its attributes, Usable energy, Minimum``."""
    first, _, rest = (field or "").partition(".")
    if first == "attributes":
        identifier, _, part = rest.partition(".")
        name = next((attribute.display_name for attribute in form.attributes if attribute.id == identifier), identifier)
        return f"Its attributes, {name}, {PARTS.get(part, part)}"
    if first == "usual":
        return f"Shared attributes, Usual value {int(rest) + 1}"
    return WHERE.get(first, first or "The whole draft")

"""A published category as everybody reads it: what it is, its own attributes, and those it shares with all."""

import streamlit as st

from models.assets import CategorySchema
from pages.frame.markdown import escape_markdown
from services.assets.rules.schemas import CATEGORY_GROUP, form_fields
from services.core.attributes import CodeLists, FormField
from services.core.clock import show_moment

KINDS = {"storage": "Storage", "gen": "Generation", "demand": "Demand", "both": "Generation, storage or demand"}
TYPES = {
    "text": "Text",
    "long_text": "Text",
    "code": "One of a list",
    "codes": "Several of a list",
    "boolean": "Yes or no",
    "date": "Date",
    "power": "Number, two decimals",
    "number": "Number",
    "integer": "Whole number",
    "uuid": "Organisation",
    "mpan": "13 digits",
    "postcode": "UK postcode",
    "degrees": "Decimal degrees",
    "metres": "Metres, National Grid",
    "aliases": "Scheme and value",
}


def row(field: FormField) -> dict[str, str]:
    """One attribute as a row of the table."""
    least = "" if field.minimum is None else f"from {field.minimum:,.10g}"
    most = "" if field.maximum is None else f"to {field.maximum:,.10g}"
    choices = ", ".join(option.label for option in field.options)
    longest = f"at most {field.max_length} characters" if field.max_length else ""
    return {
        "Attribute": field.label,
        "Mandatory": "Yes" if field.mandatory else "",
        "Type": TYPES.get(field.kind, field.kind),
        "Unit": field.unit,
        "Accepted": choices or " ".join(part for part in (least, most, longest) if part),
        "Default": field.default or "",
        "What it is": field.help,
        "Term": field.term,
    }


def draw_sheet(schema: CategorySchema, lists: CodeLists) -> None:
    """One category."""
    document = schema.document
    fields = form_fields(document, lists)
    st.subheader(escape_markdown(str(document.get("title", schema.category))), anchor=False)
    with st.container(horizontal=True):
        kind = str(document.get("x-kind", ""))
        st.badge(KINDS.get(kind, kind or "Any"), icon=":material/bolt:", color="blue")
        st.badge(f"Version {schema.schema_version}", icon=":material/history:", color="gray")
        st.badge(schema.category, icon=":material/code:", color="gray")
    st.markdown(escape_markdown(str(document.get("description", ""))))
    for group in document.get("x-mandatory-any", ()):
        names = " or ".join(field.label for field in fields if field.term in group)
        st.markdown(f":material/rule: At least one of these is needed: {escape_markdown(names)}.")
    own = [field for field in fields if field.group == CATEGORY_GROUP]
    if own:
        st.markdown(f"**{len(own)} {'attribute' if len(own) == 1 else 'attributes'} of this category**")
        st.dataframe([row(field) for field in own], hide_index=True, width="stretch")
    else:
        st.info("This category adds no attribute of its own.", icon=":material/category:")
    with st.expander(f"{len(fields) - len(own)} attributes that it shares with other categories"):
        st.dataframe([row(field) for field in fields if field not in own], hide_index=True, width="stretch")
    if document.get("x-deprecation"):
        st.warning(f"Out of use: {escape_markdown(str(document['x-deprecation']))}", icon=":material/block:")
    st.caption(f"Published {show_moment(schema.published_at)}. Assets keep the version they were registered with.")

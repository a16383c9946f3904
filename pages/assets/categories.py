"""Categories (UC-05.07): kinds of asset that the register knows, the attributes of each, and the code lists."""

import streamlit as st

from pages.components.category.code_lists import draw_code_lists
from pages.components.category.overview import category_label, draw_acts, draw_overview, say_unpublished
from pages.components.category.sheet import draw_sheet
from pages.components.common.asset_filters import accept_codes
from pages.frame import session
from services.assets.categories.drafts import CategorySummary, category_overview
from services.assets.rules.reference import categories, code_lists, schema_versions
from services.core.errors import NotFound
from services.core.identity.permissions import may


def draw_categories() -> None:
    """For their keeper all of them with what can be done; for everybody what is in use."""
    overview: dict[str, CategorySummary] = {}
    if keeping:
        overview = {category.category: category for category in category_overview(actor)}
        draw_overview(actor, list(overview.values()))
    schemas = {schema.category: schema for schema in categories(actor)}
    titles = {code: str(schema.document.get("title", code)) for code, schema in schemas.items()}
    titles |= {code: category_label(category) for code, category in overview.items()}
    accept_codes("category", titles, several=False)
    selected = st.selectbox(
        "Category", list(titles), format_func=titles.__getitem__, key="category", bind="query-params"
    )
    if not selected:
        st.info("No category is published. An administrator publishes them.", icon=":material/category:")
        return
    if selected in overview:
        draw_acts(actor, overview[selected])
    if selected in schemas:
        draw_sheet(schemas[selected], lists)
        return
    try:
        draw_sheet(schema_versions(actor, selected)[0], lists)
    except NotFound:
        say_unpublished(overview[selected])


actor = session.actor()
keeping = may(actor, "category.manage")
lists = code_lists()
st.title("Categories", anchor=False)
st.caption("What kinds of asset the register knows. The form, the rules and the API of each follow from its schema.")
by_category, by_code = st.tabs(["Categories", "Code lists"], key="list", on_change="rerun", bind="query-params")
if by_category.open:
    with by_category:
        draw_categories()
if by_code.open:
    with by_code:
        draw_code_lists(actor, keeping)

"""Categories (UC-05.07): what kinds of asset the register knows, what each is described by, and the code lists."""

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
        overview = {one.category: one for one in category_overview(actor)}
        draw_overview(actor, list(overview.values()))
    known = {schema.category: schema for schema in categories(actor)}
    titles = {code: str(schema.document.get("title", code)) for code, schema in known.items()}
    titles |= {code: category_label(one) for code, one in overview.items()}
    accept_codes("category", titles, several=False)
    chosen = st.selectbox("Category", list(titles), format_func=titles.__getitem__, key="category", bind="query-params")
    if not chosen:
        st.info("No category is published. An administrator publishes them.", icon=":material/category:")
        return
    if chosen in overview:
        draw_acts(actor, overview[chosen])
    if chosen in known:
        draw_sheet(known[chosen], lists)
        return
    try:
        draw_sheet(schema_versions(actor, chosen)[0], lists)
    except NotFound:
        say_unpublished(overview[chosen])


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

"""Search results by kind, each with the field that matched; the best first (UC-05.01)."""

import streamlit as st

from pages.frame import session
from pages.frame.markdown import escape_markdown
from pages.frame.navigation import link
from pages.frame.search_box import HANDED
from services.core.access_log import log_access_soon
from services.core.identity.permissions import may
from services.governance.search import LONGEST, MOST, Found, Hit, SearchResults, search

GROUPS = (
    ("Assets", "bolt", (Found.ASSET,)),
    ("Drafts", "edit_note", (Found.DRAFT,)),
    ("Organisations", "apartment", (Found.ORGANISATION, Found.PARTICIPANT)),
    ("Categories", "category", (Found.CATEGORY,)),
)
CAN_BE_SEARCHED = """You can search for

- an asset by its **name** or a part of it, its **ID**, your **own code** for it, its **MPAN** (13 digits, or the 21 of a bill),
  its **serial number**, its **postcode**, or another identifier such as an **ECR** or **REPD** reference;
- an **organisation** by its name, or by its number where you see its record;
- a **draft** by what was typed into it, and a **category** of assets by its name.

The beginning is enough. Only what you may see is found."""


def match_words(hit: Hit) -> str:
    """The reason why it was found: the field, and in its value the part that matched, set off."""
    before, part = hit.value[: hit.start], hit.value[hit.start : hit.start + hit.length]
    after = hit.value[hit.start + hit.length :]
    marked = f":orange-background[{escape_markdown(part)}]" if part else ""
    return f"{escape_markdown(hit.field)}: {escape_markdown(before)}{marked}{escape_markdown(after)}"


def draw_link(hit: Hit, icon: str) -> None:
    """The result's name, as a link to where it is."""
    label = f"**{escape_markdown(hit.title)}**"
    match hit.kind:
        case Found.ASSET:
            link("assets/asset.py", label, icon, {"id": hit.identifier})
        case Found.ORGANISATION:
            link("participants/organisation.py", label, icon, {"id": hit.identifier})
        case Found.PARTICIPANT:
            link("participants/organisations.py", label, icon)
        case Found.DRAFT:
            link("assets/drafts.py", label, icon, {"draft": hit.identifier})
        case Found.CATEGORY:
            page = "assets/assets.py" if may(actor, "asset.read") else "assets/categories.py"
            link(page, label, icon, {"category": hit.identifier})


def draw_group(results: SearchResults, title: str, icon: str, kinds: tuple[Found, ...]) -> None:
    """One kind of results."""
    hits = results.of(*kinds)
    if not hits:
        return
    more = " or more" if len(hits) >= MOST else ""
    st.subheader(f"{title} ({len(hits)}{more})", anchor=False)
    for hit in hits:
        with st.container(border=True, gap="xsmall"):
            with st.container(horizontal=True, vertical_alignment="center"):
                draw_link(hit, icon)
                if hit.exact:
                    st.badge("Exact", icon=":material/check:", color="green")
            st.caption(f"{match_words(hit)} — {escape_markdown(hit.about)}")
    if more and Found.ASSET in kinds:
        link("assets/assets.py", "All of them in the list of assets", "map", {"q": results.text})


actor = session.actor()
# What was handed over stays in the address, so that it can be copied, until something else is typed.
if HANDED in st.query_params and "q" not in st.query_params:
    st.session_state["q"] = st.query_params[HANDED]
st.title("Search", anchor=False)
text = st.text_input(
    "Search for",
    key="q",
    bind="query-params",
    type="search",
    max_chars=LONGEST,
    placeholder="Name, ID, MPAN, serial number, postcode, organisation",
)
results = search(actor, text or "")
if not results.text:
    st.info(CAN_BE_SEARCHED, icon=":material/search:")
    st.stop()
if st.session_state.get("search-logged") != results.text:
    # Once a search, not at every redrawing of the page.
    identifiers = [hit.identifier for hit in results.of(Found.ASSET)]
    log_access_soon(actor, "search", detail={"text": results.text, "assets": identifiers})
    st.session_state["search-logged"] = results.text
if not results.hits:
    st.warning(f"Nothing that you may see has “{escape_markdown(results.text)}”.", icon=":material/search_off:")
    st.markdown(CAN_BE_SEARCHED)
    if may(actor, "asset.lookup"):
        link("assets/lookup.py", "Ask whether another provider has registered it", "search")
for title, icon, kinds in GROUPS:
    draw_group(results, title, icon, kinds)
if not results.complete:
    st.caption(
        ":material/hourglass_bottom: Your search was ended before all names and postcodes were looked through. Give more "
        "words, or an identifier."
    )

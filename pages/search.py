"""Search results by kind, each with the field that matched; the best first (UC-05.01)."""

import streamlit as st

from pages.frame import session
from pages.frame.markdown import escape_markdown
from pages.frame.navigation import find_offered, link
from pages.frame.search_box import HANDED, destination_of
from services.core.access_log import log_access_soon
from services.core.identity.permissions import may
from services.governance.search import search
from services.governance.search_hits import MOST, Found, Hit, SearchResults

GROUPS = (
    ("Assets", "bolt", (Found.ASSET,)),
    ("Drafts", "edit_note", (Found.DRAFT,)),
    ("Market units", "hub", (Found.UNIT,)),
    ("Applications", "assignment", (Found.APPLICATION,)),
    ("Products", "inventory_2", (Found.PRODUCT,)),
    ("Organisations", "apartment", (Found.ORGANISATION, Found.PARTICIPANT)),
    ("People", "person", (Found.PERSON,)),
    ("Categories", "category", (Found.CATEGORY,)),
    ("GSP groups", "location_on", (Found.GSP_GROUP,)),
)
CAN_BE_SEARCHED = """You can search for

- an asset by its **name** or a part of it, its **ID**, your **own code** for it, its **MPAN** (13 digits, or the 21 of a bill),
  its **serial number** or its end, its **postcode**, or another identifier such as an **ECR** or **REPD** reference;
- a **market unit** or **product** by its name or code, an **application** by its product or unit;
- an **organisation** by its name, or by its number where you see its record, and **people** of it by name;
- a **draft** by what was typed into it, a **category** of assets or a **GSP group** by its name.

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
    destination = destination_of(actor, hit)
    place = find_offered(destination[0], actor) if destination else None
    if destination is None or place is None:
        st.markdown(f":material/{icon}: {label}")
        return
    st.page_link(f"pages/{place.file}", label=label, icon=f":material/{icon}:", query_params=destination[1])


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
st.title("Search", anchor=False)
text = st.query_params.get(HANDED) or st.query_params.get("q") or ""
results = search(actor, text)
if results.text:
    st.caption(f"Results for “{escape_markdown(results.text)}”, within what you may see. Search again at the top.")
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

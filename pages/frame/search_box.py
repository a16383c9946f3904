"""The search at the top of every page, a palette: pages and everything that one may see, while one types; Enter shows all."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import streamlit as st

from pages.frame.navigation import START, find_offered, list_destinations
from services.core.identity.actor import Actor
from services.core.identity.permissions import may
from services.governance.search import search
from services.governance.search_hits import LONGEST, Found, Hit, SearchResults

KEY, ASKED = "search-everything", "search-asked"
RESULTS, HANDED = "pages/search.py", "find"
LABEL = "Search the register"
EACH = 5
"""Results of one kind that are shown while one types."""
SHOWN = 24
HTML = f"""<div class="fmar-palette">
<input type="search" role="combobox" aria-label="{LABEL}" aria-expanded="false" aria-controls="fmar-hits"
 aria-autocomplete="list" autocomplete="off" spellcheck="false" maxlength="{LONGEST}" placeholder="Search or jump to   /" />
<div id="fmar-hits" role="listbox" aria-label="Results" hidden></div>
<output class="visually-hidden" aria-live="polite"></output>
</div>"""
_palette = st.components.v2.component(
    "fmar_palette",
    html=HTML,
    js=Path(__file__).with_name("palette.js").read_text(encoding="utf-8"),
    isolate_styles=False,
)
PLACES: Mapping[Found, tuple[str, str, str]] = {
    Found.ASSET: ("Assets", "asset", "id"),
    Found.DRAFT: ("Drafts", "drafts", "draft"),
    Found.UNIT: ("Market units", "market-unit", "id"),
    Found.APPLICATION: ("Applications", "application", "id"),
    Found.PRODUCT: ("Products", "product", "code"),
    Found.ORGANISATION: ("Organisations", "organisation", "id"),
    Found.PARTICIPANT: ("Organisations", "organisations", ""),
    Found.PERSON: ("People", "organisation", "id"),
    Found.CATEGORY: ("Categories", "categories", "category"),
    Found.GSP_GROUP: ("GSP groups", "assets", "gsp"),
}
"""By kind: what its results are called together, and the address that shows one, with the name of its parameter."""


def destination_of(actor: Actor, hit: Hit) -> tuple[str, dict[str, str]] | None:
    """The address and parameters that show a result; None where the actor's pages don't."""
    _, address, name = PLACES[hit.kind]
    if hit.kind is Found.CATEGORY and may(actor, "asset.read"):
        address = "assets"
    if find_offered(address, actor) is None:
        address, name = "market", "gsp" if hit.kind is Found.GSP_GROUP else ""
        if hit.kind is not Found.GSP_GROUP or find_offered(address, actor) is None:
            return None
    return address, {name: hit.identifier} if name else {}


def draw_search(actor: Actor) -> None:
    """The box; whatever was asked with it is answered before the page is drawn."""
    if not may(actor, "register.search"):
        return
    _draw_palette(actor)
    asked = str(st.session_state.pop(ASKED, "")).strip()
    if asked:
        _answer(actor, asked)


@st.fragment
def _draw_palette(actor: Actor) -> None:
    """Drawn anew by itself while somebody types; the page below stays as it is."""
    sent = st.session_state.get(KEY) or {}
    text = str(sent.get("typed") or "").strip()[:LONGEST]
    results = search(actor, text) if text else None
    result = _palette(
        key=KEY,
        data={
            "text": text,
            "records": _describe_hits(actor, results) if results else [],
            "more": bool(results and results.hits),
            "pages": list_destinations(actor),
        },
        on_typed_change=_ignore,
        on_asked_change=_ignore,
        on_opened_change=_ignore,
    )
    if result.asked:
        st.session_state[ASKED] = str(result.asked)[:LONGEST]
        st.rerun()
    if result.opened:
        _open(actor, result.opened)


def _ignore() -> None:
    """What was sent is read where the palette is drawn."""


def _describe_hits(actor: Actor, results: SearchResults) -> list[dict[str, Any]]:
    """The best results of each kind, exact ones first, as the palette shows them."""
    kinds = list(PLACES)
    hits = sorted(results.hits, key=lambda hit: (not hit.exact, kinds.index(hit.kind), hit.rank))
    shown: list[dict[str, Any]] = []
    counts: dict[str, int] = {}
    for hit in hits:
        group, destination = PLACES[hit.kind][0], destination_of(actor, hit)
        if destination is None or counts.get(group, 0) >= EACH:
            continue
        counts[group] = counts.get(group, 0) + 1
        matched = f"{hit.field} {hit.value} · " if hit.field not in ("Name", "Category", "Legal name") else ""
        about = f"{matched}{hit.about}"
        shown.append(
            {"group": group, "title": hit.title, "about": about, "address": destination[0], "query": destination[1]}
        )
    return shown[:SHOWN]


def _open(actor: Actor, opened: Mapping[str, Any]) -> None:
    place = find_offered(str(opened.get("address") or START), actor)
    query = opened.get("query")
    if place is not None:
        parameters = {str(name): str(value) for name, value in query.items()} if isinstance(query, Mapping) else {}
        st.switch_page(f"pages/{place.file}", query_params=parameters)


def _answer(actor: Actor, asked: str) -> None:
    """Open the one record whose identifier was given whole; else all results."""
    only = search(actor, asked).only
    destination = destination_of(actor, only) if only is not None else None
    if destination is not None and destination[1]:
        _open(actor, {"address": destination[0], "query": destination[1]})
    # Not as "q": the page that is left may hold that of the address for a field of its own. The results' field takes it over.
    st.switch_page(RESULTS, query_params={HANDED: asked})

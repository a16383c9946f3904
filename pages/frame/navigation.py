"""Navigation: the pages of each area, offered to those whose permissions open them."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

import streamlit as st
from streamlit.navigation.page import Page

from pages.frame.closed import show_closed, show_unknown
from services.core.identity.actor import Actor
from services.core.identity.permissions import may


@dataclass(frozen=True, slots=True)
class PortalPage:
    """One page: its file, address, title, icon, and the permissions of which any one opens it."""

    file: str
    address: str
    title: str
    icon: str
    permissions: Sequence[str] = ()
    hidden: bool = False
    """Reached by a link from another page, not from the menu."""


START = "start"
"""Streamlit serves its default page at / only, but keeps a name for it; /home is another way to the same page."""
PLACES: dict[str, list[PortalPage]] = {
    "": [
        PortalPage("home.py", START, "Home", "home"),
        PortalPage("home.py", "home", "Home", "home", hidden=True),
        PortalPage("search.py", "search", "Search", "search", ["register.search"], hidden=True),
        PortalPage("waiting.py", "waiting", "What waits", "pending_actions", ["asset.read"], hidden=True),
    ],
    "Assets": [
        PortalPage("assets/register_asset.py", "register-asset", "Register an asset", "add_circle", ["asset.register"]),
        PortalPage(
            "assets/prepare_asset.py", "prepare-asset", "Prepare an asset", "add_circle", ["asset.submit_draft"]
        ),
        PortalPage("assets/upload.py", "upload", "Upload a portfolio", "upload_file", ["asset.bulk"]),
        PortalPage("assets/drafts.py", "drafts", "Drafts", "edit_note", ["asset.draft"]),
        PortalPage("assets/assets.py", "assets", "Assets and map", "map", ["asset.read"]),
        PortalPage("assets/review.py", "review", "Review", "fact_check", ["asset.read"]),
        PortalPage("assets/lookup.py", "look-up", "Look up", "search", ["asset.lookup"]),
        PortalPage("assets/asset.py", "asset", "Asset", "bolt", ["asset.read"], hidden=True),
        PortalPage("assets/edit_asset.py", "edit-asset", "Change an asset", "edit", ["asset.update"], hidden=True),
        PortalPage("assets/categories.py", "categories", "Categories", "category", ["category.read"]),
        PortalPage(
            "assets/edit_category.py", "edit-category", "Edit a category", "edit", ["category.manage"], hidden=True
        ),
        PortalPage("assets/sources.py", "sources", "Public registers", "menu_book", ["source.read"]),
    ],
    "Market": [
        PortalPage("market/dashboard.py", "market", "Market at a glance", "monitoring", ["market.statistics"]),
        PortalPage("market/products.py", "products", "Products", "inventory_2", ["product.read"]),
        PortalPage("market/product.py", "product", "Product", "inventory_2", ["product.read"], hidden=True),
        PortalPage("market/proposals.py", "product-proposals", "Product proposals", "rule", ["product.propose"]),
        PortalPage(
            "market/propose_product.py",
            "propose-product",
            "Propose a product",
            "add_circle",
            ["product.propose"],
            hidden=True,
        ),
        PortalPage("market/stacking.py", "stacking", "Stacking", "grid_on", ["product.read"]),
        PortalPage("market/equivalences.py", "equivalences", "Equivalences", "swap_horiz", ["product.read"]),
        PortalPage("market/units.py", "market-units", "Market units", "hub", ["unit.read"]),
        PortalPage("market/build_unit.py", "build-unit", "Build a unit", "add_box", ["unit.manage"]),
        PortalPage("market/opportunities.py", "opportunities", "Opportunities", "explore", ["unit.read"]),
        PortalPage(
            "market/queue.py",
            "application-queue",
            "Applications to assess",
            "pending_actions",
            ["qualification.assess", "organisation.decide"],
        ),
        PortalPage("market/applications.py", "applications", "Applications", "assignment", ["qualification.apply"]),
        PortalPage(
            "market/application.py", "application", "Application", "assignment", ["qualification.read"], hidden=True
        ),
        PortalPage("market/unit.py", "market-unit", "Market unit", "hub", ["unit.read"], hidden=True),
    ],
    "Participants": [
        PortalPage(
            "participants/organisations.py", "organisations", "Organisations", "apartment", ["organisation.directory"]
        ),
        PortalPage("participants/organisation.py", "organisation", "My organisation", "badge", ["organisation.read"]),
        PortalPage(
            "participants/edit_organisation.py",
            "edit-organisation",
            "Change an organisation",
            "edit",
            ["organisation.update"],
            hidden=True,
        ),
        PortalPage(
            "participants/register_organisation.py",
            "register-organisation",
            "Register an organisation",
            "domain_add",
            ["organisation.register"],
        ),
        PortalPage("participants/users.py", "users", "Users", "group", ["user.manage"]),
        PortalPage("participants/clients.py", "credentials", "API credentials", "key", ["client.manage"]),
    ],
    "Governance": [
        PortalPage("governance/ledger.py", "ledger", "Ledger", "verified_user", ["ledger.verify"]),
        PortalPage("governance/accesses.py", "access-log", "Access log", "visibility", ["access.read"]),
        PortalPage("governance/permissions.py", "permissions", "Who may do what", "lock_person"),
        PortalPage("governance/settings.py", "settings", "Settings", "tune", ["setting.read"]),
        PortalPage("governance/about.py", "about", "About the register", "info"),
    ],
}


def _page(place: PortalPage, *, default: bool = False) -> Page:
    return st.Page(
        f"pages/{place.file}",
        title=place.title,
        icon=f":material/{place.icon}:",
        url_path=place.address,
        default=default,
        visibility="hidden" if place.hidden else "visible",
    )


def list_pages(actor: Actor) -> dict[str, list[Page]]:
    """The pages that the actor may open, by area; at every other address a page that says why nothing is there."""
    closed = [
        st.Page(show_closed, title=place.title, url_path=place.address, visibility="hidden")
        for place in _all_places()
        if not is_offered(place, actor)
    ]
    if unknown := _unknown_address():
        closed.append(st.Page(show_unknown, title="No such page", url_path=unknown, visibility="hidden"))
    pages = {
        area: [_page(place, default=place.address == START) for place in places if is_offered(place, actor)]
        for area, places in PLACES.items()
    }
    pages[""] += closed
    return {area: offered for area, offered in pages.items() if offered}


def list_public_pages() -> list[Page]:
    """The sign-in page, at every address: a link that somebody was sent waits there until they have signed in."""
    addresses = [place.address for place in _all_places()]
    if unknown := _unknown_address():
        addresses.append(unknown)
    return [
        st.Page("pages/sign_in.py", title="Sign in", icon=":material/login:", default=True),
        *(st.Page("pages/sign_in.py", title="Sign in", url_path=address, visibility="hidden") for address in addresses),
    ]


def find_closed(address: str, actor: Actor) -> PortalPage | None:
    """The page at this address where it isn't open to the actor; None where it is, or where there is none."""
    return next((place for place in _all_places() if place.address == address and not is_offered(place, actor)), None)


def find_offered(address: str, actor: Actor) -> PortalPage | None:
    """The page at this address where it is open to the actor; None otherwise."""
    return next((place for place in _all_places() if place.address == address and is_offered(place, actor)), None)


WITHOUT_RECORD = frozenset({"propose-product"})
"""Addresses that are left out of the menu, but show something without a record's name."""


def list_destinations(actor: Actor) -> list[dict[str, str]]:
    """The pages that the actor may jump to, with the part of the menu that they stand in."""
    return [
        {
            "group": "Pages",
            "title": place.title,
            "about": area,
            "address": "" if place.address == START else place.address,
        }
        for area, places in PLACES.items()
        for place in places
        if is_offered(place, actor) and (not place.hidden or place.address in WITHOUT_RECORD)
    ]


def _all_places() -> list[PortalPage]:
    return [place for places in PLACES.values() for place in places]


def _unknown_address() -> str:
    """The address that the browser asked for, where no page has it; empty otherwise."""
    address = urlsplit(st.context.url or "").path.strip("/")
    known = not address or "/" in address or any(place.address == address for place in _all_places())
    return "" if known else address


def list_applicant_pages() -> list[Page]:
    """Pages of somebody without an organisation, who can register one."""
    begin = next(place for place in PLACES["Participants"] if place.address == "register-organisation")
    addresses = [place.address for place in _all_places() if place is not begin]
    if unknown := _unknown_address():
        addresses.append(unknown)
    return [
        st.Page("pages/sign_in.py", title="Welcome", icon=":material/waving_hand:", default=True),
        _page(begin),
        *(st.Page("pages/sign_in.py", title="Welcome", url_path=address, visibility="hidden") for address in addresses),
    ]


def link(file: str, label: str, icon: str, query: dict[str, str] | None = None) -> None:
    """A link to a page (`assets/assets.py`), drawn as plain text for somebody to whom the page isn't offered."""
    somebody = st.session_state.get("fmar_actor")
    place = next((place for places in PLACES.values() for place in places if place.file == file), None)
    if isinstance(somebody, Actor) and place is not None and is_offered(place, somebody):
        st.page_link(f"pages/{file}", label=label, icon=f":material/{icon}:", query_params=query)
    else:
        st.markdown(f":material/{icon}: {label}")


def is_offered(place: PortalPage, actor: Actor) -> bool:
    """Test whether a page is offered to the actor."""
    return not place.permissions or any(may(actor, permission) for permission in place.permissions)


def open_asset(asset_id: object) -> None:
    """Go to an asset's page."""
    st.switch_page("pages/assets/asset.py", query_params={"id": str(asset_id)})


def open_organisation(organisation_id: object) -> None:
    """Go to an organisation's page."""
    st.switch_page("pages/participants/organisation.py", query_params={"id": str(organisation_id)})

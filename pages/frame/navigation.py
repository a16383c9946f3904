"""Navigation: the pages of each area, offered to those whose permissions open them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

import streamlit as st
from streamlit.navigation.page import Page

from pages.frame.closed import show_closed, show_unknown
from services.core.identity.actor import Actor
from services.core.identity.permissions import may, may_by_work
from services.governance.tasks import TaskArea


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
    work: Sequence[str] = ()
    """Permissions of which one must come with the actor's work: else the page would always be empty."""
    tasks: TaskArea | None = None
    """The tasks that are done there, counted in the menu."""


BADGE = " :blue-badge["
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
        PortalPage(
            "assets/upload.py", "upload", "Upload a portfolio", "upload_file", ["asset.bulk"], tasks=TaskArea.UPLOADS
        ),
        PortalPage("assets/drafts.py", "drafts", "Drafts", "edit_note", ["asset.draft"], tasks=TaskArea.DRAFTS),
        PortalPage("assets/assets.py", "assets", "Assets and map", "map", ["asset.read"], work=["asset.read"]),
        PortalPage(
            "assets/review.py",
            "review",
            "Review",
            "fact_check",
            ["asset.read"],
            work=["asset.settle", "asset.answer", "qualification.assess"],
            tasks=TaskArea.REVIEW,
        ),
        PortalPage("assets/lookup.py", "look-up", "Look up", "search", ["asset.lookup"]),
        PortalPage("assets/asset.py", "asset", "Asset", "bolt", ["asset.read"], hidden=True),
        PortalPage("assets/edit_asset.py", "edit-asset", "Change an asset", "edit", ["asset.update"], hidden=True),
        PortalPage("assets/categories.py", "categories", "Categories", "category", ["category.read"]),
        PortalPage(
            "assets/edit_category.py", "edit-category", "Edit a category", "edit", ["category.manage"], hidden=True
        ),
        PortalPage(
            "assets/sources.py", "sources", "Public registers", "menu_book", ["source.read"], tasks=TaskArea.SOURCES
        ),
    ],
    "Market": [
        PortalPage(
            "market/dashboard.py",
            "market",
            "Market at a glance",
            "monitoring",
            ["market.statistics"],
            work=["market.statistics"],
        ),
        PortalPage("market/products.py", "products", "Products", "inventory_2", ["product.read"]),
        PortalPage("market/product.py", "product", "Product", "inventory_2", ["product.read"], hidden=True),
        PortalPage(
            "market/proposals.py",
            "product-proposals",
            "Product proposals",
            "rule",
            ["product.propose"],
            tasks=TaskArea.PROPOSALS,
        ),
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
        PortalPage("market/units.py", "market-units", "Market units", "hub", ["unit.read"], work=["unit.read"]),
        PortalPage("market/build_unit.py", "build-unit", "Build a unit", "add_box", ["unit.manage"]),
        PortalPage(
            "market/opportunities.py", "opportunities", "Opportunities", "explore", ["unit.read"], work=["unit.read"]
        ),
        PortalPage(
            "market/queue.py",
            "application-queue",
            "Applications to assess",
            "pending_actions",
            ["qualification.assess", "organisation.decide"],
            tasks=TaskArea.ASSESSMENT,
        ),
        PortalPage(
            "market/applications.py",
            "applications",
            "Applications",
            "assignment",
            ["qualification.apply"],
            tasks=TaskArea.APPLICATIONS,
        ),
        PortalPage(
            "market/application.py", "application", "Application", "assignment", ["qualification.read"], hidden=True
        ),
        PortalPage("market/unit.py", "market-unit", "Market unit", "hub", ["unit.read"], hidden=True),
    ],
    "Participants": [
        PortalPage(
            "participants/organisations.py",
            "organisations",
            "Organisations",
            "apartment",
            ["organisation.directory"],
            tasks=TaskArea.ORGANISATIONS,
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
        PortalPage(
            "participants/clients.py",
            "credentials",
            "API credentials",
            "key",
            ["client.manage"],
            tasks=TaskArea.CREDENTIALS,
        ),
    ],
    "Governance": [
        PortalPage("governance/ledger.py", "ledger", "Ledger", "verified_user", ["ledger.verify"]),
        PortalPage("governance/accesses.py", "access-log", "Access log", "visibility", ["access.read"]),
        PortalPage("governance/permissions.py", "permissions", "Who may do what", "lock_person"),
        PortalPage("governance/settings.py", "settings", "Settings", "tune", ["setting.read"]),
        PortalPage("governance/about.py", "about", "About the register", "info"),
    ],
}


def _page(place: PortalPage, *, in_menu: bool = True, count: int = 0) -> Page:
    return st.Page(
        f"pages/{place.file}",
        title=f"{place.title}{BADGE}{count:,}]" if count else place.title,
        icon=f":material/{place.icon}:",
        url_path=place.address,
        default=place.address == START,
        visibility="visible" if in_menu else "hidden",
    )


def list_pages(actor: Actor, counts: Mapping[TaskArea, int]) -> dict[str, list[Page]]:
    """The pages that the actor may open, by area; at every other address a page that says why nothing is there.

    `counts` are the actor's tasks, which stand beside the pages on which they are done.
    """
    closed = [
        st.Page(show_closed, title=place.title, url_path=place.address, visibility="hidden")
        for place in _all_places()
        if not is_offered(place, actor)
    ]
    if unknown := _unknown_address():
        closed.append(st.Page(show_unknown, title="No such page", url_path=unknown, visibility="hidden"))
    pages = {
        area: [
            _page(place, in_menu=is_in_menu(place, actor), count=counts.get(place.tasks, 0) if place.tasks else 0)
            for place in places
            if is_offered(place, actor)
        ]
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


def title_of(page: Page) -> str:
    """A page's title without the count of tasks beside it."""
    return page.title.partition(BADGE)[0]


def is_in_menu(place: PortalPage, actor: Actor) -> bool:
    """Test whether a page stands in the actor's menu: offered, shown, and not always empty for their work."""
    by_work = not place.work or any(may_by_work(actor, permission) for permission in place.work)
    return not place.hidden and by_work and is_offered(place, actor)


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
        if is_in_menu(place, actor) or (place.address in WITHOUT_RECORD and is_offered(place, actor))
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

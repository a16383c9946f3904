"""Home: what waits for the person at the screen, the register in numbers, and what happened lately."""

import streamlit as st

from models.assets import AssetStatus
from models.participants import OrganisationStatus
from pages.frame import session
from pages.frame.banner import plain
from pages.frame.navigation import link, open_asset, open_organisation
from pages.parts import charts
from services.assets.statistics import RegisterNumbers, Waiting, register_in_numbers
from services.core.actor import Actor
from services.core.permissions import may
from services.governance.recent import RecentChange, recent_changes
from services.participants.reading import get_organisation

RECENT = 12


def _errand(count: int, one: str, many: str, page: str, icon: str, query: dict[str, str] | None = None) -> bool:
    """One line of what waits, as a link to where it is done; whether there was anything."""
    if count:
        label = f"**{count:,}** {one if count == 1 else many}"
        link(f"{page}.py", label, icon, query)
    return bool(count)


def _waiting(actor: Actor, waiting: Waiting) -> None:
    with st.container(border=True):
        st.subheader("Waiting for you")
        found = []
        if may(actor, "organisation.decide"):
            found.append(
                _errand(
                    waiting.organisations_pending,
                    "organisation waits for your approval",
                    "organisations wait for your approval",
                    "participants/organisations",
                    "domain_add",
                )
            )
        found += _assets_waiting(actor, waiting)
        found.append(
            _errand(
                waiting.drafts,
                "registration is half filled",
                "registrations are half filled",
                "assets/register_asset",
                "edit_note",
            )
        )
        if not any(found):
            st.markdown(":green[:material/task_alt:] Nothing waits for you.")


def _assets_waiting(actor: Actor, waiting: Waiting) -> list[bool]:
    if may(actor, "asset.settle"):
        open_queries = waiting.query + waiting.pending_validation
        words = "asset is not verified yet", "assets are not verified yet"
        return [_errand(open_queries, *words, "assets/review", "fact_check")]
    if not may(actor, "asset.answer"):
        return []
    query = {"status": AssetStatus.QUERY.value}
    pending = {"status": AssetStatus.PENDING_VALIDATION.value}
    consent = {"status": AssetStatus.AWAITING_CONSENT_CHECK.value}
    lists = "assets/assets"
    return [
        _errand(waiting.query, "asset has a query to answer", "assets have a query to answer", lists, "help", query),
        _errand(
            waiting.pending_validation,
            "asset is being checked",
            "assets are being checked",
            lists,
            "hourglass_top",
            pending,
        ),
        _errand(
            waiting.awaiting_consent, "asset waits for consent", "assets wait for consent", lists, "handshake", consent
        ),
    ]


def _numbers(numbers: RegisterNumbers) -> None:
    st.subheader("The register in numbers")
    if numbers.anonymised:
        st.caption(
            "Figures over all participants. A figure of fewer than five assets or three providers is withheld, and so is "
            "whatever would let it be worked out."
        )
    verified = next((cell for cell in numbers.by_status if cell.code == AssetStatus.VERIFIED), None)
    new = numbers.growth[-1].registered if numbers.growth else None
    cells = st.grid(4, min_column_width=160)
    cells.metric("Active assets", _count(numbers.total.count), border=True)
    cells.metric("Rated power", charts.power(numbers.total.rated_kw), border=True)
    cells.metric("Verified", _count(verified.count if verified else 0), border=True)
    cells.metric("New this month", _count(new), border=True)
    grid = st.grid(2, min_column_width=360)
    for draw, data in (
        (charts.assets_by_status, numbers.by_status),
        (charts.assets_by_category, numbers.by_category),
        (charts.growth, numbers.growth),
        (charts.power_by_group, numbers.by_gsp_group),
    ):
        with grid.container(border=True):
            draw(data)  # pyright: ignore[reportArgumentType]
    every = [*numbers.by_status, *numbers.by_category, *numbers.by_gsp_group]
    withheld = sum(1 for cell in every if cell.withheld)
    if withheld:
        st.caption(f":material/visibility_off: {withheld} figures are withheld.")


def _count(count: int | None) -> str:
    return "withheld" if count is None else f"{count:,}"


def _recent(changes: list[RecentChange]) -> None:
    st.subheader("Recent changes")
    rows = [{"When": one.at, "Record": one.name, "What": one.what} for one in changes]
    when = st.column_config.DatetimeColumn(timezone="Europe/London", format="DD MMM YYYY, HH:mm")
    chosen = st.dataframe(
        rows,
        hide_index=True,
        width="stretch",
        column_config={"When": when},
        on_select="rerun",
        selection_mode="single-row",
        key="recent",
    )
    if chosen.selection.rows:
        one = changes[chosen.selection.rows[0]]
        if one.kind == "asset":
            open_asset(one.record_id)
        if one.kind == "organisation":
            open_organisation(one.record_id)
    st.caption("Select a row to open its record.")


def waits_for_approval(actor: Actor) -> bool:
    """Whether the actor's own organisation has not been decided yet."""
    own = actor.organisation_id
    return own is not None and get_organisation(actor, own).organisation_status is OrganisationStatus.PENDING_APPROVAL


def _empty(actor: Actor) -> None:
    st.info("No asset is registered yet that you may see, so there is nothing to count.", icon=":material/database:")
    if may(actor, "asset.register"):
        link("assets/register_asset.py", "Register the first asset", "add_circle")
    if may(actor, "source.load"):
        link("assets/sources.py", "Load a public register, which assets are held against", "menu_book")
    if may(actor, "organisation.register"):
        link("participants/register_organisation.py", "Register an organisation", "domain_add")


actor = session.actor()
st.title(plain(actor.organisation_name or "Home"))
st.caption("What waits for you, the register in numbers, and what happened lately.")
if waits_for_approval(actor):
    st.info(
        "Your organisation waits for approval by the FMAR administrator. Until then you can complete its record and invite "
        "colleagues; registering assets opens with the approval.",
        icon=":material/hourglass_top:",
    )
figures = register_in_numbers(actor) if may(actor, "asset.statistics") else None
if figures and not figures.anonymised:
    _waiting(actor, figures.waiting)
if figures and (figures.total.withheld or figures.total.count or figures.by_status):
    _numbers(figures)
elif figures:
    _empty(actor)
else:
    st.info("Your roles show no figures. The menu leads to what they open.", icon=":material/menu:")
lately = recent_changes(actor, RECENT) if may(actor, "event.read") else []
if lately:
    _recent(lately)

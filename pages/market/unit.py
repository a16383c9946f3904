"""One market unit: its capability and the assets that set it, its assets as of any day, its acts and its history."""

from uuid import UUID

import streamlit as st

from models.units import UnitStatus
from pages.components.asset.as_of import draw_day, end_of
from pages.components.common.actions import show_outcome
from pages.components.common.asset_labels import organisation_names, provider_name
from pages.components.common.record_history import draw_history
from pages.components.unit.actions import draw_unit_acts
from pages.components.unit.capability import draw_capability, draw_over_time
from pages.components.unit.labels import unit_badges
from pages.components.unit.members import draw_members, draw_then
from pages.components.unit.sections import SECTIONS
from pages.frame import session
from pages.frame.markdown import escape_markdown
from pages.frame.titles import name_window
from services.core.clock import show_date, show_moment
from services.core.errors import NotFound
from services.core.identity.permissions import may
from services.market.units.members import names_of_assets
from services.market.units.units import UnitDetails, get_unit, unit_as_of, unit_changes, unit_history

LABELS = {
    "UnitName": "Name",
    "UnitCode": "Code",
    "StatusReason": "Reason",
    "StatusSince": "Status since",
    "ServiceProviderId": "FSP",
    "ReassignedFrom": "Re-assigned from",
    "ReassignmentEvidence": "Evidence",
}


def read_identifier() -> UUID:
    """The unit that the address names; without one, the way to choose it."""
    text = st.query_params.get("id", "")
    if not text:
        st.info("This page shows one market unit: choose it first.", icon=":material/hub:")
        st.page_link("pages/market/units.py", label="Market units", icon=":material/hub:")
        st.stop()
    try:
        return UUID(text)
    except ValueError:
        raise NotFound("market unit", text) from None


def draw_head(details: UnitDetails) -> None:
    """Name, status and what everybody asks first."""
    unit = details.unit
    st.title(escape_markdown(unit.name), anchor=False)
    name_window(unit.name)
    provider = provider_name(organisation_names(actor), unit.service_provider_id)
    unit_badges(unit, details.capability.unit_type, provider)
    st.caption(
        f"{escape_markdown(unit.code)} · Unit ID {unit.id} · composition {unit.composition}, version {unit.version}, "
        f"{show_moment(unit.recorded_at)}"
    )
    if unit.status is UnitStatus.DEREGISTERED:
        st.markdown(
            f"De-registered: {escape_markdown(unit.status_reason or '')} :small[since {show_moment(unit.status_since)}]"
        )
    if unit.reassignment_evidence:
        st.markdown(f"Re-assigned on this evidence: {escape_markdown(unit.reassignment_evidence)}")


def name_limiting_assets(details: UnitDetails) -> dict[str, str]:
    """Names of the assets that the unit's limits name, by identifier."""
    ids = {
        UUID(asset_id)
        for limit in details.capability.limits.values()
        for asset_id in (*limit["assets"], *limit["silent"])
    }
    return {str(identifier): name for identifier, name in names_of_assets(actor, ids).items()}


actor = session.actor()
unit_id = read_identifier()
details = get_unit(actor, unit_id)
draw_head(details)
show_outcome()
day = draw_day()
if day is not None:
    try:
        draw_then(actor, unit_as_of(actor, unit_id, end_of(day)), day)
    except NotFound:
        st.info(f"The unit wasn't there yet at the end of {show_date(day)}.", icon=":material/history:")
    st.stop()
draw_unit_acts(actor, details)
sections = [section for section in SECTIONS if may(actor, section.permission)]
capability, inside, *others, history = st.tabs(
    ["Capability", "Assets", *(section.label for section in sections), "History"],
    key="part",
    on_change="rerun",
    bind="query-params",
)
if capability.open:
    with capability:
        draw_capability(details, name_limiting_assets(details))
        draw_over_time(unit_history(actor, unit_id))
if inside.open:
    with inside:
        draw_members(actor, details)
for tab, section in zip(others, sections, strict=True):
    if tab.open:
        with tab:
            section.draw(actor, details)
if history.open:
    with history:
        draw_history(unit_changes(actor, unit_id), LABELS)

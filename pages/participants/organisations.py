"""Organisations: for the administrator what waits for approval first, then everybody who takes part."""

import streamlit as st

from models.participants import Organisation, OrganisationStatus
from pages.components.organisation.actions import draw_actions
from pages.components.organisation.view import draw_material_change, draw_registry_check
from pages.frame import session
from pages.frame.markdown import escape_markdown
from pages.frame.navigation import link, open_organisation
from services.core.attributes import options_of, shipped_code_lists
from services.core.clock import show_moment
from services.core.identity.actor import Actor
from services.core.identity.permissions import Scope, may, scopes_of
from services.participants.approval import approval_queue
from services.participants.reading import directory, list_organisations

PAGE = 100
ROLES = {option.code: option.label for option in options_of(shipped_code_lists(), "OrganisationRole")}


def _draw_queue(waiting: list[Organisation]) -> None:
    st.subheader(f"Waiting for approval ({len(waiting)})")
    if not waiting:
        st.markdown(":green[:material/task_alt:] Nobody waits for approval.")
    for organisation in waiting:
        with st.container(border=True):
            with st.container(horizontal=True, vertical_alignment="center"):
                st.markdown(f"**{escape_markdown(organisation.organisation_legal_name)}**")
                if organisation.approved_at:
                    st.badge("Changed", icon=":material/edit:", color="orange")
                else:
                    st.badge("New", icon=":material/fiber_new:", color="blue")
                st.caption(f"waits since {show_moment(organisation.recorded_at)}")
            roles, town = ", ".join(organisation.organisation_roles), organisation.registered_city or "–"
            st.caption(escape_markdown(f"{roles} · {organisation.organisation_type} · {town}"))
            draw_material_change(organisation)
            draw_registry_check(organisation)
            with st.container(horizontal=True):
                draw_actions(actor, organisation, only=("approve_organisation", "refuse_organisation"), key="queue")
                if st.button(
                    "Open the record", key=f"open-{organisation.id}", icon=":material/badge:", type="tertiary"
                ):
                    open_organisation(organisation.id)


def _draw_records() -> None:
    """Everything, for those who may see all records."""
    st.subheader("All organisations")
    cells = st.grid(3, min_column_width=200)
    text = cells.text_input(
        "Find", key="organisations-text", placeholder="Part of a name or number", live="300ms", persist_state="session"
    )
    states = [status.value for status in OrganisationStatus]
    status = cells.selectbox("Status", states, index=None, placeholder="Any", key="organisations-status")
    role = cells.selectbox(
        "Role", list(ROLES), index=None, placeholder="Any", key="organisations-role", format_func=ROLES.__getitem__
    )
    wanted_status = OrganisationStatus(status) if status else None
    result = list_organisations(actor, status=wanted_status, role=role, text=text, limit=PAGE)
    rows = [
        {
            "Legal name": organisation.organisation_legal_name,
            "Status": organisation.organisation_status.value,
            "Roles": ", ".join(organisation.organisation_roles),
            "Registration number": organisation.organisation_registration_number or "–",
            "Town": organisation.registered_city or "–",
            "Company registry": str(organisation.registry_check.get("outcome", "–")).capitalize(),
        }
        for organisation in result.items
    ]
    _draw_table(rows, [organisation.id for organisation in result.items])
    if result.next_cursor:
        st.caption(f"The first {PAGE} are shown: narrow the search to see others.")


def _draw_directory(actor: Actor) -> None:
    """Names and roles, for everybody else."""
    st.subheader("Who takes part")
    text = st.text_input("Find", key="directory-text", placeholder="Part of a name", live="300ms").casefold()
    entries = [
        entry
        for entry in directory(actor)
        if text in f"{entry.organisation_legal_name} {entry.organisation_trading_name or ''}".casefold()
    ]
    rows = [
        {
            "Legal name": entry.organisation_legal_name,
            "Trading name": entry.organisation_trading_name or "–",
            "Roles": ", ".join(entry.organisation_roles),
            "Licence areas": ", ".join(entry.licence_areas) or "–",
        }
        for entry in entries
    ]
    _draw_table(rows, None)


def _draw_table(rows: list[dict[str, str]], ids: list[object] | None) -> None:
    if not rows:
        st.info("No organisation fits. Take a filter away, or search for less.", icon=":material/search_off:")
        return
    if ids is None:
        st.dataframe(rows, hide_index=True, width="stretch", key="directory")
        st.caption(f"{len(rows)} organisations. You see the whole record of your own under “My organisation”.")
        return
    table = st.dataframe(
        rows, hide_index=True, width="stretch", on_select="rerun", selection_mode="single-row", key="organisations"
    )
    st.caption("Select a row to open the record.")
    if table.selection.rows:
        open_organisation(ids[table.selection.rows[0]])


actor = session.actor()
st.title("Organisations")
st.caption("Who takes part in the register, as what, and, for the administrator, who waits to.")
if may(actor, "organisation.register"):
    link("participants/register_organisation.py", "Register an organisation", "domain_add")
if may(actor, "organisation.decide"):
    _draw_queue(approval_queue(actor))
if Scope.ALL in scopes_of(actor, "organisation.read"):
    _draw_records()
else:
    _draw_directory(actor)

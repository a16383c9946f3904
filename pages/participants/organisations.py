"""Organisations: for the administrator what waits for approval first, then everybody who takes part."""

import streamlit as st

from models.participants import Organisation, OrganisationStatus
from pages.components.organisation.actions import draw_acts
from pages.components.organisation.view import draw_material_change, draw_registry_check
from pages.frame import session
from pages.frame.banner import plain
from pages.frame.navigation import link, open_organisation
from services.core.attributes import options_of, shipped_code_lists
from services.core.clock import show_moment
from services.core.identity.actor import Actor
from services.core.identity.permissions import Scope, may, scopes_of
from services.participants.approval import approval_queue
from services.participants.reading import directory, list_organisations

PAGE = 100
ROLES = {option.code: option.label for option in options_of(shipped_code_lists(), "OrganisationRole")}


def _queue(waiting: list[Organisation]) -> None:
    st.subheader(f"Waiting for approval ({len(waiting)})")
    if not waiting:
        st.markdown(":green[:material/task_alt:] Nobody waits for approval.")
    for one in waiting:
        with st.container(border=True):
            with st.container(horizontal=True, vertical_alignment="center"):
                st.markdown(f"**{plain(one.organisation_legal_name)}**")
                if one.approved_at:
                    st.badge("Changed", icon=":material/edit:", color="orange")
                else:
                    st.badge("New", icon=":material/fiber_new:", color="blue")
                st.caption(f"waits since {show_moment(one.recorded_at)}")
            st.caption(
                plain(f"{', '.join(one.organisation_roles)} · {one.organisation_type} · {one.registered_city or '–'}")
            )
            draw_material_change(one)
            draw_registry_check(one)
            with st.container(horizontal=True):
                draw_acts(actor, one, only=("approve_organisation", "refuse_organisation"), key="queue")
                if st.button("Open the record", key=f"open-{one.id}", icon=":material/badge:", type="tertiary"):
                    open_organisation(one.id)


def _records() -> None:
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
    chosen = OrganisationStatus(status) if status else None
    found = list_organisations(actor, status=chosen, role=role, text=text, limit=PAGE)
    rows = [
        {
            "Legal name": one.organisation_legal_name,
            "Status": one.organisation_status.value,
            "Roles": ", ".join(one.organisation_roles),
            "Registration number": one.organisation_registration_number or "–",
            "Town": one.registered_city or "–",
            "Company registry": str(one.registry_check.get("outcome", "–")).capitalize(),
        }
        for one in found.items
    ]
    _table(rows, [one.id for one in found.items])
    if found.next:
        st.caption(f"The first {PAGE} are shown: narrow the search to see others.")


def _directory(actor: Actor) -> None:
    """Names and roles, for everybody else."""
    st.subheader("Who takes part")
    text = st.text_input("Find", key="directory-text", placeholder="Part of a name", live="300ms").casefold()
    entries = [
        one
        for one in directory(actor)
        if text in f"{one.organisation_legal_name} {one.organisation_trading_name or ''}".casefold()
    ]
    rows = [
        {
            "Legal name": one.organisation_legal_name,
            "Trading name": one.organisation_trading_name or "–",
            "Roles": ", ".join(one.organisation_roles),
            "Licence areas": ", ".join(one.licence_areas) or "–",
        }
        for one in entries
    ]
    _table(rows, None)


def _table(rows: list[dict[str, str]], ids: list[object] | None) -> None:
    if not rows:
        st.info("No organisation fits. Take a filter away, or search for less.", icon=":material/search_off:")
        return
    if ids is None:
        st.dataframe(rows, hide_index=True, width="stretch", key="directory")
        st.caption(f"{len(rows)} organisations. You see the whole record of your own under “My organisation”.")
        return
    chosen = st.dataframe(
        rows, hide_index=True, width="stretch", on_select="rerun", selection_mode="single-row", key="organisations"
    )
    st.caption("Select a row to open the record.")
    if chosen.selection.rows:
        open_organisation(ids[chosen.selection.rows[0]])


actor = session.actor()
st.title("Organisations")
st.caption("Who takes part in the register, as what, and, for the administrator, who waits to.")
if may(actor, "organisation.register"):
    link("participants/register_organisation.py", "Register an organisation", "domain_add")
if may(actor, "organisation.decide"):
    _queue(approval_queue(actor))
if Scope.ALL in scopes_of(actor, "organisation.read"):
    _records()
else:
    _directory(actor)

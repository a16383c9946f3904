"""One organisation (UC-01.02 to UC-01.04): declared details, company registry, users, history."""

from datetime import datetime, time
from uuid import UUID

import streamlit as st

from pages.components.common.downloads import draw_file_download
from pages.components.common.record_history import draw_history
from pages.components.organisation.actions import draw_actions
from pages.components.organisation.form import COLUMN_LABELS
from pages.components.organisation.licence_areas import draw_licence_area_choice, draw_licence_areas
from pages.components.organisation.view import draw_attributes, draw_material_change, draw_registry_check, draw_status
from pages.frame import session
from pages.frame.markdown import escape_markdown
from pages.frame.navigation import link
from pages.frame.refusals import show_refusal
from pages.frame.titles import name_window
from services.core.clock import LONDON, today
from services.core.errors import NotFound, RegisterError
from services.core.file_tickets import DownloadKind
from services.core.identity.permissions import may
from services.participants.reading import (
    attribute_terms,
    get_organisation,
    organisation_as_of,
    organisation_history,
)
from services.participants.registry_check import check_again
from services.participants.users import list_users


def _read_identifier() -> UUID:
    """Read the organisation from the address's `id`; without one it is the actor's own."""
    text = st.query_params.get("id")
    try:
        identifier = UUID(text) if text else actor.organisation_id
    except ValueError:
        raise NotFound("organisation", text) from None
    if identifier is None:
        raise NotFound("organisation", "yours")
    return identifier


def _open_form() -> None:
    st.switch_page("pages/participants/edit_organisation.py", query_params={"id": str(organisation.id)})


def _draw_head() -> None:
    st.title(escape_markdown(organisation.organisation_legal_name))
    name_window(organisation.organisation_legal_name)
    st.caption("The organisation's record: given once, for every market and platform.")
    with st.container(horizontal=True, vertical_alignment="center"):
        draw_status(organisation)
        for role in organisation.organisation_roles:
            st.badge(escape_markdown(role), color="gray")
    st.caption(f"FMAR organisation ID `{organisation.id}` · version {organisation.version}")
    with st.container(horizontal=True):
        draw_actions(actor, organisation, edit=_open_form)
        draw_file_download(
            actor,
            "Passport (JSON)",
            DownloadKind.PASSPORT,
            {"organisation": str(organisation.id)},
            key="passport",
            help_text="Everything that a platform needs to onboard the organisation. That you took it is logged.",
        )
    draw_material_change(organisation)


def _draw_details() -> None:
    day = st.date_input(
        "As of",
        value=None,
        max_value=today(),
        format="DD/MM/YYYY",
        width=240,
        help="Leave empty to see the organisation as it is now; choose a day to see it as it stood at the end of it.",
    )
    record = organisation
    if day:
        try:
            record = organisation_as_of(actor, organisation.id, datetime.combine(day, time.max, LONDON))
        except NotFound:
            st.info("It was not registered yet on that day. Choose a later one.", icon=":material/history:")
            return
        st.info(f"As it stood on {day:%-d %b %Y}: {record.organisation_status}.", icon=":material/history:")
    draw_attributes(attribute_terms(record))
    draw_licence_areas(record)
    if day is None:
        draw_licence_area_choice(actor, organisation)


def _draw_registry() -> None:
    draw_registry_check(organisation)
    if may(actor, "organisation.check") and st.button("Ask the company registry again", icon=":material/sync:"):
        try:
            check_again(actor, organisation.id)
        except RegisterError as refused:
            show_refusal(refused)
        else:
            st.toast("The company registry is being asked. The answer stands here in a moment.")
            st.rerun()


def _draw_users() -> None:
    rows = [
        {"Name": person.full_name, "Email": person.email, "Roles": person.role_label, "Status": person.status.value}
        for person in list_users(actor, organisation.id)
    ]
    if rows:
        st.dataframe(rows, hide_index=True, width="stretch")
    else:
        st.info("Nobody works here yet. Invite the first person under Users.", icon=":material/group:")
    if may(actor, "user.manage"):
        link("participants/users.py", "Manage users", "group")


actor = session.actor()
organisation = get_organisation(actor, _read_identifier())
_draw_head()
details, registry, users, past = st.tabs(
    [":material/badge: Details", ":material/domain_verification: Company registry", ":material/group: Users",
     ":material/history: History"]
)  # fmt: skip
with details:
    _draw_details()
with registry:
    _draw_registry()
with users:
    _draw_users()
with past:
    if may(actor, "history.read"):
        draw_history(organisation_history(actor, organisation.id), COLUMN_LABELS, hidden=("approved_values",))
    else:
        st.info("Your roles don't include the history of records.", icon=":material/lock:")

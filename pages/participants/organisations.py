"""Organisations: for the administrator what waits for approval first, then everybody who takes part."""

from collections.abc import Callable, Sequence

import streamlit as st

from models.participants import Organisation, OrganisationStatus
from pages.components.common.pagination import read_all
from pages.components.organisation.actions import draw_actions
from pages.components.organisation.licence_areas import NAMES as AREA_NAMES
from pages.components.organisation.view import (
    OUTCOMES,
    STATUS_STYLES,
    draw_material_change,
    draw_registry_check,
)
from pages.components.table.cells import state_cell, text_cell
from pages.components.table.table import Column, Row, TableFile, TablePage, draw_table, sort_rows
from pages.frame import session
from pages.frame.markdown import escape_markdown
from pages.frame.navigation import link, open_organisation
from services.core.attributes import options_of, shipped_code_lists
from services.core.clock import show_moment
from services.core.identity.actor import Actor
from services.core.identity.permissions import Scope, may, scopes_of
from services.participants.approval import approval_queue
from services.participants.reading import directory, list_organisations

PAGE = 200
RECORD_COLUMNS = (
    Column("Legal name"),
    Column("Status"),
    Column("Roles"),
    Column("Company number"),
    Column("Town"),
    Column("Company registry", "Result of the last check against the company registry."),
)
DIRECTORY_COLUMNS = (Column("Legal name"), Column("Trading name"), Column("Roles"), Column("Licence areas"))
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
    _draw_list(
        RECORD_COLUMNS,
        [_record_row(organisation) for organisation in result.items],
        whole=not result.next_cursor,
        page=TablePage("participants/organisation.py"),
        read=lambda: [
            _record_row(organisation)
            for organisation in read_all(
                lambda after: list_organisations(
                    actor, status=wanted_status, role=role, text=text, after=after, limit=PAGE
                )
            )
        ],
    )
    if result.next_cursor:
        st.caption(f"The first {PAGE} are shown: narrow the search to see others.")


def _record_row(organisation: Organisation) -> Row:
    status = organisation.organisation_status
    outcome = str(organisation.registry_check.get("outcome", ""))
    words, colour, sign = OUTCOMES.get(outcome, ("–", "", ""))
    return Row(
        str(organisation.id),
        (
            text_cell(organisation.organisation_legal_name),
            state_cell(status.value, STATUS_STYLES[status]),
            text_cell(", ".join(organisation.organisation_roles)),
            text_cell(organisation.organisation_registration_number),
            text_cell(organisation.registered_city),
            state_cell(words, (colour, sign)),
        ),
    )


def _draw_directory(actor: Actor) -> None:
    """Names and roles, for everybody else."""
    st.subheader("Registered organisations")
    text = st.text_input("Find", key="directory-text", placeholder="Part of a name", live="300ms").casefold()
    entries = [
        entry
        for entry in directory(actor)
        if text in f"{entry.organisation_legal_name} {entry.organisation_trading_name or ''}".casefold()
    ]
    rows = [
        Row(
            str(entry.organisation_id),
            (
                text_cell(entry.organisation_legal_name),
                text_cell(entry.organisation_trading_name),
                text_cell(", ".join(entry.organisation_roles)),
                text_cell(", ".join(AREA_NAMES.get(code, code) for code in entry.licence_areas)),
            ),
        )
        for entry in entries
    ]
    _draw_list(DIRECTORY_COLUMNS, rows)
    st.caption(f"{len(rows)} organisations. You see the whole record of your own under “My organisation”.")


def _draw_list(
    columns: Sequence[Column],
    rows: list[Row],
    *,
    whole: bool = True,
    page: TablePage | None = None,
    read: Callable[[], Sequence[Row]] | None = None,
) -> None:
    if not rows:
        st.info("No organisation matches. Remove a filter, or shorten the search.", icon=":material/search_off:")
        return
    headings, rows, order = sort_rows(columns, rows, whole=whole)
    file = TableFile("organisations.csv", read or (lambda: rows))
    draw_table("organisations", "Organisations", headings, rows, page=page, order=order, file=file)


actor = session.actor()
st.title("Organisations")
st.caption("Registered organisations and pending approvals.")
if may(actor, "organisation.register"):
    link("participants/register_organisation.py", "Register an organisation", "domain_add")
if may(actor, "organisation.decide"):
    _draw_queue(approval_queue(actor))
if Scope.ALL in scopes_of(actor, "organisation.read"):
    _draw_records()
else:
    _draw_directory(actor)

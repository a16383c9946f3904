"""One application (UC-04.02): status, acts possible or not, the data package and the messages."""

from uuid import UUID

import streamlit as st

from models.qualifications import QualificationStatus
from pages.components.common.actions import attempt, show_outcome
from pages.components.common.downloads import draw_file_download
from pages.components.common.record_history import draw_history
from pages.components.common.why_not import draw_why_not
from pages.components.qualification.case_file import draw_case_file, draw_requirements
from pages.components.qualification.forms import draw_form
from pages.components.qualification.labels import (
    ACT_ICONS,
    HISTORY_LABELS,
    NEXT,
    approval_words,
    clock_badge,
    qualification_badge,
    say_newer,
    validity,
)
from pages.components.qualification.messages import draw_conversation
from pages.components.qualification.service_windows import draw_windows
from pages.components.unit.labels import draw_fact
from pages.frame import session
from pages.frame.markdown import escape_markdown
from pages.frame.navigation import link
from pages.frame.titles import name_window
from services.core.clock import show_date, show_moment
from services.core.errors import NotFound
from services.core.file_tickets import DownloadKind
from services.core.identity.permissions import may
from services.core.lifecycle import Action
from services.market.qualification.allowed_actions import qualification_actions
from services.market.qualification.assessment import take_application
from services.market.qualification.data_package import package_of
from services.market.qualification.listing import QualificationLine, get_qualification
from services.market.qualification.product_versions import newer_version
from services.market.qualification.reason_codes import reason_label
from services.market.qualification.records import qualification_history


def read_identifier() -> UUID:
    """The application that the address names; without one, the way to choose it."""
    text = st.query_params.get("id", "")
    if not text:
        st.info("This page shows one application: choose it first.", icon=":material/assignment:")
        file = "market/applications.py" if may(actor, "qualification.apply") else "market/queue.py"
        link(file, "Applications", "assignment")
        st.stop()
    try:
        return UUID(text)
    except ValueError:
        raise NotFound("qualification", text) from None


def draw_head(line: QualificationLine) -> None:
    """Head of the page: product, unit, status, clock, and the facts everybody asks first."""
    qualification = line.qualification
    st.title(f"{escape_markdown(qualification.product_code)} · {escape_markdown(line.unit_name)}", anchor=False)
    name_window(f"{qualification.product_code}, {line.unit_name}")
    with st.container(horizontal=True, vertical_alignment="center"):
        qualification_badge(qualification.status)
        clock_badge(line.clock)
        st.badge(escape_markdown(line.operator), icon=":material/electrical_services:", color="gray")
        st.badge(escape_markdown(line.provider), icon=":material/apartment:", color="gray")
    st.caption(
        f"Application {qualification.id} · version {qualification.version}, {show_moment(qualification.recorded_at)}"
    )
    if qualification.status_reason:
        code = f"**{reason_label(qualification.reason_code)}**: " if qualification.reason_code else ""
        st.markdown(
            f"{code}{escape_markdown(qualification.status_reason)} :small[since {show_moment(qualification.status_since)}]"
        )
    if approved := approval_words(qualification):
        st.info(approved)
    grid = st.grid(4, min_column_width=150)
    draw_fact(grid, "Capacity", f"{qualification.capacity:,.2f} kW", "In the product's direction.")
    draw_fact(grid, "GSP group", escape_markdown(qualification.gsp_group) or "Several")
    draw_fact(grid, "Due on", show_date(qualification.due_on), "None while the clock stands still.")
    draw_fact(grid, "Assigned to", escape_markdown(qualification.assigned_name or "Nobody"))
    valid = f" · valid {validity(qualification)}" if qualification.valid_until else ""
    st.markdown(
        f"Product version {qualification.product_version} · submitted {show_moment(qualification.submitted_at)}{valid}"
    )
    if newer := newer_version(actor, qualification.id):
        say_newer(qualification, newer)
    if qualification.conditions:
        st.markdown(f"**Conditions**: {escape_markdown(qualification.conditions)}")
    if qualification.justification:
        st.markdown(f"**What the FSP says to what is missing**: {escape_markdown(qualification.justification)}")
    link(
        "market/unit.py",
        escape_markdown(f"{line.unit_name} ({line.unit_code})"),
        "hub",
        {"id": str(qualification.unit_id)},
    )


def draw_certificate(line: QualificationLine) -> None:
    """The certificate of a qualification in force, as a file."""
    if line.qualification.status is QualificationStatus.QUALIFIED:
        values = {"application": str(line.qualification.id)}
        draw_file_download(actor, "Certificate (PDF)", DownloadKind.CERTIFICATE, values, key="certificate")


def draw_acts(line: QualificationLine, actions: list[Action]) -> None:
    """A button for each act that is possible, its form under them; the others folded away, with what is in the way."""
    qualification, key = line.qualification, f"act-{line.qualification.id}"
    possible = {action.operation: action for action in actions if action.allowed}
    with st.container(horizontal=True, vertical_alignment="center"):
        for action in possible.values():
            if action.operation == "take_application":
                st.button(
                    action.label, key=action.operation, icon=":material/back_hand:", type="primary", on_click=attempt,
                    args=(lambda: take_application(actor, qualification.id, qualification.version), "Assigned to you."),
                )  # fmt: skip
                continue
            st.button(
                action.label, key=action.operation, icon=f":material/{ACT_ICONS[action.operation]}:", on_click=choose,
                type="primary" if action.operation in NEXT else "secondary", args=(key, action.operation),
            )  # fmt: skip
    if (operation := st.session_state.get(key)) in possible:
        with st.container(border=True):
            st.subheader(possible[operation].label, anchor=False)
            draw_form(actor, qualification, operation)
    draw_why_not(actions)


def choose(key: str, operation: str) -> None:
    """Open the form of an act, or close it again."""
    st.session_state[key] = None if st.session_state.get(key) == operation else operation


def draw_package(line: QualificationLine) -> None:
    """Data package that the application rests on, and the whole of it as a file."""
    package = package_of(actor, line.qualification.id)
    st.markdown(f"Frozen on {show_moment(package.made_at)} with {package.assets:,} assets; nothing in it changes.")
    unit = package.summary["Unit"]
    facts = {
        "Name": unit["UnitName"], "Code": unit["UnitCode"], "Type": unit["UnitType"], "Family": unit["Family"],
        "Up (kW)": unit["UpCapacity"], "Down (kW)": unit["DownCapacity"], "Composition": package.composition,
        "SHA-256": package.sha256,
    }  # fmt: skip
    st.table(
        {
            "What": [escape_markdown(name) for name in facts],
            "As handed in": [escape_markdown(str(value)) for value in facts.values()],
        }
    )
    values = {"application": str(line.qualification.id)}
    draw_file_download(actor, "The whole package (JSON)", DownloadKind.DATA_PACKAGE, values, key="package")


actor = session.actor()
line = get_qualification(actor, read_identifier())
draw_head(line)
draw_certificate(line)
show_outcome()
draw_acts(line, qualification_actions(actor, line.qualification.id))
draw_requirements(actor, line.qualification.id)
parts = {
    "Conversation": lambda: draw_conversation(actor, line.qualification),
    "Assets and like cases": lambda: draw_case_file(actor, line.qualification.id),
    "Service windows": lambda: draw_windows(actor, line.qualification),
    "Data package": lambda: draw_package(line),
    "History": lambda: draw_history(qualification_history(actor, line.qualification.id), HISTORY_LABELS),
}
for tab, draw in zip(
    st.tabs(list(parts), key="part", on_change="rerun", bind="query-params"), parts.values(), strict=True
):
    if tab.open:
        with tab:
            draw()

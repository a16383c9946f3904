"""Labels of applications: states and clocks by words, sign and colour, wherever they stand (UC-04.02)."""

import streamlit as st

from models.products import ProductVersion
from models.qualifications import QUALIFICATION_LABELS, Qualification, QualificationStatus
from pages.frame.markdown import escape_markdown
from services.core.clock import show_date, show_moment
from services.market.qualification.sla_clock import Clock, ClockState

S = QualificationStatus
STATUS_SIGNS: dict[QualificationStatus, tuple[str, str]] = {
    S.SUBMITTED: ("blue", "inbox"),
    S.IN_ASSESSMENT: ("violet", "fact_check"),
    S.INFORMATION_REQUESTED: ("orange", "help"),
    S.QUALIFIED: ("green", "verified"),
    S.FAILED: ("red", "cancel"),
    S.WITHDRAWN: ("gray", "undo"),
    S.EXPIRED: ("gray", "event_busy"),
    S.SUSPENDED: ("yellow", "pause_circle"),
    S.REASSESSMENT_REQUIRED: ("orange", "published_with_changes"),
}
CLOCK_SIGNS: dict[ClockState, tuple[str, str]] = {
    ClockState.LATE: ("red", "alarm"),
    ClockState.SOON: ("orange", "schedule"),
    ClockState.IN_TIME: ("green", "schedule"),
    ClockState.PAUSED: ("gray", "pause"),
    ClockState.STOPPED: ("gray", "task_alt"),
}
ADDRESS: dict[str, str] = {
    "Status": "status",
    "ProductCode": "product",
    "ServiceProviderId": "fsp",
    "AddressedTo": "so",
    "GspGroup": "gsp",
    "Clock": "clock",
    "AssignedTo": "assigned",
    "UnitId": "unit",
    "Family": "family",
    "ReasonCode": "reason",
    "EndsWithinDays": "ends",
    "EndsFrom": "ends_from",
    "EndsUntil": "ends_until",
    "Became": "became",
    "BecameFrom": "became_from",
    "BecameUntil": "became_until",
}
"""Filters by term, and what addresses of pages call them."""
HISTORY_LABELS = {
    "ProductCode": "Product",
    "AddressedTo": "SO",
    "ServiceProviderId": "FSP",
    "StatusReason": "Reason",
    "ReasonCode": "Reason code",
    "QualifiedAt": "Approved since",
    "ValidFrom": "Valid from",
    "ValidUntil": "Valid until",
    "AssignedTo": "Assigned to",
    "DueOn": "Due on",
    "DataPackageId": "Data package",
}
ACT_ICONS = {
    "take_application": "back_hand",
    "decide_application": "gavel",
    "ask_information": "help",
    "assign_application": "assignment_ind",
    "suspend_qualification": "pause_circle",
    "lift_suspension": "play_circle",
    "demand_reassessment": "published_with_changes",
    "answer_information": "reply",
    "request_renewal": "autorenew",
    "confirm_window": "event_available",
    "withdraw_application": "undo",
}
NEXT = ("decide_application", "answer_information")
"""What somebody waits for."""


def approval_words(qualification: Qualification) -> str | None:
    """Worth of an approval while the status isn't Qualified; None where there is none, or nothing to say."""
    if qualification.qualified_at is None or qualification.status is S.QUALIFIED:
        return None
    stands = "it remains approved while re-assessed"
    if qualification.status is S.SUSPENDED:
        stands = "no delivery until the suspension is lifted"
    return f"Approved since {show_moment(qualification.qualified_at)}: {stands}."


def qualification_badge(status: QualificationStatus) -> None:
    """A status."""
    colour, icon = STATUS_SIGNS[status]
    st.badge(QUALIFICATION_LABELS[status], icon=f":material/{icon}:", color=colour)  # pyright: ignore[reportArgumentType]


def clock_badge(clock: Clock) -> None:
    """Badge of a clock's state."""
    colour, icon = CLOCK_SIGNS[clock.state]
    st.badge(clock.words, icon=f":material/{icon}:", color=colour)  # pyright: ignore[reportArgumentType]


def validity(qualification: Qualification) -> str:
    """``1 Jan 2027 to 31 Dec 2027``, or a dash."""
    if qualification.valid_from is None or qualification.valid_until is None:
        return "–"
    return f"{show_date(qualification.valid_from)} to {show_date(qualification.valid_until)}"


def say_newer(qualification: Qualification, newer: ProductVersion) -> None:
    """That the product has a newer version, and which one this stays with."""
    st.info(
        f"{escape_markdown(qualification.product_code)} has version {newer.product_version} from "
        f"{show_date(newer.valid_from)}. This stays "
        f"with version {qualification.product_version}; a new application is for the newer one.",
        icon=":material/update:",
    )

"""What an application is decided, asked, answered and suspended with: each act in a form of its own (UC-04.02)."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial

import streamlit as st

from models.qualifications import Qualification
from pages.components.common.actions import attempt
from pages.components.conversation.files import files_field, forget_files, uploads_in
from pages.components.qualification.service_windows import window_form
from pages.frame.markdown import escape_markdown
from services.core.clock import today
from services.core.identity.actor import Actor
from services.market.qualification.assessment import (
    AssessmentResult,
    AssessmentVerdict,
    ask_information,
    assessors,
    assign_application,
    decide_application,
    demand_reassessment,
    lift_suspension,
    suspend_qualification,
)
from services.market.qualification.messages import EVIDENCE_KINDS
from services.market.qualification.provider_actions import answer_information, request_renewal, withdraw_application
from services.market.qualification.reason_codes import ReasonKind, list_reasons

YEAR = timedelta(days=365)
VERDICTS = {AssessmentVerdict.QUALIFIED: "Qualify", AssessmentVerdict.FAILED: "Fail"}
WORDS = {
    "ask_information": ("Question", "Ask the FSP", "The FSP is asked; the clock stands still."),
    "answer_information": ("Answer", "Send the answer", "Answered: the clock of the SO runs on."),
    "lift_suspension": ("Reason", "Lift the suspension", "The suspension is lifted."),
    "request_renewal": ("Why, and until when you wish it", "Ask for renewal", "The SO is asked for another period."),
    "withdraw_application": ("Reason", "Withdraw for good", "Withdrawn."),
    "suspend_qualification": ("What happened", "Suspend", "Suspended."),
    "demand_reassessment": ("What is to be looked at", "Require re-assessment", "It is to be assessed again."),
}
"""The text's label, the button, and what is said once it is done."""
CODED = {"suspend_qualification": ReasonKind.SUSPEND, "demand_reassessment": ReasonKind.REASSESS}


LARGEST_SETTING_MB = 50
"""What setting asset.attachment_max_mb may be at most; the refusal of a file that is larger than it says what it is."""


def evidence_field(key: str) -> None:
    """Draw the field for evidence; `uploads_in` reads it, `forget_files` empties it."""
    files_field(key, LARGEST_SETTING_MB, f"Evidence ({EVIDENCE_KINDS})", "What a file is, is judged by its content.")


def draw_form(actor: Actor, one: Qualification, operation: str) -> None:
    """The form of one act."""
    if operation == "decide_application":
        _decide(actor, one)
    elif operation == "assign_application":
        _assign(actor, one)
    elif operation == "confirm_window":
        window_form(actor, one)
    else:
        _say(actor, one, operation)


def _say(actor: Actor, one: Qualification, operation: str) -> None:
    key = f"{operation}-{one.id}"
    label, button, _ = WORDS[operation]
    if operation in CODED:
        codes = {code.code: code for code in list_reasons(CODED[operation])}
        st.selectbox("Reason", list(codes), format_func=lambda code: codes[code].label, key=f"{key}-code", index=None)
        if chosen := st.session_state.get(f"{key}-code"):
            st.caption(codes[chosen].meaning)
    st.text_area(label, key=f"{key}-text", max_chars=2000)
    if operation == "answer_information":
        st.checkbox(
            "Freeze a fresh data package: the unit as it stands now",
            key=f"{key}-fresh",
            help="The SO assesses that one.",
        )
    if operation != "withdraw_application":
        evidence_field(key)
    st.button(button, type="primary", key=f"{key}-do", on_click=partial(_do, actor, one, operation))


def _do(actor: Actor, one: Qualification, operation: str) -> None:
    key = f"{operation}-{one.id}"
    text = str(st.session_state.get(f"{key}-text") or "")
    code = str(st.session_state.get(f"{key}-code") or "")
    fresh = bool(st.session_state.get(f"{key}-fresh"))
    files = uploads_in(key)
    acts: dict[str, Callable[[], object]] = {
        "ask_information": lambda: ask_information(actor, one.id, text, one.version, files),
        "answer_information": lambda: answer_information(actor, one.id, text, one.version, files, fresh_package=fresh),
        "lift_suspension": lambda: lift_suspension(actor, one.id, text, one.version, files),
        "request_renewal": lambda: request_renewal(actor, one.id, text, one.version, files),
        "withdraw_application": lambda: withdraw_application(actor, one.id, text, one.version),
        "suspend_qualification": lambda: suspend_qualification(actor, one.id, code, text, one.version, files),
        "demand_reassessment": lambda: demand_reassessment(actor, one.id, code, text, one.version, files),
    }
    _attempt(acts[operation], WORDS[operation][2], key, one)


def _attempt(act: Callable[[], object], done: str, key: str, one: Qualification) -> None:
    def and_forget() -> None:
        act()
        forget_files(key)
        st.session_state.pop(f"act-{one.id}", None)

    attempt(and_forget, done, f"{key}-text", f"{key}-code")


def _assign(actor: Actor, one: Qualification) -> None:
    names = {person.user_id: person.name for person in assessors(actor)}
    key = f"assign-{one.id}"
    st.selectbox(
        "Who works on it",
        [None, *names],
        format_func=lambda person: "Nobody" if person is None else escape_markdown(names[person]),
        key=key,
        index=[None, *names].index(one.assigned_to if one.assigned_to in names else None),
    )

    def act() -> None:
        person = st.session_state.get(key)
        _attempt(lambda: assign_application(actor, one.id, person, one.version), "Assigned.", key, one)

    st.button("Assign", type="primary", key=f"{key}-do", on_click=act)


def outcome_fields(key: str) -> None:
    """The fields of a decision, for one application or many; `outcome_in` reads them."""
    verdict = st.segmented_control(
        "Decision", list(VERDICTS), format_func=VERDICTS.__getitem__, key=f"{key}-verdict", default=None
    )
    if verdict is None:
        st.caption("Choose how it ends.")
        return
    if verdict is AssessmentVerdict.QUALIFIED:
        left, right = st.columns(2)
        left.date_input("Valid from", today(), key=f"{key}-from", format="DD/MM/YYYY")
        right.date_input("Valid until", today() + YEAR, key=f"{key}-until", format="DD/MM/YYYY", help="The last day.")
        st.text_area("Conditions", key=f"{key}-conditions", placeholder="None", max_chars=2000)
    else:
        codes = {code.code: code for code in list_reasons(ReasonKind.FAIL)}
        st.selectbox("Why", list(codes), format_func=lambda code: codes[code].label, key=f"{key}-code", index=None)
    st.text_area("Reason", key=f"{key}-text", placeholder="What it rests on: the FSP reads this.", max_chars=2000)


def outcome_in(key: str) -> AssessmentResult:
    """The decision that stands in the fields."""
    given = st.session_state
    return AssessmentResult(
        verdict=given[f"{key}-verdict"],
        reason=str(given.get(f"{key}-text") or ""),
        valid_from=given.get(f"{key}-from"),
        valid_until=given.get(f"{key}-until"),
        conditions=given.get(f"{key}-conditions"),
        reason_code=given.get(f"{key}-code"),
    )


def _decide(actor: Actor, one: Qualification) -> None:
    key = f"decide-{one.id}"
    outcome_fields(key)
    verdict = st.session_state.get(f"{key}-verdict")
    if verdict is None:
        return
    evidence_field(key)

    def act() -> None:
        outcome, files = outcome_in(key), uploads_in(key)
        done = "Qualified." if verdict is AssessmentVerdict.QUALIFIED else "Failed."
        _attempt(lambda: decide_application(actor, one.id, outcome, one.version, files), done, key, one)

    st.button(VERDICTS[verdict], type="primary", key=f"{key}-do", on_click=act)

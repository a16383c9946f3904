"""Forms of the acts on an application: decide, ask, answer, assign, suspend, withdraw (UC-04.02)."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial

import streamlit as st

from models.qualifications import Qualification
from pages.components.common.actions import attempt
from pages.components.common.danger import draw_danger
from pages.components.common.date_field import draw_date, typed_date
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
FROM, UNTIL = "Valid from", "Valid until"
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


def draw_form(actor: Actor, qualification: Qualification, operation: str) -> None:
    """The form of one act."""
    if operation == "decide_application":
        _decide(actor, qualification)
    elif operation == "assign_application":
        _assign(actor, qualification)
    elif operation == "confirm_window":
        window_form(actor, qualification)
    else:
        _draw_message_form(actor, qualification, operation)


def _draw_message_form(actor: Actor, qualification: Qualification, operation: str) -> None:
    key = f"{operation}-{qualification.id}"
    label, button, _ = WORDS[operation]
    if operation in CODED:
        codes = {code.code: code for code in list_reasons(CODED[operation])}
        st.selectbox("Reason", list(codes), format_func=lambda code: codes[code].label, key=f"{key}-code", index=None)
        if selected_code := st.session_state.get(f"{key}-code"):
            st.caption(codes[selected_code].meaning)
    st.text_area(label, key=f"{key}-text", max_chars=2000)
    if operation == "answer_information":
        st.checkbox(
            "Freeze a fresh data package: the unit as it stands now",
            key=f"{key}-fresh",
            help="The SO assesses that one.",
        )
    if operation != "withdraw_application":
        evidence_field(key)
    if operation == "withdraw_application":
        name = f"{qualification.product_code}, application {qualification.id}"
        close = partial(st.session_state.pop, f"act-{qualification.id}", None)
        act = partial(_do, actor, qualification, operation)
        draw_danger(button, name, "withdraw", key, act, close, before_run=True)
        return
    st.button(button, type="primary", key=f"{key}-do", on_click=partial(_do, actor, qualification, operation))


def _do(actor: Actor, qualification: Qualification, operation: str) -> None:
    key = f"{operation}-{qualification.id}"
    text = str(st.session_state.get(f"{key}-text") or "")
    code = str(st.session_state.get(f"{key}-code") or "")
    fresh = bool(st.session_state.get(f"{key}-fresh"))
    files = uploads_in(key)
    acts: dict[str, Callable[[], object]] = {
        "ask_information": lambda: ask_information(actor, qualification.id, text, qualification.version, files),
        "answer_information": lambda: answer_information(
            actor, qualification.id, text, qualification.version, files, fresh_package=fresh
        ),
        "lift_suspension": lambda: lift_suspension(actor, qualification.id, text, qualification.version, files),
        "request_renewal": lambda: request_renewal(actor, qualification.id, text, qualification.version, files),
        "withdraw_application": lambda: withdraw_application(actor, qualification.id, text, qualification.version),
        "suspend_qualification": lambda: suspend_qualification(
            actor, qualification.id, code, text, qualification.version, files
        ),
        "demand_reassessment": lambda: demand_reassessment(
            actor, qualification.id, code, text, qualification.version, files
        ),
    }
    _attempt(acts[operation], WORDS[operation][2], key, qualification)


def _attempt(act: Callable[[], object], done: str, key: str, qualification: Qualification) -> None:
    def and_forget() -> None:
        act()
        forget_files(key)
        st.session_state.pop(f"act-{qualification.id}", None)

    attempt(and_forget, done, f"{key}-text", f"{key}-code")


def _assign(actor: Actor, qualification: Qualification) -> None:
    names = {person.user_id: person.name for person in assessors(actor)}
    key = f"assign-{qualification.id}"
    st.selectbox(
        "Who works on it",
        [None, *names],
        format_func=lambda person: "Nobody" if person is None else escape_markdown(names[person]),
        key=key,
        index=[None, *names].index(qualification.assigned_to if qualification.assigned_to in names else None),
    )

    def act() -> None:
        person = st.session_state.get(key)
        _attempt(
            lambda: assign_application(actor, qualification.id, person, qualification.version),
            "Assigned.",
            key,
            qualification,
        )

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
        with left:
            draw_date(FROM, key=f"{key}-from", value=today())
        with right:
            draw_date(UNTIL, key=f"{key}-until", value=today() + YEAR, help="The last day.")
        st.text_area("Conditions", key=f"{key}-conditions", placeholder="None", max_chars=2000)
    else:
        codes = {code.code: code for code in list_reasons(ReasonKind.FAIL)}
        st.selectbox("Why", list(codes), format_func=lambda code: codes[code].label, key=f"{key}-code", index=None)
    st.text_area("Reason", key=f"{key}-text", placeholder="What it rests on: the FSP reads this.", max_chars=2000)


def read_outcome(key: str) -> AssessmentResult:
    """Read the decision from the fields."""
    entries = st.session_state
    return AssessmentResult(
        verdict=entries[f"{key}-verdict"],
        reason=str(entries.get(f"{key}-text") or ""),
        valid_from=typed_date(f"{key}-from", FROM).require(),
        valid_until=typed_date(f"{key}-until", UNTIL).require(),
        conditions=entries.get(f"{key}-conditions"),
        reason_code=entries.get(f"{key}-code"),
    )


def _decide(actor: Actor, qualification: Qualification) -> None:
    key = f"decide-{qualification.id}"
    outcome_fields(key)
    verdict = st.session_state.get(f"{key}-verdict")
    if verdict is None:
        return
    evidence_field(key)

    def act() -> None:
        files = uploads_in(key)
        done = "Qualified." if verdict is AssessmentVerdict.QUALIFIED else "Failed."
        _attempt(
            lambda: decide_application(actor, qualification.id, read_outcome(key), qualification.version, files),
            done,
            key,
            qualification,
        )

    st.button(VERDICTS[verdict], type="primary", key=f"{key}-do", on_click=act)

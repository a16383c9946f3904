"""Acts on many chosen applications: taken, assigned, decided alike, or withdrawn; what was left says why (UC-04.02)."""

from collections.abc import Callable, Sequence

import streamlit as st

from pages.components.common.actions import attempt
from pages.components.qualification.forms import VERDICTS, outcome_fields, read_outcome
from pages.frame.markdown import escape_markdown
from pages.frame.refusals import show_blockers
from services.core.identity.actor import Actor
from services.market.qualification.assessment import DECIDED_FROM, assessors, decide_like_cases
from services.market.qualification.batch import (
    BatchResult,
    Case,
    assign_applications,
    take_applications,
    withdraw_applications,
)
from services.market.qualification.lifecycle import NOT_ENDED, TAKEN_FROM
from services.market.qualification.listing import QualificationLine

TABLE = "queue-table"
LEFT = "many!became"
ACTS = {"take": "Take", "assign": "Assign", "decide": "Decide alike"}


def draw_many(actor: Actor, lines: Sequence[QualificationLine]) -> None:
    """Draw the acts of a system operator on the selected applications."""
    with st.container(border=True):
        st.subheader(f"{_count(len(lines))} chosen", anchor=False)
        act = st.segmented_control("What to do", list(ACTS), format_func=ACTS.__getitem__, key="many-act")
        if act == "take":
            _take(actor, lines)
        elif act == "assign":
            _assign(actor, lines)
        elif act == "decide":
            _decide(actor, lines)


def draw_withdrawing(actor: Actor, lines: Sequence[QualificationLine]) -> None:
    """Draw how an FSP withdraws the selected applications: for one reason, which the system operators read."""
    with st.container(border=True):
        st.subheader(f"Withdraw {_count(len(lines))}", anchor=False)
        _say_left(lines, NOT_ENDED, "have ended already")
        st.caption("For good: what a unit is qualified for ends with it. The system operators read the reason.")
        st.text_area("Reason", key="many-why", max_chars=2000)
        cases = _cases(lines)

        def withdraw() -> BatchResult:
            return withdraw_applications(actor, cases, str(st.session_state.get("many-why") or ""))

        _button("Withdraw for good", withdraw, "withdrawn", "many-why")


def show_batch_result() -> None:
    """Result of the last act on many, once: applications done, and those left with the reason."""
    stored: tuple[BatchResult, str] | None = st.session_state.pop(LEFT, None)
    if stored is None:
        return
    result, word = stored
    st.success(f"{_count(len(result.done))} {word}.", icon=":material/check_circle:")
    if result.left:
        as_is = "as it was" if len(result.left) == 1 else "as they were"
        st.warning(f"{_count(len(result.left))} left {as_is}:", icon=":material/block:")
        show_blockers(result.left)


def _take(actor: Actor, lines: Sequence[QualificationLine]) -> None:
    _say_left(lines, TAKEN_FROM, "are taken, or decided, already")
    cases = _cases(lines)
    st.caption("They are yours from now on. What is to be assessed again gets a fresh data package.")
    _button("Take", lambda: take_applications(actor, cases), "taken: yours from now on")


def _assign(actor: Actor, lines: Sequence[QualificationLine]) -> None:
    names = {person.user_id: person.name for person in assessors(actor)}
    _say_left(lines, NOT_ENDED, "have ended")
    cases = _cases(lines)
    person = st.selectbox(
        "Who works on them",
        [None, *names],
        format_func=lambda identifier: "Nobody" if identifier is None else escape_markdown(names[identifier]),
        key="many-person",
    )
    _button("Assign", lambda: assign_applications(actor, cases, person), "assigned")


def _decide(actor: Actor, lines: Sequence[QualificationLine]) -> None:
    """One decision on all of them, or none."""
    qualifications = [line.qualification for line in lines]
    kinds = {
        f"{qualification.product_code}, version {qualification.product_version}" for qualification in qualifications
    }
    if len(kinds) > 1:
        st.warning(
            f"Like cases are for one version of one product. Chosen: {escape_markdown('; '.join(sorted(kinds)))}."
        )
        return
    if undecidable := [qualification for qualification in qualifications if qualification.status not in DECIDED_FROM]:
        st.warning(f"{len(undecidable)} of them can't be decided now: leave them out.")
        return
    st.caption("All of them are decided alike, or none. Each FSP reads the reason.")
    outcome_fields("many")
    verdict = st.session_state.get("many-verdict")
    if verdict is None:
        return
    cases = _cases(lines)
    st.button(
        f"{VERDICTS[verdict]} {_count(len(qualifications))}", type="primary", key="many-do", on_click=attempt,
        args=(lambda: decide_like_cases(actor, cases, read_outcome("many")), f"{len(qualifications)} decided.", "many-text",
              "many-verdict", TABLE),
    )  # fmt: skip


def _button(label: str, act: Callable[[], BatchResult], word: str, *forget: str) -> None:
    def do() -> None:
        st.session_state[LEFT] = (act(), word)

    st.button(label, type="primary", key="many-do", on_click=attempt, args=(do, "", *forget, TABLE))


def _say_left(lines: Sequence[QualificationLine], states: Sequence[object], why: str) -> None:
    """Say before the act how many will be left as they are."""
    if left := sum(line.qualification.status not in states for line in lines):
        st.caption(f"{left} of them {why}: left as they are.")


def _cases(lines: Sequence[QualificationLine]) -> list[Case]:
    return [(line.qualification.id, line.qualification.version) for line in lines]


def _count(number: int) -> str:
    return f"{number:,} application{'' if number == 1 else 's'}"

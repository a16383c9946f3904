"""Acts on many chosen applications: taken, assigned, decided alike, or withdrawn; what was left says why (UC-04.02)."""

from collections.abc import Callable, Sequence

import streamlit as st

from pages.components.common.actions import attempt
from pages.components.qualification.forms import VERDICTS, outcome_fields, outcome_in
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


def draw_many(actor: Actor, chosen: Sequence[QualificationLine]) -> None:
    """What a system operator does with the chosen applications."""
    with st.container(border=True):
        st.subheader(f"{_count(len(chosen))} chosen", anchor=False)
        act = st.segmented_control("What to do", list(ACTS), format_func=ACTS.__getitem__, key="many-act")
        if act == "take":
            _take(actor, chosen)
        elif act == "assign":
            _assign(actor, chosen)
        elif act == "decide":
            _decide(actor, chosen)


def draw_withdrawing(actor: Actor, chosen: Sequence[QualificationLine]) -> None:
    """What an FSP does with the chosen applications: for one reason, which the system operators read."""
    with st.container(border=True):
        st.subheader(f"Withdraw {_count(len(chosen))}", anchor=False)
        _leaves(chosen, NOT_ENDED, "have ended already")
        st.caption("For good: what a unit is qualified for ends with it. The system operators read the reason.")
        st.text_area("Reason", key="many-why", max_chars=2000)
        cases = _cases(chosen)

        def withdraw() -> BatchResult:
            return withdraw_applications(actor, cases, str(st.session_state.get("many-why") or ""))

        _button("Withdraw for good", withdraw, "withdrawn", "many-why")


def show_what_became() -> None:
    """What was done, and what was left and why, once."""
    told: tuple[BatchResult, str] | None = st.session_state.pop(LEFT, None)
    if told is None:
        return
    became, word = told
    st.success(f"{_count(len(became.done))} {word}.", icon=":material/check_circle:")
    if became.left:
        as_is = "as it was" if len(became.left) == 1 else "as they were"
        st.warning(f"{_count(len(became.left))} left {as_is}:", icon=":material/block:")
        show_blockers(became.left)


def _take(actor: Actor, chosen: Sequence[QualificationLine]) -> None:
    _leaves(chosen, TAKEN_FROM, "are taken, or decided, already")
    cases = _cases(chosen)
    st.caption("They are yours from now on. What is to be assessed again gets a fresh data package.")
    _button("Take", lambda: take_applications(actor, cases), "taken: yours from now on")


def _assign(actor: Actor, chosen: Sequence[QualificationLine]) -> None:
    names = {person.user_id: person.name for person in assessors(actor)}
    _leaves(chosen, NOT_ENDED, "have ended")
    cases = _cases(chosen)
    person = st.selectbox(
        "Who works on them",
        [None, *names],
        format_func=lambda one: "Nobody" if one is None else escape_markdown(names[one]),
        key="many-person",
    )
    _button("Assign", lambda: assign_applications(actor, cases, person), "assigned")


def _decide(actor: Actor, chosen: Sequence[QualificationLine]) -> None:
    """One decision on all of them, or none."""
    found = [line.qualification for line in chosen]
    kinds = {f"{one.product_code}, version {one.product_version}" for one in found}
    if len(kinds) > 1:
        st.warning(
            f"Like cases are for one version of one product. Chosen: {escape_markdown('; '.join(sorted(kinds)))}."
        )
        return
    if undecidable := [one for one in found if one.status not in DECIDED_FROM]:
        st.warning(f"{len(undecidable)} of them can't be decided now: leave them out.")
        return
    st.caption("All of them are decided alike, or none. Each FSP reads the reason.")
    outcome_fields("many")
    verdict = st.session_state.get("many-verdict")
    if verdict is None:
        return
    cases = _cases(chosen)
    st.button(
        f"{VERDICTS[verdict]} {_count(len(found))}", type="primary", key="many-do", on_click=attempt,
        args=(lambda: decide_like_cases(actor, cases, outcome_in("many")), f"{len(found)} decided.", "many-text",
              "many-verdict", TABLE),
    )  # fmt: skip


def _button(label: str, act: Callable[[], BatchResult], word: str, *forget: str) -> None:
    def do() -> None:
        st.session_state[LEFT] = (act(), word)

    st.button(label, type="primary", key="many-do", on_click=attempt, args=(do, "", *forget, TABLE))


def _leaves(chosen: Sequence[QualificationLine], states: Sequence[object], why: str) -> None:
    """What will be left as it is, before anything is done."""
    if left := sum(line.qualification.status not in states for line in chosen):
        st.caption(f"{left} of them {why}: left as they are.")


def _cases(chosen: Sequence[QualificationLine]) -> list[Case]:
    return [(line.qualification.id, line.qualification.version) for line in chosen]


def _count(number: int) -> str:
    return f"{number:,} application{'' if number == 1 else 's'}"

"""Many queries at once: what is chosen, one text, what will happen to each, and one report."""

from collections.abc import Mapping, Sequence

import streamlit as st

from models.assets import STATUS_LABELS
from pages.components.common.actions import attempt
from pages.frame.markdown import escape_markdown
from pages.frame.navigation import link
from services.assets.checks.many_queries import (
    QueryAct,
    QueryLine,
    QueryReport,
    answer_queries,
    preview_queries,
    settle_queries,
)
from services.assets.checks.queries import ReviewItem
from services.core.identity.actor import Actor
from services.core.identity.permissions import may

REPORT, TEXT, ACT = "queries!report", "queries-text", "queries-act"
SHOWN = 50
LABELS: Mapping[QueryAct, str] = {
    QueryAct.ANSWER: "Answer all with one text",
    QueryAct.LET_STAND: "The declared values stand",
    QueryAct.ASK_FOR_CHANGE: "The sources are right: ask the FSPs to change them",
}
DONE = {
    QueryAct.ANSWER: "answered",
    QueryAct.LET_STAND: "settled",
    QueryAct.ASK_FOR_CHANGE: "asked about again",
}


def list_acts(actor: Actor) -> list[QueryAct]:
    """The acts on many queries that the actor's role has."""
    if may(actor, "asset.settle"):
        return [QueryAct.LET_STAND, QueryAct.ASK_FOR_CHANGE]
    return [QueryAct.ANSWER] if may(actor, "asset.answer") else []


def draw_many_queries(actor: Actor, items: Sequence[ReviewItem]) -> None:
    """The form for the chosen assets, with a line for what will happen to each."""
    acts = list_acts(actor)
    cases = [(item.asset.id, item.asset.version) for item in items]
    with st.container(border=True):
        st.subheader(_count(len(items)), anchor=False)
        act = acts[0]
        if len(acts) > 1:
            act = st.radio("What is right?", acts, format_func=LABELS.__getitem__, key=ACT)
        label = "One answer for all" if act is QueryAct.ANSWER else "One reason for all"
        st.text_area(label, key=TEXT, placeholder="10 characters or more; it is kept with each record.")
        preview = preview_queries(actor, act, cases)
        _draw_lines(preview, "Will become", "Will be left")

        def do() -> None:
            text = str(st.session_state.get(TEXT) or "")
            answers = act is QueryAct.ANSWER
            report = answer_queries(actor, cases, text) if answers else settle_queries(actor, cases, act, text)
            st.session_state[REPORT] = (act, report)

        st.button(
            f"{'Answer' if act is QueryAct.ANSWER else 'Settle'} {_count(len(preview.done))}",
            type="primary",
            icon=":material/done_all:",
            disabled=not preview.done,
            on_click=attempt,
            args=(do, f"{_count(len(preview.done))} {DONE[act]}.", TEXT),
        )


def show_query_report() -> None:
    """The report on the last batch, once."""
    result: tuple[QueryAct, QueryReport] | None = st.session_state.pop(REPORT, None)
    if result is None:
        return
    act, report = result
    with st.container(border=True):
        st.markdown(
            f":material/task_alt: **{_count(len(report.done))} {DONE[act]}, {len(report.left)} left as they were**"
        )
        _draw_lines(report, "Became", "Left")


def _draw_lines(report: QueryReport, done: str, left: str) -> None:
    with st.expander(f"{done}: {_statuses(report.done)}. {left}: {len(report.left)}", expanded=bool(report.left)):
        for line in (*report.left, *report.done)[:SHOWN]:
            words = line.obstacle or f"{STATUS_LABELS[line.before]} → {STATUS_LABELS[line.after]}"
            name = f"**{escape_markdown(line.name)}**: {escape_markdown(words)}"
            link("assets/asset.py", name, "block" if line.obstacle else "bolt", {"id": str(line.asset_id)})
        if (more := len(report.left) + len(report.done) - SHOWN) > 0:
            st.caption(f"And {more:,} more.")


def _statuses(lines: Sequence[QueryLine]) -> str:
    counts: dict[str, int] = {}
    for line in lines:
        label = STATUS_LABELS[line.after]
        counts[label] = counts.get(label, 0) + 1
    return ", ".join(f"{count:,} {label}" for label, count in counts.items()) or "none"


def _count(number: int) -> str:
    return "1 asset" if number == 1 else f"{number:,} assets"

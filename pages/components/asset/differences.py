"""Each difference between what is declared and what a source says: both side by side, and what can be done about it."""

from collections.abc import Sequence
from functools import partial

import streamlit as st

from models.assets import CHECK_SOURCE_LABELS, Asset
from pages.components.asset.take_back import note_decision
from pages.components.common.actions import attempt
from pages.frame.markdown import escape_markdown
from services.assets.checks.accept_source_value import accept_theirs, values_of
from services.assets.checks.differences import Difference
from services.assets.checks.outcomes import DifferenceRuling
from services.assets.checks.settlement import answer_differences, settle_differences
from services.core.clock import in_london, show_date, show_moment
from services.core.identity.actor import Actor

CHOICES = {
    DifferenceRuling.DECLARED_STANDS: "The declared value stands",
    DifferenceRuling.THEIRS_RIGHT: "The source is right: ask the FSP to change it",
}


def source_of(difference: Difference) -> str:
    """The source with its edition, as a heading says it."""
    label = CHECK_SOURCE_LABELS[difference.source]
    return (
        f"{difference.source_name} ({label.lower()})"
        if difference.source_name and difference.source_name != label
        else label
    )


def draw_differences(
    actor: Actor, asset: Asset, differences: Sequence[Difference], *, settle: bool, answer: bool, accept: bool
) -> None:
    """Open ones as cards, with the acts that are possible; under them, in a line each, what is settled."""
    left = [difference for difference in differences if difference.open]
    done = [difference for difference in differences if not difference.open]
    if left:
        heading = f"**{len(left)} open difference{'s' if len(left) > 1 else ''}**"
        st.markdown(heading + (f", {len(done)} settled" if done else ""))
    accepts = accept and (answer or settle)
    for difference in left:
        with st.container(border=True):
            key = f"{asset.id}-{difference.source}-{difference.field}"
            _draw_sides(actor, asset, difference, key if accepts else None)
            _draw_marks(difference)
            if answer:
                with st.expander("Answer about this", icon=":material/reply:", key=f"answering-{key}"):
                    _ask_answer(actor, asset, difference, key)
            if settle:
                with st.expander("Settle this", icon=":material/gavel:", key=f"settling-{key}"):
                    _ask_verdict(actor, asset, difference, key)
    if accepts and sum(values_of(difference) is not None for difference in left) > 1:
        st.button(
            "Accept all of theirs",
            key=f"accept-all-{asset.id}",
            icon=":material/done_all:",
            help="Values that hang together, such as capacities, are changed together.",
            on_click=partial(_accept_all, actor, asset),
        )
    for difference in done:
        st.markdown(describe_settlement(difference))


def _draw_sides(actor: Actor, asset: Asset, difference: Difference, key: str | None) -> None:
    """Both values beside each other; with a `key`, the way to take theirs over."""
    since = f", {show_date(in_london(difference.found_at).date())}" if difference.found_at else ""
    source = escape_markdown(source_of(difference))
    st.markdown(f":red-badge[:material/difference: {escape_markdown(difference.label)}] :small[{source}{since}]")
    grid = st.grid(3, min_column_width=130, vertical_alignment="center")
    grid.markdown(f":small[Declared]  \n**{escape_markdown(difference.declared or 'Nothing')}**")
    grid.markdown(f":small[Source says]  \n**{escape_markdown(difference.source_value or 'Nothing')}**")
    if key is not None and values_of(difference) is not None:
        grid.button(
            f"Accept theirs: {escape_markdown(difference.source_value or '')}",
            key=f"accept-{key}",
            icon=":material/done:",
            wrap=True,
            help="Changes the asset to what the source says. The rules hold as for any change; the sources are asked again.",
            on_click=partial(_accept, actor, asset, difference),
        )


def _draw_marks(difference: Difference) -> None:
    """Decisions and answers so far on an open difference."""
    if difference.verdict is DifferenceRuling.THEIRS_RIGHT:
        st.markdown(
            f":orange-badge[:material/gavel: The source is right] {_signed(difference.by, difference.organisation)}, "
            f"{show_moment(difference.decided_at)}: {escape_markdown(difference.reason or '')}"
        )
    if difference.answer:
        st.markdown(
            f":blue-badge[:material/reply: Answered] {escape_markdown(difference.answered_by or '')}, "
            f"{show_moment(difference.answered_at)}: {escape_markdown(difference.answer)}"
        )


def _signed(by: str | None, organisation: str | None) -> str:
    return escape_markdown(f"{by}, {organisation}" if organisation else str(by))


def describe_settlement(difference: Difference) -> str:
    """A settled difference in a line: both values, who let the declared one stand, when and why."""
    return (
        f":violet-badge[:material/gavel: Settled] **{escape_markdown(difference.label)}**: "
        f"{escape_markdown(difference.declared or 'nothing')} stands, "
        f"{escape_markdown(source_of(difference))} says {escape_markdown(difference.source_value or 'nothing')}. "
        f":small[{_signed(difference.by, difference.organisation)}, "
        f"{show_moment(difference.decided_at)}:] {escape_markdown(difference.reason or '')}"
    )


def _accept(actor: Actor, asset: Asset, difference: Difference) -> None:
    attempt(
        lambda: accept_theirs(actor, asset.id, asset.version, [difference.field], source=difference.source),
        f"{escape_markdown(difference.label)} is changed to {escape_markdown(difference.source_value or '')}. "
        "The sources are asked again.",
    )


def _accept_all(actor: Actor, asset: Asset) -> None:
    attempt(
        lambda: accept_theirs(actor, asset.id, asset.version),
        "The asset is changed to what the sources say. They are asked again.",
    )


def _ask_answer(actor: Actor, asset: Asset, difference: Difference, key: str) -> None:
    st.text_area(f"Answer about {difference.label}", key=f"about-{key}", persist_state="session")

    def send() -> None:
        text = str(st.session_state.get(f"about-{key}") or "")
        attempt(
            lambda: answer_differences(actor, asset.id, {difference.field: text}, asset.version),
            f"Answer about {difference.label} sent.",
            f"about-{key}",
        )

    st.button("Send this answer", key=f"send-{key}", icon=":material/send:", on_click=send)


def _ask_verdict(actor: Actor, asset: Asset, difference: Difference, key: str) -> None:
    st.radio(
        f"{difference.label}: what is right",
        list(CHOICES),
        format_func=CHOICES.__getitem__,
        key=f"verdict-{key}",
        index=None,
        persist_state="session",
    )
    st.text_area(f"Reason about {difference.label}", key=f"why-{key}", persist_state="session")

    def decide() -> None:
        verdict = st.session_state.get(f"verdict-{key}")
        if verdict is None:
            st.session_state[f"missing-{key}"] = True
            return
        why = str(st.session_state.get(f"why-{key}") or "")
        done = "Settled." if verdict is DifferenceRuling.DECLARED_STANDS else "The FSP is asked to change it."

        def act() -> None:
            settle_differences(
                actor, asset.id, verdict, why, asset.version, [difference.field], source=difference.source
            )
            note_decision(asset.id)

        attempt(
            act,
            f"{difference.label}: {done}",
            f"verdict-{key}",
            f"why-{key}",
        )

    if st.session_state.pop(f"missing-{key}", False):
        st.error("Choose what is right first.", icon=":material/error:")
    st.button("Settle", key=f"settle-{key}", icon=":material/gavel:", on_click=decide)

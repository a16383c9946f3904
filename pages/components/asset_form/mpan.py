"""MPANs as they are typed: reduced, checked and explained digit by digit, with the network that follows from them."""

from collections.abc import Callable, Sequence

import streamlit as st

from pages.components.common.form_field import Findings, draw_field, show_beside, widget_options
from pages.components.common.form_state import FormState
from pages.frame.markdown import escape_markdown
from services.assets.rules.mpan import CORE_LENGTH, describe_mpan
from services.core.attributes import FormField
from services.grid.geography import gsp_group_name

NETWORK = "DNOConnection"
FILLED = "network-filled"
"""Note of the network that was chosen for the person."""


def draw_network(
    fields: Sequence[FormField], state: FormState, findings: Findings, after_change: Callable[[], None]
) -> None:
    """The MPANs and the distribution network; only this part is drawn anew while digits are typed.

    `after_change` keeps what was typed: a run of this part alone doesn't reach the end of the page.
    """

    meaning = _meaning(fields, state)

    @st.fragment
    def part() -> None:
        if state.note("checking") and _meaning(fields, state) != meaning:
            # What the rules say, here and in the summary, was worked out for other values.
            st.rerun()
        _fill_network(fields, state)
        grid = st.grid(3, min_column_width=260)
        for field in fields:
            with grid.container():
                if field.kind == "mpan":
                    _mpan(field, state, findings)
                else:
                    draw_field(field, state, findings)
        _offer_network(fields, state)
        after_change()

    part()


def _meaning(fields: Sequence[FormField], state: FormState) -> list[object]:
    """Values of the fields as far as the rules go: a half-typed MPAN is none yet."""
    typed = {field: str(state.get(field.term) or "") for field in fields}
    return [describe_mpan(text).core if field.kind == "mpan" and text else text for field, text in typed.items()]


def _mpan(field: FormField, state: FormState, findings: Findings) -> None:
    st.text_input(
        **widget_options(field, state), live="200ms", autocomplete="off", placeholder="13 digits, or 21 from a bill"
    )
    text = str(state.get(field.term) or "").strip()
    relevant = [finding for finding in findings.get(field.term, ()) if finding.given in (None, text)]
    if not text:
        show_beside(relevant)
        return
    facts = describe_mpan(text)
    if facts.problem:
        st.markdown(f":small[:red[:material/error: {escape_markdown(facts.problem)}]]")
        return
    _tell_page(field, state, findings, text)
    digits = "".join(text.split())
    if len(digits) > CORE_LENGTH:
        st.caption(f":material/content_cut: Reduced to the 13-digit core **{facts.core}**")
    group = f", GSP group {gsp_group_name(facts.gsp_group)} ({facts.gsp_group})" if facts.gsp_group else ""
    st.markdown(
        f":small[:green[:material/check_circle: {escape_markdown(facts.distributor or '')}{escape_markdown(group)}]]"
    )
    show_beside(relevant)


def _tell_page(field: FormField, state: FormState, findings: Findings, text: str) -> None:
    """Draw the whole page anew, once, when a wrong MPAN has been put right: its summary still names the mistake."""
    corrected = any(finding.given not in (None, text) for finding in findings.get(field.term, ()))
    note = f"corrected-{field.term}"
    if corrected and state.note(note) != text:
        state.remember(note, text)
        st.rerun()


def _fill_network(fields: Sequence[FormField], state: FormState) -> None:
    """Choose the network that the MPANs point to, as long as nobody has chosen another."""
    code = next(iter(_networks(fields, state)), None)
    if code is not None and state.get(NETWORK) in (None, state.note(FILLED)):
        state.put(NETWORK, code)
        state.remember(FILLED, code)


def _networks(fields: Sequence[FormField], state: FormState) -> dict[str, str]:
    """Networks that the MPANs point to, with their names; none where the form has no field for it."""
    network = next((field for field in fields if field.term == NETWORK), None)
    labels = {option.code: option.label for option in network.options} if network else {}
    codes: dict[str, str] = {}
    for field in fields:
        text = str(state.get(field.term) or "") if field.kind == "mpan" else ""
        facts = describe_mpan(text) if text.strip() else None
        code = facts.dno_code if facts and not facts.problem else None
        if code in labels:
            codes[code] = labels[code]
    return codes


def _offer_network(fields: Sequence[FormField], state: FormState) -> None:
    """The network that the MPANs point to, one click away where somebody has chosen another."""
    codes = _networks(fields, state)
    if not codes:
        return
    if state.get(NETWORK) in codes:
        st.caption(":material/check_circle: The distribution network is that of the MPAN.")
        return
    code, label = next(iter(codes.items()))
    st.button(
        f"Set the distribution network to {label}",
        key=f"{state.slot}!network-{code}",
        icon=":material/bolt:",
        on_click=state.put,
        args=(NETWORK, code),
    )

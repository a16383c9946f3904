"""Service windows of a qualified unit, when the SO counts on it: confirming one, calling one off (UC-03.04)."""

from datetime import datetime, time, timedelta
from functools import partial

import streamlit as st

from models.qualifications import Qualification
from models.service_windows import ServiceWindow
from pages.components.common.actions import attempt
from pages.frame.markdown import escape_markdown
from services.core.clock import LONDON, now, show_moment, show_period, today
from services.core.identity.actor import Actor
from services.core.identity.permissions import may
from services.market.qualification.service_windows import call_off_window, confirm_window, windows_of


def window_form(actor: Actor, qualification: Qualification) -> None:
    """From when to when, in UK time, and what the FSP is to know of it."""
    key = f"window-{qualification.id}"
    evening = datetime.combine(max(today(), qualification.valid_from or today()) + timedelta(days=1), time(16))
    left, right = st.columns(2)
    left.datetime_input("From (UK time)", evening, key=f"{key}-from", format="DD/MM/YYYY")
    right.datetime_input("Until (UK time)", evening + timedelta(hours=4), key=f"{key}-until", format="DD/MM/YYYY")
    st.text_area("Note", key=f"{key}-note", max_chars=1000, placeholder="What the FSP is to know of it.")
    st.caption("Until it is over or called off, the unit can't be de-registered, nor its qualification withdrawn.")

    def act() -> None:
        entries = st.session_state
        begin, end = (entries[f"{key}-{name}"].replace(tzinfo=LONDON) for name in ("from", "until"))
        confirm_window(actor, qualification.id, begin, end, str(entries.get(f"{key}-note") or ""))
        st.session_state.pop(f"act-{qualification.id}", None)

    st.button(
        "Confirm the window",
        type="primary",
        key=f"{key}-do",
        on_click=partial(attempt, act, "Confirmed: the FSP is told.", f"{key}-note", f"{key}-from", f"{key}-until"),
    )


def draw_windows(actor: Actor, qualification: Qualification) -> None:
    """Every window, the latest first; those ahead can be called off by who may."""
    windows = windows_of(actor, qualification.id)
    if not windows:
        st.info(
            "No service window is confirmed. The SO confirms one when it counts on the unit for a time.",
            icon=":material/event:",
        )
    for window in windows:
        with st.container(border=True):
            _draw(actor, window)


def _draw(actor: Actor, window: ServiceWindow) -> None:
    ahead = window.called_off_at is None and window.ends_at > now()
    label, colour, icon = _sign(window)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{show_period(window.starts_at, window.ends_at)}**")
        st.badge(label, color=colour, icon=f":material/{icon}:")  # pyright: ignore[reportArgumentType]
    if window.note:
        st.markdown(escape_markdown(window.note))
    if window.called_off_reason:
        st.markdown(f"Called off on {show_moment(window.called_off_at)}: {escape_markdown(window.called_off_reason)}")
    st.caption(f"Confirmed by {escape_markdown(window.confirmed_by_name)} on {show_moment(window.confirmed_at)}")
    if ahead and may(actor, "qualification.assess"):
        _call_off(actor, window)


def _sign(window: ServiceWindow) -> tuple[str, str, str]:
    if window.called_off_at is not None:
        return "Called off", "gray", "event_busy"
    if window.ends_at <= now():
        return "Over", "gray", "event_available"
    return ("Under way", "orange", "bolt") if window.starts_at <= now() else ("Ahead", "blue", "event")


def _call_off(actor: Actor, window: ServiceWindow) -> None:
    key = f"call-off-{window.id}"

    def act() -> None:
        call_off_window(actor, window.id, str(st.session_state.get(f"{key}-reason") or ""), window.version)

    with st.popover("Call off", icon=":material/event_busy:"):
        st.text_area("Reason", key=f"{key}-reason", max_chars=1000, placeholder="The FSP reads this.")
        st.button(
            "Call the window off",
            key=f"{key}-do",
            on_click=partial(attempt, act, "Called off: the FSP is told.", f"{key}-reason"),
        )

"""Acts that can't be undone: red, with the record's name, a word to type, and a way to leave."""

from collections.abc import Callable

import streamlit as st

from pages.frame.markdown import escape_markdown


def draw_danger(
    label: str, name: str, word: str, key: str, act: Callable[[], object], leave: Callable[[], object] | None = None
) -> None:
    """Draw the last step of an act on the record `name`: done once `word` is typed. `leave` closes the dialog around it."""
    st.markdown(f"Type **{word}** to {label[0].lower()}{label[1:]}: **{escape_markdown(name)}**")
    typed = st.text_input("The word", key=f"{key}-word", placeholder=word, label_visibility="collapsed")
    with st.container(horizontal=True):
        # Pressed and not disabled: a field tells of its text only once it is left, so the first click would be lost.
        with st.container(key=f"danger-{key}", width="content"):
            pressed = st.button(label, type="primary", icon=":material/warning:", key=f"{key}-danger")
        if leave is not None and st.button("Leave it as it is", key=f"{key}-leave"):
            leave()
            st.rerun()
    if pressed:
        if (typed or "").strip().casefold() == word.casefold():
            act()
        else:
            st.error(f"Nothing is done yet. Type {word} above, then press again.", icon=":material/keyboard:")

"""Acts that can't be undone: red, with the record's name, a word to type, and a way to leave."""

from collections.abc import Callable

import streamlit as st

from pages.frame.markdown import escape_markdown


def draw_danger(
    label: str,
    name: str,
    word: str,
    key: str,
    act: Callable[[], object],
    leave: Callable[[], object] | None = None,
    *,
    before_run: bool = False,
) -> None:
    """Draw the last step of an act on the record `name`: done once `word` is typed. `leave` closes the dialog around it.

    With `before_run` the act is done before the page is drawn again, as fields that it empties need; else where it stands.
    """
    st.markdown(f"Type **{word}** to {label[0].lower()}{label[1:]}: **{escape_markdown(name)}**")
    field, missing = f"{key}-word", f"{key}-missing"
    st.text_input("The word", key=field, placeholder=word, label_visibility="collapsed")

    def try_it() -> None:
        if str(st.session_state.get(field) or "").strip().casefold() == word.casefold():
            act()
        else:
            st.session_state[missing] = True

    with st.container(horizontal=True):
        # Pressed and not disabled: a field tells of its text only once it is left, so the first click would be lost.
        with st.container(key=f"danger-{key}", width="content"):
            pressed = st.button(
                label,
                type="primary",
                icon=":material/warning:",
                key=f"{key}-danger",
                on_click=try_it if before_run else None,
            )
        if leave is not None and st.button("Leave it as it is", key=f"{key}-leave"):
            leave()
            st.rerun()
    if pressed and not before_run:
        try_it()
    if st.session_state.pop(missing, False):
        st.error(f"Nothing is done yet. Type {word} above, then press again.", icon=":material/keyboard:")

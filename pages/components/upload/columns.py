"""Columns of a file: asked of those that nobody knows, and open to another word on those that are known."""

from collections.abc import Mapping, Sequence

import streamlit as st

from pages.frame.markdown import escape_markdown
from services.assets.bulk.upload.preview import FileLook, attribute_choices

ASKED_AT_MOST = 40
LEAVE_OUT = ""
LEFT_OUT = "Leave out"


def ask_columns(look: FileLook) -> dict[str, str | None]:
    """Ask what columns hold: heading -> term, None to leave it out; headings that need no answer are absent."""
    answers: dict[str, str | None] = {}
    labels = attribute_choices()
    if look.unknown:
        st.subheader("Unrecognised columns", anchor=False)
        st.caption("Say what they hold, or leave them out. It is remembered for your organisation's next file.")
        free = {term: label for term, label in labels.items() if term not in look.columns.values()}
        _ask(look, look.unknown[:ASKED_AT_MOST], free, answers)
        if more := look.unknown[ASKED_AT_MOST:]:
            st.caption(f"Left out, too: {escape_markdown(', '.join(more))[:500]}")
    headings = [*look.columns, *look.left_out]
    if headings and not look.ready_made:
        with st.expander("Recognised columns", icon=":material/view_column:"):
            _show_recognised(look, headings, labels)
            selection = st.multiselect("Say otherwise of", headings, key="upload-otherwise", placeholder="A column")
            _ask(look, selection, labels, answers)
    return answers


def _show_recognised(look: FileLook, headings: Sequence[str], labels: Mapping[str, str]) -> None:
    rows = []
    for heading in headings:
        term = look.columns.get(heading)
        held = LEFT_OUT if term is None else labels.get(term, term)
        rows.append({"Column": heading, "Holds": held, "For example": look.samples.get(heading, "–")})
    st.dataframe(rows, hide_index=True, width="stretch", alt="The columns of the file and what they hold")


def _ask(look: FileLook, headings: Sequence[str], choices: Mapping[str, str], answers: dict[str, str | None]) -> None:
    options = [LEAVE_OUT, *choices]
    with st.grid(3, min_column_width=240):
        for heading in headings:
            now = look.columns.get(heading, LEAVE_OUT)
            sample = look.samples.get(heading)
            with st.container(gap="xxsmall"):
                answer = st.selectbox(
                    escape_markdown(heading),
                    options,
                    index=options.index(now) if now in options else 0,
                    format_func=lambda term: choices.get(term, LEFT_OUT),
                    key=f"upload-column/{heading}",
                )
                st.caption(f"For example: {escape_markdown(sample)}" if sample else "No value in the first rows")
            answers[heading] = answer or None

"""Scrolling of the page in the browser, where another record takes the place of the one before."""

import json

import streamlit as st

TO_TOP = """<script>(() => {{
  const main = document.querySelector('[data-testid="stMain"]');
  if (main) main.scrollTo({{top: 0, behavior: "instant"}});
}})() // {what}</script>"""


def scroll_up_for(what: str, key: str) -> None:
    """Begin at the top of the page when another record is shown than in the run before; `key` tells places apart."""
    note = f"scroll!{key}"
    if st.session_state.get(note) not in (None, what):
        # Each record is another text: the same one would not be run again.
        st.html(TO_TOP.format(what=json.dumps(what)), unsafe_allow_javascript=True)
    st.session_state[note] = what

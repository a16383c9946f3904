"""Pages for addresses that show nothing to whoever opened them: why, and the way on."""

import streamlit as st

from pages.frame.markdown import escape_markdown
from pages.frame.refusals import offer_role_before
from pages.frame.session import actor


def show_closed() -> None:
    """Say that the page isn't part of the role, and whom to ask."""
    person = actor()
    st.title("Not part of your role", anchor=False)
    organisation = escape_markdown(person.organisation_name or "your organisation")
    st.info(
        f"You are here as **{escape_markdown(person.role_label)}** of **{organisation}**, and this page is not open to that "
        "role. If you need it, ask your organisation's administrator for a role that has it; “Who may do what” lists "
        "what each role opens.",
        icon=":material/lock_person:",
    )
    _draw_ways_on()


def show_unknown() -> None:
    """Say that there is no page at the address."""
    st.title("No such page", anchor=False)
    st.info(
        "There is nothing at this address. Check it for a typing mistake, choose a page from the menu, or search for the "
        "record at the top.",
        icon=":material/search_off:",
    )
    _draw_ways_on()


def _draw_ways_on() -> None:
    st.page_link("pages/home.py", label="Go to home", icon=":material/home:")
    st.page_link("pages/governance/permissions.py", label="Who may do what", icon=":material/lock_person:")
    offer_role_before()

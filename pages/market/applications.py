"""An FSP's applications (UC-04.02): where each stands, what is asked, what ends soon; choosing one opens it."""

import streamlit as st

from pages.components.common.actions import show_outcome
from pages.components.qualification.batch import TABLE, draw_withdrawing, show_batch_result
from pages.components.qualification.filters import choose_qualifications, clear_qualifications
from pages.components.qualification.table import draw_qualification_table, read_applications
from pages.frame import session
from services.core.identity.permissions import may
from services.market.qualification.counts import tally_qualifications
from services.market.qualification.filters import QualificationFilters
from services.market.qualification.listing import work_queue

MOST = 500

actor = session.actor()
st.title("Applications", anchor=False)
st.caption("What your units have applied for and are qualified for. Filters are saved in the link.")
show_outcome()
show_batch_result()
filters = choose_qualifications(actor, assesses=False)
tally = tally_qualifications(actor, filters)
total = sum(tally.statuses.values())
with st.container(horizontal=True, vertical_alignment="center"):
    st.markdown(f"**{total:,} application{'' if total == 1 else 's'}**", width="content")
    if filters != QualificationFilters():
        st.button("Clear the filters", icon=":material/filter_alt_off:", type="tertiary", on_click=clear_qualifications)
if not total and filters == QualificationFilters():
    st.info("No unit has applied for a product yet.", icon=":material/assignment:")
    st.markdown("Open a market unit, see what it may earn, and apply on its tab **Qualifications**.")
    st.page_link("pages/market/units.py", label="Market units", icon=":material/hub:")
    st.stop()
if not total:
    st.info("No application passes these filters. Choose fewer, or clear them.", icon=":material/filter_alt:")
    st.stop()
selected = draw_qualification_table(
    work_queue(actor, filters, MOST),
    ("FSP", "Assigned to"),
    several=may(actor, "qualification.apply"),
    key=TABLE,
    more=(lambda: read_applications(actor, filters)) if total > MOST else None,
)
if selected:
    draw_withdrawing(actor, selected)
if total > MOST:
    st.caption(f"The {MOST} that are due first are shown. Choose filters to see others.")

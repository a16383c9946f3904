"""The SO's work queue (UC-04.02): by the clock, filtered; taken, assigned and decided one by one or many together."""

import streamlit as st

from pages.components.common.actions import show_outcome
from pages.components.qualification.batch import TABLE, draw_many, show_batch_result
from pages.components.qualification.filters import choose_qualifications, clear_qualifications
from pages.components.qualification.labels import CLOCK_SIGNS
from pages.components.qualification.map import draw_queue_map
from pages.components.qualification.portability import draw_elsewhere
from pages.components.qualification.table import draw_qualification_table, read_applications
from pages.frame import session
from services.core.identity.permissions import may
from services.market.qualification.counts import ApplicationCounts, tally_qualifications
from services.market.qualification.filters import QualificationFilters
from services.market.qualification.listing import work_queue
from services.market.qualification.sla_clock import CLOCK_LABELS, ClockState

MOST = 500
UNDECIDED = QualificationFilters(clock=tuple(state for state in ClockState if state is not ClockState.STOPPED))


def draw_numbers(tally: ApplicationCounts) -> None:
    """Numbers of applications by clock."""
    grid = st.grid(4, min_column_width=130)
    for state in (ClockState.LATE, ClockState.SOON, ClockState.IN_TIME, ClockState.PAUSED):
        colour, sign = CLOCK_SIGNS[state]
        grid.metric(f":{colour}[:material/{sign}:] {CLOCK_LABELS[state]}", f"{tally.clocks[state]:,}", border=True)


def draw_groups(tally: ApplicationCounts) -> None:
    """Number of applications in each GSP group, as bars of one table."""
    rows = [{"GSP group": code or "Several", "Applications": count} for code, count in tally.groups.items()]
    with st.expander("By GSP group", icon=":material/map:"):
        most = max(tally.groups.values())
        bars = st.column_config.ProgressColumn("Applications", format="%d", min_value=0, max_value=most)
        st.dataframe(rows, hide_index=True, width="stretch", column_config={"Applications": bars})


actor = session.actor()
assesses = may(actor, "qualification.assess")
st.title("Applications to assess" if assesses else "All applications", anchor=False)
st.caption("The earliest due date comes first. The clock stops while an FSP is asked. Filters are saved in the link.")
show_outcome()
show_batch_result()
filters = choose_qualifications(actor, assesses=True)
# Whoever opens the queue to work sees what waits; any filter, or the switch, shows what it says.
unfiltered = filters == QualificationFilters()
if unfiltered and assesses and not st.toggle("Show decided ones as well", key="decided", bind="query-params"):
    filters = UNDECIDED
tally = tally_qualifications(actor, filters)
total = sum(tally.statuses.values())
if not unfiltered:
    st.button("Clear the filters", icon=":material/filter_alt_off:", type="tertiary", on_click=clear_qualifications)
if not total:
    words = "No application waits for a decision." if unfiltered else "No application passes these filters."
    st.success(f"{words} New ones appear once an FSP applies for a product that you buy.", icon=":material/task_alt:")
else:
    draw_numbers(tally)
    draw_groups(tally)
    draw_queue_map(actor, filters)
    selected = draw_qualification_table(
        work_queue(actor, filters, MOST),
        ("SO",) if assesses else (),
        several=assesses,
        key=TABLE,
        more=(lambda: read_applications(actor, filters)) if total > MOST else None,
    )
    if selected:
        draw_many(actor, selected)
    if total > MOST:
        st.caption(f"The {MOST} that are due first of {total:,} are shown. Choose filters to see others.")
if assesses:
    draw_elsewhere(actor)

"""Units that a colleague has qualified for an equivalent product, each accepted with one act (UC-04.02)."""

from functools import partial
from uuid import UUID

import streamlit as st

from pages.components.common.actions import attempt
from pages.components.common.pagination import draw_turning, page_cursors
from pages.frame.markdown import escape_markdown
from services.core.clock import show_date
from services.core.identity.actor import Actor
from services.market.qualification.portability import ColleagueQualification, accept_colleague, qualified_elsewhere

SHOWN = 20
TURNED = "elsewhere!cursors"


def draw_elsewhere(actor: Actor, unit_id: UUID | None = None) -> None:
    """Qualifications that may be accepted, of one unit or of all in the actor's areas, by page; nothing where there is none."""
    cursors = page_cursors(TURNED)
    page = qualified_elsewhere(actor, unit_id, after=UUID(cursors[-1]) if cursors else None, limit=SHOWN)
    if cursors and not page.items:
        cursors.clear()
        page = qualified_elsewhere(actor, unit_id, limit=SHOWN)
    if not page.items:
        return
    st.subheader(f"Qualified with colleagues ({page.total:,})", anchor=False)
    st.caption("Units in your areas that another operator has qualified for an equivalent product. One act accepts it.")
    for qualification in page.items:
        _draw_qualification(actor, qualification)
    if page.total > SHOWN:
        number = len({qualification.qualification_id for qualification in page.items})
        following = None if page.next_cursor is None else str(page.next_cursor)
        draw_turning(TURNED, number, SHOWN, following, f"{page.total:,} qualifications")


def _draw_qualification(actor: Actor, qualification: ColleagueQualification) -> None:
    with st.container(border=True):
        st.markdown(
            f"**{escape_markdown(qualification.unit_name)}** ({escape_markdown(qualification.unit_code)}) is qualified for "
            f"**{escape_markdown(qualification.product_code)}** by "
            f"{escape_markdown(qualification.operator)}, {show_date(qualification.valid_from)} to "
            f"{show_date(qualification.valid_until)}."
        )
        if qualification.conditions:
            st.markdown(f"Conditions: {escape_markdown(qualification.conditions)}")
        st.caption(escape_markdown(qualification.note))
        st.button(
            f"Accept for {qualification.for_product}",
            key=f"accept-{qualification.qualification_id}-{qualification.for_product}",
            icon=":material/handshake:",
            on_click=attempt,
            args=(
                partial(accept_colleague, actor, qualification.qualification_id, qualification.for_product),
                "Accepted: it is Qualified.",
            ),
        )

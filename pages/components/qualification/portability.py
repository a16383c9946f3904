"""Units that a colleague has qualified for an equivalent product, each accepted with one act (UC-04.02)."""

from functools import partial
from uuid import UUID

import streamlit as st

from pages.components.common.actions import attempt
from pages.components.common.pagination import draw_turning, turned
from pages.frame.markdown import escape_markdown
from services.core.clock import show_date
from services.core.identity.actor import Actor
from services.market.qualification.portability import ColleagueQualification, accept_colleague, qualified_elsewhere

SHOWN = 20
TURNED = "elsewhere!cursors"


def draw_elsewhere(actor: Actor, unit_id: UUID | None = None) -> None:
    """What may be accepted, of one unit or of all in the actor's areas, page by page; nothing where there is none."""
    cursors = turned(TURNED)
    page = qualified_elsewhere(actor, unit_id, after=UUID(cursors[-1]) if cursors else None, limit=SHOWN)
    if cursors and not page.items:
        cursors.clear()
        page = qualified_elsewhere(actor, unit_id, limit=SHOWN)
    if not page.items:
        return
    st.subheader(f"Qualified with colleagues ({page.total:,})", anchor=False)
    st.caption("Units in your areas that another operator has qualified for an equivalent product. One act accepts it.")
    for one in page.items:
        _draw(actor, one)
    if page.total > SHOWN:
        shown = len({one.qualification_id for one in page.items})
        following = None if page.next_cursor is None else str(page.next_cursor)
        draw_turning(TURNED, shown, SHOWN, following, f"{page.total:,} qualifications")


def _draw(actor: Actor, one: ColleagueQualification) -> None:
    with st.container(border=True):
        st.markdown(
            f"**{escape_markdown(one.unit_name)}** ({escape_markdown(one.unit_code)}) is qualified for "
            f"**{escape_markdown(one.product_code)}** by "
            f"{escape_markdown(one.operator)}, {show_date(one.valid_from)} to {show_date(one.valid_until)}."
        )
        if one.conditions:
            st.markdown(f"Conditions: {escape_markdown(one.conditions)}")
        st.caption(escape_markdown(one.note))
        st.button(
            f"Accept for {one.for_product}",
            key=f"accept-{one.qualification_id}-{one.for_product}",
            icon=":material/handshake:",
            on_click=attempt,
            args=(
                partial(accept_colleague, actor, one.qualification_id, one.for_product),
                "Accepted: it is Qualified.",
            ),
        )

"""The assets of a unit, page by page; for its FSP the way to put some in and to take some out (UC-03.03)."""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

import streamlit as st

from models.assets import STATUS_LABELS
from models.units import UnitStatus
from pages.components.asset.as_of import KEY, end_of
from pages.components.common.asset_labels import group_words
from pages.components.common.dialogs import ask, close, is_open
from pages.components.common.moments import moment_column
from pages.components.common.pagination import draw_turning, page_cursors
from pages.components.common.power import show_kw
from pages.components.desk.table import code_labels
from pages.components.unit.actions import do_in_dialog
from pages.components.unit.labels import TYPE_LABELS, count_of, draw_fact
from pages.components.unit.preview import draw_preview, has_obstacles
from services.core.clock import show_date
from services.core.identity.actor import Actor
from services.core.identity.permissions import may
from services.market.unit_changes.composition import preview_composition, update_composition
from services.market.units.members import MemberLine, list_members
from services.market.units.units import UNIT_STATUS_LABELS, UnitDetails, UnitSnapshot

PAGE_SIZE = 200
TAKE_OUT = "unit-take-out"
CHOSEN = "unit!chosen"


def draw_members(actor: Actor, whole: UnitDetails) -> None:
    """Present members; choosing some offers to open one or to take them out."""
    unit = whole.unit
    mine = may(actor, "unit.manage") and unit.service_provider_id == actor.organisation_id
    changes = mine and unit.status is UnitStatus.ACTIVE
    if unit.status is UnitStatus.DEREGISTERED:
        st.info("It holds no assets any more. Choose a day above to see what was in it.", icon=":material/history:")
        return
    if changes:
        st.page_link(
            "pages/market/build_unit.py", label="Put assets in", icon=":material/add_box:", query_params={"into": str(unit.id)}
        )  # fmt: skip
    total = count_of(whole.capability.assets)
    members = draw_member_table(actor, unit.id, None, f"members-{unit.composition}", total)
    with st.container(horizontal=True, vertical_alignment="center"):
        if len(members) == 1:
            query = {"id": str(members[0].asset_id)}
            st.page_link("pages/assets/asset.py", label="Open the asset", icon=":material/bolt:", query_params=query)
        if changes and members:
            st.button(
                f"Take {count_of(len(members))} out ...",
                icon=":material/remove_circle:",
                on_click=_ask_take_out,
                args=([member.asset_id for member in members],),
            )
    if changes and is_open(TAKE_OUT):
        take_out(actor, whole, st.session_state.get(CHOSEN, []))


def draw_member_table(
    actor: Actor, unit_id: UUID, moment: datetime | None, key: str, total: str | None = None
) -> Sequence[MemberLine]:
    """One page of members, now or as of a moment; returns the selected rows."""
    cursors = page_cursors(f"{key}-cursors")
    page = list_members(actor, unit_id, moment=moment, after=cursors[-1] if cursors else None, limit=PAGE_SIZE)
    if page.unseen:
        st.caption(f"{count_of(page.unseen)} of the unit lie beyond what you may see, and aren't listed.")
    if not page.items:
        st.info("None of its assets is within what you may see.", icon=":material/visibility_off:")
        return []
    labels = code_labels()
    event = st.dataframe(
        [_row(member, labels.get(member.category, member.category)) for member in page.items],
        hide_index=True,
        width="stretch",
        height=min(35 * (len(page.items) + 1) + 2, 520),
        column_config={
            "Rated (kW)": st.column_config.NumberColumn("Rated (kW)", format="localized"),
            "In it since": moment_column([member.from_at for member in page.items], "In it since"),
        },
        on_select="rerun",
        selection_mode="multi-row",
        key=f"{key}-{cursors[-1] if cursors else 'first'}",
        alt=f"{len(page.items)} assets of the unit",
    )
    if cursors or page.next_cursor:
        draw_turning(f"{key}-cursors", len(page.items), PAGE_SIZE, page.next_cursor, total or "all of then")
    return [page.items[row] for row in event.selection.rows if row < len(page.items)]


def _row(member: MemberLine, category: str) -> dict[str, object]:
    return {
        "Name": member.name,
        "Status": STATUS_LABELS[member.status],
        "Category": category,
        "Rated (kW)": float(member.rated_kw),
        "GSP group": group_words(member.gsp_group),
        "In it since": member.from_at,
    }


def _ask_take_out(asset_ids: Sequence[UUID]) -> None:
    st.session_state[CHOSEN] = list(asset_ids)
    ask(TAKE_OUT)


@st.dialog("Take assets out of the unit", icon=":material/remove_circle:", width="large", on_dismiss=close)
def take_out(actor: Actor, whole: UnitDetails, asset_ids: Sequence[UUID]) -> None:
    """The dialog that takes assets out of a unit: preview, then confirmation."""
    unit = whole.unit
    preview = preview_composition(actor, unit.id, remove=asset_ids)
    draw_preview(preview)
    if has_obstacles(preview):
        return
    if st.button("Take them out now", type="primary", icon=":material/check:"):
        do_in_dialog(
            lambda: update_composition(actor, unit.id, unit.version, remove=asset_ids),
            f"{count_of(len(asset_ids))} taken out.",
        )


def draw_then(actor: Actor, snapshot: UnitSnapshot, day: date) -> None:
    """The unit as of a past day: a warning, its sums and its assets then."""
    unit, history = snapshot.unit, snapshot.history
    st.warning(
        f"**The unit as it stood at the end of {show_date(day)}**: {UNIT_STATUS_LABELS[unit.status]}, composition "
        f"{unit.composition}. Nothing can be done with it here.",
        icon=":material/history:",
    )
    st.button("Back to the present", icon=":material/undo:", on_click=_to_present)
    if history is not None:
        grid = st.grid(4, min_column_width=150)
        for label, value in {
            "kW up": show_kw(history.up),
            "kW down": show_kw(history.down),
            "Assets": f"{history.assets:,}",
            "Type": str(history.unit_type),
        }.items():
            draw_fact(grid, label, value)
        st.caption(f"{TYPE_LABELS[history.unit_type]}; {count_of(history.assets)} were in it.")
    st.markdown("#### Assets in it then")
    draw_member_table(actor, unit.id, end_of(day), f"members-{day}")


def _to_present() -> None:
    st.session_state[KEY] = None

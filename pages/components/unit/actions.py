"""Acts on a market unit, and why some are not possible: each in a dialog that says what it would mean."""

from collections.abc import Callable
from uuid import UUID

import streamlit as st

from models.units import UnitStatus
from pages.components.common.actions import DONE
from pages.components.common.danger import draw_danger
from pages.components.common.dialogs import ask, close, is_open
from pages.components.common.why_not import draw_why_not
from pages.components.product.apply import QUALIFICATIONS
from pages.frame.markdown import escape_markdown
from pages.frame.refusals import show_blockers, show_refusal
from services.assets.registration.parties import PROVIDER_ROLES
from services.core.errors import RegisterError
from services.core.identity.actor import Actor
from services.core.identity.permissions import may
from services.market.unit_changes.deregistration import deregister_unit, unit_actions, unit_end_blockers
from services.market.unit_changes.reassignment import reassign_unit, reassignment_blockers
from services.market.units.units import UnitDetails
from services.participants.reading import directory

ICONS = {"update_composition": "edit", "deregister_unit": "archive", "reassign_unit": "swap_horiz"}


def draw_unit_acts(actor: Actor, whole: UnitDetails) -> None:
    """A button for each act that is possible; the others folded away, with what is in the way."""
    actions = unit_actions(actor, whole.unit.id)
    possible = [action for action in actions if action.allowed]
    with st.container(horizontal=True, vertical_alignment="center"):
        if applies := _may_apply(actor, whole):
            st.button(
                "Apply for products", key="apply", icon=":material/send:", type="primary", on_click=_show_qualifications
            )
        for action in possible:
            icon = f":material/{ICONS[action.operation]}:"
            if action.operation == "update_composition":
                if st.button(action.label, key=action.operation, icon=icon, type="secondary" if applies else "primary"):
                    st.switch_page("pages/market/build_unit.py", query_params={"into": str(whole.unit.id)})
            else:
                st.button(action.label, key=action.operation, icon=icon, on_click=ask, args=(action.operation,))
    draw_why_not(actions)
    allowed = {action.operation for action in possible}
    if is_open("deregister_unit") and "deregister_unit" in allowed:
        ask_for_end(actor, whole)
    if is_open("reassign_unit") and "reassign_unit" in allowed:
        ask_for_reassignment(actor, whole)


def _may_apply(actor: Actor, whole: UnitDetails) -> bool:
    own = actor.organisation_id == whole.unit.service_provider_id
    return own and whole.unit.status is UnitStatus.ACTIVE and may(actor, "qualification.apply")


def _show_qualifications() -> None:
    st.session_state["part"] = QUALIFICATIONS


def do_in_dialog(act: Callable[[], object], done: str) -> None:
    """Do it and close the dialog; a refusal is shown inside, where what was typed stays."""
    try:
        act()
    except RegisterError as refused:
        show_refusal(refused)
        return
    close()
    st.session_state[DONE] = done
    st.rerun()


@st.dialog("De-register this market unit", icon=":material/archive:", on_dismiss=close)
def ask_for_end(actor: Actor, whole: UnitDetails) -> None:
    """The dialog that de-registers a unit: blockers, reason, confirmation."""
    unit = whole.unit
    st.markdown(
        f"**{escape_markdown(unit.name)}** leaves the markets for good: what it has applied for or is "
        "qualified for ends. Its assets "
        "stay registered and are free for other units; its record and history stay readable. It can't be undone."
    )
    blockers = unit_end_blockers(actor, unit.id)
    if blockers:
        st.error("The unit still has to deliver. Settle these first.", icon=":material/block:")
        show_blockers(blockers)
        return
    key = f"unit-end-{unit.id}"
    reason = st.text_area("Reason", key=key, placeholder="For example: replaced by the unit RIV-2")
    draw_danger(
        "De-register for good",
        unit.name,
        "de-register",
        key,
        lambda: do_in_dialog(lambda: deregister_unit(actor, unit.id, reason, unit.version), "De-registered."),
        close,
    )


@st.dialog("Re-assign to another FSP", icon=":material/swap_horiz:", on_dismiss=close)
def ask_for_reassignment(actor: Actor, whole: UnitDetails) -> None:
    """The dialog that re-assigns a unit: gaining FSP, evidence, blockers, confirmation."""
    unit = whole.unit
    providers = [
        organisation for organisation in directory(actor) if PROVIDER_ROLES & set(organisation.organisation_roles)
    ]
    names = {organisation.organisation_id: organisation.organisation_legal_name for organisation in providers}
    names.pop(unit.service_provider_id, None)
    st.markdown(
        f"**{escape_markdown(unit.name)}** goes to the gaining FSP whole, with its assets. What it is qualified for becomes "
        "Re-assessment Required, unless the product lets it move."
    )
    gaining: UUID | None = st.selectbox(
        "Gaining FSP", list(names), format_func=names.__getitem__, index=None, key=f"unit-to-{unit.id}"
    )
    if gaining is None:
        return
    blockers = reassignment_blockers(actor, unit.id, gaining)
    if blockers:
        st.error("The unit can't be re-assigned as it stands. Settle these first.", icon=":material/block:")
        show_blockers(blockers)
        return
    key = f"unit-evidence-{unit.id}"
    evidence = st.text_area("Evidence", key=key, placeholder="What it rests on: a contract, a letter, its date")
    if st.button("Re-assign now", type="primary", icon=":material/swap_horiz:"):
        do_in_dialog(lambda: reassign_unit(actor, unit.id, gaining, evidence, unit.version), "Re-assigned.")

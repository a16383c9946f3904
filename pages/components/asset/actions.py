"""Acts on an asset, and why some are not possible: from the register's own list of allowed actions."""

from collections.abc import Callable, Sequence

import streamlit as st

from models.assets import Asset, AssetStatus
from pages.components.common.actions import DONE, attempt
from pages.components.common.danger import draw_danger
from pages.components.common.why_not import draw_why_not
from pages.frame.markdown import escape_markdown
from pages.frame.refusals import show_blockers, show_refusal
from services.assets.asset_page.page import WholeAsset
from services.assets.checks.queries import query_asset
from services.assets.checks.run import request_checks
from services.assets.registration.deregister import deregister_asset, deregistration_blockers
from services.core.errors import RegisterError
from services.core.identity.actor import Actor
from services.core.identity.permissions import may
from services.core.lifecycle import Action

ICONS = {"update_asset": "edit", "query_asset": "help", "request_checks": "refresh", "deregister_asset": "archive"}
OPEN = "asset!dialog"
IN_PLACE = {"answer_query": "#query", "settle_query": "#query", "settle_differences": "#query"}
"""Acts whose form stands further down on the page."""


def draw_acts(actor: Actor, asset: Asset, actions: Sequence[Action]) -> None:
    """A button for each act that is possible; under them the others, with what is in the way."""
    with st.container(horizontal=True, vertical_alignment="center"):
        if builds := _may_build(actor, asset):
            _offer_unit(asset)
        for action in _list_offers(actions):
            _offer(actor, asset, action, first=not builds)
    opened = st.session_state.get(OPEN)
    if any(action.allowed and action.operation == opened for action in actions):
        DIALOGS[opened](actor, asset)
    else:
        _close()
    draw_why_not(actions)


def _list_offers(actions: Sequence[Action]) -> list[Action]:
    """Actions that are possible; of several acts whose form stands at one place, the first leads there."""
    possible = [action for action in actions if action.allowed]
    places = [IN_PLACE.get(action.operation) for action in possible]
    return [action for at, action in enumerate(possible) if places[at] is None or places[at] not in places[:at]]


def _may_build(actor: Actor, asset: Asset) -> bool:
    """Tell whether the next step is to build a market unit with the asset."""
    verified = asset.status is AssetStatus.VERIFIED and asset.service_provider_id == actor.organisation_id
    return verified and may(actor, "unit.manage")


def _offer_unit(asset: Asset) -> None:
    if st.button("Build a market unit with it", key="build-unit", icon=":material/hub:", type="primary"):
        st.switch_page("pages/market/build_unit.py", query_params={"with": str(asset.id)})


def _offer(actor: Actor, asset: Asset, action: Action, *, first: bool) -> None:
    icon = f":material/{ICONS.get(action.operation, 'arrow_forward')}:"
    if action.operation in IN_PLACE:
        st.markdown(f"[:material/arrow_downward: {action.label}]({IN_PLACE[action.operation]})", width="content")
    elif action.operation == "update_asset":
        if st.button(action.label, key=action.operation, icon=icon, type="primary" if first else "secondary"):
            st.switch_page("pages/assets/edit_asset.py", query_params={"id": str(asset.id)})
    elif action.operation in DIALOGS:
        st.button(action.label, key=action.operation, icon=icon, on_click=_open, args=(action.operation,))
    elif action.operation == "request_checks":
        st.button(
            action.label,
            key=action.operation,
            icon=icon,
            on_click=attempt,
            args=(lambda: request_checks(actor, asset.id), "The sources are asked again."),
        )


def _open(operation: str) -> None:
    st.session_state[OPEN] = operation


def _close() -> None:
    st.session_state.pop(OPEN, None)


@st.dialog("Ask the FSP about this asset", icon=":material/help:", on_dismiss=_close)
def ask_question(actor: Actor, asset: Asset) -> None:
    """The administrator's question: the asset becomes Query until it is answered."""
    st.markdown(f"**{escape_markdown(asset.asset_name)}** becomes *Query*; the FSP is told, and has to answer.")
    question = st.text_area("Question", key=f"ask-{asset.id}", placeholder="What do you want to know?")
    if st.button("Ask", type="primary", icon=":material/send:"):
        _do_in_dialog(lambda: query_asset(actor, asset.id, question, asset.version), "The FSP is asked.")


def _do_in_dialog(act: Callable[[], object], done: str) -> None:
    """Do it and close the dialog; a refusal is shown inside, where what was typed stays."""
    try:
        act()
    except RegisterError as refused:
        show_refusal(refused)
        return
    _close()
    st.session_state[DONE] = done
    st.rerun()


@st.dialog("De-register this asset", icon=":material/archive:", on_dismiss=_close)
def ask_for_end(actor: Actor, asset: Asset) -> None:
    """The reason, what stands in the way, and the last word."""
    st.markdown(
        f"**{escape_markdown(asset.asset_name)}** leaves the register for good. Its record and history "
        "stay readable; its ID is "
        "never given again. It can't be undone."
    )
    blockers = deregistration_blockers(actor, asset.id)
    if blockers:
        st.error("Other records still depend on this asset. Settle these first.", icon=":material/block:")
        show_blockers(blockers)
        return
    reason = st.text_area("Reason", key=f"end-{asset.id}", placeholder="For example: dismantled on 3 November 2026")
    draw_danger(
        "De-register for good",
        asset.asset_name,
        "de-register",
        f"end-asset-{asset.id}",
        lambda: _do_in_dialog(lambda: deregister_asset(actor, asset.id, reason, asset.version), "De-registered."),
        _close,
    )


DIALOGS: dict[str, Callable[[Actor, Asset], None]] = {"query_asset": ask_question, "deregister_asset": ask_for_end}
"""Acts that ask for a text before they are done."""


def acts_of(whole: WholeAsset) -> list[Action]:
    """Actions on the asset, possible or not; differences are settled where there are any."""
    differs = any(difference.open for difference in whole.differences)
    return [action for action in whole.actions if differs or action.operation != "settle_differences"]

"""One proposal: the changes it would make, its answers, and the acts open to the actor."""

from collections.abc import Callable, Mapping
from typing import Any, Literal

import streamlit as st

from models.products import ProductProposal, ProposalKind, ProposalStatus
from pages.components.common.actions import attempt
from pages.components.common.asset_labels import organisation_names, provider_name
from pages.components.common.date_field import TypedDate, draw_date
from pages.components.product.form import draw_product_fields
from pages.components.product.labels import describe_changes, describe_value
from pages.frame.markdown import escape_markdown
from pages.frame.navigation import link
from pages.frame.refusals import show_changes
from services.core.clock import show_date, show_moment, today
from services.core.identity.actor import Actor
from services.market.products.document import ATTRIBUTES, find_differences
from services.market.products.products import one_version
from services.market.products.proposal_lifecycle import STATUS_LABELS, allowed_actions
from services.market.products.proposal_review import approve_proposal, ask_about_proposal, refuse_proposal
from services.market.products.proposals import answer_proposal, withdraw_proposal

KIND_LABELS: dict[ProposalKind, str] = {
    ProposalKind.NEW: "New product",
    ProposalKind.CHANGE: "Change",
    ProposalKind.DEPRECATE: "End",
}
SAID = {"question": "asks", "answer": "answers", "decision": "decided", "withdrawal": "withdrew it"}
ACTS: dict[str, tuple[Callable[..., ProductProposal], str, str]] = {
    "approve_proposal": (approve_proposal, "check_circle", "Approved: it is in the catalogue from its day on."),
    "ask_about_proposal": (ask_about_proposal, "help", "Asked. The proposer finds the question on the home page."),
    "refuse_proposal": (refuse_proposal, "cancel", "Refused. The proposer reads why."),
    "withdraw_proposal": (withdraw_proposal, "undo", "Withdrawn."),
}


PROPOSAL_STYLES: dict[ProposalStatus, tuple[Literal["blue", "orange", "green", "red", "gray"], str]] = {
    ProposalStatus.PROPOSED: ("blue", "inbox"),
    ProposalStatus.QUESTION: ("orange", "help"),
    ProposalStatus.APPROVED: ("green", "check_circle"),
    ProposalStatus.REFUSED: ("red", "block"),
    ProposalStatus.WITHDRAWN: ("gray", "undo"),
}


def draw_proposal(actor: Actor, proposal: ProductProposal) -> None:
    """Draw a proposal with its content, its answers and its acts."""
    names = organisation_names(actor)
    who = f"{escape_markdown(provider_name(names, proposal.organisation_id))} ({escape_markdown(proposal.proposed_by)})"
    colour, sign = PROPOSAL_STYLES[proposal.status]
    st.badge(STATUS_LABELS[proposal.status], color=colour, icon=f":material/{sign}:")
    st.markdown(
        f"Proposed by {who} on {show_moment(proposal.proposed_at)}, from **{show_date(proposal.effective_from)}** on"
    )
    st.markdown(f"**Why**: {escape_markdown(proposal.reason)}")
    _draw_content(actor, proposal)
    if proposal.kind is not ProposalKind.NEW:
        link("market/product.py", "Open the product", "inventory_2", {"code": proposal.code})
    if proposal.said:
        st.subheader("What was said", anchor=False)
    for answer in proposal.said:
        with st.container(border=True):
            of = f", {escape_markdown(answer['of'])}" if answer.get("of") else ""
            st.markdown(
                f"**{escape_markdown(answer['by'])}**{of} {SAID[answer['kind']]}: {escape_markdown(answer['text'])}"
            )
    _draw_acts(actor, proposal)


def _draw_content(actor: Actor, proposal: ProductProposal) -> None:
    if proposal.kind is ProposalKind.DEPRECATE:
        return
    if proposal.kind is ProposalKind.CHANGE and proposal.base_version is not None:
        base = one_version(actor, proposal.code, proposal.base_version)
        st.subheader(f"What would change against version {base.product_version}", anchor=False)
        if len(base.procurers) > 1:
            st.caption(f"All who buy it are concerned: {', '.join(base.procurers)}.")
        show_changes(describe_changes(find_differences(base, proposal.document)))
        return
    st.subheader("What it would ask for", anchor=False)
    rows = [
        {"What": attribute.label, "Value": describe_value(attribute.term, proposal.document.get(attribute.term))}
        for attribute in ATTRIBUTES
    ]
    st.dataframe(rows, hide_index=True, width="stretch", height="content", alt="The requirements as proposed")


def _draw_acts(actor: Actor, proposal: ProductProposal) -> None:
    actions = [action for action in allowed_actions(actor, proposal) if action.allowed]
    if not actions:
        return
    st.subheader("What you can do", anchor=False)
    key = f"proposal/{proposal.id}"
    answering = any(action.operation == "answer_proposal" for action in actions)
    corrected: dict[str, Any] | None = None
    if answering:
        corrected = _corrections(proposal, key)
    st.text_area(
        "Your answer, or why you withdraw it" if answering else "Your reason or question",
        key=f"{key}/text",
        height=100,
        help="10 to 2,000 characters. The other side reads it, and it stays with the proposal.",
    )
    with st.container(horizontal=True):
        for action in actions:
            if action.operation == "answer_proposal":
                _answer_button(actor, proposal, key, corrected or {})
                continue
            act, icon, done = ACTS[action.operation]
            st.button(
                action.label,
                icon=f":material/{icon}:",
                type="primary" if action.operation == "approve_proposal" else "secondary",
                key=f"{key}/{action.operation}",
                on_click=_do,
                args=(act, actor, proposal, key, done),
            )


def _do(act: Callable[..., ProductProposal], actor: Actor, proposal: ProductProposal, key: str, done: str) -> None:
    text = str(st.session_state.get(f"{key}/text") or "")
    attempt(lambda: act(actor, proposal.id, text, proposal.version), done, f"{key}/text")


def _corrections(proposal: ProductProposal, key: str) -> dict[str, Any]:
    """Fields of an answer that may be corrected: the day, and the requirements."""
    corrections: dict[str, Any] = {}
    with st.expander("Correct what you proposed"):
        first = max(proposal.effective_from, today())
        corrections["effective_from"] = draw_date("From", value=first, key=f"{key}/EffectiveFrom")
        if proposal.kind is not ProposalKind.DEPRECATE:
            corrections["document"] = draw_product_fields(key, proposal.document)
    return corrections


def _answer_button(actor: Actor, proposal: ProductProposal, key: str, corrected: Mapping[str, Any]) -> None:
    st.button(
        "Answer",
        type="primary",
        icon=":material/reply:",
        key=f"{key}/answer",
        on_click=_answer,
        args=(actor, proposal, key, corrected.get("document"), corrected.get("effective_from")),
    )


def _answer(
    actor: Actor, proposal: ProductProposal, key: str, document: Mapping[str, Any] | None, day: TypedDate | None
) -> None:
    text = str(st.session_state.get(f"{key}/text") or "")
    attempt(
        lambda: answer_proposal(
            actor, proposal.id, text, proposal.version, document=document, effective_from=day.require() if day else None
        ),
        "Answered. It waits for the administrator again.",
        f"{key}/text",
    )

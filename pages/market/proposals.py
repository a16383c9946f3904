"""Proposals for the catalogue (UC-04.01): a list, and one with what was said and what can be done."""

from collections.abc import Mapping
from uuid import UUID

import streamlit as st

from models.products import ProductProposal, ProposalStatus
from pages.components.common.actions import show_outcome
from pages.components.common.asset_filters import accept_codes
from pages.components.common.asset_labels import organisation_names, provider_name
from pages.components.product.proposal import KIND_LABELS, PROPOSAL_STYLES, draw_proposal
from pages.components.table.cells import date_cell, moment_cell, state_cell, text_cell
from pages.components.table.table import Column, Row, TableFile, TablePage, draw_table, sort_rows
from pages.frame import session
from pages.frame.markdown import escape_markdown
from pages.frame.navigation import link
from pages.frame.titles import name_window
from services.core.errors import NotFound
from services.core.identity.permissions import Scope, may, scopes_of
from services.market.products.proposal_lifecycle import OPEN, STATUS_LABELS
from services.market.products.proposal_records import get_proposal, list_proposals

COLUMNS = (
    Column("Product"),
    Column("Kind"),
    Column("Status"),
    Column("Proposed by"),
    Column("Effective from"),
    Column("Proposed"),
    Column("Reason"),
)


def read_proposal() -> ProductProposal | None:
    """The one that the address names."""
    text = st.query_params.get("id")
    if not text:
        return None
    try:
        return get_proposal(actor, UUID(text))
    except ValueError:
        raise NotFound("proposal", text) from None


def draw_list() -> None:
    """Those of one's own organisation; the administrator's are all."""
    labels = {str(status): words for status, words in STATUS_LABELS.items()}
    accept_codes("status", labels)
    if "status" not in st.session_state and not st.query_params.get_all("status"):
        st.session_state["status"] = [str(status) for status in OPEN]
    statuses = st.multiselect(
        "Status", list(labels), format_func=labels.__getitem__, key="status", bind="query-params", placeholder="All"
    )
    page = list_proposals(actor, [ProposalStatus(status) for status in statuses])
    if not page.items:
        st.info("No proposal is in these states.", icon=":material/task_alt:")
        st.markdown(
            "System operators propose; their proposals appear here until you have decided."
            if may(actor, "product.decide")
            else "Propose a new product here, or a change from the page of a product that you buy."
        )
        return
    names = organisation_names(actor)
    columns, rows, order = sort_rows(
        COLUMNS, [row_of(proposal, names) for proposal in page.items], whole=not page.next_cursor
    )
    draw_table(
        "proposals",
        "Product proposals",
        columns,
        rows,
        page=TablePage("market/proposals.py"),
        order=order,
        file=TableFile("product-proposals.csv", lambda: rows),
    )
    if page.next_cursor:
        st.caption("There are older ones. Choose states above to see them.")


def row_of(proposal: ProductProposal, names: Mapping[str, str]) -> Row:
    """A proposal as a row."""
    return Row(
        str(proposal.id),
        (
            text_cell(proposal.code),
            text_cell(KIND_LABELS[proposal.kind]),
            state_cell(STATUS_LABELS[proposal.status], PROPOSAL_STYLES[proposal.status]),
            text_cell(provider_name(names, proposal.organisation_id)),
            date_cell(proposal.effective_from),
            moment_cell(proposal.proposed_at),
            text_cell(proposal.reason),
        ),
    )


actor = session.actor()
proposal = read_proposal()
if proposal is None:
    st.title("Product proposals", anchor=False)
    st.caption("What system operators propose for the catalogue. The FMAR administrator approves, refuses or asks.")
    show_outcome()
    draw_list()
    if Scope.OWN in scopes_of(actor, "product.propose"):
        link("market/propose_product.py", "Propose a product", "add_circle")
else:
    st.title(f"{KIND_LABELS[proposal.kind]}: {escape_markdown(proposal.code)}", anchor=False)
    name_window(f"{KIND_LABELS[proposal.kind]}: {proposal.code}")
    show_outcome()
    draw_proposal(actor, proposal)
    link("market/proposals.py", "All proposals", "arrow_back")

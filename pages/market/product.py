"""One product (UC-04.01): requirements by version, buyers by area, equivalences, stacking, proposals."""

import streamlit as st

from models.products import FAMILY_LABELS
from pages.components.common.actions import show_outcome
from pages.components.product.apply import draw_next_step
from pages.components.product.labels import PHASE_LABELS, describe_availability
from pages.components.product.sheet import draw_buyers, draw_equivalences, draw_stacking, draw_versions
from pages.frame import session
from pages.frame.markdown import escape_markdown
from pages.frame.navigation import link
from pages.frame.titles import name_window
from services.core.clock import show_date
from services.core.identity.permissions import Scope, may, scopes_of
from services.market.products.products import ProductSheet, future_start, product_sheet
from services.market.products.proposal_lifecycle import OPEN, STATUS_LABELS
from services.market.products.proposal_records import list_proposals


def draw_news(sheet: ProductSheet) -> None:
    """News for somebody who is about to apply: end, start, and the version to come."""
    view = sheet.view
    ends = show_date(view.product.deprecated_from)
    why = f" {escape_markdown(view.product.deprecation_reason or '')}"
    if view.ended:
        st.warning(f"It ended on {ends}: nobody can apply any more.{why}", icon=":material/event_busy:")
    elif view.product.deprecated_from is not None:
        st.warning(f"It ends on {ends}; until then one can apply.{why}", icon=":material/event_busy:")
    if future_start(view):
        st.info(f"It begins on {show_date(view.version.valid_from)}.", icon=":material/event_upcoming:")
    if view.coming is not None:
        st.info(
            f"Version {view.coming.product_version} comes into force on {show_date(view.coming.valid_from)}: applications from "
            "that day on are for it. Units keep the version that they qualified for.",
            icon=":material/event_upcoming:",
        )


def draw_proposals(sheet: ProductSheet) -> None:
    """Open proposals for the product, and the ways to make one."""
    if not may(actor, "product.propose"):
        return
    code = sheet.view.product.code
    st.subheader("Proposals", anchor=False)
    proposals = list_proposals(actor, OPEN, code).items
    for proposal in proposals:
        status = STATUS_LABELS[proposal.status].lower()
        words = f"{proposal.kind.capitalize()}, from {show_date(proposal.effective_from)}: {status}"
        link("market/proposals.py", words, "rule", {"id": str(proposal.id)})
    if not proposals:
        st.caption("None is open.")
    if Scope.OWN in scopes_of(actor, "product.propose") and sheet.view.product.deprecated_from is None:
        with st.container(horizontal=True):
            for kind, label, icon in (
                ("CHANGE", "Propose a change", "edit"),
                ("DEPRECATE", "Propose its end", "event_busy"),
            ):
                st.page_link(
                    "pages/market/propose_product.py",
                    label=label,
                    icon=f":material/{icon}:",
                    query_params={"kind": kind, "code": code},
                    width="content",
                )


actor = session.actor()
show_outcome()
sheet = product_sheet(actor, st.query_params.get("code", ""))
version = sheet.view.version
st.title(f"{version.code}: {version.name}".replace("$", "\\$"), anchor=False)
name_window(f"{version.code}: {version.name}")
with st.container(horizontal=True):
    st.badge(describe_availability(sheet.view), color="green" if sheet.view.offered else "orange")
    st.badge(PHASE_LABELS[version.phase], color="blue")
st.markdown(f"{escape_markdown(version.sub_market)} · for units of the family **{FAMILY_LABELS[version.family]}**")
if version.notes:
    st.markdown(escape_markdown(version.notes))
draw_news(sheet)
if sheet.view.offered:
    draw_next_step(actor, version.code, version.family)
st.subheader("What it asks for", anchor=False)
draw_versions(sheet.versions, version)
st.subheader("Who buys it, and where", anchor=False)
draw_buyers(sheet.buyers)
st.subheader("Equivalences", anchor=False)
draw_equivalences(sheet)
st.subheader("Stacks with", anchor=False)
draw_stacking(sheet)
draw_proposals(sheet)
link("market/products.py", "All products", "arrow_back")

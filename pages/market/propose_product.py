"""A system operator proposes a new product, a change of one, or its end from a day (UC-04.01)."""

from typing import Any

import streamlit as st

from models.products import ProductVersion, ProposalKind
from pages.components.common.actions import DONE
from pages.components.common.date_field import TypedDate, draw_date
from pages.components.product.form import draw_product_fields
from pages.components.product.labels import describe_changes
from pages.frame import session
from pages.frame.markdown import escape_markdown
from pages.frame.navigation import link
from pages.frame.refusals import show_changes, show_findings, show_refusal
from services.core.clock import show_date, today
from services.core.errors import Duplicate, Invalid, RegisterError
from services.market.products.document import LABELS, document_from_version, find_differences
from services.market.products.products import product_versions
from services.market.products.proposals import ProposalDraft, check_proposal, propose_product

KINDS = {
    ProposalKind.NEW: "A new product",
    ProposalKind.CHANGE: "A change of a product",
    ProposalKind.DEPRECATE: "The end of a product",
}
ABOUT = {
    ProposalKind.NEW: "Say what the product asks for. It is in the catalogue once the FMAR administrator approves.",
    ProposalKind.CHANGE: "What is in force never changes: once approved, this is the next version from the day you give. Units "
    "keep the version that they qualified for, and their providers are told.",
    ProposalKind.DEPRECATE: "From the day you give nobody can apply for it any more. Its page stays, and so does what is "
    "qualified.",
}


def draw_heading() -> tuple[ProposalKind, str, ProductVersion | None]:
    """Heading of the form: kind of proposal, product code, and the version that it starts from."""
    text = st.query_params.get("kind", ProposalKind.NEW)
    kind = ProposalKind(text) if text in list(ProposalKind) else ProposalKind.NEW
    st.title(f"Propose: {KINDS[kind].lower()}", anchor=False)
    st.caption(ABOUT[kind])
    if kind is ProposalKind.NEW:
        help_text = "2 to 20 capital letters and digits, a letter first. It is never changed."
        return kind, (st.text_input("Code *", key="propose/NEW/Code", help=help_text) or "").strip(), None
    versions = product_versions(actor, st.query_params.get("code", ""))
    base = versions[0]
    st.markdown(f"**{escape_markdown(base.code)}**, {escape_markdown(base.name)}, as of version {base.product_version}")
    if base.valid_from > today():
        st.info(
            f"Version {base.product_version} is in force from {show_date(base.valid_from)}.", icon=":material/info:"
        )
    return kind, base.code, base


def draw_when(kind: ProposalKind, prefix: str, base: ProductVersion | None) -> tuple[TypedDate, str]:
    """From which day, and why."""
    label = "The first day without it *" if kind is ProposalKind.DEPRECATE else "In force from *"
    first = max(today(), base.valid_from) if base is not None else today()
    typed = draw_date(label, value=first, key=f"{prefix}/EffectiveFrom")
    reason = st.text_area(
        "Why? *", key=f"{prefix}/Reason", height=100, help="10 to 2,000 characters: the administrator decides by it."
    )
    return typed, reason or ""


def submit(proposed: ProposalDraft) -> None:
    """Propose, and go to the proposal; a refusal stays here with everything that was typed."""
    try:
        proposal = propose_product(actor, proposed)
    except Duplicate as twice:
        st.error(escape_markdown(twice.message), icon=":material/content_copy:")
        link("market/proposals.py", "Open that proposal", "rule", {"id": twice.existing_id or ""})
    except RegisterError as refused:
        show_refusal(refused, LABELS)
    else:
        st.session_state[DONE] = "Proposed. The FMAR administrator decides; you are told here and by an event."
        st.switch_page("pages/market/proposals.py", query_params={"id": str(proposal.id)})


def show_check(proposed: ProposalDraft) -> None:
    """Findings that proposing would raise."""
    try:
        findings = check_proposal(actor, proposed)
    except RegisterError as refused:
        show_refusal(refused, LABELS)
        return
    show_findings(findings, LABELS)
    if not findings:
        st.success("Nothing to correct.", icon=":material/check_circle:")


actor = session.actor()
kind, code, base = draw_heading()
prefix = f"propose/{kind}/{code if base else ''}"
document: dict[str, Any] = {}
if kind is not ProposalKind.DEPRECATE:
    document = draw_product_fields(prefix, document_from_version(base) if base else {"Phase": "go-live"})
typed, reason = draw_when(kind, prefix, base)
if base is not None and document:
    changes = find_differences(base, document | {name: None for name, value in document.items() if value in ("", [])})
    if changes:
        st.markdown("**What would change**")
        show_changes(describe_changes(changes))
    else:
        st.caption("Nothing differs from what stands.")
proposed = ProposalDraft(kind, code, typed.day or today(), reason, document)
with st.container(horizontal=True):
    checking = st.button("Check", icon=":material/rule:")
    sending = st.button("Propose", type="primary", icon=":material/send:")
if (checking or sending) and typed.finding is not None:
    show_refusal(Invalid([typed.finding]), LABELS)
elif checking:
    show_check(proposed)
elif sending:
    submit(proposed)

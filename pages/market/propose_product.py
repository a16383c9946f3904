"""A system operator proposes a new product, a change of one, or its end from a day (UC-04.01)."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import streamlit as st

from models.products import ProductVersion, ProposalKind
from pages.components.common.actions import DONE
from pages.components.common.date_field import TypedDate, draw_date
from pages.components.common.form_findings import draw_form_summary
from pages.components.common.form_guide import close_key, note_press
from pages.components.common.form_state import FormState
from pages.components.common.kept_form import forget_kept, keep_values, read_kept, show_values_kept
from pages.components.product.form import draw_product_fields
from pages.components.product.labels import describe_changes
from pages.frame import session
from pages.frame.markdown import escape_markdown
from pages.frame.navigation import link
from pages.frame.refusals import show_changes, show_refusal
from services.core.clock import show_date, today
from services.core.errors import Duplicate, Finding, Invalid, RegisterError
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
        typed = str(read_kept(actor, form_name(kind, "")).get("Code", ""))
        return kind, (st.text_input("Code *", value=typed, key="propose/NEW//Code", help=help_text) or "").strip(), None
    versions = product_versions(actor, st.query_params.get("code", ""))
    base = versions[0]
    st.markdown(f"**{escape_markdown(base.code)}**, {escape_markdown(base.name)}, as of version {base.product_version}")
    if base.valid_from > today():
        st.info(
            f"Version {base.product_version} is in force from {show_date(base.valid_from)}.", icon=":material/info:"
        )
    return kind, base.code, base


def form_name(kind: ProposalKind, code: str) -> str:
    """Name of the draft: one for a new product, one for each product that is changed or ended."""
    return f"product/{kind}/{code}"


def draw_when(
    kind: ProposalKind, prefix: str, base: ProductVersion | None, kept: Mapping[str, Any]
) -> tuple[TypedDate, str]:
    """From which day, and why; `kept` is what was typed before."""
    label = "The first day without it *" if kind is ProposalKind.DEPRECATE else "In force from *"
    first = max(today(), base.valid_from) if base is not None else today()
    if kept.get("EffectiveFrom"):
        first = max(first, date.fromisoformat(str(kept["EffectiveFrom"])))
    typed = draw_date(label, value=first, key=f"{prefix}/EffectiveFrom")
    reason = st.text_area(
        "Reason *",
        value=str(kept.get("Reason", "")),
        key=f"{prefix}/Reason",
        height=100,
        help="10 to 2,000 characters: the administrator decides by it.",
    )
    return typed, reason or ""


def submit(proposed: ProposalDraft) -> Sequence[Finding]:
    """Propose, and go to the proposal; a refusal stays here with everything that was typed."""
    try:
        proposal = propose_product(actor, proposed)
    except Invalid as wrong:
        return wrong.findings
    except Duplicate as twice:
        st.error(escape_markdown(twice.message), icon=":material/content_copy:")
        link("market/proposals.py", "Open that proposal", "rule", {"id": twice.existing_id or ""})
    except RegisterError as refused:
        show_refusal(refused, LABELS)
    else:
        forget_kept(actor, form_name(kind, code if base else ""), prefix)
        st.session_state[DONE] = "Proposed. The FMAR administrator decides; you are told here and by an event."
        st.switch_page("pages/market/proposals.py", query_params={"id": str(proposal.id)})
    return ()


def check(proposed: ProposalDraft) -> tuple[Sequence[Finding], str | None]:
    """Findings that proposing would raise, and the good news where there are none."""
    try:
        return check_proposal(actor, proposed), "Nothing to correct."
    except RegisterError as refused:
        show_refusal(refused, LABELS)
        return (), None


actor = session.actor()
kind, code, base = draw_heading()
summary = st.container()
prefix = f"propose/{kind}/{code if base else ''}"
draft_name = form_name(kind, code if base else "")
kept = read_kept(actor, draft_name)
document: dict[str, Any] = {}
start = document_from_version(base) if base else {"Phase": "go-live"}
if kind is not ProposalKind.DEPRECATE:
    document = draw_product_fields(prefix, {**start, **kept.get("Document", {})})
day, reason = draw_when(kind, prefix, base, kept)
changed = {
    term: value for term, value in document.items() if (value or None) != (start.get(term) or None) or term in kept
}
typed = {"Document": changed, "Reason": reason, "Code": "" if base else code}
keep_values(
    actor, draft_name, {**typed, "EffectiveFrom": day.day.isoformat() if day.day else ""} if any(typed.values()) else {}
)
if base is not None and document:
    changes = find_differences(base, document | {name: None for name, value in document.items() if value in ("", [])})
    if changes:
        st.markdown("**What would change**")
        show_changes(describe_changes(changes))
    else:
        st.caption("Nothing differs from what stands.")
proposed = ProposalDraft(kind, code, day.day or today(), reason, document)
state = FormState(prefix)
with st.container(horizontal=True, vertical_alignment="center", key=close_key(state)):
    checking = st.button("Check", icon=":material/rule:")
    sending = st.button("Propose", type="primary", icon=":material/send:")
    show_values_kept(draft_name)
findings: Sequence[Finding] = ()
good_news: str | None = None
with summary:
    if (checking or sending) and day.finding is not None:
        findings = [day.finding]
    elif checking:
        findings, good_news = check(proposed)
    elif sending:
        findings = submit(proposed)
    if checking or sending:
        note_press(state)
    draw_form_summary(state, findings, LABELS, done=good_news)

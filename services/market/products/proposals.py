"""Proposals of system operators for the catalogue: a new product, a change of one, its end from a date (UC-04.01)."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

from models.events import EventType
from models.participants import Organisation
from models.products import MarketTableKind, ProductProposal, ProductVersion, ProposalKind, ProposalStatus
from services.core.clock import now, today
from services.core.errors import Duplicate, Finding, Forbidden, Invalid, Refused
from services.core.identity.actor import Actor
from services.core.identity.visibility import see
from services.core.jobs.outbox import emit
from services.core.operation import operation
from services.core.transaction import current_session
from services.market.products.catalogue import find_newest_version, has_ended, load_catalogue
from services.market.products.document import document_from_columns, find_differences
from services.market.products.market_tables import load_table_in_force
from services.market.products.procurers import list_procurer_codes
from services.market.products.proposal_lifecycle import OPEN, PROPOSAL_LIFE_CYCLE
from services.market.products.proposal_records import add_statement, reach_proposal, require_statement
from services.market.products.validation import check_code, check_document, check_start

SHORTEST, LONGEST = 10, 2000


@dataclass(frozen=True, slots=True)
class ProposalDraft:
    """A proposal as an SO hands it in. `document` is by ontology term (`document.ATTRIBUTES`), empty for an end."""

    kind: ProposalKind
    code: str
    effective_from: date
    reason: str
    document: Mapping[str, Any]


@operation("UC-04.01", permission="product.propose", name="propose_product")
def propose_product(actor: Actor, draft: ProposalDraft) -> ProductProposal:
    """Propose a new product, a change, or an end from a date; the administrator decides.

    Raises Forbidden for an organisation that buys nothing, NotFound for an unknown product, Invalid with everything that is
    wrong, Duplicate while one's own proposal of that kind for that product is open.
    """
    own_codes = require_own_procurers(actor)
    base = None if draft.kind is ProposalKind.NEW else find_newest_version(draft.code)
    if base is not None:
        _require_buyer(base, own_codes)
    document = _check_draft(draft, base, own_codes)
    _require_none_open(actor, draft)
    proposal = ProductProposal(
        kind=draft.kind,
        code=draft.code,
        base_version=base.product_version if base else None,
        organisation_id=_require_organisation(actor),
        proposed_by=actor.name,
        proposed_at=now(),
        effective_from=draft.effective_from,
        document=document,
        reason=draft.reason.strip(),
    )
    current_session().add(proposal)
    return emit_proposal_event(proposal, EventType.PRODUCT_PROPOSED)


@operation("UC-04.01", permission="product.propose", writes=False, name="check_proposal")
def check_proposal(actor: Actor, draft: ProposalDraft) -> list[Finding]:
    """Check a proposal without making it: every finding. Raises the other errors of `propose_product`."""
    own_codes = require_own_procurers(actor)
    base = None if draft.kind is ProposalKind.NEW else find_newest_version(draft.code)
    try:
        _check_draft(draft, base, own_codes)
    except Invalid as invalid:
        return list(invalid.findings)
    return []


@operation("UC-04.01", permission="product.propose", name="answer_proposal")
def answer_proposal(
    actor: Actor,
    proposal_id: UUID,
    text: str,
    version: int,
    *,
    document: Mapping[str, Any] | None = None,
    effective_from: date | None = None,
) -> ProductProposal:
    """Answer the administrator's question, with a corrected document or date where they changed; it is PROPOSED again.

    A change is then based on the product's newest version. Raises Conflict when `version` is stale.
    """
    proposal = _reach_own_proposal(actor, proposal_id, version)
    PROPOSAL_LIFE_CYCLE.require(proposal.status, ProposalStatus.PROPOSED, "answer_proposal")
    base = None if proposal.kind is ProposalKind.NEW else find_newest_version(proposal.code)
    draft = ProposalDraft(
        proposal.kind,
        proposal.code,
        effective_from or proposal.effective_from,
        proposal.reason,
        proposal.document if document is None else document,
    )
    answer = require_statement("Answer", text)
    proposal.document = _check_draft(draft, base, require_own_procurers(actor))
    proposal.effective_from = draft.effective_from
    proposal.base_version = base.product_version if base else None
    proposal.status = ProposalStatus.PROPOSED
    add_statement(actor, proposal, "answer", answer)
    return emit_proposal_event(proposal, EventType.PRODUCT_PROPOSAL_ANSWERED)


@operation("UC-04.01", permission="product.propose", name="withdraw_proposal")
def withdraw_proposal(actor: Actor, proposal_id: UUID, reason: str, version: int) -> ProductProposal:
    """Withdraw an open proposal of the actor's organisation, with a reason. Final."""
    proposal = _reach_own_proposal(actor, proposal_id, version)
    PROPOSAL_LIFE_CYCLE.require(proposal.status, ProposalStatus.WITHDRAWN, "withdraw_proposal")
    add_statement(actor, proposal, "withdrawal", require_statement("Reason", reason))
    proposal.status = ProposalStatus.WITHDRAWN
    proposal.decided_at = now()
    return emit_proposal_event(proposal, EventType.PRODUCT_PROPOSAL_WITHDRAWN)


def require_own_procurers(actor: Actor) -> list[str]:
    """Return the procurer codes under which the actor's organisation buys, inside an operation.

    Raises Forbidden where it buys nothing: the administrator decides on proposals and makes none.
    """
    organisation = see(Organisation, actor, _require_organisation(actor))
    own_codes = list_procurer_codes(organisation)
    if not own_codes:
        raise Forbidden(
            f"{organisation.organisation_legal_name} buys no products: system operators propose, the FMAR administrator "
            "decides. A DNO's licence areas are kept with its organisation."
        )
    return own_codes


def _require_organisation(actor: Actor) -> UUID:
    if actor.organisation_id is None:
        raise Forbidden("You act for no organisation: products are proposed by system operators.")
    return actor.organisation_id


def _require_buyer(version: ProductVersion, own_codes: Collection[str]) -> None:
    if not set(version.procurers) & set(own_codes):
        buyers = ", ".join(version.procurers)
        raise Forbidden(
            f"{version.code} is bought by {buyers}: they propose changes of it. You can propose a new product."
        )


def _check_draft(draft: ProposalDraft, base: ProductVersion | None, own_codes: Collection[str]) -> dict[str, Any]:
    """Return the document to store. Raises Invalid with all findings, Refused for a product that has ended."""
    catalogue = load_catalogue()
    findings = check_start(draft.effective_from)
    if not SHORTEST <= len(draft.reason.strip()) <= LONGEST:
        expected = f"a reason of {SHORTEST} to {LONGEST:,} characters"
        findings.append(Finding("PRODUCT-12", "Reason", draft.reason[:200], expected, f"Give {expected}."))
    if base is None:
        findings += check_code(draft.code, catalogue.products)
    elif catalogue.products[base.code].deprecated_from or has_ended(catalogue.products[base.code], today()):
        raise Refused(
            f"{base.code} ends, or has ended: there is nothing more to propose for it. Propose a new product."
        )
    document: dict[str, Any] = {}
    if draft.kind is not ProposalKind.DEPRECATE:
        stacking_codes = {
            row[name] for row in load_table_in_force(MarketTableKind.STACKING).rows for name in ("ProductA", "ProductB")
        }
        columns, document_findings = check_document(
            draft.document, code=draft.code, stacking_codes=stacking_codes, own_procurers=own_codes
        )
        findings += document_findings
        document = document_from_columns(columns)
    if base is not None:
        findings += _check_change(draft, base, document)
    if findings:
        raise Invalid(findings)
    return document


def _check_change(draft: ProposalDraft, base: ProductVersion, document: dict[str, Any]) -> list[Finding]:
    findings = []
    if draft.kind is ProposalKind.CHANGE:
        if not find_differences(base, document):
            expected = f"at least one value that differs from version {base.product_version}"
            findings.append(Finding("PRODUCT-13", None, None, expected, f"Nothing would change. Give {expected}."))
        if today() <= draft.effective_from < base.valid_from:
            expected = f"{base.valid_from.isoformat()} or later: version {base.product_version} comes first"
            value = draft.effective_from.isoformat()
            findings.append(Finding("PRODUCT-14", "EffectiveFrom", value, expected, f"Give {expected}."))
    return findings


def _require_none_open(actor: Actor, draft: ProposalDraft) -> None:
    query = select(col(ProductProposal.id)).where(
        col(ProductProposal.organisation_id) == actor.organisation_id,
        col(ProductProposal.status).in_(OPEN),
        col(ProductProposal.code) == draft.code,
        col(ProductProposal.kind) == draft.kind,
    )
    open_id = current_session().scalar(query.limit(1))
    if open_id is not None:
        message = f"Your organisation's proposal for {draft.code} is still open: answer or withdraw it first."
        raise Duplicate(message, "proposal", str(open_id))


def _reach_own_proposal(actor: Actor, proposal_id: UUID, version: int) -> ProductProposal:
    proposal = reach_proposal(actor, proposal_id, "product.propose", version)
    if proposal.organisation_id != actor.organisation_id:
        raise Forbidden("The organisation that made a proposal answers and withdraws it; you decide on it.")
    return proposal


def emit_proposal_event(proposal: ProductProposal, event_type: EventType) -> ProductProposal:
    """Emit an event about a proposal, for the proposing organisation and the administrator; return the proposal."""
    current_session().flush()
    payload = {"code": proposal.code, "kind": str(proposal.kind), "status": str(proposal.status)}
    emit(event_type, proposal, organisation_id=proposal.organisation_id, payload=payload)
    return proposal

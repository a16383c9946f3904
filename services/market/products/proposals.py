"""What system operators propose for the catalogue: a new product, a change of one, its end from a date (UC-04.01)."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

from models.participants import Organisation
from models.products import MarketTableKind, ProductProposal, ProductVersion, ProposalKind, ProposalStatus
from services.core.clock import now, today
from services.core.errors import Duplicate, Finding, Forbidden, Invalid, Refused
from services.core.identity.actor import Actor
from services.core.identity.visibility import see
from services.core.jobs.outbox import emit
from services.core.operation import operation
from services.core.transaction import current_session
from services.market.products.catalogue import ended, newest_of, whole_catalogue
from services.market.products.document import differences, plain_document
from services.market.products.market_tables import table_in_force
from services.market.products.procurers import procurers_of
from services.market.products.proposal_lifecycle import OPEN, PROPOSAL_LIFE_CYCLE
from services.market.products.proposal_records import add_said, held, said_text
from services.market.products.validation import check_document, wrong_code, wrong_start

SHORTEST, LONGEST = 10, 2000


@dataclass(frozen=True, slots=True)
class Proposed:
    """What an SO hands in. `document` is by ontology term (product_document.ATTRIBUTES), empty for an end."""

    kind: ProposalKind
    code: str
    effective_from: date
    reason: str
    document: Mapping[str, Any]


@operation("UC-04.01", permission="product.propose", name="propose_product")
def propose_product(actor: Actor, proposed: Proposed) -> ProductProposal:
    """Propose a new product, a change, or an end from a date; the administrator decides.

    Raises Forbidden for an organisation that buys nothing, NotFound for an unknown product, Invalid with everything that is
    wrong, Duplicate while one's own proposal of that kind for that product is open.
    """
    own = own_procurers(actor)
    base = None if proposed.kind is ProposalKind.NEW else newest_of(proposed.code)
    if base is not None:
        _require_buyer(base, own)
    document = _checked(proposed, base, own)
    _require_none_open(actor, proposed)
    proposal = ProductProposal(
        kind=proposed.kind,
        code=proposed.code,
        base_version=base.product_version if base else None,
        organisation_id=_organisation_of(actor),
        proposed_by=actor.name,
        proposed_at=now(),
        effective_from=proposed.effective_from,
        document=document,
        reason=proposed.reason.strip(),
    )
    current_session().add(proposal)
    return tell(proposal, "product.proposed")


@operation("UC-04.01", permission="product.propose", writes=False, name="check_proposal")
def check_proposal(actor: Actor, proposed: Proposed) -> list[Finding]:
    """What proposing would say, without proposing: everything that is wrong. Raises as `propose_product` does otherwise."""
    own = own_procurers(actor)
    base = None if proposed.kind is ProposalKind.NEW else newest_of(proposed.code)
    try:
        _checked(proposed, base, own)
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
    """Answer the administrator's question, with a corrected document or date where they changed; it waits for him again.

    A change is from then on one of the product's newest version. Raises Conflict when `version` is stale.
    """
    proposal = _own(actor, proposal_id, version)
    PROPOSAL_LIFE_CYCLE.require(proposal.status, ProposalStatus.PROPOSED, "answer_proposal")
    base = None if proposal.kind is ProposalKind.NEW else newest_of(proposal.code)
    again = Proposed(
        proposal.kind,
        proposal.code,
        effective_from or proposal.effective_from,
        proposal.reason,
        proposal.document if document is None else document,
    )
    answer = said_text("Answer", text)
    proposal.document = _checked(again, base, own_procurers(actor))
    proposal.effective_from = again.effective_from
    proposal.base_version = base.product_version if base else None
    proposal.status = ProposalStatus.PROPOSED
    add_said(actor, proposal, "answer", answer)
    return tell(proposal, "product.proposal_answered")


@operation("UC-04.01", permission="product.propose", name="withdraw_proposal")
def withdraw_proposal(actor: Actor, proposal_id: UUID, reason: str, version: int) -> ProductProposal:
    """Take one's own open proposal back, with a reason. Final."""
    proposal = _own(actor, proposal_id, version)
    PROPOSAL_LIFE_CYCLE.require(proposal.status, ProposalStatus.WITHDRAWN, "withdraw_proposal")
    add_said(actor, proposal, "withdrawal", said_text("Reason", reason))
    proposal.status = ProposalStatus.WITHDRAWN
    proposal.decided_at = now()
    return tell(proposal, "product.proposal_withdrawn")


def own_procurers(actor: Actor) -> list[str]:
    """The procurer codes under which the actor's organisation buys, inside an operation.

    Raises Forbidden where it buys nothing: the administrator decides on proposals and makes none himself.
    """
    organisation = see(Organisation, actor, _organisation_of(actor))
    own = procurers_of(organisation)
    if not own:
        raise Forbidden(
            f"{organisation.organisation_legal_name} buys no products: system operators propose, the FMAR administrator "
            "decides. A DNO's licence areas are kept with its organisation."
        )
    return own


def _organisation_of(actor: Actor) -> UUID:
    if actor.organisation_id is None:
        raise Forbidden("You act for no organisation: products are proposed by system operators.")
    return actor.organisation_id


def _require_buyer(version: ProductVersion, own: Collection[str]) -> None:
    if not set(version.procurers) & set(own):
        buyers = ", ".join(version.procurers)
        raise Forbidden(
            f"{version.code} is bought by {buyers}: they propose changes of it. You can propose a new product."
        )


def _checked(proposed: Proposed, base: ProductVersion | None, own: Collection[str]) -> dict[str, Any]:
    """The document as it is kept. Raises Invalid with all findings, Refused for a product that has ended."""
    catalogue = whole_catalogue()
    findings = wrong_start(proposed.effective_from)
    if not SHORTEST <= len(proposed.reason.strip()) <= LONGEST:
        wanted = f"a reason of {SHORTEST} to {LONGEST:,} characters"
        findings.append(Finding("PRODUCT-12", "Reason", proposed.reason[:200], wanted, f"Give {wanted}."))
    if base is None:
        findings += wrong_code(proposed.code, catalogue.products)
    elif catalogue.products[base.code].deprecated_from or ended(catalogue.products[base.code], today()):
        raise Refused(
            f"{base.code} ends, or has ended: there is nothing more to propose for it. Propose a new product."
        )
    document: dict[str, Any] = {}
    if proposed.kind is not ProposalKind.DEPRECATE:
        stacking = {
            row[name] for row in table_in_force(MarketTableKind.STACKING).rows for name in ("ProductA", "ProductB")
        }
        columns, wrong = check_document(
            proposed.document, code=proposed.code, stacking_codes=stacking, own_procurers=own
        )
        findings += wrong
        document = plain_document(columns)
    if base is not None:
        findings += _wrong_change(proposed, base, document)
    if findings:
        raise Invalid(findings)
    return document


def _wrong_change(proposed: Proposed, base: ProductVersion, document: dict[str, Any]) -> list[Finding]:
    found = []
    if proposed.kind is ProposalKind.CHANGE:
        if not differences(base, document):
            wanted = f"at least one value that differs from version {base.product_version}"
            found.append(Finding("PRODUCT-13", None, None, wanted, f"Nothing would change. Give {wanted}."))
        if today() <= proposed.effective_from < base.valid_from:
            wanted = f"{base.valid_from.isoformat()} or later: version {base.product_version} comes first"
            given = proposed.effective_from.isoformat()
            found.append(Finding("PRODUCT-14", "EffectiveFrom", given, wanted, f"Give {wanted}."))
    return found


def _require_none_open(actor: Actor, proposed: Proposed) -> None:
    standing = select(col(ProductProposal.id)).where(
        col(ProductProposal.organisation_id) == actor.organisation_id,
        col(ProductProposal.status).in_(OPEN),
        col(ProductProposal.code) == proposed.code,
        col(ProductProposal.kind) == proposed.kind,
    )
    found = current_session().scalar(standing.limit(1))
    if found is not None:
        words = f"Your organisation's proposal for {proposed.code} is still open: answer or withdraw it first."
        raise Duplicate(words, "proposal", str(found))


def _own(actor: Actor, proposal_id: UUID, version: int) -> ProductProposal:
    proposal = held(actor, proposal_id, "product.propose", version)
    if proposal.organisation_id != actor.organisation_id:
        raise Forbidden("The organisation that made a proposal answers and withdraws it; you decide on it.")
    return proposal


def tell(proposal: ProductProposal, event: str) -> ProductProposal:
    """Have the event written: the proposing organisation sees it, and whoever governs."""
    current_session().flush()
    told = {"code": proposal.code, "kind": str(proposal.kind), "status": str(proposal.status)}
    emit(event, proposal, organisation_id=proposal.organisation_id, payload=told)
    return proposal

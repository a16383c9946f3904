"""Proposals as records: reached for writing, what is said of them, and lists of them (UC-04.01)."""

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import func, select
from sqlmodel import col

from models.products import ProductProposal, ProposalStatus
from services.core.clock import now
from services.core.errors import Conflict, Finding, Invalid
from services.core.identity.actor import Actor
from services.core.identity.visibility import reach, see, visible
from services.core.ledger.history import changes_since
from services.core.operation import operation
from services.core.transaction import current_session
from services.market.products.proposal_lifecycle import OPEN

SHORTEST, LONGEST = 10, 2000
MOST = 200


class ProposalPage(NamedTuple):
    """A page of proposals, the newest first; `next_cursor` is where the next begins."""

    items: Sequence[ProductProposal]
    next_cursor: str | None


@operation("UC-04.01", permission="product.propose", writes=False, name="list_proposals")
def list_proposals(
    actor: Actor,
    statuses: Collection[ProposalStatus] = (),
    code: str = "",
    after: UUID | None = None,
    limit: int = 100,
) -> ProposalPage:
    """One's own organisation's proposals, an administrator's are all; the newest first, at most 200."""
    limit = max(1, min(limit, MOST))
    chosen = select(ProductProposal).where(visible(ProductProposal, actor))
    if statuses:
        chosen = chosen.where(col(ProductProposal.status).in_(statuses))
    if code:
        chosen = chosen.where(col(ProductProposal.code) == code)
    if after is not None:
        chosen = chosen.where(col(ProductProposal.id) < after)
    found = list(current_session().scalars(chosen.order_by(col(ProductProposal.id).desc()).limit(limit + 1)))
    return ProposalPage(found[:limit], str(found[limit - 1].id) if len(found) > limit else None)


@operation("UC-04.01", permission="product.propose", writes=False, name="get_proposal")
def get_proposal(actor: Actor, proposal_id: UUID) -> ProductProposal:
    """One proposal. Raises NotFound when it isn't the actor's to see."""
    return see(ProductProposal, actor, proposal_id)


def waiting_proposals(actor: Actor, *, decides: bool) -> int:
    """How many proposals wait for the actor, inside an operation: to decide, or to answer a question."""
    if not decides:
        waiting = (
            col(ProductProposal.status) == ProposalStatus.QUESTION,
            col(ProductProposal.organisation_id) == actor.organisation_id,
        )
    else:
        waiting = (col(ProductProposal.status) == ProposalStatus.PROPOSED,)
    chosen = select(func.count(col(ProductProposal.id))).where(*waiting, visible(ProductProposal, actor))
    return current_session().scalar(chosen) or 0


def open_proposals_for(code: str) -> list[ProductProposal]:
    """The open proposals for a product, inside an operation of the administrator."""
    chosen = select(ProductProposal).where(col(ProductProposal.code) == code, col(ProductProposal.status).in_(OPEN))
    return list(current_session().scalars(chosen.order_by(col(ProductProposal.id))))


def held(actor: Actor, proposal_id: UUID, permission: str, version: int) -> ProductProposal:
    """A proposal for writing, at the version that the actor read. Raises NotFound, or Conflict when it moved on."""
    proposal = reach(ProductProposal, actor, proposal_id, permission)
    if proposal.version != version:
        raise Conflict(
            f"The proposal for {proposal.code} was changed since you read it. Look at it, then try again.",
            current=as_terms(proposal),
            changes=changes_since(proposal, version),
        )
    return proposal


def said_text(field: str, given: str) -> str:
    """What somebody says of a proposal, without blanks around it. Raises Invalid unless 10 to 2,000 characters."""
    text = given.replace("\x00", "").strip()
    if SHORTEST <= len(text) <= LONGEST:
        return text
    wanted = f"{SHORTEST} to {LONGEST:,} characters"
    words = f"Write {wanted}: the other side reads it, and it stays with the proposal."
    raise Invalid([Finding("PRODUCT-15", field, text[:200] or None, wanted, words)])


def add_said(actor: Actor, proposal: ProductProposal, kind: str, text: str) -> None:
    """Keep what was said: kind is question, answer, decision or withdrawal."""
    said = {"kind": kind, "text": text, "by": actor.name, "of": actor.organisation_name, "at": now().isoformat()}
    proposal.said = [*proposal.said, said]


def as_terms(proposal: ProductProposal) -> dict[str, Any]:
    """A proposal by ontology terms."""
    return {
        "ProposalId": proposal.id,
        "Kind": proposal.kind,
        "Status": proposal.status,
        "Code": proposal.code,
        "BaseVersion": proposal.base_version,
        "OrganisationId": proposal.organisation_id,
        "ProposedBy": proposal.proposed_by,
        "ProposedAt": proposal.proposed_at,
        "EffectiveFrom": proposal.effective_from,
        "Reason": proposal.reason,
        "Product": proposal.document,
        "Said": [
            {"Kind": one["kind"], "Text": one["text"], "By": one["by"], "Of": one.get("of"), "At": one["at"]}
            for one in proposal.said
        ],
        "DecidedAt": proposal.decided_at,
        "Version": proposal.version,
    }

"""Proposals as records: lists, one for writing at a version, and the statements on it (UC-04.01)."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlmodel import col

from models.products import ProductProposal, ProposalStatus
from services.core.clock import now
from services.core.errors import Conflict
from services.core.identity.actor import Actor
from services.core.identity.visibility import reach, see, visible
from services.core.ledger.history import changes_since
from services.core.operation import operation
from services.core.paging import Keyset, Page
from services.core.text import require_text
from services.core.transaction import current_session

SHORTEST, LONGEST = 10, 2000
MAX_PAGE_SIZE = 200


@operation("UC-04.01", permission="product.propose", writes=False, name="list_proposals")
def list_proposals(
    actor: Actor,
    statuses: Collection[ProposalStatus] = (),
    code: str = "",
    after: str | UUID | None = None,
    limit: int = 100,
) -> Page[ProductProposal]:
    """List the proposals of the actor's organisation (an administrator: all), newest first, at most 200 a page."""
    limit = max(1, min(limit, MAX_PAGE_SIZE))
    query = select(ProductProposal).where(visible(ProductProposal, actor))
    if statuses:
        query = query.where(col(ProductProposal.status).in_(statuses))
    if code:
        query = query.where(col(ProductProposal.code) == code)
    newest = Keyset(col(ProductProposal.id))
    return newest.page_of(list(current_session().scalars(newest.select_page(query, after, limit))), limit)


@operation("UC-04.01", permission="product.propose", writes=False, name="get_proposal")
def get_proposal(actor: Actor, proposal_id: UUID) -> ProductProposal:
    """Return one proposal. Raises NotFound when the actor may not see it."""
    return see(ProductProposal, actor, proposal_id)


def count_waiting_proposals(actor: Actor, *, decides: bool) -> int:
    """Count the proposals that wait for the actor: to decide, or to answer a question; inside an operation."""
    if not decides:
        conditions = (
            col(ProductProposal.status) == ProposalStatus.QUESTION,
            col(ProductProposal.organisation_id) == actor.organisation_id,
        )
    else:
        conditions = (col(ProductProposal.status) == ProposalStatus.PROPOSED,)
    query = select(func.count(col(ProductProposal.id))).where(*conditions, visible(ProductProposal, actor))
    return current_session().scalar(query) or 0


def reach_proposal(actor: Actor, proposal_id: UUID, permission: str, version: int) -> ProductProposal:
    """Return a proposal for writing, at the version that the actor read. Raises NotFound, or Conflict when stale."""
    proposal = reach(ProductProposal, actor, proposal_id, permission)
    if proposal.version != version:
        raise Conflict(
            f"The proposal for {proposal.code} was changed since you read it. Look at it, then try again.",
            current=proposal_terms(proposal),
            changes=changes_since(proposal, version),
        )
    return proposal


def require_statement(field: str, value: str) -> str:
    """Return a statement on a proposal, without blanks around it. Raises Invalid unless 10 to 2,000 characters."""
    message = f"Write {SHORTEST} to {LONGEST:,} characters: the other side reads it, and it stays with the proposal."
    return require_text(value, field, code="PRODUCT-15", message=message, shortest=SHORTEST, longest=LONGEST)


def add_statement(actor: Actor, proposal: ProductProposal, kind: str, text: str) -> None:
    """Add a statement to the proposal: kind is question, answer, decision or withdrawal."""
    statement = {"kind": kind, "text": text, "by": actor.name, "of": actor.organisation_name, "at": now().isoformat()}
    proposal.said = [*proposal.said, statement]


def proposal_terms(proposal: ProductProposal) -> dict[str, Any]:
    """Return a proposal by ontology term."""
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
            {
                "Kind": statement["kind"],
                "Text": statement["text"],
                "By": statement["by"],
                "Of": statement.get("of"),
                "At": statement["at"],
            }
            for statement in proposal.said
        ],
        "DecidedAt": proposal.decided_at,
        "Version": proposal.version,
    }

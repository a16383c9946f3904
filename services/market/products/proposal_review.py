"""Review of proposals by the administrator: an approved one becomes a version, which comes into force by itself (UC-04.01)."""

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select
from sqlmodel import col

from models.events import EventType
from models.products import (
    Product,
    ProductProposal,
    ProductStatus,
    ProductVersion,
    ProposalKind,
    ProposalStatus,
)
from services.core.clock import now, today
from services.core.errors import Refused
from services.core.identity.actor import Actor
from services.core.jobs.outbox import emit
from services.core.operation import operation, system_step
from services.core.transaction import current_session
from services.market.products.catalogue import find_newest_version, load_catalogue
from services.market.products.document import ATTRIBUTES, FieldKind
from services.market.products.proposal_lifecycle import PROPOSAL_LIFE_CYCLE
from services.market.products.proposal_records import add_statement, reach_proposal, require_statement
from services.market.products.proposals import emit_proposal_event
from services.market.products.reference_data import sub_markets


@operation("UC-04.01", permission="product.decide", name="approve_proposal")
def approve_proposal(actor: Actor, proposal_id: UUID, reason: str, version: int) -> ProductProposal:
    """Approve a proposal, with a reason: in force from the proposed day, or from today where that has passed.

    Versions in force never change: an approved change is the next one. Raises Refused where the catalogue has changed since
    it was proposed; then ask, so that the proposer can look at it again. Raises Conflict when `version` is stale.
    """
    proposal = _decide_proposal(actor, proposal_id, version, ProposalStatus.APPROVED, "approve_proposal", reason)
    starts = max(proposal.effective_from, today())
    match proposal.kind:
        case ProposalKind.NEW:
            _add_product(proposal, starts)
        case ProposalKind.CHANGE:
            _add_version(proposal, starts)
        case ProposalKind.DEPRECATE:
            _end_product(proposal, starts)
    return emit_proposal_event(proposal, EventType.PRODUCT_PROPOSAL_APPROVED)


@operation("UC-04.01", permission="product.decide", name="refuse_proposal")
def refuse_proposal(actor: Actor, proposal_id: UUID, reason: str, version: int) -> ProductProposal:
    """Refuse a proposal, with a reason that the proposer reads. Final; it can be proposed again."""
    proposal = _decide_proposal(actor, proposal_id, version, ProposalStatus.REFUSED, "refuse_proposal", reason)
    return emit_proposal_event(proposal, EventType.PRODUCT_PROPOSAL_REFUSED)


@operation("UC-04.01", permission="product.decide", name="ask_about_proposal")
def ask_about_proposal(actor: Actor, proposal_id: UUID, question: str, version: int) -> ProductProposal:
    """Ask the proposer a question; the proposal waits for the answer, or is withdrawn."""
    proposal = reach_proposal(actor, proposal_id, "product.decide", version)
    PROPOSAL_LIFE_CYCLE.require(proposal.status, ProposalStatus.QUESTION, "ask_about_proposal")
    add_statement(actor, proposal, "question", require_statement("Question", question))
    proposal.status = ProposalStatus.QUESTION
    return emit_proposal_event(proposal, EventType.PRODUCT_PROPOSAL_ASKED)


def _decide_proposal(
    actor: Actor, proposal_id: UUID, version: int, target: ProposalStatus, step: str, reason: str
) -> ProductProposal:
    proposal = reach_proposal(actor, proposal_id, "product.decide", version)
    PROPOSAL_LIFE_CYCLE.require(proposal.status, target, step)
    add_statement(actor, proposal, "decision", require_statement("Reason", reason))
    proposal.status = target
    proposal.decided_at = now()
    return proposal


def _add_product(proposal: ProductProposal, starts: date) -> None:
    if proposal.code in load_catalogue().products:
        raise Refused(f"There is a product {proposal.code} by now: refuse this, or ask for another code.")
    product = Product(code=proposal.code, current_version=1)
    current_session().add(product)
    current_session().flush()
    _publish_version(product, proposal, 1, starts, None)


def _add_version(proposal: ProductProposal, starts: date) -> None:
    product, newest = _lock_product(proposal), find_newest_version(proposal.code)
    number = newest.product_version + 1
    version = _publish_version(product, proposal, number, max(starts, newest.valid_from), newest.product_version)
    if version.valid_from <= today():
        product.current_version = number


def _end_product(proposal: ProductProposal, starts: date) -> None:
    product = _lock_product(proposal)
    product.deprecated_from = starts
    product.deprecation_reason = proposal.reason[:1000]
    if starts <= today():
        product.status = ProductStatus.DEPRECATED
    current_session().flush()
    payload = {"code": product.code, "from": starts.isoformat(), "reason": product.deprecation_reason}
    emit(EventType.PRODUCT_DEPRECATED, product, organisation_id=None, payload=payload)


def _lock_product(proposal: ProductProposal) -> Product:
    """Lock the product of a change or an end for writing. Raises Refused when it isn't as the proposer saw it."""
    query = select(Product).where(col(Product.code) == proposal.code).with_for_update()
    product = current_session().scalars(query).one()
    if product.deprecated_from is not None:
        raise Refused(f"{product.code} ends on {product.deprecated_from.isoformat()} already: refuse this.")
    newest = find_newest_version(proposal.code).product_version
    if newest != proposal.base_version:
        raise Refused(
            f"{product.code} has version {newest} by now; this was proposed for version {proposal.base_version}. Ask the "
            "proposer to look at it again: an answer is for the newest version."
        )
    return product


def _publish_version(
    product: Product, proposal: ProductProposal, number: int, starts: date, before: int | None
) -> ProductVersion:
    """Write a version; its event reaches the units that are qualified for an older one."""
    values = {
        attribute.column: _column_value(attribute.kind, proposal.document[attribute.term]) for attribute in ATTRIBUTES
    }
    family = sub_markets()[values["sub_market"]].family
    version = ProductVersion.model_validate(
        {
            **values,
            "product_id": product.id,
            "code": product.code,
            "product_version": number,
            "valid_from": starts,
            "family": family,
        }
    )
    current_session().add(version)
    current_session().flush()
    payload = {"code": product.code, "product_version": number, "before": before, "valid_from": starts.isoformat()}
    emit(EventType.PRODUCT_VERSION_PUBLISHED, product, organisation_id=None, payload=payload)
    return version


def _column_value(kind: FieldKind, value: Any) -> Any:
    if value is None:
        return None
    if kind is FieldKind.POWER:
        return Decimal(value)
    return date.fromisoformat(value) if kind is FieldKind.DATE else value


def keep_catalogue() -> None:
    """Bring due versions and ends into force."""
    bring_into_force()


@system_step("UC-04.01", name="bring_into_force")
def bring_into_force() -> int:
    """Bring versions and ends whose day has come into force on their products; return the number of products changed.

    Applications go by the days themselves (`list_offered_versions`), so nothing depends on when this runs.
    """
    begun = (
        select(col(ProductVersion.id))
        .where(
            col(ProductVersion.product_id) == col(Product.id),
            col(ProductVersion.valid_from) <= today(),
            col(ProductVersion.product_version) > col(Product.current_version),
        )
        .exists()
    )
    over = (col(Product.deprecated_from) <= today()) & (col(Product.status) == ProductStatus.ACTIVE)
    due = list(current_session().scalars(select(Product).where(or_(begun, over)).with_for_update()))
    for product in due:
        in_force = load_catalogue().in_force(product.code, today())
        if in_force is not None:
            product.current_version = in_force.product_version
        if product.deprecated_from is not None and product.deprecated_from <= today():
            product.status = ProductStatus.DEPRECATED
    return len(due)

"""The administrator decides on proposals; what is approved becomes a version, and comes into force by itself (UC-04.01)."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select
from sqlmodel import col

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
from services.core.identity.actor import Actor, system_actor
from services.core.jobs.outbox import emit
from services.core.jobs.worker import every
from services.core.operation import operation
from services.core.transaction import current_session
from services.market.products.catalogue import newest_of, whole_catalogue
from services.market.products.document import ATTRIBUTES, Kind
from services.market.products.proposal_lifecycle import PROPOSAL_LIFE_CYCLE
from services.market.products.proposal_records import add_said, held, said_text
from services.market.products.proposals import tell
from services.market.products.reference_data import sub_markets

VERSION_PUBLISHED, ENDS = "product.version_published", "product.deprecated"


@operation("UC-04.01", permission="product.decide", name="approve_proposal")
def approve_proposal(actor: Actor, proposal_id: UUID, reason: str, version: int) -> ProductProposal:
    """Approve, with a reason: a new product or version is in force from the proposed day, or today where that has passed.

    Versions that are in force never change: an approved change is the next one. Raises Refused where the catalogue has moved
    on since it was proposed; then ask, so that the proposer can look at it again. Raises Conflict when `version` is stale.
    """
    proposal = _moved(actor, proposal_id, version, ProposalStatus.APPROVED, "approve_proposal", reason)
    starts = max(proposal.effective_from, today())
    match proposal.kind:
        case ProposalKind.NEW:
            _new(proposal, starts)
        case ProposalKind.CHANGE:
            _change(proposal, starts)
        case ProposalKind.DEPRECATE:
            _end(proposal, starts)
    return tell(proposal, "product.proposal_approved")


@operation("UC-04.01", permission="product.decide", name="refuse_proposal")
def refuse_proposal(actor: Actor, proposal_id: UUID, reason: str, version: int) -> ProductProposal:
    """Refuse, with a reason that the proposer reads. Final; it can be proposed anew."""
    proposal = _moved(actor, proposal_id, version, ProposalStatus.REFUSED, "refuse_proposal", reason)
    return tell(proposal, "product.proposal_refused")


@operation("UC-04.01", permission="product.decide", name="ask_about_proposal")
def ask_about_proposal(actor: Actor, proposal_id: UUID, question: str, version: int) -> ProductProposal:
    """Ask the proposer something; it waits for the answer, or is withdrawn."""
    proposal = held(actor, proposal_id, "product.decide", version)
    PROPOSAL_LIFE_CYCLE.require(proposal.status, ProposalStatus.QUESTION, "ask_about_proposal")
    add_said(actor, proposal, "question", said_text("Question", question))
    proposal.status = ProposalStatus.QUESTION
    return tell(proposal, "product.proposal_asked")


def _moved(
    actor: Actor, proposal_id: UUID, version: int, target: ProposalStatus, step: str, reason: str
) -> ProductProposal:
    proposal = held(actor, proposal_id, "product.decide", version)
    PROPOSAL_LIFE_CYCLE.require(proposal.status, target, step)
    add_said(actor, proposal, "decision", said_text("Reason", reason))
    proposal.status = target
    proposal.decided_at = now()
    return proposal


def _new(proposal: ProductProposal, starts: date) -> None:
    if proposal.code in whole_catalogue().products:
        raise Refused(f"There is a product {proposal.code} by now: refuse this, or ask for another code.")
    product = Product(code=proposal.code, current_version=1)
    current_session().add(product)
    current_session().flush()
    _publish(product, proposal, 1, starts, None)


def _change(proposal: ProductProposal, starts: date) -> None:
    product, newest = _product(proposal), newest_of(proposal.code)
    number = newest.product_version + 1
    version = _publish(product, proposal, number, max(starts, newest.valid_from), newest.product_version)
    if version.valid_from <= today():
        product.current_version = number


def _end(proposal: ProductProposal, starts: date) -> None:
    product = _product(proposal)
    product.deprecated_from = starts
    product.deprecation_reason = proposal.reason[:1000]
    if starts <= today():
        product.status = ProductStatus.DEPRECATED
    current_session().flush()
    told = {"code": product.code, "from": starts.isoformat(), "reason": product.deprecation_reason}
    emit(ENDS, product, organisation_id=None, payload=told)


def _product(proposal: ProductProposal) -> Product:
    """The product of a change or an end, held for writing. Raises Refused when it isn't as the proposer saw it."""
    chosen = select(Product).where(col(Product.code) == proposal.code).with_for_update()
    product = current_session().scalars(chosen).one()
    if product.deprecated_from is not None:
        raise Refused(f"{product.code} ends on {product.deprecated_from.isoformat()} already: refuse this.")
    newest = newest_of(proposal.code).product_version
    if newest != proposal.base_version:
        raise Refused(
            f"{product.code} has version {newest} by now; this was proposed for version {proposal.base_version}. Ask the "
            "proposer to look at it again: an answer is for the newest version."
        )
    return product


def _publish(
    product: Product, proposal: ProductProposal, number: int, starts: date, before: int | None
) -> ProductVersion:
    """Write a version; all that hold a unit of an older one are told by the event."""
    values = {attribute.column: _stored(attribute.kind, proposal.document[attribute.term]) for attribute in ATTRIBUTES}
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
    told = {"code": product.code, "product_version": number, "before": before, "valid_from": starts.isoformat()}
    emit(VERSION_PUBLISHED, product, organisation_id=None, payload=told)
    return version


def _stored(kind: Kind, value: Any) -> Any:
    if value is None:
        return None
    if kind is Kind.POWER:
        return Decimal(value)
    return date.fromisoformat(value) if kind is Kind.DATE else value


@every(timedelta(hours=1), name="market.proposal_deciding.keep_catalogue")
def keep_catalogue() -> None:
    """Bring into force what is due."""
    bring_into_force(system_actor())


@operation("UC-04.01", permission="product.decide", name="bring_into_force")
def bring_into_force(actor: Actor) -> int:
    """Let versions and ends whose day has come show on their products; how many products changed.

    Applying goes by the days themselves (`catalogue.offered_on`), so nothing depends on when this runs.
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
        in_force = whole_catalogue().in_force(product.code, today())
        if in_force is not None:
            product.current_version = in_force.product_version
        if product.deprecated_from is not None and product.deprecated_from <= today():
            product.status = ProductStatus.DEPRECATED
    return len(due)

"""Products and proposals for tests, made through the doors."""

from datetime import date, timedelta
from typing import Any

from models.products import ProductProposal, ProposalKind
from services.core.clock import today
from services.core.identity.actor import Actor
from services.market.products.document import document_from_version
from services.market.products.products import get_product
from services.market.products.proposal_review import approve_proposal
from services.market.products.proposals import ProposalDraft, propose_product
from tests.factories import actor_of, administrator, make_organisation, make_user

REASON = "Agreed with the other operators in November."


def national_operator() -> Actor:
    """Somebody at the national operator."""
    return actor_of(make_user(make_organisation("National Operator", ("System Operator",))))


def local_operator(name: str = "Eastern Networks", areas: tuple[str, ...] = ("UKPN_EPN",)) -> Actor:
    """Somebody at a DNO."""
    return actor_of(make_user(make_organisation(name, ("DNO",), licence_areas=areas)))


def document(**changes: Any) -> dict[str, Any]:
    """Acceptable requirements of a national product by ontology term."""
    return {
        "Name": "Dynamic Something",
        "SubMarket": "Response",
        "Procurers": ["NESO"],
        "Direction": "both",
        "MinCapacity_kW": "1000",
        "FullDelivery_s": 2,
        "Phase": "go-live",
        "Source": "Consultation of November",
        "SourceDate": "2025-11-01",
        **changes,
    }


def new_product(code: str = "DX", day: date | None = None, **changes: Any) -> ProposalDraft:
    """A proposal of a new product, from today unless a day is given."""
    return ProposalDraft(ProposalKind.NEW, code, day or today(), REASON, document(**changes))


def changed(actor: Actor, code: str, day: date | None = None, **changes: Any) -> ProposalDraft:
    """A proposal of a change of what is in force."""
    terms = {**document_from_version(get_product(actor, code).version), **changes}
    return ProposalDraft(ProposalKind.CHANGE, code, day or today(), REASON, terms)


def ending(code: str, in_days: int = 0) -> ProposalDraft:
    """A proposal of an end."""
    return ProposalDraft(ProposalKind.DEPRECATE, code, today() + timedelta(days=in_days), REASON, {})


def approved(actor: Actor, proposed: ProposalDraft) -> ProductProposal:
    """A proposal that the administrator approved."""
    made = propose_product(actor, proposed)
    return approve_proposal(administrator(), made.id, REASON, made.version)

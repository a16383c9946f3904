"""A newer version of a product (UC-04.01): units keep the version that they qualified for, and are told."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import exists, select
from sqlmodel import col

from models.core import Event
from models.products import ProductVersion
from models.qualifications import Qualification
from services.core.db.columns import Same
from services.core.identity.actor import Actor, system_actor
from services.core.identity.visibility import see
from services.core.jobs.outbox import emit_many, handles
from services.core.operation import operation
from services.core.transaction import current_session
from services.market.products.catalogue import newest_of
from services.market.products.proposal_review import VERSION_PUBLISHED
from services.market.qualification.lifecycle import STANDING

NEWER = "qualification.newer_version"


@handles(VERSION_PUBLISHED, name="market.qualification_versions.tell_of_version")
def tell_of_version(event: Event) -> None:
    """Whoever stands for an older version is told."""
    told = event.payload
    tell_holders(system_actor(), told["code"], told["product_version"], told["valid_from"], event.occurred_at)


@operation("UC-04.01", permission="qualification.keep", name="tell_holders")
def tell_holders(actor: Actor, code: str, product_version: int, valid_from: str, since: datetime) -> int:
    """Write an event about each application that hasn't ended and is for an older version; how many.

    `since`: when the version was published; who was told from then on isn't told again.
    """
    already = exists().where(
        col(Event.type) == NEWER, col(Event.record_id) == col(Qualification.id), col(Event.occurred_at) >= since
    )
    chosen = select(col(Qualification.id), col(Qualification.service_provider_id)).where(
        col(Qualification.product_code) == code,
        col(Qualification.status).in_(STANDING),
        col(Qualification.product_version) < product_version,
        ~already,
    )
    rows = list(current_session().execute(chosen))
    about = {
        "record_id": [row[0] for row in rows],
        "organisation_id": [row[1] for row in rows],
        "dno_code": Same(None),
        "payload": Same({"product": code, "product_version": product_version, "valid_from": valid_from}),
    }
    emit_many(NEWER, Qualification, about, len(rows))
    return len(rows)


@operation("UC-04.01", permission="qualification.read", writes=False, name="newer_version")
def newer_version(actor: Actor, qualification_id: UUID) -> ProductVersion | None:
    """The newest version of the product where an application is for an older one. NotFound when it is unseen."""
    qualification = see(Qualification, actor, qualification_id)
    newest = newest_of(qualification.product_code)
    return newest if newest.product_version > qualification.product_version else None

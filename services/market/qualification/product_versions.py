"""Newer versions of products (UC-04.01): units keep the version they qualified for; an event names the newer one."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import exists, select
from sqlmodel import col

from models.core import Event
from models.events import EventType
from models.products import ProductVersion
from models.qualifications import Qualification
from services.core.identity.actor import Actor
from services.core.identity.visibility import see
from services.core.jobs.outbox import emit_many
from services.core.operation import operation, system_step
from services.core.transaction import current_session
from services.market.products.catalogue import find_newest_version
from services.market.qualification.lifecycle import NOT_ENDED


def tell_of_version(event: Event) -> None:
    """Notify applications and qualifications for older versions of a newly published one."""
    payload = event.payload
    tell_holders(payload["code"], payload["product_version"], payload["valid_from"], event.occurred_at)


@system_step("UC-04.01", name="tell_holders")
def tell_holders(code: str, product_version: int, valid_from: str, since: datetime) -> int:
    """Emit an event about each application that hasn't ended and is for an older version; return their number.

    `since`: when the version was published; an event from then on isn't repeated.
    """
    notified = exists().where(
        col(Event.type) == EventType.QUALIFICATION_NEWER_VERSION,
        col(Event.record_id) == col(Qualification.id),
        col(Event.occurred_at) >= since,
    )
    query = select(col(Qualification.id), col(Qualification.service_provider_id)).where(
        col(Qualification.product_code) == code,
        col(Qualification.status).in_(NOT_ENDED),
        col(Qualification.product_version) < product_version,
        ~notified,
    )
    rows = list(current_session().execute(query))
    columns = {
        "record_id": [row.id for row in rows],
        "organisation_id": [row.service_provider_id for row in rows],
        "dno_code": [None] * len(rows),
        "payload": [{"product": code, "product_version": product_version, "valid_from": valid_from}] * len(rows),
    }
    emit_many(EventType.QUALIFICATION_NEWER_VERSION, Qualification, columns)
    return len(rows)


@operation("UC-04.01", permission="qualification.read", writes=False, name="newer_version")
def newer_version(actor: Actor, qualification_id: UUID) -> ProductVersion | None:
    """Return the newest version of the product where an application is for an older one, else None.

    Raises NotFound when the application is unseen.
    """
    qualification = see(Qualification, actor, qualification_id)
    newest = find_newest_version(qualification.product_code)
    return newest if newest.product_version > qualification.product_version else None

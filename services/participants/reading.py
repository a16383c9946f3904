"""Reading organisations: one, a page of them, the directory, the passport, and how they came to be what they are."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import String, cast, or_, select
from sqlmodel import col

from models.participants import Organisation, OrganisationStatus
from services.core.access_log import log_access
from services.core.clock import now
from services.core.errors import NotFound
from services.core.identity.actor import Actor
from services.core.identity.visibility import see, visible, within
from services.core.ledger.history import RecordChange, as_of, history
from services.core.operation import operation
from services.core.paging import Keyset, Page
from services.core.transaction import current_session
from services.participants.rules import ORGANISATION_ATTRIBUTES

LARGEST_PAGE = 200
HIDDEN = frozenset({"legal_name_key"})
"""Columns that only serve comparing: no news in a history."""


@dataclass(frozen=True, slots=True)
class DirectoryEntry:
    """Directory entry, all that every participant may know of another: that it takes part, as what."""

    organisation_id: UUID
    organisation_legal_name: str
    organisation_trading_name: str | None
    organisation_roles: list[str]
    licence_areas: list[str]


@lru_cache(maxsize=256)
def column_of(term: str) -> str:
    """The column of an ontology term: ``RegisteredAddressLine1`` -> ``registered_address_line_1``."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[a-z])(?=\d)", "_", term).lower()


def attribute_terms(organisation: Organisation) -> dict[str, Any]:
    """The declared attributes: ontology term -> value, in the order of the data definitions."""
    return {attribute.term: getattr(organisation, column_of(attribute.term)) for attribute in ORGANISATION_ATTRIBUTES}


def as_terms(organisation: Organisation) -> dict[str, Any]:
    """The whole record by ontology terms; absent values are None, moments stay moments."""
    return {
        "FmarOrganisationId": str(organisation.id),
        "OrganisationStatus": organisation.organisation_status.value,
        **attribute_terms(organisation),
        "StatusReason": organisation.status_reason,
        "ApprovedAt": organisation.approved_at,
        "LicenceAreas": list(organisation.licence_areas),
        "Version": organisation.version,
        "RecordedAt": organisation.recorded_at,
    }


@operation("UC-01.02", permission="organisation.read", writes=False, name="get_organisation")
def get_organisation(actor: Actor, organisation_id: UUID) -> Organisation:
    """One organisation; NotFound when the actor may not see it."""
    return see(Organisation, actor, organisation_id)


@operation("UC-01.02", permission="organisation.read", writes=False, name="list_organisations")
def list_organisations(
    actor: Actor,
    *,
    status: OrganisationStatus | None = None,
    role: str | None = None,
    text: str | None = None,
    after: str | UUID | None = None,
    limit: int = 50,
) -> Page[Organisation]:
    """The organisations that the actor may see, oldest first; at most 200 a page.

    `role` is one of OrganisationRoles, `text` part of a legal or trading name, or of a registration number.
    """
    query = select(Organisation).where(visible(Organisation, actor))
    if status is not None:
        query = query.where(col(Organisation.organisation_status) == status)
    if role:
        query = query.where(cast(col(Organisation.organisation_roles), String).contains(f'"{role}"', autoescape=True))
    if text and text.strip():
        searched = (
            col(Organisation.organisation_legal_name),
            col(Organisation.organisation_trading_name),
            col(Organisation.organisation_registration_number),
        )
        query = query.where(or_(*(column.icontains(text.strip(), autoescape=True) for column in searched)))
    size = max(1, min(limit, LARGEST_PAGE))
    oldest = Keyset(col(Organisation.id), descending=False)
    return oldest.page_of(list(current_session().scalars(oldest.select_page(query, after, size))), size)


@operation("UC-01.02", permission="organisation.directory", writes=False, name="directory")
def directory(actor: Actor) -> list[DirectoryEntry]:
    """Names and roles of all active organisations, by name: what a person picks from who may not see the records."""
    rows = current_session().execute(
        select(
            col(Organisation.id),
            col(Organisation.organisation_legal_name),
            col(Organisation.organisation_trading_name),
            col(Organisation.organisation_roles),
            col(Organisation.licence_areas),
        )
        .where(
            within(Organisation, actor, "organisation.directory"),
            col(Organisation.organisation_status) == OrganisationStatus.ACTIVE,
        )
        .order_by(col(Organisation.organisation_legal_name))
    )
    return [DirectoryEntry(*row) for row in rows]


@operation("UC-01.02", permission="organisation.read", name="organisation_passport")
def organisation_passport(actor: Actor, organisation_id: UUID) -> dict[str, Any]:
    """The record as exported: everything a platform needs to onboard the organisation, by ontology terms.

    Attributes without a value are left out. Who took it is kept in the access log, so this operation writes.
    """
    organisation = see(Organisation, actor, organisation_id)
    log_access(actor, "organisation.passport", Organisation.record_type(), organisation.id)
    check = organisation.registry_check
    return {
        **{term: value for term, value in as_terms(organisation).items() if value not in (None, "", [])},
        "RegistryCheck": {key: check[key] for key in ("outcome", "source", "at") if check.get(key)},
        "IssuedAt": now(),
    }


@operation("UC-05.06", permission="history.read", writes=False, name="organisation_as_of")
def organisation_as_of(actor: Actor, organisation_id: UUID, moment: datetime) -> Organisation:
    """The organisation as it stood at a moment; NotFound when it is unseen, or was not registered yet."""
    see(Organisation, actor, organisation_id)
    organisation = as_of(Organisation, organisation_id, moment)
    if organisation is None:
        raise NotFound("organisation", organisation_id)
    return organisation


@operation("UC-05.06", permission="history.read", writes=False, name="organisation_history")
def organisation_history(actor: Actor, organisation_id: UUID) -> list[RecordChange]:
    """Every change of the organisation, newest first: who, when, under which use case, before and after."""
    see(Organisation, actor, organisation_id)
    return [_shown(change) for change in history(Organisation.record_type(), organisation_id)]


def _shown(change: RecordChange) -> RecordChange:
    changes = {name: pair for name, pair in change.changes.items() if name not in HIDDEN}
    return RecordChange(
        change.version,
        change.at,
        change.operation,
        change.use_case,
        change.actor,
        change.organisation,
        changes,
        change.hash,
    )


def terms_of_columns(names: Iterable[str]) -> Mapping[str, str]:
    """Column -> ontology term, for the columns that have one: how histories and conflicts are shown."""
    terms = {column_of(attribute.term): attribute.term for attribute in ORGANISATION_ATTRIBUTES}
    return {name: terms[name] for name in names if name in terms}

"""Holding an organisation against the company registry, in the background (UC-01.02)."""

import logging
from dataclasses import asdict
from functools import lru_cache
from typing import Any
from uuid import UUID

from pydantic import SecretStr

from models.core import Event
from models.events import EventType
from models.participants import Organisation
from services.core.clock import now
from services.core.comparison import ComparisonOutcome
from services.core.errors import Refused
from services.core.http_client import OutsideRefused, OutsideUnavailable
from services.core.identity.actor import Actor
from services.core.identity.roles import still_takes_part
from services.core.identity.visibility import reach
from services.core.jobs.outbox import emit
from services.core.jobs.worker import Wait
from services.core.operation import operation, system_step
from services.core.settings import settings
from services.core.transaction import current_session
from services.participants.company_registry import SOURCE, CompaniesHouse, compare_company
from services.participants.organisations import ENDED, WAITING_CHECK
from services.participants.reading import as_terms

log = logging.getLogger("fmar.participants")

NOT_ON_FILE = ("Non-UK Company", "Sole Trader", "Public Authority", "Government Department")
"""Types of organisation that the registry of British companies doesn't hold."""
HELD = ("OrganisationLegalName", "OrganisationRegistrationNumber", "OrganisationType")
"""If one of these moved while the registry was asked, the answer is about another organisation, and is dropped."""
MESSAGES = {
    "agrees": "The company registry states what was declared.",
    "differs": "The company registry states something else than was declared.",
    "not found": "The company registry knows no company with this number.",
    "not applicable": "The company registry holds no such organisation: no registration number, or no British company.",
    "not checked": "No company registry is set up; the organisation was not held against it.",
}


@lru_cache(maxsize=4)
def _registry(url: str, key: str) -> CompaniesHouse:
    return CompaniesHouse(url, SecretStr(key))


def company_registry() -> CompaniesHouse:
    """The client of the registry that is set up; it is one for the whole process."""
    process = settings()
    return _registry(process.company_registry_url, process.company_registry_key.get_secret_value())


def check_registered(event: Event) -> None:
    """Hold a new organisation against the registry."""
    _check(event.record_id)


def check_changed(event: Event) -> None:
    """Hold a changed organisation against the registry."""
    _check(event.record_id)


def check_restored(event: Event) -> None:
    """Hold an organisation that returned to what was approved against the registry."""
    _check(event.record_id)


def check_requested(event: Event) -> None:
    """Hold an organisation against the registry because the administrator asked."""
    _check(event.record_id)


@operation("UC-01.02", permission="organisation.check", name="check_again")
def check_again(actor: Actor, organisation_id: UUID) -> Organisation:
    """Ask the company registry anew, in the background; until it answers the outcome is ``waiting``."""
    organisation = reach(Organisation, actor, organisation_id, "organisation.check")
    if not still_takes_part(organisation):
        raise Refused(f"{organisation.organisation_legal_name} is {organisation.organisation_status.lower()}.")
    organisation.registry_check = {**organisation.registry_check, **WAITING_CHECK}
    current_session().flush()
    emit(EventType.ORGANISATION_CHECK_REQUESTED, organisation, organisation_id=organisation.id)
    return organisation


@system_step("UC-01.02", name="declared_for_check", writes=False)
def declared_for_check(organisation_id: UUID) -> dict[str, Any]:
    """The declaration of an organisation, by ontology terms, for the company registry to be asked about."""
    return as_terms(current_session().get_one(Organisation, organisation_id))


@system_step("UC-01.02", name="record_registry_check")
def record_registry_check(organisation_id: UUID, declared: dict[str, Any], answer: dict[str, Any]) -> Organisation:
    """Keep what the company registry said of `declared`, unless the organisation has moved on since it was asked."""
    organisation = current_session().get_one(Organisation, organisation_id, with_for_update=True)
    terms = as_terms(organisation)
    if all(terms[term] == declared[term] for term in HELD):
        organisation.registry_check = answer
    return organisation


def _check(organisation_id: UUID) -> None:
    """Ask outside any transaction, then keep the answer. Raises Wait while the registry is away."""
    declared = declared_for_check(organisation_id)
    if declared["OrganisationStatus"] in ENDED:
        return
    record_registry_check(organisation_id, declared, _answer(declared))


def _answer(declared: dict[str, Any]) -> dict[str, Any]:
    number = declared["OrganisationRegistrationNumber"]
    if not number or declared["OrganisationType"] in NOT_ON_FILE:
        return _said("not applicable")
    if not settings().company_registry_url:
        return _said("not checked")
    try:
        record = company_registry().find(number)
    except OutsideUnavailable as away:
        raise Wait(str(away)) from away
    except OutsideRefused as refused:
        log.error("%s", refused)
        words = "The company registry refuses this register's questions; its operator has to correct the settings."
        return _said("not checked", message=words)
    if record is None:
        return _said("not found")
    comparisons = compare_company(declared, record)
    differs = any(comparison.outcome is ComparisonOutcome.DIFFERS for comparison in comparisons)
    return _said("differs" if differs else "agrees", comparisons=[asdict(comparison) for comparison in comparisons])


def _said(
    outcome: str, *, message: str | None = None, comparisons: list[dict[str, Any]] | None = None
) -> dict[str, Any]:
    """The answer as kept: source, at, outcome, message, comparisons (field, declared, theirs, outcome, message)."""
    return {
        "source": SOURCE,
        "at": now().isoformat(timespec="seconds"),
        "outcome": outcome,
        "message": message or MESSAGES[outcome],
        "comparisons": comparisons or [],
    }

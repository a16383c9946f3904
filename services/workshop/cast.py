"""The demo's organisations, people and credentials: registered, approved and invited by the rules that hold for all."""

import json
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy import select
from sqlmodel import col

from models.participants import Membership, MembershipStatus, Organisation, OrganisationStatus
from services.core.clock import now
from services.core.identity.actor import Actor, system_actor
from services.core.identity.resolve import actor_for_user
from services.core.settings import ROOT
from services.core.transaction import Stamp, current_session, unit_of_work
from services.participants.approval import approve_organisation, refuse_organisation, suspend_organisation
from services.participants.clients import LONGEST_LIFE, create_client
from services.participants.company_registry import CompanyRecord, compare_company
from services.participants.governing import begin_governing
from services.participants.organisations import register_organisation, set_licence_areas
from services.participants.reading import as_terms
from services.participants.registry_check import MESSAGES, SOURCE, record_registry_check
from services.participants.users import invite_user
from services.workshop.past import Past

FOLDER = ROOT / "data" / "demo"
FOUNDED, SUSPENDED, APPLIED = 560, 20, 3
"""Days before the day of seeding: when the register began, when one was suspended, when one applied."""
SECRET = "demo"  # noqa: S105 - demo mode only, printed on the start page
REGISTRY_TYPES = {"Private Limited Company": "ltd", "Public Limited Company": "plc", "LLP": "llp"}


@dataclass
class Cast:
    """Participants of the demo, by slug; `people` by email address, as the actor that each is for the first organisation."""

    organisations: dict[str, Organisation] = field(default_factory=dict)
    people: dict[str, Actor] = field(default_factory=dict)
    providers: dict[str, Actor] = field(default_factory=dict)
    """The person who registers assets for each provider."""
    administrator: Actor = field(default_factory=system_actor)


def described() -> list[dict[str, Any]]:
    """The organisations of data/demo/organisations.json: slug, status, values by ontology term, client, people."""
    return json.loads((FOLDER / "organisations.json").read_text("utf-8"))


def assemble(past: Past) -> Cast:
    """Register everybody; inside the operation that lays down the demo data."""
    cast = Cast()
    for number, entry in enumerate(described()):
        if entry["status"] == OrganisationStatus.PENDING_APPROVAL:
            continue
        with past.at(past.moment(FOUNDED - number // 4, 9 + number % 4, 12)):
            _register(cast, entry)
    return cast


def suspend(cast: Cast) -> None:
    """An organisation whose company is in liquidation is suspended."""
    for entry in described():
        if entry["status"] == OrganisationStatus.SUSPENDED:
            organisation = cast.organisations[entry["slug"]]
            suspend_organisation(cast.administrator, organisation.id, entry["reason"], organisation.version)


def late_arrivals(cast: Cast) -> None:
    """An organisation that waits for approval; the company registry is asked about it once the portal runs."""
    for entry in described():
        if entry["status"] == OrganisationStatus.PENDING_APPROVAL:
            _register(cast, entry)


def give_credentials(cast: Cast) -> None:
    """An API credential for each organisation that has one: ``demo-<slug>``, secret ``demo``."""
    for entry in described():
        if entry["client"]:
            create_client(
                system_actor(),
                cast.organisations[entry["slug"]].id,
                entry["client"]["name"],
                entry["client"]["roles"],
                now() + LONGEST_LIFE - timedelta(days=1),
                client_id=f"demo-{entry['slug']}",
                secret=SECRET,
            )


def _register(cast: Cast, entry: dict[str, Any]) -> None:
    """One organisation with its people, as far as its status goes."""
    people = entry["people"]
    if "administrator" in people[0]["roles"]:
        organisation, first = begin_governing(system_actor(), entry["values"], people[0]["name"], people[0]["email"])
        _accept(organisation, first.membership_id)
        cast.administrator = actor_for_user(first.user_id, organisation.id)
        cast.people[first.email] = cast.administrator
        people = people[1:]
    else:
        organisation = register_organisation(cast.administrator, entry["values"])
    cast.organisations[entry["slug"]] = organisation
    _hold_against_registry(organisation, entry)
    _decide(cast, organisation, entry)
    for person in people:
        _join(cast, entry["slug"], person)


def _decide(cast: Cast, organisation: Organisation, entry: dict[str, Any]) -> None:
    status = OrganisationStatus(entry["status"])
    if status is OrganisationStatus.REFUSED:
        refuse_organisation(cast.administrator, organisation.id, entry["reason"], organisation.version)
    elif organisation.organisation_status is not status and status is not OrganisationStatus.PENDING_APPROVAL:
        approve_organisation(cast.administrator, organisation.id, organisation.version)
    if entry["licence_areas"]:
        set_licence_areas(cast.administrator, organisation.id, entry["licence_areas"], organisation.version)


def _join(cast: Cast, slug: str, person: dict[str, Any]) -> None:
    organisation = cast.organisations[slug]
    if organisation.organisation_status is OrganisationStatus.REFUSED:
        return
    invited = invite_user(cast.administrator, organisation.id, person["name"], person["email"], person["roles"])
    _accept(organisation, invited.membership_id)
    if organisation.organisation_status is OrganisationStatus.ACTIVE:
        actor = actor_for_user(invited.user_id, organisation.id)
        cast.people.setdefault(invited.email, actor)
        if "fsp_user" in person["roles"]:
            cast.providers.setdefault(slug, actor)


def _accept(organisation: Organisation, membership_id: object) -> None:
    """The invitation is accepted, as the first sign-in does."""
    with unit_of_work(Stamp("bind_identity", "UC-01.01", system_actor()), writes=True):
        membership = current_session().scalars(select(Membership).where(col(Membership.id) == membership_id)).one()
        membership.status, membership.invited_name = MembershipStatus.ACTIVE, None


def _hold_against_registry(organisation: Organisation, entry: dict[str, Any]) -> None:
    """The company registry's answer as the sandbox would give it, so that an old organisation doesn't wait for one."""
    declared = as_terms(organisation)
    number, status = declared["OrganisationRegistrationNumber"], entry["status"]
    if status == OrganisationStatus.PENDING_APPROVAL:
        return
    outcome, comparisons = "not applicable", []
    if number:
        company_status = {"Refused": "dissolved"}.get(status, "active")
        record = CompanyRecord.model_validate(
            {
                "company_name": declared["OrganisationLegalName"].upper(),
                "company_number": number,
                "company_status": company_status,
                "type": REGISTRY_TYPES[declared["OrganisationType"]],
                "date_of_creation": f"{declared['YearOfRegistration']}-03-14",
                "registered_office_address": {
                    "address_line_1": declared["RegisteredAddressLine1"],
                    "locality": declared["RegisteredCity"],
                    "postal_code": declared["RegisteredPostcodeOrZip"],
                },
            }
        )
        comparisons = compare_company(declared, record)
        outcome = "agrees" if company_status == "active" else "differs"
    answer = {
        "source": SOURCE,
        "at": now().isoformat(timespec="seconds"),
        "outcome": outcome,
        "message": MESSAGES[outcome],
        "comparisons": [asdict(comparison) for comparison in comparisons],
    }
    record_registry_check(organisation.id, declared, answer)

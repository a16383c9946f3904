"""Records for tests, made through the doors that people use: every one of them has been registered, decided and audited."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import String, cast, select
from sqlmodel import col

from models.participants import ApiClient, Membership, Organisation, Role
from services.core.identity.actor import Actor, system_actor
from services.core.identity.resolve import reading_as_register
from services.participants.approval import approve_organisation
from services.participants.clients import create_client
from services.participants.governing import begin_governing
from services.participants.identity import Identity, actor_for_client, actor_for_user, sign_in
from services.participants.organisations import register_organisation, set_licence_areas
from services.participants.users import UserView, invite_user
from tests.numbers import NUMBERS

ISSUER = "https://id.example.org"
USUAL_ROLE = {
    "FSP": Role.FSP_USER,
    "Aggregator": Role.FSP_USER,
    "Asset Owner": Role.ASSET_OWNER,
    "DNO": Role.SO_USER,
    "System Operator": Role.SO_USER,
    "Regulator": Role.REGULATOR,
    "Third-Party Platform": Role.PLATFORM,
    "Installer": Role.INSTALLER,
}


def organisation_values(name: str | None = None, roles: Sequence[str] = ("FSP",), **changes: Any) -> dict[str, Any]:
    """Acceptable values of an organisation by ontology terms; `changes` replaces or adds terms, None takes one away."""
    number = next(NUMBERS)
    values = {
        "OrganisationLegalName": name or f"Company {number} Ltd",
        "OrganisationType": "Private Limited Company",
        "OrganisationRoles": list(roles),
        "OrganisationRegistrationNumber": f"98{number:06d}",
        "RegisteredAddressLine1": f"{number} Main Street",
        "RegisteredCity": "Leeds",
        "RegisteredPostcodeOrZip": "LS1 4AP",
        "RegisteredCountry": "United Kingdom",
        "PrimaryContactFirstName": "Robin",
        "PrimaryContactLastName": "Marsh",
        "PrimaryContactEmail": f"robin.marsh@company{number}.example.org",
        "PrimaryMobileNumber": "+442079460123",
        "PrimaryMobileNumberCountryCode": "+44",
        **changes,
    }
    return {term: value for term, value in values.items() if value is not None}


def administrator() -> Actor:
    """The FMAR administrator, at the organisation that governs this register; both are made when they aren't there."""
    administers = cast(col(Membership.roles), String).contains(f'"{Role.ADMINISTRATOR}"')
    with reading_as_register("administrator") as session:
        found = session.execute(
            select(col(Membership.user_id), col(Membership.organisation_id)).where(administers).limit(1)
        ).first()
    if found is not None:
        return actor_for_user(found[0], found[1])
    values = organisation_values("Elexon Limited", ("Market Facilitator",))
    organisation, person = begin_governing(system_actor(), values, "Ada Ministrator", "ada@elexon.example.org")
    accept(person)
    return actor_for_user(person.user_id, organisation.id)


def make_organisation(
    name: str | None = None,
    roles: Sequence[str] = ("FSP",),
    *,
    active: bool = True,
    licence_areas: Iterable[str] = (),
    **changes: Any,
) -> Organisation:
    """An organisation, approved unless `active` is False; `changes` are ontology terms."""
    organisation = register_organisation(system_actor(), organisation_values(name, roles, **changes))
    if active:
        organisation = approve_organisation(administrator(), organisation.id, organisation.version)
    areas = list(licence_areas)
    if areas:
        organisation = set_licence_areas(administrator(), organisation.id, areas, organisation.version)
    return organisation


def make_user(
    organisation: Organisation,
    roles: Sequence[str] | None = None,
    *,
    name: str | None = None,
    email: str | None = None,
    signed_in: bool = True,
) -> UserView:
    """A person of an organisation, signed in once unless `signed_in` is False; roles as usual there unless given."""
    number = next(NUMBERS)
    person = invite_user(
        administrator(),
        organisation.id,
        name or f"Person {number}",
        email or f"person{number}@example.org",
        list(roles) if roles is not None else usual_roles(organisation),
    )
    if signed_in:
        accept(person)
    return person


def usual_roles(organisation: Organisation) -> list[Role]:
    """The working roles that follow from an organisation's roles; a viewer's where none does."""
    found = {USUAL_ROLE[role] for role in organisation.organisation_roles if role in USUAL_ROLE}
    return sorted(found) or [Role.VIEWER]


def identity_of(email: str, **changes: Any) -> Identity:
    """The identity that the usual provider vouches for under an email address."""
    usual = {"issuer": ISSUER, "subject": f"sub-{email}", "email": email, "email_verified": True, "name": email}
    return Identity(**{**usual, **changes})


def accept(person: UserView) -> None:
    """Let somebody sign in, which accepts the invitation."""
    outcome = sign_in(identity_of(person.email))
    assert outcome.problem is None, outcome.message


def actor_of(person: UserView, organisation_id: UUID | None = None) -> Actor:
    """The actor that a person is now, for the organisation they were invited to unless another is given."""
    return actor_for_user(person.user_id, organisation_id or person.organisation_id)


def make_actor(organisation: Organisation, roles: Sequence[str] | None = None) -> Actor:
    """A new person of an organisation, as the actor they are."""
    return actor_of(make_user(organisation, roles))


def make_fsp(name: str | None = None) -> Actor:
    """Somebody who registers assets, at a new FSP."""
    return make_actor(make_organisation(name, ("FSP",)))


def make_client(organisation: Organisation, roles: Sequence[str] | None = None) -> tuple[ApiClient, str]:
    """A credential of an organisation's program, with its secret."""
    wanted = list(roles) if roles is not None else usual_roles(organisation)
    return create_client(administrator(), organisation.id, "Test program", wanted)


def client_actor(client: ApiClient) -> Actor:
    """The actor that a credential is now."""
    return actor_for_client(client.client_id)

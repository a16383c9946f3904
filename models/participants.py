"""Participants (SPUM): organisations, the people who act for them, and the credentials of their programs."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint, text
from sqlmodel import Field

from models.base import Json, Recorded, UtcDateTime, choice


class OrganisationStatus(StrEnum):
    """Life cycle of an organisation (UC-01.02 to UC-01.04)."""

    PENDING_APPROVAL = "Pending Approval"
    ACTIVE = "Active"
    REFUSED = "Refused"
    SUSPENDED = "Suspended"
    WITHDRAWN = "Withdrawn"


class Role(StrEnum):
    """What a person or credential may be in an organisation. Several can be held at once; rights add up."""

    ADMINISTRATOR = "administrator"
    ORGANISATION_ADMIN = "organisation_admin"
    FSP_USER = "fsp_user"
    SO_USER = "so_user"
    ASSET_OWNER = "asset_owner"
    PLATFORM = "platform"
    INSTALLER = "installer"
    REGULATOR = "regulator"
    VIEWER = "viewer"
    APPLICANT = "applicant"
    SYSTEM = "system"


ASSIGNABLE_ROLES = tuple(role for role in Role if role not in (Role.APPLICANT, Role.SYSTEM))
"""Roles that a membership or credential can hold; an applicant is somebody signed in without an organisation."""

ROLE_LABELS: dict[Role, str] = {
    Role.ADMINISTRATOR: "FMAR administrator",
    Role.ORGANISATION_ADMIN: "Organisation administrator",
    Role.FSP_USER: "FSP user",
    Role.SO_USER: "System operator user",
    Role.ASSET_OWNER: "Asset owner",
    Role.PLATFORM: "Third-party platform",
    Role.INSTALLER: "Installer",
    Role.REGULATOR: "Regulator",
    Role.VIEWER: "Viewer",
    Role.APPLICANT: "Applicant",
    Role.SYSTEM: "The register itself",
}


class Organisation(Recorded, table=True):
    """A legal body that takes part (UC-01.02). Terms and formats: docs/data-dictionary.md."""

    __table_args__ = (
        Index(
            "organisation_registration_number",
            "organisation_registration_number",
            unique=True,
            sqlite_where=text("organisation_status NOT IN ('Refused', 'Withdrawn')"),
            postgresql_where=text("organisation_status NOT IN ('Refused', 'Withdrawn')"),
        ),
        Index(
            "organisation_vat_registration_number",
            "vat_registration_number",
            unique=True,
            sqlite_where=text("organisation_status NOT IN ('Refused', 'Withdrawn')"),
            postgresql_where=text("organisation_status NOT IN ('Refused', 'Withdrawn')"),
        ),
        Index(
            "organisation_legal_name_key",
            "legal_name_key",
            unique=True,
            sqlite_where=text("organisation_status NOT IN ('Refused', 'Withdrawn')"),
            postgresql_where=text("organisation_status NOT IN ('Refused', 'Withdrawn')"),
        ),
        Index("organisation_list", "organisation_status", "id"),
    )
    organisation_status: OrganisationStatus = Field(
        default=OrganisationStatus.PENDING_APPROVAL, sa_type=choice(OrganisationStatus)
    )
    status_reason: str | None = Field(default=None, max_length=500)
    approved_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    approved_values: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    """Legal name, registration number and roles as last approved: they hold while a change of them waits, and are what a
    refused change returns to. Empty until the first approval."""
    organisation_legal_name: str = Field(max_length=255)
    legal_name_key: str = Field(max_length=255)
    organisation_trading_name: str | None = Field(default=None, max_length=255)
    organisation_type: str = Field(max_length=40)
    organisation_type_description: str | None = Field(default=None, max_length=200)
    organisation_roles: list[str] = Field(default_factory=list, sa_type=Json)
    organisation_roles_description: str | None = Field(default=None, max_length=200)
    organisation_registration_number: str | None = Field(default=None, max_length=20)
    vat_registration_number: str | None = Field(default=None, max_length=20)
    year_of_registration: int | None = None
    registered_address_line_1: str | None = Field(default=None, max_length=255)
    registered_address_line_2: str | None = Field(default=None, max_length=255)
    registered_city: str | None = Field(default=None, max_length=100)
    registered_county_or_state: str | None = Field(default=None, max_length=100)
    registered_postcode_or_zip: str | None = Field(default=None, max_length=20)
    registered_country: str | None = Field(default=None, max_length=60)
    country_of_incorporation: str | None = Field(default=None, max_length=60)
    non_uk_company_business_type: str | None = Field(default=None, max_length=100)
    non_uk_company_name: str | None = Field(default=None, max_length=255)
    organisation_website: str | None = Field(default=None, max_length=255)
    organisation_email: str | None = Field(default=None, max_length=255)
    primary_contact_first_name: str | None = Field(default=None, max_length=100)
    primary_contact_last_name: str | None = Field(default=None, max_length=100)
    primary_contact_email: str | None = Field(default=None, max_length=255)
    primary_mobile_number: str | None = Field(default=None, max_length=20)
    primary_mobile_number_country_code: str | None = Field(default=None, max_length=6)
    primary_contact_role: str | None = Field(default=None, max_length=100)
    secondary_contact_first_name: str | None = Field(default=None, max_length=100)
    secondary_contact_last_name: str | None = Field(default=None, max_length=100)
    secondary_contact_email: str | None = Field(default=None, max_length=255)
    secondary_contact_mobile_number: str | None = Field(default=None, max_length=20)
    secondary_contact_mobile_number_country_code: str | None = Field(default=None, max_length=6)
    secondary_contact_role: str | None = Field(default=None, max_length=100)
    technical_it_contact_first_name: str | None = Field(default=None, max_length=100)
    technical_it_contact_last_name: str | None = Field(default=None, max_length=100)
    technical_it_contact_email: str | None = Field(default=None, max_length=255)
    technical_it_mobile_number: str | None = Field(default=None, max_length=20)
    technical_it_mobile_number_country_code: str | None = Field(default=None, max_length=6)
    identifiers: list[dict[str, str]] = Field(default_factory=list, sa_type=Json)
    licence_areas: list[str] = Field(default_factory=list, sa_type=Json)
    """DNO codes whose assets a DNO sees. A System Operator (NESO) sees all of Great Britain without listing them."""
    registry_check: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    """Last answer of the company registry: source, time, outcome, and the comparison field by field."""


class UserStatus(StrEnum):
    """Whether a person's account works at all; what they may do where is in their memberships."""

    ACTIVE = "Active"
    DEACTIVATED = "Deactivated"


class User(Recorded, table=True):
    """A person (UC-01.01). Bound to an OIDC identity at first sign-in: verified email, then issuer and subject."""

    __table_args__ = (UniqueConstraint("issuer", "subject", name="user_identity"),)
    email: str = Field(max_length=255, unique=True)
    full_name: str = Field(max_length=200)
    status: UserStatus = Field(default=UserStatus.ACTIVE, sa_type=choice(UserStatus))
    status_reason: str | None = Field(default=None, max_length=500)
    issuer: str | None = Field(default=None, max_length=255)
    subject: str | None = Field(default=None, max_length=255)
    signed_out_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    """Last sign-out: a sign-in cookie issued up to then opens nothing any more, wherever it was copied to."""


class MembershipStatus(StrEnum):
    """Whether a person may act for an organisation."""

    INVITED = "Invited"
    ACTIVE = "Active"
    DEACTIVATED = "Deactivated"


class Membership(Recorded, table=True):
    """A person acting for an organisation, with the roles held there. One person may have several and chooses."""

    __table_args__ = (
        UniqueConstraint("user_id", "organisation_id", name="membership_once"),
        Index("membership_by_organisation", "organisation_id", "status"),
    )
    user_id: UUID = Field(foreign_key="user.id")
    organisation_id: UUID = Field(foreign_key="organisation.id")
    roles: list[str] = Field(default_factory=list, sa_type=Json)
    status: MembershipStatus = Field(default=MembershipStatus.INVITED, sa_type=choice(MembershipStatus))
    status_reason: str | None = Field(default=None, max_length=500)
    invited_name: str | None = Field(default=None, max_length=200)
    """The name that the invitation gave, until it is accepted: whose address it is, is not the inviting body's to know."""


class ApiClientStatus(StrEnum):
    """Whether a credential opens the API."""

    ACTIVE = "Active"
    REVOKED = "Revoked"


class ApiClient(Recorded, table=True):
    """A credential of an organisation's program (client credentials). The secret is shown once and kept as a hash."""

    __table_args__ = (Index("api_client_by_organisation", "organisation_id"),)
    client_id: str = Field(max_length=80, unique=True)
    organisation_id: UUID = Field(foreign_key="organisation.id")
    name: str = Field(max_length=100)
    secret_hash: str = Field(max_length=200)
    roles: list[str] = Field(default_factory=list, sa_type=Json)
    status: ApiClientStatus = Field(default=ApiClientStatus.ACTIVE, sa_type=choice(ApiClientStatus))
    status_reason: str | None = Field(default=None, max_length=500)
    expires_at: datetime | None = Field(default=None, sa_type=UtcDateTime)

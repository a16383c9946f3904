"""The actor: the typed first argument of every operation."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from models.participants import ROLE_LABELS, Role


@dataclass(frozen=True, slots=True)
class Actor:
    """A person, program or the register itself, acting for one organisation with the roles held there.

    Made by services.participants.identity from what stands in the database at this click or call; never kept longer.
    `areas` are the DNO codes a system operator sees, `all_areas` is the national operator.
    """

    name: str
    roles: frozenset[Role]
    user_id: UUID | None = None
    email: str | None = None
    client_id: str | None = None
    organisation_id: UUID | None = None
    organisation_name: str | None = None
    areas: frozenset[str] = field(default_factory=frozenset)
    all_areas: bool = False
    credential: str | None = None
    """Which secret of the credential was used: a fingerprint that changes when the secret is rotated."""
    signed_out_at: datetime | None = None
    """When the person last signed out: what was made for a session before, such as a ticket, is void since."""
    issuer: str | None = None
    subject: str | None = None

    @property
    def key(self) -> str:
        """One text that names the actor: for rate limits and access logs."""
        if self.client_id:
            return f"client:{self.client_id}"
        return f"user:{self.user_id}" if self.user_id else f"name:{self.email or self.name}"

    @property
    def role_label(self) -> str:
        """The roles in words."""
        return ", ".join(ROLE_LABELS[role] for role in Role if role in self.roles)

    def has(self, *roles: Role) -> bool:
        """Tell whether the actor holds any of these roles."""
        return not self.roles.isdisjoint(roles)


def system_actor(name: str = "The register") -> Actor:
    """The register acting by itself: background checks, deadlines, seals, first data."""
    return Actor(name=name, roles=frozenset({Role.SYSTEM}))

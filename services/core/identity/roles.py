"""Roles that people and programs may hold in an organisation: they follow from what the organisation is (UC-01.01)."""

from collections.abc import Iterable, Sequence

from models.participants import ASSIGNABLE_ROLES, ROLE_LABELS, Organisation, OrganisationStatus, Role
from services.core.errors import Finding
from services.core.identity.actor import Actor

EVERYWHERE = frozenset({Role.ORGANISATION_ADMIN, Role.VIEWER})
"""Roles that any organisation may give."""

ROLES_OF: dict[str, frozenset[Role]] = {
    "FSP": frozenset({Role.FSP_USER}),
    "Aggregator": frozenset({Role.FSP_USER}),
    "Asset Owner": frozenset({Role.ASSET_OWNER}),
    "DNO": frozenset({Role.SO_USER}),
    "System Operator": frozenset({Role.SO_USER}),
    "Market Facilitator": frozenset({Role.ADMINISTRATOR}),
    "Regulator": frozenset({Role.REGULATOR}),
    "Third-Party Platform": frozenset({Role.PLATFORM}),
    "Installer": frozenset({Role.INSTALLER}),
}
"""OrganisationRoles -> the roles its people may hold besides those of EVERYWHERE. Unlisted ones add none."""


def assignable_roles(organisation_roles: Iterable[str]) -> tuple[Role, ...]:
    """The roles that fit an organisation with these OrganisationRoles, in their usual order."""
    fitting = EVERYWHERE.union(*(ROLES_OF.get(role, frozenset()) for role in organisation_roles))
    return tuple(role for role in ASSIGNABLE_ROLES if role in fitting)


def founding_roles(organisation_roles: Iterable[str]) -> list[Role]:
    """Roles of the person who registers an organisation: its administrator, and what its roles ask for.

    Never FMAR administrator: that is given by one who is.
    """
    unfit = (Role.ADMINISTRATOR, Role.VIEWER)
    return [role for role in assignable_roles(organisation_roles) if role not in unfit]


def roles_in_force(organisation: Organisation) -> list[str]:
    """The OrganisationRoles as last approved; none before the first approval. A change that waits gives nothing yet."""
    return list(organisation.approved_values.get("organisation_roles", []))


def effective_roles(held: Iterable[str], organisation: Organisation) -> frozenset[Role]:
    """Roles in force today of those held in an organisation.

    Before its first approval only its administration is open: no look-ups, no statistics, no register of others. Roles
    that its approved OrganisationRoles no longer carry are without effect.
    """
    fitting = {Role.ORGANISATION_ADMIN}
    if organisation.approved_at is not None:
        fitting = set(assignable_roles(roles_in_force(organisation)))
    return frozenset(role for role in map(Role, held) if role in fitting)


def role_findings(
    roles: Sequence[str], organisation: Organisation, actor: Actor, field: str = "Roles"
) -> list[Finding]:
    """Findings against giving these roles in this organisation.

    Fitting is what the declared OrganisationRoles carry: roles can be given while the organisation waits for approval, and
    take effect with it.
    """
    fitting = assignable_roles(organisation.organisation_roles)
    expected = f"one or more of: {', '.join(f'{role} ({ROLE_LABELS[role]})' for role in fitting)}"
    if not roles:
        return [Finding("ROLE-01", field, None, expected, "Give at least one role.")]
    findings = []
    for role_name in roles:
        if role_name not in fitting:
            label = ROLE_LABELS[Role(role_name)] if role_name in ASSIGNABLE_ROLES else role_name
            name = organisation.organisation_legal_name
            words = f"{name} can't give the role “{label}”: its organisation roles don't carry it."
            findings.append(Finding("ROLE-02", field, role_name, expected, words))
        elif role_name == Role.ADMINISTRATOR and not actor.has(Role.ADMINISTRATOR, Role.SYSTEM):
            words = "The role “FMAR administrator” is given by an FMAR administrator only."
            findings.append(Finding("ROLE-03", field, role_name, expected, words))
    return findings


def still_takes_part(organisation: Organisation) -> bool:
    """Tell whether people can act for the organisation at all, or could once it is reinstated."""
    return organisation.organisation_status not in (OrganisationStatus.REFUSED, OrganisationStatus.WITHDRAWN)

"""From a person or credential and an organisation to the actor of one click or call (UC-01.01)."""

import hashlib
from contextlib import AbstractContextManager
from dataclasses import replace
from uuid import UUID

from sqlalchemy import select
from sqlmodel import Session, col

from models.participants import ApiClient, Membership, Organisation, Role, User
from services.core.errors import Forbidden, Unauthenticated
from services.core.identity.account_status import require_standing
from services.core.identity.actor import Actor, system_actor
from services.core.identity.roles import effective_roles, roles_in_force
from services.core.settings import settings
from services.core.transaction import Stamp, unit_of_work

DEMO_CLIENTS = "demo-"
"""How the identifiers of the demo's credentials begin; the register makes others."""


def reading_as_register(name: str) -> AbstractContextManager[Session]:
    """A unit of work in which the register reads before it knows who acts."""
    return unit_of_work(Stamp(name, "UC-01.01", system_actor()), writes=False)


def email_key(email: str) -> str:
    """An email address as accounts are told apart: ASCII capitals don't count, look-alikes of other scripts do."""
    text = email.strip()
    return text.lower() if text.isascii() else text


def actor_for_user(user_id: UUID, organisation_id: UUID) -> Actor:
    """The actor that a person is when acting for an organisation, from what stands in the database now.

    Raises Unauthenticated when the person, membership or organisation has ended, Forbidden while it is suspended.
    """
    with reading_as_register("actor_for_user") as session:
        row = session.execute(
            select(Membership, User, Organisation)
            .join(User, col(User.id) == col(Membership.user_id))
            .join(Organisation, col(Organisation.id) == col(Membership.organisation_id))
            .where(col(Membership.user_id) == user_id, col(Membership.organisation_id) == organisation_id)
        ).one_or_none()
        if row is None:
            raise Unauthenticated("Your access has ended. Ask your organisation's administrator if this is unexpected.")
        membership, user, organisation = row
        actor = Actor(
            name=user.full_name,
            roles=frozenset(map(Role, membership.roles)),
            user_id=user.id,
            email=user.email,
            signed_out_at=user.signed_out_at,
            issuer=user.issuer,
            subject=user.subject,
        )
        return _acting_for(organisation, actor)


def actor_for_client(client_id: str) -> Actor:
    """The actor that a credential is, from what stands in the database now; raises as `actor_for_user` does.

    The demo's credentials, whose secret everybody knows, open nothing in a register that has gone live.
    """
    with reading_as_register("actor_for_client") as session:
        row = session.execute(
            select(ApiClient, Organisation)
            .join(Organisation, col(Organisation.id) == col(ApiClient.organisation_id))
            .where(col(ApiClient.client_id) == client_id)
        ).one_or_none()
        if row is None or (client_id.startswith(DEMO_CLIENTS) and not settings().demo):
            raise Unauthenticated("This API credential is not known. Ask your organisation's administrator for one.")
        client, organisation = row
        actor = Actor(name=client.name, roles=frozenset(map(Role, client.roles)), client_id=client.client_id)
        actor = replace(actor, credential=hashlib.sha256(client.secret_hash.encode()).hexdigest()[:16])
        return _acting_for(organisation, actor)


def actor_behind(user_id: UUID | None, organisation_id: UUID | None, client_id: str | None, register_as: str) -> Actor:
    """The actor who asked for what is done later, with the rights they have now; the register itself, under a name, if nobody.

    Raises as `actor_for_user` does when their access has ended since.
    """
    if client_id is not None:
        return actor_for_client(client_id)
    if user_id is not None and organisation_id is not None:
        return actor_for_user(user_id, organisation_id)
    return system_actor(register_as)


def _acting_for(organisation: Organisation, actor: Actor) -> Actor:
    """The actor with organisation, areas, and the roles that are in force; raises without standing or roles."""
    actor = replace(actor, organisation_id=organisation.id, organisation_name=organisation.organisation_legal_name)
    require_standing(actor)
    roles = effective_roles(actor.roles, organisation)
    if not roles:
        waits = organisation.approved_at is None
        raise Forbidden(
            f"{organisation.organisation_legal_name} waits for approval by the FMAR administrator; your roles "
            f"({actor.role_label}) take effect with it."
            if waits
            else f"Your roles ({actor.role_label}) don't fit what {organisation.organisation_legal_name} is approved for. "
            "Ask its administrator to change them."
        )
    approved = roles_in_force(organisation)
    operates = Role.SO_USER in roles
    return replace(
        actor,
        roles=roles,
        areas=frozenset(organisation.licence_areas) if operates and "DNO" in approved else frozenset(),
        all_areas=operates and "System Operator" in approved,
    )

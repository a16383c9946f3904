"""API credentials: made, shown once, kept as a hash, rotated, revoked, expiring (UC-05.04)."""

import hmac
import secrets
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from hashlib import sha256
from uuid import UUID

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import select
from sqlmodel import col

from models.participants import ROLE_LABELS, ApiClient, ApiClientStatus, Organisation, Role
from services.core.clock import now
from services.core.errors import Conflict, Finding, Forbidden, Invalid, Refused, Unauthenticated
from services.core.identity.actor import Actor, system_actor
from services.core.identity.resolve import actor_for_client
from services.core.identity.roles import role_findings, still_takes_part
from services.core.identity.visibility import reach, visible
from services.core.operation import operation
from services.core.text import clean_line
from services.core.transaction import Stamp, current_session, unit_of_work
from services.participants.reasons import require_reason

USUAL_LIFE = timedelta(days=365)
LONGEST_LIFE = timedelta(days=730)
PROVEN_FOR = 24 * 3600.0
"""Seconds for which a secret once proven isn't hashed again: a token request stays quick, and is told from guesses at once."""
MOST_PROVEN = 10_000

# Memory and passes as OWASP recommends them for Argon2id; one lane, since several requests share few processors.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


@dataclass(frozen=True, slots=True)
class ClientView:
    """A credential as people see it: everything but the secret. `version` is to be named when it is changed."""

    id: UUID
    client_id: str
    organisation_id: UUID
    name: str
    roles: list[Role]
    role_label: str
    status: ApiClientStatus
    status_reason: str | None
    expires_at: datetime | None
    version: int
    recorded_at: datetime | None

    @property
    def expired(self) -> bool:
        """Tell whether its time is over."""
        return self.expires_at is not None and self.expires_at <= now()


def client_view(client: ApiClient) -> ClientView:
    """The part of a credential that may be shown."""
    roles = [role for role in Role if role in client.roles]
    return ClientView(
        id=client.id,
        client_id=client.client_id,
        organisation_id=client.organisation_id,
        name=client.name,
        roles=roles,
        role_label=", ".join(ROLE_LABELS[role] for role in roles),
        status=client.status,
        status_reason=client.status_reason,
        expires_at=client.expires_at,
        version=client.version,
        recorded_at=client.recorded_at,
    )


@operation("UC-05.04", permission="client.manage", writes=False, name="list_clients")
def list_clients(actor: Actor, organisation_id: UUID | None = None) -> list[ClientView]:
    """The credentials of the organisations that the actor manages, oldest first."""
    query = select(ApiClient).where(visible(ApiClient, actor))
    if organisation_id is not None:
        query = query.where(col(ApiClient.organisation_id) == organisation_id)
    return [client_view(client) for client in current_session().scalars(query.order_by(col(ApiClient.id)))]


@operation("UC-05.04", permission="client.manage", name="create_client")
def create_client(
    actor: Actor,
    organisation_id: UUID,
    name: str,
    roles: Sequence[str],
    expires_at: datetime | None = None,
    *,
    client_id: str | None = None,
    secret: str | None = None,
) -> tuple[ApiClient, str]:
    """Make a credential; the second value is its secret, which is shown this once.

    Without `expires_at` it lasts a year; two years are the most. `client_id` and `secret` are given by the demo's first data
    only. Raises Invalid with all findings.
    """
    organisation = reach(Organisation, actor, organisation_id, "client.manage")
    if not still_takes_part(organisation):
        ended = organisation.organisation_status.lower()
        raise Refused(f"{organisation.organisation_legal_name} is {ended}: it has no programs any more.")
    if (client_id or secret) and not actor.has(Role.SYSTEM):
        raise Forbidden("Identifiers and secrets of credentials are made by the register.")
    tidy = clean_line(name)
    expires = expires_at or now() + USUAL_LIFE
    findings = _findings(tidy, expires) + role_findings(roles, organisation, actor)
    if findings:
        raise Invalid(findings)
    plain_secret = secret or secrets.token_urlsafe(32)
    client = ApiClient(
        client_id=client_id or f"fmar-{secrets.token_hex(12)}",
        organisation_id=organisation.id,
        name=tidy,
        secret_hash=_HASHER.hash(plain_secret),
        roles=[role.value for role in Role if role in roles],
        expires_at=expires,
    )
    session = current_session()
    session.add(client)
    session.flush()
    return client, plain_secret


@operation("UC-05.04", permission="client.manage", name="rotate_secret")
def rotate_secret(actor: Actor, identifier: UUID, version: int | None = None) -> tuple[ApiClient, str]:
    """Give a credential a new secret, shown this once; the old one stops opening anything at once."""
    client = _client(actor, identifier, version)
    secret = secrets.token_urlsafe(32)
    client.secret_hash = _HASHER.hash(secret)
    return client, secret


@operation("UC-05.04", permission="client.manage", name="revoke_client")
def revoke_client(actor: Actor, identifier: UUID, reason: str, version: int | None = None) -> ApiClient:
    """End a credential for good, at once: access tokens made with it stop at the next call."""
    reason = require_reason(reason)
    client = _client(actor, identifier, version)
    client.status = ApiClientStatus.REVOKED
    client.status_reason = reason
    return client


def authenticate_client(client_id: str, secret: str) -> Actor | None:
    """The actor of a credential, or None when id and secret don't open anything: unknown, wrong, revoked or expired alike.

    An unknown id costs the same time as a wrong secret. Raises Forbidden, with the reason, once the secret is proven and
    the organisation is suspended or waits for its first approval.
    """
    with unit_of_work(Stamp("authenticate_client", "UC-05.04", system_actor()), writes=False) as session:
        secret_hash = session.scalar(select(col(ApiClient.secret_hash)).where(col(ApiClient.client_id) == client_id))
    if not _proven(client_id, secret, secret_hash):
        return None
    try:
        return actor_for_client(client_id)
    except Unauthenticated:
        return None


def is_proven(client_id: str, secret: str) -> bool:
    """Tell whether this very secret was proven in this process before and still is the credential's; hashes nothing slowly."""
    with unit_of_work(Stamp("authenticate_client", "UC-05.04", system_actor()), writes=False) as session:
        secret_hash = session.scalar(select(col(ApiClient.secret_hash)).where(col(ApiClient.client_id) == client_id))
    with _lock:
        return _proofs.get(_proof_of(client_id, secret, secret_hash), 0.0) > time.monotonic()


_process_key = secrets.token_bytes(32)
_proofs: dict[bytes, float] = {}
_lock = threading.Lock()


def _proven(client_id: str, secret: str, secret_hash: str | None) -> bool:
    """Tell whether the secret fits the kept hash; a proof is remembered for a while, as a keyed digest and in memory only."""
    proof = _proof_of(client_id, secret, secret_hash)
    moment = time.monotonic()
    with _lock:
        if _proofs.get(proof, 0.0) > moment:
            return True
    try:
        _HASHER.verify(secret_hash or _nobodys_hash(), secret)
    except (VerificationError, InvalidHashError):
        return False
    if secret_hash is None:
        return False
    with _lock:
        if len(_proofs) >= MOST_PROVEN:
            _proofs.clear()
        _proofs[proof] = moment + PROVEN_FOR
    return True


def _proof_of(client_id: str, secret: str, secret_hash: str | None) -> bytes:
    message = "\0".join((client_id, secret, secret_hash or "")).encode()
    return hmac.new(_process_key, message, sha256).digest()


@lru_cache(maxsize=1)
def _nobodys_hash() -> str:
    return _HASHER.hash(secrets.token_urlsafe(32))


def _client(actor: Actor, identifier: UUID, version: int | None) -> ApiClient:
    client = reach(ApiClient, actor, identifier, "client.manage")
    if version is not None and client.version != version:
        raise Conflict("Somebody else changed this credential since you read it.", current={"Version": client.version})
    if client.status is ApiClientStatus.REVOKED:
        raise Refused("This credential is revoked, which is final. Make a new one.")
    if Role.ADMINISTRATOR in client.roles and not actor.has(Role.ADMINISTRATOR, Role.SYSTEM):
        raise Refused("A credential with the role “FMAR administrator” is changed by an FMAR administrator.")
    return client


def _findings(name: str, expires: datetime) -> list[Finding]:
    findings = []
    if not 1 <= len(name) <= 100:
        words = "Give the credential a name that says which program uses it."
        findings.append(Finding("CLIENT-01", "Name", name or None, "1 to 100 characters", words))
    if not now() < expires <= now() + LONGEST_LIFE:
        expected = f"a moment after now, at most {LONGEST_LIFE.days} days ahead"
        words = "Choose when the credential expires: in the future, two years ahead at most."
        findings.append(Finding("CLIENT-02", "ExpiresAt", expires.isoformat(), expected, words))
    return findings

"""The people that a demo's visitor can be (WS-6)."""

import json
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

from models.participants import Membership, MembershipStatus, User, UserStatus
from services.core.errors import Forbidden
from services.core.identity.resolve import email_key, reading_as_register
from services.core.settings import ROOT, settings

PERSONAS = ROOT / "data" / "demo" / "personas.json"


@dataclass(frozen=True, slots=True)
class Persona:
    """Somebody to be in the demo."""

    key: str
    label: str
    description: str
    user_id: UUID
    organisation_id: UUID


def demo_personas(path: Path | None = None) -> list[Persona]:
    """The people of the demo, those whose account is there; Forbidden outside demo mode. `path` is `PERSONAS` unless given."""
    if not settings().demo:
        raise Forbidden("Personas exist in demo mode only. Sign in with your account.")
    path = path or PERSONAS
    if not path.exists():
        return []
    entries = {email_key(entry["email"]): entry for entry in json.loads(path.read_text("utf-8"))}
    with reading_as_register("demo_personas") as session:
        rows = session.execute(
            select(col(User.email), col(User.id), col(Membership.organisation_id))
            .join(Membership, col(Membership.user_id) == col(User.id))
            .where(
                col(User.email).in_(list(entries)),
                col(User.status) == UserStatus.ACTIVE,
                col(Membership.status) == MembershipStatus.ACTIVE,
            )
            .order_by(col(Membership.id).desc())
        ).all()
    accounts = {email: (user_id, organisation_id) for email, user_id, organisation_id in rows}
    return [
        Persona(entry["key"], entry["label"], entry["description"], *accounts[email])
        for email, entry in entries.items()
        if email in accounts
    ]

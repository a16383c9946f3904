"""Permissions: one table, permission x role -> none / own / area / all."""

import csv
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from pathlib import Path

from models.participants import ROLE_LABELS, Role
from services.core.errors import Forbidden
from services.core.identity.actor import Actor

TABLE = Path(__file__).with_name("permissions.csv")


class Scope(StrEnum):
    """Scope of a permission: own organisation's records, those in the operator's licence areas, or all."""

    NONE = "none"
    OWN = "own"
    AREA = "area"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Permission:
    """One row of the table."""

    name: str
    meaning: str
    scopes: dict[Role, Scope]


@lru_cache(maxsize=1)
def permission_table() -> dict[str, Permission]:
    """The whole table, as written in permissions.csv."""
    with TABLE.open(encoding="utf-8", newline="") as file:
        return {
            row["permission"]: Permission(row["permission"], row["meaning"], {role: Scope(row[role]) for role in Role})
            for row in csv.DictReader(file)
        }


def scopes_of(actor: Actor, permission: str) -> frozenset[Scope]:
    """The scopes that the actor's roles add up to for a permission; empty means: not allowed at all."""
    scopes = permission_table()[permission].scopes
    return frozenset(scopes[role] for role in actor.roles) - {Scope.NONE}


def may(actor: Actor, permission: str) -> bool:
    """Tell whether the actor may do this to anything at all; which records is for `services.core.identity.visibility`."""
    return bool(scopes_of(actor, permission))


def may_by_work(actor: Actor, permission: str) -> bool:
    """Tell whether it is open to the actor by another role than that of an organisation's administrator.

    That role reaches to all records of its own organisation, which may be one that never has any: a regulator's administrator
    would be offered lists of assets that are always empty. Somebody with that role alone may be any organisation's.
    """
    scopes = permission_table()[permission].scopes
    roles = actor.roles - {Role.ORGANISATION_ADMIN} or actor.roles
    return any(scopes[role] is not Scope.NONE for role in roles)


def require(actor: Actor, permission: str) -> None:
    """Raise Forbidden unless the actor's roles allow this, saying which roles would."""
    if may(actor, permission):
        return
    row = permission_table()[permission]
    holders = [
        ROLE_LABELS[role] for role, scope in row.scopes.items() if scope is not Scope.NONE and role != Role.SYSTEM
    ]
    raise Forbidden(
        f"Your role ({actor.role_label or 'none'}) does not include this: {row.meaning[0].lower()}{row.meaning[1:]}. "
        f"It is open to: {', '.join(holders)}."
    )

"""Parties of an asset: active organisations, with a provider's role where they manage it (ServiceProviderId)."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import bindparam, select
from sqlmodel import col

from models.assets import Asset
from models.participants import Organisation, OrganisationStatus
from services.assets.rules.check import ASSET_RULES, finding
from services.core.audit_context import WRITES
from services.core.errors import Finding, Refused
from services.core.identity.actor import Actor
from services.core.identity.permissions import Scope, scopes_of
from services.core.transaction import current_session

PROVIDER_ROLES = frozenset({"FSP", "Aggregator"})
NOT_YOURS = "You register for your own organisation only. Leave this empty, or ask that provider to register it."
_PARTIES = select(
    col(Organisation.id), col(Organisation.organisation_status), col(Organisation.organisation_roles)
).where(col(Organisation.id).in_(bindparam("ids", expanding=True)))


def active_parties(*identifiers: object) -> dict[str, set[str]]:
    """The roles of those of the organisations that are active, by identifier."""
    session = current_session()
    # Held until the record is written: no organisation is de-registered between the look and the registration.
    parties = _PARTIES.with_for_update(read=True) if session.info.get(WRITES) else _PARTIES
    rows = session.execute(
        parties, {"ids": sorted({UUID(str(identifier)) for identifier in identifiers if identifier})}
    )
    return {str(row[0]): set(row[2]) for row in rows if row[1] == OrganisationStatus.ACTIVE}


def require_provider(actor: Actor, active: Mapping[str, set[str]]) -> None:
    """Only an active FSP or Aggregator registers assets (ServiceProviderId in the data dictionary)."""
    roles = active.get(str(actor.organisation_id))
    name = actor.organisation_name or "Your organisation"
    if roles is None:
        raise Refused(f"{name} isn't active in the register yet: the FMAR administrator has to approve it first.")
    if not roles & PROVIDER_ROLES:
        raise Refused(
            f"{name} holds neither the role FSP nor Aggregator, so it can't register assets. Add the role to the "
            "organisation's record; the FMAR administrator then approves it."
        )


@dataclass(slots=True)
class PartyValues:
    """The provider and owner that one candidate names, identifiers as text, and the `asset` that it speaks of, if any.

    `refused` has the terms that something was found beside; `derived` those that are filled in here.
    """

    provider: str | None
    owner: str | None
    consumer_owned: bool
    refused: Collection[str | None]
    asset: Asset | None = None
    derived: set[str] = field(default_factory=set)


def fill_in_parties(actor: Actor, candidates: Iterable[PartyValues]) -> None:
    """Default the provider to the actor's organisation, and the owner to the provider unless a consumer owns the asset."""
    for values in candidates:
        if values.provider is None and "ServiceProviderId" not in values.refused:
            provider = values.asset.service_provider_id if values.asset else actor.organisation_id
            values.provider = str(provider) if provider else None
            values.derived.add("ServiceProviderId")
        if values.owner is None and not values.consumer_owned and "OrganisationId" not in values.refused:
            values.owner = values.provider
            values.derived.add("OrganisationId")


def find_party_faults(actor: Actor, candidates: Sequence[PartyValues]) -> list[tuple[int, Finding]]:
    """OWN-05 and OWN-02 of candidates, by row: whether providers and owners take part, and whether the actor may name them.

    Raises Refused when the actor's own organisation may not register assets at all.
    """
    active = active_parties(
        *{party for values in candidates for party in (values.provider, values.owner)}, actor.organisation_id
    )
    own_only = Scope.ALL not in scopes_of(actor, "asset.register")
    if own_only and any(values.asset is None for values in candidates):
        require_provider(actor, active)
    own = str(actor.organisation_id) if own_only else None
    faults: list[tuple[int, Finding]] = []
    for row, values in enumerate(candidates):
        if values.asset is None and (fault := _provider_fault(values, active, own)) is not None:
            faults.append((row, fault))
        owner, asset = values.owner, values.asset
        changed = asset is None or owner != (str(asset.organisation_id) if asset.organisation_id else None)
        # An owner that was suspended since is no mistake of whoever changes something else.
        if owner and changed and owner not in active and owner != values.provider:
            faults.append((row, finding("OWN-02", owner)))
    return faults


def _provider_fault(values: PartyValues, active: Mapping[str, set[str]], own: str | None) -> Finding | None:
    """Fault in the provider: no provider of assets, or not the actor's, who registers for `own` alone."""
    provider, rule = values.provider, ASSET_RULES["OWN-05"]
    if provider is None:
        is_refused = "ServiceProviderId" in values.refused
        return None if is_refused else rule.finding(message="Say which provider manages the asset.")
    if own is not None and provider != own:
        return rule.finding(provider, message=NOT_YOURS)
    return None if active.get(provider, set()) & PROVIDER_ROLES else rule.finding(provider)

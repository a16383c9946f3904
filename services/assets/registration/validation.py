"""Validation of one asset: the rules of the row, and what only the register itself knows (UC-02.01, UC-02.03).

Everything is found at once. Duplicates are told apart from errors: they end in `Duplicate`, which names the existing
asset only to those who may see it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from models.assets import Asset
from services.assets.registration.duplicates import (
    ExistingAsset,
    find_registered,
    find_taken_aliases,
    keys_of,
    lock_providers,
    match_register,
    reveal_duplicates,
)
from services.assets.registration.lookup_hits import keep_to_the_limit, note_hits, unseen_of
from services.assets.registration.parties import PartyValues, fill_in_parties, find_party_faults
from services.assets.registration.record import is_justification
from services.assets.rules.check import check_asset, finding
from services.assets.rules.reference import catalogue, rule_context
from services.core.errors import Duplicate, Finding, Invalid, Severity
from services.core.identity.actor import Actor
from services.core.text import storable_text
from services.core.transaction import afterwards


@dataclass(slots=True)
class Conformance:
    """Validation result of values handed in: typed by term, all findings, derived terms, and duplicates."""

    values: dict[str, Any]
    findings: list[Finding]
    derived: set[str]
    schema_version: int
    same: list[ExistingAsset] = field(default_factory=list)
    shared: list[tuple[UUID, str]] = field(default_factory=list)
    """Active assets of other providers on the same meters, and the MPAN of each."""

    @property
    def errors(self) -> list[Finding]:
        """The findings that refuse."""
        return [finding for finding in self.findings if finding.severity is Severity.ERROR]

    @property
    def warnings(self) -> list[Finding]:
        """The findings that ask for a justification."""
        return [finding for finding in self.findings if finding.severity is Severity.WARNING]

    def accept(self, justification: str | None) -> None:
        """Raise Invalid with all findings, or Duplicate, or Invalid with warnings that nobody has justified."""
        if self.errors:
            raise Invalid(self.findings)
        if self.same:
            duplicate = self.same[0]
            raise Duplicate(duplicate.message, "asset", str(duplicate.seen_id) if duplicate.seen_id else None)
        if self.warnings and not is_justification(justification):
            too_short = [finding("JUST-01", justification)] if (justification or "").strip() else []
            raise Invalid([*too_short, *self.warnings])


def conform(
    actor: Actor, raw: Mapping[str, object], asset: Asset | None = None, *, effective_date_changed: bool = False
) -> Conformance:
    """Hold values against every rule: a new asset, or `asset` with the values it would have.

    Raises Refused when the actor's own organisation may not register assets at all, TooManyRequests beyond the limit of
    look-ups.
    """
    current = catalogue(asset)
    clean = {term: _storable(value) for term, value in raw.items()}
    context = rule_context(asset, effective_date_changed=effective_date_changed, current=current)
    checked = check_asset(clean, context)
    version = asset.schema_version if asset else current.schema_versions.get(checked.values["AssetCategory"] or "", 1)
    result = Conformance(checked.values, list(checked.findings), set(checked.derived), version)
    unseen = hold_against_register(actor, [result], [asset])
    if unseen:
        # What a look-up would tell, and so under the look-up's limit; kept also when the registration is refused.
        keep_to_the_limit(actor)
        afterwards(lambda: note_hits(actor, unseen))
    return result


def _storable(value: object) -> object:
    """Text without what no database keeps: NUL characters and halves of surrogate pairs."""
    if isinstance(value, str):
        return storable_text(value)
    if isinstance(value, Mapping):
        return {str(_storable(str(name))): _storable(item) for name, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, bytes):
        return [_storable(item) for item in value]
    return value


def hold_against_register(actor: Actor, results: Sequence[Conformance], assets: Sequence[Asset | None]) -> list[UUID]:
    """Fill in the parties of checked candidates, and add what the register says of them; `assets` are those they change.

    Returns the assets of others that were met, which the actor doesn't see. Raises Refused when the actor's own organisation
    may not register assets at all.
    """
    parties = [_party_values(result, asset) for result, asset in zip(results, assets, strict=True)]
    fill_in_parties(actor, parties)
    for result, values in zip(results, parties, strict=True):
        result.values |= {"ServiceProviderId": values.provider, "OrganisationId": values.owner}
        result.derived |= values.derived
    for row, fault in find_party_faults(actor, parties):
        results[row].findings.append(fault)
    lock_providers(values.provider for values in parties)
    candidates = [keys_of(result.values) for result in results]
    own_ids = [asset.id if asset else None for asset in assets]
    matches = match_register(candidates, own_ids, find_registered(candidates), find_taken_aliases(candidates))
    for row, match in matches.findings:
        results[row].findings.append(match)
    for row, existing in reveal_duplicates(actor, matches.duplicates):
        results[row].same.append(existing)
    for row, asset_id, mpan in matches.shared:
        results[row].shared.append((asset_id, mpan))
    return unseen_of(actor, matches.hits)


def _party_values(result: Conformance, asset: Asset | None) -> PartyValues:
    values = result.values
    refused = {problem.field for problem in result.findings}
    return PartyValues(
        values["ServiceProviderId"], values["OrganisationId"], bool(values["ConsumerOwned"]), refused, asset
    )

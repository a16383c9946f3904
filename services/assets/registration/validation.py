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
    AssetKeys,
    ExistingAsset,
    build_questions,
    find_registered,
    find_taken_aliases,
    find_unseen,
    is_withheld,
    keys_of,
    lock_providers,
    match_register,
    reveal_duplicates,
)
from services.assets.registration.lookup_hits import (
    UNCHECKED,
    Question,
    Reply,
    answer_questions,
    ask_after_reading,
    log_refusal,
    require_answer,
    retry_after,
    unchecked_finding,
)
from services.assets.registration.parties import PartyValues, fill_in_parties, find_party_faults
from services.assets.registration.record import is_justification, key_of
from services.assets.rules.check import check_asset, finding
from services.assets.rules.reference import catalogue, rule_context
from services.core.errors import Duplicate, Finding, Invalid, RegisterError, Severity, TooManyRequests
from services.core.identity.actor import Actor
from services.core.operation import operation
from services.core.text import normal_text
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
    question: Question = field(default_factory=Question)
    """What the values ask of other providers' records; nothing of it may be told before it is answered (`disclose`)."""
    unseen: set[tuple[str, str | None, str | None]] = field(default_factory=set)
    """Code, term and value of what stands in `findings` and `same` because of assets that the actor may not see."""
    reply: Reply | None = None
    asked_by: Actor | None = None
    wait_s: int = 0
    """Seconds until the register answers again, where it did not."""

    @property
    def errors(self) -> list[Finding]:
        """The findings that refuse."""
        return [finding for finding in self.findings if finding.severity is Severity.ERROR]

    @property
    def warnings(self) -> list[Finding]:
        """The findings that ask for a justification."""
        return [finding for finding in self.findings if finding.severity is Severity.WARNING]

    def accept(self, justification: str | None) -> None:
        """Raise Invalid with all findings, or Duplicate, or Invalid with warnings that nobody has justified.

        Raises TooManyRequests when nothing else is wrong and the register could not be asked.
        """
        refusal = self._refusal(justification)
        if refusal is None:
            return
        actor, reply = self.asked_by, self.reply
        # The refusal leaves nothing in the register, so that what it tells is counted and logged apart.
        if actor is not None and isinstance(refusal, TooManyRequests):
            afterwards(lambda: log_refusal(actor))
        elif actor is not None and reply is not None and self.unseen:
            afterwards(lambda: require_answer(actor, self.question, reply))
        raise refusal

    def _refusal(self, justification: str | None) -> RegisterError | None:
        unchecked = next((error for error in self.errors if error.code == UNCHECKED), None)
        if [error for error in self.errors if error is not unchecked]:
            return Invalid(self.findings)
        if self.same:
            duplicate = self.same[0]
            return Duplicate(duplicate.message, "asset", str(duplicate.seen_id) if duplicate.seen_id else None)
        if unchecked is not None:
            return TooManyRequests(unchecked.message, self.wait_s)
        if self.warnings and not is_justification(justification):
            too_short = [finding("JUST-01", justification)] if (justification or "").strip() else []
            return Invalid([*too_short, *self.warnings])
        return None

    def withhold(self, reply: Reply) -> None:
        """Take out what a reply leaves open."""
        hidden = {entry for entry in self.unseen if is_withheld(reply, entry[0])}
        self.findings = [entry for entry in self.findings if (entry.code, entry.field, entry.given) not in hidden]
        self.same = [entry for entry in self.same if entry.seen_id is not None or not is_withheld(reply, entry.code)]
        self.unseen -= hidden
        self.reply = reply


def conform(
    actor: Actor, raw: Mapping[str, object], asset: Asset | None = None, *, effective_date_changed: bool = False
) -> Conformance:
    """Hold values against every rule: a new asset, or `asset` with the values it would have.

    What it says of other providers' records is to be disclosed by `disclose` or `disclose_after_reading` before anybody
    reads it. Raises Refused when the actor's own organisation may not register assets at all.
    """
    current = catalogue(asset)
    clean = {term: _storable(value) for term, value in raw.items()}
    context = rule_context(asset, effective_date_changed=effective_date_changed, current=current)
    checked = check_asset(clean, context)
    version = asset.schema_version if asset else current.schema_versions.get(checked.values["AssetCategory"] or "", 1)
    result = Conformance(checked.values, list(checked.findings), set(checked.derived), version)
    hold_against_register(actor, [result], [asset])
    return result


def disclose(actor: Actor, result: Conformance) -> None:
    """Leave in a result what may be told of other providers' records, and count it; inside an operation that writes."""
    _settle_reply(actor, result, answer_questions(actor, [result.question])[0])


def disclose_after_reading(actor: Actor, result: Conformance) -> None:
    """Leave in a result what may be told of other providers' records, and count it; once the operation that read has ended."""
    _settle_reply(actor, result, ask_after_reading(actor, result.question))


@operation("UC-02.01", permission="asset.lookup", writes=False, name="explain_unchecked")
def explain_unchecked(actor: Actor) -> tuple[Finding, int]:
    """Explain that the register was not asked: the finding, and the seconds until it answers again."""
    return unchecked_finding(actor), retry_after(actor)


def _settle_reply(actor: Actor, result: Conformance, reply: Reply) -> None:
    result.asked_by = actor
    result.withhold(reply)
    if reply.leaves_open(result.question):
        unchecked, result.wait_s = explain_unchecked(actor)
        result.findings.append(unchecked)


def _storable(value: object) -> object:
    """Text without what no database keeps: NUL characters and halves of surrogate pairs."""
    if isinstance(value, str):
        return normal_text(value)
    if isinstance(value, Mapping):
        return {str(_storable(str(name))): _storable(item) for name, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, bytes):
        return [_storable(item) for item in value]
    return value


def hold_against_register(actor: Actor, results: Sequence[Conformance], assets: Sequence[Asset | None]) -> None:
    """Fill in the parties of checked candidates, and add what the register says of them; `assets` are those they change.

    Raises Refused when the actor's own organisation may not register assets at all.
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
    unseen = find_unseen(actor, matches)
    for row, code, term, given in unseen:
        results[row].unseen.add((code, term, given))
    current = [_keys_of_asset(asset) if asset else None for asset in assets]
    for result, question in zip(results, build_questions(candidates, current, unseen), strict=True):
        result.question = question


def _keys_of_asset(asset: Asset) -> AssetKeys:
    return AssetKeys(
        name=asset.asset_name,
        provider=str(asset.service_provider_id),
        serial=key_of(asset.serial_number),
        maker=key_of(asset.manufacturer),
        friendly_code=asset.friendly_code,
        import_mpan=asset.import_mpan,
        export_mpan=asset.export_mpan,
        category=asset.asset_category,
        rated=asset.rated_capacity,
        aliases=[(pair["scheme"], pair["value"]) for pair in asset.aliases],
    )


def _party_values(result: Conformance, asset: Asset | None) -> PartyValues:
    values = result.values
    refused = {problem.field for problem in result.findings}
    return PartyValues(
        values["ServiceProviderId"], values["OrganisationId"], bool(values["ConsumerOwned"]), refused, asset
    )

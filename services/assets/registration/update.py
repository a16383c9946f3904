"""Changing an asset (UC-02.03): version by version, by the same rules; a material change is checked again."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from models.assets import ENDED_STATUSES, STATUS_LABELS, Asset, AssetStatus
from models.events import EventType
from services.assets.registration.drafts import drop_draft
from services.assets.registration.lifecycle import ASSET_LIFE_CYCLE, move
from services.assets.registration.record import (
    IDENTITIES,
    INPUT_ONLY,
    STORED_TERMS,
    add_justifications,
    as_terms,
    conflict,
    fill_record,
    index_aliases,
)
from services.assets.registration.shared_meters import tell_shared
from services.assets.registration.validation import Conformance, conform, disclose, disclose_after_reading
from services.assets.rules.check import ASSET_RULES, finding
from services.assets.rules.prepare import MPAN_TERMS
from services.assets.rules.schemas import ATTRIBUTES_TERM, CORE
from services.core.errors import Finding, Refused
from services.core.identity.actor import Actor
from services.core.identity.visibility import reach
from services.core.jobs.outbox import emit_for_asset
from services.core.ledger.history import as_of
from services.core.operation import operation
from services.core.register_settings import setting
from services.core.transaction import current_session

CAPACITIES = ("RatedCapacity", "GenCapacity", "DemandCapacity")
ALWAYS_MATERIAL = ("ImportMPAN", "ExportMPAN", "ConnectionStatus", "ConnectionType", "DNOConnection")
LOCATION = ("Latitude", "Longitude", "Postcode")
POSITION = ("Latitude", "Longitude")
# Warnings that hang on more than the field they stand beside.
ALSO_CONCERNS = {
    "POS-12": POSITION,
    "POS-18": POSITION,
    "POS-19": (*POSITION, "DNOConnection"),
    "POS-20": (*POSITION, "DNOConnection"),
    "POS-21": ("DNOConnection",),
    "DNO-05": ("ImportMPAN", "ExportMPAN"),
}
Changes = dict[str, tuple[Any, Any]]


@dataclass(frozen=True, slots=True)
class Preview:
    """Preview of a change: each term's (before, after), whether it is material and why, and the findings."""

    changes: Changes
    material: bool
    reasons: list[str]
    findings: list[Finding]


@operation("UC-02.03", permission="asset.update", name="update_asset")
def update_asset(
    actor: Actor,
    asset_id: UUID,
    values: Mapping[str, object],
    version: int,
    *,
    justification: str | None = None,
    draft_id: UUID | None = None,
) -> Asset:
    """Change the terms that `values` names (None or empty clears one), from the version the actor read.

    Raises Conflict when somebody changed it since, Invalid with every finding (warnings about what changes need a
    `justification`), Duplicate, Refused when the asset has ended, TooManyRequests when the organisation's look-ups of this hour
    are used up and an MPAN, a device or an alias changes. Values that change nothing make no new version.
    A material change sends a verified or queried asset back to Pending Validation; its checks run again.
    """
    asset = reach(Asset, actor, asset_id, "asset.update")
    if asset.version != version:
        raise conflict(asset, version)
    checked, changes = _propose(actor, asset, values)
    disclose(actor, checked)
    checked.accept(justification)
    drop_draft(actor, draft_id)
    if not changes:
        return asset
    reasons = write_change(actor, asset, checked, changes, justification)
    current_session().flush()
    emit_for_asset(EventType.ASSET_CHANGED, asset, change_payload(asset, changes, reasons))
    return asset


def write_change(
    actor: Actor, asset: Asset, checked: Conformance, changes: Changes, justification: str | None
) -> list[str]:
    """Bring an accepted change into the record; why it is material. `change_payload` is what its event says, once saved."""
    reasons = material_reasons(asset, changes)
    fill_record(asset, checked.values, checked.derived)
    if checked.warnings:
        asset.justifications = add_justifications(actor, asset.justifications, checked.warnings, justification)
    if reasons and ASSET_LIFE_CYCLE.can(asset.status, "update_asset"):
        move(asset, AssetStatus.PENDING_VALIDATION, "update_asset", f"Changed: {'; '.join(reasons)}.")
    if "Aliases" in changes:
        index_aliases(asset)
    moved = {checked.values[term] for term in MPAN_TERMS if term in changes}
    shared = [(other, mpan) for other, mpan in checked.shared if mpan in moved]
    tell_shared(asset, shared, own=checked.reply is None or checked.reply.meter)
    return reasons


def change_payload(asset: Asset, changes: Changes, reasons: list[str]) -> dict[str, Any]:
    """The payload of a change's event."""
    return {"version": asset.version, "material": bool(reasons), "fields": sorted(changes), "reasons": reasons}


@operation("UC-02.03", permission="asset.update", writes=False, name="change_preview")
def _propose_change(
    actor: Actor, asset_id: UUID, values: Mapping[str, object]
) -> tuple[Conformance, Changes, list[str]]:
    """Propose a change without making it: what the rules say, what would change, and why it is material."""
    asset = reach(Asset, actor, asset_id, "asset.update", lock=False)
    checked, changes = _propose(actor, asset, values)
    return checked, changes, material_reasons(asset, changes)


def change_preview(actor: Actor, asset_id: UUID, values: Mapping[str, object]) -> Preview:
    """Preview `update_asset` with these values, without changing anything."""
    checked, changes, reasons = _propose_change(actor, asset_id, values)
    disclose_after_reading(actor, checked)
    duplicates = [duplicate.as_finding() for duplicate in checked.same]
    return Preview(changes, bool(reasons), reasons, [*checked.errors, *duplicates, *checked.warnings])


def _propose(actor: Actor, asset: Asset, values: Mapping[str, object]) -> tuple[Conformance, Changes]:
    """The asset as it would be, held against the rules, and what would change. Raises Refused when it has ended."""
    require_open(asset)
    checked = conform(actor, merge_terms(asset, values), asset, effective_date_changed=moves_date(asset, values))
    return checked, settle_changes(asset, values, checked)


def require_open(asset: Asset) -> None:
    """Raise Refused when the asset has ended: its record is closed."""
    if asset.status in ENDED_STATUSES:
        raise Refused(f"The asset is {STATUS_LABELS[asset.status]}: its record is closed. Register it anew instead.")


def settle_changes(asset: Asset, values: Mapping[str, object], checked: Conformance) -> Changes:
    """Changes that checked values make; leaves in `checked` the findings that concern the change."""
    _keep_position(asset, values, checked)
    checked.findings += _unchangeable(asset, checked)
    changes = _changes(asset, checked.values)
    checked.findings = [
        finding
        for finding in checked.findings
        if finding in checked.errors or {finding.field, *ALSO_CONCERNS.get(finding.code, ())} & set(changes)
    ]
    return changes


def moves_date(asset: Asset, values: Mapping[str, object]) -> bool:
    """True where values name another effective date than the asset has."""
    return "EffectiveDate" in values and str(values["EffectiveDate"]).strip() != asset.effective_date.isoformat()


def merge_terms(asset: Asset, values: Mapping[str, object]) -> dict[str, object]:
    """Merge what was declared before with what is given now, as terms to be handed in.

    Terms that the register had worked out are left out, so that they are worked out anew from what changes.
    """
    derived = asset.derived_terms
    if asset.position_source == "eastings":
        derived = [term for term in derived if term not in POSITION]
    terms = as_terms(asset)
    raw: dict[str, object] = {term: terms[term] for term in CORE if term in terms and term not in derived}
    attributes: dict[str, object] = dict(asset.category_attributes)
    nested = values.get(ATTRIBUTES_TERM)
    for name, value in values.items():
        if name in asset.category_attributes and name not in CORE:
            attributes[name] = value
        elif name != ATTRIBUTES_TERM or not isinstance(nested, Mapping):
            raw[name] = value
    attributes |= {str(name): value for name, value in nested.items()} if isinstance(nested, Mapping) else {}
    if not isinstance(raw.get(ATTRIBUTES_TERM), str):
        raw[ATTRIBUTES_TERM] = {name: value for name, value in attributes.items() if value is not None}
    if any(values.get(term) not in (None, "") for term in INPUT_ONLY) and not any(term in values for term in POSITION):
        raw = {term: value for term, value in raw.items() if term not in POSITION}
    return raw


def _keep_position(asset: Asset, values: Mapping[str, object], checked: Conformance) -> None:
    """A position that was converted from eastings stays known as such while nobody gives another."""
    same = (checked.values["Latitude"], checked.values["Longitude"]) == (asset.latitude, asset.longitude)
    if asset.position_source == "eastings" and same and not any(term in values for term in POSITION):
        checked.values["PositionSource"] = "eastings"
        checked.derived |= set(POSITION) & set(asset.derived_terms)


def _unchangeable(asset: Asset, checked: Conformance) -> list[Finding]:
    """Findings on values that are settled at registration, with the way that there is instead."""
    values = checked.values
    findings: list[Finding] = []
    if values["AssetCategory"] != asset.asset_category:
        findings.append(finding("CAT-05", values["AssetCategory"]))
    if values["ServiceProviderId"] != str(asset.service_provider_id):
        message = "The provider of an asset changes by a switch, with the owner's consent, not by an update."
        findings.append(ASSET_RULES["OWN-05"].finding(values["ServiceProviderId"], message=message))
    if values["ConsumerOwned"] != asset.consumer_owned:
        message = "Whether a consumer owns it is settled at registration: de-register this asset and register it anew."
        findings.append(ASSET_RULES["CONSENT-01"].finding(values["ConsumerOwned"], message=message))
    elif values["ConsentReference"] != asset.consent_reference and asset.status != AssetStatus.AWAITING_CONSENT_CHECK:
        message = "The consent of this asset has been checked: another one is given to the consent solution, not here."
        findings.append(ASSET_RULES["CONSENT-04"].finding(values["ConsentReference"], message=message))
    return findings


def _changes(asset: Asset, values: Mapping[str, Any]) -> Changes:
    """(before, after) of each term that would change; category attributes by their own names."""
    changes: Changes = {}
    for term, column in STORED_TERMS.items():
        before: Any = getattr(asset, column)
        after = values[term]
        if term in IDENTITIES:
            before = None if before is None else str(before)
        if term == ATTRIBUTES_TERM:
            names = {**before, **after}
            changes |= {n: (before.get(n), after.get(n)) for n in names if before.get(n) != after.get(n)}
        elif before != after:
            changes[term] = (before, after)
    return changes


def material_reasons(asset: Asset, changes: Changes) -> list[str]:
    """Why changes of the asset are material (UC-02.03), in words; empty when they aren't. Inside an operation.

    A capacity is held against what it was, and against what it was when the asset got its status: small steps add up.
    """
    moved = [term for term in CAPACITIES if term in changes]
    reasons = _moves(asset, moved, changes) if moved else []
    reasons += [f"{_label(term)} changes" for term in ALWAYS_MATERIAL if term in changes]
    if any(term in changes for term in LOCATION):
        reasons.append("the location changes")
    return reasons


def _moves(asset: Asset, terms: list[str], changes: Changes) -> list[str]:
    """The capacities that move too far, with how far."""
    limit = setting("asset.material_change_percent")
    checked = as_of(Asset, asset.id, asset.status_since) if asset.status_since else None
    reasons: list[str] = []
    for term in terms:
        current, after = (value or Decimal(0) for value in changes[term])
        verified = getattr(checked, STORED_TERMS[term]) or Decimal(0) if checked else current
        percents = [abs(after - before) / before * 100 if before else None for before in (current, verified)]
        if None in percents and after:
            reasons.append(f"{CORE[term].label.lower()} moves from nothing")
        elif (percent := max(share or Decimal(0) for share in percents)) > limit:
            reasons.append(f"{CORE[term].label.lower()} moves by {percent:.1f} %, more than {limit.normalize():f} %")
    return reasons


def _label(term: str) -> str:
    label = CORE[term].label
    return label if label.split()[-1].isupper() else label.lower()

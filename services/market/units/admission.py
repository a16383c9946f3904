"""Admission of assets to a market unit (UC-03.01): every obstacle at once, for any number of assets in a few queries."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import String, select, type_coerce
from sqlmodel import col

from models.assets import STATUS_LABELS, Asset, AssetStatus
from models.products import FAMILY_LABELS, Family
from models.units import MarketUnit
from services.core.audit_context import WRITES
from services.core.errors import Blocker, Finding, Invalid, Refused
from services.core.identity.actor import Actor
from services.core.identity.visibility import visible
from services.core.transaction import current_session
from services.market.units.available_assets import MAX_ASSETS_AT_ONCE
from services.market.units.members import UnitMembership, batches, current_memberships

LISTED = 20
"""Assets with the same fault that get a finding each; the others are summed up in one more."""
FIELD = "Assets"


@dataclass(slots=True)
class Admission:
    """The admission of some assets to a unit: those that may go in, and what stands in the way of the others."""

    accepted: list[UUID] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    blockers: list[Blocker] = field(default_factory=list)
    """Units of the same family that have some of the assets already."""
    refused: list[UUID] = field(default_factory=list)
    """Assets that can't go in."""

    def require(self, other_findings: Sequence[Finding] = (), message: str = "") -> None:
        """Raise every obstacle: Invalid with all findings, or Refused with the units where they are the only obstacle."""
        if other_findings or self.findings:
            raise Invalid([*other_findings, *self.all_findings()])
        if self.blockers:
            raise Refused(message or "Some of the assets are in another unit of the same family.", self.blockers)

    def all_findings(self) -> list[Finding]:
        """Return the findings, with one for each blocker: for a preview, which raises nothing."""
        taken = [
            Finding("UNIT-08", FIELD, blocker.label, _FREE, f"{blocker.label}. {blocker.action}")
            for blocker in self.blockers
        ]
        return [*self.findings, *taken]


_FREE = "Assets that are in no other active unit of the family"


def check_admission(
    actor: Actor, family: Family | None, asset_ids: Sequence[UUID], unit: MarketUnit | None = None
) -> Admission:
    """Check assets for admission to a unit of the actor's organisation, a new one without `unit`; inside an operation.

    Each must be visible to the actor, managed by its organisation, Verified, and in no other active unit of the family.
    An asset that the unit has already is passed over.
    """
    admission = Admission()
    distinct_ids = list(dict.fromkeys(asset_ids))
    if len(distinct_ids) > MAX_ASSETS_AT_ONCE:
        message = (
            f"{len(distinct_ids):,} assets are too many at once. Put in {MAX_ASSETS_AT_ONCE:,}, then add the others."
        )
        admission.findings.append(
            Finding("UNIT-09", FIELD, f"{len(distinct_ids):,}", f"At most {MAX_ASSETS_AT_ONCE:,} assets", message)
        )
        return admission
    rows = _load_rows(actor, distinct_ids)
    current_members = (
        {member.asset_id: member for member in current_memberships(distinct_ids, family=family)} if family else {}
    )
    problems: dict[str, list[str]] = {}
    for asset_id in distinct_ids:
        row = rows.get(asset_id)
        if row is None:
            problems.setdefault("UNIT-05", []).append(str(asset_id))
        elif row.service_provider_id != (unit.service_provider_id if unit else actor.organisation_id):
            problems.setdefault("UNIT-07", []).append(f"{row.asset_name} ({asset_id})")
        elif row.status != AssetStatus.VERIFIED:
            label = STATUS_LABELS[AssetStatus(row.status)]
            problems.setdefault("UNIT-06", []).append(f"{row.asset_name} ({asset_id}) is {label}")
        elif asset_id not in current_members:
            admission.accepted.append(asset_id)
    admission.findings += [finding for code, labels in problems.items() for finding in _list_findings(code, labels)]
    accepted = set(admission.accepted)
    members_already = {
        asset_id for asset_id, member in current_members.items() if unit is not None and member.unit_id == unit.id
    }
    admission.refused = [
        asset_id for asset_id in distinct_ids if asset_id not in accepted and asset_id not in members_already
    ]
    by_unit: dict[UUID, list[UnitMembership]] = {}
    for asset_id, member in current_members.items():
        if asset_id in rows and (unit is None or member.unit_id != unit.id):
            by_unit.setdefault(member.unit_id, []).append(member)
    admission.blockers = [_unit_blocker(members) for members in by_unit.values()]
    return admission


def _load_rows(actor: Actor, asset_ids: Sequence[UUID]) -> dict[UUID, Any]:
    """Load the columns that decide, of the assets that the actor sees; locked until a write commits."""
    session = current_session()
    columns = (col(Asset.id), col(Asset.asset_name), type_coerce(col(Asset.status), String).label("status"))
    query = select(*columns, col(Asset.service_provider_id)).where(visible(Asset, actor))
    if session.info.get(WRITES):
        query = query.with_for_update(read=True)
    rows: dict[UUID, Any] = {}
    for batch in batches(asset_ids):
        rows |= {row.id: row for row in session.execute(query.where(col(Asset.id).in_(batch)))}
    return rows


_REFUSALS = {
    "UNIT-05": ("An asset that you may see", "No asset with the identifier {} that you may see."),
    "UNIT-06": ("A Verified asset", "{}: only Verified assets go into a unit. Leave it out until it is."),
    "UNIT-07": ("An asset that the unit's FSP manages", "{} is managed by another provider. Leave it out."),
}


def _list_findings(code: str, labels: Sequence[str]) -> list[Finding]:
    expected, message = _REFUSALS[code]
    findings = [Finding(code, FIELD, label, expected, message.format(label)) for label in labels[:LISTED]]
    if more := len(labels) - LISTED:
        rest = f"The same holds for {more:,} more." if more > 0 else ""
        findings += [Finding(code, FIELD, f"{more:,} more", expected, rest)] if rest else []
    return findings


def _unit_blocker(members: Sequence[UnitMembership]) -> Blocker:
    """Name one unit that has some of the assets already, with its link."""
    first, further = members[0], len(members) - 1
    names = first.asset_name + (f" and {further:,} more" if further else "")
    verb = "are" if further else "is"
    label = f"{names} {verb} in {first.name} ({first.code}) already"
    family = FAMILY_LABELS[first.family]
    action = (
        f"An asset is in one {family} unit at a time: take {'them' if further else 'it'} out there first, or leave out."
    )
    return Blocker("market_unit", str(first.unit_id), label, action)

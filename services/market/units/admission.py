"""Whether assets may go into a unit (UC-03.01): all that stands in the way at once, in one look for any number of them."""

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
from services.market.units.available_assets import AT_ONCE
from services.market.units.members import memberships_now, runs

TOLD = 20
"""Of assets that are wrong in the same way, so many are told one by one."""
FIELD = "Assets"


@dataclass(slots=True)
class Examined:
    """Assets that may go in, and what stands in the way of the others."""

    accepted: list[UUID] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    blockers: list[Blocker] = field(default_factory=list)
    """Units of the same family that have some of the assets already."""
    refused: list[UUID] = field(default_factory=list)
    """Assets that can't go in."""

    def require(self, others: Sequence[Finding] = (), words: str = "") -> None:
        """Raise everything that stands in the way: Invalid, or Refused with the units where that is all there is."""
        if others or self.findings:
            taken = [Finding("UNIT-08", FIELD, one.label, _FREE, f"{one.label}. {one.action}") for one in self.blockers]
            raise Invalid([*others, *self.findings, *taken])
        if self.blockers:
            raise Refused(words or "Some of the assets are in another unit of the same family.", self.blockers)

    def all_findings(self) -> list[Finding]:
        """The same as findings, for who only looks."""
        taken = [Finding("UNIT-08", FIELD, one.label, _FREE, f"{one.label}. {one.action}") for one in self.blockers]
        return [*self.findings, *taken]


_FREE = "Assets that are in no other active unit of the family"


def examine(actor: Actor, family: Family | None, asset_ids: Sequence[UUID], unit: MarketUnit | None = None) -> Examined:
    """Hold assets against what a unit of the actor's organisation may hold; inside an operation.

    They must be there for the actor, be managed by its organisation, be Verified, and be in no other active unit of the
    family. An asset that the unit has already is passed over.
    """
    found = Examined()
    wanted = list(dict.fromkeys(asset_ids))
    if len(wanted) > AT_ONCE:
        message = f"{len(wanted):,} assets are too many at once. Put in {AT_ONCE:,}, then add the others."
        found.findings.append(Finding("UNIT-09", FIELD, f"{len(wanted):,}", f"At most {AT_ONCE:,} assets", message))
        return found
    rows = _rows(actor, wanted)
    inside = {one.asset_id: one for one in memberships_now(wanted, family=family)} if family else {}
    problems: dict[str, list[str]] = {}
    for asset_id in wanted:
        row = rows.get(asset_id)
        if row is None:
            problems.setdefault("UNIT-05", []).append(str(asset_id))
        elif row.service_provider_id != (unit.service_provider_id if unit else actor.organisation_id):
            problems.setdefault("UNIT-07", []).append(f"{row.asset_name} ({asset_id})")
        elif row.status != AssetStatus.VERIFIED:
            label = STATUS_LABELS[AssetStatus(row.status)]
            problems.setdefault("UNIT-06", []).append(f"{row.asset_name} ({asset_id}) is {label}")
        elif asset_id not in inside:
            found.accepted.append(asset_id)
    found.findings += [finding for code, given in problems.items() for finding in _told(code, given)]
    accepted = set(found.accepted)
    passed = {one for one in wanted if unit is not None and one in inside and inside[one].unit_id == unit.id}
    found.refused = [one for one in wanted if one not in accepted and one not in passed]
    clashes = [one for asset_id, one in inside.items() if asset_id in rows and (unit is None or one.unit_id != unit.id)]
    by_unit: dict[UUID, list[Any]] = {}
    for one in clashes:
        by_unit.setdefault(one.unit_id, []).append(one)
    found.blockers = [_clash(some) for some in by_unit.values()]
    return found


def _rows(actor: Actor, wanted: Sequence[UUID]) -> dict[UUID, Any]:
    """What decides, of those that the actor sees; held until the change is written, so that none is lost meanwhile."""
    session = current_session()
    columns = (col(Asset.id), col(Asset.asset_name), type_coerce(col(Asset.status), String).label("status"))
    chosen = select(*columns, col(Asset.service_provider_id)).where(visible(Asset, actor))
    if session.info.get(WRITES):
        chosen = chosen.with_for_update(read=True)
    rows: dict[UUID, Any] = {}
    for some in runs(wanted):
        rows |= {row.id: row for row in session.execute(chosen.where(col(Asset.id).in_(some)))}
    return rows


_EXPECTED = {
    "UNIT-05": ("An asset that you may see", "No asset with the identifier {} that you may see."),
    "UNIT-06": ("A Verified asset", "{}: only Verified assets go into a unit. Leave it out until it is."),
    "UNIT-07": ("An asset that the unit's FSP manages", "{} is managed by another provider. Leave it out."),
}


def _told(code: str, given: Sequence[str]) -> list[Finding]:
    expected, message = _EXPECTED[code]
    told = [Finding(code, FIELD, one, expected, message.format(one)) for one in given[:TOLD]]
    if more := len(given) - TOLD:
        rest = f"The same holds for {more:,} more." if more > 0 else ""
        told += [Finding(code, FIELD, f"{more:,} more", expected, rest)] if rest else []
    return told


def _clash(some: Sequence[Any]) -> Blocker:
    """One unit that has assets already, for its link."""
    first, rest = some[0], len(some) - 1
    which = first.asset_name + (f" and {rest:,} more" if rest else "")
    verb = "are" if rest else "is"
    label = f"{which} {verb} in {first.name} ({first.code}) already"
    family = FAMILY_LABELS[first.family]
    action = (
        f"An asset is in one {family} unit at a time: take {'them' if rest else 'it'} out there first, or leave out."
    )
    return Blocker("market_unit", str(first.unit_id), label, action)

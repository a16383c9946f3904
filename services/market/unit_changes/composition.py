"""Composition of market units (UC-03.01, UC-03.03): create a unit, change its assets; each with a preview by the same rules."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

import polars as pl
from sqlalchemy import select
from sqlmodel import col

from models.events import EventType
from models.products import Family
from models.units import MarketUnit, UnitStatus
from services.assets.filters import AssetFilters
from services.assets.registration.parties import active_parties, require_provider
from services.core.clock import now
from services.core.errors import Blocker, Duplicate, Finding, Refused
from services.core.identity.actor import Actor
from services.core.identity.visibility import reach
from services.core.operation import operation
from services.core.text import clean_line
from services.core.transaction import current_session
from services.market.qualification.lifecycle import require_reassessment
from services.market.qualification.material_change import AffectedQualification, find_affected, find_material_reasons
from services.market.units.admission import Admission, check_admission
from services.market.units.available_assets import find_free_assets
from services.market.units.capability import measure_assets, sum_units
from services.market.units.members import add_members, current_assets, end_members
from services.market.units.totals import Totals, load_assets_by_id, recount_units, totals_from_row
from services.market.units.units import UnitDetails, emit_for_unit, load_details, version_conflict

CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_./-]{0,39}")
LONGEST_NAME = 255
FIELD = "Assets"


@dataclass(frozen=True, slots=True)
class CompositionPreview:
    """A preview of a change of a unit's assets. `before` is None for a new unit, `after` where nothing would be left.

    `reasons` say why the change is material; then each of `affected` becomes Re-assessment Required. `findings` and
    `blockers` stand in the way.
    """

    before: Totals | None
    after: Totals | None
    added: int
    removed: int
    reasons: Sequence[str] = ()
    affected: Sequence[AffectedQualification] = ()
    findings: Sequence[Finding] = ()
    blockers: Sequence[Blocker] = ()
    refused: Sequence[UUID] = ()
    """The assets that can't go in."""
    areas: Sequence[tuple[str, str, int]] = ()
    """Licence area, GSP group (empty: none) and number of assets there, after the change."""

    @property
    def material(self) -> bool:
        """True when the change is material: the unit's qualifications would be assessed again."""
        return bool(self.reasons)

    @property
    def sentence(self) -> str:
        """The effect on qualifications, as a sentence to read before confirming."""
        if not self.reasons:
            return "The change isn't material: what the unit is qualified for stays."
        because = "; ".join(self.reasons)
        if not self.affected:
            return f"The change is material, because {because}. The unit isn't qualified for anything yet: nobody is asked."
        where = "; ".join(sorted({f"{affected.operator} ({affected.product_code})" for affected in self.affected}))
        return f"This makes the unit Re-assessment Required at {where}, because {because}."


@operation("UC-03.01", permission="unit.manage", name="create_unit")
def create_unit(
    actor: Actor,
    *,
    name: str,
    code: str,
    family: str,
    asset_ids: Sequence[UUID] = (),
    filters: AssetFilters | None = None,
) -> UnitDetails:
    """Create a unit of Verified assets of the actor's organisation: those named, and all free ones that pass `filters`.

    At most 10,000 at once. Raises Invalid with every finding, Refused naming the units that have some of the assets already,
    Duplicate for a code that the organisation has used before.
    """
    require_provider(actor, active_parties(actor.organisation_id))
    findings, kind = _check_description(name, code, family)
    selected_ids = _collect_asset_ids(actor, kind, asset_ids, filters)
    admission = check_admission(actor, kind, selected_ids)
    if not selected_ids:
        findings.append(_no_assets_finding(filters))
    existing = _find_unit_by_code(actor.organisation_id, code.strip())
    if existing and (findings or admission.findings):
        findings.append(Finding("UNIT-02", "UnitCode", code, "A code of its own", _code_taken_message(existing)))
    admission.require(findings)
    if existing:
        raise Duplicate(_code_taken_message(existing), "market_unit", str(existing.id))
    assert kind is not None
    assert actor.organisation_id is not None
    moment = now()
    unit = MarketUnit(
        service_provider_id=actor.organisation_id,
        code=code.strip(),
        name=clean_line(name),
        family=kind,
        status=UnitStatus.ACTIVE,
        status_since=moment,
    )
    current_session().add(unit)
    current_session().flush()
    add_members(unit, admission.accepted, moment)
    recount_units([unit.id], added=len(admission.accepted))
    emit_for_unit(EventType.MARKET_UNIT_CREATED, unit, {"code": unit.code, "assets": len(admission.accepted)})
    return load_details(unit)


def _check_description(name: str, code: str, family: str) -> tuple[list[Finding], Family | None]:
    findings: list[Finding] = []
    if not CODE.fullmatch(code.strip()):
        expected = "1 to 40 letters, digits and - _ . /, beginning with a letter or digit"
        findings.append(Finding("UNIT-01", "UnitCode", code[:80], expected, f"The code needs {expected}."))
    if not 1 <= len(clean_line(name)) <= LONGEST_NAME or "\x00" in name:
        expected = f"1 to {LONGEST_NAME} characters"
        findings.append(Finding("UNIT-03", "UnitName", name[:80], expected, "Give the unit a name."))
    kind = Family(family) if family in set(Family) else None
    if kind is None:
        expected = f"One of {', '.join(Family)}"
        findings.append(Finding("UNIT-10", "Family", family[:40], expected, "Choose what the unit is offered for."))
    return findings, kind


def _collect_asset_ids(
    actor: Actor, family: Family | None, asset_ids: Sequence[UUID], filters: AssetFilters | None
) -> Sequence[UUID]:
    if filters is None or family is None:
        return asset_ids
    return list(dict.fromkeys([*asset_ids, *find_free_assets(actor, filters, family)]))


def _no_assets_finding(filters: AssetFilters | None) -> Finding:
    passing = "No asset that passes the filter is Verified and free. " if filters is not None else ""
    return Finding("UNIT-04", FIELD, None, "One or more Verified assets", f"{passing}A unit needs at least one asset.")


def _find_unit_by_code(provider: UUID | None, code: str) -> MarketUnit | None:
    same = (col(MarketUnit.service_provider_id) == provider, col(MarketUnit.code) == code)
    return current_session().scalar(select(MarketUnit).where(*same))


def _code_taken_message(unit: MarketUnit) -> str:
    return f"The code {unit.code} is that of {unit.name} already. Codes are never used again: choose another one."


@operation("UC-03.01", permission="unit.manage", writes=False, name="preview_unit")
def preview_unit(
    actor: Actor, family: str, *, asset_ids: Sequence[UUID] = (), filters: AssetFilters | None = None
) -> CompositionPreview:
    """Preview a new unit of these assets: for the basket, while it is filled. Writes nothing.

    Assets that can't go in appear in `findings` and `blockers`, and aren't counted.
    """
    kind = Family(family) if family in set(Family) else None
    selected_ids = _collect_asset_ids(actor, kind, asset_ids, filters)
    admission = check_admission(actor, kind, selected_ids)
    return _build_preview(None, admission, [], admission.accepted, ())


@operation("UC-03.03", permission="unit.manage", writes=False, name="preview_composition")
def preview_composition(
    actor: Actor,
    unit_id: UUID,
    *,
    add: Sequence[UUID] = (),
    remove: Collection[UUID] = (),
    filters: AssetFilters | None = None,
) -> CompositionPreview:
    """Preview `update_composition`: totals before and after, the SOs that would assess the unit again, and why."""
    unit = reach(MarketUnit, actor, unit_id, "unit.manage", lock=False)
    _require_active(unit)
    selected_ids = _collect_asset_ids(actor, unit.family, add, filters)
    admission = check_admission(actor, unit.family, selected_ids, unit)
    members = current_assets(unit_id)
    findings = _find_non_members(members, remove)
    new = [asset_id for asset_id in admission.accepted if asset_id not in set(members)]
    assets = [asset_id for asset_id in members if asset_id not in set(remove)] + new
    return _build_preview(unit.id, admission, findings, assets, remove, len(new))


def _build_preview(
    unit_id: UUID | None,
    admission: Admission,
    findings: Sequence[Finding],
    assets: Sequence[UUID],
    remove: Collection[UUID],
    added: int | None = None,
) -> CompositionPreview:
    before = _current_totals(current_assets(unit_id)) if unit_id else None
    contributions = measure_assets(load_assets_by_id(assets))
    after = _first_totals(contributions)
    reasons = find_material_reasons(before, after, unit_id) if after else []
    places = contributions.group_by("dno_code", "gsp_group").len().sort("len", descending=True)
    return CompositionPreview(
        before=before,
        after=after,
        added=len(assets) if added is None else added,
        removed=len(set(remove)),
        reasons=reasons,
        affected=find_affected(unit_id) if unit_id and reasons else (),
        findings=[
            *findings,
            *admission.findings,
            *([_last_asset_finding(unit_id)] if unit_id and after is None else []),
        ],
        blockers=admission.blockers,
        refused=admission.refused,
        areas=[(dno or "", group or "", count) for dno, group, count in places.iter_rows()],
    )


def _current_totals(assets: Sequence[UUID]) -> Totals | None:
    return _first_totals(measure_assets(load_assets_by_id(assets)))


def _first_totals(contributions: pl.DataFrame) -> Totals | None:
    rows = sum_units(contributions).to_dicts()
    return totals_from_row(rows[0]) if rows else None


def _last_asset_finding(unit_id: UUID) -> Finding:
    message = "Its last asset can't be taken out. De-register the unit instead, if it isn't offered any more."
    return Finding("UNIT-11", FIELD, str(unit_id), "At least one asset stays", message)


def _find_non_members(members: Sequence[UUID], remove: Collection[UUID]) -> list[Finding]:
    strangers = sorted(set(remove) - set(members), key=str)
    expected = "An asset that is in the unit now"
    return [
        Finding("UNIT-12", FIELD, str(asset_id), expected, f"{asset_id} isn't in this unit.")
        for asset_id in strangers[:20]
    ]


def _require_active(unit: MarketUnit) -> None:
    if unit.status is not UnitStatus.ACTIVE:
        raise Refused(f"{unit.name} ({unit.code}) is de-registered: its record is closed. Build a new unit instead.")


@operation("UC-03.03", permission="unit.manage", name="update_composition")
def update_composition(
    actor: Actor,
    unit_id: UUID,
    version: int,
    *,
    add: Sequence[UUID] = (),
    remove: Collection[UUID] = (),
    filters: AssetFilters | None = None,
    name: str | None = None,
) -> UnitDetails:
    """Add assets to a unit, remove others, and rename it, from the version the actor read.

    A material change makes its qualifications Re-assessment Required. Raises Conflict when somebody changed it since, Invalid
    with every finding, Refused where units of the family have some of the assets, for the last asset, and for a unit that is
    de-registered.
    """
    unit = reach(MarketUnit, actor, unit_id, "unit.manage")
    if unit.version != version:
        raise version_conflict(unit, version)
    _require_active(unit)
    members = set(current_assets(unit_id))
    admission = check_admission(actor, unit.family, _collect_asset_ids(actor, unit.family, add, filters), unit)
    findings = _check_description(name, unit.code, unit.family)[0] if name is not None else []
    findings += _find_non_members(list(members), remove)
    admission.require(findings)
    new = [asset_id for asset_id in admission.accepted if asset_id not in members]
    removed = set(remove)
    if not members - removed and not new:
        raise Refused(_last_asset_finding(unit_id).message)
    if name is not None:
        unit.name = clean_line(name)
    if new or removed:
        _change_members(unit, new, removed)
    current_session().flush()
    return load_details(unit)


def _change_members(unit: MarketUnit, new: Sequence[UUID], removed: Collection[UUID]) -> None:
    moment = now()
    unit.composition += 1
    add_members(unit, new, moment)
    if removed:
        end_members(unit.id, removed, moment)
    before, after = recount_units([unit.id], added=len(new), removed=len(removed))[unit.id]
    reasons = find_material_reasons(before, after, unit.id)
    payload = {"added": len(new), "removed": len(removed), "composition": unit.composition, "material": bool(reasons)}
    emit_for_unit(EventType.MARKET_UNIT_COMPOSED, unit, {**payload, "reasons": reasons})
    if reasons:
        require_reassessment(unit.id, "UNIT_CHANGED", f"Its assets were changed: {'; '.join(reasons)}.")

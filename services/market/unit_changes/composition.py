"""Making market units and changing what is in them (UC-03.01, UC-03.03): looked at first, then done by the same rules."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

from models.products import Family
from models.units import MarketUnit, UnitStatus
from services.assets.filters import AssetFilters
from services.assets.registration.parties import active_parties, require_provider
from services.core.clock import now
from services.core.errors import Blocker, Duplicate, Finding, Refused
from services.core.identity.actor import Actor
from services.core.identity.visibility import reach
from services.core.operation import operation
from services.core.transaction import current_session
from services.market.qualification.lifecycle import require_reassessment
from services.market.qualification.material_change import Affected, affected_by_change, material_reasons
from services.market.units.admission import Examined, examine
from services.market.units.available_assets import free_assets
from services.market.units.capability import of_assets, of_units
from services.market.units.members import current_assets, put_in, take_out
from services.market.units.totals import Totals, assets_by_id, recount, totals_of
from services.market.units.units import WholeUnit, conflict, emit_for_unit, whole

CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_./-]{0,39}")
LONGEST_NAME = 255
FIELD = "Assets"


@dataclass(frozen=True, slots=True)
class CompositionPreview:
    """What a change of a unit's assets would do. `before` is None for a new unit, `after` where nothing would be left.

    `reasons` say why the change is material; then each of `affected` becomes Re-assessment Required. `findings` and `blockers`
    are what stands in the way.
    """

    before: Totals | None
    after: Totals | None
    added: int
    removed: int
    reasons: Sequence[str] = ()
    affected: Sequence[Affected] = ()
    findings: Sequence[Finding] = ()
    blockers: Sequence[Blocker] = ()
    refused: Sequence[UUID] = ()
    """The assets that can't go in."""
    areas: Sequence[tuple[str, str, int]] = ()
    """Licence area, GSP group (empty: none) and assets there, as it would be."""

    @property
    def material(self) -> bool:
        """Whether what the unit is qualified for would be assessed again."""
        return bool(self.reasons)

    @property
    def sentence(self) -> str:
        """What it would mean for qualifications, as one reads it before confirming."""
        if not self.reasons:
            return "The change isn't material: what the unit is qualified for stays."
        because = "; ".join(self.reasons)
        if not self.affected:
            return f"The change is material, because {because}. The unit isn't qualified for anything yet: nobody is asked."
        where = "; ".join(sorted({f"{one.operator} ({one.product_code})" for one in self.affected}))
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
) -> WholeUnit:
    """Make a unit of Verified assets of the actor's organisation: those named, and all free ones that pass `filters`.

    At most 10,000 at once. Raises Invalid with every finding, Refused naming the units that have some of the assets already,
    Duplicate for a code that the organisation has used before.
    """
    require_provider(actor, active_parties(actor.organisation_id))
    said, kind = _described(name, code, family)
    wanted = _wanted(actor, kind, asset_ids, filters)
    examined = examine(actor, kind, wanted)
    if not wanted:
        said.append(_nothing(filters))
    existing = _same_code(actor.organisation_id, code.strip())
    if existing and (said or examined.findings):
        said.append(Finding("UNIT-02", "UnitCode", code, "A code of its own", _taken(existing)))
    examined.require(said)
    if existing:
        raise Duplicate(_taken(existing), "market_unit", str(existing.id))
    assert kind is not None
    assert actor.organisation_id is not None
    moment = now()
    unit = MarketUnit(
        service_provider_id=actor.organisation_id,
        code=code.strip(),
        name=" ".join(name.split()),
        family=kind,
        status=UnitStatus.ACTIVE,
        status_since=moment,
    )
    current_session().add(unit)
    current_session().flush()
    put_in(unit, examined.accepted, moment)
    recount([unit.id], added=len(examined.accepted))
    emit_for_unit("market_unit.created", unit, {"code": unit.code, "assets": len(examined.accepted)})
    return whole(unit)


def _described(name: str, code: str, family: str) -> tuple[list[Finding], Family | None]:
    found: list[Finding] = []
    if not CODE.fullmatch(code.strip()):
        expected = "1 to 40 letters, digits and - _ . /, beginning with a letter or digit"
        found.append(Finding("UNIT-01", "UnitCode", code[:80], expected, f"The code needs {expected}."))
    if not 1 <= len(" ".join(name.split())) <= LONGEST_NAME or "\x00" in name:
        expected = f"1 to {LONGEST_NAME} characters"
        found.append(Finding("UNIT-03", "UnitName", name[:80], expected, "Give the unit a name."))
    kind = Family(family) if family in set(Family) else None
    if kind is None:
        expected = f"One of {', '.join(Family)}"
        found.append(Finding("UNIT-10", "Family", family[:40], expected, "Choose what the unit is offered for."))
    return found, kind


def _wanted(
    actor: Actor, family: Family | None, asset_ids: Sequence[UUID], filters: AssetFilters | None
) -> Sequence[UUID]:
    if filters is None or family is None:
        return asset_ids
    return list(dict.fromkeys([*asset_ids, *free_assets(actor, filters, family)]))


def _nothing(filters: AssetFilters | None) -> Finding:
    passing = "No asset that passes the filter is Verified and free. " if filters is not None else ""
    return Finding("UNIT-04", FIELD, None, "One or more Verified assets", f"{passing}A unit needs at least one asset.")


def _same_code(provider: UUID | None, code: str) -> MarketUnit | None:
    same = (col(MarketUnit.service_provider_id) == provider, col(MarketUnit.code) == code)
    return current_session().scalar(select(MarketUnit).where(*same))


def _taken(unit: MarketUnit) -> str:
    return f"The code {unit.code} is that of {unit.name} already. Codes are never used again: choose another one."


@operation("UC-03.01", permission="unit.manage", writes=False, name="preview_unit")
def preview_unit(
    actor: Actor, family: str, *, asset_ids: Sequence[UUID] = (), filters: AssetFilters | None = None
) -> CompositionPreview:
    """What a new unit of these assets would come to: for the basket, while it is filled. Writes nothing.

    Assets that can't go in are told in `findings` and `blockers`, and aren't counted.
    """
    kind = Family(family) if family in set(Family) else None
    wanted = _wanted(actor, kind, asset_ids, filters)
    examined = examine(actor, kind, wanted)
    return _preview(None, examined, [], examined.accepted, ())


@operation("UC-03.03", permission="unit.manage", writes=False, name="preview_composition")
def preview_composition(
    actor: Actor,
    unit_id: UUID,
    *,
    add: Sequence[UUID] = (),
    remove: Collection[UUID] = (),
    filters: AssetFilters | None = None,
) -> CompositionPreview:
    """What `update_composition` would do: sums before and after, and at which SOs the unit would be assessed again, and why."""
    unit = reach(MarketUnit, actor, unit_id, "unit.manage", lock=False)
    _require_active(unit)
    wanted = _wanted(actor, unit.family, add, filters)
    examined = examine(actor, unit.family, wanted, unit)
    have = current_assets(unit_id)
    findings = _not_in_it(have, remove)
    new = [one for one in examined.accepted if one not in set(have)]
    return _preview(
        unit.id, examined, findings, [one for one in have if one not in set(remove)] + new, remove, len(new)
    )


def _preview(
    unit_id: UUID | None,
    examined: Examined,
    findings: Sequence[Finding],
    assets: Sequence[UUID],
    remove: Collection[UUID],
    added: int | None = None,
) -> CompositionPreview:
    before = _totals(current_assets(unit_id)) if unit_id else None
    brought = of_assets(assets_by_id(assets))
    after = _first(brought)
    reasons = material_reasons(before, after, unit_id) if after else []
    places = brought.group_by("dno_code", "gsp_group").len().sort("len", descending=True)
    return CompositionPreview(
        before=before,
        after=after,
        added=len(assets) if added is None else added,
        removed=len(set(remove)),
        reasons=reasons,
        affected=affected_by_change(unit_id) if unit_id and reasons else (),
        findings=[*findings, *examined.findings, *([_last(unit_id)] if unit_id and after is None else [])],
        blockers=examined.blockers,
        refused=examined.refused,
        areas=[(dno or "", group or "", count) for dno, group, count in places.iter_rows()],
    )


def _totals(assets: Sequence[UUID]) -> Totals | None:
    return _first(of_assets(assets_by_id(assets)))


def _first(brought: object) -> Totals | None:
    rows = of_units(brought).to_dicts()  # pyright: ignore[reportArgumentType]
    return totals_of(rows[0]) if rows else None


def _last(unit_id: UUID) -> Finding:
    message = "Its last asset can't be taken out. De-register the unit instead, if it isn't offered any more."
    return Finding("UNIT-11", FIELD, str(unit_id), "At least one asset stays", message)


def _not_in_it(have: Sequence[UUID], remove: Collection[UUID]) -> list[Finding]:
    strangers = sorted(set(remove) - set(have), key=str)
    expected = "An asset that is in the unit now"
    return [Finding("UNIT-12", FIELD, str(one), expected, f"{one} isn't in this unit.") for one in strangers[:20]]


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
) -> WholeUnit:
    """Put assets into a unit and take others out, from now on, from the version the actor read; and name it anew.

    A material change makes what it is qualified for Re-assessment Required. Raises Conflict when somebody changed it since,
    Invalid with every finding, Refused where units of the family have some of the assets, for the last asset, and for a unit
    that is de-registered.
    """
    unit = reach(MarketUnit, actor, unit_id, "unit.manage")
    if unit.version != version:
        raise conflict(unit, version)
    _require_active(unit)
    have = set(current_assets(unit_id))
    examined = examine(actor, unit.family, _wanted(actor, unit.family, add, filters), unit)
    said = _described(name, unit.code, unit.family)[0] if name is not None else []
    said += _not_in_it(list(have), remove)
    examined.require(said)
    new = [one for one in examined.accepted if one not in have]
    gone = set(remove)
    if not have - gone and not new:
        raise Refused(_last(unit_id).message)
    if name is not None:
        unit.name = " ".join(name.split())
    if new or gone:
        _compose(unit, new, gone)
    current_session().flush()
    return whole(unit)


def _compose(unit: MarketUnit, new: Sequence[UUID], gone: Collection[UUID]) -> None:
    moment = now()
    unit.composition += 1
    put_in(unit, new, moment)
    if gone:
        take_out(unit.id, gone, moment)
    before, after = recount([unit.id], added=len(new), removed=len(gone))[unit.id]
    reasons = material_reasons(before, after, unit.id)
    told = {"added": len(new), "removed": len(gone), "composition": unit.composition, "material": bool(reasons)}
    emit_for_unit("market_unit.composed", unit, {**told, "reasons": reasons})
    if reasons:
        require_reassessment(unit.id, "UNIT_CHANGED", f"Its assets were changed: {'; '.join(reasons)}.")

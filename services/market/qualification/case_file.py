"""Case file of an application (UC-04.02): requirements with what the unit has, assets, changes since, like cases."""

import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

from models.assets import Asset, AssetStatus
from models.qualifications import DataPackage, DataPackageContent, Qualification, QualificationStatus
from models.units import MarketUnit
from services.assets.registration.record import as_terms
from services.core.access_log import log_access_soon
from services.core.canonical_json import canonical
from services.core.identity.actor import Actor
from services.core.identity.visibility import see, visible
from services.core.operation import operation
from services.core.transaction import current_session
from services.market.eligibility.frames import load_frames
from services.market.eligibility.requirements import Reason
from services.market.eligibility.verdicts import explain_verdicts
from services.market.products.catalogue import find_version
from services.market.qualification.filters import QualificationFilters
from services.market.qualification.listing import QualificationLine, work_queue
from services.market.units.members import batches, current_assets

DECIDED = (QualificationStatus.QUALIFIED, QualificationStatus.FAILED)
MOST_LIKE = 10
UNCOMPARED = frozenset({"Version", "RecordedAt", "StatusSince", "StatusReason", "ManagedFrom"})
"""Terms of an asset that move without a change of what is assessed."""


@dataclass(frozen=True, slots=True)
class CaseAsset:
    """One asset of the frozen package, and what became of it since: `left` the unit, or terms that changed (before, after).

    Of an asset that the actor may not see otherwise, only what was handed in is told: `status` is None. Names were typed by the
    provider: escape them.
    """

    asset_id: UUID
    name: str
    category: str
    rated_kw: Decimal
    gsp_group: str | None
    position: tuple[float, float] | None
    status: AssetStatus | None
    left: bool
    changes: Mapping[str, tuple[Any, Any]]


@dataclass(frozen=True, slots=True)
class CaseFile:
    """What an assessor decides by. `requirements` is None while the unit isn't active; `joined` counts assets that came in
    since the package was frozen.
    """

    requirements: Sequence[Reason] | None
    assets: Sequence[CaseAsset]
    joined: int
    like: Sequence[QualificationLine]


@operation("UC-04.02", permission="qualification.read", writes=False, name="requirements_of")
def requirements_of(actor: Actor, qualification_id: UUID) -> Sequence[Reason] | None:
    """Hold the unit as it stands against each requirement of the version applied for; None while it isn't active.

    Raises NotFound when the application is unseen.
    """
    return _requirements(see(Qualification, actor, qualification_id))


@operation("UC-04.02", permission="qualification.read", writes=False, name="case_file")
def case_file(actor: Actor, qualification_id: UUID) -> CaseFile:
    """Put together what an assessor decides by; the access log keeps that the package was read. Raises NotFound."""
    qualification = see(Qualification, actor, qualification_id)
    package = current_session().get_one(DataPackage, qualification.package_id)
    log_access_soon(
        actor, "package.read", Qualification.record_type(), qualification.id, {"data_package": str(package.id)}
    )
    frozen = json.loads(zlib.decompress(current_session().get_one(DataPackageContent, package.id).content))["Assets"]
    inside = set(current_assets(qualification.unit_id))
    assets = _assets(actor, frozen, inside)
    handed_in = {asset.asset_id for asset in assets}
    left_out = package.assets < len(inside) and not handed_in
    return CaseFile(
        _requirements(qualification), assets, 0 if left_out else len(inside - handed_in), _like(actor, qualification)
    )


def _requirements(qualification: Qualification) -> Sequence[Reason] | None:
    version = find_version(qualification.product_code, qualification.product_version)
    units, areas = load_frames(col(MarketUnit.id) == qualification.unit_id)
    verdicts = explain_verdicts(units, areas, [version]).get(str(qualification.unit_id), [])
    return verdicts[0].reasons if verdicts else None


def _assets(actor: Actor, frozen: Sequence[Mapping[str, Any]], inside: set[UUID]) -> list[CaseAsset]:
    """The assets as they were handed in, each held against what it is now."""
    current: dict[UUID, Asset] = {}
    for batch in batches(UUID(terms["AssetId"]) for terms in frozen):
        rows = current_session().scalars(select(Asset).where(col(Asset.id).in_(batch), visible(Asset, actor)))
        current |= {asset.id: asset for asset in rows}
    lines = []
    for terms in frozen:
        identifier = UUID(terms["AssetId"])
        asset = current.get(identifier)
        now = terms if asset is None else json.loads(canonical(as_terms(asset)))
        names = [name for name in {**terms, **now} if name not in UNCOMPARED]
        changes = {name: (terms.get(name), now.get(name)) for name in names if terms.get(name) != now.get(name)}
        latitude, longitude = terms.get("Latitude"), terms.get("Longitude")
        lines.append(
            CaseAsset(
                asset_id=identifier,
                name=str(terms["AssetName"]),
                category=str(terms["AssetCategory"]),
                rated_kw=Decimal(str(terms["RatedCapacity"])),
                gsp_group=terms.get("GspGroup"),
                position=None if latitude is None or longitude is None else (float(latitude), float(longitude)),
                status=None if asset is None else asset.status,
                left=identifier not in inside,
                # Of an asset that went to somebody else, nothing is told but that it left.
                changes={} if identifier not in inside else changes,
            )
        )
    return lines


def _like(actor: Actor, qualification: Qualification) -> list[QualificationLine]:
    """Decided applications for the same version of the product that the actor may see, nearest in capacity first."""
    filters = QualificationFilters(product=(qualification.product_code,), status=tuple(map(str, DECIDED)))
    lines = [
        line
        for line in work_queue(actor, filters)
        if line.qualification.id != qualification.id
        and line.qualification.product_version == qualification.product_version
    ]
    lines.sort(key=lambda line: abs(line.qualification.capacity - qualification.capacity))
    return lines[:MOST_LIKE]

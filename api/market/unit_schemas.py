"""What the routes of market units answer, and how the services' values become that."""

from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field

from api.http.decimal_json import Exact
from api.http.problems import BlockerBody, FindingBody
from models.assets import AssetStatus
from models.products import Family
from models.units import UnitStatus, UnitType
from services.market.unit_changes.composition import CompositionPreview
from services.market.units.listing import UnitLine
from services.market.units.totals import Totals
from services.market.units.units import CAPABILITY_COLUMNS


class LimitOut(BaseModel):
    """Which assets set a measure."""

    Words: str
    Assets: list[str] = Field(description="The largest, slowest or shortest: at most ten.")
    Missing: int = Field(description="Assets that add nothing, or don't say.")
    Silent: list[str] = Field(description="Some of these: at most ten.")


class AreaOut(BaseModel):
    """A unit's share of one licence area and GSP group."""

    DNOConnection: str | None
    GspGroup: str | None
    Assets: int
    UpCapacity: Exact
    DownCapacity: Exact


class TotalsOut(BaseModel):
    """What assets come to. Powers in kW, null is not known."""

    UnitType: UnitType
    Assets: int
    AccountingPoints: int
    RatedCapacity: Exact
    UpCapacity: Exact = Field(description="kW that it can add: more generation, less demand.")
    DownCapacity: Exact = Field(description="kW that it can take away: less generation, more demand.")
    StorageCapacity_kWh: Exact | None
    ResponseTime_s: int | None = Field(description="Of the slowest asset.")
    Duration_min: int | None = Field(description="Of the shortest asset.")
    NotVerified: int = Field(description="Assets in it that aren't Verified now.")


class MarketUnitOut(BaseModel):
    """A market unit as it stands. As of a moment, only what its history tells of the counts."""

    UnitId: UUID
    UnitCode: str
    UnitName: str
    Family: Family
    Status: UnitStatus
    StatusReason: str | None
    StatusSince: datetime
    ServiceProviderId: UUID
    Composition: int = Field(description="Rises with every change of its assets.")
    ReassignedFrom: UUID | None
    ReassignmentEvidence: str | None
    UnitType: UnitType | None
    Assets: int | None
    AccountingPoints: int | None = None
    RatedCapacity: Exact | None = None
    UpCapacity: Exact | None = Field(description="kW that it can add: more generation, less demand.")
    DownCapacity: Exact | None = Field(description="kW that it can take away: less generation, more demand.")
    StorageCapacity_kWh: Exact | None = None
    ResponseTime_s: int | None = None
    Duration_min: int | None = None
    NotVerified: int | None = None
    Limits: dict[str, LimitOut] | None = Field(default=None, description="Measure -> which assets set it.")
    Areas: list[AreaOut] | None = None
    CountedAt: datetime | None = None
    BeingCounted: bool | None = Field(default=None, description="Assets changed since it was counted.")
    Version: int
    RecordedAt: datetime


class AffectedOut(BaseModel):
    """A qualification that a change makes Re-assessment Required."""

    QualificationId: UUID
    ProductCode: str
    AddressedTo: UUID
    Operator: str


class CompositionOut(BaseModel):
    """What a change, or a new unit, would come to."""

    Before: TotalsOut | None
    After: TotalsOut | None
    Added: int
    Removed: int
    Material: bool
    Reasons: list[str]
    Affected: list[AffectedOut]
    Words: str = Field(description="What it would mean for qualifications, in one sentence.")
    findings: list[FindingBody]
    blockers: list[BlockerBody]


class MemberOut(BaseModel):
    """An asset in a unit."""

    AssetId: UUID
    AssetName: str
    AssetCategory: str
    Status: AssetStatus
    RatedCapacity: Exact
    GspGroup: str | None
    DNOConnection: str | None
    FromAt: datetime
    UntilAt: datetime | None


class UnitStepOut(BaseModel):
    """What a unit came to after a change."""

    At: datetime
    Composition: int
    UnitType: UnitType
    Assets: int
    Added: int
    Removed: int
    UpCapacity: Exact
    DownCapacity: Exact


def totals_out(totals: Totals | None) -> dict[str, Any] | None:
    """Sums as answered."""
    return totals and {term: getattr(totals, name) for term, name in CAPABILITY_COLUMNS.items()}


def preview_out(seen: CompositionPreview) -> dict[str, Any]:
    """A preview as answered."""
    return {
        "Before": totals_out(seen.before),
        "After": totals_out(seen.after),
        "Added": seen.added,
        "Removed": seen.removed,
        "Material": seen.material,
        "Reasons": list(seen.reasons),
        "Affected": [
            {
                "QualificationId": one.qualification_id,
                "ProductCode": one.product_code,
                "AddressedTo": one.addressed_to,
                "Operator": one.operator,
            }
            for one in seen.affected
        ],
        "Words": seen.sentence,
        "findings": [one.as_dict() for one in seen.findings],
        "blockers": [asdict(one) for one in seen.blockers],
    }


def line_out(line: UnitLine) -> dict[str, Any]:
    """A unit in a list."""
    counted = {term: getattr(line, name) for term, name in CAPABILITY_COLUMNS.items() if name != "rated"}
    return {
        "UnitId": line.id,
        "UnitCode": line.code,
        "UnitName": line.name,
        "Family": line.family,
        "Status": line.status,
        "ServiceProviderId": line.service_provider_id,
        "Version": line.version,
        **counted,
    }


class UnitLineOut(BaseModel):
    """A unit in a list."""

    UnitId: UUID
    UnitCode: str
    UnitName: str
    Family: Family
    Status: UnitStatus
    ServiceProviderId: UUID
    UnitType: UnitType
    Assets: int
    AccountingPoints: int
    UpCapacity: Exact
    DownCapacity: Exact
    StorageCapacity_kWh: Exact | None
    ResponseTime_s: int | None
    Duration_min: int | None
    NotVerified: int
    Version: int

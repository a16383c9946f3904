"""Schemas of market units (UC-03.01 to UC-03.04)."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, create_model

from api.http.decimal_json import Exact
from api.http.parameters import EARLIEST, LATEST, filter_fields
from api.http.problems import BlockerBody, FindingBody
from api.http.schemas import AnswerSchema, RequestSchema
from models.assets import AssetStatus
from models.products import Family
from models.units import UnitStatus, UnitType
from services.market.units.listing import UNIT_FILTER_TERMS

MOST_ASSETS = 10_000
_FAMILY = Field(max_length=40, description=f"One of {', '.join(Family)}.", examples=["DSO"])


class _Paged(BaseModel):
    """A page of a list whose cursors belong to its order."""

    model_config = ConfigDict(extra="forbid")

    after: str | None = Field(default=None, max_length=300, description="Taken from the `next` of the page before.")
    limit: int = Field(default=50, ge=1, le=200, description="Items on a page.")


class _Ordered(_Paged):
    order: Literal["newest", "oldest", "name", "up", "down"] = Field(
        default="newest", description="By registration, by name, or the most kW up or down first."
    )


UnitQuery = create_model(
    "UnitQuery",
    __base__=_Ordered,
    __doc__="Filters of market units.",
    **filter_fields(UNIT_FILTER_TERMS, {"UpCapacityMin", "DownCapacityMin", "Text"}, 255),
)


class MembersQuery(_Paged):
    """Assets of a unit, now or at a moment."""

    as_of: AwareDatetime | None = Field(default=None, ge=EARLIEST, le=LATEST, description="Those in it at this moment.")


class _Assets(RequestSchema):
    assets: list[UUID] = Field(
        default_factory=list, max_length=MOST_ASSETS, description="AssetId of each; all are Verified."
    )
    asset_filter: dict[str, list[str]] | None = Field(
        default=None,
        description="Besides, all of your Verified assets that pass this filter and are free in the family: "
        "term -> values, as the list of assets is filtered. At most 10,000 at once.",
        examples=[{"AssetCategory": ["BESS"], "GspGroup": ["_A"]}],
    )


class UnitBody(_Assets):
    """A market unit to be made."""

    unit_name: str = Field(max_length=1000, examples=["Riverside batteries"])
    unit_code: str = Field(max_length=1000, description="Your own, once for all time.", examples=["RIV-DSO"])
    family: str = _FAMILY


class UnitTry(_Assets):
    """Assets that might make a unit."""

    family: str = _FAMILY


class CompositionBody(RequestSchema):
    """Assets that go in and come out, from now on."""

    add: list[UUID] = Field(default_factory=list, max_length=MOST_ASSETS)
    remove: list[UUID] = Field(default_factory=list, max_length=MOST_ASSETS)
    add_filter: dict[str, list[str]] | None = Field(default=None, description="As `AssetFilter` of a new unit.")


class UnitChange(CompositionBody):
    """A change of a unit; what isn't named stays."""

    unit_name: str | None = Field(default=None, max_length=1000)


class ReassignBody(RequestSchema):
    """The FSP to which a unit goes, and the evidence for it."""

    service_provider_id: UUID = Field(description="The gaining FSP.")
    evidence: str = Field(max_length=4000, examples=["Contract of sale of 3 May 2026, sent by both parties."])


class LimitOut(AnswerSchema):
    """The assets that set a measure."""

    words: str
    assets: list[str] = Field(description="The largest, slowest or shortest: at most ten.")
    missing: int = Field(description="Assets that add nothing, or don't say.")
    silent: list[str] = Field(description="Some of these: at most ten.")


class AreaOut(AnswerSchema):
    """A unit's share of one licence area and GSP group."""

    dno_connection: str | None
    gsp_group: str | None
    assets: int
    up_capacity: Exact
    down_capacity: Exact


class TotalsOut(AnswerSchema):
    """The sums over some assets. Powers in kW, null is not known."""

    unit_type: UnitType
    assets: int
    accounting_points: int
    rated: Exact = Field(serialization_alias="RatedCapacity")
    up: Exact = Field(serialization_alias="UpCapacity", description="kW that it can add: more generation, less demand.")
    down: Exact = Field(
        serialization_alias="DownCapacity", description="kW that it can take away: less generation, more demand."
    )
    energy_kwh: Exact | None = Field(serialization_alias="StorageCapacity_kWh")
    response_s: int | None = Field(serialization_alias="ResponseTime_s", description="Of the slowest asset.")
    duration_min: int | None = Field(description="Of the shortest asset.")
    not_verified: int = Field(description="Assets in it that aren't Verified now.")


class MarketUnitOut(AnswerSchema):
    """A market unit as it stands. As of a moment, only what its history tells of the counts."""

    unit_id: UUID
    unit_code: str
    unit_name: str
    family: Family
    status: UnitStatus
    status_reason: str | None
    status_since: datetime
    service_provider_id: UUID
    composition: int = Field(description="Rises with every change of its assets.")
    reassigned_from: UUID | None
    reassignment_evidence: str | None
    unit_type: UnitType | None
    assets: int | None
    accounting_points: int | None = None
    rated_capacity: Exact | None = None
    up_capacity: Exact | None = Field(description="kW that it can add: more generation, less demand.")
    down_capacity: Exact | None = Field(description="kW that it can take away: less generation, more demand.")
    storage_capacity_kwh: Exact | None = None
    response_time_s: int | None = None
    duration_min: int | None = None
    not_verified: int | None = None
    limits: dict[str, LimitOut] | None = Field(default=None, description="Measure -> which assets set it.")
    areas: list[AreaOut] | None = None
    counted_at: datetime | None = None
    being_counted: bool | None = Field(default=None, description="Assets changed since it was counted.")
    version: int
    recorded_at: datetime


class AffectedOut(AnswerSchema):
    """A qualification that a change makes Re-assessment Required."""

    qualification_id: UUID
    product_code: str
    addressed_to: UUID
    operator: str


class CompositionOut(AnswerSchema):
    """The effect of a change, or of a new unit."""

    before: TotalsOut | None
    after: TotalsOut | None = Field(serialization_alias="After")
    added: int
    removed: int
    material: bool
    reasons: list[str]
    affected: list[AffectedOut]
    sentence: str = Field(
        serialization_alias="Words", description="What it would mean for qualifications, in one sentence."
    )
    findings: list[FindingBody]
    blockers: list[BlockerBody]


class MemberOut(AnswerSchema):
    """An asset in a unit."""

    asset_id: UUID
    name: str = Field(serialization_alias="AssetName")
    category: str = Field(serialization_alias="AssetCategory")
    status: AssetStatus
    rated_kw: Exact = Field(serialization_alias="RatedCapacity")
    gsp_group: str | None
    dno: str | None = Field(serialization_alias="DNOConnection")
    from_at: datetime
    until_at: datetime | None


class UnitStepOut(AnswerSchema):
    """A unit as it stood after a change of its assets."""

    at: datetime
    composition: int
    unit_type: UnitType
    assets: int
    added: int
    removed: int
    up: Exact = Field(serialization_alias="UpCapacity")
    down: Exact = Field(serialization_alias="DownCapacity")


class UnitLineOut(AnswerSchema):
    """A unit in a list."""

    id: UUID = Field(serialization_alias="UnitId")
    code: str = Field(serialization_alias="UnitCode")
    name: str = Field(serialization_alias="UnitName")
    family: Family
    status: UnitStatus
    service_provider_id: UUID
    unit_type: UnitType
    assets: int
    accounting_points: int
    up: Exact = Field(serialization_alias="UpCapacity")
    down: Exact = Field(serialization_alias="DownCapacity")
    energy_kwh: Exact | None = Field(serialization_alias="StorageCapacity_kWh")
    response_s: int | None = Field(serialization_alias="ResponseTime_s")
    duration_min: int | None
    not_verified: int
    version: int


class UnitPageOut(BaseModel):
    """A page of market units."""

    items: list[UnitLineOut]
    next: str | None = Field(description="The path of the next page; null at the end.")


class MemberPageOut(AnswerSchema):
    """A page of the assets of a unit."""

    items: list[MemberOut]
    next: str | None
    unseen: int = Field(description="Assets of the unit beyond what you may see; with the first page.")


class Steps(BaseModel):
    """A unit after each change of its assets, oldest first."""

    items: list[UnitStepOut]

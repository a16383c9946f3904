"""Market units (PSQM): what an FSP offers, the assets in it over time, and what they add up to (UC-03.01 to UC-03.04)."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Column, Index, UniqueConstraint, text
from sqlmodel import Field

from models.base import BigSerial, Json, Kilowatts, Log, Recorded, UtcDateTime, choice
from models.products import Family


class UnitStatus(StrEnum):
    """Life cycle of a market unit; what it is qualified for stands on its qualifications."""

    ACTIVE = "ACTIVE"
    DEREGISTERED = "DEREGISTERED"


class UnitType(StrEnum):
    """Derived from its assets, never typed in: one accounting point, or more than one."""

    SPU = "SPU"
    SPG = "SPG"


class MarketUnit(Recorded, table=True):
    """What an FSP offers into one family of sub-markets: one or more of its assets."""

    __table_args__ = (
        Index("market_unit_by_provider", "service_provider_id", "status", "id"),
        Index("market_unit_by_status", "status", "id"),
        UniqueConstraint("service_provider_id", "code", name="market_unit_code_once"),
    )
    service_provider_id: UUID = Field(foreign_key="organisation.id")
    code: str = Field(max_length=40)
    name: str = Field(max_length=255)
    family: Family = Field(sa_type=choice(Family))
    status: UnitStatus = Field(default=UnitStatus.ACTIVE, sa_type=choice(UnitStatus))
    status_reason: str | None = Field(default=None, max_length=1000)
    status_since: datetime = Field(sa_type=UtcDateTime)
    composition: int = 1
    """Rises with every change of its assets; a change made from an older one is refused."""
    reassigned_from: UUID | None = None
    """The FSP that it was re-assigned from (UC-03.02)."""
    reassignment_evidence: str | None = Field(default=None, max_length=1000)


_CURRENT = text("until_at IS NULL")


class UnitMember(Recorded, table=True):
    """An asset in a unit, from one moment to another; without an end it is in it now (UC-03.03)."""

    __table_args__ = (
        Index("unit_member_by_unit", "unit_id", "asset_id"),
        Index("unit_member_by_asset", "asset_id", "unit_id"),
        Index(
            "unit_member_once",
            "asset_id",
            "family",
            unique=True,
            sqlite_where=_CURRENT,
            postgresql_where=_CURRENT,
        ),
    )
    unit_id: UUID = Field(foreign_key="market_unit.id")
    asset_id: UUID = Field(foreign_key="asset.id")
    family: Family = Field(sa_type=choice(Family))
    """That of its unit: in each, an asset is in one active unit at a time."""
    from_at: datetime = Field(sa_type=UtcDateTime)
    until_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class UnitCapability(Log, table=True):
    """What the assets of a unit add up to, counted anew with every change: no record, all of it can be counted again.

    `None` is not known: some asset doesn't say.
    """

    unit_id: UUID = Field(foreign_key="market_unit.id", primary_key=True)
    unit_type: UnitType = Field(sa_type=choice(UnitType))
    assets: int
    accounting_points: int
    rated: Decimal = Field(sa_type=Kilowatts)
    up: Decimal = Field(sa_type=Kilowatts)
    """kW that it can add: more generation, less demand."""
    down: Decimal = Field(sa_type=Kilowatts)
    """kW that it can take away: less generation, more demand."""
    energy_kwh: Decimal | None = Field(default=None, sa_type=Kilowatts)
    response_s: int | None = None
    """Seconds to full delivery: that of its slowest asset."""
    duration_min: int | None = None
    """Minutes that it can keep up full delivery: that of its shortest asset."""
    limits: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    """Which assets set a limit, and which don't say: measure -> assets (identifiers, at most ten), missing, words."""
    not_verified: int = 0
    """Assets in it that are not Verified now."""
    counted_at: datetime = Field(sa_type=UtcDateTime)
    stale: int = 0
    """Changes of its assets since then: with any, it is counted anew in the background."""


class UnitArea(Log, table=True):
    """A unit's share of each licence area and GSP group; an asset without one stands under the empty text.

    Which units a DNO sees, and what a unit has within one group, are read from here.
    """

    __table_args__ = (
        Index("unit_area_by_dno", "dno_code", "unit_id"),
        Index("unit_area_by_group", "gsp_group", "unit_id"),
    )
    unit_id: UUID = Field(foreign_key="market_unit.id", primary_key=True)
    dno_code: str = Field(max_length=40, primary_key=True)
    gsp_group: str = Field(max_length=4, primary_key=True)
    assets: int
    up: Decimal = Field(sa_type=Kilowatts)
    down: Decimal = Field(sa_type=Kilowatts)


class UnitHistory(Log, table=True):
    """What a unit came to after each change of its assets: for charts over time and for as-of questions."""

    __table_args__ = (Index("unit_history_by_unit", "unit_id", "at"),)
    id: int | None = Field(default=None, sa_column=Column(BigSerial, primary_key=True, autoincrement=True))
    unit_id: UUID = Field(foreign_key="market_unit.id")
    at: datetime = Field(sa_type=UtcDateTime)
    composition: int
    unit_type: UnitType = Field(sa_type=choice(UnitType))
    assets: int = Field(sa_type=BigInteger)
    added: int = 0
    removed: int = 0
    up: Decimal = Field(sa_type=Kilowatts)
    down: Decimal = Field(sa_type=Kilowatts)

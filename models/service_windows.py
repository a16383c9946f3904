"""Service windows: when a system operator has confirmed that a qualified unit will deliver (UC-03.04)."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index
from sqlmodel import Field

from models.base import Recorded, UtcDateTime


class ServiceWindow(Recorded, table=True):
    """A period for which an SO counts on a unit; until it is over, or called off, the unit can't leave the register."""

    __table_args__ = (
        Index("service_window_by_qualification", "qualification_id", "starts_at"),
        Index("service_window_by_unit", "unit_id", "ends_at"),
    )
    qualification_id: UUID = Field(foreign_key="qualification.id")
    unit_id: UUID = Field(foreign_key="market_unit.id")
    starts_at: datetime = Field(sa_type=UtcDateTime)
    ends_at: datetime = Field(sa_type=UtcDateTime)
    """The first moment after it."""
    note: str | None = Field(default=None, max_length=1000)
    confirmed_at: datetime = Field(sa_type=UtcDateTime)
    confirmed_by_name: str = Field(max_length=200)
    called_off_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    called_off_reason: str | None = Field(default=None, max_length=1000)

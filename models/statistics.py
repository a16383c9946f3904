"""Published statistics: editions of figures for those who see no single record (UC-05.02)."""

from datetime import date, datetime
from typing import Any

from sqlmodel import Field

from models.base import Json, Log, UtcDateTime


class StatisticsEdition(Log, table=True):
    """The newest edition of one set of figures: as it was published, and the counts that the next one is held against.

    Nothing here is a record: all of it is counted from the register, and what one edition kept back is in a later one.
    """

    kind: str = Field(max_length=20, primary_key=True)
    day: date
    """London's day of the edition."""
    made_at: datetime = Field(sa_type=UtcDateTime)
    published: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    """The figures under disclosure control, rounded."""
    basis: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    """By table: key, count, hundredths of a kW, and both by provider, of each figure as it was last brought up to date."""

"""Counts of the market that the register keeps beside its records, in the same commit: what dashboards and queues read.

Nothing here is a record: all of it can be counted anew from applications, their steps and units at any time
(services.market.counters.reconcile). What there is none of is the empty text. Months are years times twelve plus the months
since January, by London's calendar; `kw` is whole hundredths.
"""

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger
from sqlmodel import Field

from models.base import Json, Log

NOT_DUE = date(9999, 12, 31)
"""The day on which an application is due whose clock doesn't run."""
ANYONE = UUID(int=0)
"""Stands for an SO where all are meant."""
_WHOLE = {"autoincrement": False}


class QualifiedTally(Log, table=True):
    """What became qualified less what ceased to be, month by month: steps, qualifications and their power."""

    __table_args__ = ({"sqlite_with_rowid": False},)
    addressed_to: UUID = Field(primary_key=True)
    product_code: str = Field(max_length=20, primary_key=True)
    gsp_group: str = Field(max_length=4, primary_key=True)
    month: int = Field(sa_column_kwargs=_WHOLE, primary_key=True)
    steps: int
    number: int
    kw: int = Field(sa_type=BigInteger)


class DecisionTally(Log, table=True):
    """What was decided, month by month."""

    __table_args__ = ({"sqlite_with_rowid": False},)
    addressed_to: UUID = Field(primary_key=True)
    product_code: str = Field(max_length=20, primary_key=True)
    month: int = Field(sa_column_kwargs=_WHOLE, primary_key=True)
    outcome: str = Field(max_length=40, primary_key=True)
    reason_code: str = Field(max_length=40, primary_key=True)
    number: int


class DaysTally(Log, table=True):
    """Decisions that SOs made, month by month, by the working days that they took: of each SO and product (BOTH), of each SO
    (OPERATOR, no product) and for each product (PRODUCT, `ANYONE`)."""

    __table_args__ = ({"sqlite_with_rowid": False},)
    dimension: str = Field(max_length=10, primary_key=True)
    addressed_to: UUID = Field(primary_key=True)
    product_code: str = Field(max_length=20, primary_key=True)
    month: int = Field(sa_column_kwargs=_WHOLE, primary_key=True)
    working_days: int = Field(sa_column_kwargs=_WHOLE, primary_key=True)
    number: int


class StandingTally(Log, table=True):
    """Applications by where they stand now, and when they are due (`NOT_DUE`: the clock doesn't run)."""

    __table_args__ = ({"sqlite_with_rowid": False},)
    addressed_to: UUID = Field(primary_key=True)
    product_code: str = Field(max_length=20, primary_key=True)
    status: str = Field(max_length=40, primary_key=True)
    due_on: date = Field(primary_key=True)
    number: int


class QueueTally(Log, table=True):
    """Applications by GSP_GROUP and by PROVIDER (`dimension`; its identifier), and by where they stand: at each SO, and
    at `ANYONE`."""

    __table_args__ = ({"sqlite_with_rowid": False},)
    addressed_to: UUID = Field(primary_key=True)
    dimension: str = Field(max_length=10, primary_key=True)
    code: str = Field(max_length=40, primary_key=True)
    status: str = Field(max_length=40, primary_key=True)
    number: int


class EndingTally(Log, table=True):
    """Qualifications in force by the month in which their validity ends."""

    __table_args__ = ({"sqlite_with_rowid": False},)
    addressed_to: UUID = Field(primary_key=True)
    product_code: str = Field(max_length=20, primary_key=True)
    month: int = Field(sa_column_kwargs=_WHOLE, primary_key=True)
    number: int
    kw: int = Field(sa_type=BigInteger)


class UnitTally(Log, table=True):
    """Active units in each SO's areas (`ANYONE`: all of them) by family, and their assets there: all, of those units that have
    applied to it, of those that are qualified."""

    __table_args__ = ({"sqlite_with_rowid": False},)
    addressed_to: UUID = Field(primary_key=True)
    family: str = Field(max_length=40, primary_key=True)
    units: int
    assets: int
    applied: int
    qualified: int


class UnitCounted(Log, table=True):
    """What each unit counts for in `UnitTally`, and behind the figures of units: taken away again once it changes."""

    unit_id: UUID = Field(foreign_key="market_unit.id", primary_key=True)
    counted: dict[str, Any] = Field(default_factory=dict, sa_type=Json)


class MarketFigure(Log, table=True):
    """A figure over all SOs that may only be shown when enough providers stand behind it, and how many do.

    `figure` says what `code` is (services.market.counters.keys); month 0 where it is of no month. Where no more than two
    providers stand behind it, they are named: figures are added up without counting one twice.
    """

    __table_args__ = ({"sqlite_with_rowid": False},)
    figure: str = Field(max_length=20, primary_key=True)
    month: int = Field(sa_column_kwargs=_WHOLE, primary_key=True)
    code: str = Field(max_length=60, primary_key=True)
    steps: int
    number: int
    kw: int = Field(sa_type=BigInteger)
    providers: int = 0
    first_provider: UUID | None = None
    last_provider: UUID | None = None


class FigureProvider(Log, table=True):
    """What one provider has of a figure."""

    __table_args__ = ()
    figure: str = Field(max_length=20, primary_key=True)
    month: int = Field(sa_column_kwargs=_WHOLE, primary_key=True)
    code: str = Field(max_length=60, primary_key=True)
    service_provider_id: UUID = Field(primary_key=True)
    steps: int
    number: int
    kw: int = Field(sa_type=BigInteger)

"""Counts of assets that the register keeps beside them, in the same commit: what a home page or a map of all would count.

Nothing here is a record: all of it can be counted anew from the assets at any time (services.assets.counters.reconcile). A code
that an asset doesn't have is the empty text. `rated` is whole hundredths of a kW, like the column it is the sum of.
"""

from uuid import UUID

from sqlalchemy import BigInteger, Column
from sqlmodel import Field

from models.base import Log


class AssetTally(Log, table=True):
    """Assets by category, status, licence area and GSP group."""

    __table_args__ = ({"sqlite_with_rowid": False},)
    asset_category: str = Field(max_length=40, primary_key=True)
    status: str = Field(max_length=40, primary_key=True)
    dno_connection: str = Field(max_length=40, primary_key=True)
    gsp_group: str = Field(max_length=4, primary_key=True)
    assets: int
    rated: int = Field(sa_type=BigInteger)


class AssetCellTally(Log, table=True):
    """Assets with a position, by H3 cell (resolution 4), and by category and status or by all of either (empty text)."""

    __table_args__ = ({"sqlite_with_rowid": False},)
    asset_category: str = Field(max_length=40, primary_key=True)
    status: str = Field(max_length=40, primary_key=True)
    cell: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    dno_connection: str = Field(max_length=40, primary_key=True)
    gsp_group: str = Field(max_length=4, primary_key=True)
    assets: int
    rated: int = Field(sa_type=BigInteger)


class AssetMonthTally(Log, table=True):
    """Assets by the month of their registration (years times twelve plus months since January, by London's calendar)."""

    __table_args__ = ({"sqlite_with_rowid": False},)
    dno_connection: str = Field(max_length=40, primary_key=True)
    active: bool = Field(primary_key=True)
    month: int = Field(sa_column_kwargs={"autoincrement": False}, primary_key=True)
    assets: int


class AssetProviderTally(Log, table=True):
    """Assets by provider within each figure that may only be shown when enough providers stand behind it.

    `dimension` says what `code` is: ALL (no code), STATUS (of any asset), or of active ones CATEGORY, GSP_GROUP, MONTH.
    """

    __table_args__ = ({"sqlite_with_rowid": False},)
    dimension: str = Field(max_length=10, primary_key=True)
    code: str = Field(max_length=40, primary_key=True)
    service_provider_id: UUID = Field(primary_key=True)
    assets: int

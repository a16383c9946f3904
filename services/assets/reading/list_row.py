"""One asset as a list shows it: a row, and what its values mean when they are asked for."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from models.assets import AssetStatus

COLUMNS = (
    "id", "asset_name", "status", "asset_category", "rated_capacity", "gsp_group", "dno_connection",
    "service_provider_id", "registered_at", "status_since", "latitude", "longitude",
)  # fmt: skip


class AssetLine:
    """One asset in a list. Its values are made from the row when they are asked for: a list shows few of many."""

    __slots__ = ("_row",)

    def __init__(self, row: tuple[Any, ...]) -> None:
        self._row = row

    def __repr__(self) -> str:
        return f"AssetLine({self.id}, {self.name!r})"

    @property
    def id(self) -> UUID:
        """The asset's identifier."""
        return identifier_of(self._row[0])

    @property
    def name(self) -> str:
        """As typed by its provider: escape it."""
        return self._row[1]

    @property
    def status(self) -> AssetStatus:
        """The asset's state in its life cycle."""
        return AssetStatus(self._row[2])

    @property
    def category(self) -> str:
        """Code of the category."""
        return self._row[3]

    @property
    def rated_kw(self) -> Decimal:
        """Rated capacity in kW."""
        value = self._row[4]
        return value if isinstance(value, Decimal) else Decimal(value).scaleb(-2)

    @property
    def gsp_group(self) -> str | None:
        """Code of the GSP group."""
        return self._row[5]

    @property
    def dno(self) -> str | None:
        """Code of the distribution network."""
        return self._row[6]

    @property
    def provider_id(self) -> UUID:
        """The organisation that manages it."""
        return identifier_of(self._row[7])

    @property
    def registered_at(self) -> datetime | None:
        """When it was registered (UTC)."""
        return moment_of(self._row[8])

    @property
    def status_since(self) -> datetime | None:
        """Since when it has its status (UTC)."""
        return moment_of(self._row[9])

    @property
    def position(self) -> tuple[float, float] | None:
        """Latitude and longitude (WGS84)."""
        return None if self._row[10] is None or self._row[11] is None else (self._row[10], self._row[11])


def identifier_of(value: Any) -> UUID:
    """SQLite keeps identifiers as text."""
    return value if isinstance(value, UUID) else UUID(int=int(value, 16))


def moment_of(value: Any) -> datetime | None:
    """SQLite keeps moments as text without their zone, which is UTC."""
    if value is None:
        return None
    return datetime.fromisoformat(f"{value}+00:00") if isinstance(value, str) else value.astimezone(UTC)

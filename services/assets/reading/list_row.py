"""One asset as a list shows it."""

from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from sqlmodel import col

from models.assets import Asset, AssetStatus


class AssetLine(NamedTuple):
    """One asset in a list."""

    id: UUID
    name: str
    """As typed by its provider: escape it."""
    status: AssetStatus
    category: str
    rated_kw: Decimal
    gsp_group: str | None
    dno: str | None
    provider_id: UUID
    registered_at: datetime | None
    status_since: datetime | None
    latitude: float | None
    longitude: float | None

    @property
    def position(self) -> tuple[float, float] | None:
        """Latitude and longitude (WGS84)."""
        return None if self.latitude is None or self.longitude is None else (self.latitude, self.longitude)


COLUMNS: tuple[Any, ...] = (
    col(Asset.id), col(Asset.asset_name), col(Asset.status), col(Asset.asset_category), col(Asset.rated_capacity),
    col(Asset.gsp_group), col(Asset.dno_connection), col(Asset.service_provider_id), col(Asset.registered_at),
    col(Asset.status_since), col(Asset.latitude), col(Asset.longitude),
)  # fmt: skip
"""The columns of a line, in its order."""

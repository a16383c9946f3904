"""What every table of the register shares: identifiers, versions, and columns that mean the same on both databases."""

import re
from collections.abc import Callable
from contextvars import ContextVar
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, BigInteger, DateTime, Dialect, Enum, Integer
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import declared_attr
from sqlalchemy.types import TypeDecorator
from sqlmodel import Field, SQLModel
from uuid_utils import compat

HUNDREDTHS = Decimal("0.01")
DERIVED = {"derived": True}
"""Marks a column that the register works out from others of the same row: the ledger leaves it out."""


ID_SOURCE: ContextVar[Callable[[], UUID] | None] = ContextVar("fmar_id_source", default=None)
"""Where identifiers come from instead, in this thread: demo data take theirs from a made-up past (services.workshop)."""


def new_id() -> UUID:
    """A fresh UUIDv7: time-ordered, so that keyset pages follow the order of registration. Never reused."""
    source = ID_SOURCE.get()
    return source() if source else compat.uuid7()


class UtcDateTime(TypeDecorator[datetime]):
    """An aware moment, stored in UTC. A naive datetime is refused when it is written."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """To UTC, refusing moments without a time zone."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("A moment without a time zone can't be stored.")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """SQLite forgets the zone; what it holds is UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Kilowatts(TypeDecorator[Decimal]):
    """Power in kW to two decimals, stored as whole hundredths: exact on both databases, summed and compared by SQL."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: Decimal | int | None, dialect: Dialect) -> int | None:
        """To hundredths; more than two decimals is a mistake of the caller, not something to round away."""
        if value is None:
            return None
        hundredths = Decimal(value) * 100
        if hundredths != hundredths.to_integral_value():
            raise ValueError(f"{value} kW has more than two decimals.")
        return int(hundredths)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> Decimal | None:
        """From hundredths; sums arrive as Decimal from PostgreSQL."""
        return None if value is None else (Decimal(int(value)) / 100).quantize(HUNDREDTHS)


def choice(states: type[StrEnum]) -> Enum:
    """A column of one of these values, stored as text: a new value needs no change of the database."""
    return Enum(
        states,
        native_enum=False,
        create_constraint=False,
        length=40,
        values_callable=lambda kind: [str(m) for m in kind],
    )


Json = JSON().with_variant(JSONB(), "postgresql")
BigSerial = BigInteger().with_variant(Integer(), "sqlite")


def table_name(class_name: str) -> str:
    """``SourceEdition`` -> ``source_edition``: one name for table, ledger and events."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", class_name).lower()


class _Table(SQLModel):
    @declared_attr.directive
    @classmethod
    def __tablename__(cls) -> str:  # pyright: ignore[reportIncompatibleVariableOverride]  # SQLModel types it as a value
        """The class name in snake case."""
        return table_name(cls.__name__)


class Recorded(_Table):
    """A record of the register: every insert and update of one writes the ledger, and none is ever deleted.

    `version` counts from 1 and rises by one with every change; SQLAlchemy refuses to overwrite a version that has
    moved on.
    """

    id: UUID = Field(default_factory=new_id, primary_key=True)
    version: int = Field(default=0)
    recorded_at: datetime | None = Field(default=None, sa_type=UtcDateTime, nullable=False)  # pyright: ignore
    recorded_by: UUID | None = Field(default=None)

    @declared_attr.directive
    @classmethod
    def __mapper_args__(cls) -> dict[str, Any]:
        """Optimistic concurrency on `version`."""
        return {"version_id_col": cls.__table__.c.version}  # pyright: ignore

    @classmethod
    def record_type(cls) -> str:
        """The name under which ledger and events know this kind of record."""
        return table_name(cls.__name__)


class Log(_Table):
    """A row that is written once and read by people and workers, outside the ledger: look-ups, accesses, deliveries."""

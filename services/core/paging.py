"""Keyset paging: pages of a list by the values of its last row, at the same cost however far a reader has turned."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Generic, TypeVar
from uuid import UUID

from sqlalchemy import Select, literal, tuple_

from models.base import Kilowatts, UtcDateTime
from services.core.errors import Finding, Invalid

T = TypeVar("T")
UUID_LENGTH = 36
LARGEST_KW = 10**15


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a list, and the cursor of the next one (None: this is the last)."""

    items: Sequence[T]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Keyset:
    """The order of a list: by a column, if any, then by identifier, which is unique; both in one direction."""

    identifier: Any
    column: Any = None
    descending: bool = True

    @property
    def keys(self) -> list[Any]:
        """The columns that the list is sorted by."""
        return [self.identifier] if self.column is None else [self.column, self.identifier]

    def select_page(
        self, query: Select[*tuple[Any, ...]], after: str | UUID | None, size: int
    ) -> Select[*tuple[Any, ...]]:
        """The query for one page after a cursor, and one row more, which tells that there is a next page.

        Rows without a value in the column are on the first page only. Raises Invalid (PAGE-01) for a bad cursor.
        """
        if after is not None:
            values = self._read_cursor(str(after))
            literals = [literal(value, key.type) for key, value in zip(self.keys, values, strict=True)]
            place, mark = tuple_(*self.keys), tuple_(*literals)
            query = query.where(place < mark if self.descending else place > mark)
        return query.order_by(*(key.desc() if self.descending else key.asc() for key in self.keys)).limit(size + 1)

    def page_of(self, rows: Sequence[T], size: int) -> Page[T]:
        """The page that rows of `select_page` make; each has the keys as attributes."""
        return Page(rows[:size], self._cursor(rows[size - 1]) if len(rows) > size else None)

    def _cursor(self, row: Any) -> str:
        value = "" if self.column is None else getattr(row, self.column.key)
        text = value.isoformat() if isinstance(value, datetime) else "" if value is None else str(value)
        return f"{getattr(row, self.identifier.key)}{text}"

    def _read_cursor(self, text: str) -> list[Any]:
        if self.column is None:
            return [read_identifier(text)]
        try:
            return [_read_value(self.column.type, text[UUID_LENGTH:]), UUID(text[:UUID_LENGTH])]
        except (ValueError, InvalidOperation):
            raise _bad_cursor(text) from None


def read_identifier(cursor: str) -> UUID:
    """The identifier that a cursor of a list by identifier is. Raises Invalid (PAGE-01) for another text."""
    try:
        return UUID(cursor)
    except ValueError:
        raise _bad_cursor(cursor) from None


def _bad_cursor(text: str) -> Invalid:
    expected = "The cursor that the page before gave"
    return Invalid([Finding("PAGE-01", "after", text, expected, "This isn't a cursor of this list.")])


def _read_value(kind: object, text: str) -> object:
    if isinstance(kind, UtcDateTime):
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            raise ValueError(text)
        return moment
    if isinstance(kind, Kilowatts):
        number = Decimal(text)
        if not number.is_finite() or abs(number) > LARGEST_KW or number != round(number, 2):
            raise ValueError(text)
        return number
    return text.replace("\x00", "")

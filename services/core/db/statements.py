"""Statements made once: an operation that runs a thousand times a minute doesn't build its question anew each time."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, Generic, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Select, Uuid, inspect, select
from sqlalchemy.engine.interfaces import Dialect
from sqlalchemy.orm.attributes import instance_state
from sqlmodel import SQLModel

from models.base import Kilowatts, UtcDateTime

R = TypeVar("R", bound=SQLModel)
Act = Callable[[Any], Any]


@dataclass(slots=True)
class _Compiled:
    """A statement as one database's driver takes it."""

    sql: str
    names: tuple[str, ...] | None
    """The parameters in the order of their places; None where the driver takes them by name."""
    fixed: dict[str, Any]
    binds: dict[str, Callable[[Any], Any]]
    types: tuple[Any, ...]
    acts: tuple[tuple[int, Act], ...] | None = None
    """Places of columns, and what makes their Python values: known once it has run, as the driver may have a say in it."""


class Prepared:
    """A SELECT with `bindparam`s, compiled once for each database; the rows are plain tuples.

    Values that differ from one actor to the next come in by name, never by building another statement. `index` names the
    index that SQLite, which doesn't weigh a LIMIT, has to follow through the table `asset`.
    """

    def __init__(self, statement: Select[Any], *, index: str | None = None) -> None:
        self._statement = statement
        self._index = index
        self._compiled: dict[str, _Compiled] = {}

    def raw(self, connection: Connection, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """The rows as the driver gives them: identifiers and moments as text on SQLite."""
        compiled = self._for(connection.dialect)
        binds, given = compiled.binds, {**compiled.fixed, **values}
        for name, process in binds.items():
            given[name] = process(given[name])
        wanted = given if compiled.names is None else tuple([given[name] for name in compiled.names])
        if compiled.names is None or connection.engine.dispatch.before_cursor_execute:
            # On SQLite only where somebody counts or traces statements: this one is to be seen like any other.
            result = connection.exec_driver_sql(compiled.sql, wanted)
            _learn(compiled, connection.dialect, result.cursor.description if result.cursor else ())
            return [tuple(row) for row in result]
        cursor = connection.connection.driver_connection.execute(compiled.sql, wanted)  # pyright: ignore
        _learn(compiled, connection.dialect, cursor.description)
        return cursor.fetchall()

    def all(self, connection: Connection, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """The rows in Python values."""
        rows = self.raw(connection, values)
        acts = self._for(connection.dialect).acts
        if not acts or not rows:
            return rows
        columns: list[Sequence[Any]] = list(zip(*rows, strict=True))
        for place, act in acts:
            columns[place] = [None if value is None else act(value) for value in columns[place]]
        return list(zip(*columns, strict=True))

    def _for(self, dialect: Dialect) -> _Compiled:
        found = self._compiled.get(dialect.name)
        if found is None:
            found = self._compiled[dialect.name] = self._compile(dialect)
        return found

    def _compile(self, dialect: Dialect) -> _Compiled:
        compiled: Any = self._statement.compile(dialect=dialect)
        if compiled.post_compile_params:
            raise ValueError("A statement made once names each of its values: a list in IN is as many parameters.")
        sql = str(compiled)
        if self._index and dialect.name == "sqlite":
            sql = sql.replace("FROM asset ", f"FROM asset INDEXED BY {self._index} ", 1)
        types = [column.type for column in self._statement.selected_columns]
        names = compiled.positiontup
        wanted = set(compiled.bind_names.values())
        return _Compiled(
            sql=sql,
            names=None if names is None else tuple(names),
            fixed={name: value for name, value in compiled.params.items() if value is not None},
            binds={name: act for name, act in compiled._bind_processors.items() if name in wanted},
            types=tuple(types),
        )


def _learn(compiled: _Compiled, dialect: Dialect, description: Sequence[Any]) -> None:
    if compiled.acts is None:
        made = [_act(kind, dialect, column[1]) for kind, column in zip(compiled.types, description, strict=True)]
        compiled.acts = tuple((place, act) for place, act in enumerate(made) if act is not None)


def _act(kind: Any, dialect: Dialect, said: Any) -> Act | None:
    """What makes a column's Python value of the driver's; for SQLite the quickest way to the same value."""
    if dialect.name == "sqlite":
        if isinstance(kind, Uuid):
            return _identifier
        if isinstance(kind, UtcDateTime):
            return _moment
        if isinstance(kind, Kilowatts):
            return _kilowatts
    return kind.dialect_impl(dialect).result_processor(dialect, said)


@lru_cache(maxsize=50_000)
def _identifier(text: str) -> UUID:
    return UUID(int=int(text, 16))


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}+00:00")


def _kilowatts(number: int) -> Decimal:
    return Decimal(number).scaleb(-2)


class RecordMaker(Generic[R]):
    """Whole records of one kind from the values of `columns`. They are detached: to be read, in a unit that only reads."""

    def __init__(self, model: type[R]) -> None:
        mapper = self._mapper = inspect(model)
        self._manager = mapper.class_manager
        self._keys = tuple(attribute.key for attribute in mapper.column_attrs)
        self._identity = tuple(mapper.get_property_by_column(column).key for column in mapper.primary_key)
        self.columns: tuple[Any, ...] = tuple(attribute.columns[0] for attribute in mapper.column_attrs)

    def made(self, row: Sequence[Any]) -> R:
        """A record."""
        record = self._manager.new_instance()
        values = vars(record)
        values.update(zip(self._keys, row, strict=True))
        # Detached, as the session leaves a record when it closes; every column is there, so there is nothing to expire.
        key = tuple([values[name] for name in self._identity])
        instance_state(record).key = self._mapper.identity_key_from_primary_key(key)
        return record


class PreparedRecords(Generic[R]):
    """Whole records of one kind, found by conditions made once: detached, as `RecordMaker` makes them."""

    def __init__(
        self, model: type[R], *conditions: ColumnElement[bool], order: Sequence[Any] = (), limit: int | None = None
    ) -> None:
        self._maker = RecordMaker(model)
        chosen = select(*self._maker.columns).where(*conditions).order_by(*order)
        self._prepared = Prepared(chosen if limit is None else chosen.limit(limit))

    def records(self, connection: Connection, values: Mapping[str, Any]) -> list[R]:
        """The records that are found."""
        return [self._maker.made(row) for row in self._prepared.all(connection, values)]

"""Reactions to a change: the shapes of what `services.wiring` lists, and the list that is in force in this process.

Nothing is registered by being imported. A process that opens a unit of work before `services.wiring.wire` has run is
stopped by `NotWired`: it would write events that nobody is handed, and counts that nobody keeps.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import event
from sqlalchemy.orm import Session, SessionTransaction

from models.assets import Asset
from models.base import Recorded
from models.core import Event
from models.events import EventType
from services.core.db.bulk_insert import Columns
from services.core.errors import Blocker
from services.core.ledger.faults import FaultKind

Handler = Callable[[Event], None]
Failures = dict[UUID, Exception]
"""By event, what came in the way; an event that isn't named is done."""
ManyHandler = Callable[[Sequence[Event]], Failures]


class Handling(NamedTuple):
    """The function that is handed events of a type, at least once: one at a time, or all that are due together.

    It runs outside any transaction and does no harm when handed an event twice. What it raises is retried with back-off.
    One that takes events together answers which of them failed, and how; raising says that all did.
    """

    event_type: EventType
    single: Handler | None = None
    together: ManyHandler | None = None


class PeriodicJob(NamedTuple):
    """A function that runs about so often, in one process at a time; it does no harm when run twice."""

    interval: timedelta
    run: Callable[[], None]
    has_work: Callable[[], bool] | None = None
    """Looks for something to do; inside a unit of work that reads. A job without any is not claimed: nothing is written."""
    needs_clock: bool = False
    """Waits while the clock isn't trusted: what it does follows from how late it is, and can't be taken back."""


class TableCheck(NamedTuple):
    """A check that holds tables beside the ledger against it, when the register is verified.

    `find` yields where and what differs; it reads in the session that it is given.
    """

    title: str
    tables: Sequence[str]
    kind: FaultKind
    find: Callable[[Session], Iterable[tuple[str, str]]]


@dataclass(frozen=True, slots=True)
class ConnectionLimit:
    """The power that the grid lets through for a unit, in kW; None: no limit is known that way."""

    export_kw: Decimal | None
    import_kw: Decimal | None
    words: str
    """The operator whose limit it is, and since when."""


Derive = Callable[[Callable[[str], Any]], Any]
"""Works out a derived column; it is given a function that reads another column of the record by name."""
AfterFlush = Callable[[Session], None]
AfterRollback = Callable[[Session, SessionTransaction], None]
AfterInsert = Callable[[Session, type[Recorded], Columns], None]
"""Is told the columns of many new records."""
AfterChange = Callable[[Session, type[Recorded], Columns, Mapping[str, Any]], None]
"""Is told every column of many records as it was before, and the values that are new."""
BeforeCommit = Callable[[Session], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reactions:
    """Every reaction of the register. Functions of one list run in its order."""

    handlers: Mapping[str, Handling]
    """Event handlers, by the name that deliveries keep."""
    jobs: Mapping[str, PeriodicJob]
    """Periodic jobs, by the name under which the register keeps when each is due."""
    derived_columns: Mapping[str, Mapping[str, Derive]]
    """By kind of record and column: worked out whenever such a record is written, on every path."""
    old_values: Sequence[tuple[type[Recorded], Sequence[str]]]
    """Columns whose value before a change is loaded even where it had not been read: counts take away what was."""
    after_flush: Sequence[AfterFlush]
    """See what a session has just written: `session.new` and `session.dirty` still name it."""
    after_rollback: Sequence[AfterRollback]
    """Forget what was noted inside a transaction or savepoint that was taken back."""
    after_bulk_insert: Sequence[AfterInsert]
    after_bulk_change: Sequence[AfterChange]
    before_commit: Sequence[BeforeCommit]
    """Run in every unit of work that writes: the very last before it commits."""
    asset_blockers: Sequence[Callable[[Asset], list[Blocker]]]
    """Name what keeps an asset in the register; inside an operation."""
    organisation_blockers: Sequence[Callable[[UUID], list[Blocker]]]
    """Name what keeps an organisation in the register, given its identifier; inside an operation."""
    connection_limits: Sequence[Callable[[Collection[UUID]], Mapping[UUID, ConnectionLimit]]]
    """Supply the limits of units, of those for which they know one; inside an operation."""
    table_checks: Sequence[TableCheck]
    """Checks of verification beyond the ledger itself (services.core.ledger.coverage)."""
    wire_process: Callable[[], None]
    """Wires a process that this one starts; a function of a module, so that it can be pickled."""


class NotWired(RuntimeError):
    """A unit of work was opened in a process in which nothing reacts to it: a mistake in the code, not of the user."""


_in_force: Reactions | None = None


def install(reacting: Reactions) -> None:
    """Put a list of reactions in force in this process, instead of any before."""
    global _in_force
    for model, names in reacting.old_values:
        for name in names:
            attribute = getattr(model, name)
            if not event.contains(attribute, "set", _same_value):
                event.listen(attribute, "set", _same_value, active_history=True, retval=True)
    _in_force = reacting


def reactions() -> Reactions:
    """The list in force in this process. Raises NotWired before there is one."""
    if _in_force is None:
        raise NotWired("Call services.wiring.wire() at the start of this process: nothing would react to a change.")
    return _in_force


def _same_value(_record: Any, value: Any, _old: Any, _initiator: Any) -> Any:
    return value

"""An operation is a function: permission, transaction, standing and ledger stamp in one decorator."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial, wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm.exc import StaleDataError

from services.core.errors import RegisterError
from services.core.identity.account_status import require_standing
from services.core.identity.actor import Actor, system_actor
from services.core.identity.permissions import permission_table, require
from services.core.transaction import AFTERWARDS, Stamp, in_transaction, unit_of_work

P = ParamSpec("P")
T = TypeVar("T")
ATTEMPTS = 3
RACED_STATES = ("40001", "40P01", "23505", "23P01")
"""PostgreSQL: serialization failure, deadlock, and a unique or exclusion constraint that another writer met first.

A unique index is looked at by the service before it writes: the second look finds what the other writer left. A foreign
key, a NULL or a failed check is a mistake, and running the operation again would only repeat it.
"""
RACED_NAMES = ("SQLITE_CONSTRAINT_UNIQUE", "SQLITE_CONSTRAINT_PRIMARYKEY")


@dataclass(frozen=True, slots=True)
class Operation:
    """Declaration of one operation; traceability, permission page and audit names are made from these."""

    name: str
    module: str
    function: str
    use_case: str
    permission: str
    writes: bool
    summary: str

    @property
    def area(self) -> str:
        """The area of the register that it belongs to: the second part of its module's name."""
        return self.module.split(".")[1]


OPERATIONS: dict[str, Operation] = {}


def operation(
    use_case: str, *, permission: str, name: str, writes: bool = True
) -> Callable[[Callable[Concatenate[Actor, P], T]], Callable[Concatenate[Actor, P], T]]:
    """Make a function an operation of the register.

    `name` is what the ledger and the access log keep: it stays when the function is renamed or moved.

    The function's first argument is the actor. Before it runs, the actor's permission is required and the actor's standing
    is read anew (a deactivated person or suspended organisation stops here); it then runs inside a transaction that
    commits when it returns and leaves nothing when it raises. Two writers of one record: the later one is run again on
    what the earlier one left, and its own version check tells the actor what changed.

    Raises Forbidden without the permission, Unauthenticated without standing, and what the function raises.
    """

    def decorate(function: Callable[Concatenate[Actor, P], T]) -> Callable[Concatenate[Actor, P], T]:
        declared = Operation(
            name=name,
            module=function.__module__,
            function=function.__name__,
            use_case=use_case,
            permission=permission,
            writes=writes,
            summary=(function.__doc__ or "").strip().split("\n")[0],
        )
        if permission not in permission_table():
            raise KeyError(f"{permission} is not in permissions.csv")
        if OPERATIONS.get(declared.name, declared) != declared:
            raise KeyError(f"Two operations are called {declared.name}")
        OPERATIONS[declared.name] = declared

        def once(actor: Actor, *args: P.args, **kwargs: P.kwargs) -> T:
            stamp = Stamp(declared.name, use_case, actor)
            left: list[Callable[[], None]] = []
            try:
                with unit_of_work(stamp, writes=writes) as session:
                    session.info[AFTERWARDS] = left
                    require_standing(actor)
                    require(actor, permission)
                    result = function(actor, *args, **kwargs)
            except RegisterError:
                _do_afterwards(stamp, left)
                raise
            _do_afterwards(stamp, left)
            return result

        @wraps(function)
        def run(actor: Actor, *args: P.args, **kwargs: P.kwargs) -> T:
            if in_transaction():
                require(actor, permission)
                with unit_of_work(Stamp(declared.name, use_case, actor), writes=writes):
                    return function(actor, *args, **kwargs)
            return _again_when_raced(partial(once, actor, *args, **kwargs))

        return run

    return decorate


def system_step(use_case: str, *, name: str, writes: bool = True) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Make a function a step that the register takes by itself: no person or program may call it.

    It runs in one transaction under the system actor, again where another writer came in between. `name` is what the ledger
    keeps: it stays when the function is renamed or moved. It is no operation, so that no permission opens it and neither the
    reference nor the page "Who may do what" lists it.
    """

    def decorate(function: Callable[P, T]) -> Callable[P, T]:
        def once(*args: P.args, **kwargs: P.kwargs) -> T:
            with unit_of_work(Stamp(name, use_case, system_actor()), writes=writes):
                return function(*args, **kwargs)

        @wraps(function)
        def run(*args: P.args, **kwargs: P.kwargs) -> T:
            if in_transaction():
                return once(*args, **kwargs)
            return _again_when_raced(partial(once, *args, **kwargs))

        return run

    return decorate


def _again_when_raced(attempt: Callable[[], T]) -> T:
    for left in reversed(range(ATTEMPTS)):
        try:
            return attempt()
        except (StaleDataError, IntegrityError, OperationalError) as error:
            if not left or not _raced(error):
                raise
    raise AssertionError("unreachable")


def _do_afterwards(stamp: Stamp, left: list[Callable[[], None]]) -> None:
    for act in left:
        with unit_of_work(stamp, writes=True):
            act()


def _raced(error: Exception) -> bool:
    """Tell whether another writer came in between, so that running again is right."""
    if isinstance(error, StaleDataError):
        return True
    cause: Any = getattr(error, "orig", None)
    return getattr(cause, "sqlstate", None) in RACED_STATES or getattr(cause, "sqlite_errorname", None) in RACED_NAMES

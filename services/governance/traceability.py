"""Traceability: what the register can do and who may do it, read from the operations themselves, never typed in twice."""

from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pkgutil import walk_packages

import services
from models.participants import Role
from services.core.identity.permissions import Scope, permission_table
from services.core.operation import OPERATIONS, Operation


@dataclass(frozen=True, slots=True)
class PermissionRow:
    """One row of the permission matrix, with the operations it opens."""

    name: str
    meaning: str
    scopes: dict[Role, Scope]
    operations: list[Operation]


@cache
def every_operation() -> tuple[Operation, ...]:
    """Every operation of the register, by name: modules that this process hasn't needed so far are imported."""
    for module in walk_packages(services.__path__, "services."):
        import_module(module.name)
    return tuple(declared for _, declared in sorted(OPERATIONS.items()) if declared.module.startswith("services."))


def permission_rows() -> list[PermissionRow]:
    """The permission matrix: what each row means, how far each role reaches, which operations it opens."""
    return [
        PermissionRow(
            row.name,
            row.meaning,
            row.scopes,
            [declared for declared in every_operation() if declared.permission == row.name],
        )
        for row in permission_table().values()
    ]


def operations_by_use_case() -> dict[str, list[Operation]]:
    """The operations that implement each use case, in the order of the use cases."""
    operations: dict[str, list[Operation]] = {}
    for declared in sorted(every_operation(), key=lambda declared: (declared.use_case, declared.module, declared.name)):
        operations.setdefault(declared.use_case, []).append(declared)
    return operations

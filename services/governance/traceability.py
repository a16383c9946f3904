"""What the register can do and who may do it, read from the operations themselves: nothing is typed in twice."""

from dataclasses import dataclass

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


def permission_rows() -> list[PermissionRow]:
    """The permission matrix: what each row means, how far each role reaches, which operations it opens."""
    return [
        PermissionRow(
            row.name,
            row.meaning,
            row.scopes,
            sorted(
                (known for known in OPERATIONS.values() if known.permission == row.name), key=lambda known: known.name
            ),
        )
        for row in permission_table().values()
    ]


def operations_by_use_case() -> dict[str, list[Operation]]:
    """The operations that implement each use case, in the order of the use cases."""
    found: dict[str, list[Operation]] = {}
    for known in sorted(OPERATIONS.values(), key=lambda known: (known.use_case, known.module, known.name)):
        found.setdefault(known.use_case, []).append(known)
    return found

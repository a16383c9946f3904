"""The use cases by name, and what of the register implements each, read from the operations themselves."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from services.core.operation import Operation
from services.core.settings import ROOT
from services.governance.traceability import operations_by_use_case

USE_CASES = ROOT / "data" / "use_cases.csv"


@dataclass(frozen=True, slots=True)
class UseCase:
    """One use case, and the operations that implement it; none yet is an empty list."""

    id: str
    group: str
    module: str
    title: str
    operations: Sequence[Operation]


@lru_cache(maxsize=1)
def _declared() -> list[dict[str, str]]:
    with USE_CASES.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def use_cases() -> list[UseCase]:
    """All use cases in their order, each with its operations."""
    operations = operations_by_use_case()
    return [
        UseCase(row["id"], row["group"], row["module"], row["title"], operations.get(row["id"], []))
        for row in _declared()
    ]

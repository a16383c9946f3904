"""Faults that verification finds (UC-05.06), and its outcome."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

MOST_NAMED = 20
"""Faults of one check that are named one by one; the others are counted."""


class FaultKind(StrEnum):
    """Fault of the ledger, or of a record or table held against it."""

    ENTRY_ALTERED = "entry altered"
    CHAIN_BROKEN = "chain broken"
    SEQUENCE_BROKEN = "sequence broken"
    TIME_BROKEN = "time out of order"
    SEAL_BROKEN = "seal broken"
    SEAL_MISSING = "seal missing"
    SIGNATURE_BROKEN = "signature broken"
    ANCHORS_BROKEN = "anchors broken"
    GUARD_MISSING = "guard missing"
    RECORD_ALTERED = "record altered"
    RECORD_MISSING = "record missing"
    RECORD_UNKNOWN = "record without ledger"
    LOG_ALTERED = "log altered"
    CONTENT_ALTERED = "content altered"
    DERIVED_ALTERED = "derived value altered"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that verification found, and where."""

    kind: FaultKind
    where: str
    message: str


@dataclass(slots=True)
class Verification:
    """The outcome of verifying the whole register."""

    started_at: datetime
    register: str = ""
    """The identifier of the register."""
    entries: int = 0
    sealed_entries: int = 0
    seals: int = 0
    signed_seals: int = 0
    """Seals whose signature was verified."""
    unsigned_seals: int = 0
    """Seals that bear none: of a version that did not sign, or of a register that doesn't."""
    unchecked_signatures: int = 0
    """Seals whose signature could not be verified, since no key file is named here."""
    records: int = 0
    anchors: int = 0
    tables: int = 0
    """Tables beside the ledger that were held against it."""
    faults: list[Fault] = field(default_factory=list)
    cut_off: Fault | None = None
    """The one of them that a restored copy has by nature: the anchor file knows seals that are younger than all of it."""

    @property
    def sound(self) -> bool:
        """True where no fault was found."""
        return not self.faults

    @property
    def summary(self) -> str:
        """The numbers of what was held against what, in a sentence or two."""
        counts = (
            f"{self.entries:,} entries, {self.sealed_entries:,} of them under {self.seals:,} seals; {self.records:,} records "
            f"and {self.tables:,} tables beside the ledger held against them; {self.anchors:,} seals held against the anchor "
            f"file, {self.signed_seals:,} signatures verified."
        )
        if self.unchecked_signatures:
            counts += f" {self.unchecked_signatures:,} signatures were not verified: FMAR_SEAL_KEY_FILE names no file."
        elif self.unsigned_seals:
            counts += f" {self.unsigned_seals:,} seals bear no signature."
        return counts

    def add(self, kind: FaultKind, where: str, message: str) -> Fault:
        """Note a fault, and return it."""
        fault = Fault(kind, where, message)
        self.faults.append(fault)
        return fault

    def add_all(self, kind: FaultKind, findings: Iterable[tuple[str, str]]) -> None:
        """Note the findings of one check, each where and what; of many, the first ones and how many more there are."""
        more = 0
        for count, (where, message) in enumerate(findings):
            if count < MOST_NAMED:
                self.add(kind, where, message)
            else:
                more += 1
        if more:
            self.add(kind, self.faults[-1].where.partition(" ")[0], f"There are {more:,} more faults of this kind.")

"""The ways in which the register refuses.

Pages show them, the API maps them to RFC 9457 problem details; both use the same words, because the words are written
here or where the rule is declared.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class Severity(StrEnum):
    """Severity of a finding: an error refuses, a warning asks for a written justification, a notice stops nothing.

    A notice says what was read otherwise than it stands in a file.
    """

    ERROR = "error"
    WARNING = "warning"
    NOTICE = "notice"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a rule found, in the words its reader sees.

    `code` names the rule (for example ``MPAN-02``), `field` is the ontology term it concerns (None: the whole record),
    `given` is what was handed in, as text, and `expected` says what would have been accepted.
    """

    code: str
    field: str | None
    given: str | None
    expected: str
    message: str
    severity: Severity = Severity.ERROR

    def as_dict(self) -> dict[str, Any]:
        """The finding as the API and the history show it."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Blocker:
    """One record that stands in the way of a refused act: what it is, its identifier, and what to do about it."""

    kind: str
    id: str
    label: str
    action: str


class RegisterError(Exception):
    """Base of every refusal: a sentence for the person who asked."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class NotFound(RegisterError):
    """The record does not exist, or the actor may not see it: the two answer alike."""

    def __init__(self, kind: str, identifier: object) -> None:
        super().__init__(f"No {kind} with the identifier {identifier} that you may see.")
        self.kind = kind
        self.identifier = str(identifier)


class Forbidden(RegisterError):
    """The actor may not do this. `message` says why, and who could."""


class Unauthenticated(RegisterError):
    """The actor is not, or no longer, known: signed out, deactivated, or a credential that has ended."""


class Invalid(RegisterError):
    """Refusal of input that breaks rules; all findings at once, errors before warnings.

    With warnings alone, the same request goes through once it carries a justification of 10 characters or more.
    """

    def __init__(self, findings: Sequence[Finding]) -> None:
        self.findings = sorted(findings, key=lambda finding: finding.severity is Severity.WARNING)
        errors = sum(1 for finding in self.findings if finding.severity is Severity.ERROR)
        warnings = len(self.findings) - errors
        if errors:
            message = (
                f"{errors} {'value needs' if errors == 1 else 'values need'} correcting before this can be accepted."
            )
        else:
            message = (
                f"{warnings} {'warning needs' if warnings == 1 else 'warnings need'} a written justification "
                "(10 characters or more)."
            )
        super().__init__(message)

    @property
    def only_warnings(self) -> bool:
        """Tell whether a justification is all that is missing."""
        return all(finding.severity is Severity.WARNING for finding in self.findings)


class Conflict(RegisterError):
    """Somebody else changed the record since it was read.

    `current` is the record as it stands now (ontology terms), `changes` maps each field the other change touched to
    (before, after), so that the person can decide what to keep.
    """

    def __init__(
        self, message: str, current: Mapping[str, Any], changes: Mapping[str, tuple[Any, Any]] | None = None
    ) -> None:
        super().__init__(message)
        self.current = dict(current)
        self.changes = dict(changes or {})


class Duplicate(RegisterError):
    """The same thing is registered already. `existing_id` is given only where the actor may see that record."""

    def __init__(self, message: str, kind: str, existing_id: str | None = None) -> None:
        super().__init__(message)
        self.kind = kind
        self.existing_id = existing_id


class Refused(RegisterError):
    """The act is not possible in the state things are in; `blockers` lists what stands in the way."""

    def __init__(self, reason: str, blockers: Sequence[Blocker] = ()) -> None:
        super().__init__(reason)
        self.reason = reason
        self.blockers = list(blockers)


class Unavailable(RegisterError):
    """The register can't do this at the moment, whoever asks; nothing was kept. `retry_after` is in whole seconds."""

    def __init__(self, message: str, retry_after: int = 10) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class TooManyRequests(RegisterError):
    """The actor asked more often than the register answers; `retry_after` is in whole seconds."""

    def __init__(self, message: str, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after

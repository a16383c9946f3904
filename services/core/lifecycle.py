"""States are data: each life cycle is one table of (from, to, operation)."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

from services.core.errors import Blocker, Refused

S = TypeVar("S", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class Transition(Generic[S]):
    """One step that a life cycle knows: from where, to where, by which operation."""

    source: S
    target: S
    operation: str


@dataclass(frozen=True, slots=True)
class Action:
    """Something that could be done with a record now: offered when `allowed`, otherwise `why_not` says what is in the way.

    `in_reach` is false for what the actor's role never does with this record; `blockers` are the records in the way.
    """

    operation: str
    label: str
    allowed: bool
    why_not: str | None = None
    in_reach: bool = True
    blockers: Sequence[Blocker] = ()


@dataclass(frozen=True)
class LifeCycle(Generic[S]):
    """All steps of one kind of record; anything else is refused. Buttons, API and the diagrams in the docs come from it."""

    kind: str
    transitions: Sequence[Transition[S]]

    def can(self, source: S, operation: str) -> bool:
        """Tell whether the operation leads anywhere from this state."""
        return any(step.source == source and step.operation == operation for step in self.transitions)

    def require(self, source: S, target: S, operation: str) -> None:
        """Raise Refused unless this operation leads from the one state to the other."""
        if not any(
            step.source == source and step.target == target and step.operation == operation for step in self.transitions
        ):
            ways = sorted({step.operation.replace("_", " ") for step in self.transitions if step.source == source})
            onward = f"What can be done from there: {', '.join(ways)}." if ways else "That state is final."
            raise Refused(f"The {self.kind} is {source}: it can't become {target} this way. {onward}")

    def sources(self, operation: str) -> list[S]:
        """The states from which an operation leads on."""
        return list(dict.fromkeys(step.source for step in self.transitions if step.operation == operation))

    def diagram(self) -> str:
        """The life cycle as Mermaid text, for the docs."""
        steps = [f"    {step.source.name} --> {step.target.name}: {step.operation}" for step in self.transitions]
        return "stateDiagram-v2\n" + "\n".join(steps)

"""One asset of the demo before it is registered: what will be declared, and what will become of it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from services.assets.rules.mpan import mpan_check_digit

SANDBOX_DIGITS = "9990000"
"""Digits 3 to 9 of the MPANs whose answer the sandbox chooses by digits 10 to 12 (docs/outside-systems.md)."""


class Story(StrEnum):
    """Story of an asset after its registration."""

    EVERYDAY = "verified, or asked about and left so"
    AWAITING = "its consent is not confirmed yet"
    NO_CONSENT = "its consent is refused"
    REVOKED = "its consent is revoked later"
    ANSWERED = "its query is answered, and waits for the operator"
    SETTLED = "its query is answered and settled"
    CORRECTED = "its query leads to a corrected value"
    UNANSWERED = "its query is never answered"
    DECIDED = "no source knows it, and the operator verifies it"
    RENAMED = "a detail is changed later"
    GROWN = "it is extended later"
    ENDED = "it is de-registered later"
    CLAIMED_TWICE = "its MPAN is another provider's too"


@dataclass
class Planned:
    """One asset to be registered: for whom, when, in which batch, and the values as they are handed in."""

    number: int
    provider: str
    owner: str | None
    moment: datetime
    batch: int
    large: bool
    values: dict[str, Any]
    story: Story = Story.EVERYDAY
    odd: str = ""
    """In what the made-up connection register differs from what is declared; nothing where it agrees."""
    reference: str = ""
    """Its reference in that register; nothing where it doesn't stand there."""
    asked: bool = False
    """Whether the sandbox's MPAN register contradicts it, so that it stands in Query."""

    @property
    def category(self) -> str:
        """Its AssetCategory."""
        return self.values["AssetCategory"]

    @property
    def consumer_owned(self) -> bool:
        """Tell whether a consent stands behind it."""
        return bool(self.values.get("ConsumerOwned"))


def sandbox_mpan(distributor: str, answer: str) -> str:
    """The distributor's one MPAN for which the sandbox has this answer (digits 10 to 12)."""
    digits = f"{distributor}{SANDBOX_DIGITS}{answer}"
    return f"{digits}{mpan_check_digit(digits)}"

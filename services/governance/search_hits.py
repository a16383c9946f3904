"""Results of a search: what was found, and which part of which value matched (UC-05.01)."""

from dataclasses import dataclass
from enum import StrEnum

from services.assets.reading.search import EXACT
from services.assets.rules.mpan import reduce_mpan

LONGEST = 100
"""Characters of a search; the rest is not looked at."""
MOST = 20
"""Results of one kind."""


class Found(StrEnum):
    """Kind of thing that was found."""

    ASSET = "ASSET"
    ORGANISATION = "ORGANISATION"
    PARTICIPANT = "PARTICIPANT"
    """An organisation of whose record the actor sees name and roles only."""
    DRAFT = "DRAFT"
    CATEGORY = "CATEGORY"
    UNIT = "UNIT"
    PRODUCT = "PRODUCT"
    """Identified by its code."""
    APPLICATION = "APPLICATION"
    PERSON = "PERSON"
    """A person in an organisation, which identifies the result."""
    GSP_GROUP = "GSP_GROUP"
    """Identified by its code."""


@dataclass(frozen=True, slots=True)
class Hit:
    """One result: what it is, and why it was found: the field, its value, and the part of the value that matched.

    All texts may have been typed by anybody: escape them. `identifier` is an ID; of a category, product or area its code.
    """

    kind: Found
    identifier: str
    title: str
    about: str
    rank: int
    field: str
    value: str
    start: int
    length: int

    @property
    def exact(self) -> bool:
        """Tell whether an identifier was given whole."""
        return self.rank == EXACT


@dataclass(frozen=True, slots=True)
class SearchResults:
    """Hits of a search, the best of each kind first. `complete`: everything that the actor sees was looked at."""

    text: str
    hits: list[Hit]
    complete: bool = True

    def of(self, *kinds: Found) -> list[Hit]:
        """The results of these kinds."""
        return [hit for hit in self.hits if hit.kind in kinds]

    @property
    def only(self) -> Hit | None:
        """The one record whose identifier was given whole; None where it is none, or several."""
        exact = [hit for hit in self.hits if hit.exact]
        return exact[0] if len(exact) == 1 else None


def make_hit(
    kind: Found, identifier: object, title: str, about: str, rank: int, field: str, value: str, text: str
) -> Hit:
    start, length = part_of(value, text)
    return Hit(kind, str(identifier), title, about, rank, field, value, start, length)


def part_of(value: str, text: str) -> tuple[int, int]:
    """The place of the searched text in a value: all of it, else the first of its words, else the digits of an MPAN."""
    lowered = value.lower()
    for part in (text, reduce_mpan(text) or text, "".join(text.split()), text.partition(":")[2], *text.split()):
        place = lowered.find(part.lower()) if part and len(lowered) == len(value) else -1
        if place >= 0:
            return place, len(part)
    return 0, 0

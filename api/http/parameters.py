"""What lists and readings can be asked for, and bodies that several routes share."""

from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from annotated_types import Interval
from fastapi import Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from services.core.ledger.history import RecordChange

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
LATEST = datetime(2200, 1, 1, tzinfo=UTC)
LONGEST_PAGE = 200

AsOf = Annotated[
    AwareDatetime | None,
    Interval(ge=EARLIEST, le=LATEST),
    Query(
        alias="as_of",
        description="The record as it stood at this moment, such as `2026-11-24T09:30:00Z`. 404 before it was registered.",
    ),
]


class PageQuery(BaseModel):
    """How a list is paged. Anything else in the query is refused, so that no misspelt filter lets everything through."""

    model_config = ConfigDict(extra="forbid")

    after: UUID | None = Field(default=None, description="Where the page before ended: taken from its `next`.")
    limit: int = Field(default=50, ge=1, le=LONGEST_PAGE, description="Items on a page.")


class ReasonBody(BaseModel):
    """Why something is done, in writing: it stays with the record."""

    model_config = ConfigDict(extra="forbid")

    Reason: str = Field(max_length=4000, examples=["The connection agreement was ended on 1 November 2026."])


class HistoryEntry(BaseModel):
    """One change of a record."""

    Version: int = Field(description="The version that the change made.")
    At: datetime
    Operation: str = Field(examples=["update_asset"])
    UseCase: str = Field(examples=["UC-02.03"])
    By: str = Field(description="Who did it.")
    Organisation: str | None = Field(description="For which organisation.")
    Changes: dict[str, list[Any]] = Field(description="Term -> [before, after].")
    Hash: str = Field(description="The ledger entry's hash, chained to the entry before.")


class History(BaseModel):
    """All changes of a record, newest first."""

    items: list[HistoryEntry]


def told(changes: list[RecordChange]) -> dict[str, Any]:
    """A history as answered."""
    return {
        "items": [
            {
                "Version": change.version,
                "At": change.at,
                "Operation": change.operation,
                "UseCase": change.use_case,
                "By": change.actor,
                "Organisation": change.organisation,
                "Changes": {term: list(pair) for term, pair in change.changes.items()},
                "Hash": change.hash,
            }
            for change in changes
        ]
    }

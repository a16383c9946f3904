"""Parameters of lists and readings, and schemas that several routes share."""

from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from annotated_types import Interval
from fastapi import Query
from pydantic import AwareDatetime, BaseModel, Field

from api.http.schemas import AnswerSchema, RequestSchema
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


class PageQuery(RequestSchema):
    """A page of a list. Anything else in the query is refused, so that no misspelt filter lets everything through."""

    after: UUID | None = Field(default=None, description="Where the page before ended: taken from its `next`.")
    limit: int = Field(default=50, ge=1, le=LONGEST_PAGE, description="Items on a page.")


class ReasonBody(RequestSchema):
    """Why something is done, in writing: it stays with the record."""

    reason: str = Field(max_length=4000, examples=["The connection agreement was ended on 1 November 2026."])


class HistoryEntry(AnswerSchema):
    """One change of a record."""

    version: int = Field(description="The version that the change made.")
    at: datetime
    operation: str = Field(examples=["update_asset"])
    use_case: str = Field(examples=["UC-02.03"])
    actor: str = Field(serialization_alias="By", description="Who did it.")
    organisation: str | None = Field(description="For which organisation.")
    changes: dict[str, list[Any]] = Field(description="Term -> [before, after].")
    hash: str = Field(description="The ledger entry's hash, chained to the entry before.")


class History(BaseModel):
    """All changes of a record, newest first."""

    items: list[HistoryEntry]


def history_out(changes: Iterable[RecordChange]) -> History:
    """The history of a record."""
    return History(items=HistoryEntry.from_records(changes))


def filter_fields(terms: Iterable[str], single: Collection[str], max_length: int) -> dict[str, Any]:
    """The query parameters of filters by ontology term, for `create_model`: all but the `single` may be repeated."""
    text = Annotated[str, Field(max_length=max_length)]
    several = Field(default_factory=list, max_length=100, description="May be repeated: one of these.")
    return {term: (text, Field(default="")) if term in single else (list[text], several) for term in terms}


def filter_values(query: BaseModel, terms: Iterable[str]) -> Mapping[str, list[str]]:
    """The values of a query made with `filter_fields`, by ontology term."""
    values = {term: getattr(query, term) for term in terms}
    return {term: value if isinstance(value, list) else [value] for term, value in values.items()}

"""Schemas of requests and answers: Python names in the code, ontology terms on the wire, each field declared once.

`term` makes the one from the other. An answer is read from the attributes of a record; where these are called otherwise
than the term, the field bears the attribute's name and gives its term as `serialization_alias`.
"""

from collections.abc import Iterable
from typing import Any, Self

from pydantic import AliasGenerator, BaseModel, BeforeValidator, ConfigDict

INITIALISMS = {"dno_connection": "DNOConnection", "mpan": "MPAN"}
UNITS = {"kw": "kW", "kwh": "kWh", "s": "s", "min": "min"}
ENVELOPE = frozenset(
    {"items", "next", "messages", "involved", "findings", "blockers", "complete", "after", "limit", "order"}
)
"""Words of the API itself rather than of the ontology: they keep their small letters."""


def term(name: str) -> str:
    """The ontology term of a Python name: ``unit_id`` is ``UnitId``, ``duration_min`` is ``Duration_min``.

    A field made from a catalogue bears its term already.
    """
    if name in ENVELOPE or not name.islower():
        return name
    if name in INITIALISMS:
        return INITIALISMS[name]
    *words, last = name.split("_")
    joined = "".join(word.capitalize() for word in words)
    return f"{joined}_{UNITS[last]}" if words and last in UNITS else joined + last.capitalize()


def part(name: str) -> BeforeValidator:
    """An annotation: the field holds this attribute of what the record has in its place; None stays None."""
    return BeforeValidator(lambda whole: None if whole is None else getattr(whole, name))


class RequestSchema(BaseModel):
    """A body or query by ontology term. A name that it doesn't have is refused, so that no misspelt one passes unseen."""

    model_config = ConfigDict(alias_generator=term, extra="forbid")


class AnswerSchema(BaseModel):
    """An answer by ontology term, read from the attributes of a record."""

    model_config = ConfigDict(
        alias_generator=AliasGenerator(serialization_alias=term),
        from_attributes=True,
        validate_by_name=True,
        serialize_by_alias=True,
    )

    @classmethod
    def from_record(cls, record: object, **more: object) -> Self:
        """The answer for a record, read from its attributes; `more` is what the record doesn't hold, by field."""
        return cls.model_validate(_Extended(record, more) if more else record)

    @classmethod
    def from_records(cls, records: Iterable[object]) -> list[Self]:
        """The answers for several records."""
        return [cls.model_validate(record) for record in records]


class _Extended:
    """A record with attributes that it doesn't hold itself."""

    def __init__(self, record: object, more: dict[str, object]) -> None:
        self.__dict__.update(more)
        self._record = record

    def __getattr__(self, name: str) -> Any:
        return getattr(self._record, name)

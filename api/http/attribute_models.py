"""Schemas generated from the attribute catalogues of the services: nothing is typed twice."""

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema, create_model
from pydantic_core import PydanticCustomError

from services.core.attributes import FormField, options_of, shipped_code_lists
from services.core.errors import Finding, Invalid

_NUMBERS = {"power": 2, "number": None, "integer": 0, "degrees": 6, "metres": None}


def _text(value: Any) -> Any:
    if value is not None and not isinstance(value, str):
        raise PydanticCustomError("string_type", "give text (a JSON string) or null")
    return value


def _number(value: Any) -> Any:
    if value is None or (isinstance(value, (int, Decimal, str)) and not isinstance(value, bool)):
        return value
    raise PydanticCustomError("number_type", "give a JSON number, or the number as text, or null")


def _yes_no(value: Any) -> Any:
    if value is None or isinstance(value, (bool, str)):
        return value
    raise PydanticCustomError("bool_type", "give true, false or null")


def _texts(value: Any) -> Any:
    if value is None or (isinstance(value, list) and all(isinstance(text, str) for text in value)):
        return value
    raise PydanticCustomError("list_type", "give a list of texts, or null")


def _pairs(value: Any) -> Any:
    plain = isinstance(value, list) and all(
        isinstance(pair, dict) and all(isinstance(part, str) for part in pair.values()) for pair in value
    )
    if value is None or plain:
        return value
    raise PydanticCustomError("list_type", "give a list of objects with scheme and value, or null")


_CHECKS: dict[str, Any] = {
    **dict.fromkeys(_NUMBERS, _number),
    "boolean": _yes_no,
    "codes": _texts,
    "aliases": _pairs,
    "identifiers": _pairs,
}
_FORMATS = {"date": "date", "uuid": "uuid", "email": "email", "url": "uri"}
_PAIR = {
    "type": "object",
    "properties": {"scheme": {"type": "string"}, "value": {"type": "string"}},
    "required": ["scheme", "value"],
}


def schema_of(field: FormField, *, answered: bool) -> dict[str, Any]:
    """The JSON Schema of one attribute. `answered`: as the register answers it, rather than as it may be handed in."""
    words = f"{field.help} ({field.unit})" if field.unit and field.unit not in field.help else field.help
    schema: dict[str, Any] = {"title": field.label, "description": words, **_shape(field, answered)}
    example = _example(field)
    if example is not None:
        schema["examples"] = [example]
    return schema


def _shape(field: FormField, answered: bool) -> dict[str, Any]:
    if field.kind in _NUMBERS:
        number = "integer" if field.kind == "integer" else "number"
        return {"type": [number, "null"] if answered else [number, "string", "null"]}
    if field.kind == "boolean":
        return {"type": ["boolean", "null"]}
    if field.kind in ("aliases", "identifiers"):
        return {"type": ["array", "null"], "items": _PAIR}
    codes = [option.code for option in field.options or options_of(shipped_code_lists(), field.code_list or "")]
    listed = {"x-codes": codes} if codes else {}
    if field.kind == "codes":
        return {"type": ["array", "null"], "items": {"type": "string"}, **listed}
    shape: dict[str, Any] = {"type": ["string", "null"], **listed}
    if field.kind in _FORMATS and answered:
        shape["format"] = _FORMATS[field.kind]
    return shape


def _example(field: FormField) -> Any:
    if not field.example:
        return None
    match field.kind:
        case "boolean":
            return field.example == "true"
        case "codes":
            return [field.example]
        case "aliases" | "identifiers":
            pairs = [pair.split(":", 1) for pair in field.example.split(";")]
            return [{"scheme": pair[0].strip(), "value": pair[-1].strip()} for pair in pairs]
        case kind if kind in _NUMBERS:
            return float(field.example) if "." in field.example else int(field.example)
        case _:
            return field.example


def _annotated(field: FormField) -> Any:
    check = AfterValidator(_CHECKS.get(field.kind, _text))
    return Annotated[Any, check, WithJsonSchema(schema_of(field, answered=False))]


def request_model(
    name: str, about: str, fields: Iterable[FormField], *, example: Mapping[str, Any], mandatory: bool
) -> type[BaseModel]:
    """Make the schema of a request. The rules judge the values; here only their JSON types are held to.

    `mandatory`: the description says which must be there (a change names only what changes). What the description doesn't
    name goes to the rules too: it is an attribute of a category, or a finding.
    """
    listed = list(fields)
    needed = [field.term for field in listed if field.mandatory] if mandatory else []
    extra: dict[str, Any] = {"examples": [dict(example)]} | ({"required": needed} if needed else {})
    return create_model(
        name,
        __config__=ConfigDict(extra="allow", json_schema_extra=extra),
        __doc__=about,
        **{field.term: (_annotated(field), Field(default=None)) for field in listed},  # pyright: ignore
        Justification=(
            Annotated[
                Any,
                AfterValidator(_text),
                WithJsonSchema(
                    {
                        "type": ["string", "null"],
                        "description": "Why warnings are right to be accepted: 10 characters or more. Kept with the record.",
                    }
                ),
            ],
            Field(default=None),
        ),
    )


def handed_in(
    body: BaseModel, register_terms: Container[str], judge: Callable[[dict[str, Any]], Sequence[Finding]] | None = None
) -> tuple[dict[str, Any], str | None]:
    """Read the values of a body by term (null included), and its justification.

    Raises Invalid for terms that the register writes itself: they are never passed over in silence. `judge` then says what
    else is wrong, so that all findings come at once.
    """
    values = {name: getattr(body, name) for name in body.model_fields_set}
    justification = values.pop("Justification", None)
    readonly = [
        Finding(
            "REQUEST-READ-ONLY",
            term,
            None,
            "not in a request",
            f"{term} is written by the register itself. Leave it out.",
        )
        for term in values
        if term in register_terms
    ]
    if readonly:
        raise Invalid([*readonly, *(judge(values) if judge else ())])
    return values, justification


def answer_model(name: str, about: str, fields: Iterable[FormField], own: Mapping[str, Any]) -> type[BaseModel]:
    """Make the schema of an answer: the register's own terms (with their types), then the declared ones."""
    declared = {
        field.term: (Annotated[Any, WithJsonSchema(schema_of(field, answered=True))], Field())
        for field in fields
        if field.term not in own
    }
    return create_model(
        name,
        __config__=ConfigDict(extra="allow"),
        __doc__=about,
        **{term: (kind, Field()) for term, kind in own.items()},  # pyright: ignore
        **declared,  # pyright: ignore
    )

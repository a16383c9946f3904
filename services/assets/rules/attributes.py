"""Category attributes and aliases of a row: the attributes judged by the category's schema.

These are looked at one by one, and only in the rows that have any; the words come from the catalogue like all others.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from math import isfinite
from typing import Any

import jsonschema_rs

from services.assets.rules.catalogue import ASSET_RULES
from services.assets.rules.dates import plain_date
from services.assets.rules.numbers import read_quantity
from services.assets.rules.prepare import NO, YES, AssetReference
from services.assets.rules.schemas import choices_of, compile_schema
from services.assets.rules.spelling import codes_by_text, squash_words
from services.core.attributes import CodeLists, text_of
from services.core.errors import Finding
from services.core.text import has_mixed_scripts, identifies_nothing, label_within, normal_text, plain_code

ALIAS_LENGTH = 100
MOST_WHOLE = 2**53
"""The whole numbers up to here are told apart by every program that reads JSON."""
MINUS_ZERO = re.compile(r"-[0.]+")
UNSEEN = re.compile(r"[\s\x00-\x1f\x7f-\x9f]+")
Properties = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Judge:
    """A category's schema, ready to judge; `choices` finds the code of an option by its code or label, squashed."""

    validator: jsonschema_rs.Validator
    properties: Properties
    choices: Mapping[str, Mapping[str, str]]


@lru_cache(maxsize=16)
def compile_judges(reference: AssetReference) -> dict[str, Judge]:
    """The compiled schemas by category, once per version of the reference. ValueError where one is no JSON Schema."""
    return {category: _judge(schema) for category, schema in reference.schemas.items()}


def _judge(schema: Mapping[str, Any]) -> Judge:
    properties: Properties = schema.get("properties", {})
    choices = {
        name: codes_by_text({option.code: option.label for option in choices_of(spec)})[0]
        for name, spec in properties.items()
    }
    return Judge(compile_schema(schema), properties, choices)


def read_attributes(nested: object, flat: Mapping[str, object]) -> tuple[dict[str, object], list[Finding]]:
    """The attributes of one row as handed in: those under ``CategoryAttributes`` (JSON), then those of their own columns."""
    attributes: dict[str, object] = {}
    findings: list[Finding] = []
    if isinstance(nested, str) and nested.strip():
        with suppress(json.JSONDecodeError):
            nested = json.loads(nested, parse_float=Decimal)
    if isinstance(nested, Mapping):
        attributes.update(_storable(nested))
    elif nested is not None and nested != "":
        findings.append(ASSET_RULES["SCHEMA-09"].finding(text_of(nested)))
    attributes.update(flat)
    return {name: _storable(value) for name, value in attributes.items() if not _empty(value)}, findings


def _storable(value: Any) -> Any:
    """Values with half characters of UTF-16 (valid in JSON, refused by every store) replaced."""
    if isinstance(value, str):
        return text_of(value)
    if isinstance(value, Mapping | list | tuple):
        return json.loads(json.dumps(value, ensure_ascii=False, default=str).encode("utf-8", "replace"))
    return value


def _empty(value: object) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def check_attributes(values: Mapping[str, object], judge: Judge) -> tuple[dict[str, Any], list[Finding]]:
    """The attributes with the types of the schema, and what is wrong with them."""
    typed = {
        name: typed_value(value, judge.properties.get(name, {}), judge.choices.get(name, {}))
        for name, value in values.items()
    }
    if judge.validator.is_valid(typed):
        return typed, []
    return typed, [schema_finding(code, name, values, judge.properties) for code, name in objections(judge, typed)]


def typed_value(value: object, spec: Mapping[str, Any], choices: Mapping[str, str]) -> Any:
    """Text as the type of a property, an option's label as its code; what can't be read stays as it is."""
    kind = spec.get("type")
    if isinstance(value, Decimal | float | int) and not isinstance(value, bool):
        return _number(text_of(value) or "", kind, "") if kind in ("number", "integer") else value
    if not isinstance(value, str):
        return value
    text = UNSEEN.sub(" ", normal_text(value)).strip()
    if kind in ("number", "integer"):
        return _number(text, kind, str(spec.get("x-unit", "")))
    if kind == "boolean":
        lowered = plain_code(text).lower()
        return lowered in YES if lowered in YES or lowered in NO else text
    if spec.get("format") == "date":
        return plain_date(plain_code(text)) or text
    if kind == "array":
        return [choices.get(squash_words(part), part.strip()) for part in text.split(";") if part.strip()]
    return choices.get(squash_words(text), text) if choices else text


def _number(text: str, kind: str | None, unit: str) -> object:
    """A whole number as int, any other as float (these are no powers in the sense of the register's kW columns).

    Text where it is none, or has more digits than a number keeps.
    """
    plain = read_quantity(plain_code(text), unit)
    if plain is None or MINUS_ZERO.fullmatch(plain):
        return text
    number = Decimal(plain)
    if number == number.to_integral_value() and (kind == "integer" or "." not in plain):
        return int(number) if abs(number) <= MOST_WHOLE else text
    return float(number) if isfinite(float(number)) else text


KINDS = {
    "number": "a number",
    "integer": "a whole number",
    "boolean": "yes or no",
    "string": "a text",
    "array": "a list",
    "object": "a group of attributes",
}


CODES = {
    "type": "SCHEMA-02",
    "oneOf": "SCHEMA-03",
    "anyOf": "SCHEMA-03",
    "enum": "SCHEMA-03",
    "const": "SCHEMA-03",
    "minimum": "SCHEMA-04",
    "exclusiveMinimum": "SCHEMA-04",
    "maximum": "SCHEMA-05",
    "exclusiveMaximum": "SCHEMA-05",
    "minLength": "SCHEMA-06",
    "maxLength": "SCHEMA-06",
    "pattern": "SCHEMA-06",
    "format": "SCHEMA-06",
}


def objections(judge: Judge, typed: Mapping[str, Any]) -> Iterator[tuple[str, str | None]]:
    """Rule and attribute of everything that the schema refuses, without the words: for counting over many assets."""
    for error in judge.validator.iter_errors(typed):
        yield from _objections(error)


def _objections(error: jsonschema_rs.ValidationError) -> Iterator[tuple[str, str | None]]:
    """One error about missing or unknown attributes may concern several."""
    kind = error.kind
    if isinstance(kind, jsonschema_rs.ValidationErrorKind.Required):
        yield "SCHEMA-01", kind.property
    elif isinstance(kind, jsonschema_rs.ValidationErrorKind.AdditionalProperties):
        for name in kind.unexpected:
            yield "SCHEMA-07", name
    else:
        keyword = str(error.schema_path[-1]) if error.schema_path else ""
        path = [str(step) for step in error.instance_path]
        yield CODES.get(keyword, "SCHEMA-08"), path[0] if path else None


def schema_finding(code: str, name: str | None, values: Mapping[str, object], properties: Properties) -> Finding:
    """An objection of the schema in our words."""
    rule = ASSET_RULES[code]
    spec = properties.get(name or "", {})
    label = str(spec.get("title", name or "The record"))
    text = text_of(values.get(name or ""))
    expected = rule.expected.replace("{expected}", expectation(spec))
    words = {
        "{verb}": "Choose" if choices_of(spec) else "Enter",
        "{label_within}": label_within(label),
        "{label}": label,
        "{expected}": expectation(spec),
        "{bounds}": _bounds(spec),
    }
    message = rule.message
    for place, text_there in words.items():
        message = message.replace(place, text_there)
    return Finding(code, name, text, expected, message.replace("{given}", text or "nothing"), rule.severity)


def expectation(spec: Mapping[str, Any]) -> str:
    """Describe what a property accepts: "a number of kWh, more than 0, at most 1000"."""
    choices = choices_of(spec)
    if choices:
        return "one of: " + ", ".join(option.label for option in choices)
    parts = [KINDS.get(str(spec.get("type")), "a value") + (f" of {spec['x-unit']}" if "x-unit" in spec else "")]
    bounds = {
        "minimum": "at least {}",
        "exclusiveMinimum": "more than {}",
        "maximum": "at most {}",
        "exclusiveMaximum": "less than {}",
        "minLength": "at least {} characters",
        "maxLength": "at most {} characters",
        "pattern": "matching {}",
        "format": "as {}",
    }
    parts += [words.format(spec[keyword]) for keyword, words in bounds.items() if keyword in spec]
    return ", ".join(parts)


def _bounds(spec: Mapping[str, Any]) -> str:
    """The range that a number lies in, with its unit: ``0 to 600 minutes``, ``at most 600 minutes``."""
    unit = f" {spec['x-unit']}" if "x-unit" in spec else ""
    if "minimum" in spec and "maximum" in spec:
        return f"{spec['minimum']:,} to {spec['maximum']:,}{unit}"
    limits = {
        "minimum": "at least",
        "exclusiveMinimum": "more than",
        "maximum": "at most",
        "exclusiveMaximum": "less than",
    }
    return " and ".join(f"{words} {spec[keyword]:,}{unit}" for keyword, words in limits.items() if keyword in spec)


def check_aliases(text: str | None, code_lists: CodeLists) -> tuple[list[dict[str, str]], list[Finding]]:
    """Aliases of one row, from JSON text (a list of scheme and value) or ``SCHEME:value; SCHEME:value``."""
    aliases: list[dict[str, str]] = []
    findings: list[Finding] = []
    schemes = code_lists.get("AliasScheme", {})
    labels, _shared = codes_by_text({code: entry.label for code, entry in schemes.items()})
    for part in split_aliases(text or ""):
        scheme, value = _plain_alias(part, labels) if len(part) == 2 else ("", "")
        quoted = ":".join(part)
        if len(part) != 2 or not scheme:
            findings.append(ASSET_RULES["ALIAS-01"].finding(quoted))
        elif scheme not in schemes:
            findings.append(ASSET_RULES["ALIAS-02"].finding(scheme))
        elif value and identifies_nothing(value):
            findings.append(ASSET_RULES["ALIAS-06"].finding(quoted))
        elif not 1 <= len(value) <= ALIAS_LENGTH:
            findings.append(ASSET_RULES["ALIAS-03"].finding(quoted))
        elif {"scheme": scheme, "value": value} in aliases:
            findings.append(ASSET_RULES["ALIAS-04"].finding(quoted))
        else:
            aliases.append({"scheme": scheme, "value": value})
            if has_mixed_scripts(value):
                findings.append(ASSET_RULES["ALIAS-07"].finding(value))
    return aliases, findings


def _plain_alias(part: tuple[str, ...], labels: Mapping[str, str]) -> tuple[str, str]:
    """Scheme and value in their plainest characters; the label of a scheme is taken for its code."""
    scheme, value = (UNSEEN.sub(" ", plain_code(text)).strip() for text in part)
    return labels.get(squash_words(scheme), scheme.upper()), value


def split_aliases(text: str) -> Sequence[tuple[str, ...]]:
    """(scheme, value) of each alias; anything else stands as a tuple of one, to be refused with what was given."""
    if text.startswith(("[", "{")):
        with suppress(json.JSONDecodeError):
            items = json.loads(text)
            return [_alias_item(item) for item in (items if isinstance(items, list) else [items])]
    return [tuple(part.strip().split(":", 1)) for part in text.split(";") if part.strip()]


def _alias_item(item: object) -> tuple[str, ...]:
    if isinstance(item, Mapping) and set(item) == {"scheme", "value"}:
        return (str(item["scheme"]), str(item["value"]))
    return (json.dumps(item, ensure_ascii=False),)

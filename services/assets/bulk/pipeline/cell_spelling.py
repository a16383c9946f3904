"""Cells of a file as they are judged: spelled out by what their columns show, what stands for no value left empty (UC-02.01).

The rows of a job stay as they were handed in, so that refused ones come back so; each chunk is spelled out as it is judged.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict

import polars as pl

from services.assets.bulk.upload.column_mapping import ASSET_ID, VERSION
from services.assets.files.formats import BROKEN, ROW
from services.assets.rules.attributes import split_aliases
from services.assets.rules.prepare import AssetReference
from services.assets.rules.schemas import ATTRIBUTES_TERM, CORE, choices_of
from services.assets.rules.spelling import AS_TYPED, IDENTIFIERS, ColumnSpelling, spell_column, squash_words
from services.core.text import NO_IDENTIFIER, NO_VALUE, identifies_nothing, map_where, normal_column

Spellings = Mapping[str, Mapping[str, str | None]]
"""Term -> `ColumnSpelling`, as a job keeps it."""
IDENTIFYING = frozenset({*IDENTIFIERS, ASSET_ID, "ServiceProviderId", "OrganisationId"})


def spell_rows(rows: pl.DataFrame, spellings: Spellings, reference: AssetReference) -> pl.DataFrame:
    """Rows of a chunk by term, with `ROW` and `BROKEN`, as the rules read them. Blank is empty, null wasn't given."""
    columns = [
        column if column.name in (ROW, BROKEN) else _spell(column, spellings.get(column.name), reference)
        for column in rows.iter_columns()
    ]
    return pl.DataFrame(columns)


def _spell(column: pl.Series, spelling: Mapping[str, str | None] | None, reference: AssetReference) -> pl.Series:
    term = column.name
    column = normal_column(column)
    if term == "Aliases":
        return map_where(column, column.str.contains(r"\S"), _without_placeholders).alias(term)
    column = map_where(column, stands_for_nothing(term, column, reference), lambda _text: "")
    if term in (ASSET_ID, VERSION, ATTRIBUTES_TERM):
        return column.alias(term)
    return spell_column(term, column, reference, column_spelling(spelling)).alias(term)


def column_spelling(kept: Mapping[str, str | None] | None) -> ColumnSpelling:
    """A spelling from what a job keeps of it."""
    return ColumnSpelling(kept.get("mark"), kept.get("unit") or "", kept.get("first")) if kept else AS_TYPED


def kept_spelling(spelling: ColumnSpelling) -> dict[str, str | None]:
    """A spelling as a job keeps it."""
    return asdict(spelling)


def stands_for_nothing(term: str, column: pl.Series, reference: AssetReference) -> pl.Series:
    """Mark the cells that stand for no value: of an identifier also zeros; none that is a choice of its attribute."""
    marks = column.str.contains(NO_VALUE.pattern)
    if term in IDENTIFYING:
        marks |= column.str.contains(NO_IDENTIFIER.pattern)
    marks = marks.fill_null(False)
    if marks.any() and (choices := _choices(term, reference)):
        texts = column.filter(marks).unique()
        chosen = [text for text in texts if squash_words(text) in choices]
        marks &= ~column.is_in(chosen).fill_null(False)
    return marks


def _choices(term: str, reference: AssetReference) -> frozenset[str]:
    """Squashed codes and labels that an attribute can be, in any category."""
    if term in CORE:
        return frozenset(reference.codes_by_text.get(term, ()))
    specs = [schema.get("properties", {}).get(term, {}) for schema in reference.schemas.values()]
    options = [option for spec in specs for option in choices_of(spec)]
    return frozenset(squash_words(text) for option in options for text in (option.code, option.label))


def _without_placeholders(text: str) -> str:
    """Aliases without those whose value stands for nothing; as they were handed in where none does."""
    if identifies_nothing(text):
        return ""
    parts: Sequence[tuple[str, ...]] = split_aliases(text)
    valued = [
        part for part in parts if len(part) != 2 or not part[1].strip() or not identifies_nothing(part[1].strip())
    ]
    if len(valued) == len(parts):
        return text
    if any(len(part) != 2 for part in valued):
        return "; ".join(":".join(part) for part in valued)
    return json.dumps([{"scheme": scheme, "value": value} for scheme, value in valued]) if valued else ""

"""The asset rules: check one asset from a form or the API, or a whole file, by the same rules in the same words.

Pure: no database. What needs other records (duplicates, who is active, whose MPAN it is) is decided by the services,
which take the words of those rules from `ASSET_RULES` through `finding`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import polars as pl

from services.assets.rules.attributes import check_aliases, check_attributes, compile_judges, read_attributes
from services.assets.rules.catalogue import ASSET_RULES
from services.assets.rules.position import GROUP_OF_DNO, add_position
from services.assets.rules.prepare import (
    MPAN_TERMS,
    READ,
    TEXT_SCHEMA,
    AssetReference,
    AssetRuleContext,
    prepare,
    text_frame,
    value,
)
from services.assets.rules.schemas import ATTRIBUTES_TERM, CORE, REGISTER_TERMS
from services.core.attributes import Code, text_of
from services.core.canonical_json import canonical
from services.core.errors import Finding
from services.core.rules import Rule, evaluate, findings_frame, findings_of, sorted_findings

__all__ = [
    "ASSET_RULES",
    "AssetReference",
    "AssetRuleContext",
    "CheckedAsset",
    "CheckedAssets",
    "Code",
    "check_asset",
    "check_assets",
    "finding",
]

ALIAS_TYPE = pl.List(pl.Struct({"scheme": pl.String, "value": pl.String}))
# Read to place the asset; what is kept is the position in degrees.
INPUT_ONLY = ("Easting", "Northing")
PLACE = ("Latitude", "Longitude")
TEXT_OR_NOTHING = frozenset({str, type(None)}).__contains__
VALUE_TERMS = [term for term in CORE if term not in INPUT_ONLY]


@lru_cache(maxsize=16)
def list_row_rules(reference: AssetReference) -> list[Rule]:
    """List the rules to judge a row by: all with an expression; "needed for this category" only where a category needs it."""
    absent = {f"needs:{term}" for term in CORE if term not in reference.needed}
    return [
        rule
        for rule in ASSET_RULES.values()
        if rule.holds is not None and absent.isdisjoint(rule.holds.meta.root_names())
    ]


def _stored_value(term: str) -> pl.Expr:
    """Stored value of a term: the value read from it, else its tidied text."""
    read = value(term) if term in READ_TERMS else pl.col(term)
    return read.fill_null(False) if term == "ConsumerOwned" else read


READ_TERMS = {read.meta.output_name().removeprefix("value:") for read in READ}
GROUP = pl.coalesce(
    pl.when(pl.col("known:DNOConnection")).then(pl.col("DNOConnection")),
    *(pl.when(pl.col(f"sound:{term}")).then(pl.col(f"dno:{term}")) for term in MPAN_TERMS),
).replace_strict(GROUP_OF_DNO, default=None, return_dtype=pl.String)
VALUES = [
    *(_stored_value(term).alias(term) for term in VALUE_TERMS if term not in PLACE),
    *(pl.col(f"at:{term}").alias(term) for term in PLACE),
    GROUP.alias("GspGroup"),
    pl.col("PositionSource"),
    pl.col("^empty:.*$"),
]
OUTPUT = [*VALUE_TERMS, "GspGroup", "PositionSource"]


@dataclass(frozen=True)
class CheckedAssets:
    """A file, checked. Rows are numbered from 0 as they came.

    `values`: one typed row for each row: core terms (kW as Decimal, dates, degrees), ``CategoryAttributes`` (JSON text),
    ``Aliases`` (list of scheme and value), ``GspGroup``, ``PositionSource``, ``derived`` (list of the terms that the
    register filled in). What couldn't be read is null. `findings`: `services.core.rules.FINDINGS_SCHEMA`.
    `unknown`: headings that are no attribute; the caller says so once for the file.
    """

    values: pl.DataFrame
    findings: pl.DataFrame
    unknown: tuple[str, ...]


class CheckedAsset(NamedTuple):
    """One asset, checked: typed values by term (``CategoryAttributes`` a dict), findings, and the terms that were derived."""

    values: dict[str, Any]
    findings: list[Finding]
    derived: frozenset[str]


def finding(code: str, value: object = None, field: str | None = None) -> Finding:
    """The finding of a rule that a service decides, in the words of the catalogue. KeyError for an unknown code."""
    return ASSET_RULES[code].finding(value, field)


def check_assets(raw: pl.DataFrame, context: AssetRuleContext) -> CheckedAssets:
    """Check a frame whose columns are ontology terms; missing columns count as empty, text is taken as typed.

    Category attributes stand in columns of their own or as JSON under ``CategoryAttributes``, or both.
    """
    attributes = [name for name in raw.columns if name in context.reference.attribute_terms]
    flat = raw.select(attributes).to_dicts() if attributes else [{}] * raw.height
    nested = raw[ATTRIBUTES_TERM].to_list() if ATTRIBUTES_TERM in raw.columns else [None] * raw.height
    typed, category_values, findings = _check(text_frame(raw), flat, nested, context)
    texts: dict[int, str] = {}
    for values in category_values:
        if id(values) not in texts:
            texts[id(values)] = canonical(values)
    own_text = [texts[id(values)] for values in category_values]
    known_columns = {*CORE, *REGISTER_TERMS, *attributes, ATTRIBUTES_TERM}
    return CheckedAssets(
        typed.with_columns(pl.Series(ATTRIBUTES_TERM, own_text, dtype=pl.String)),
        findings,
        tuple(name for name in raw.columns if name not in known_columns),
    )


def check_asset(raw: Mapping[str, object], context: AssetRuleContext) -> CheckedAsset:
    """Check one asset given by ontology terms, as text or as JSON values. An attribute nobody knows is FIELD-01."""
    text = pl.from_dicts([{term: text_of(raw.get(term)) for term in CORE}], schema=TEXT_SCHEMA)
    flat = {name: value for name, value in raw.items() if name in context.reference.attribute_terms}
    typed, category_values, findings = _check(text, [flat], [raw.get(ATTRIBUTES_TERM)], context)
    values = typed.row(0, named=True)
    derived = frozenset(values.pop("derived"))
    values[ATTRIBUTES_TERM] = category_values[0]
    known_terms = {*CORE, *flat, *REGISTER_TERMS, ATTRIBUTES_TERM}
    unknown = [finding("FIELD-01", name, name) for name in raw if name not in known_terms]
    return CheckedAsset(values, findings_of(findings, 0) + unknown, derived)


Attributes = list[dict[str, Any]]


def _check(
    text: pl.DataFrame, flat: Sequence[Mapping[str, object]], nested: Sequence[object], context: AssetRuleContext
) -> tuple[pl.DataFrame, Attributes, pl.DataFrame]:
    """The typed values, the category attributes and the findings of rows given as text."""
    prepared = add_position(prepare(text, context))
    aliases, alias_findings = _aliases(prepared["Aliases"], context)
    category_values, category_findings = _attributes(prepared["AssetCategory"].to_list(), flat, nested, context)
    findings = sorted_findings(
        [evaluate(prepared, list_row_rules(context.reference), text), alias_findings, category_findings]
    )
    typed = prepared.select(VALUES).select(*OUTPUT, context.reference.derived)
    return typed.with_columns(aliases), category_values, findings


def _aliases(column: pl.Series, context: AssetRuleContext) -> tuple[pl.Series, pl.DataFrame]:
    findings: list[tuple[int, Finding]] = []
    if column.null_count() == len(column):
        return pl.Series("Aliases", [[]], dtype=ALIAS_TYPE).new_from_index(0, len(column)), findings_frame(findings)
    # The lists that there are, after an empty one for all other rows.
    alias_lists: list[list[dict[str, str]]] = [[]]
    list_indexes = [0] * len(column)
    for row, text in zip(column.is_not_null().arg_true(), column.drop_nulls(), strict=True):
        aliases, problems = check_aliases(text, context.reference.code_lists)
        findings += [(row, problem) for problem in problems]
        list_indexes[row] = len(alias_lists)
        alias_lists.append(aliases)
    frame = pl.from_dicts([{"Aliases": problem} for problem in alias_lists], schema={"Aliases": ALIAS_TYPE})
    return frame["Aliases"].gather(list_indexes), findings_frame(findings)


def _attributes(
    categories: Sequence[str | None],
    flat: Sequence[Mapping[str, object]],
    nested: Sequence[object],
    context: AssetRuleContext,
) -> tuple[Attributes, pl.DataFrame]:
    """The category attributes of each row, and what the schemas say of them; of equal rows, as in a fleet, the same dict."""
    judge_of = compile_judges(context.reference)
    results: dict[object, tuple[dict[str, Any], list[Finding]]] = {}
    attributes: Attributes = []
    findings: list[tuple[int, Finding]] = []
    for row, (category, flat_values, nested_value) in enumerate(zip(categories, flat, nested, strict=True)):
        key = (category, *flat_values.values(), nested_value)
        comparable = all(map(TEXT_OR_NOTHING, map(type, key)))
        result = results.get(key) if comparable else None
        if result is None:
            values, read_problems = read_attributes(nested_value, flat_values)
            judge = judge_of.get(category or "")
            values, schema_problems = check_attributes(values, judge) if judge is not None else (values, [])
            result = values, read_problems + schema_problems
            if comparable:
                results[key] = result
        attributes.append(result[0])
        findings += [(row, problem) for problem in result[1]]
    return attributes, findings_frame(findings)

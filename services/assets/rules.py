"""The asset rules: check one asset from a form or the API, or a whole file, by the same rules in the same words.

Pure: no database. What needs other records (duplicates, who is active, whose MPAN it is) is decided by the services,
which take the words of those rules from `ASSET_RULES` through `finding`.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import polars as pl

from services.assets.rules_attributes import check_aliases, check_attributes, judges, read_attributes
from services.assets.rules_catalogue import ASSET_RULES
from services.assets.rules_position import GROUP_OF_DNO, add_position
from services.assets.rules_prepare import (
    MPAN_TERMS,
    READ,
    TEXT_SCHEMA,
    AssetReference,
    AssetRuleContext,
    prepare,
    text_frame,
    text_of,
    value,
)
from services.assets.schemas import ATTRIBUTES_TERM, CORE, REGISTER_TERMS, Code
from services.core.errors import Finding
from services.core.rules import evaluate, findings_frame, findings_of, sorted_findings

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
VALUE_TERMS = [term for term in CORE if term not in INPUT_ONLY]
JUDGED = [rule for rule in ASSET_RULES.values() if not rule.decided_by_service]
READ_TERMS = {read.meta.output_name().removeprefix("value:") for read in READ}
GROUP = pl.coalesce(
    pl.when(pl.col("known:DNOConnection")).then(pl.col("DNOConnection")),
    *(pl.when(pl.col(f"sound:{term}")).then(pl.col(f"dno:{term}")) for term in MPAN_TERMS),
).replace_strict(GROUP_OF_DNO, default=None, return_dtype=pl.String)
VALUES = [
    *((value(term) if term in READ_TERMS else pl.col(term)).alias(term) for term in VALUE_TERMS if term not in PLACE),
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


def finding(code: str, given: object = None, field: str | None = None) -> Finding:
    """The finding of a rule that a service decides, in the words of the catalogue. KeyError for an unknown code."""
    return ASSET_RULES[code].finding(given, field)


def check_assets(raw: pl.DataFrame, context: AssetRuleContext) -> CheckedAssets:
    """Check a frame whose columns are ontology terms; missing columns count as empty, text is taken as typed.

    Category attributes stand in columns of their own or as JSON under ``CategoryAttributes``, or both.
    """
    attributes = [name for name in raw.columns if name in context.reference.attribute_terms]
    known = {*CORE, *REGISTER_TERMS, *attributes, ATTRIBUTES_TERM}
    text = text_frame(raw)
    prepared = add_position(prepare(text, context))
    aliases, alias_findings = _aliases(prepared["Aliases"], context)
    own, own_findings = _attributes(raw, prepared["AssetCategory"], attributes, context)
    findings = sorted_findings([evaluate(prepared, JUDGED, text), alias_findings, own_findings])
    typed = prepared.select(VALUES).with_columns(pl.col("ConsumerOwned").fill_null(False))
    values = typed.select(
        *OUTPUT,
        context.reference.derived,
        pl.Series(ATTRIBUTES_TERM, own, dtype=pl.String),
    ).with_columns(pl.Series("Aliases", aliases, dtype=ALIAS_TYPE))
    return CheckedAssets(values, findings, tuple(name for name in raw.columns if name not in known))


def check_asset(raw: Mapping[str, object], context: AssetRuleContext) -> CheckedAsset:
    """Check one asset given by ontology terms, as text or as JSON values. An attribute nobody knows is FIELD-01."""
    nested = raw.get(ATTRIBUTES_TERM)
    row = {term: [text_of(raw.get(term))] for term in TEXT_SCHEMA}
    own = {name: [text_of(raw[name])] for name in raw if name in context.reference.attribute_terms}
    columns = {**row, **own, ATTRIBUTES_TERM: [text_of(nested)]}
    checked = check_assets(pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String)), context)
    values = checked.values.row(0, named=True)
    derived = frozenset(values.pop("derived"))
    values[ATTRIBUTES_TERM] = json.loads(values[ATTRIBUTES_TERM])
    known = {*columns, *REGISTER_TERMS}
    unknown = [finding("FIELD-01", name, name) for name in raw if name not in known]
    return CheckedAsset(values, findings_of(checked.findings, 0) + unknown, derived)


def _aliases(column: pl.Series, context: AssetRuleContext) -> tuple[list[list[dict[str, str]]], pl.DataFrame]:
    found: list[list[dict[str, str]]] = [[] for _ in range(len(column))]
    findings: list[tuple[int, Finding]] = []
    for row in column.is_not_null().arg_true():
        found[row], wrong = check_aliases(column[row], context.reference.code_lists)
        findings += [(row, one) for one in wrong]
    return found, findings_frame(findings)


def _attributes(
    raw: pl.DataFrame, category: pl.Series, names: list[str], context: AssetRuleContext
) -> tuple[list[str], pl.DataFrame]:
    """The category attributes of each row as JSON text, and what the schemas say of them."""
    judge_of = judges(context.reference)
    wanted = raw.select(names).to_dicts() if names else [{}] * raw.height
    nested = raw[ATTRIBUTES_TERM].to_list() if ATTRIBUTES_TERM in raw.columns else [None] * raw.height
    found: list[str] = []
    findings: list[tuple[int, Finding]] = []
    for row, (kind, flat, inside) in enumerate(zip(category, wanted, nested, strict=True)):
        given, wrong = read_attributes(inside, flat)
        judge = judge_of.get(kind)
        if judge is not None:
            given, more = check_attributes(given, judge)
            wrong += more
        found.append(json.dumps(given, ensure_ascii=False, default=str) if given else "{}")
        findings += [(row, one) for one in wrong]
    return found, findings_frame(findings)

"""Effect of a category draft: on values that somebody tries, and on the assets registered so far (UC-05.07).

Registered assets keep their own version, so a draft changes nothing for them; the effect says how many of them would pass
under it, should their values be given anew. Judged by the register's own rules, a batch at a time.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any
from uuid import UUID

import polars as pl
from sqlalchemy import func, select
from sqlmodel import col

from models.assets import ENDED_STATUSES, Asset
from services.assets.categories.document import document_of
from services.assets.categories.form import CategoryForm
from services.assets.rules.attributes import Judge, compile_judges, objections, schema_finding
from services.assets.rules.check import ASSET_RULES, check_asset
from services.assets.rules.prepare import AssetReference, AssetRuleContext, prepare, text_frame
from services.assets.rules.reference import CATEGORY_LIST, catalogue, rule_context
from services.assets.rules.schemas import CORE, category_fields, snake
from services.core.attributes import Code
from services.core.errors import Finding
from services.core.identity.actor import Actor
from services.core.identity.visibility import visible
from services.core.operation import operation
from services.core.rules import Rule, evaluate
from services.core.transaction import current_session

BATCH = 10_000
EXAMPLES = 3
Progress = Callable[[int, int], object]


@dataclass(frozen=True, slots=True)
class Example:
    """An asset that would fail a rule, and the rule's words for it."""

    asset_id: UUID
    asset_name: str
    message: str


@dataclass(slots=True)
class RuleEffect:
    """One rule on one field: how many registered assets would fail it, with a few of them."""

    code: str
    term: str | None
    label: str
    failing: int = 0
    examples: list[Example] = field(default_factory=list)


@dataclass(slots=True)
class CategoryEffect:
    """Effect of a draft on the registered assets: how many were checked and how many would fail, by schema version."""

    checked: int = 0
    failing: int = 0
    by_version: dict[int, tuple[int, int]] = field(default_factory=dict)
    rules: list[RuleEffect] = field(default_factory=list)

    @property
    def passing(self) -> int:
        """The number of assets that would pass."""
        return self.checked - self.failing


@cache
def _schema_rules() -> tuple[Rule, ...]:
    """The rules whose verdict follows from a category's schema: what it makes mandatory, alone or in groups."""
    prefixes = ("needs:", "needs_mpan", "lacks_any")
    return tuple(
        rule
        for rule in ASSET_RULES.values()
        if rule.holds is not None and any(name.startswith(prefixes) for name in rule.holds.meta.root_names())
    )


def mandatable_terms() -> list[str]:
    """The core attributes that a category can make mandatory: there is a rule for each."""
    roots = {name for rule in _schema_rules() if rule.holds is not None for name in rule.holds.meta.root_names()}
    return [term for term, attribute in CORE.items() if f"needs:{term}" in roots and not attribute.mandatory]


def _reference(category: str, document: Mapping[str, Any]) -> AssetReference:
    """The reference in which this document is the category's schema, in use."""
    lists = catalogue().reference.code_lists
    code = Code(category, str(document.get("title", category)))
    named = {**lists.get(CATEGORY_LIST, {}), category: code}
    return AssetReference({**lists, CATEGORY_LIST: named}, {category: document})


@operation("UC-05.07", permission="category.manage", writes=False, name="try_category")
def try_category(actor: Actor, category: str, form: CategoryForm, values: Mapping[str, object]) -> list[Finding]:
    """Check values as if they were registered under the draft; nothing is stored. Returns the findings."""
    document = document_of(category, form, catalogue().reference.code_lists)
    context = replace(rule_context(), reference=_reference(category, document))
    return check_asset({**values, "AssetCategory": category}, context).findings


@operation("UC-05.07", permission="category.manage", writes=False, name="category_effect")
def category_effect(
    actor: Actor, category: str, form: CategoryForm, progress: Progress | None = None
) -> CategoryEffect:
    """Count the active assets of the category that would pass and fail under the draft, by rule.

    `progress` is told after each batch how many of how many were looked at.
    """
    document = document_of(category, form, catalogue().reference.code_lists)
    reference = _reference(category, document)
    context = replace(rule_context(), reference=reference, is_new=False)
    judge = compile_judges(reference)[category]
    labels = {field.term: field.label for field in (*CORE.values(), *category_fields(document))}
    conditions = (
        col(Asset.asset_category) == category,
        col(Asset.status).not_in(ENDED_STATUSES),
        visible(Asset, actor),
    )
    total = current_session().scalar(select(func.count()).where(*conditions)) or 0
    effect, failures = CategoryEffect(), _EffectCounts(labels)
    for rows in _batches(document, conditions):
        failing = failures.core(rows, context) | failures.own(rows, judge)
        _count(effect, rows, failing)
        if progress is not None:
            progress(effect.checked, total)
    effect.rules = sorted(failures.rules.values(), key=lambda rule: -rule.failing)
    return effect


def _batches(document: Mapping[str, Any], conditions: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """Rows of (id, name, version, own attributes, and what the schema asks for of the core terms)."""
    columns = [col(getattr(Asset, snake(term))).label(term) for term in _required_terms(document)]
    head = col(Asset.id), col(Asset.asset_name), col(Asset.schema_version), col(Asset.category_attributes)
    query = select(*head, *columns).where(*conditions).execution_options(yield_per=BATCH)
    yield from current_session().execute(query).partitions()


def _required_terms(document: Mapping[str, Any]) -> list[str]:
    """The core terms that the verdict of the schema's rules depends on, as far as an asset keeps them."""
    conditional: Mapping[str, str] = document.get("x-mandatory-when", {})
    groups = [term for group in document.get("x-mandatory-any", ()) for term in group]
    terms = {*document.get("x-mandatory", ()), *groups, *conditional, *conditional.values()}
    return [term for term in CORE if term in terms and hasattr(Asset, snake(term))]


class _EffectCounts:
    """Failures gathered by rule and field over all batches."""

    def __init__(self, labels: Mapping[str, str]) -> None:
        self.rules: dict[tuple[str, str | None], RuleEffect] = {}
        self._labels = labels

    def core(self, rows: Sequence[Any], context: AssetRuleContext) -> set[int]:
        """The places of the rows that fail what the schema asks for of core attributes."""
        terms = [name for name in rows[0]._fields if name in CORE]
        if not terms:
            return set()
        category = next(iter(context.reference.schemas))
        columns = {term: pl.Series([row._mapping[term] for row in rows], strict=False) for term in terms}
        raw = text_frame(pl.DataFrame({**columns, "AssetCategory": [category] * len(rows)}))
        findings = evaluate(prepare(raw, context), self._needed(context), raw)
        for index, code, term, _value, _expected, message, _severity in findings.iter_rows():
            self._add(code, term, rows[index], message)
        return set(findings["row"].to_list())

    @staticmethod
    def _needed(context: AssetRuleContext) -> list[Rule]:
        """The rules that can judge: one about a term that nothing makes mandatory has no column to look at."""
        absent = {f"needs:{term}" for term in CORE if term not in context.reference.needed}
        rules = (rule for rule in _schema_rules() if rule.holds is not None)
        return [rule for rule in rules if rule.holds is not None and absent.isdisjoint(rule.holds.meta.root_names())]

    def own(self, rows: Sequence[Any], judge: Judge) -> set[int]:
        """The places of the rows whose own attributes the schema refuses."""
        failing: set[int] = set()
        for index, row in enumerate(rows):
            values = row.category_attributes
            if judge.validator.is_valid(values):
                continue
            failing.add(index)
            for code, term in objections(judge, values):
                effect = self.rules.get((code, term))
                if effect is not None and len(effect.examples) >= EXAMPLES:
                    effect.failing += 1
                else:
                    self._add(code, term, row, schema_finding(code, term, values, judge.properties).message)
        return failing

    def _add(self, code: str, term: str | None, row: Any, message: str) -> None:
        rule = self.rules.get((code, term))
        if rule is None:
            label = self._labels.get(term or "", term or "The record")
            rule = self.rules.setdefault((code, term), RuleEffect(code, term, label))
        rule.failing += 1
        if len(rule.examples) < EXAMPLES:
            rule.examples.append(Example(row.id, row.asset_name, message))


def _count(effect: CategoryEffect, rows: Sequence[Any], failing: set[int]) -> None:
    effect.checked += len(rows)
    effect.failing += len(failing)
    checked = Counter(row.schema_version for row in rows)
    failed = Counter(rows[index].schema_version for index in failing)
    for version, count in checked.items():
        before = effect.by_version.get(version, (0, 0))
        effect.by_version[version] = (before[0] + count, before[1] + failed[version])

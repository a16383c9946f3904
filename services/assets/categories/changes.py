"""Differences between two versions of a category, in words (UC-05.07)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.assets.categories.document import choices_in, length_of, number_of
from services.assets.categories.form import KIND_LABELS, LISTS, NUMBERS, AttributeForm, CategoryForm, core_label
from services.core.attributes import CodeLists

DIRECTIONS = {"storage": "Storage", "gen": "Generation", "demand": "Demand", "both": "Generation, storage or demand"}
NOTHING = "–"


@dataclass(frozen=True, slots=True)
class SchemaChange:
    """One difference: what it concerns, before and after as people read them, and the whole of it as a sentence.

    `tightens`: values that the version before accepts may be refused by the one after.
    """

    subject: str
    before: str
    after: str
    sentence: str
    tightens: bool = False


def changes_between(before: CategoryForm, after: CategoryForm, lists: CodeLists) -> list[SchemaChange]:
    """Every difference, those that may refuse something first."""
    changes = [*_head(before, after), *_core(before, after), *_attributes(before, after, lists)]
    return sorted(changes, key=lambda change: not change.tightens)


def _head(before: CategoryForm, after: CategoryForm) -> Iterator[SchemaChange]:
    for subject, old, new in (
        ("Name", before.title, after.title),
        ("Description", before.description, after.description),
        ("What it does", DIRECTIONS.get(before.kind, before.kind), DIRECTIONS.get(after.kind, after.kind)),
        ("Map colour", before.colour, after.colour),
    ):
        if old.strip() != new.strip():
            yield _make_change(subject, old, new)


def _make_change(subject: str, old: str, new: str, *, tightens: bool = False) -> SchemaChange:
    old, new = old.strip() or NOTHING, new.strip() or NOTHING
    return SchemaChange(subject, old, new, f"{subject}: {old} becomes {new}", tightens)


def _core(before: CategoryForm, after: CategoryForm) -> Iterator[SchemaChange]:
    yield from _terms(before.mandatory, after.mandatory, "is mandatory now", "is no longer mandatory", adds=True)
    yield from _terms(before.hidden, after.hidden, "is left out of the form now", "is in the form again", adds=False)
    old, new = (_groups(form.one_of) for form in (before, after))
    for group in new:
        if group not in old:
            words = f"One of {group} is needed now"
            yield SchemaChange(f"One of {group}", NOTHING, "needed", words, True)
    for group in old:
        if group not in new:
            words = f"One of {group} is no longer needed"
            yield SchemaChange(f"One of {group}", "needed", NOTHING, words)
    for term in {**before.when, **after.when}:
        pair = before.when.get(term), after.when.get(term)
        if pair[0] != pair[1]:
            subject = f"{core_label(term)} where another is above 0"
            previous, current = (core_label(other_term) if other_term else "" for other_term in pair)
            yield _make_change(subject, previous, current, tightens=bool(pair[1]))
    yield from _usual(before, after)


def _terms(old: Sequence[str], new: Sequence[str], came: str, went: str, *, adds: bool) -> Iterator[SchemaChange]:
    for term in new:
        if term not in old:
            label = core_label(term)
            yield SchemaChange(label, NOTHING, came, f"{label} {came}", adds)
    for term in old:
        if term not in new:
            label = core_label(term)
            yield SchemaChange(label, NOTHING, went, f"{label} {went}")


def _groups(groups: Sequence[Sequence[str]]) -> list[str]:
    return [" or ".join(core_label(term) for term in group) for group in groups if group]


def _usual(before: CategoryForm, after: CategoryForm) -> Iterator[SchemaChange]:
    def told(form: CategoryForm) -> Mapping[str, str]:
        return {
            usual.term: f"{usual.value}{', also where nothing is given' if usual.always else ''}"
            for usual in form.usual
            if usual.term and usual.value.strip()
        }

    old, new = told(before), told(after)
    for term in {**old, **new}:
        if old.get(term) != new.get(term):
            yield _make_change(f"Usual value of {core_label(term)}", old.get(term, ""), new.get(term, ""))


def _attributes(before: CategoryForm, after: CategoryForm, lists: CodeLists) -> Iterator[SchemaChange]:
    old = {attribute.term: attribute for attribute in before.attributes if attribute.term}
    new = {attribute.term: attribute for attribute in after.attributes if attribute.term}
    for name, attribute in old.items():
        if name not in new:
            words = f"Removed: {attribute.display_name} ({name})"
            yield SchemaChange(attribute.display_name, _short(attribute), "removed", words, True)
    for name, attribute in new.items():
        if name not in old:
            words = f"Added: {attribute.display_name} ({name}), {_short(attribute)}"
            yield SchemaChange(attribute.display_name, NOTHING, _short(attribute), words, attribute.mandatory)
        else:
            yield from _attribute(old[name], attribute, lists)
    common = [[name for name in form if name in old and name in new] for form in (old, new)]
    if common[0] != common[1]:
        previous, current = (", ".join(new[name].display_name for name in order) for order in common)
        yield SchemaChange("Order of the attributes", previous, current, f"In another order: {current}")


def _short(attribute: AttributeForm) -> str:
    measure = f" in {attribute.unit.strip()}" if attribute.unit.strip() and attribute.kind in NUMBERS else ""
    label = KIND_LABELS.get(attribute.kind, attribute.kind).lower()
    return f"{label}{measure}, {'mandatory' if attribute.mandatory else 'optional'}"


def _attribute(old: AttributeForm, new: AttributeForm, lists: CodeLists) -> Iterator[SchemaChange]:
    label = new.display_name
    if old.display_name != new.display_name:
        yield SchemaChange(
            label, old.display_name, new.display_name, f"{old.display_name} is called {new.display_name} now"
        )
    if old.mandatory != new.mandatory:
        previous, current = ("mandatory" if form.mandatory else "optional" for form in (old, new))
        words = f"{label} is {'mandatory now' if new.mandatory else 'no longer mandatory'}"
        yield SchemaChange(label, previous, current, words, new.mandatory)
    if old.kind != new.kind:
        previous, current = (KIND_LABELS.get(form.kind, form.kind).lower() for form in (old, new))
        yield _make_change(f"{label}, type", previous, current, tightens=True)
    elif new.kind in NUMBERS:
        yield from _range(label, old, new)
    elif new.kind == "text":
        yield from _lengths(label, old, new)
    elif new.kind in LISTS:
        yield from _choices(label, choices_in(old, lists), choices_in(new, lists))
    for aspect, previous, current in (
        ("unit", old.unit, new.unit),
        ("help", old.help, new.help),
        ("example", old.example, new.example),
        ("further rules", _rest(old.rest), _rest(new.rest)),
    ):
        if previous.strip() != current.strip():
            yield _make_change(f"{label}, {aspect}", previous, current)


def _rest(rest: Mapping[str, Any]) -> str:
    return ", ".join(f"{key} {value}" for key, value in rest.items())


def _range(label: str, old: AttributeForm, new: AttributeForm) -> Iterator[SchemaChange]:
    previous, current = range_words(old), range_words(new)
    if previous == current:
        return
    sides = [
        _compare_bounds(number_of(old.minimum), old.above_minimum, number_of(new.minimum), new.above_minimum, 1),
        _compare_bounds(number_of(old.maximum), old.below_maximum, number_of(new.maximum), new.below_maximum, -1),
    ]
    direction = "narrowed" if any(side > 0 for side in sides) else "widened"
    words = f"{label}: range {direction}, from {previous} to {current}"
    yield SchemaChange(f"{label}, range", previous, current, words, direction == "narrowed")


def _compare_bounds(old: float | None, old_open: bool, new: float | None, new_open: bool, side: int) -> int:
    """1 where the new bound refuses more than the old one, -1 where it refuses less, 0 where they are the same."""
    worst = float("-inf")
    was = (worst, False) if old is None else (old * side, old_open)
    now = (worst, False) if new is None else (new * side, new_open)
    return (now > was) - (now < was)


def range_words(attribute: AttributeForm) -> str:
    """The range of a number: ``above 0, at most 100``."""
    least, most = number_of(attribute.minimum), number_of(attribute.maximum)
    parts = [
        f"{'above' if attribute.above_minimum else 'at least'} {least:,.10g}" if least is not None else "",
        f"{'below' if attribute.below_maximum else 'at most'} {most:,.10g}" if most is not None else "",
    ]
    return ", ".join(part for part in parts if part) or "any number"


def _lengths(label: str, old: AttributeForm, new: AttributeForm) -> Iterator[SchemaChange]:
    for bound, previous, current, side in (
        ("shortest", length_of(old.shortest), length_of(new.shortest), 1),
        ("longest", length_of(old.longest), length_of(new.longest), -1),
    ):
        if previous != current:
            texts = ("" if length is None else f"{length} characters" for length in (previous, current))
            yield _make_change(
                f"{label}, {bound}", *texts, tightens=_compare_bounds(previous, False, current, False, side) > 0
            )
    if old.pattern.strip() != new.pattern.strip():
        yield _make_change(f"{label}, form", old.pattern, new.pattern, tightens=bool(new.pattern.strip()))


def _choices(label: str, old: Sequence[tuple[str, str]], new: Sequence[tuple[str, str]]) -> Iterator[SchemaChange]:
    previous, current = dict(old), dict(new)
    for codes, others, verb in ((previous, current, "can no longer be"), (current, previous, "can also be")):
        texts = [text for code, text in codes.items() if code not in others]
        if texts:
            listed = ", ".join(texts)
            removed = codes is previous
            sides = (listed, NOTHING) if removed else (NOTHING, listed)
            yield SchemaChange(f"{label}, choices", *sides, f"{label} {verb} {listed}", removed)
    for code in previous:
        if code in current and previous[code] != current[code]:
            yield SchemaChange(
                f"{label}, {code}",
                previous[code],
                current[code],
                f"{label}: {previous[code]} reads {current[code]} now",
            )

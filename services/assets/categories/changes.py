"""What differs between two versions of a category, in words (UC-05.07)."""

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

    what: str
    before: str
    after: str
    words: str
    tightens: bool = False


def changes_between(before: CategoryForm, after: CategoryForm, lists: CodeLists) -> list[SchemaChange]:
    """Every difference, those that may refuse something first."""
    found = [*_head(before, after), *_core(before, after), *_attributes(before, after, lists)]
    return sorted(found, key=lambda change: not change.tightens)


def _head(before: CategoryForm, after: CategoryForm) -> Iterator[SchemaChange]:
    for what, old, new in (
        ("Name", before.title, after.title),
        ("Description", before.description, after.description),
        ("What it does", DIRECTIONS.get(before.kind, before.kind), DIRECTIONS.get(after.kind, after.kind)),
        ("Map colour", before.colour, after.colour),
    ):
        if old.strip() != new.strip():
            yield _moved(what, old, new)


def _moved(what: str, old: str, new: str, *, tightens: bool = False) -> SchemaChange:
    old, new = old.strip() or NOTHING, new.strip() or NOTHING
    return SchemaChange(what, old, new, f"{what}: {old} becomes {new}", tightens)


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
            what = f"{core_label(term)} where another is above 0"
            was, now = (core_label(one) if one else "" for one in pair)
            yield _moved(what, was, now, tightens=bool(pair[1]))
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
            one.term: f"{one.value}{', also where nothing is given' if one.always else ''}"
            for one in form.usual
            if one.term and one.value.strip()
        }

    old, new = told(before), told(after)
    for term in {**old, **new}:
        if old.get(term) != new.get(term):
            yield _moved(f"Usual value of {core_label(term)}", old.get(term, ""), new.get(term, ""))


def _attributes(before: CategoryForm, after: CategoryForm, lists: CodeLists) -> Iterator[SchemaChange]:
    old = {one.term: one for one in before.attributes if one.term}
    new = {one.term: one for one in after.attributes if one.term}
    for name, one in old.items():
        if name not in new:
            words = f"Removed: {one.shown} ({name})"
            yield SchemaChange(one.shown, _short(one), "removed", words, True)
    for name, one in new.items():
        if name not in old:
            words = f"Added: {one.shown} ({name}), {_short(one)}"
            yield SchemaChange(one.shown, NOTHING, _short(one), words, one.mandatory)
        else:
            yield from _attribute(old[name], one, lists)
    kept = [[name for name in form if name in old and name in new] for form in (old, new)]
    if kept[0] != kept[1]:
        was, now = (", ".join(new[name].shown for name in order) for order in kept)
        yield SchemaChange("Order of the attributes", was, now, f"In another order: {now}")


def _short(one: AttributeForm) -> str:
    measure = f" in {one.unit.strip()}" if one.unit.strip() and one.kind in NUMBERS else ""
    return f"{KIND_LABELS.get(one.kind, one.kind).lower()}{measure}, {'mandatory' if one.mandatory else 'optional'}"


def _attribute(old: AttributeForm, new: AttributeForm, lists: CodeLists) -> Iterator[SchemaChange]:
    label = new.shown
    if old.shown != new.shown:
        yield SchemaChange(label, old.shown, new.shown, f"{old.shown} is called {new.shown} now")
    if old.mandatory != new.mandatory:
        was, now = ("mandatory" if one.mandatory else "optional" for one in (old, new))
        words = f"{label} is {'mandatory now' if new.mandatory else 'no longer mandatory'}"
        yield SchemaChange(label, was, now, words, new.mandatory)
    if old.kind != new.kind:
        was, now = (KIND_LABELS.get(one.kind, one.kind).lower() for one in (old, new))
        yield _moved(f"{label}, type", was, now, tightens=True)
    elif new.kind in NUMBERS:
        yield from _range(label, old, new)
    elif new.kind == "text":
        yield from _lengths(label, old, new)
    elif new.kind in LISTS:
        yield from _choices(label, choices_in(old, lists), choices_in(new, lists))
    for what, was, now in (
        ("unit", old.unit, new.unit),
        ("help", old.help, new.help),
        ("example", old.example, new.example),
        ("further rules", _rest(old.rest), _rest(new.rest)),
    ):
        if was.strip() != now.strip():
            yield _moved(f"{label}, {what}", was, now)


def _rest(rest: Mapping[str, Any]) -> str:
    return ", ".join(f"{key} {value}" for key, value in rest.items())


def _range(label: str, old: AttributeForm, new: AttributeForm) -> Iterator[SchemaChange]:
    was, now = range_words(old), range_words(new)
    if was == now:
        return
    sides = [
        _stricter(number_of(old.minimum), old.above_minimum, number_of(new.minimum), new.above_minimum, 1),
        _stricter(number_of(old.maximum), old.below_maximum, number_of(new.maximum), new.below_maximum, -1),
    ]
    how = "narrowed" if any(side > 0 for side in sides) else "widened"
    words = f"{label}: range {how}, from {was} to {now}"
    yield SchemaChange(f"{label}, range", was, now, words, how == "narrowed")


def _stricter(old: float | None, old_open: bool, new: float | None, new_open: bool, side: int) -> int:
    """1 where the new bound refuses more than the old one, -1 where it refuses less, 0 where they are the same."""
    worst = float("-inf")
    was = (worst, False) if old is None else (old * side, old_open)
    now = (worst, False) if new is None else (new * side, new_open)
    return (now > was) - (now < was)


def range_words(one: AttributeForm) -> str:
    """The range of a number: ``above 0, at most 100``."""
    least, most = number_of(one.minimum), number_of(one.maximum)
    parts = [
        f"{'above' if one.above_minimum else 'at least'} {least:,.10g}" if least is not None else "",
        f"{'below' if one.below_maximum else 'at most'} {most:,.10g}" if most is not None else "",
    ]
    return ", ".join(part for part in parts if part) or "any number"


def _lengths(label: str, old: AttributeForm, new: AttributeForm) -> Iterator[SchemaChange]:
    for what, was, now, side in (
        ("shortest", length_of(old.shortest), length_of(new.shortest), 1),
        ("longest", length_of(old.longest), length_of(new.longest), -1),
    ):
        if was != now:
            texts = ("" if one is None else f"{one} characters" for one in (was, now))
            yield _moved(f"{label}, {what}", *texts, tightens=_stricter(was, False, now, False, side) > 0)
    if old.pattern.strip() != new.pattern.strip():
        yield _moved(f"{label}, form", old.pattern, new.pattern, tightens=bool(new.pattern.strip()))


def _choices(label: str, old: Sequence[tuple[str, str]], new: Sequence[tuple[str, str]]) -> Iterator[SchemaChange]:
    was, now = dict(old), dict(new)
    for codes, known, verb in ((was, now, "can no longer be"), (now, was, "can also be")):
        changed = [text for code, text in codes.items() if code not in known]
        if changed:
            listed = ", ".join(changed)
            gone = codes is was
            sides = (listed, NOTHING) if gone else (NOTHING, listed)
            yield SchemaChange(f"{label}, choices", *sides, f"{label} {verb} {listed}", gone)
    for code in was:
        if code in now and was[code] != now[code]:
            yield SchemaChange(f"{label}, {code}", was[code], now[code], f"{label}: {was[code]} reads {now[code]} now")

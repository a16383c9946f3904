"""What is missing or wrong in a category as its editor holds it, all at once, each beside its field (UC-05.07).

`field` of a finding is the field of the form: ``title``, ``x-kind``, ``x-hidden``, ``usual.0``, or
``attributes.<id>.<part>``. A name means one thing in the whole register: type and unit of an attribute are those that
other categories give it.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import jsonschema_rs

from services.assets.categories.checks import ATTRIBUTE, COLOUR, KINDS
from services.assets.categories.document import choices_in, example_of, length_of, number_of, spec_of
from services.assets.categories.form import LISTS, NUMBERS, OTHER, AttributeForm, CategoryForm, UsualValue, core_label
from services.assets.rules.attributes import expectation
from services.assets.rules.schemas import ATTRIBUTES_TERM, CORE, REGISTER_TERMS, compile_schema
from services.core.attributes import CodeLists
from services.core.errors import Finding

Schemas = Mapping[str, Mapping[str, Any]]
LONGEST_LABEL = 200
LONGEST_HELP = 1000
MOST_CHOICES = 300
CHOICE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]{0,59}")
NUMBER = "A number such as 12.5, without separators"


def wrong_form(category: str, form: CategoryForm, lists: CodeLists, others: Schemas) -> list[Finding]:
    """Everything that keeps the form from being published. `others` are the schemas of the other categories."""
    found = [*_head(form, others), *_core(form, lists)]
    names = Counter(one.term for one in form.attributes if one.term)
    for attribute in form.attributes:
        found += _named(attribute, names, others)
        found += _typed(attribute, lists)
    return found


def _head(form: CategoryForm, others: Schemas) -> Iterator[Finding]:
    title = form.title.strip()
    if not 1 <= len(title) <= LONGEST_LABEL:
        yield _say("CATEGORY-02", "title", title, f"1 to {LONGEST_LABEL} characters", "Give the category a name.")
    if title.lower() in {str(schema.get("title", "")).lower() for schema in others.values()}:
        yield _say("CATEGORY-20", "title", title, "A name of its own", f"Another category is called {title}.")
    if not form.description.strip():
        message = "Say what assets belong to the category: people choose by it."
        yield _say("CATEGORY-21", "description", "", "A sentence or two", message)
    elif len(form.description) > LONGEST_HELP:
        expected = f"At most {LONGEST_HELP:,} characters"
        yield _say("CATEGORY-21", "description", len(form.description), expected, "The description is too long.")
    if form.kind not in KINDS:
        message = "Choose what its assets do: generate, store, use, or several of these."
        yield _say("CATEGORY-03", "x-kind", form.kind, f"One of {', '.join(KINDS)}", message)
    if form.colour and not COLOUR.fullmatch(form.colour):
        yield _say("CATEGORY-04", "x-colour", form.colour, "A colour such as #332288", "This is no colour.")


def _core(form: CategoryForm, lists: CodeLists) -> Iterator[Finding]:
    given = {one.term for one in form.usual if one.value.strip()}
    asked = {*form.mandatory, *(term for term, field in CORE.items() if field.mandatory)}
    for term in form.hidden:
        if term in asked - given:
            message = f"{core_label(term)} is mandatory, so it can't be left out of the form."
            yield _say("CATEGORY-11", "x-hidden", term, "Attributes that nobody has to give", message)
    for group in form.one_of:
        if len(set(group)) == 1:
            message = f"{core_label(group[0])} stands alone: make it mandatory, or name another beside it."
            yield _say("CATEGORY-22", "x-mandatory-any", group[0], "Two attributes or more", message)
    twice = Counter(one.term for one in form.usual if one.term)
    for place, one in enumerate(form.usual):
        yield from _usual(f"usual.{place}", one, twice[one.term] > 1, lists)


def _usual(field: str, one: UsualValue, twice: bool, lists: CodeLists) -> Iterator[Finding]:
    if not one.term or not one.value.strip():
        yield _say("CATEGORY-19", field, one.value, "An attribute and its value", "Give both, or remove the line.")
        return
    label = core_label(one.term)
    if twice:
        yield _say("CATEGORY-19", field, one.term, "Each attribute once", f"{label} has a usual value already.")
    known = CORE.get(one.term)
    if known is None:
        yield _say("CATEGORY-05", field, one.term, "A core attribute", f"There is no core attribute {one.term}.")
    elif known.code_list and one.value.strip() not in {
        code.code for code in lists.get(known.code_list, {}).values() if code.active
    }:
        expected = f"An active code of the list {known.code_list}"
        yield _say("CATEGORY-19", field, one.value, expected, f"{label} can't be {one.value}.")
    elif known.kind == "power" and number_of(one.value) is None:
        yield _say("CATEGORY-19", field, one.value, "A number of kW", f"{one.value} isn't a number of kW.")


def _named(one: AttributeForm, names: Mapping[str, int], others: Schemas) -> Iterator[Finding]:
    place = f"attributes.{one.id}"
    if not 1 <= len(one.label.strip()) <= LONGEST_LABEL:
        yield _say("CATEGORY-18", f"{place}.label", one.label, f"1 to {LONGEST_LABEL} characters", "Give it a label.")
    name = one.term
    taken = name in CORE or name in REGISTER_TERMS or name == ATTRIBUTES_TERM
    if not ATTRIBUTE.fullmatch(name) and (name or one.label.strip()):
        expected = "A letter, then letters, digits and underscores, 60 at most, such as UsableEnergy_kWh"
        yield _say("CATEGORY-07", f"{place}.name", name, expected, f"{name or 'Nothing'} can't be a name.")
    elif taken:
        message = f"{name} is an attribute of all assets: take another name."
        yield _say("CATEGORY-07", f"{place}.name", name, "A name that no core attribute has", message)
    elif names.get(name, 0) > 1:
        yield _say("CATEGORY-12", f"{place}.name", name, "Each name once", f"Two attributes are called {name}.")
    if len(one.help) > LONGEST_HELP:
        expected = f"At most {LONGEST_HELP:,} characters"
        yield _say("CATEGORY-18", f"{place}.help", len(one.help), expected, "The help text is too long.")
    yield from _as_elsewhere(one, others)


def _as_elsewhere(one: AttributeForm, others: Schemas) -> Iterator[Finding]:
    """One name, one meaning: files of several categories have one column for it."""
    for schema in others.values():
        spec = schema.get("properties", {}).get(one.term)
        if spec is None or one.kind == OTHER:
            continue
        mine = spec_of(one, {})
        if (spec.get("type"), spec.get("x-unit", "")) != (mine.get("type"), mine.get("x-unit", "")):
            theirs = expectation({key: spec[key] for key in ("type", "x-unit") if key in spec})
            message = f"In {schema.get('title')} {one.term} is {theirs}. Make it the same here, or take another name."
            yield _say("CATEGORY-13", f"attributes.{one.id}.name", one.term, f"As elsewhere: {theirs}", message)
            return


def _typed(one: AttributeForm, lists: CodeLists) -> Iterator[Finding]:
    place = f"attributes.{one.id}"
    before = 0
    for finding in (*_bounds(one, place), *_text(one, place), *_listed(one, place, lists)):
        before += 1
        yield finding
    if before or not one.example.strip() or one.kind in ("choices", OTHER):
        return
    example = example_of(one)
    if example is None or not compile_schema(spec_of(one, lists)).is_valid(example):
        message = f"{one.example} isn't {expectation(spec_of(one, lists))}."
        yield _say("CATEGORY-17", f"{place}.example", one.example, "A value that the attribute accepts", message)


def _bounds(one: AttributeForm, place: str) -> Iterator[Finding]:
    if one.kind not in NUMBERS:
        return
    for part in ("minimum", "maximum"):
        text = getattr(one, part).strip()
        if text and number_of(text) is None:
            yield _say("CATEGORY-14", f"{place}.{part}", text, NUMBER, f"{text} isn't a number.")
        elif text and one.kind == "integer" and not isinstance(number_of(text), int):
            message = f"{text} isn't a whole number, the attribute is."
            yield _say("CATEGORY-14", f"{place}.{part}", text, "A whole number", message)
    least, most = number_of(one.minimum), number_of(one.maximum)
    empty = one.above_minimum or one.below_maximum
    if least is not None and most is not None and (least > most or (least == most and empty)):
        message = "No number is in this range."
        yield _say("CATEGORY-14", f"{place}.maximum", one.maximum, f"More than {one.minimum}", message)


def _text(one: AttributeForm, place: str) -> Iterator[Finding]:
    if one.kind != "text":
        return
    for part in ("shortest", "longest"):
        text = getattr(one, part).strip()
        if text and length_of(text) is None:
            yield _say("CATEGORY-15", f"{place}.{part}", text, "A whole number", f"{text} isn't a length.")
    shortest, longest = length_of(one.shortest), length_of(one.longest)
    if shortest is not None and longest is not None and shortest > longest:
        message = "No text is both this long and this short."
        yield _say("CATEGORY-15", f"{place}.longest", one.longest, f"At least {shortest}", message)
    if one.pattern.strip():
        try:
            compile_schema({"type": "string", "pattern": one.pattern.strip()})
        except (ValueError, jsonschema_rs.ValidationError):
            expected = "A regular expression without look-around, such as ^[A-Z]{2}[0-9]{4}$"
            yield _say("CATEGORY-16", f"{place}.pattern", one.pattern, expected, f"{one.pattern} is no pattern.")


def _listed(one: AttributeForm, place: str, lists: CodeLists) -> Iterator[Finding]:
    if one.kind not in LISTS:
        return
    if one.code_list and one.code_list not in lists:
        message = f"There is no code list {one.code_list}."
        yield _say("CATEGORY-23", f"{place}.choices", one.code_list, "A code list of the register", message)
        return
    pairs = choices_in(one, lists)
    if not 1 <= len(pairs) <= MOST_CHOICES:
        message = "Give the choices, one a line." if not pairs else f"{len(pairs)} are too many: make it a text."
        yield _say("CATEGORY-23", f"{place}.choices", len(pairs), f"1 to {MOST_CHOICES} choices", message)
    for code, times in Counter(code for code, _label in pairs).items():
        if not CHOICE.fullmatch(code):
            expected = "A code of letters, digits and _ . + -, 60 at most"
            yield _say("CATEGORY-23", f"{place}.choices", code, expected, f"{code or 'Nothing'} can't be a code.")
        if times > 1:
            yield _say("CATEGORY-23", f"{place}.choices", code, "Each code once", f"{code} is there {times} times.")


def _say(code: str, field: str, given: object, expected: str, message: str) -> Finding:
    return Finding(code, field, str(given) or None, expected, message)

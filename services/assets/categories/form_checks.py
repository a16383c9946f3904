"""Form checks of a category: everything missing or wrong in the editor at once, each beside its field (UC-05.07).

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


def find_form_faults(category: str, form: CategoryForm, lists: CodeLists, others: Schemas) -> list[Finding]:
    """Everything that keeps the form from being published. `others` are the schemas of the other categories."""
    findings = [*_head(form, others), *_core(form, lists)]
    names = Counter(attribute.term for attribute in form.attributes if attribute.term)
    for attribute in form.attributes:
        findings += _named(attribute, names, others)
        findings += _typed(attribute, lists)
    return findings


def _head(form: CategoryForm, others: Schemas) -> Iterator[Finding]:
    title = form.title.strip()
    if not 1 <= len(title) <= LONGEST_LABEL:
        yield _make_finding(
            "CATEGORY-02", "title", title, f"1 to {LONGEST_LABEL} characters", "Give the category a name."
        )
    if title.lower() in {str(schema.get("title", "")).lower() for schema in others.values()}:
        yield _make_finding("CATEGORY-20", "title", title, "A name of its own", f"Another category is called {title}.")
    if not form.description.strip():
        message = "Say what assets belong to the category: people choose by it."
        yield _make_finding("CATEGORY-21", "description", "", "A sentence or two", message)
    elif len(form.description) > LONGEST_HELP:
        expected = f"At most {LONGEST_HELP:,} characters"
        yield _make_finding(
            "CATEGORY-21", "description", len(form.description), expected, "The description is too long."
        )
    if form.kind not in KINDS:
        message = "Choose what its assets do: generate, store, use, or several of these."
        yield _make_finding("CATEGORY-03", "x-kind", form.kind, f"One of {', '.join(KINDS)}", message)
    if form.colour and not COLOUR.fullmatch(form.colour):
        yield _make_finding("CATEGORY-04", "x-colour", form.colour, "A colour such as #332288", "This is no colour.")


def _core(form: CategoryForm, lists: CodeLists) -> Iterator[Finding]:
    usual_terms = {usual.term for usual in form.usual if usual.value.strip()}
    mandatory_terms = {*form.mandatory, *(term for term, field in CORE.items() if field.mandatory)}
    for term in form.hidden:
        if term in mandatory_terms - usual_terms:
            message = f"{core_label(term)} is mandatory, so it can't be left out of the form."
            yield _make_finding("CATEGORY-11", "x-hidden", term, "Attributes that nobody has to give", message)
    for group in form.one_of:
        if len(set(group)) == 1:
            message = f"{core_label(group[0])} stands alone: make it mandatory, or name another beside it."
            yield _make_finding("CATEGORY-22", "x-mandatory-any", group[0], "Two attributes or more", message)
    uses = Counter(usual.term for usual in form.usual if usual.term)
    for index, usual in enumerate(form.usual):
        yield from _usual(f"usual.{index}", usual, uses[usual.term] > 1, lists)


def _usual(field: str, usual: UsualValue, repeated: bool, lists: CodeLists) -> Iterator[Finding]:
    if not usual.term or not usual.value.strip():
        yield _make_finding(
            "CATEGORY-19", field, usual.value, "An attribute and its value", "Give both, or remove the line."
        )
        return
    label = core_label(usual.term)
    if repeated:
        yield _make_finding(
            "CATEGORY-19", field, usual.term, "Each attribute once", f"{label} has a usual value already."
        )
    attribute = CORE.get(usual.term)
    if attribute is None:
        yield _make_finding(
            "CATEGORY-05", field, usual.term, "A core attribute", f"There is no core attribute {usual.term}."
        )
    elif attribute.code_list and usual.value.strip() not in {
        code.code for code in lists.get(attribute.code_list, {}).values() if code.active
    }:
        expected = f"An active code of the list {attribute.code_list}"
        yield _make_finding("CATEGORY-19", field, usual.value, expected, f"{label} can't be {usual.value}.")
    elif attribute.kind == "power" and number_of(usual.value) is None:
        yield _make_finding("CATEGORY-19", field, usual.value, "A number of kW", f"{usual.value} isn't a number of kW.")


def _named(attribute: AttributeForm, names: Mapping[str, int], others: Schemas) -> Iterator[Finding]:
    path = f"attributes.{attribute.id}"
    if not 1 <= len(attribute.label.strip()) <= LONGEST_LABEL:
        yield _make_finding(
            "CATEGORY-18", f"{path}.label", attribute.label, f"1 to {LONGEST_LABEL} characters", "Give it a label."
        )
    name = attribute.term
    reserved = name in CORE or name in REGISTER_TERMS or name == ATTRIBUTES_TERM
    if not ATTRIBUTE.fullmatch(name) and (name or attribute.label.strip()):
        expected = "A letter, then letters, digits and underscores, 60 at most, such as UsableEnergy_kWh"
        yield _make_finding("CATEGORY-07", f"{path}.name", name, expected, f"{name or 'Nothing'} can't be a name.")
    elif reserved:
        message = f"{name} is an attribute of all assets: take another name."
        yield _make_finding("CATEGORY-07", f"{path}.name", name, "A name that no core attribute has", message)
    elif names.get(name, 0) > 1:
        yield _make_finding("CATEGORY-12", f"{path}.name", name, "Each name once", f"Two attributes are called {name}.")
    if len(attribute.help) > LONGEST_HELP:
        expected = f"At most {LONGEST_HELP:,} characters"
        yield _make_finding("CATEGORY-18", f"{path}.help", len(attribute.help), expected, "The help text is too long.")
    yield from _as_elsewhere(attribute, others)


def _as_elsewhere(attribute: AttributeForm, others: Schemas) -> Iterator[Finding]:
    """One name, one meaning: files of several categories have one column for it."""
    for schema in others.values():
        spec = schema.get("properties", {}).get(attribute.term)
        if spec is None or attribute.kind == OTHER:
            continue
        own_spec = spec_of(attribute, {})
        if (spec.get("type"), spec.get("x-unit", "")) != (own_spec.get("type"), own_spec.get("x-unit", "")):
            expected = expectation({key: spec[key] for key in ("type", "x-unit") if key in spec})
            message = (
                f"In {schema.get('title')} {attribute.term} is {expected}. Make it the same here, or take another name."
            )
            yield _make_finding(
                "CATEGORY-13", f"attributes.{attribute.id}.name", attribute.term, f"As elsewhere: {expected}", message
            )
            return


def _typed(attribute: AttributeForm, lists: CodeLists) -> Iterator[Finding]:
    path = f"attributes.{attribute.id}"
    problems = 0
    for finding in (*_bounds(attribute, path), *_text(attribute, path), *_listed(attribute, path, lists)):
        problems += 1
        yield finding
    if problems or not attribute.example.strip() or attribute.kind in ("choices", OTHER):
        return
    example = example_of(attribute)
    if example is None or not compile_schema(spec_of(attribute, lists)).is_valid(example):
        message = f"{attribute.example} isn't {expectation(spec_of(attribute, lists))}."
        yield _make_finding(
            "CATEGORY-17", f"{path}.example", attribute.example, "A value that the attribute accepts", message
        )


def _bounds(attribute: AttributeForm, path: str) -> Iterator[Finding]:
    if attribute.kind not in NUMBERS:
        return
    for bound in ("minimum", "maximum"):
        text = getattr(attribute, bound).strip()
        if text and number_of(text) is None:
            yield _make_finding("CATEGORY-14", f"{path}.{bound}", text, NUMBER, f"{text} isn't a number.")
        elif text and attribute.kind == "integer" and not isinstance(number_of(text), int):
            message = f"{text} isn't a whole number, the attribute is."
            yield _make_finding("CATEGORY-14", f"{path}.{bound}", text, "A whole number", message)
    least, most = number_of(attribute.minimum), number_of(attribute.maximum)
    empty = attribute.above_minimum or attribute.below_maximum
    if least is not None and most is not None and (least > most or (least == most and empty)):
        message = "No number is in this range."
        yield _make_finding(
            "CATEGORY-14", f"{path}.maximum", attribute.maximum, f"More than {attribute.minimum}", message
        )


def _text(attribute: AttributeForm, path: str) -> Iterator[Finding]:
    if attribute.kind != "text":
        return
    for bound in ("shortest", "longest"):
        text = getattr(attribute, bound).strip()
        if text and length_of(text) is None:
            yield _make_finding("CATEGORY-15", f"{path}.{bound}", text, "A whole number", f"{text} isn't a length.")
    shortest, longest = length_of(attribute.shortest), length_of(attribute.longest)
    if shortest is not None and longest is not None and shortest > longest:
        message = "No text is both this long and this short."
        yield _make_finding("CATEGORY-15", f"{path}.longest", attribute.longest, f"At least {shortest}", message)
    if attribute.pattern.strip():
        try:
            compile_schema({"type": "string", "pattern": attribute.pattern.strip()})
        except (ValueError, jsonschema_rs.ValidationError):
            expected = "A regular expression without look-around, such as ^[A-Z]{2}[0-9]{4}$"
            yield _make_finding(
                "CATEGORY-16", f"{path}.pattern", attribute.pattern, expected, f"{attribute.pattern} is no pattern."
            )


def _listed(attribute: AttributeForm, path: str, lists: CodeLists) -> Iterator[Finding]:
    if attribute.kind not in LISTS:
        return
    if attribute.code_list and attribute.code_list not in lists:
        message = f"There is no code list {attribute.code_list}."
        yield _make_finding(
            "CATEGORY-23", f"{path}.choices", attribute.code_list, "A code list of the register", message
        )
        return
    pairs = choices_in(attribute, lists)
    if not 1 <= len(pairs) <= MOST_CHOICES:
        message = "Give the choices, one a line." if not pairs else f"{len(pairs)} are too many: make it a text."
        yield _make_finding("CATEGORY-23", f"{path}.choices", len(pairs), f"1 to {MOST_CHOICES} choices", message)
    for code, times in Counter(code for code, _label in pairs).items():
        if not CHOICE.fullmatch(code):
            expected = "A code of letters, digits and _ . + -, 60 at most"
            yield _make_finding(
                "CATEGORY-23", f"{path}.choices", code, expected, f"{code or 'Nothing'} can't be a code."
            )
        if times > 1:
            yield _make_finding(
                "CATEGORY-23", f"{path}.choices", code, "Each code once", f"{code} is there {times} times."
            )


def _make_finding(code: str, field: str, value: object, expected: str, message: str) -> Finding:
    return Finding(code, field, str(value) or None, expected, message)

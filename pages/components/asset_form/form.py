"""The form of an asset, made from the schema of its category: nothing here knows a single category."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import groupby
from typing import Any

import streamlit as st

from models.assets import CategorySchema
from pages.components.asset_form.mpan import draw_network
from pages.components.asset_form.owner import draw_owners, owner_values
from pages.components.asset_form.position import POSITION_TERMS, draw_position, position_values
from pages.components.common.aliases import alias_values, draw_aliases
from pages.components.common.date_field import show_typed
from pages.components.common.form_field import Findings, draw_field, show_beside, value_of, widget_options
from pages.components.common.form_state import UNIT, FormState
from pages.components.common.power import UNITS, in_unit, to_kw
from pages.frame.markdown import escape_markdown
from services.assets.rules.reference import CATEGORY_LIST, categories, category_schema, code_lists
from services.assets.rules.required import required_terms
from services.assets.rules.schemas import CATEGORY_GROUP, CORE_ATTRIBUTES, form_fields
from services.core.attributes import CodeLists, FormField, options_of
from services.core.clock import today
from services.core.errors import Finding
from services.core.identity.actor import Actor

CATEGORY = "AssetCategory"
EFFECTIVE = "EffectiveDate"
"""Filled with today: an asset is effective from the day of its registration, unless somebody says another."""
NETWORK_TERMS = ("ImportMPAN", "ExportMPAN", "DNOConnection")
GROUP_TITLES = {"What": "Identity", "Who": "Ownership", "Location": "Position", "Identifiers": "Other identifiers"}
ORDER = ("What", "Capacity", "Technology", CATEGORY_GROUP, "Connection", "Location", "Who", "Identifiers")
DATE_TERMS = [field.term for field in CORE_ATTRIBUTES if field.kind == "date"]


@dataclass
class AssetForm:
    """One form: for a new asset, or for a registered one, whose category and schema version are then fixed."""

    actor: Actor
    state: FormState
    fixed_category: str | None = None
    schema_version: int | None = None

    @cached_property
    def lists(self) -> CodeLists:
        """The code lists in force."""
        return code_lists()

    @cached_property
    def schema(self) -> CategorySchema | None:
        """The schema that the form is made from; None until a category is chosen."""
        category = self.fixed_category or self.state.get(CATEGORY)
        return category_schema(self.actor, str(category), self.schema_version) if category else None

    @cached_property
    def fields(self) -> list[FormField]:
        """All fields of the category, in the order of the catalogue; none until one is chosen."""
        return form_fields(self.schema.document, self.lists) if self.schema else []

    @property
    def labels(self) -> dict[str, str]:
        """Labels of the terms."""
        return {field.term: field.label for field in (*CORE_ATTRIBUTES, *self.fields)}

    @property
    def anchors(self) -> dict[str, str]:
        """Anchors on the page of the terms."""
        return {field.term: anchor_of(self.slot, field.group) for field in self.fields}

    @property
    def slot(self) -> str:
        """The name of the form in this session."""
        return self.state.slot

    def values(self) -> dict[str, object]:
        """Everything in the form as the register takes it, by term; empty fields are None."""
        values: dict[str, object] = {CATEGORY: self.fixed_category or self.state.get(CATEGORY)}
        values |= {field.term: value_of(field, self.state) for field in self.fields if field.term != CATEGORY}
        terms = {field.term for field in self.fields}
        special = {**position_values(self.state), **owner_values(self.actor, self.state)}
        values |= {term: value for term, value in special.items() if term in terms}
        if "Aliases" in terms:
            values["Aliases"] = alias_values(self.state)
        return values

    def dates(self) -> list[str]:
        """The fields whose widgets hold dates, those of every category included."""
        own = [field.term for field in self.fields if field.kind == "date"]
        return [*DATE_TERMS, *own]

    def fill(self, typed: Mapping[str, Any]) -> None:
        """Put back what was typed before; the category first, since it says which fields are dates."""
        self.state.fill({name: value for name, value in typed.items() if name == CATEGORY}, ())
        self.__dict__.pop("schema", None)
        self.__dict__.pop("fields", None)
        self.state.fill(typed, self.dates())

    def draw_category(self, findings: Findings) -> None:
        """The choice that everything else follows from."""
        offered = {schema.category: schema.document for schema in categories(self.actor)}
        if self.state.get(CATEGORY) not in offered:
            self.state.drop(CATEGORY)
        before = self.state.note("category")
        field = next(field for field in CORE_ATTRIBUTES if field.term == CATEGORY)
        st.selectbox(
            options=list(offered),
            index=None,
            format_func=lambda code: offered[code].get("title", code),
            placeholder="Choose a category: its fields follow",
            **widget_options(field, self.state),
        )
        show_beside(findings.get(CATEGORY, ()))
        category = self.state.get(CATEGORY)
        if category:
            st.caption(escape_markdown(str(offered[category].get("description", ""))))
        if category != before:
            self._change_defaults(before if before in offered else None)
            self.state.remember("category", category)

    def _change_defaults(self, before: str | None) -> None:
        """The defaults of the category chosen, in fields where nothing or another category's default stands."""
        old = form_fields(category_schema(self.actor, before).document, self.lists) if before else []
        for field in old:
            if field.default is not None and self.state.get(field.term) == field.default:
                self.state.drop(field.term)
        for field in self.fields:
            if field.default is not None and self.state.get(field.term) in (None, ""):
                self.state.put(field.term, field.default)
        if self.fixed_category is None and self.state.get(EFFECTIVE) is None:
            self.state.put(EFFECTIVE, show_typed(today()))

    def draw(self, findings: Iterable[Finding], after_change: Callable[[], None]) -> None:
        """All groups of the category's fields, each finding beside its field."""
        if not self.fields:
            return
        beside = group_by_field(findings)
        st.caption(f"Fields marked with * are mandatory.{self._one_of()}")
        required = required_terms(self.values(), self.schema.document if self.schema else None)
        ordered = sorted(
            (
                replace(field, mandatory=field.mandatory or field.term in required)
                for field in self.fields
                if field.term != CATEGORY
            ),
            key=lambda field: _place(field.group),
        )
        for group, members in groupby(ordered, key=lambda field: field.group):
            self._draw_group(group, list(members), beside, after_change)

    def _one_of(self) -> str:
        """Groups of fields of which the category needs one."""
        groups: list[list[str]] = self.schema.document.get("x-mandatory-any", []) if self.schema else []
        needed = [" or ".join(self.labels.get(term, term) for term in group) for group in groups]
        return "".join(f" One of these is needed: {words}." for words in needed)

    def title_of(self, group: str) -> str:
        """Title of a section."""
        title = str(self.schema.document.get("title")) if group == CATEGORY_GROUP and self.schema else group
        return GROUP_TITLES.get(title, escape_markdown(title))

    def _draw_group(
        self, group: str, fields: list[FormField], findings: Findings, after_change: Callable[[], None]
    ) -> None:
        with st.container(border=True):
            st.subheader(self.title_of(group), anchor=anchor_of(self.slot, group))
            if group == "Who":
                draw_owners(fields, self.actor, self.state, findings)
            elif group == "Location":
                draw_position(fields, self.state, findings)
            elif group == "Identifiers":
                for field in fields:
                    draw_aliases(field, options_of(self.lists, "AliasScheme"), self.state, findings)
            else:
                if group == "Capacity":
                    _draw_unit(fields, self.state)
                network = [field for field in fields if field.term in NETWORK_TERMS]
                grid = st.grid(3, min_column_width=260)
                for field in (field for field in fields if field not in network):
                    with grid.container():
                        draw_field(field, self.state, findings)
                if network:
                    draw_network(network, self.state, findings, after_change)


def draw_sections(form: AssetForm) -> None:
    """Links to the sections of the form, in their order, with what each still needs."""
    if not form.fields:
        return
    values = form.values()
    required = required_terms(values, form.schema.document if form.schema else None)
    links: list[str] = []
    ordered = sorted((field for field in form.fields if field.term != CATEGORY), key=lambda field: _place(field.group))
    for group, members in groupby(ordered, key=lambda field: field.group):
        open_fields = [
            field
            for field in members
            if (field.mandatory or field.term in required) and values.get(field.term) in (None, "", [])
        ]
        mark = f" ({len(open_fields)} to fill in)" if open_fields else ""
        links.append(f"[{form.title_of(group)}](#{anchor_of(form.slot, group)}){mark}")
    st.markdown(" · ".join(links))


def _draw_unit(fields: list[FormField], state: FormState) -> None:
    powers = [field.term for field in fields if field.kind == "power"]
    before = state.get(UNIT)

    def convert() -> None:
        for term in powers:
            text = str(state.get(term) or "")
            state.put(term, in_unit(to_kw(text, before), state.get(UNIT)))

    state.put(UNIT, before)
    st.segmented_control(
        "Type power in",
        UNITS,
        required=True,
        key=state.key(UNIT),
        on_change=convert,
        persist_state="session",
        help="MW are converted exactly; the register keeps kW with two decimals.",
    )


def _place(group: str) -> int:
    return ORDER.index(group) if group in ORDER else len(ORDER)


def anchor_of(slot: str, group: str) -> str:
    """The anchor of a group of fields on the page."""
    return f"{slot}-{group}".lower().replace(":", "-").replace(" ", "-")


def group_by_field(findings: Iterable[Finding]) -> dict[str | None, list[Finding]]:
    """Findings by the term they stand beside."""
    groups: dict[str | None, list[Finding]] = {}
    for finding in findings:
        groups.setdefault(finding.field, []).append(finding)
    return groups


def category_label(category: str | None) -> str:
    """A category as people read it."""
    entry = code_lists().get(CATEGORY_LIST, {}).get(category or "")
    return entry.label if entry else category or "–"


__all__ = ["CATEGORY", "POSITION_TERMS", "AssetForm", "anchor_of", "category_label", "draw_sections", "group_by_field"]

"""An asset's attributes, group by group: each with its value, where it comes from, and what sources say of it."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any
from uuid import UUID

import streamlit as st

from models.assets import Asset, AssetCheck
from models.products import FAMILY_LABELS
from pages.components.asset_form.form import GROUP_TITLES, ORDER
from pages.components.common.asset_labels import AssetLabels
from pages.components.common.base_map import draw_map
from pages.frame.markdown import escape_markdown
from services.assets.asset_page.provenance import Origin, Provenance, Statement
from services.assets.checks.outcomes import POSITION
from services.assets.registration.record import as_terms
from services.assets.rules.schemas import CATEGORY_GROUP
from services.core.attributes import FormField
from services.core.clock import in_london, show_date, show_moment
from services.core.comparison import ComparisonOutcome
from services.core.identity.actor import Actor
from services.core.identity.permissions import may
from services.market.units.members import units_of_asset

INPUT_ONLY = ("Easting", "Northing")
OURS = {"GspGroup": "Location", "PositionSource": "Location"}
"""Terms that the register works out, and the group of fields they are shown with."""
THEIRS = [213, 94, 0]
EMPTY = (None, "", [], False)
Origins = Mapping[str, Provenance]


def draw_facts(asset: Asset, words: AssetLabels, origins: Origins, checks: Sequence[AssetCheck], key: str) -> None:
    """All groups, in the order of the form."""
    terms = as_terms(asset)
    ours = [FormField(term, words.label(term), "", "text", group) for term, group in OURS.items()]
    fields = [field for field in words.fields.values() if field.term not in INPUT_ONLY] + ours
    ordered = sorted(fields, key=lambda field: ORDER.index(field.group) if field.group in ORDER else len(ORDER))
    for group, members in groupby(ordered, key=lambda field: field.group):
        _draw_group(group, list(members), asset, terms, words, origins)
        if group == "Location":
            _draw_place(asset, checks, key)


def _draw_group(
    group: str, fields: list[FormField], asset: Asset, terms: Mapping[str, Any], words: AssetLabels, origins: Origins
) -> None:
    filled = [field for field in fields if terms.get(field.term) not in EMPTY]
    title = words.value("AssetCategory", asset.asset_category) if group == CATEGORY_GROUP else group
    if not filled:
        return
    st.subheader(GROUP_TITLES.get(title, escape_markdown(title)), anchor=False)
    provider = words.organisations.get(str(asset.service_provider_id))
    rows = [
        {
            "Attribute": escape_markdown(field.label),
            "Value": f"**{escape_markdown(words.value(field.term, terms[field.term]))}**",
            "Where it comes from": describe_origin(origins[field.term], words, provider),
        }
        for field in filled
        if field.term in origins
    ]
    st.table(rows, border="horizontal", hide_index=True, alt=f"{title}: attributes and where they come from")
    empty = ", ".join(escape_markdown(field.label) for field in fields if field not in filled)
    if empty:
        st.caption(f"Not given: {empty}")


def describe_origin(provenance: Provenance, words: AssetLabels, provider: str | None = None) -> str:
    """Describe the origin of a value: statements of sources, each in a line, then who declared it or how it was worked out.

    The organisation of whoever declared it is told where it isn't the `provider`, whose name stands on top of the page.
    """
    lines = [_describe_statement(statement, provenance.term, words) for statement in provenance.statements]
    others = provenance.declared_for if provenance.declared_for != provider else None
    names = ", ".join(part for part in (provenance.declared_by, others) if part)
    when = show_date(in_london(provenance.declared_at).date()) if provenance.declared_at else None
    if provenance.origin is Origin.DERIVED or provenance.explanation:
        lines.append(
            f":gray-badge[:material/function: Worked out] :small[{escape_markdown(provenance.explanation or '')}]"
        )
    else:
        who = ", ".join(part for part in (escape_markdown(names), when) if part)
        lines.append(f":gray-badge[:material/edit: Declared] :small[{who}]")
    return "  \n".join(lines)


def _describe_statement(statement: Statement, term: str, words: AssetLabels) -> str:
    """Statement of one source on a value, in a line."""
    by = escape_markdown(statement.source_name) + (
        f" · {show_date(in_london(statement.at).date())}" if statement.at else ""
    )
    difference = statement.difference
    if statement.origin is Origin.VERIFIED:
        return f":green-badge[:material/verified: Verified] :small[{by}]"
    value = (
        escape_markdown(difference.source_value or "nothing") if difference else _source_value(statement, term, words)
    )
    theirs = f"says **{value}**"
    if statement.origin is Origin.SETTLED:
        why = (
            f"accepted by {escape_markdown(difference.by or '')}: {escape_markdown(difference.reason or '')}"
            if difference
            else "accepted"
        )
        return f":violet-badge[:material/gavel: Settled] :small[{by}] {theirs} :small[{why}]"
    if difference is None:
        return f":gray-badge[:material/difference: Differs, asks nothing] :small[{by}] {theirs}"
    answer = (
        f" :small[answered by {escape_markdown(difference.answered_by or '')}: {escape_markdown(difference.answer)}]"
        if difference.answer
        else ""
    )
    right = (
        f" :small[found right by {escape_markdown(difference.by or '')}: {escape_markdown(difference.reason or '')}]"
        if difference.verdict
        else ""
    )
    return f":red-badge[:material/difference: Differs] :small[{by}] {theirs}{right}{answer}"


def _source_value(statement: Statement, term: str, words: AssetLabels) -> str:
    if statement.source_value is None:
        return "nothing"
    try:
        return escape_markdown(words.value(term, statement.source_value))
    except (ValueError, ArithmeticError, TypeError, KeyError):
        # Sources write a value as they please; what can't be read as ours is shown as theirs.
        return escape_markdown(statement.source_value)


def _draw_place(asset: Asset, checks: Sequence[AssetCheck], key: str) -> None:
    """A small map: the declared position, and where a source puts the asset when that differs."""
    if asset.latitude is None or asset.longitude is None:
        return
    status = str(asset.status)
    points: list[dict[str, Any]] = [
        {
            "id": "ours",
            "name": asset.asset_name,
            "detail": "As declared",
            "lat": asset.latitude,
            "lon": asset.longitude,
            "status": status,
        }
    ]
    for check in checks:
        for row in check.comparisons:
            if row["field"] == POSITION and row["outcome"] == ComparisonOutcome.DIFFERS and row.get("theirs"):
                lat, lon = (float(part) for part in row["theirs"].split(","))
                detail = f"As {check.source_name or check.source} says. {row['message']}"
                points.append(
                    {"id": str(check.id), "name": asset.asset_name, "detail": detail, "lat": lat, "lon": lon}
                    | {"status": status, "colour": THEIRS}
                )
    draw_map(points, key=key, height=320, selectable=False)
    if len(points) > 1:
        st.caption("Orange: where a public register puts it. The other point: as declared.")


def draw_units_of(actor: Actor, asset_id: UUID) -> None:
    """A link to each unit that it is in, and since when; nothing where it is in none."""
    if not may(actor, "unit.read"):
        return
    for membership in units_of_asset(actor, asset_id):
        if membership.until_at is None:
            unit = f"{FAMILY_LABELS[membership.family]} unit {escape_markdown(membership.name)}"
            label = f"In the {unit} since {show_moment(membership.from_at)}"
            st.page_link(
                "pages/market/unit.py", label=label, icon=":material/hub:", query_params={"id": str(membership.unit_id)}
            )

"""An asset's attributes, group by group, each with where its value comes from."""

from collections.abc import Mapping
from itertools import groupby
from typing import Any

import streamlit as st

from models.assets import Asset, AssetCheck
from pages.frame.banner import plain
from pages.parts.asset_form import GROUP_TITLES, ORDER
from pages.parts.asset_map import draw_map
from pages.parts.asset_words import Words
from services.assets.check_judging import POSITION
from services.assets.provenance import Origin, Provenance
from services.assets.reading import as_terms
from services.assets.schemas import CATEGORY_GROUP, FormField
from services.core.clock import show_date
from services.core.comparison import Outcome

INPUT_ONLY = ("Easting", "Northing")
OURS = {"GspGroup": "Location", "PositionSource": "Location"}
"""Terms that the register works out, and the group of fields they are shown with."""
THEIRS = [213, 94, 0]
Origins = Mapping[str, Provenance]


def draw_facts(asset: Asset, words: Words, origins: Origins, checks: list[AssetCheck], key: str) -> None:
    """All groups. `origins` may be empty: of the past only is known what was declared and what was worked out."""
    terms = as_terms(asset)
    ours = [FormField(term, words.label(term), "", "text", group) for term, group in OURS.items()]
    fields = [field for field in words.fields.values() if field.term not in INPUT_ONLY] + ours
    ordered = sorted(fields, key=lambda field: ORDER.index(field.group) if field.group in ORDER else len(ORDER))
    for group, members in groupby(ordered, key=lambda field: field.group):
        _draw_group(group, list(members), asset, terms, words, origins)
        if group == "Location":
            _draw_place(asset, checks, key)


def _draw_group(
    group: str, fields: list[FormField], asset: Asset, terms: Mapping[str, Any], words: Words, origins: Origins
) -> None:
    told = [field for field in fields if terms.get(field.term) not in (None, "", [], False)]
    title = words.value("AssetCategory", asset.asset_category) if group == CATEGORY_GROUP else group
    if not told:
        return
    with st.container(border=True):
        st.subheader(GROUP_TITLES.get(title, plain(title)), anchor=False)
        grid = st.grid(3, min_column_width=240)
        for field in told:
            value = plain(words.value(field.term, terms[field.term]))
            origin = origins.get(field.term) or _told_by_record(field.term, asset)
            grid.markdown(
                f":small[{plain(field.label)}]  \n**{value}**  \n{_badge(origin, words)}", help=field.help or None
            )
        empty = ", ".join(plain(field.label) for field in fields if field not in told)
        if empty:
            st.caption(f"Not given: {empty}")


def _told_by_record(term: str, asset: Asset) -> Provenance:
    derived = term in asset.derived_terms or term in OURS
    return Provenance(term, None, Origin.DERIVED if derived else Origin.DECLARED)


def _badge(origin: Provenance, words: Words) -> str:
    """Where a value comes from, in one badge and, where a source says otherwise, what it says."""
    by = f"{plain(origin.source)}, {show_date(origin.at.date() if origin.at else None)}" if origin.source else ""
    match origin.origin:
        case Origin.DECLARED:
            return ":gray-badge[:material/edit: Declared]"
        case Origin.DERIVED:
            return ":gray-badge[:material/function: Worked out by the register]"
        case Origin.VERIFIED:
            return f":green-badge[:material/verified: Verified] :small[{by}]"
        case Origin.SETTLED:
            return f":violet-badge[:material/gavel: Settled] :small[{by} says {_theirs(origin, words)}; accepted]"
        case Origin.DIFFERS:
            return f":red-badge[:material/difference: Differs] :small[{by} says {_theirs(origin, words)}]"


def _theirs(origin: Provenance, words: Words) -> str:
    if origin.theirs is None:
        return "nothing"
    try:
        return plain(words.value(origin.term, origin.theirs))
    except (ValueError, ArithmeticError, TypeError, KeyError):
        # Sources write a value as they please; what can't be read as ours is shown as theirs.
        return plain(origin.theirs)


def _draw_place(asset: Asset, checks: list[AssetCheck], key: str) -> None:
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
            if row["field"] == POSITION and row["outcome"] == Outcome.DIFFERS and row.get("theirs"):
                lat, lon = (float(part) for part in row["theirs"].split(","))
                detail = f"As {check.source_name or check.source} says. {row['message']}"
                points.append(
                    {"id": str(check.id), "name": asset.asset_name, "detail": detail, "lat": lat, "lon": lon}
                    | {"status": status, "colour": THEIRS}
                )
    draw_map(points, key=key, height=320, selectable=False)
    if len(points) > 1:
        st.caption("Orange: where a public register puts it. The other point: as declared.")

"""The form of a change to a registered asset: it begins with what is registered and hands over only what was changed."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from models.assets import Asset
from pages.components.asset_form.form import AssetForm
from pages.components.asset_form.lookup import as_typed
from pages.components.asset_form.position import POSITION_TERMS
from pages.components.common.asset_labels import AssetLabels
from pages.components.common.form_state import PLACE, UNIT, FormState
from pages.frame.markdown import escape_markdown
from services.assets.reading.assets import get_asset
from services.assets.registration.record import as_terms
from services.assets.registration.update import Preview
from services.assets.rules.schemas import CORE
from services.core.errors import Conflict

GRID_TERMS = ("Easting", "Northing")


def read_typed(asset: Asset) -> dict[str, Any]:
    """Entries of the form of a registered asset before anybody changes it: declared values, as they are typed."""
    terms = as_terms(asset)
    from_grid = asset.position_source == "eastings"
    declared = {
        term: value
        for term, value in terms.items()
        if (term in CORE or term in asset.category_attributes)
        and (term not in asset.derived_terms or _shown_all_the_same(term, from_grid))
    }
    typed = {name: value for name, value in as_typed(declared).items() if value not in (None, "", [], False)}
    typed[PLACE] = {"postcode": "postcode", None: "map"}.get(asset.position_source, "degrees")
    return {name: value for name, value in typed.items() if (name, value) not in ((PLACE, "map"), ("_aliases", 1))}


def _shown_all_the_same(term: str, from_grid: bool) -> bool:
    """Worked out by the register, yet shown in the form: defaults of codes, and a position that came as metres."""
    return (term in CORE and CORE[term].kind == "code") or (from_grid and term in ("Latitude", "Longitude"))


def begin_change(form: AssetForm, asset: Asset) -> None:
    """Fill the form with the asset as it stands, unless somebody is changing it already."""
    if form.state.note("base") is not None:
        return
    base = read_typed(asset)
    form.fill(base)
    form.state.remember("base", base)
    form.state.remember("version", asset.version)


def changed_values(form: AssetForm) -> dict[str, object]:
    """Terms to hand over: those that differ from what the form began with; a position goes as a whole."""
    scratch = FormState(f"{form.slot}-base")
    before_form = AssetForm(form.actor, scratch, form.fixed_category, form.schema_version)
    scratch.clear()
    before_form.fill(form.state.note("base", {}))
    before, now = before_form.values(), form.values()
    scratch.clear()
    changed = {term: value for term, value in now.items() if not _same(term, value, before.get(term))}
    moved = [term for term in POSITION_TERMS if term in changed]
    if moved:
        changed |= {term: now[term] for term in POSITION_TERMS if term in now}
        if any(changed.get(term) for term in GRID_TERMS):
            changed = {term: value for term, value in changed.items() if term not in ("Latitude", "Longitude")}
    return changed


def _same(term: str, value: object, other: object) -> bool:
    return (value or None) == (other or None) if not isinstance(value, bool) else bool(value) == bool(other)


def rebase(form: AssetForm, current: Asset) -> None:
    """Go on from the newest version: what the person hasn't touched follows it, what they changed stays as they typed it."""
    state = form.state
    old, new, typed = state.note("base", {}), read_typed(current), state.typed()
    mine = {name: typed.get(name) for name in {*old, *typed} if typed.get(name) != old.get(name) and name != UNIT}
    keep = {name: state.note(name) for name in ("draft", "saved_at")}
    unit = state.get(UNIT)
    state.clear()
    form.fill({**new, **{name: value for name, value in mine.items() if value is not None}})
    for name, value in mine.items():
        if value is None:
            state.drop(name)
    state.put(UNIT, unit)
    state.remember("base", new)
    state.remember("version", current.version)
    state.remember("checking", True)
    for name, value in keep.items():
        if value is not None:
            state.remember(name, value)


def show_conflict(form: AssetForm, conflict: Conflict, words: AssetLabels, asset_id: Any) -> None:
    """Changes that somebody else made meanwhile, field by field, theirs beside yours, and the way on without typing again."""
    st.warning(escape_markdown(conflict.message), icon=":material/sync_problem:")
    mine = changed_values(form)
    rows = [
        {
            "Field": words.label(term),
            "When you opened it": words.value(term, before),
            "Now (theirs)": words.value(term, after),
            "Yours": words.value(term, mine[term]) if term in mine else "not touched by you",
        }
        for term, (before, after) in conflict.changes.items()
        if term not in ("StatusSince",)
    ]
    st.dataframe(rows, hide_index=True, width="stretch", alt="What somebody else changed, beside what you changed")

    def go_on() -> None:
        rebase(form, get_asset(form.actor, asset_id))
        st.session_state.pop(f"{form.slot}!conflict", None)

    st.button(
        "Continue from the newest version, keeping my changes", icon=":material/merge:", type="primary", on_click=go_on
    )


def show_preview(preview: Preview, words: AssetLabels) -> None:
    """Effect of the change, field by field, whether it is material, and what follows from that."""
    rows: list[Mapping[str, str]] = [
        {"Field": words.label(term), "Now": words.value(term, before), "After": words.value(term, after)}
        for term, (before, after) in preview.changes.items()
    ]
    if not rows:
        st.info("Nothing is changed yet.", icon=":material/edit_off:")
        return
    st.dataframe(rows, hide_index=True, width="stretch", alt="The changes, field by field")
    if preview.material:
        reasons = "\n".join(f"- {escape_markdown(reason)}" for reason in preview.reasons)
        st.warning(
            f"**This is a material change**\n\n{reasons}\n\nThe authenticity checks run again. A verified or queried asset "
            "becomes Pending Validation until they are done.",
            icon=":material/priority_high:",
        )
    else:
        st.success("Not a material change: the asset keeps its status.", icon=":material/check_circle:")

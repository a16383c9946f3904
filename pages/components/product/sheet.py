"""Sheet of one product: requirements by version, buyers by area, equivalences and stacking."""

from collections.abc import Sequence

import streamlit as st

from models.products import ProductVersion
from pages.components.product.labels import describe_value
from pages.components.product.stacking_matrix import MODES, draw_legend, draw_row
from pages.frame.markdown import escape_markdown
from pages.frame.navigation import link
from services.core.clock import show_date, today
from services.grid.distributors import LICENCE_AREAS
from services.market.products.document import ATTRIBUTES
from services.market.products.market_tables import STACKING_LABELS
from services.market.products.procurers import Buyer
from services.market.products.products import Equivalence, ProductSheet

CHANGED = " ◂ changed"
AREAS = {area.code: area for area in LICENCE_AREAS if area.code}


def draw_versions(versions: Sequence[ProductVersion], in_force: ProductVersion) -> None:
    """Requirements by row, versions by column, the newest first; what changed against the one before is marked."""
    rows = []
    for attribute in ATTRIBUTES:
        row = {"What": attribute.label}
        for place, version in enumerate(versions):
            value = getattr(version, attribute.column)
            changed = place > 0 and value != getattr(versions[place - 1], attribute.column)
            row[_heading(version, in_force)] = f"{describe_value(attribute.term, value)}{CHANGED if changed else ''}"
        rows.append({"What": row.pop("What"), **dict(reversed(row.items()))})
    st.dataframe(rows, hide_index=True, width="stretch", height="content", alt="Requirements, version beside version")
    st.caption("Not known: no requirement is published. A unit then neither passes nor fails it.")


def _heading(version: ProductVersion, in_force: ProductVersion) -> str:
    if version.valid_from > today():
        state = "to come"
    else:
        state = "in force" if version.product_version == in_force.product_version else "earlier"
    return f"Version {version.product_version}, from {show_date(version.valid_from)} ({state})"


def draw_buyers(buyers: Sequence[Buyer]) -> None:
    """Table of buyers: areas, and organisations in this register."""
    rows = [
        {
            "Bought by": buyer.procurer.name,
            "Where": _where(buyer.procurer.dno_codes),
            "In this register": ", ".join(buyer.organisations) or "not yet: nobody can apply to them here",
        }
        for buyer in buyers
    ]
    st.dataframe(rows, hide_index=True, width="stretch", height="content", alt="Who buys it, and where")


def _where(codes: Sequence[str]) -> str:
    if not codes:
        return "All of Great Britain"
    return ", ".join(f"{AREAS[code].name} ({AREAS[code].gsp_group})" if code in AREAS else code for code in codes)


def draw_equivalences(sheet: ProductSheet) -> None:
    """The steps of the table that begin or end here, each a link to the other product."""
    code = sheet.view.product.code
    if not sheet.leads_to and not sheet.follows_from:
        st.info(f"The table of equivalences says nothing of {escape_markdown(code)}.", icon=":material/swap_horiz:")
        return
    if sheet.leads_to:
        st.markdown(f"A unit qualified for **{escape_markdown(code)}** may apply, too, for:")
        _steps(sheet.leads_to)
    if sheet.follows_from:
        st.markdown(f"**{escape_markdown(code)}** may be applied for, too, by a unit qualified for:")
        _steps(sheet.follows_from)
    st.caption("Indicative: duration, direction, location and buyer are checked all the same.")


def _steps(steps: Sequence[Equivalence]) -> None:
    for step in steps:
        label = f"**{escape_markdown(step.code)}**, {escape_markdown(step.name)}"
        link("market/product.py", label, "arrow_forward", {"code": step.code})
        if step.note:
            st.caption(escape_markdown(step.note))


def draw_stacking(sheet: ProductSheet) -> None:
    """Its row of the matrix, as a picture and as a table."""
    code = sheet.view.version.stacking_code
    if not sheet.stacking:
        st.info(
            "The stacking matrix says nothing of this product: ask the system operator what it may be held with.",
            icon=":material/help:",
        )
        return
    draw_legend()
    draw_row(code or "", sheet.stacking, "stacking_row")
    with st.expander("The same as a table"):
        rows = [
            {"With": other, **{mode: STACKING_LABELS[cell[place]] for place, mode in enumerate(MODES)}}
            for other, cell in sheet.stacking.items()
        ]
        st.dataframe(rows, hide_index=True, width="stretch", alt="Stacks with")
    link("market/stacking.py", "The whole matrix", "grid_on")

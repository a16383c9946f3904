"""A unit's qualifications (UC-04.02), as tabs of its page: what it stands for, applying, and whether it is ready."""

from uuid import UUID

import streamlit as st

from models.units import UnitStatus
from pages.components.common.actions import attempt
from pages.components.qualification.portability import draw_elsewhere
from pages.components.qualification.table import draw_qualification_table
from pages.frame.markdown import escape_markdown
from pages.frame.navigation import link
from pages.frame.refusals import show_blockers
from services.core.clock import show_date, today
from services.core.identity.actor import Actor
from services.core.identity.permissions import may
from services.market.eligibility.requirements import STANDING_LABELS
from services.market.qualification.application import Application, Choice, apply_for_products, preview_application
from services.market.qualification.filters import QualificationFilters
from services.market.qualification.listing import work_queue
from services.market.qualification.readiness import Readiness, readiness
from services.market.units.units import UnitDetails, format_kilowatts

PAGES = {
    "asset": ("assets/asset.py", "bolt"),
    "market_unit": ("market/unit.py", "hub"),
    "organisation": ("participants/organisation.py", "apartment"),
    "qualification": ("market/application.py", "assignment"),
}


def draw_unit_qualifications(actor: Actor, found: UnitDetails) -> None:
    """What the unit has applied for and is qualified for; for its FSP, applying; for an SO, what a colleague has qualified."""
    lines = work_queue(actor, QualificationFilters(unit=(str(found.unit.id),)))
    if lines:
        draw_qualification_table(lines, ("Unit", "FSP"), key=f"of-unit-{found.unit.id}")
    else:
        st.info("The unit has applied for nothing that you may see yet.", icon=":material/assignment:")
    if found.unit.status is not UnitStatus.ACTIVE:
        return
    if may(actor, "qualification.apply") and actor.organisation_id == found.unit.service_provider_id:
        _draw_apply(actor, preview_application(actor, found.unit.id))
    if may(actor, "qualification.assess"):
        draw_elsewhere(actor, found.unit.id)


def _draw_apply(actor: Actor, preview: Application) -> None:
    st.subheader("Apply for products", anchor=False)
    if preview.blockers:
        st.error("The unit can't apply as it stands. Settle these first.", icon=":material/block:")
        show_blockers(preview.blockers)
        return
    choices = {choice.version.code: choice for choice in preview.choices if choice.available_operators}
    if not choices:
        st.info(
            "Nobody buys a product of this family where the unit's assets are, or it has applied everywhere already."
        )
        return
    unit = preview.unit.unit
    key = f"apply-{unit.id}"
    wanted = st.multiselect(
        "Products",
        list(choices),
        format_func=lambda code: f"{code} · {choices[code].version.name}",
        key=f"{key}-products",
        placeholder="One or many",
    )
    missing = [words for code in wanted for words in _draw_choice(choices[code])]
    if not wanted:
        return
    _draw_package(preview)
    if missing:
        st.text_area(
            "Why you apply all the same",
            key=f"{key}-why",
            help="10 characters or more. The system operator reads it beside what is missing.",
            max_chars=2000,
        )

    def act() -> None:
        why = str(st.session_state.get(f"{key}-why") or "") or None
        apply_for_products(actor, unit.id, dict.fromkeys(wanted, ()), version=unit.version, justification=why)

    count = sum(len(choices[code].available_operators) for code in wanted)
    st.button(
        f"Freeze the package and apply ({count} application{'' if count == 1 else 's'})",
        type="primary",
        icon=":material/send:",
        key=f"{key}-do",
        on_click=attempt,
        args=(act, "Applied: the system operators are told.", f"{key}-products", f"{key}-why"),
    )


def _draw_choice(choice: Choice) -> list[str]:
    """Who is asked, how the unit stands, what is missing; the words of what is missing."""
    names = ", ".join(
        one.organisation_trading_name or one.organisation_legal_name for one in choice.available_operators
    )
    with st.container(border=True):
        standing = STANDING_LABELS[choice.verdict.eligibility] if choice.verdict else "Not known"
        st.markdown(
            f"**{escape_markdown(choice.version.code)}** goes to {escape_markdown(names)}. Indicatively: {standing}."
        )
        missing = [one.words for one in choice.verdict.unmet] if choice.verdict else []
        unknown = [one.words for one in choice.verdict.unknown] if choice.verdict else []
        for words in missing:
            st.markdown(f":orange[:material/warning:] {escape_markdown(words)}")
        for words in unknown:
            st.markdown(f":gray[:material/help:] {escape_markdown(words)}")
    return missing


def _draw_package(preview: Application) -> None:
    counted = preview.unit.capability
    with st.expander("What is handed in: the data package", icon=":material/inventory_2:"):
        st.markdown(
            f"The unit as it stands now, with all {counted.assets:,} assets and their technical data: "
            f"{format_kilowatts(counted.up)} up, {format_kilowatts(counted.down)} down. "
            "It is frozen: later changes don't alter it."
        )
        st.json(dict(preview.summary), expanded=False)


def draw_readiness(actor: Actor, found: UnitDetails) -> None:
    """Whether the unit can deliver a product to an SO on a day."""
    st.caption("Can this unit deliver a product to a system operator on a day? Yes, or everything that is missing.")
    lines = work_queue(actor, QualificationFilters(unit=(str(found.unit.id),)))
    pairs = {
        (line.qualification.product_code, line.qualification.addressed_to): line.operator
        for line in lines
        if not may(actor, "qualification.assess") or line.qualification.addressed_to == actor.organisation_id
    }
    if not pairs:
        st.info(
            "The unit has applied for nothing that you may see yet: it isn't ready for anything.",
            icon=":material/block:",
        )
        return
    left, right = st.columns([2, 1])
    chosen: tuple[str, UUID] = left.selectbox(
        "Product and system operator",
        list(pairs),
        format_func=lambda pair: f"{pair[0]} for {pairs[pair]}",
        key=f"ready-{found.unit.id}",
    )
    day = right.date_input("On", today(), key=f"ready-on-{found.unit.id}", format="DD/MM/YYYY")
    _draw_answer(readiness(actor, found.unit.id, chosen[0], chosen[1], day))


def _draw_answer(told: Readiness) -> None:
    if told.ready:
        st.success(
            f"Yes: ready for {escape_markdown(told.product_code)} on {show_date(told.on)}.", icon=":material/task_alt:"
        )
    else:
        count = len(told.missing)
        st.error(f"Not yet: {count} {'thing is' if count == 1 else 'things are'} missing.", icon=":material/block:")
    for one in told.missing:
        file, icon = PAGES.get(one.kind, ("", "inventory_2"))
        if file:
            link(file, escape_markdown(one.words), icon, {"id": one.id})
        else:
            st.markdown(f":material/{icon}: {escape_markdown(one.words)}")
    for words in told.remarks:
        st.info(escape_markdown(words), icon=":material/info:")

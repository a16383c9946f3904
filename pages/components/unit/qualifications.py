"""A unit's qualifications (UC-04.02), as tabs of its page: what it stands for, applying, and whether it is ready."""

import streamlit as st

from models.units import UnitStatus
from pages.components.common.actions import attempt
from pages.components.common.date_field import draw_date
from pages.components.product.apply import APPLY
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


def draw_unit_qualifications(actor: Actor, details: UnitDetails) -> None:
    """Applications and qualifications of the unit; for its FSP, applying; for an SO, what a colleague has qualified."""
    lines = work_queue(actor, QualificationFilters(unit=(str(details.unit.id),)))
    if lines:
        draw_qualification_table(lines, ("Unit", "FSP"), key=f"of-unit-{details.unit.id}")
    else:
        st.info("No applications yet.", icon=":material/assignment:")
    if details.unit.status is not UnitStatus.ACTIVE:
        return
    if may(actor, "qualification.apply") and actor.organisation_id == details.unit.service_provider_id:
        _draw_apply(actor, preview_application(actor, details.unit.id))
    if may(actor, "qualification.assess"):
        draw_elsewhere(actor, details.unit.id)


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
    named = st.query_params.get(APPLY)
    if named in choices and f"{key}-products" not in st.session_state:
        st.session_state[f"{key}-products"] = [named]
    _show_applications(f"{key}-made")
    codes = st.multiselect(
        "Products",
        list(choices),
        format_func=lambda code: f"{code} · {choices[code].version.name}",
        key=f"{key}-products",
        placeholder="One or many",
    )
    missing = [words for code in codes for words in _draw_choice(choices[code])]
    if not codes:
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
        applications = apply_for_products(
            actor, unit.id, dict.fromkeys(codes, ()), version=unit.version, justification=why
        )
        st.session_state[f"{key}-made"] = [
            (qualification.id, qualification.product_code) for qualification in applications
        ]
        st.query_params.pop(APPLY, None)

    count = sum(len(choices[code].available_operators) for code in codes)
    st.button(
        f"Submit {count} application{'' if count == 1 else 's'}",
        type="primary",
        icon=":material/send:",
        key=f"{key}-do",
        on_click=attempt,
        args=(act, "Applied: the system operators are told.", f"{key}-products", f"{key}-why"),
    )


def _show_applications(key: str) -> None:
    """The applications that were just made, each a link."""
    for identifier, code in st.session_state.get(key, ()):
        words = f"**Applied for {escape_markdown(code)}**: open the application"
        link("market/application.py", words, "assignment", {"id": str(identifier)})


def _draw_choice(choice: Choice) -> list[str]:
    """Draw one product with the operators asked, its eligibility and gaps; returns the gaps in words."""
    names = ", ".join(
        operator.organisation_trading_name or operator.organisation_legal_name
        for operator in choice.available_operators
    )
    with st.container(border=True):
        eligibility = STANDING_LABELS[choice.verdict.eligibility] if choice.verdict else "Not known"
        st.markdown(
            f"**{escape_markdown(choice.version.code)}** goes to {escape_markdown(names)}. Indicatively: {eligibility}."
        )
        missing = [reason.words for reason in choice.verdict.unmet] if choice.verdict else []
        unknown = [reason.words for reason in choice.verdict.unknown] if choice.verdict else []
        for words in missing:
            st.markdown(f":orange[:material/warning:] {escape_markdown(words)}")
        for words in unknown:
            st.markdown(f":gray[:material/help:] {escape_markdown(words)}")
    return missing


def _draw_package(preview: Application) -> None:
    capability = preview.unit.capability
    with st.expander("What is handed in: the data package", icon=":material/inventory_2:"):
        st.markdown(
            f"The unit as it stands now, with all {capability.assets:,} assets and their technical data: "
            f"{format_kilowatts(capability.up)} up, {format_kilowatts(capability.down)} down. "
            "It is frozen: later changes don't alter it."
        )
        st.json(dict(preview.summary), expanded=False)


def draw_readiness(actor: Actor, details: UnitDetails) -> None:
    """Readiness of the unit to deliver a product to an SO on a day."""
    st.caption("Can this unit deliver a product to a system operator on a day? Yes, or everything that is missing.")
    lines = work_queue(actor, QualificationFilters(unit=(str(details.unit.id),)))
    pairs = {
        (line.qualification.product_code, line.qualification.addressed_to): line.operator
        for line in lines
        if not may(actor, "qualification.assess") or line.qualification.addressed_to == actor.organisation_id
    }
    if not pairs:
        st.info(
            "No applications yet: the unit isn't ready for any product.",
            icon=":material/block:",
        )
        return
    typed = draw_date("On", value=today(), key=f"ready-on-{details.unit.id}", width=240)
    if typed.day is None:
        return
    answers = [(readiness(actor, details.unit.id, *pair, typed.day), operator) for pair, operator in pairs.items()]
    ready = sum(answer.ready for answer, _operator in answers)
    st.markdown(f"**Ready for {ready} of {len(answers)} on {show_date(typed.day)}**")
    for answer, operator in sorted(answers, key=lambda pair: (not pair[0].ready, pair[0].product_code, pair[1])):
        _draw_answer(answer, operator)


def _draw_answer(answer: Readiness, operator: str) -> None:
    """One product and system operator: ready, or everything that is missing."""
    name = f"**{escape_markdown(answer.product_code)}** for {escape_markdown(operator)}"
    if answer.ready:
        st.success(f"{name}: ready", icon=":material/task_alt:")
    else:
        count = len(answer.missing)
        st.error(f"{name}: not ready, {count} issue{'' if count == 1 else 's'}", icon=":material/block:")
    for gap in answer.missing:
        file, icon = PAGES.get(gap.kind, ("", "inventory_2"))
        if file:
            link(file, escape_markdown(gap.words), icon, {"id": gap.id})
        else:
            st.markdown(f":material/{icon}: {escape_markdown(gap.words)}")
    for words in answer.remarks:
        st.info(escape_markdown(words), icon=":material/info:")

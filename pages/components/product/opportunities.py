"""Products with how a unit or some assets stand to them, reasons folded under each, and the list as a file (UC-04.03)."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Literal

import streamlit as st

from models.products import FAMILY_LABELS
from models.qualifications import QUALIFICATION_LABELS
from pages.components.common.asset_filters import accept_codes
from pages.components.common.downloads import draw_table_download
from pages.components.common.power import show_kw
from pages.components.product.apply import open_application
from pages.frame.markdown import escape_markdown
from pages.frame.navigation import link
from services.core.errors import RegisterError
from services.core.identity.actor import Actor
from services.core.identity.permissions import may
from services.market.eligibility.gap_closing import GapClosing, closing_set, closing_set_of_assets
from services.market.eligibility.opportunities import Opportunities, Opportunity
from services.market.eligibility.requirements import (
    REQUIREMENT_LABELS,
    STANDING_LABELS,
    EligibilityStanding,
    EligibilityVerdict,
    Requirement,
)

SHOWN = {
    "eligible": "Eligible",
    "nearly": "Nearly",
    "other": "In a unit of another family",
    "not": "Not eligible",
}
ICONS = {"eligible": "check_circle", "nearly": "timelapse", "other": "swap_horiz", "not": "block"}
RESULTS = {True: "✓ Met", False: "✗ Not met", None: "? Not known"}
INDICATIVE = (
    "Indicative: the register compares what is registered with what a product asks for; the system operator assesses. "
    "What is *not known* neither passes nor fails."
)


def find_section(verdict: EligibilityVerdict) -> str:
    """Section of the list in which a product stands: a key of `SHOWN`."""
    if verdict.eligibility is not EligibilityStanding.NOT:
        return verdict.eligibility.lower()
    return "not" if verdict.apart_from_family is EligibilityStanding.NOT else "other"


def draw_opportunities(actor: Actor, opportunities: Opportunities, key: str) -> None:
    """The numbers, the products by standing, and the file. `key` tells lists of one page apart."""
    _draw_flags(opportunities)
    kinds = {name: [item for item in opportunities.items if find_section(item.verdict) == name] for name in SHOWN}
    labels = {name: f":material/{ICONS[name]}: {label}" for name, label in SHOWN.items()}
    accept_codes("show", labels)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        selection = st.pills(
            "Show",
            list(labels),
            selection_mode="multi",
            default=[name for name in SHOWN if name != "not"],
            format_func=labels.__getitem__,
            key="show",
            bind="query-params",
            wrap=True,
        )
        draw_table_download(
            "Download CSV", csv_rows(opportunities.items), f"fmar-opportunities-{key}.csv", key=f"{key}-csv"
        )
    st.caption(" · ".join(f"{label}: **{len(kinds[name])}**" for name, label in SHOWN.items()))
    sections = [name for name in SHOWN if name in (selection or ())]
    if not any(kinds[name] for name in sections):
        st.info("No product stands like this. Choose another standing above.", icon=":material/filter_alt:")
    for name in sections:
        if kinds[name]:
            st.subheader(f"{SHOWN[name]} ({len(kinds[name])})", anchor=False)
        for item in kinds[name]:
            _draw_opportunity(actor, opportunities, item, key)
    st.caption(INDICATIVE)


def _draw_flags(opportunities: Opportunities) -> None:
    count = f"{opportunities.assets:,} {'asset' if opportunities.assets == 1 else 'assets'}"
    st.markdown(f"**{count}**: {show_kw(opportunities.up)} up, {show_kw(opportunities.down)} down")
    if opportunities.being_counted:
        st.info("Assets of the unit changed a moment ago: these figures are those from before.", icon=":material/sync:")
    if opportunities.primacy is not None:
        st.warning(f"**Primacy** (draft rule): {opportunities.primacy.words}", icon=":material/low_priority:")
    if opportunities.limit is not None:
        st.info(f"**Connection limit**: {escape_markdown(opportunities.limit.words)}", icon=":material/electric_meter:")


def _draw_opportunity(actor: Actor, opportunities: Opportunities, opportunity: Opportunity, key: str) -> None:
    version, verdict = opportunity.version, opportunity.verdict
    label = (
        f"**{escape_markdown(version.code)}** {escape_markdown(version.name)}: {escape_markdown(headline(opportunity))}"
    )
    with st.expander(label, icon=f":material/{ICONS[find_section(verdict)]}:"):
        if opportunity.holds is not None:
            status = QUALIFICATION_LABELS[opportunity.holds.status]
            st.badge(f"This unit's application: {status}", icon=":material/assignment:", color="blue")
        where = dict.fromkeys((FAMILY_LABELS[version.family], version.sub_market))
        buyers = f"bought by {', '.join(version.procurers)}"
        st.caption(escape_markdown(" · ".join([*where, buyers, f"version {version.product_version}"])))
        st.table(
            [
                {
                    "Requirement": REQUIREMENT_LABELS[reason.requirement],
                    "Result": RESULTS[reason.met],
                    "In words": escape_markdown(reason.words),
                }
                for reason in sorted(verdict.reasons, key=lambda reason: (reason.met is not False, reason.met is True))
            ],
            border="horizontal",
            hide_index=True,
        )
        for way in opportunity.through:
            st.markdown(f":material/moving: {escape_markdown(way.words)}")
        for other in opportunity.beside:
            st.markdown(f":material/layers: {escape_markdown(other.words)}")
        unit = opportunities.unit
        if unit is not None and opportunity.holds is None and _may_apply(actor, opportunities):
            kind: Literal["primary", "secondary"] = "secondary" if verdict.unmet else "primary"
            if st.button(
                f"Apply for {version.code}", type=kind, icon=":material/send:", key=f"{key}-apply-{version.code}"
            ):
                open_application(unit.id, version.code)
        link("market/product.py", f"The product {version.code}", "inventory_2", {"code": version.code})
        short = any(
            reason.requirement is Requirement.MIN_CAPACITY and reason.met is False for reason in verdict.reasons
        )
        if short and _may_complete(actor, opportunities):
            _draw_closing(actor, opportunities, version.code, key)


def _may_complete(actor: Actor, opportunities: Opportunities) -> bool:
    """Test whether the actor may fill it up: a unit of its own; of assets, the register says so when it is asked."""
    unit = opportunities.unit
    return may(actor, "unit.manage") and (unit is None or unit.service_provider_id == actor.organisation_id)


def _may_apply(actor: Actor, opportunities: Opportunities) -> bool:
    """Test whether the actor may apply with the unit."""
    unit = opportunities.unit
    return unit is not None and unit.service_provider_id == actor.organisation_id and may(actor, "qualification.apply")


def _draw_closing(actor: Actor, opportunities: Opportunities, code: str, key: str) -> None:
    asked = f"{key}-closing-{code}"
    if st.button("Which of my free assets would close the gap?", icon=":material/add_circle:", key=f"{asked}-ask"):
        st.session_state[asked] = True
    if not st.session_state.get(asked):
        return
    try:
        if opportunities.unit is not None:
            say_closing(closing_set(actor, opportunities.unit.id, code), "The unit")
        else:
            say_closing(closing_set_of_assets(actor, opportunities.selection, code), "A unit of these assets")
    except RegisterError as refused:
        st.error(escape_markdown(refused.message))


def say_closing(closing: GapClosing, what: str) -> None:
    """Show the effect of adding assets, with the assets."""
    message = st.success if closing.closes else st.info
    message(escape_markdown(closing.words), icon=":material/add_circle:" if closing.assets else ":material/info:")
    if closing.after is not None:
        st.markdown(f"{what} would then be: **{STANDING_LABELS[closing.after.eligibility]}**.")
        for reason in closing.after.unmet:
            st.markdown(f"- {escape_markdown(reason.words)}")
    for codes, words in ((closing.gained, "Also eligible then"), (closing.lost, "No longer eligible then")):
        if codes:
            st.markdown(f"{words}: {escape_markdown(', '.join(codes))}.")
    for asset in closing.assets[:20]:
        label = f"{escape_markdown(asset.name)} adds {show_kw(asset.adds)}"
        link("assets/asset.py", label, "bolt", {"id": str(asset.asset_id)})
    if len(closing.assets) > 20:
        st.caption(f"The 20 largest of {len(closing.assets):,} are shown.")


def headline(opportunity: Opportunity) -> str:
    """Headline of a product: how much is missing, or that nothing known is."""
    unmet, unknown = opportunity.verdict.unmet, opportunity.verdict.unknown
    kind = find_section(opportunity.verdict)
    if kind == "other":
        return f"the assets would be {STANDING_LABELS[opportunity.verdict.apart_from_family].lower()} there"
    if not unmet:
        silent = [reason for reason in unknown if reason.requirement is not Requirement.METERING]
        return f"eligible, {len(silent)} not known" if silent else "eligible"
    first = unmet[-1] if kind == "nearly" else unmet[0]
    more = f" (and {len(unmet) - 1} more)" if len(unmet) > 1 else ""
    return f"{first.words.rstrip('.')}{more}"


def csv_rows(items: Sequence[Opportunity]) -> list[dict[str, object]]:
    """A row for each product and requirement, by ontology terms."""
    return [
        {
            "ProductCode": item.version.code,
            "ProductVersion": item.version.product_version,
            "ProductName": item.version.name,
            "Standing": str(item.verdict.eligibility),
            "StandingApartFromFamily": str(item.verdict.apart_from_family),
            "Requirement": str(reason.requirement),
            "Needs": reason.needs,
            "Has": reason.has,
            "ShortBy": reason.short_by if isinstance(reason.short_by, Decimal) else "",
            "Met": {True: "yes", False: "no", None: "not known"}[reason.met],
            "Words": reason.words,
        }
        for item in items
        for reason in item.verdict.reasons
    ]

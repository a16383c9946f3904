"""Applications for products (UC-04.02): a preview, then a frozen data package addressed to the right SOs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlmodel import col

from models.assets import STATUS_LABELS, Asset, AssetStatus
from models.events import EventType
from models.participants import Organisation
from models.products import ProductVersion
from models.qualifications import QUALIFICATION_LABELS, DataPackage, Qualification, QualificationStatus
from models.units import MarketUnit, UnitMember, UnitStatus
from services.assets.registration.parties import active_parties, require_provider
from services.core.clock import now, today
from services.core.errors import Blocker, Finding, Invalid, Refused, Severity
from services.core.identity.actor import Actor
from services.core.identity.visibility import reach
from services.core.operation import operation
from services.core.transaction import current_session
from services.market.eligibility.verdicts import EligibilityVerdict, judge_unit
from services.market.products.catalogue import list_offered_versions
from services.market.products.procurers import find_operators
from services.market.qualification import sla_clock
from services.market.qualification.data_package import freeze_package, product_capacity, summarise_unit, unit_gsp_group
from services.market.qualification.lifecycle import emit_for_qualification, find_qualifications_of_unit, record_step
from services.market.qualification.reason_codes import MAX_LENGTH, clean_text
from services.market.units.units import UnitDetails, load_details, version_conflict

MIN_JUSTIFICATION = 10
MAX_ASSETS_NAMED = 10
MAX_PRODUCTS = 50


@dataclass(frozen=True, slots=True)
class Choice:
    """A product that the unit may apply for: its verdict, the SOs that would be asked, and applications that exist."""

    version: ProductVersion
    verdict: EligibilityVerdict | None
    operators: Sequence[Organisation]
    """The buyers where the unit is; an application goes to each of them."""
    existing: Mapping[UUID, Qualification]
    """By SO: applications and qualifications of the unit for the product that haven't ended."""

    @property
    def available_operators(self) -> list[Organisation]:
        """The SOs with which the unit has no application or qualification for it."""
        return [operator for operator in self.operators if operator.id not in self.existing]


@dataclass(frozen=True, slots=True)
class Application:
    """A preview of an application: the data package without its assets, the choices, and the blockers."""

    unit: UnitDetails
    summary: Mapping[str, Any]
    choices: Sequence[Choice]
    blockers: Sequence[Blocker]


@operation("UC-04.02", permission="qualification.apply", writes=False, name="preview_application")
def preview_application(actor: Actor, unit_id: UUID) -> Application:
    """Preview an application: every product of the unit's family that is offered today, with verdict and SOs.

    Raises NotFound when the unit is unseen, Forbidden when it is another provider's.
    """
    unit = reach(MarketUnit, actor, unit_id, "qualification.apply", lock=False)
    details = load_details(unit)
    return Application(
        details, summarise_unit(details), list(_collect_choices(details).values()), _find_blockers(actor, unit)
    )


def _collect_choices(details: UnitDetails) -> dict[str, Choice]:
    """Collect the products offered in the unit's family, by code."""
    unit = details.unit
    verdicts = {verdict.product_code: verdict for verdict in judge_unit(unit.id)}
    areas = {area.dno_code for area in details.areas if area.dno_code}
    existing: dict[str, dict[UUID, Qualification]] = {}
    for qualification in find_qualifications_of_unit(unit.id):
        existing.setdefault(qualification.product_code, {})[qualification.addressed_to] = qualification
    return {
        version.code: Choice(
            version, verdicts.get(version.code), find_operators(version, areas), existing.get(version.code, {})
        )
        for version in list_offered_versions(today())
        if version.family is unit.family
    }


def _find_blockers(actor: Actor, unit: MarketUnit) -> list[Blocker]:
    """Find the blockers of an application in provider, unit and assets (the entity side of qualification)."""
    blockers: list[Blocker] = []
    if str(unit.service_provider_id) not in active_parties(unit.service_provider_id):
        label = actor.organisation_name or "The provider"
        action = "The FMAR administrator has to approve it first"
        blockers.append(Blocker("organisation", str(unit.service_provider_id), f"{label} isn't active", action))
    if unit.status is not UnitStatus.ACTIVE:
        blockers.append(Blocker("market_unit", str(unit.id), f"{unit.name} is de-registered", "Build a new unit"))
    return blockers + find_unverified_assets(unit.id)


def find_unverified_assets(unit_id: UUID) -> list[Blocker]:
    """Find the assets of a unit that aren't Verified: at most ten, and the number of further ones; inside an operation."""
    member_ids = select(col(UnitMember.asset_id)).where(
        col(UnitMember.unit_id) == unit_id, col(UnitMember.until_at).is_(None)
    )
    lacking = (col(Asset.id).in_(member_ids), col(Asset.status) != AssetStatus.VERIFIED)
    session = current_session()
    count = session.scalar(select(func.count(col(Asset.id))).where(*lacking)) or 0
    if not count:
        return []
    assets = session.scalars(select(Asset).where(*lacking).order_by(col(Asset.id)).limit(MAX_ASSETS_NAMED))
    blockers = [
        Blocker(
            "asset",
            str(asset.id),
            f"{asset.asset_name} is {STATUS_LABELS[asset.status]}",
            "See to it that it is Verified, or take it out of the unit",
        )
        for asset in assets
    ]
    if count > MAX_ASSETS_NAMED:
        action = "The list of assets, filtered by the unit, names them"
        blockers.append(
            Blocker("market_unit", str(unit_id), f"{count - MAX_ASSETS_NAMED:,} more assets aren't Verified", action)
        )
    return blockers


@operation("UC-04.02", permission="qualification.apply", name="apply_for_products")
def apply_for_products(
    actor: Actor,
    unit_id: UUID,
    products: Mapping[str, Sequence[UUID]],
    *,
    version: int,
    justification: str | None = None,
) -> list[Qualification]:
    """Apply for one or many products at once, from the version of the unit that was previewed.

    `products`: product code -> the SOs to ask (empty: all that buy it where the unit is). One data package is frozen and
    shared by the applications. Raises Conflict when the unit has changed, Invalid with every finding (warnings of unmet
    requirements go through with a `justification` of 10 characters or more), Refused with the blockers in unit,
    organisation or assets.
    """
    unit = reach(MarketUnit, actor, unit_id, "qualification.apply")
    if unit.version != version:
        raise version_conflict(unit, version)
    require_provider(actor, active_parties(unit.service_provider_id))
    blockers = _find_blockers(actor, unit)
    if blockers:
        raise Refused("The unit can't apply as it stands. Settle these first.", blockers)
    details = load_details(unit)
    selected, findings = _select_applications(_collect_choices(details), products)
    reason = clean_text(justification or "") or None
    _require_acceptable(findings, reason)
    package = freeze_package(unit)
    applications = [
        _build_qualification(details, choice.version, operator, package, reason)
        for choice, operators in selected
        for operator in operators
    ]
    current_session().add_all(applications)
    current_session().flush()
    for application in applications:
        record_step(application, None, None)
        emit_for_qualification(
            EventType.QUALIFICATION_SUBMITTED, application, {"by": actor.name, "due_on": str(application.due_on)}
        )
    return applications


def _require_acceptable(findings: Sequence[Finding], justification: str | None) -> None:
    """Raise Invalid for errors, for warnings without a justification, and for a justification that is too long."""
    enough = justification is not None and MIN_JUSTIFICATION <= len(justification) <= MAX_LENGTH
    if any(finding.severity is Severity.ERROR for finding in findings) or (findings and not enough):
        raise Invalid(findings)
    if justification is not None and len(justification) > MAX_LENGTH:
        expected = f"At most {MAX_LENGTH:,} characters"
        raise Invalid([Finding("APPLY-06", "Justification", None, expected, f"The justification: {expected.lower()}.")])


def _select_applications(
    choices: Mapping[str, Choice], products: Mapping[str, Sequence[UUID]]
) -> tuple[list[tuple[Choice, list[Organisation]]], list[Finding]]:
    """Select the choices with the SOs to ask; return them with every finding."""
    findings: list[Finding] = []
    selected: list[tuple[Choice, list[Organisation]]] = []
    if not 1 <= len(products) <= MAX_PRODUCTS:
        expected = f"1 to {MAX_PRODUCTS} products"
        findings.append(Finding("APPLY-00", "Products", str(len(products)), expected, f"Choose {expected}."))
    for code, operator_ids in products.items():
        choice = choices.get(code)
        if choice is None:
            expected = f"One of {', '.join(choices) or 'none: nothing is offered in the family of this unit'}"
            words = f"{code} is not offered today to units of this family."
            findings.append(Finding("APPLY-01", "ProductCode", code, expected, words))
            continue
        operators, operator_findings = _select_operators(choice, operator_ids)
        findings += operator_findings
        selected.append((choice, operators))
        findings += _find_unmet(choice)
    return selected, findings


def _select_operators(choice: Choice, operator_ids: Sequence[UUID]) -> tuple[list[Organisation], list[Finding]]:
    """Select the SOs that an application for one product goes to; return them with findings."""
    code = choice.version.code
    buyers = {operator.id: operator for operator in choice.operators}
    findings = [
        Finding(
            "APPLY-02",
            "AddressedTo",
            str(operator_id),
            f"One of {', '.join(buyer.organisation_legal_name for buyer in buyers.values()) or 'none'}",
            f"This system operator doesn't buy {code} where the unit's assets are.",
        )
        for operator_id in operator_ids
        if operator_id not in buyers
    ]
    if not buyers:
        words = f"No system operator that takes part in the register buys {code} where the unit's assets are."
        findings.append(Finding("APPLY-03", "ProductCode", code, "A product that is bought there", words))
    existing = choice.existing
    if not operator_ids:
        existing = {buyer: existing[buyer] for buyer in buyers if buyer in existing}
    for operator_id in operator_ids or buyers:
        if operator_id in existing and (operator_ids or len(existing) == len(buyers)):
            status = QUALIFICATION_LABELS[existing[operator_id].status]
            name = buyers[operator_id].organisation_legal_name if operator_id in buyers else str(operator_id)
            words = f"The unit stands at {name} for {code} already: {status}. Open that application instead."
            findings.append(Finding("APPLY-04", "ProductCode", code, "A product it hasn't applied for", words))
    selected = [buyers[identifier] for identifier in dict.fromkeys(operator_ids) if identifier in buyers]
    operators = selected if operator_ids else choice.available_operators
    return [operator for operator in operators if operator.id not in choice.existing], findings


def _find_unmet(choice: Choice) -> list[Finding]:
    """Find the unmet requirements of a choice: a warning each, to be justified; one that isn't known is none."""
    if choice.verdict is None or not choice.operators:
        return []
    return [
        Finding(
            f"APPLY-{reason.requirement}",
            "ProductCode",
            choice.version.code,
            reason.needs,
            f"{choice.version.code}: {reason.words}",
            Severity.WARNING,
        )
        for reason in choice.verdict.unmet
    ]


def _build_qualification(
    details: UnitDetails, version: ProductVersion, operator: Organisation, package: DataPackage, reason: str | None
) -> Qualification:
    moment = now()
    qualification = Qualification(
        unit_id=details.unit.id,
        service_provider_id=details.unit.service_provider_id,
        product_code=version.code,
        product_version=version.product_version,
        family=version.family,
        addressed_to=operator.id,
        status=QualificationStatus.SUBMITTED,
        status_since=moment,
        submitted_at=moment,
        capacity=product_capacity(details, version),
        gsp_group=unit_gsp_group(details),
        package_id=package.id,
        justification=reason,
    )
    sla_clock.restart(qualification)
    return qualification

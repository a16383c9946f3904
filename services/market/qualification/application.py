"""Applying for products (UC-04.02): what an application says is previewed, then frozen and addressed to the right SOs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlmodel import col

from models.assets import STATUS_LABELS, Asset, AssetStatus
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
from services.market.eligibility.opportunities import verdicts_of
from services.market.eligibility.verdicts import Verdict
from services.market.products.catalogue import offered_on
from services.market.products.procurers import operators_for
from services.market.qualification import sla_clock as qualification_clock
from services.market.qualification.data_package import capacity_for, freeze, group_of, summary_of
from services.market.qualification.lifecycle import emit_for_qualification, note_step, standing_of_unit
from services.market.qualification.reason_codes import LONGEST, said
from services.market.units.units import WholeUnit, conflict, whole

APPLIED = "qualification.submitted"
FEWEST_JUSTIFICATION = 10
NAMED = 10
MOST_PRODUCTS = 50


@dataclass(frozen=True, slots=True)
class Choice:
    """One product that may be applied for: who would be asked, how the unit stands to it, and where it stands already."""

    version: ProductVersion
    verdict: Verdict | None
    operators: Sequence[Organisation]
    """Who buys it where the unit is; an application goes to each of them."""
    standing: Mapping[UUID, Qualification]
    """By SO: applications and qualifications of the unit for the product that haven't ended."""

    @property
    def open_to(self) -> list[Organisation]:
        """The SOs at which the unit doesn't stand already."""
        return [one for one in self.operators if one.id not in self.standing]


@dataclass(frozen=True, slots=True)
class Application:
    """What applying would hand in: the package without its assets, the choices, and what stands in the way."""

    unit: WholeUnit
    summary: Mapping[str, Any]
    choices: Sequence[Choice]
    blockers: Sequence[Blocker]


@operation("UC-04.02", permission="qualification.apply", writes=False, name="preview_application")
def preview_application(actor: Actor, unit_id: UUID) -> Application:
    """Every product of the unit's family that is offered today, with what an application would say.

    NotFound when the unit is unseen, Forbidden when it is another provider's.
    """
    unit = reach(MarketUnit, actor, unit_id, "qualification.apply", lock=False)
    stands = whole(unit)
    return Application(stands, summary_of(stands), list(_choices(stands).values()), _blockers(actor, unit))


def _choices(stands: WholeUnit) -> dict[str, Choice]:
    """By product code."""
    unit = stands.unit
    verdicts = {one.product_code: one for one in verdicts_of(unit.id)}
    areas = {area.dno_code for area in stands.areas if area.dno_code}
    held: dict[str, dict[UUID, Qualification]] = {}
    for one in standing_of_unit(unit.id):
        held.setdefault(one.product_code, {})[one.addressed_to] = one
    return {
        version.code: Choice(
            version, verdicts.get(version.code), operators_for(version, areas), held.get(version.code, {})
        )
        for version in offered_on(today())
        if version.family is unit.family
    }


def _blockers(actor: Actor, unit: MarketUnit) -> list[Blocker]:
    """What of unit, organisation and assets isn't as it has to be before anybody is asked (the entity side)."""
    found: list[Blocker] = []
    if str(unit.service_provider_id) not in active_parties(unit.service_provider_id):
        label = actor.organisation_name or "The provider"
        action = "The FMAR administrator has to approve it first"
        found.append(Blocker("organisation", str(unit.service_provider_id), f"{label} isn't active", action))
    if unit.status is not UnitStatus.ACTIVE:
        found.append(Blocker("market_unit", str(unit.id), f"{unit.name} is de-registered", "Build a new unit"))
    return found + unverified(unit.id)


def unverified(unit_id: UUID) -> list[Blocker]:
    """The assets of a unit that aren't Verified, at most ten of them, and how many more; inside an operation."""
    inside = select(col(UnitMember.asset_id)).where(
        col(UnitMember.unit_id) == unit_id, col(UnitMember.until_at).is_(None)
    )
    lacking = (col(Asset.id).in_(inside), col(Asset.status) != AssetStatus.VERIFIED)
    session = current_session()
    count = session.scalar(select(func.count(col(Asset.id))).where(*lacking)) or 0
    if not count:
        return []
    some = session.scalars(select(Asset).where(*lacking).order_by(col(Asset.id)).limit(NAMED))
    found = [
        Blocker(
            "asset",
            str(asset.id),
            f"{asset.asset_name} is {STATUS_LABELS[asset.status]}",
            "See to it that it is Verified, or take it out of the unit",
        )
        for asset in some
    ]
    if count > NAMED:
        action = "The list of assets, filtered by the unit, names them"
        found.append(Blocker("market_unit", str(unit_id), f"{count - NAMED:,} more assets aren't Verified", action))
    return found


@operation("UC-04.02", permission="qualification.apply", name="apply_for_products")
def apply_for_products(
    actor: Actor,
    unit_id: UUID,
    products: Mapping[str, Sequence[UUID]],
    *,
    version: int,
    justification: str | None = None,
) -> list[Qualification]:
    """Apply for one or many products at once, from the version of the unit that was previewed; the applications made.

    `products`: product code -> the SOs to ask (empty: all that buy it where the unit is). One data package is frozen and
    shared by them. Raises Conflict when the unit has changed, Invalid with every finding (what the register finds missing
    goes through with a `justification` of 10 characters or more), Refused with what of unit, organisation or assets is
    in the way.
    """
    unit = reach(MarketUnit, actor, unit_id, "qualification.apply")
    if unit.version != version:
        raise conflict(unit, version)
    require_provider(actor, active_parties(unit.service_provider_id))
    blockers = _blockers(actor, unit)
    if blockers:
        raise Refused("The unit can't apply as it stands. Settle these first.", blockers)
    stands = whole(unit)
    wanted, findings = _wanted(_choices(stands), products)
    why = said(justification or "") or None
    _require(findings, why)
    package = freeze(unit)
    made = [
        _made(stands, choice.version, operator, package, why) for choice, operators in wanted for operator in operators
    ]
    current_session().add_all(made)
    current_session().flush()
    for one in made:
        note_step(one, None, None)
        emit_for_qualification(APPLIED, one, {"by": actor.name, "due_on": str(one.due_on)})
    return made


def _require(findings: Sequence[Finding], justification: str | None) -> None:
    """Raise Invalid for errors, and for warnings without a justification."""
    enough = justification is not None and FEWEST_JUSTIFICATION <= len(justification) <= LONGEST
    if any(one.severity is Severity.ERROR for one in findings) or (findings and not enough):
        raise Invalid(findings)
    if justification is not None and len(justification) > LONGEST:
        expected = f"At most {LONGEST:,} characters"
        raise Invalid([Finding("APPLY-06", "Justification", None, expected, f"The justification: {expected.lower()}.")])


def _wanted(
    choices: Mapping[str, Choice], products: Mapping[str, Sequence[UUID]]
) -> tuple[list[tuple[Choice, list[Organisation]]], list[Finding]]:
    """The choices with the SOs to ask, and everything that is wrong or missing."""
    found: list[Finding] = []
    wanted: list[tuple[Choice, list[Organisation]]] = []
    if not 1 <= len(products) <= MOST_PRODUCTS:
        expected = f"1 to {MOST_PRODUCTS} products"
        found.append(Finding("APPLY-00", "Products", str(len(products)), expected, f"Choose {expected}."))
    for code, asked in products.items():
        choice = choices.get(code)
        if choice is None:
            expected = f"One of {', '.join(choices) or 'none: nothing is offered in the family of this unit'}"
            words = f"{code} is not offered today to units of this family."
            found.append(Finding("APPLY-01", "ProductCode", code, expected, words))
            continue
        operators, wrong = _asked(choice, asked)
        found += wrong
        wanted.append((choice, operators))
        found += _missing(choice)
    return wanted, found


def _asked(choice: Choice, asked: Sequence[UUID]) -> tuple[list[Organisation], list[Finding]]:
    """The SOs that an application for one product goes to, and what is wrong with that."""
    code = choice.version.code
    buyers = {one.id: one for one in choice.operators}
    found = [
        Finding(
            "APPLY-02",
            "AddressedTo",
            str(one),
            f"One of {', '.join(b.organisation_legal_name for b in buyers.values()) or 'none'}",
            f"This system operator doesn't buy {code} where the unit's assets are.",
        )
        for one in asked
        if one not in buyers
    ]
    if not buyers:
        words = f"No system operator that takes part in the register buys {code} where the unit's assets are."
        found.append(Finding("APPLY-03", "ProductCode", code, "A product that is bought there", words))
    there = choice.standing if asked else {one: choice.standing[one] for one in buyers if one in choice.standing}
    for operator in asked or buyers:
        if operator in there and (asked or len(there) == len(buyers)):
            stands = QUALIFICATION_LABELS[there[operator].status]
            name = buyers[operator].organisation_legal_name if operator in buyers else str(operator)
            words = f"The unit stands at {name} for {code} already: {stands}. Open that application instead."
            found.append(Finding("APPLY-04", "ProductCode", code, "A product it hasn't applied for", words))
    chosen = [buyers[one] for one in dict.fromkeys(asked) if one in buyers] if asked else choice.open_to
    return [one for one in chosen if one.id not in choice.standing], found


def _missing(choice: Choice) -> list[Finding]:
    """What the register finds missing: a warning each, to be justified; what it doesn't know is none."""
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


def _made(
    stands: WholeUnit, version: ProductVersion, operator: Organisation, package: DataPackage, why: str | None
) -> Qualification:
    moment = now()
    made = Qualification(
        unit_id=stands.unit.id,
        service_provider_id=stands.unit.service_provider_id,
        product_code=version.code,
        product_version=version.product_version,
        family=version.family,
        addressed_to=operator.id,
        status=QualificationStatus.SUBMITTED,
        status_since=moment,
        submitted_at=moment,
        capacity=capacity_for(stands, version),
        gsp_group=group_of(stands),
        package_id=package.id,
        justification=why,
    )
    qualification_clock.restart(made)
    return made

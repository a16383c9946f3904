"""Readiness of a unit to deliver a product to an SO on a day (UC-04.02): yes, or everything that is missing."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlmodel import col

from models.assets import STATUS_LABELS, Asset, AssetStatus
from models.participants import Organisation, OrganisationStatus
from models.products import ProductVersion
from models.qualifications import QUALIFICATION_LABELS, Qualification, QualificationStatus
from models.units import MarketUnit, UnitMember, UnitStatus
from services.core.clock import show_date, start_of, today
from services.core.errors import Finding, Forbidden, Invalid
from services.core.identity.actor import Actor
from services.core.identity.permissions import Scope, scopes_of
from services.core.identity.visibility import see, visible
from services.core.operation import operation
from services.core.transaction import current_session
from services.market.products.catalogue import find_newest_version, find_version, has_ended, load_catalogue
from services.market.products.procurers import find_operators
from services.market.qualification.lifecycle import NOT_ENDED
from services.market.qualification.service_windows import list_window_remarks
from services.market.units.connection_limits import limits_of
from services.market.units.units import format_kilowatts, load_details

NO_CONSENT = (AssetStatus.SUSPENDED_CONSENT_REVOKED, AssetStatus.AWAITING_CONSENT_CHECK, AssetStatus.REFUSED_NO_CONSENT)
MAX_ASSETS_NAMED = 5
ONE_DAY = timedelta(days=1)
MAX_DISTANCE = timedelta(days=3660)


@dataclass(frozen=True, slots=True)
class MissingRequirement:
    """One missing requirement: a code, words, and the record to go to."""

    code: str
    words: str
    kind: str
    id: str


@dataclass(frozen=True, slots=True)
class Readiness:
    """Readiness of one unit for a product, SO and day. `remarks` block nothing, but are worth knowing."""

    unit_id: UUID
    product_code: str
    addressed_to: UUID
    on: date
    missing: Sequence[MissingRequirement]
    remarks: Sequence[str]

    @property
    def ready(self) -> bool:
        """True when the unit can deliver."""
        return not self.missing


@operation("UC-04.02", permission="unit.read", writes=False, name="readiness")
def readiness(actor: Actor, unit_id: UUID, product_code: str, operator_id: UUID, day: date | None = None) -> Readiness:
    """Check the readiness of a unit to deliver a product to an SO on a day (today when None).

    Organisation active, unit active, memberships covering the day, assets Verified with consent and effective, limits kept,
    qualification valid on the day and not suspended. An approval stands while it is assessed again. Raises NotFound for a
    unit that the actor may not see, Forbidden where one SO asks about another, Invalid for a day out of range.
    """
    on = day or today()
    if not today() - MAX_DISTANCE <= on <= today() + MAX_DISTANCE:
        expected = f"a day within {MAX_DISTANCE.days} days of today"
        raise Invalid([Finding("READY-01", "Date", str(on), expected, f"Ask about {expected}.")])
    unit = see(MarketUnit, actor, unit_id)
    product = find_newest_version(product_code)
    scopes = scopes_of(actor, "qualification.read")
    if scopes == {Scope.AREA} and operator_id != actor.organisation_id:
        raise Forbidden("A system operator asks about itself: what stands at a colleague is the colleague's to say.")
    qualification = _find_qualification(unit_id, product_code, operator_id)
    version = find_version(product_code, qualification.product_version) if qualification else product
    remarks: list[str] = []
    missing = [
        *_check_parties(unit, version, operator_id, on),
        *_check_assets(actor, unit, on),
        *_check_limits(unit, version),
        *_check_qualification(unit, product_code, qualification, on, remarks),
    ]
    return Readiness(unit_id, product_code, operator_id, on, missing, remarks)


def _find_qualification(unit_id: UUID, product_code: str, operator_id: UUID) -> Qualification | None:
    """Find the unit's newest application for the product at the SO; one that hasn't ended before one that has."""
    query = select(Qualification).where(
        col(Qualification.unit_id) == unit_id,
        col(Qualification.product_code) == product_code,
        col(Qualification.addressed_to) == operator_id,
    )
    order = (col(Qualification.status).in_(NOT_ENDED).desc(), col(Qualification.id).desc())
    return current_session().scalar(query.order_by(*order).limit(1))


def _check_parties(
    unit: MarketUnit, version: ProductVersion, operator_id: UUID, on: date
) -> Iterator[MissingRequirement]:
    for identifier, role in ((unit.service_provider_id, "The provider"), (operator_id, "The system operator")):
        party = current_session().get(Organisation, identifier)
        if party is None or party.organisation_status is not OrganisationStatus.ACTIVE:
            name = party.organisation_legal_name if party else "No such organisation"
            yield MissingRequirement("ORGANISATION", f"{role} isn't active: {name}.", "organisation", str(identifier))
    if unit.status is not UnitStatus.ACTIVE:
        yield MissingRequirement(
            "UNIT",
            f"The unit is de-registered: {unit.status_reason or 'no reason given'}.",
            "market_unit",
            str(unit.id),
        )
    areas = {area.dno_code for area in load_details(unit).areas if area.dno_code}
    if operator_id not in {operator.id for operator in find_operators(version, areas)}:
        words = f"The system operator doesn't buy {version.code} where the unit's assets are."
        yield MissingRequirement("OPERATOR", words, "product", version.code)
    product = load_catalogue().products[version.code]
    if has_ended(product, on):
        words = f"{version.code} is offered no longer from {show_date(product.deprecated_from)}."
        yield MissingRequirement("PRODUCT", words, "product", version.code)


def _members_on(unit: MarketUnit, on: date) -> Any:
    """Query the assets in the unit on the whole of a day; those in it now are taken to stay."""
    begin, end = start_of(on), start_of(on + ONE_DAY)
    since = end if on >= today() else begin
    return select(col(UnitMember.asset_id)).where(
        col(UnitMember.unit_id) == unit.id,
        col(UnitMember.from_at) <= since,
        or_(col(UnitMember.until_at).is_(None), col(UnitMember.until_at) >= end),
    )


def _check_assets(actor: Actor, unit: MarketUnit, on: date) -> Iterator[MissingRequirement]:
    session = current_session()
    inside = col(Asset.id).in_(_members_on(unit, on))
    if not session.scalar(select(func.count(col(Asset.id))).where(inside)):
        words = f"No asset is in the unit on the whole of {show_date(on)}."
        yield MissingRequirement("MEMBERSHIP", words, "market_unit", str(unit.id))
    lacking = (
        ("CONSENT", col(Asset.status).in_(NO_CONSENT), "the consumer's consent is missing"),
        ("VERIFIED", col(Asset.status).not_in((AssetStatus.VERIFIED, *NO_CONSENT)), "not Verified"),
        ("EFFECTIVE", col(Asset.effective_date) > on, f"not effective yet on {show_date(on)}"),
    )
    for code, condition, words in lacking:
        count = session.scalar(select(func.count(col(Asset.id))).where(inside, condition)) or 0
        if not count:
            continue
        query = (
            select(Asset)
            .where(inside, condition, visible(Asset, actor))
            .order_by(col(Asset.id))
            .limit(MAX_ASSETS_NAMED)
        )
        assets = list(session.scalars(query))
        for asset in assets:
            yield MissingRequirement(
                code, f"{asset.asset_name} is {STATUS_LABELS[asset.status]}: {words}.", "asset", str(asset.id)
            )
        if unnamed := count - len(assets):
            further = f"{unnamed:,} {'more ' if assets else ''}asset{'' if unnamed == 1 else 's'}"
            yield MissingRequirement(code, f"{further} of the unit: {words}.", "market_unit", str(unit.id))


def _check_limits(unit: MarketUnit, version: ProductVersion) -> Iterator[MissingRequirement]:
    limit = limits_of([unit.id]).get(unit.id)
    if limit is None or unit.status is not UnitStatus.ACTIVE:
        return
    capability = load_details(unit).capability
    for allowed, way, offered in ((limit.export_kw, "up", capability.up), (limit.import_kw, "down", capability.down)):
        if allowed is not None and version.direction in (way, "both") and allowed < offered:
            powers = f"{format_kilowatts(allowed)} lies under the {format_kilowatts(offered)} offered"
            words = f"A connection limit of {powers}: {limit.words}."
            yield MissingRequirement("LIMIT", words, "market_unit", str(unit.id))


def _check_qualification(
    unit: MarketUnit, product_code: str, qualification: Qualification | None, on: date, remarks: list[str]
) -> Iterator[MissingRequirement]:
    if qualification is None:
        words = f"The unit hasn't applied for {product_code} there."
        yield MissingRequirement("QUALIFICATION", words, "market_unit", str(unit.id))
        return
    label = QUALIFICATION_LABELS[qualification.status]
    record = ("qualification", str(qualification.id))
    if qualification.status is QualificationStatus.SUSPENDED:
        yield MissingRequirement(
            "SUSPENDED", f"It is suspended: {qualification.status_reason or qualification.reason_code}.", *record
        )
    if qualification.qualified_at is None or qualification.valid_from is None or qualification.valid_until is None:
        yield MissingRequirement("QUALIFICATION", f"The application is {label}: nothing is approved.", *record)
        return
    if not qualification.valid_from <= on <= qualification.valid_until:
        period = f"from {show_date(qualification.valid_from)} to {show_date(qualification.valid_until)}"
        yield MissingRequirement("VALIDITY", f"The qualification is valid {period}, not on {show_date(on)}.", *record)
    if qualification.status not in (QualificationStatus.QUALIFIED, QualificationStatus.SUSPENDED):
        remarks.append(f"It is {label}: the approval stands until the system operator has decided anew.")
    if qualification.conditions:
        remarks.append(f"Conditions: {qualification.conditions}")
    remarks += list_window_remarks(qualification.id, start_of(on), start_of(on + ONE_DAY))

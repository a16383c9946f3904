"""Readiness (UC-04.02): can this unit deliver this product to this SO on this day? Yes, or everything that is missing."""

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
from services.market.products.catalogue import ended, newest_of, version_of, whole_catalogue
from services.market.products.procurers import operators_for
from services.market.qualification.lifecycle import STANDING
from services.market.qualification.service_windows import window_remarks
from services.market.units.connection_limits import limits_of
from services.market.units.units import kilowatts, whole

NO_CONSENT = (AssetStatus.SUSPENDED_CONSENT_REVOKED, AssetStatus.AWAITING_CONSENT_CHECK, AssetStatus.REFUSED_NO_CONSENT)
NAMED = 5
ONE_DAY = timedelta(days=1)
FURTHEST = timedelta(days=3660)


@dataclass(frozen=True, slots=True)
class Lack:
    """One thing that is missing: a code, words, and the record to go to."""

    code: str
    words: str
    kind: str
    id: str


@dataclass(frozen=True, slots=True)
class Readiness:
    """The answer for one unit, product, SO and day. `remarks` don't stand in the way, but are worth knowing."""

    unit_id: UUID
    product_code: str
    addressed_to: UUID
    on: date
    missing: Sequence[Lack]
    remarks: Sequence[str]

    @property
    def ready(self) -> bool:
        """Whether the unit can deliver."""
        return not self.missing


@operation("UC-04.02", permission="unit.read", writes=False, name="readiness")
def readiness(actor: Actor, unit_id: UUID, product_code: str, operator_id: UUID, day: date | None = None) -> Readiness:
    """Whether a unit can deliver a product to an SO on a day (today when None), or everything that is missing.

    Organisation active, unit there, memberships covering the day, assets Verified with consent and effective, limits kept,
    qualification valid on the day and not suspended. An approval stands while it is assessed again. Raises NotFound for
    what the actor may not see, Forbidden where one SO asks about another, Invalid for a day out of reach.
    """
    on = day or today()
    if not today() - FURTHEST <= on <= today() + FURTHEST:
        expected = f"a day within {FURTHEST.days} days of today"
        raise Invalid([Finding("READY-01", "Date", str(on), expected, f"Ask about {expected}.")])
    unit = see(MarketUnit, actor, unit_id)
    product = newest_of(product_code)
    scopes = scopes_of(actor, "qualification.read")
    if scopes == {Scope.AREA} and operator_id != actor.organisation_id:
        raise Forbidden("A system operator asks about itself: what stands at a colleague is the colleague's to say.")
    held = _held(unit_id, product_code, operator_id)
    version = version_of(product_code, held.product_version) if held else product
    remarks: list[str] = []
    missing = [
        *_parties(unit, version, operator_id, on),
        *_composition(actor, unit, on),
        *_limits(unit, version),
        *_qualification(unit, product_code, held, on, remarks),
    ]
    return Readiness(unit_id, product_code, operator_id, on, missing, remarks)


def _held(unit_id: UUID, product_code: str, operator_id: UUID) -> Qualification | None:
    """The unit's newest application for the product at the SO; one that stands before one that has ended."""
    its = select(Qualification).where(
        col(Qualification.unit_id) == unit_id,
        col(Qualification.product_code) == product_code,
        col(Qualification.addressed_to) == operator_id,
    )
    order = (col(Qualification.status).in_(STANDING).desc(), col(Qualification.id).desc())
    return current_session().scalar(its.order_by(*order).limit(1))


def _parties(unit: MarketUnit, version: ProductVersion, operator_id: UUID, on: date) -> Iterator[Lack]:
    for identifier, what in ((unit.service_provider_id, "The provider"), (operator_id, "The system operator")):
        party = current_session().get(Organisation, identifier)
        if party is None or party.organisation_status is not OrganisationStatus.ACTIVE:
            name = party.organisation_legal_name if party else "No such organisation"
            yield Lack("ORGANISATION", f"{what} isn't active: {name}.", "organisation", str(identifier))
    if unit.status is not UnitStatus.ACTIVE:
        yield Lack(
            "UNIT",
            f"The unit is de-registered: {unit.status_reason or 'no reason given'}.",
            "market_unit",
            str(unit.id),
        )
    areas = {area.dno_code for area in whole(unit).areas if area.dno_code}
    if operator_id not in {one.id for one in operators_for(version, areas)}:
        words = f"The system operator doesn't buy {version.code} where the unit's assets are."
        yield Lack("OPERATOR", words, "product", version.code)
    product = whole_catalogue().products[version.code]
    if ended(product, on):
        words = f"{version.code} is offered no longer from {show_date(product.deprecated_from)}."
        yield Lack("PRODUCT", words, "product", version.code)


def _inside(unit: MarketUnit, on: date) -> Any:
    """The assets in the unit on the whole of a day; those in it now stay until they are taken out."""
    begin, end = start_of(on), start_of(on + ONE_DAY)
    since = end if on >= today() else begin
    return select(col(UnitMember.asset_id)).where(
        col(UnitMember.unit_id) == unit.id,
        col(UnitMember.from_at) <= since,
        or_(col(UnitMember.until_at).is_(None), col(UnitMember.until_at) >= end),
    )


def _composition(actor: Actor, unit: MarketUnit, on: date) -> Iterator[Lack]:
    session = current_session()
    inside = col(Asset.id).in_(_inside(unit, on))
    if not session.scalar(select(func.count(col(Asset.id))).where(inside)):
        words = f"No asset is in the unit on the whole of {show_date(on)}."
        yield Lack("MEMBERSHIP", words, "market_unit", str(unit.id))
    lacking = (
        ("CONSENT", col(Asset.status).in_(NO_CONSENT), "the consumer's consent is missing"),
        ("VERIFIED", col(Asset.status).not_in((AssetStatus.VERIFIED, *NO_CONSENT)), "not Verified"),
        ("EFFECTIVE", col(Asset.effective_date) > on, f"not effective yet on {show_date(on)}"),
    )
    for code, condition, words in lacking:
        count = session.scalar(select(func.count(col(Asset.id))).where(inside, condition)) or 0
        if not count:
            continue
        seen = select(Asset).where(inside, condition, visible(Asset, actor)).order_by(col(Asset.id)).limit(NAMED)
        named = list(session.scalars(seen))
        for asset in named:
            yield Lack(code, f"{asset.asset_name} is {STATUS_LABELS[asset.status]}: {words}.", "asset", str(asset.id))
        if count > len(named):
            more = f"{count - len(named):,} {'more ' if named else ''}asset{'' if count - len(named) == 1 else 's'}"
            yield Lack(code, f"{more} of the unit: {words}.", "market_unit", str(unit.id))


def _limits(unit: MarketUnit, version: ProductVersion) -> Iterator[Lack]:
    limit = limits_of([unit.id]).get(unit.id)
    if limit is None or unit.status is not UnitStatus.ACTIVE:
        return
    counted = whole(unit).capability
    for allowed, way, offered in ((limit.export_kw, "up", counted.up), (limit.import_kw, "down", counted.down)):
        if allowed is not None and version.direction in (way, "both") and allowed < offered:
            words = f"A connection limit of {kilowatts(allowed)} lies under the {kilowatts(offered)} offered: {limit.words}."
            yield Lack("LIMIT", words, "market_unit", str(unit.id))


def _qualification(
    unit: MarketUnit, product_code: str, held: Qualification | None, on: date, remarks: list[str]
) -> Iterator[Lack]:
    if held is None:
        words = f"The unit hasn't applied for {product_code} there."
        yield Lack("QUALIFICATION", words, "market_unit", str(unit.id))
        return
    label = QUALIFICATION_LABELS[held.status]
    here = ("qualification", str(held.id))
    if held.status is QualificationStatus.SUSPENDED:
        yield Lack("SUSPENDED", f"It is suspended: {held.status_reason or held.reason_code}.", *here)
    if held.qualified_at is None or held.valid_from is None or held.valid_until is None:
        yield Lack("QUALIFICATION", f"The application is {label}: nothing is approved.", *here)
        return
    if not held.valid_from <= on <= held.valid_until:
        period = f"from {show_date(held.valid_from)} to {show_date(held.valid_until)}"
        yield Lack("VALIDITY", f"The qualification is valid {period}, not on {show_date(on)}.", *here)
    if held.status not in (QualificationStatus.QUALIFIED, QualificationStatus.SUSPENDED):
        remarks.append(f"It is {label}: the approval stands until the system operator has decided anew.")
    if held.conditions:
        remarks.append(f"Conditions: {held.conditions}")
    remarks += window_remarks(held.id, start_of(on), start_of(on + ONE_DAY))

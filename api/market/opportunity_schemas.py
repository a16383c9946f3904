"""How opportunities are answered: standing, a reason for each requirement, equivalences, what may be held together."""

from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field

from api.http.decimal_json import Exact
from models.products import Family as FamilyCode
from models.products import Phase as PhaseCode
from models.qualifications import QualificationStatus
from services.market.eligibility.gap_closing import GapClosing
from services.market.eligibility.opportunities import Opportunities, Opportunity
from services.market.eligibility.portfolio import OpportunityLine, PortfolioSummary
from services.market.eligibility.stacking_check import StackingWith
from services.market.eligibility.verdicts import EligibilityStanding as StandingCode
from services.market.eligibility.verdicts import EligibilityVerdict
from services.market.eligibility.verdicts import Requirement as RequirementCode
from services.market.products.market_tables import Stacking


class ReasonOut(BaseModel):
    """One requirement, and what there is of it."""

    Requirement: RequirementCode
    Needs: str
    Has: str
    ShortBy: Exact | None = Field(description="What is missing or too much: kW, seconds or minutes.")
    Met: bool | None = Field(description="Null: not known. It neither passes nor fails.")
    Words: str = Field(examples=["Needs 1,000 kW in one GSP group; has 940 kW in _C: 60 kW short."])


class BesideOut(BaseModel):
    """The product beside one that the assets serve already. ND is no data: ask the system operator."""

    ProductCode: str
    Status: QualificationStatus
    UnitId: UUID
    UnitCode: str
    CoDelivery: Stacking
    Splitting: Stacking
    Jumping: Stacking
    Words: str


class _Judged(BaseModel):
    ProductCode: str
    ProductVersion: int
    ProductName: str
    SubMarket: str
    Family: FamilyCode
    Phase: PhaseCode
    Standing: StandingCode
    StandingApartFromFamily: StandingCode = Field(
        description="How the same assets stand in a unit of the product's family."
    )
    Reasons: list[ReasonOut]


class OpportunityOut(_Judged):
    """One product for a unit or some assets. Indicative: the system operator assesses."""

    Holds: QualificationStatus | None = Field(description="What the unit's own application for it has come to.")
    QualifiedThrough: list[str] = Field(description="Equivalent products that a unit with the assets is qualified for.")
    HeldBeside: list[BesideOut]


class UnitOpportunityOut(_Judged):
    """One unit and one product."""

    UnitId: UUID
    UnitCode: str
    UnitName: str


class OpportunitiesOut(BaseModel):
    """Every product in force for one unit or some assets, the best standing first."""

    UnitId: UUID | None
    Assets: int
    UpCapacity: Exact = Field(description="kW.")
    DownCapacity: Exact = Field(description="kW.")
    Primacy: str | None = Field(
        description="A flag where assets serve both a DSO and MW Dispatch: the DSO comes first."
    )
    BeingCounted: bool = Field(description="Assets changed a moment ago: the figures are those from before.")
    items: list[OpportunityOut]


class PortfolioOpportunitiesOut(BaseModel):
    """A page of units and products. Whole units at a time."""

    items: list[UnitOpportunityOut]
    next: str | None = Field(description="The path of the next page; null at the end.")


class ProductInNumbersOut(BaseModel):
    """How many units stand how to one product."""

    ProductCode: str
    ProductName: str
    Eligible: int
    Nearly: int
    NotEligible: int
    EligibleCapacity: Exact = Field(description="kW of the eligible units that count for it.")
    EligibleInAnotherFamily: int = Field(description="Units of other families whose assets would be eligible.")


class PortfolioInNumbersOut(BaseModel):
    """A portfolio against every product."""

    Units: int
    items: list[ProductInNumbersOut]


class AddedOut(BaseModel):
    """A free asset, and what it adds."""

    AssetId: UUID
    AssetName: str
    Adds: Exact = Field(description="kW.")


class ClosingOut(BaseModel):
    """Which free assets would give a unit a product's least capacity, and what else they would change."""

    ProductCode: str
    Gap: Exact = Field(description="kW below the least capacity; 0: there is no gap.")
    Assets: list[AddedOut]
    Closes: bool
    Words: str
    StandingAfter: StandingCode | None
    Gained: list[str] = Field(description="Other products for which the unit would become eligible.")
    Lost: list[str] = Field(description="Products for which it would no longer be.")


def judged(version: Any, verdict: EligibilityVerdict) -> dict[str, Any]:
    """What every answer says of one product."""
    return {
        "ProductCode": version.code,
        "ProductVersion": version.product_version,
        "ProductName": version.name,
        "SubMarket": version.sub_market,
        "Family": version.family,
        "Phase": version.phase,
        "Standing": verdict.eligibility,
        "StandingApartFromFamily": verdict.apart_from_family,
        "Reasons": [
            {
                "Requirement": one.requirement,
                "Needs": one.needs,
                "Has": one.has,
                "ShortBy": one.short_by,
                "Met": one.met,
                "Words": one.words,
            }
            for one in verdict.reasons
        ],
    }


def opportunities_out(found: Opportunities) -> dict[str, Any]:
    """The products for a unit or for assets."""
    return {
        "UnitId": found.unit and found.unit.id,
        "Assets": found.assets,
        "UpCapacity": found.up,
        "DownCapacity": found.down,
        "Primacy": found.primacy and found.primacy.words,
        "BeingCounted": found.being_counted,
        "items": [_opportunity(one) for one in found.items],
    }


def _opportunity(one: Opportunity) -> dict[str, Any]:
    return {
        **judged(one.version, one.verdict),
        "Holds": one.holds and one.holds.status,
        "QualifiedThrough": [way.product_code for way in one.through],
        "HeldBeside": [_beside(other) for other in one.beside],
    }


def _beside(other: StackingWith) -> dict[str, Any]:
    return {
        "ProductCode": other.holding.product_code,
        "Status": other.holding.status,
        "UnitId": other.holding.unit_id,
        "UnitCode": other.holding.unit_code,
        "CoDelivery": other.cell.co_delivery,
        "Splitting": other.cell.splitting,
        "Jumping": other.cell.jumping,
        "Words": other.words,
    }


def line_out(line: OpportunityLine) -> dict[str, Any]:
    """One unit and one product."""
    unit = {"UnitId": line.unit_id, "UnitCode": line.unit_code, "UnitName": line.unit_name}
    return {**unit, **judged(line.version, line.verdict)}


def numbers_out(found: PortfolioSummary) -> dict[str, Any]:
    """A portfolio in numbers."""
    items = [
        {
            "ProductCode": one.version.code,
            "ProductName": one.version.name,
            "Eligible": one.eligible,
            "Nearly": one.nearly,
            "NotEligible": one.not_eligible,
            "EligibleCapacity": one.eligible_kw,
            "EligibleInAnotherFamily": one.elsewhere,
        }
        for one in found.products
    ]
    return {"Units": found.units, "items": items}


def closing_out(found: GapClosing) -> dict[str, Any]:
    """What adding assets would change."""
    return {
        "ProductCode": found.product_code,
        "Gap": found.gap,
        "Assets": [{"AssetId": one.asset_id, "AssetName": one.name, "Adds": one.adds} for one in found.assets],
        "Closes": found.closes,
        "Words": found.words,
        "StandingAfter": found.after and found.after.eligibility,
        "Gained": found.gained,
        "Lost": found.lost,
    }

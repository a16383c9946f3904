"""Schemas of opportunities: eligibility, a reason for each requirement, equivalences, stacking (UC-04.03)."""

from typing import Annotated
from uuid import UUID

from pydantic import AliasPath, BaseModel, Field

from api.http.decimal_json import Exact
from api.http.schemas import AnswerSchema, part
from models.products import Family, Phase
from models.qualifications import QualificationStatus
from services.market.eligibility.verdicts import EligibilityStanding, Requirement
from services.market.products.market_tables import Stacking


class ReasonOut(AnswerSchema):
    """One requirement, and what there is of it."""

    requirement: Requirement
    needs: str
    has: str
    short_by: Exact | None = Field(description="What is missing or too much: kW, seconds or minutes.")
    met: bool | None = Field(description="Null: not known. It neither passes nor fails.")
    words: str = Field(examples=["Needs 1,000 kW in one GSP group; has 940 kW in _C: 60 kW short."])


class BesideOut(AnswerSchema):
    """The product beside one that the assets serve already. ND is no data: ask the system operator."""

    product_code: str = Field(validation_alias=AliasPath("holding", "product_code"))
    status: QualificationStatus = Field(validation_alias=AliasPath("holding", "status"))
    unit_id: UUID = Field(validation_alias=AliasPath("holding", "unit_id"))
    unit_code: str = Field(validation_alias=AliasPath("holding", "unit_code"))
    co_delivery: Stacking = Field(validation_alias=AliasPath("cell", "co_delivery"))
    splitting: Stacking = Field(validation_alias=AliasPath("cell", "splitting"))
    jumping: Stacking = Field(validation_alias=AliasPath("cell", "jumping"))
    words: str


class _Judged(AnswerSchema):
    product_code: str = Field(validation_alias=AliasPath("version", "code"))
    product_version: int = Field(validation_alias=AliasPath("version", "product_version"))
    product_name: str = Field(validation_alias=AliasPath("version", "name"))
    sub_market: str = Field(validation_alias=AliasPath("version", "sub_market"))
    family: Family = Field(validation_alias=AliasPath("version", "family"))
    phase: Phase = Field(validation_alias=AliasPath("version", "phase"))
    standing: EligibilityStanding = Field(validation_alias=AliasPath("verdict", "eligibility"))
    standing_apart_from_family: EligibilityStanding = Field(
        validation_alias=AliasPath("verdict", "apart_from_family"),
        description="How the same assets stand in a unit of the product's family.",
    )
    reasons: list[ReasonOut] = Field(validation_alias=AliasPath("verdict", "reasons"))


class OpportunityOut(_Judged):
    """One product for a unit or some assets. Indicative: the system operator assesses."""

    holds: Annotated[QualificationStatus | None, part("status")] = Field(
        description="What the unit's own application for it has come to."
    )
    through: list[Annotated[str, part("product_code")]] = Field(
        serialization_alias="QualifiedThrough",
        description="Equivalent products that a unit with the assets is qualified for.",
    )
    beside: list[BesideOut] = Field(serialization_alias="HeldBeside")


class UnitOpportunityOut(_Judged):
    """One unit and one product."""

    unit_id: UUID
    unit_code: str
    unit_name: str


class OpportunitiesOut(AnswerSchema):
    """Every product in force for one unit or some assets, the best standing first."""

    unit: Annotated[UUID | None, part("id")] = Field(serialization_alias="UnitId")
    assets: int
    up: Exact = Field(serialization_alias="UpCapacity", description="kW.")
    down: Exact = Field(serialization_alias="DownCapacity", description="kW.")
    primacy: Annotated[str | None, part("words")] = Field(
        description="A flag where assets serve both a DSO and MW Dispatch: the DSO comes first."
    )
    being_counted: bool = Field(description="Assets changed a moment ago: the figures are those from before.")
    items: list[OpportunityOut]


class PortfolioOpportunitiesOut(BaseModel):
    """A page of units and products. Whole units at a time."""

    items: list[UnitOpportunityOut]
    next: str | None = Field(description="The path of the next page; null at the end.")


class ProductInNumbersOut(AnswerSchema):
    """One product in numbers: the units that are eligible for it, nearly or not."""

    product_code: str = Field(validation_alias=AliasPath("version", "code"))
    product_name: str = Field(validation_alias=AliasPath("version", "name"))
    eligible: int
    nearly: int
    not_eligible: int
    eligible_kw: Exact = Field(
        serialization_alias="EligibleCapacity", description="kW of the eligible units that count for it."
    )
    elsewhere: int = Field(
        serialization_alias="EligibleInAnotherFamily",
        description="Units of other families whose assets would be eligible.",
    )


class PortfolioInNumbersOut(AnswerSchema):
    """A portfolio against every product."""

    units: int
    products: list[ProductInNumbersOut] = Field(serialization_alias="items")


class AddedOut(AnswerSchema):
    """A free asset, and what it adds."""

    asset_id: UUID
    name: str = Field(serialization_alias="AssetName")
    adds: Exact = Field(description="kW.")


class ClosingOut(AnswerSchema):
    """The free assets that would give a unit a product's least capacity, and what else they would change."""

    product_code: str
    gap: Exact = Field(description="kW below the least capacity; 0: there is no gap.")
    assets: list[AddedOut]
    closes: bool
    words: str
    after: Annotated[EligibilityStanding | None, part("eligibility")] = Field(serialization_alias="StandingAfter")
    gained: list[str] = Field(description="Other products for which the unit would become eligible.")
    lost: list[str] = Field(description="Products for which it would no longer be.")

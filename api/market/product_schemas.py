"""What routes of products, proposals and market tables hand in and answer (UC-04.01)."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field

from api.http.decimal_json import Exact
from api.http.responses import here
from models.products import (
    Direction,
    Family,
    MarketTable,
    Phase,
    ProductStatus,
    ProductVersion,
    ProposalKind,
    ProposalStatus,
    Spread,
)
from services.market.products.document import version_terms as version_terms
from services.market.products.market_tables import Stacking
from services.market.products.products import ProductView
from services.market.products.products import product_terms as product_terms
from services.market.products.stacking import Holding, Pair, StackingResult


class ProductVersionOut(BaseModel):
    """One version of a product. A requirement that is null is not known: it never passes and never fails."""

    Code: str
    ProductVersion: int
    ValidFrom: date
    Family: Family
    Name: str
    SubMarket: str
    Procurers: list[str]
    Direction: Direction
    MinCapacity_kW: Exact | None
    MaxCapacity_kW: Exact | None
    FullDelivery_s: int | None
    MinDuration_min: int | None
    Metering: str | None
    Aggregation: Spread | None
    Phase: Phase
    StackingCode: str | None
    Portable: bool
    Notes: str | None
    Source: str
    SourceDate: date


class ProductOut(ProductVersionOut):
    """A product as it stands today, with the version that is in force."""

    Status: ProductStatus
    Offered: bool = Field(description="Whether one can apply for it today.")
    DeprecatedFrom: date | None = Field(description="From this day on nobody can apply.")
    DeprecationReason: str | None
    ComingVersion: int | None = Field(description="A version that is published and not yet in force.")
    ComingFrom: date | None
    Versions: str = Field(description="The path of its versions.")


class Products(BaseModel):
    """The catalogue, by sub-market and code."""

    items: list[ProductOut]


class ProductVersions(BaseModel):
    """The versions of a product, the newest first; those that are in force, or were, never change."""

    items: list[ProductVersionOut]


class ProposalBody(BaseModel):
    """What a system operator proposes. `Product` has the terms of /v1/products/schema; empty for an end."""

    model_config = ConfigDict(extra="forbid")

    Kind: ProposalKind
    Code: str = Field(max_length=40, examples=["DX"])
    EffectiveFrom: date
    Reason: str = Field(max_length=4000)
    Product: dict[str, Any] = Field(default_factory=dict, max_length=60)


class AnswerBody(BaseModel):
    """An answer to the administrator, with corrected requirements or another day where they changed."""

    model_config = ConfigDict(extra="forbid")

    Answer: str = Field(max_length=4000)
    Product: dict[str, Any] | None = Field(default=None, max_length=60)
    EffectiveFrom: date | None = None


class QuestionBody(BaseModel):
    """A question to the proposer."""

    model_config = ConfigDict(extra="forbid")

    Question: str = Field(max_length=4000)


class SaidOut(BaseModel):
    """A question, an answer, the decision or a withdrawal."""

    Kind: str
    Text: str
    By: str
    Of: str | None
    At: datetime


class ProductProposalOut(BaseModel):
    """A proposal for the catalogue."""

    ProposalId: UUID
    Kind: ProposalKind
    Status: ProposalStatus
    Code: str
    BaseVersion: int | None = Field(description="The version that a change was made from.")
    OrganisationId: UUID
    ProposedBy: str
    ProposedAt: datetime
    EffectiveFrom: date
    Reason: str
    Product: dict[str, Any]
    Said: list[SaidOut]
    DecidedAt: datetime | None
    Version: int


class Proposals(BaseModel):
    """A page of proposals, the newest first."""

    items: list[ProductProposalOut]
    next: str | None = Field(description="The path of the next page; null at the end.")


class EditionOut(BaseModel):
    """An edition of a market table."""

    Edition: int
    PublishedAt: datetime
    Source: str
    SourceDate: date
    Reason: str | None


class Editions(BaseModel):
    """All editions, the newest first."""

    items: list[EditionOut]


class EquivalenceRow(BaseModel):
    """A unit qualified for the one product may apply for the other, too; indicative."""

    model_config = ConfigDict(extra="forbid")

    FromProduct: str = Field(max_length=40)
    ToProduct: str = Field(max_length=40)
    Note: str = Field(default="", max_length=2000)


class StackingRow(BaseModel):
    """How two stacking codes may be held together; each pair stands once and holds both ways round."""

    model_config = ConfigDict(extra="forbid")

    ProductA: str = Field(max_length=40)
    ProductB: str = Field(max_length=40)
    CoDelivery: Stacking = Field(description="The same MW at the same time.")
    Splitting: Stacking = Field(description="Different MW at the same time.")
    Jumping: Stacking = Field(description="The same asset at different times.")


class Equivalences(EditionOut):
    """The table of equivalences."""

    items: list[EquivalenceRow]


class StackingMatrix(EditionOut):
    """The stacking matrix. ND means that nobody has said: ask the system operator."""

    items: list[StackingRow]


class _Publishing(BaseModel):
    model_config = ConfigDict(extra="forbid")

    Source: str = Field(max_length=1000)
    SourceDate: date
    Reason: str = Field(max_length=4000)


class EquivalencesBody(_Publishing):
    """The next edition, whole."""

    items: list[EquivalenceRow] = Field(max_length=10_000)


class StackingBody(_Publishing):
    """The next edition, whole."""

    items: list[StackingRow] = Field(max_length=10_000)


class PairOut(BaseModel):
    """Two products, mode by mode."""

    FirstProduct: str
    SecondProduct: str
    CoDelivery: Stacking
    Splitting: Stacking
    Jumping: Stacking
    Condition: str | None = Field(description="What a yes depends on besides.")


class TogetherOut(BaseModel):
    """Whether products can be held together: for each mode what weighs most among the pairs."""

    CoDelivery: Holding
    Splitting: Holding
    Jumping: Holding
    items: list[PairOut]


def product_out(request: Request, view: ProductView) -> dict[str, Any]:
    """A product as answered."""
    return {**product_terms(view), "Versions": here(request, f"/v1/products/{view.product.code}/versions")}


def version_out(version: ProductVersion) -> dict[str, Any]:
    """A version as answered."""
    return version_terms(version)


def edition_out(table: MarketTable) -> dict[str, Any]:
    """An edition without its rows."""
    return {
        "Edition": table.edition,
        "PublishedAt": table.published_at,
        "Source": table.source,
        "SourceDate": table.source_date,
        "Reason": table.reason,
    }


def table_out(table: MarketTable) -> dict[str, Any]:
    """An edition with its rows."""
    return {**edition_out(table), "items": table.rows}


def together_out(found: StackingResult) -> dict[str, Any]:
    """The answer of `can_be_held`."""
    modes = {"CoDelivery": found.co_delivery, "Splitting": found.splitting, "Jumping": found.jumping}
    return {**modes, "items": [_pair(pair) for pair in found.pairs]}


def _pair(pair: Pair) -> dict[str, Any]:
    cell = pair.cell
    return {
        "FirstProduct": pair.first,
        "SecondProduct": pair.second,
        "CoDelivery": cell.co_delivery,
        "Splitting": cell.splitting,
        "Jumping": cell.jumping,
        "Condition": pair.condition,
    }

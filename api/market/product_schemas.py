"""Schemas of products, proposals and market tables (UC-04.01)."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from fastapi import Request
from pydantic import AliasPath, BaseModel, Field

from api.http.decimal_json import Exact
from api.http.responses import here
from api.http.schemas import AnswerSchema, RequestSchema
from models.products import (
    Direction,
    Family,
    MarketTable,
    Phase,
    ProductStatus,
    ProposalKind,
    ProposalStatus,
    Spread,
)
from services.market.products.market_tables import Stacking
from services.market.products.products import ProductView
from services.market.products.stacking import Holding


class ProductVersionOut(AnswerSchema):
    """One version of a product. A requirement that is null is not known: it never passes and never fails."""

    code: str
    product_version: int
    valid_from: date
    family: Family
    name: str
    sub_market: str
    procurers: list[str]
    direction: Direction
    min_capacity: Exact | None = Field(serialization_alias="MinCapacity_kW")
    max_capacity: Exact | None = Field(serialization_alias="MaxCapacity_kW")
    full_delivery_s: int | None
    min_duration_min: int | None
    metering: str | None
    aggregation: Spread | None
    phase: Phase
    stacking_code: str | None
    portable: bool
    notes: str | None
    source: str
    source_date: date


class ProductOut(ProductVersionOut):
    """A product as it stands today, with the version that is in force."""

    status: ProductStatus
    offered: bool = Field(description="Whether one can apply for it today.")
    deprecated_from: date | None = Field(description="From this day on nobody can apply.")
    deprecation_reason: str | None
    coming_version: int | None = Field(description="A version that is published and not yet in force.")
    coming_from: date | None
    versions: str = Field(description="The path of its versions.")


class Products(BaseModel):
    """The catalogue, by sub-market and code."""

    items: list[ProductOut]


class ProductVersions(BaseModel):
    """The versions of a product, the newest first; those that are in force, or were, never change."""

    items: list[ProductVersionOut]


class ProposalBody(RequestSchema):
    """A proposal of a system operator. `Product` has the terms of /v1/products/schema; empty for an end."""

    kind: ProposalKind
    code: str = Field(max_length=40, examples=["DX"])
    effective_from: date
    reason: str = Field(max_length=4000)
    product: dict[str, Any] = Field(default_factory=dict, max_length=60)


class AnswerBody(RequestSchema):
    """An answer to the administrator, with corrected requirements or another day where they changed."""

    answer: str = Field(max_length=4000)
    product: dict[str, Any] | None = Field(default=None, max_length=60)
    effective_from: date | None = None


class QuestionBody(RequestSchema):
    """A question to the proposer."""

    question: str = Field(max_length=4000)


class SaidOut(AnswerSchema):
    """A question, an answer, the decision or a withdrawal."""

    kind: str
    text: str
    by: str
    of: str | None
    at: datetime


class ProductProposalOut(AnswerSchema):
    """A proposal for the catalogue."""

    proposal_id: UUID
    kind: ProposalKind
    status: ProposalStatus
    code: str
    base_version: int | None = Field(description="The version that a change was made from.")
    organisation_id: UUID
    proposed_by: str
    proposed_at: datetime
    effective_from: date
    reason: str
    product: dict[str, Any]
    said: list[SaidOut]
    decided_at: datetime | None
    version: int


class Proposals(BaseModel):
    """A page of proposals, the newest first."""

    items: list[ProductProposalOut]
    next: str | None = Field(description="The path of the next page; null at the end.")


class EditionOut(AnswerSchema):
    """An edition of a market table."""

    edition: int
    published_at: datetime
    source: str
    source_date: date
    reason: str | None


class Editions(BaseModel):
    """All editions, the newest first."""

    items: list[EditionOut]


class EquivalenceRow(RequestSchema):
    """A unit qualified for the one product may apply for the other, too; indicative."""

    from_product: str = Field(max_length=40)
    to_product: str = Field(max_length=40)
    note: str = Field(default="", max_length=2000)


class StackingRow(RequestSchema):
    """The modes in which two stacking codes may be held together; each pair stands once and holds both ways round."""

    product_a: str = Field(max_length=40)
    product_b: str = Field(max_length=40)
    co_delivery: Stacking = Field(description="The same MW at the same time.")
    splitting: Stacking = Field(description="Different MW at the same time.")
    jumping: Stacking = Field(description="The same asset at different times.")


class Equivalences(EditionOut):
    """The table of equivalences."""

    items: list[EquivalenceRow]


class StackingMatrix(EditionOut):
    """The stacking matrix. ND means that nobody has said: ask the system operator."""

    items: list[StackingRow]


class _Publishing(RequestSchema):
    source: str = Field(max_length=1000)
    source_date: date
    reason: str = Field(max_length=4000)


class EquivalencesBody(_Publishing):
    """The next edition, whole."""

    items: list[EquivalenceRow] = Field(max_length=10_000)


class StackingBody(_Publishing):
    """The next edition, whole."""

    items: list[StackingRow] = Field(max_length=10_000)


class PairOut(AnswerSchema):
    """Two products, mode by mode."""

    first: str = Field(serialization_alias="FirstProduct")
    second: str = Field(serialization_alias="SecondProduct")
    co_delivery: Stacking = Field(validation_alias=AliasPath("cell", "co_delivery"))
    splitting: Stacking = Field(validation_alias=AliasPath("cell", "splitting"))
    jumping: Stacking = Field(validation_alias=AliasPath("cell", "jumping"))
    condition: str | None = Field(description="What a yes depends on besides.")


class TogetherOut(AnswerSchema):
    """The modes in which products can be held together: for each what weighs most among the pairs."""

    co_delivery: Holding
    splitting: Holding
    jumping: Holding
    pairs: list[PairOut] = Field(serialization_alias="items")


def product_out(request: Request, view: ProductView) -> ProductOut:
    """A product with the version in force, the one to come, and the path of all of them."""
    product, coming = view.product, view.coming
    return ProductOut.from_record(
        view.version,
        status=product.status,
        offered=view.offered,
        deprecated_from=product.deprecated_from,
        deprecation_reason=product.deprecation_reason,
        coming_version=coming.product_version if coming else None,
        coming_from=coming.valid_from if coming else None,
        versions=here(request, f"/v1/products/{product.code}/versions"),
    )


def table_out(table: MarketTable) -> dict[str, Any]:
    """An edition of a market table with its rows, which are stored by ontology term."""
    return {**EditionOut.from_record(table).model_dump(), "items": table.rows}

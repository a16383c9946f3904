"""Products (PSQM): the catalogue and its versions, what is proposed for it, and what may be held together (UC-04.01)."""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field

from models.base import Json, Kilowatts, Recorded, UtcDateTime, choice


class Family(StrEnum):
    """Sub-market family: an asset is in one active unit of each at a time (UC-03.01)."""

    RESPONSE = "RESPONSE"
    RESERVE = "RESERVE"
    CONSTRAINT = "CONSTRAINT"
    DSO = "DSO"


FAMILY_LABELS: dict[Family, str] = {
    Family.RESPONSE: "Response",
    Family.RESERVE: "Reserve",
    Family.CONSTRAINT: "Constraint",
    Family.DSO: "DSO flexibility",
}


class ProductStatus(StrEnum):
    """Where a product stands in the catalogue."""

    ACTIVE = "ACTIVE"
    DEPRECATED = "DEPRECATED"


class Direction(StrEnum):
    """Which way a product moves power; `both` asks for a unit that can do either."""

    UP = "up"
    DOWN = "down"
    BOTH = "both"


class Spread(StrEnum):
    """How far the assets of a unit may be spread; an empty one is not known."""

    NONE = "none"
    CONSTRAINT_ZONE = "constraint zone"
    GSP_GROUP = "GSP group"
    SCOTTISH_GSP = "Scottish GSP"
    NATIONAL = "national"


class Phase(StrEnum):
    """When a product can use the register for qualification."""

    GO_LIVE = "go-live"
    PHASE_3 = "phase-3"
    LEGACY = "legacy"


class Product(Recorded, table=True):
    """A defined flexibility service; what it asks for is in its versions."""

    code: str = Field(max_length=20, unique=True)
    status: ProductStatus = Field(default=ProductStatus.ACTIVE, sa_type=choice(ProductStatus))
    current_version: int
    """The `product_version` that new applications are for."""
    deprecated_from: date | None = None
    """From this day on nobody can apply; may lie ahead while the product is still active."""
    deprecation_reason: str | None = Field(default=None, max_length=1000)


class ProductVersion(Recorded, table=True):
    """What a product asked for from a date on. Never changed: units keep the version they qualified for.

    A requirement that is None is not known: it is never passed and never failed.
    """

    __table_args__ = (UniqueConstraint("code", "product_version", name="product_version_once"),)
    product_id: UUID = Field(foreign_key="product.id", index=True)
    code: str = Field(max_length=20)
    product_version: int
    valid_from: date
    name: str = Field(max_length=200)
    sub_market: str = Field(max_length=60)
    family: Family = Field(sa_type=choice(Family))
    procurers: list[str] = Field(default_factory=list, sa_type=Json)
    """Codes of data/market/procurers.csv."""
    direction: Direction = Field(sa_type=choice(Direction))
    min_capacity: Decimal | None = Field(default=None, sa_type=Kilowatts)
    max_capacity: Decimal | None = Field(default=None, sa_type=Kilowatts)
    full_delivery_s: int | None = None
    """Seconds to full delivery."""
    min_duration_min: int | None = None
    """Minutes that delivery is kept up."""
    metering: str | None = Field(default=None, max_length=200)
    aggregation: Spread | None = Field(default=None, sa_type=choice(Spread))
    phase: Phase = Field(sa_type=choice(Phase))
    stacking_code: str | None = Field(default=None, max_length=20)
    portable: bool = False
    """Whether a qualification moves with the unit to another FSP without re-assessment (UC-03.02)."""
    notes: str | None = Field(default=None, max_length=2000)
    source: str = Field(max_length=300)
    source_date: date


class ProposalKind(StrEnum):
    """What an SO proposes for the catalogue."""

    NEW = "NEW"
    CHANGE = "CHANGE"
    DEPRECATE = "DEPRECATE"


class ProposalStatus(StrEnum):
    """Life cycle of a proposal."""

    PROPOSED = "PROPOSED"
    QUESTION = "QUESTION"
    """The administrator asked; the SO answers, or withdraws it."""
    APPROVED = "APPROVED"
    REFUSED = "REFUSED"
    WITHDRAWN = "WITHDRAWN"


class ProductProposal(Recorded, table=True):
    """A new product, a change of one, or its end from a date, proposed by an SO and decided by the administrator."""

    __table_args__ = (
        Index("product_proposal_by_organisation", "organisation_id", "id"),
        Index("product_proposal_by_status", "status", "id"),
    )
    kind: ProposalKind = Field(sa_type=choice(ProposalKind))
    status: ProposalStatus = Field(default=ProposalStatus.PROPOSED, sa_type=choice(ProposalStatus))
    code: str = Field(max_length=20)
    base_version: int | None = None
    """The version that a change was made from."""
    organisation_id: UUID = Field(foreign_key="organisation.id")
    proposed_by: str = Field(max_length=200)
    proposed_at: datetime = Field(sa_type=UtcDateTime)
    effective_from: date
    document: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    """The requirements as proposed, by ontology term; empty for an end."""
    reason: str = Field(max_length=2000)
    said: list[dict[str, Any]] = Field(default_factory=list, sa_type=Json)
    """Questions, answers and the decision: kind, text, by, at."""
    decided_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class MarketTableKind(StrEnum):
    """The tables between products that are kept in editions."""

    EQUIVALENCES = "EQUIVALENCES"
    STACKING = "STACKING"


class MarketTable(Recorded, table=True):
    """One edition of the table of equivalences or of the stacking matrix; the newest is in force.

    Rows of equivalences: FromProduct, ToProduct, Note. Of stacking: ProductA, ProductB (stacking codes, each pair once),
    CoDelivery, Splitting, Jumping (EY, IY, EN, IN, ND, NA).
    """

    __table_args__ = (UniqueConstraint("kind", "edition", name="market_table_edition"),)
    kind: MarketTableKind = Field(sa_type=choice(MarketTableKind))
    edition: int
    published_at: datetime = Field(sa_type=UtcDateTime)
    source: str = Field(max_length=300)
    source_date: date
    reason: str | None = Field(default=None, max_length=1000)
    rows: list[dict[str, Any]] = Field(default_factory=list, sa_type=Json)

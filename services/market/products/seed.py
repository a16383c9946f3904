"""What the market is born with: products, equivalences and stacking of data/market, each laid down once (UC-04.01)."""

from datetime import date
from decimal import Decimal

from sqlalchemy import select
from sqlmodel import col

from models.products import Direction, MarketTable, MarketTableKind, Phase, Product, ProductVersion, Spread
from services.core.clock import now
from services.core.identity.actor import Actor
from services.core.operation import operation
from services.core.transaction import current_session
from services.market.products.reference_data import rows_of, sub_markets


@operation("UC-04.01", permission="product.decide", name="load_market")
def load_market(actor: Actor) -> int:
    """Lay down the products and tables that ship with the register and aren't in it yet; how many were missing.

    What was decided in this register stays as it is. Harmless when repeated, so registers of older versions get them too.
    """
    return _products() + _tables()


def _products() -> int:
    session = current_session()
    have = set(session.scalars(select(col(Product.code))))
    missing = [row for row in rows_of("products.csv") if row["Code"] not in have]
    for row in missing:
        product = Product(code=row["Code"], current_version=1)
        session.add(product)
        session.flush()
        session.add(_first_version(product, row))
    return len(missing)


def _first_version(product: Product, row: dict[str, str]) -> ProductVersion:
    family = sub_markets()[row["SubMarket"]].family
    if family is None:
        raise ValueError(f"{row['SubMarket']} has no products in this register.")
    return ProductVersion(
        product_id=product.id,
        code=product.code,
        product_version=1,
        valid_from=date.fromisoformat(row["ValidFrom"]),
        name=row["Name"],
        sub_market=row["SubMarket"],
        family=family,
        procurers=row["Procurers"].split(";"),
        direction=Direction(row["Direction"]),
        min_capacity=Decimal(row["MinCapacity_kW"]) if row["MinCapacity_kW"] else None,
        max_capacity=Decimal(row["MaxCapacity_kW"]) if row["MaxCapacity_kW"] else None,
        full_delivery_s=int(row["FullDelivery_s"]) if row["FullDelivery_s"] else None,
        min_duration_min=int(row["MinDuration_min"]) if row["MinDuration_min"] else None,
        metering=row["Metering"] or None,
        aggregation=Spread(row["Aggregation"]) if row["Aggregation"] else None,
        phase=Phase(row["Phase"]),
        stacking_code=row["StackingCode"] or None,
        portable=row["Portable"] == "true",
        notes=row["Notes"] or None,
        source=row["Source"],
        source_date=date.fromisoformat(row["SourceDate"]),
    )


def _tables() -> int:
    session = current_session()
    have = set(session.scalars(select(col(MarketTable.kind)).distinct()))
    missing = [row for row in rows_of("tables.csv") if MarketTableKind(row["Kind"]) not in have]
    for row in missing:
        session.add(
            MarketTable(
                kind=MarketTableKind(row["Kind"]),
                edition=1,
                published_at=now(),
                source=row["Source"],
                source_date=date.fromisoformat(row["SourceDate"]),
                rows=list(rows_of(row["File"])),
            )
        )
    return len(missing)

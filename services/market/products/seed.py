"""Seed data of the market: products, equivalences and stacking of data/market, each loaded once (UC-04.01)."""

from datetime import date
from decimal import Decimal

from sqlalchemy import select
from sqlmodel import col

from models.products import Direction, MarketTable, MarketTableKind, Phase, Product, ProductVersion, Spread
from services.core.clock import now
from services.core.operation import system_step
from services.core.transaction import current_session
from services.market.products.reference_data import read_rows, sub_markets


@system_step("UC-04.01", name="load_market")
def load_market() -> int:
    """Load the products and tables that ship with the register and aren't in it yet; return the number added.

    Decisions made in this register stay. Safe to repeat, so registers of older versions get them too.
    """
    return _seed_products() + _seed_tables()


def _seed_products() -> int:
    session = current_session()
    existing_codes = set(session.scalars(select(col(Product.code))))
    missing = [row for row in read_rows("products.csv") if row["Code"] not in existing_codes]
    for row in missing:
        product = Product(code=row["Code"], current_version=1)
        session.add(product)
        session.flush()
        session.add(_build_first_version(product, row))
    return len(missing)


def _build_first_version(product: Product, row: dict[str, str]) -> ProductVersion:
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


def _seed_tables() -> int:
    session = current_session()
    existing_kinds = set(session.scalars(select(col(MarketTable.kind)).distinct()))
    missing = [row for row in read_rows("tables.csv") if MarketTableKind(row["Kind"]) not in existing_kinds]
    for row in missing:
        session.add(
            MarketTable(
                kind=MarketTableKind(row["Kind"]),
                edition=1,
                published_at=now(),
                source=row["Source"],
                source_date=date.fromisoformat(row["SourceDate"]),
                rows=list(read_rows(row["File"])),
            )
        )
    return len(missing)

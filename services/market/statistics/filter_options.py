"""What the market's dashboard can be narrowed to: products and SOs by name (UC-05.02)."""

from dataclasses import dataclass

from sqlalchemy import String, cast, func, or_, select
from sqlmodel import col

from models.participants import Organisation, OrganisationStatus
from services.core.identity.actor import Actor
from services.core.operation import operation
from services.core.transaction import current_session
from services.market.products.catalogue import whole_catalogue


@dataclass(frozen=True, slots=True)
class MarketChoices:
    """Products by code, and SOs by the text of their identifier, each with its name; the products of each sub-market."""

    products: dict[str, str]
    operators: dict[str, str]
    sub_markets: dict[str, tuple[str, ...]]


@operation("UC-05.02", permission="market.statistics", writes=False, name="market_choices")
def market_choices(actor: Actor) -> MarketChoices:
    """The products there are, and the SOs that applications are addressed to."""
    products = {code: f"{code} {versions[-1].name}" for code, versions in sorted(whole_catalogue().versions.items())}
    newest = [versions[-1] for versions in whole_catalogue().versions.values()]
    markets = {
        name: tuple(one.code for one in newest if one.sub_market == name)
        for name in sorted({one.sub_market for one in newest})
    }
    roles = cast(col(Organisation.organisation_roles), String)
    called = func.coalesce(col(Organisation.organisation_trading_name), col(Organisation.organisation_legal_name))
    chosen = select(col(Organisation.id), called).where(
        col(Organisation.organisation_status) == OrganisationStatus.ACTIVE,
        or_(roles.like('%"DNO"%'), roles.like('%"System Operator"%')),
    )
    found = current_session().execute(chosen.order_by(called))
    return MarketChoices(products, {str(row[0]): row[1] for row in found}, markets)

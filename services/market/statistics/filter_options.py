"""Filter options of the market's dashboard: products and SOs by name (UC-05.02)."""

from dataclasses import dataclass

from sqlalchemy import String, cast, func, or_, select
from sqlmodel import col

from models.participants import Organisation, OrganisationStatus
from services.core.identity.actor import Actor
from services.core.operation import operation
from services.core.transaction import current_session
from services.market.products.catalogue import load_catalogue


@dataclass(frozen=True, slots=True)
class MarketChoices:
    """Products by code, and SOs by the text of their identifier, each with its name; the products of each sub-market."""

    products: dict[str, str]
    operators: dict[str, str]
    sub_markets: dict[str, tuple[str, ...]]


@operation("UC-05.02", permission="market.statistics", writes=False, name="market_choices")
def market_choices(actor: Actor) -> MarketChoices:
    """List the products, and the SOs that applications are addressed to."""
    products = {code: f"{code} {versions[-1].name}" for code, versions in sorted(load_catalogue().versions.items())}
    newest = [versions[-1] for versions in load_catalogue().versions.values()]
    markets = {
        name: tuple(version.code for version in newest if version.sub_market == name)
        for name in sorted({version.sub_market for version in newest})
    }
    roles = cast(col(Organisation.organisation_roles), String)
    name_column = func.coalesce(col(Organisation.organisation_trading_name), col(Organisation.organisation_legal_name))
    query = select(col(Organisation.id), name_column).where(
        col(Organisation.organisation_status) == OrganisationStatus.ACTIVE,
        or_(roles.like('%"DNO"%'), roles.like('%"System Operator"%')),
    )
    operators = current_session().execute(query.order_by(name_column))
    return MarketChoices(products, {str(identifier): name for identifier, name in operators}, markets)

"""The product catalogue for readers: a filtered list, the sheet of one product, and its versions (UC-04.01)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from models.products import Phase, Product, ProductVersion
from services.core.clock import today
from services.core.errors import NotFound
from services.core.identity.actor import Actor
from services.core.operation import operation
from services.market.products.catalogue import ProductCatalogue, has_ended, load_catalogue
from services.market.products.document import product_schema
from services.market.products.market_tables import UNKNOWN, StackingCell, load_equivalences, load_stacking_matrix
from services.market.products.procurers import Buyer, find_buyers
from services.market.products.reference_data import SubMarket, sub_markets


@dataclass(frozen=True, slots=True)
class ProductFilters:
    """Filters over products: they add up, values of one are alternatives."""

    sub_markets: Sequence[str] = ()
    procurers: Sequence[str] = ()
    phases: Sequence[str] = ()
    text: str = ""
    """Part of the code or the name, in any case."""
    ended: bool = False
    """True to list products that have ended, too."""


@dataclass(frozen=True, slots=True)
class ProductView:
    """A product as it stands today."""

    product: Product
    version: ProductVersion
    """The version in force; of a product that is still to come, its first."""
    coming: ProductVersion | None
    """A newer version that is published and not yet in force."""
    ended: bool
    offered: bool
    """True when it is open for applications today."""


@dataclass(frozen=True, slots=True)
class Equivalence:
    """A step of the table of equivalences, seen from one product."""

    code: str
    name: str
    note: str


@dataclass(frozen=True, slots=True)
class ProductSheet:
    """The sheet of one product: versions, buyers, equivalences and stacking."""

    view: ProductView
    versions: Sequence[ProductVersion]
    """The oldest first."""
    buyers: Sequence[Buyer]
    leads_to: Sequence[Equivalence]
    """Products that a unit qualified for this one may apply for, too."""
    follows_from: Sequence[Equivalence]
    stacking: Mapping[str, StackingCell]
    """By every other code of the matrix; empty where nothing is known of this product."""


@operation("UC-04.01", permission="product.read", writes=False, name="list_products")
def list_products(actor: Actor, filters: ProductFilters | None = None) -> list[ProductView]:
    """List the products that pass the filters, by sub-market and code."""
    criteria, catalogue = filters or ProductFilters(), load_catalogue()
    views = [_build_view(catalogue, code) for code in catalogue.products]
    order = list(sub_markets())
    matching = [view for view in views if _matches(view, criteria)]
    return sorted(matching, key=lambda view: (_sub_market_position(order, view.version.sub_market), view.product.code))


@operation("UC-04.01", permission="product.read", writes=False, name="get_product")
def get_product(actor: Actor, code: str) -> ProductView:
    """Return one product as it stands today, ended ones included. Raises NotFound."""
    catalogue = load_catalogue()
    if code not in catalogue.products:
        raise NotFound("product", code)
    return _build_view(catalogue, code)


@operation("UC-04.01", permission="product.read", writes=False, name="product_sheet")
def product_sheet(actor: Actor, code: str) -> ProductSheet:
    """Return the sheet of one product. Raises NotFound."""
    view, catalogue = get_product(actor, code), load_catalogue()
    names = {other_code: versions[-1].name for other_code, versions in catalogue.versions.items()}
    steps = load_equivalences()
    return ProductSheet(
        view=view,
        versions=catalogue.versions[code],
        buyers=find_buyers(view.version),
        leads_to=[
            Equivalence(target, names.get(target, target), note) for start, target, note in steps if start == code
        ],
        follows_from=[
            Equivalence(start, names.get(start, start), note) for start, target, note in steps if target == code
        ],
        stacking=find_stacking_row(view.version.stacking_code),
    )


@operation("UC-04.01", permission="product.read", writes=False, name="product_versions")
def product_versions(actor: Actor, code: str) -> list[ProductVersion]:
    """List all versions of a product, newest first. Raises NotFound."""
    get_product(actor, code)
    return list(reversed(load_catalogue().versions[code]))


@operation("UC-04.01", permission="product.read", writes=False, name="one_version")
def one_version(actor: Actor, code: str, product_version: int) -> ProductVersion:
    """Return one version of a product. Raises NotFound."""
    for version in product_versions(actor, code):
        if version.product_version == product_version:
            return version
    raise NotFound("version of a product", f"{code}, {product_version}")


@operation("UC-04.01", permission="product.read", writes=False, name="schema_of_products")
def schema_of_products(actor: Actor) -> dict[str, Any]:
    """Return the JSON Schema of one version of a product."""
    return product_schema()


def find_stacking_row(code: str | None) -> dict[str, StackingCell]:
    """Find the stacking cells of one code, by the other code, in the order of the matrix; inside an operation."""
    matrix = load_stacking_matrix()
    codes = dict.fromkeys(first for first, _second in matrix)
    if code is None or code not in codes:
        return {}
    return {other_code: matrix.get((code, other_code), UNKNOWN) for other_code in codes if other_code != code}


def list_sub_markets() -> list[SubMarket]:
    """List all sub-markets in their order, those without products included."""
    return list(sub_markets().values())


def _build_view(catalogue: ProductCatalogue, code: str) -> ProductView:
    day, product, versions = today(), catalogue.products[code], catalogue.versions[code]
    in_force = catalogue.in_force(code, day)
    version, over = in_force or versions[0], has_ended(product, day)
    coming = versions[-1] if versions[-1] is not version else None
    offered = in_force is not None and not over and version.phase is Phase.GO_LIVE
    return ProductView(product, version, coming, over, offered)


def _matches(view: ProductView, criteria: ProductFilters) -> bool:
    version, text = view.version, criteria.text.strip().casefold()
    return (
        (not criteria.sub_markets or version.sub_market in criteria.sub_markets)
        and (not criteria.procurers or not set(criteria.procurers).isdisjoint(version.procurers))
        and (not criteria.phases or version.phase in criteria.phases)
        and (criteria.ended or not view.ended)
        and (text in version.code.casefold() or text in version.name.casefold())
    )


def _sub_market_position(order: list[str], sub_market: str) -> int:
    return order.index(sub_market) if sub_market in order else len(order)


def future_start(view: ProductView) -> date | None:
    """Return the first day of a product that isn't in force yet; None for one that is."""
    return view.version.valid_from if view.version.valid_from > today() else None

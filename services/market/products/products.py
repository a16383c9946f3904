"""The catalogue for those who read it: filtered, one product with everything about it, and its versions (UC-04.01)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from models.products import Phase, Product, ProductVersion
from services.core.clock import today
from services.core.errors import NotFound
from services.core.identity.actor import Actor
from services.core.operation import operation
from services.market.products.catalogue import Catalogue, ended, whole_catalogue
from services.market.products.document import as_terms as version_terms
from services.market.products.document import product_schema
from services.market.products.market_tables import UNKNOWN, StackingCell, equivalences, stacking
from services.market.products.procurers import Buyer, buyers_of
from services.market.products.reference_data import SubMarket, sub_markets


@dataclass(frozen=True, slots=True)
class ProductFilters:
    """Which products: filters add up, values of one are alternatives."""

    sub_markets: Sequence[str] = ()
    procurers: Sequence[str] = ()
    phases: Sequence[str] = ()
    text: str = ""
    """Part of the code or the name, in any case."""
    ended: bool = False
    """Whether products that have ended are shown, too."""


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
    """Whether one can apply for it today."""


@dataclass(frozen=True, slots=True)
class Equivalence:
    """A step of the table of equivalences, seen from one product."""

    code: str
    name: str
    note: str


@dataclass(frozen=True, slots=True)
class ProductSheet:
    """Everything about one product."""

    view: ProductView
    versions: Sequence[ProductVersion]
    """The oldest first."""
    buyers: Sequence[Buyer]
    leads_to: Sequence[Equivalence]
    """Products that a unit qualified for this one may apply for, too."""
    follows_from: Sequence[Equivalence]
    stacking: Mapping[str, StackingCell]
    """With each other code of the matrix; empty where nothing is known of this product."""


@operation("UC-04.01", permission="product.read", writes=False, name="list_products")
def list_products(actor: Actor, filters: ProductFilters | None = None) -> list[ProductView]:
    """The products that pass the filters, by sub-market and code."""
    wanted, catalogue = filters or ProductFilters(), whole_catalogue()
    views = [_view(catalogue, code) for code in catalogue.products]
    order = list(sub_markets())
    found = [view for view in views if _passes(view, wanted)]
    return sorted(found, key=lambda view: (_place(order, view.version.sub_market), view.product.code))


@operation("UC-04.01", permission="product.read", writes=False, name="get_product")
def get_product(actor: Actor, code: str) -> ProductView:
    """One product as it stands today, ended ones included. Raises NotFound."""
    catalogue = whole_catalogue()
    if code not in catalogue.products:
        raise NotFound("product", code)
    return _view(catalogue, code)


@operation("UC-04.01", permission="product.read", writes=False, name="product_sheet")
def product_sheet(actor: Actor, code: str) -> ProductSheet:
    """Everything about one product, for its page. Raises NotFound."""
    view, catalogue = get_product(actor, code), whole_catalogue()
    names = {each: versions[-1].name for each, versions in catalogue.versions.items()}
    steps = equivalences()
    return ProductSheet(
        view=view,
        versions=catalogue.versions[code],
        buyers=buyers_of(view.version),
        leads_to=[Equivalence(to, names.get(to, to), note) for given, to, note in steps if given == code],
        follows_from=[Equivalence(given, names.get(given, given), note) for given, to, note in steps if to == code],
        stacking=stacking_row(view.version.stacking_code),
    )


@operation("UC-04.01", permission="product.read", writes=False, name="product_versions")
def product_versions(actor: Actor, code: str) -> list[ProductVersion]:
    """All versions of a product, the newest first. Raises NotFound."""
    get_product(actor, code)
    return list(reversed(whole_catalogue().versions[code]))


@operation("UC-04.01", permission="product.read", writes=False, name="one_version")
def one_version(actor: Actor, code: str, product_version: int) -> ProductVersion:
    """One version of a product. Raises NotFound."""
    for version in product_versions(actor, code):
        if version.product_version == product_version:
            return version
    raise NotFound("version of a product", f"{code}, {product_version}")


@operation("UC-04.01", permission="product.read", writes=False, name="schema_of_products")
def schema_of_products(actor: Actor) -> dict[str, Any]:
    """The JSON Schema of one version of a product."""
    return product_schema()


def stacking_row(code: str | None) -> dict[str, StackingCell]:
    """What a stacking code may be held with, by code, in the order of the matrix; inside an operation."""
    matrix = stacking()
    codes = dict.fromkeys(first for first, _second in matrix)
    if code is None or code not in codes:
        return {}
    return {other: matrix.get((code, other), UNKNOWN) for other in codes if other != code}


def as_terms(view: ProductView) -> dict[str, Any]:
    """A product by ontology terms, with the version that is in force."""
    coming = view.coming
    return {
        **version_terms(view.version),
        "Status": view.product.status,
        "Offered": view.offered,
        "DeprecatedFrom": view.product.deprecated_from,
        "DeprecationReason": view.product.deprecation_reason,
        "ComingVersion": coming.product_version if coming else None,
        "ComingFrom": coming.valid_from if coming else None,
    }


def sub_market_list() -> list[SubMarket]:
    """All sub-markets in their order, those without products included."""
    return list(sub_markets().values())


def _view(catalogue: Catalogue, code: str) -> ProductView:
    day, product, versions = today(), catalogue.products[code], catalogue.versions[code]
    in_force = catalogue.in_force(code, day)
    version, over = in_force or versions[0], ended(product, day)
    coming = versions[-1] if versions[-1] is not version else None
    offered = in_force is not None and not over and version.phase is Phase.GO_LIVE
    return ProductView(product, version, coming, over, offered)


def _passes(view: ProductView, wanted: ProductFilters) -> bool:
    version, text = view.version, wanted.text.strip().casefold()
    return (
        (not wanted.sub_markets or version.sub_market in wanted.sub_markets)
        and (not wanted.procurers or not set(wanted.procurers).isdisjoint(version.procurers))
        and (not wanted.phases or version.phase in wanted.phases)
        and (wanted.ended or not view.ended)
        and (text in version.code.casefold() or text in version.name.casefold())
    )


def _place(order: list[str], sub_market: str) -> int:
    return order.index(sub_market) if sub_market in order else len(order)


def starts_later(view: ProductView) -> date | None:
    """The first day of a product that is still to come."""
    return view.version.valid_from if view.version.valid_from > today() else None

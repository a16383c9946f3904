"""The catalogue of products inside operations: what is in force on a day, and every version there has been (UC-04.01).

Versions are never changed, so what was read is kept for as long as products and versions stand as they did.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from threading import Lock
from typing import Any

from sqlalchemy import func, select
from sqlmodel import col

from models.products import Phase, Product, ProductStatus, ProductVersion
from services.core.db.statements import Prepared, PreparedRecords
from services.core.errors import NotFound
from services.core.settings import settings
from services.core.transaction import current_connection, current_session, reads_only

KEPT = 8


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All products with all their versions, the oldest first; the records are detached, to be read only."""

    products: Mapping[str, Product]
    versions: Mapping[str, Sequence[ProductVersion]]

    def in_force(self, code: str, day: date) -> ProductVersion | None:
        """The version of a product that new applications are for on a day; None before its first."""
        begun = [version for version in self.versions[code] if version.valid_from <= day]
        return begun[-1] if begun else None


_newest = select(col(ProductVersion.id)).order_by(col(ProductVersion.id).desc()).limit(1).scalar_subquery()
_stands: Any = select(
    # The identifier says which register this is; the sums say how far it has come.
    _newest,
    select(func.count(col(ProductVersion.id))).scalar_subquery(),
    select(func.sum(col(Product.version))).scalar_subquery(),
)
_STANDS = Prepared(_stands)
_PRODUCTS = PreparedRecords(Product, order=(col(Product.code),))
_VERSIONS = PreparedRecords(ProductVersion, order=(col(ProductVersion.code), col(ProductVersion.product_version)))
_kept: dict[tuple[object, ...], Catalogue] = {}
_lock = Lock()


def whole_catalogue() -> Catalogue:
    """All of it as it stands; inside an operation."""
    if not reads_only():
        # What this operation has changed and not yet written counts.
        current_session().flush()
    connection = current_connection()
    stands = (settings().resolved_database_url(), *(str(value) for value in _STANDS.all(connection, {})[0]))
    found = _kept.get(stands)
    if found is None:
        versions: dict[str, list[ProductVersion]] = {}
        for version in _VERSIONS.records(connection, {}):
            versions.setdefault(version.code, []).append(version)
        found = Catalogue({product.code: product for product in _PRODUCTS.records(connection, {})}, versions)
        with _lock:
            while len(_kept) >= KEPT:
                _kept.pop(next(iter(_kept)))
            _kept[stands] = found
    return found


def in_force_on(day: date) -> list[ProductVersion]:
    """The version of each product that holds on a day, by code, whatever its phase; none of one that has ended by then."""
    catalogue = whole_catalogue()
    found = [catalogue.in_force(code, day) for code, product in catalogue.products.items() if not ended(product, day)]
    return [version for version in found if version is not None]


def offered_on(day: date) -> list[ProductVersion]:
    """The versions that one may apply for on a day, by code; inside an operation.

    Those in force whose phase is go-live: later phases can't be qualified for here yet, legacy products no longer
    (sub-markets in scope: data/market/sub_markets.csv). A product whose end lies behind is none of them.
    Detached: read, don't change.
    """
    return [version for version in in_force_on(day) if version.phase is Phase.GO_LIVE]


def ended(product: Product, day: date) -> bool:
    """Whether nobody can apply for a product on a day: its end has come."""
    if product.deprecated_from is None:
        return product.status is ProductStatus.DEPRECATED
    return product.deprecated_from <= day


def version_of(code: str, product_version: int) -> ProductVersion:
    """One version of a product, whether or not it holds still; inside an operation. Raises NotFound."""
    for version in whole_catalogue().versions.get(code, ()):
        if version.product_version == product_version:
            return version
    raise NotFound("version of a product", f"{code}, {product_version}")


def newest_of(code: str) -> ProductVersion:
    """The newest version of a product, which may lie ahead; inside an operation. Raises NotFound."""
    versions = whole_catalogue().versions.get(code)
    if not versions:
        raise NotFound("product", code)
    return versions[-1]

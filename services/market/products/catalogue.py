"""The catalogue of products inside operations: the versions in force on a day, and all earlier ones (UC-04.01).

Versions are never changed, so a catalogue is cached for as long as no product or version is added or ended.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from threading import Lock
from typing import Any

from sqlalchemy import func, select
from sqlmodel import col

from models.products import Phase, Product, ProductStatus, ProductVersion
from services.core.errors import NotFound
from services.core.settings import settings
from services.core.transaction import current_session, read_detached

CACHED_CATALOGUES = 8


@dataclass(frozen=True, slots=True)
class ProductCatalogue:
    """All products with all their versions, oldest first; the records are detached: read, don't change."""

    products: Mapping[str, Product]
    versions: Mapping[str, Sequence[ProductVersion]]

    def in_force(self, code: str, day: date) -> ProductVersion | None:
        """Return the version of a product that new applications are for on a day; None before its first."""
        begun = [version for version in self.versions[code] if version.valid_from <= day]
        return begun[-1] if begun else None


_newest = select(col(ProductVersion.id)).order_by(col(ProductVersion.id).desc()).limit(1).scalar_subquery()
_STATE: Any = select(
    # The identifier tells registers apart; count and sum change with every version and every step of a product.
    _newest,
    select(func.count(col(ProductVersion.id))).scalar_subquery(),
    select(func.sum(col(Product.version))).scalar_subquery(),
)
_PRODUCTS = select(Product).order_by(col(Product.code))
_VERSIONS = select(ProductVersion).order_by(col(ProductVersion.code), col(ProductVersion.product_version))
_cache: dict[tuple[object, ...], ProductCatalogue] = {}
_lock = Lock()


def load_catalogue() -> ProductCatalogue:
    """Load the catalogue as it stands, from the cache where nothing changed; inside an operation."""
    row = current_session().execute(_STATE).one()
    state = (settings().resolved_database_url(), *(str(value) for value in row))
    catalogue = _cache.get(state)
    if catalogue is None:
        versions: dict[str, list[ProductVersion]] = {}
        for version in read_detached(_VERSIONS):
            versions.setdefault(version.code, []).append(version)
        catalogue = ProductCatalogue({product.code: product for product in read_detached(_PRODUCTS)}, versions)
        with _lock:
            while len(_cache) >= CACHED_CATALOGUES:
                _cache.pop(next(iter(_cache)))
            _cache[state] = catalogue
    return catalogue


def list_versions_in_force(day: date) -> list[ProductVersion]:
    """List the version of each product in force on a day, by code, whatever its phase; without products that have ended."""
    catalogue = load_catalogue()
    versions = [
        catalogue.in_force(code, day) for code, product in catalogue.products.items() if not has_ended(product, day)
    ]
    return [version for version in versions if version is not None]


def list_offered_versions(day: date) -> list[ProductVersion]:
    """List the versions open for applications on a day, by code; inside an operation.

    These are the versions in force whose phase is go-live: later phases can't be qualified for here yet, legacy products no
    longer (sub-markets in scope: data/market/sub_markets.csv). A product that has ended is none of them.
    Detached: read, don't change.
    """
    return [version for version in list_versions_in_force(day) if version.phase is Phase.GO_LIVE]


def has_ended(product: Product, day: date) -> bool:
    """Return True when a product has ended by a day: nobody can apply for it."""
    if product.deprecated_from is None:
        return product.status is ProductStatus.DEPRECATED
    return product.deprecated_from <= day


def find_version(code: str, product_version: int) -> ProductVersion:
    """Find one version of a product, in force or not; inside an operation. Raises NotFound."""
    for version in load_catalogue().versions.get(code, ()):
        if version.product_version == product_version:
            return version
    raise NotFound("version of a product", f"{code}, {product_version}")


def find_newest_version(code: str) -> ProductVersion:
    """Find the newest version of a product, which may not be in force yet; inside an operation. Raises NotFound."""
    versions = load_catalogue().versions.get(code)
    if not versions:
        raise NotFound("product", code)
    return versions[-1]

"""Data packages of applications: the unit, its assets and limits, frozen as they were handed in (UC-04.02)."""

import hashlib
import json
import logging
import zlib
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

from models.assets import Asset
from models.participants import Organisation
from models.products import Direction, ProductVersion
from models.qualifications import DataPackage, DataPackageContent, Qualification
from models.units import MarketUnit
from services.assets.registration.record import as_terms as asset_terms
from services.core.access_log import log_access
from services.core.canonical_json import canonical
from services.core.clock import now
from services.core.errors import Refused
from services.core.identity.actor import Actor
from services.core.identity.visibility import see, visible
from services.core.operation import operation
from services.core.transaction import current_session
from services.market.products.catalogue import find_version
from services.market.units.connection_limits import limits_of
from services.market.units.members import batches, current_assets
from services.market.units.units import UnitDetails, load_details, unit_terms

log = logging.getLogger("fmar.files")
FORMAT = "fmar-data-package-1"


@dataclass(frozen=True, slots=True)
class PackageFile:
    """A data package as a file to download."""

    file_name: str
    content: bytes
    sha256: str


def summarise_unit(details: UnitDetails) -> dict[str, Any]:
    """Summarise a unit for its data package: provider, unit and connection limits, without assets; plain JSON values."""
    provider = current_session().get_one(Organisation, details.unit.service_provider_id)
    limit = limits_of([details.unit.id]).get(details.unit.id)
    content = {
        "Format": FORMAT,
        "ServiceProvider": {
            "FmarOrganisationId": provider.id,
            "OrganisationLegalName": provider.organisation_legal_name,
            "OrganisationRegistrationNumber": provider.organisation_registration_number,
        },
        "Unit": unit_terms(details),
        "ConnectionLimits": limit
        and {"ExportLimit_kW": limit.export_kw, "ImportLimit_kW": limit.import_kw, "Words": limit.words},
    }
    return json.loads(canonical(content))


def freeze_package(unit: MarketUnit, seen_by: Actor | None = None) -> DataPackage:
    """Freeze a unit as it stands now, with every asset in it, as a data package; inside an operation that writes.


    With `seen_by`, only the assets that this actor may see: where no FSP handed the unit over.
    """
    visibility = [] if seen_by is None else [visible(Asset, seen_by)]
    details = load_details(unit)
    summary = summarise_unit(details)
    identifiers = current_assets(unit.id)
    assets: list[dict[str, Any]] = []
    for batch in batches(identifiers):
        query = select(Asset).where(col(Asset.id).in_(batch), *visibility)
        rows = current_session().scalars(query.order_by(col(Asset.id)))
        assets += [asset_terms(asset) for asset in rows]
    moment = now()
    content = canonical(
        {**summary, "MadeAt": moment, "Assets": assets, "AssetsLeftOut": len(identifiers) - len(assets)}
    ).encode()
    package = DataPackage(
        unit_id=unit.id,
        service_provider_id=unit.service_provider_id,
        composition=unit.composition,
        made_at=moment,
        assets=len(assets),
        sha256=hashlib.sha256(content).hexdigest(),
        summary=summary,
    )
    current_session().add(package)
    current_session().flush()
    current_session().add(DataPackageContent(package_id=package.id, content=zlib.compress(content)))
    return package


def product_capacity(details: UnitDetails, version: ProductVersion) -> Decimal:
    """Return the kW of a unit in a product's direction; in its better one where the product is bought both ways."""
    capability = details.capability
    match version.direction:
        case Direction.UP:
            return capability.up
        case Direction.DOWN:
            return capability.down
        case _:
            return max(capability.up, capability.down)


def unit_gsp_group(details: UnitDetails) -> str:
    """Return the GSP group of all assets of a unit; the empty text where they lie in several."""
    groups = {area.gsp_group for area in details.areas}
    return groups.pop() if len(groups) == 1 else ""


def refresh_package(qualification: Qualification) -> None:
    """Refresh the data package of an application: the unit as it is now, with its capacity and GSP group."""
    unit = current_session().get_one(MarketUnit, qualification.unit_id)
    details = load_details(unit)
    qualification.package_id = freeze_package(unit).id
    qualification.capacity = product_capacity(
        details, find_version(qualification.product_code, qualification.product_version)
    )
    qualification.gsp_group = unit_gsp_group(details)


@operation("UC-04.02", permission="qualification.read", writes=False, name="package_of")
def package_of(actor: Actor, qualification_id: UUID) -> DataPackage:
    """Return the data package of an application, without the assets. Raises NotFound when the application is unseen."""
    return current_session().get_one(DataPackage, see(Qualification, actor, qualification_id).package_id)


@operation("UC-05.01", permission="qualification.read", name="read_package")
def read_package(actor: Actor, qualification_id: UUID) -> PackageFile:
    """Return the whole data package of an application as JSON text; the access log keeps who read it.


    Raises NotFound when the application is unseen, Refused when the content is no longer what was frozen.
    """
    qualification = see(Qualification, actor, qualification_id)
    package = current_session().get_one(DataPackage, qualification.package_id)
    stored = current_session().get_one(DataPackageContent, package.id)
    try:
        content = zlib.decompress(stored.content)
    except zlib.error:
        content = b""
    if hashlib.sha256(content).hexdigest() != package.sha256:
        log.error("Data package %s is not the one that was handed in: its digest differs", package.id)
        raise Refused(
            "The data package is not the one that was handed in: it was altered in the database. Tell the FMAR administrator."
        )
    log_access(actor, "package.read", Qualification.record_type(), qualification.id, {"data_package": str(package.id)})
    name = f"{qualification.product_code}-{qualification.id}-package.json"
    return PackageFile(name, content, package.sha256)

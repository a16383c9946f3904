"""What tests of opportunities start from: qualifications laid down as they stand."""

import hashlib
from decimal import Decimal
from uuid import UUID

from sqlmodel import select

from models.products import ProductVersion
from models.qualifications import DataPackage, Qualification, QualificationStatus
from models.units import MarketUnit
from services.core.clock import now
from services.core.transaction import current_session, unit_of_work
from tests.asset_factories import STAMP


def holds(
    unit_id: UUID, code: str, operator: UUID, status: QualificationStatus = QualificationStatus.QUALIFIED
) -> Qualification:
    """That a unit holds a product, or has applied for it, whatever led there."""
    with unit_of_work(STAMP, writes=True) as session:
        unit = session.get_one(MarketUnit, unit_id)
        version = session.exec(select(ProductVersion).where(ProductVersion.code == code)).first()
        assert version is not None
        package = DataPackage(
            unit_id=unit_id,
            service_provider_id=unit.service_provider_id,
            composition=1,
            made_at=now(),
            assets=1,
            sha256=hashlib.sha256(b"").hexdigest(),
        )
        session.add(package)
        session.flush()
        made = Qualification(
            unit_id=unit_id,
            service_provider_id=unit.service_provider_id,
            product_code=code,
            product_version=version.product_version,
            family=unit.family,
            addressed_to=operator,
            status=status,
            status_since=now(),
            submitted_at=now(),
            capacity=Decimal(1000),
            package_id=package.id,
        )
        current_session().add(made)
    return made

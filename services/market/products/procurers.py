"""Which system operators buy a product, and where: procurers of the catalogue as organisations of the register (UC-04.01)."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import String, cast, or_, select
from sqlmodel import col

from models.participants import Organisation, OrganisationStatus
from models.products import ProductVersion
from services.core.transaction import current_session
from services.market.products.reference_data import Procurer, procurers

NATIONAL_ROLE, LOCAL_ROLE = "System Operator", "DNO"


@dataclass(frozen=True, slots=True)
class Buyer:
    """A procurer of a product: where it buys, and which organisations of this register it is."""

    procurer: Procurer
    organisations: Sequence[str]
    """Names; empty where it isn't in the register."""


def buyers_of(version: ProductVersion) -> list[Buyer]:
    """Who buys a product, in the order of the catalogue; inside an operation."""
    operators = _operators()
    return [
        Buyer(buyer, [one.organisation_legal_name for one in operators if is_procurer(one, buyer)])
        for code, buyer in procurers().items()
        if code in version.procurers
    ]


def operators_for(version: ProductVersion, dno_codes: Collection[str]) -> list[Organisation]:
    """The active organisations that buy this product for assets in these licence areas, by legal name; inside an operation.

    The national operator buys everywhere; a DNO in those of its own licence areas that are among its procurer's.
    Empty where nobody buys it there, or no buyer is in the register.
    """
    operators = [organisation for organisation in _operators() if buys(organisation, version, dno_codes)]
    return sorted(operators, key=lambda organisation: organisation.organisation_legal_name)


def buys(organisation: Organisation, version: ProductVersion, dno_codes: Collection[str]) -> bool:
    """Whether an organisation buys this product for assets in these licence areas."""
    buyers = procurers()
    return any(_buys_in(organisation, buyers[code], dno_codes) for code in version.procurers if code in buyers)


def procurers_of(organisation: Organisation) -> list[str]:
    """The codes under which an organisation buys; none for one that is no system operator."""
    return [buyer.code for buyer in procurers().values() if is_procurer(organisation, buyer)]


def is_procurer(organisation: Organisation, buyer: Procurer) -> bool:
    """Whether an organisation is this procurer, by its role and licence areas, whatever its name."""
    if organisation.organisation_status is not OrganisationStatus.ACTIVE:
        return False
    if not buyer.dno_codes:
        return NATIONAL_ROLE in organisation.organisation_roles
    return LOCAL_ROLE in organisation.organisation_roles and not set(buyer.dno_codes).isdisjoint(
        organisation.licence_areas
    )


def _buys_in(organisation: Organisation, buyer: Procurer, dno_codes: Collection[str]) -> bool:
    if not is_procurer(organisation, buyer):
        return False
    return not buyer.dno_codes or not set(buyer.dno_codes).isdisjoint(set(organisation.licence_areas) & set(dno_codes))


def _operators() -> list[Organisation]:
    """All active system operators; a few dozen in any register."""
    roles = cast(col(Organisation.organisation_roles), String)
    chosen = select(Organisation).where(
        col(Organisation.organisation_status) == OrganisationStatus.ACTIVE,
        or_(roles.contains(f'"{NATIONAL_ROLE}"'), roles.contains(f'"{LOCAL_ROLE}"')),
    )
    return list(current_session().scalars(chosen.order_by(col(Organisation.id))))

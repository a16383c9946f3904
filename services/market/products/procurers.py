"""Procurers of products as organisations of the register: the system operators that buy, and where (UC-04.01)."""

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
    """A procurer of a product, with the organisations of this register that it is."""

    procurer: Procurer
    organisations: Sequence[str]
    """Names; empty where it isn't in the register."""


def find_buyers(version: ProductVersion) -> list[Buyer]:
    """Find the buyers of a product, in the order of the catalogue; inside an operation."""
    operators = _active_operators()
    return [
        Buyer(buyer, [operator.organisation_legal_name for operator in operators if is_procurer(operator, buyer)])
        for code, buyer in procurers().items()
        if code in version.procurers
    ]


def find_operators(version: ProductVersion, dno_codes: Collection[str]) -> list[Organisation]:
    """Find the active organisations that buy a product for assets in these licence areas, by legal name.

    Inside an operation.

    The national operator buys everywhere; a DNO in those of its own licence areas that are among its procurer's.
    Empty where nobody buys it there, or no buyer is in the register.
    """
    operators = [organisation for organisation in _active_operators() if buys(organisation, version, dno_codes)]
    return sorted(operators, key=lambda organisation: organisation.organisation_legal_name)


def buys(organisation: Organisation, version: ProductVersion, dno_codes: Collection[str]) -> bool:
    """Return True when an organisation buys this product for assets in these licence areas."""
    buyers = procurers()
    return any(_buys_in(organisation, buyers[code], dno_codes) for code in version.procurers if code in buyers)


def list_procurer_codes(organisation: Organisation) -> list[str]:
    """List the procurer codes of an organisation; empty for one that is no system operator."""
    return [buyer.code for buyer in procurers().values() if is_procurer(organisation, buyer)]


def is_procurer(organisation: Organisation, buyer: Procurer) -> bool:
    """Return True when an organisation is this procurer, by role and licence areas, whatever its name."""
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


def _active_operators() -> list[Organisation]:
    """Return all active system operators; a few dozen in any register."""
    roles = cast(col(Organisation.organisation_roles), String)
    query = select(Organisation).where(
        col(Organisation.organisation_status) == OrganisationStatus.ACTIVE,
        or_(roles.contains(f'"{NATIONAL_ROLE}"'), roles.contains(f'"{LOCAL_ROLE}"')),
    )
    return list(current_session().scalars(query.order_by(col(Organisation.id))))

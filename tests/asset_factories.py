"""What asset tests start from: organisations, people who act for them, and values that a registration accepts."""

from collections.abc import Iterable
from typing import Any

from models.assets import Asset
from models.participants import (
    Membership,
    MembershipStatus,
    Organisation,
    OrganisationStatus,
    Role,
    User,
)
from services.assets.registration.register import register_asset
from services.assets.rules.mpan import mpan_check_digit
from services.core.clock import now
from services.core.identity.actor import Actor, system_actor
from services.core.transaction import Stamp, current_session, unit_of_work
from tests.numbers import NUMBERS

STAMP = Stamp("test_data", "UC-01.02", system_actor("Test data"))


def make_organisation(
    name: str = "Northgate Flex",
    roles: Iterable[str] = ("FSP",),
    *,
    licence_areas: Iterable[str] = (),
    status: OrganisationStatus = OrganisationStatus.ACTIVE,
) -> Organisation:
    """An organisation in the register as a test needs it."""
    with unit_of_work(STAMP, writes=True):
        made = Organisation(
            organisation_legal_name=f"{name} Ltd",
            legal_name_key=f"{name} ltd {next(NUMBERS)}".upper(),
            organisation_type="Private Limited Company",
            organisation_roles=list(roles),
            organisation_status=status,
            licence_areas=list(licence_areas),
            approved_at=now(),
        )
        current_session().add(made)
    return made


def make_actor(organisation: Organisation, *roles: Role, name: str = "Priya Shah") -> Actor:
    """A person who acts for the organisation; an FSP user unless other roles are given."""
    held = roles or (Role.FSP_USER,)
    with unit_of_work(STAMP, writes=True):
        user = User(email=f"person{next(NUMBERS)}@example.org", full_name=name)
        current_session().add(user)
        current_session().flush()
        current_session().add(
            Membership(
                user_id=user.id,
                organisation_id=organisation.id,
                roles=[str(role) for role in held],
                status=MembershipStatus.ACTIVE,
            )
        )
    return Actor(
        name=name,
        roles=frozenset(held),
        user_id=user.id,
        email=user.email,
        organisation_id=organisation.id,
        organisation_name=organisation.organisation_legal_name,
        areas=frozenset(organisation.licence_areas),
        all_areas="System Operator" in organisation.organisation_roles,
    )


def make_provider(name: str = "Northgate Flex") -> Actor:
    """An FSP user of a new active FSP."""
    return make_actor(make_organisation(name))


def make_administrator() -> Actor:
    """An FMAR administrator."""
    return make_actor(make_organisation("Elexon", ("Market Facilitator",)), Role.ADMINISTRATOR, name="Ada Field")


def make_operator(*licence_areas: str) -> Actor:
    """A system operator's user who sees these licence areas."""
    operator = make_organisation("UK Power Networks", ("DNO",), licence_areas=licence_areas)
    return make_actor(operator, Role.SO_USER, name="Owen Price")


def an_mpan(distributor: str = "10") -> str:
    """A valid MPAN core that no other call gave."""
    digits = f"{distributor}{next(NUMBERS):010d}"
    return f"{digits}{mpan_check_digit(digits)}"


def battery(**changes: Any) -> dict[str, Any]:
    """Values of a battery that stands in Cambridge and passes every rule; each call another device."""
    number = next(NUMBERS)
    return {
        "AssetName": f"Riverside battery {number}",
        "AssetCategory": "BESS",
        "RatedCapacity": "2500.00",
        "GenCapacity": "2500",
        "DemandCapacity": 2400,
        "EffectiveDate": "2030-01-01",
        "CommissioningDate": "2025-06-30",
        "Manufacturer": "Ampere Devices",
        "AssetModel": "AD-2500",
        "SerialNumber": f"AD2500-{number:06d}",
        "ConnectionStatus": "CONNECTED",
        "ConnectionType": "FIRM",
        "DNOConnection": "UKPN_EPN",
        "ImportMPAN": an_mpan(),
        "Latitude": "52.2053",
        "Longitude": "0.1218",
        "Postcode": "CB1 2JD",
        "StorageCapacity_kWh": 5000,
        **changes,
    }


OF_CATEGORY: dict[str, dict[str, Any]] = {
    "BESS": {},
    "SOLAR_PV": {"FuelType_EnergySource": "SOLAR", "ExportMPAN": True},
    "WIND_TURBINE": {"FuelType_EnergySource": "WIND", "ExportMPAN": True},
    "CHP": {"FuelType_EnergySource": "NATURAL_GAS", "ExportMPAN": True},
    "EV_CHARGER": {"FuelType_DemandTechType": "EV"},
    "HEAT_PUMP": {"FuelType_DemandTechType": "HEAT_PUMP"},
    "HVAC": {"FuelType_DemandTechType": "HVAC"},
    "REFRIGERATION": {"FuelType_DemandTechType": "REFRIGERATION"},
    "ELECTRIC_BOILER": {"FuelType_DemandTechType": "ELECTRIC_BOILER"},
    "INDUSTRIAL_LOAD": {"FuelType_DemandTechType": "INDUSTRIAL_LOAD"},
    "OTHER": {"FuelType_EnergySource": "HYDRO", "FuelType_DemandTechType": "OTHER", "OtherDescription": "A mill"},
}


def values_for(category: str, **changes: Any) -> dict[str, Any]:
    """Values of an asset of any shipped category that passes every rule."""
    values = battery(AssetCategory=category, **OF_CATEGORY[category])
    values.pop("StorageCapacity_kWh", None) if category != "BESS" else None
    if values.get("ExportMPAN"):
        values["ExportMPAN"] = an_mpan()
    return values | changes


def registered(actor: Actor, **changes: Any) -> Asset:
    """A registered battery."""
    return register_asset(actor, battery(**changes))

"""What market tests start from: providers with Verified assets in units, and system operators who buy products."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from models.assets import Asset, AssetStatus
from models.participants import Role
from models.products import Family
from models.qualifications import Qualification
from models.units import MarketUnit
from services.core.clock import today
from services.core.identity.actor import Actor
from services.core.transaction import current_session, unit_of_work
from services.market.qualification.application import apply_for_products
from services.market.qualification.assessment import AssessmentResult, AssessmentVerdict, decide_application
from services.market.unit_changes.composition import create_unit
from services.market.units.units import get_unit
from tests.asset_factories import STAMP, make_actor, make_organisation, make_provider, registered
from tests.numbers import NUMBERS

BECAUSE = "Tested on site in May; the report is attached."
JUSTIFIED = "The meters are being replaced before delivery begins."


def make_dso(name: str = "UK Power Networks", *areas: str) -> Actor:
    """Somebody who assesses applications at a DSO; of eastern England unless other licence areas are given."""
    return make_actor(
        make_organisation(name, ("DNO",), licence_areas=areas or ("UKPN_EPN",)), Role.SO_USER, name="Owen Price"
    )


def make_neso() -> Actor:
    """Somebody who assesses applications at the national operator."""
    return make_actor(make_organisation("NESO", ("System Operator",)), Role.SO_USER, name="Nia Field")


def verified(actor: Actor, **changes: object) -> Asset:
    """A Verified battery of 2,500 kW in Cambridge."""
    asset = registered(actor, **changes)
    set_status(asset, AssetStatus.VERIFIED)
    return asset


def set_status(asset: Asset, status: AssetStatus) -> None:
    """Bring an asset into a state, as checks and people would."""
    with unit_of_work(STAMP, writes=True):
        stored = current_session().get_one(Asset, asset.id)
        stored.status = status


def make_unit(
    actor: Actor, *, family: Family = Family.DSO, assets: Sequence[Asset] = (), name: str = "Cambridge batteries"
) -> MarketUnit:
    """A unit of these assets; of one new Verified battery without any."""
    chosen = list(assets) or [verified(actor)]
    code = f"UNIT-{next(NUMBERS):04d}"
    return create_unit(actor, name=name, code=code, family=str(family), asset_ids=[asset.id for asset in chosen]).unit


def apply_for(actor: Actor, unit: MarketUnit, *codes: str, to: Sequence[UUID] = ()) -> list[Qualification]:
    """Applications of the unit as it stands for these products; for SU without any."""
    version = get_unit(actor, unit.id).unit.version
    return apply_for_products(
        actor, unit.id, dict.fromkeys(codes or ("SU",), to), version=version, justification=JUSTIFIED
    )


def qualified(operator: Actor, application: Qualification, outcome: AssessmentResult | None = None) -> Qualification:
    """The application once its SO has qualified it, for a year unless said otherwise."""
    return decide_application(operator, application.id, outcome or good(), application.version)


def good(days: int = 365, **changes: object) -> AssessmentResult:
    """A decision to qualify for so many days."""
    values = {"verdict": AssessmentVerdict.QUALIFIED, "reason": BECAUSE, "valid_until": today() + timedelta(days=days)}
    return AssessmentResult(**{**values, **changes})  # pyright: ignore[reportArgumentType]


def bad(code: str = "TEST_FAILED") -> AssessmentResult:
    """A decision to fail."""
    return AssessmentResult(AssessmentVerdict.FAILED, "The test of 3 May was not passed.", reason_code=code)


def make_market(*areas: str) -> tuple[Actor, Actor, MarketUnit]:
    """A provider, the DSO of its area, and a unit of the provider there."""
    operator, actor = make_dso("UK Power Networks", *areas), make_provider()
    return actor, operator, make_unit(actor)

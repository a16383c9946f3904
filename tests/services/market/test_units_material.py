"""A material change of a unit that is qualified: said before it is made, and told to whom it is qualified with."""

from datetime import timedelta

import pytest

from models.qualifications import Qualification, QualificationStatus
from models.units import MarketUnit
from services.assets.reading.assets import get_asset
from services.assets.registration.update import update_asset
from services.core.clock import today
from services.core.identity.actor import Actor
from services.core.jobs.worker import work_through
from services.market.qualification.application import apply_for_products
from services.market.qualification.assessment import AssessmentResult, AssessmentVerdict, decide_application
from services.market.qualification.listing import get_qualification
from services.market.unit_changes.composition import preview_composition, update_composition
from services.market.units.members import list_members
from services.market.units.units import get_unit
from tests.asset_factories import make_operator, make_provider
from tests.unit_factories import make_unit, verified

pytestmark = pytest.mark.usefixtures("register")


def qualified_unit() -> tuple[Actor, Actor, MarketUnit, Qualification]:
    """A provider, the operator of its area, and a unit that is qualified there for a year."""
    operator, actor = make_operator("UKPN_EPN"), make_provider()
    unit = make_unit(actor).unit
    why = "The meters are being replaced before delivery begins."
    [application] = apply_for_products(actor, unit.id, {"SU": ()}, version=unit.version, justification=why)
    outcome = AssessmentResult(
        AssessmentVerdict.QUALIFIED, "Tested on site in May.", valid_until=today() + timedelta(days=365)
    )
    return actor, operator, unit, decide_application(operator, application.id, outcome, application.version)


@pytest.mark.use_case("UC-03.03")
def test_a_material_change_names_the_operator_first_and_asks_it_again_then() -> None:
    actor, operator, unit, done = qualified_unit()
    more = verified(actor)
    preview = preview_composition(actor, unit.id, add=[more.id])
    assert [one.qualification_id for one in preview.affected] == [done.id]
    assert preview.sentence.startswith("This makes the unit Re-assessment Required at UK Power Networks")
    assert "capacity up moves by 100.0 %" in preview.sentence
    assert get_qualification(actor, done.id).qualification.status is QualificationStatus.QUALIFIED, (
        "looking changes nothing"
    )
    update_composition(actor, unit.id, get_unit(actor, unit.id).unit.version, add=[more.id])
    stands = get_qualification(operator, done.id).qualification
    assert stands.status is QualificationStatus.REASSESSMENT_REQUIRED
    assert stands.qualified_at is not None, "the approval stands until it is decided"


@pytest.mark.use_case("UC-02.03")
def test_a_material_change_of_an_asset_asks_the_operator_again() -> None:
    actor, _operator, unit, done = qualified_unit()
    member = list_members(actor, unit.id).items[0].asset_id
    asset = get_asset(actor, member)
    update_asset(actor, asset.id, {"GenCapacity": "2450"}, asset.version)
    work_through()
    assert get_qualification(actor, done.id).qualification.status is QualificationStatus.QUALIFIED, (
        "2 % is not material"
    )
    asset = get_asset(actor, member)
    update_asset(actor, asset.id, {"GenCapacity": "1000"}, asset.version)
    work_through()
    assert get_qualification(actor, done.id).qualification.status is QualificationStatus.REASSESSMENT_REQUIRED

"""Many applications at once in the portal: the queue's and the FSP's list (UC-04.02)."""

from collections.abc import Iterable
from datetime import timedelta

import pytest
from streamlit.testing.v1 import AppTest

from models.qualifications import Qualification, QualificationStatus
from services.core.clock import today
from services.core.identity.actor import Actor
from services.market.qualification.assessment import AssessmentVerdict, take_application
from services.market.qualification.listing import get_qualification
from tests.factories import make_organisation
from tests.market_factories import BECAUSE, apply_for, make_unit
from tests.pages.portal import be, open_page, press, quiet, text
from tests.pages.tables import table

pytestmark = [pytest.mark.usefixtures("one_register"), pytest.mark.use_case("UC-04.02")]
S = QualificationStatus


def scene() -> tuple[Actor, Actor, list[Qualification]]:
    """An FSP and the DNO of its area, both personas of the portal, and three applications for one product."""
    area = make_organisation("UK Power Networks", ("DNO",), licence_areas=["UKPN_EPN"])
    operator = be("ukpn", area, ["so_user"], "Owen Price")
    actor = be("northgate", make_organisation("Northgate Flex", ("FSP",)), ["fsp_user"])
    return actor, operator, [apply_for(actor, make_unit(actor, name=f"Unit {number}"))[0] for number in range(3)]


def choose(at: AppTest, rows: Iterable[int]) -> AppTest:
    """Tick rows of the table for an act on all of them."""
    return table(at).tick(*rows)


def act(at: AppTest, name: str) -> AppTest:
    """Choose what to do with them."""
    at.get_by_key("many-act").set_value(name)
    return quiet(at.run())


def states(actor: Actor, made: Iterable[Qualification]) -> list[QualificationStatus]:
    """How they stand."""
    return [get_qualification(actor, one.id).qualification.status for one in made]


def test_like_cases_are_decided_together_on_the_queue() -> None:
    actor, _operator, made = scene()
    at = act(choose(open_page("ukpn", "market/queue"), range(3)), "decide")
    at.get_by_key("many-verdict").set_value(AssessmentVerdict.QUALIFIED)
    quiet(at.run())
    press(at, "Qualify 3 applications")
    assert "Write 3 to 2,000 characters." in text(at), "a decision has a reason"
    assert states(actor, made) == [S.SUBMITTED] * 3
    at.get_by_key("many-text").set_value(BECAUSE)
    press(at, "Qualify 3 applications")
    assert states(actor, made) == [S.QUALIFIED] * 3
    found = get_qualification(actor, made[0].id).qualification
    assert (found.status_reason, found.valid_until) == (BECAUSE, today() + timedelta(days=365))
    assert "No application waits for a decision." in text(at)


def test_a_colleague_who_was_quicker_leaves_the_decision_undone_and_what_was_typed_in_place() -> None:
    actor, operator, made = scene()
    at = act(choose(open_page("ukpn", "market/queue"), range(3)), "decide")
    at.get_by_key("many-verdict").set_value(AssessmentVerdict.FAILED)
    quiet(at.run())
    at.get_by_key("many-code").set_value("TEST_FAILED")
    at.get_by_key("many-text").set_value("The test was not passed.")
    # What the reader saw before a colleague took one.
    take_application(operator, made[1].id, made[1].version)
    press(at, "Fail 3 applications")
    told = text(at)
    assert "None was decided: 1 of 3 can't be decided now." in told
    assert "Somebody else changed this application" in told
    assert at.get_by_key("many-text").value == "The test was not passed."
    assert S.FAILED not in states(actor, made)


def test_many_are_taken_and_assigned_and_those_left_say_why() -> None:
    actor, operator, made = scene()
    at = act(choose(open_page("ukpn", "market/queue"), range(3)), "take")
    take_application(operator, made[1].id, made[1].version)
    press(at, "Take")
    told = text(at)
    assert "2 applications taken: yours from now on." in told
    assert "1 application left as it was:" in told
    assert "SU, Unit 1" in told
    assert states(actor, made) == [S.IN_ASSESSMENT] * 3
    at = act(choose(open_page("ukpn", "market/queue"), range(2)), "assign")
    press(at, "Assign")
    assert "2 applications assigned." in text(at)
    names = [get_qualification(operator, one.id).qualification.assigned_name for one in made]
    assert names.count(None) == 2, "given to nobody"


def test_an_fsp_withdraws_many_for_one_reason() -> None:
    actor, _operator, made = scene()
    at = choose(open_page("northgate", "market/applications"), range(2))
    press(at, "Withdraw for good")
    assert "Write 3 to 2,000 characters." in text(at)
    at.get_by_key("many-why").set_value("The site was sold.")
    press(at, "Withdraw for good")
    assert "2 applications withdrawn." in text(at)
    assert sorted(states(actor, made)) == [S.SUBMITTED, S.WITHDRAWN, S.WITHDRAWN]

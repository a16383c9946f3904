"""Qualification in the portal (UC-04.02): applying, the queue, one application, what it says of readiness."""

from datetime import timedelta

import pytest
from streamlit.testing.v1 import AppTest

from models.qualifications import Qualification, QualificationStatus
from models.units import MarketUnit
from services.assets.reading.assets import get_asset
from services.assets.registration.update import update_asset
from services.core.clock import today
from services.core.conversation.definition import Audience
from services.core.identity.actor import Actor
from services.market.qualification.assessment import AssessmentVerdict
from services.market.qualification.listing import get_qualification, list_qualifications
from services.market.qualification.messages import said_on_application
from services.market.units.members import list_members
from tests.asset_factories import an_mpan
from tests.factories import make_organisation
from tests.market_factories import JUSTIFIED, apply_for, good, make_dso, make_unit, qualified, verified
from tests.pages.portal import be, be_administrator, open_page, press, quiet, text
from tests.pages.tables import table

pytestmark = [pytest.mark.usefixtures("one_register"), pytest.mark.use_case("UC-04.02")]
S = QualificationStatus


def scene() -> tuple[Actor, Actor, MarketUnit]:
    """An FSP and the DNO of its area, both personas of the portal, and a unit."""
    operator = be(
        "ukpn", make_organisation("UK Power Networks", ("DNO",), licence_areas=["UKPN_EPN"]), ["so_user"], "Owen Price"
    )
    actor = be("northgate", make_organisation("Northgate Flex", ("FSP",)), ["fsp_user"])
    return actor, operator, make_unit(actor)


def of(actor: Actor, one: Qualification) -> Qualification:
    """The application as it stands."""
    return get_qualification(actor, one.id).qualification


def application(persona: str, one: Qualification, **more: str) -> AppTest:
    """Its page."""
    return open_page(persona, "market/application", id=str(one.id), **more)


def click(at: AppTest, key: str) -> AppTest:
    """Press the button with this key."""
    return quiet(at.get_by_key(key).click().run())


def test_applying_on_the_page_of_a_unit() -> None:
    actor, _operator, unit = scene()
    at = open_page("northgate", "market/unit", id=str(unit.id), part="Qualifications")
    assert "No applications yet." in text(at)
    at.get_by_key(f"apply-{unit.id}-products").set_value(["SU", "SAOUDA"])
    quiet(at.run())
    told = text(at)
    assert "SU goes to UK Power Networks. Indicatively:" in told
    assert "with all 1 assets" in told
    if any(area.key == f"apply-{unit.id}-why" for area in at.text_area):
        at.get_by_key(f"apply-{unit.id}-why").set_value(JUSTIFIED)
    press(at, "Submit 2 applications")
    made = list_qualifications(actor).items
    assert {line.qualification.product_code for line in made} == {"SU", "SAOUDA"}
    assert len({line.qualification.package_id for line in made}) == 1
    assert "2 applications" in text(open_page("northgate", "market/applications"))


def test_the_operator_takes_asks_and_qualifies_and_the_provider_answers() -> None:
    actor, operator, unit = scene()
    [made] = apply_for(actor, unit)
    at = application("ukpn", made)
    assert "20 working days left" in text(at)
    assert "Only its FSP can do this" not in text(at), "what others do isn't listed"
    click(at, "take_application")
    assert of(actor, made).assigned_name == "Owen Price"
    click(at, "ask_information")
    at.get_by_key(f"ask_information-{made.id}-text").set_value("Which *meter* is it?")
    click(at, f"ask_information-{made.id}-do")
    assert of(actor, made).status is S.INFORMATION_REQUESTED
    assert "Paused, 20 working days left" in text(at)
    at = application("northgate", made)
    assert "Which *meter* is it?" in text(at)
    click(at, "answer_information")
    at.get_by_key(f"answer_information-{made.id}-text").set_value("The second one.")
    click(at, f"answer_information-{made.id}-do")
    assert of(actor, made).status is S.IN_ASSESSMENT
    at = application("ukpn", made)
    click(at, "decide_application")
    at.get_by_key(f"decide-{made.id}-verdict").set_value(AssessmentVerdict.QUALIFIED)
    quiet(at.run())
    at.get_by_key(f"decide-{made.id}-until").set_value(f"{today() + timedelta(days=90):%d/%m/%Y}")
    at.get_by_key(f"decide-{made.id}-conditions").set_value("Not in winter.")
    click(at, f"decide-{made.id}-do")
    assert "Write 3 to 2,000 characters." in text(at), "what is missing is said, and what was typed stays"
    at.get_by_key(f"decide-{made.id}-text").set_value("The test was passed.")
    click(at, f"decide-{made.id}-do")
    stands = of(operator, made)
    assert (stands.status, stands.conditions, stands.valid_until) == (
        S.QUALIFIED,
        "Not in winter.",
        today() + timedelta(days=90),
    )
    assert "Conditions: Not in winter." in text(application("northgate", made))


def test_suspending_is_coded_and_a_stale_page_says_so() -> None:
    actor, operator, unit = scene()
    made = qualified(operator, apply_for(actor, unit)[0])
    at, other = application("ukpn", made), application("ukpn", made)
    click(at, "suspend_qualification")
    at.get_by_key(f"suspend_qualification-{made.id}-code").set_value("SAFETY")
    at.get_by_key(f"suspend_qualification-{made.id}-text").set_value("It is unsafe.")
    click(at, f"suspend_qualification-{made.id}-do")
    assert of(actor, made).reason_code == "SAFETY"
    click(other, "demand_reassessment")
    assert "Require re-assessment: It is Suspended." in text(other), "the page shows how things stand now"
    at = application("northgate", made)
    click(at, "withdraw_application")
    at.get_by_key(f"withdraw_application-{made.id}-text").set_value("The site closes.")
    click(at, f"withdraw_application-{made.id}-danger")
    assert "Nothing is done yet" in text(at)
    at.get_by_key(f"withdraw_application-{made.id}-word").set_value("withdraw")
    click(at, f"withdraw_application-{made.id}-danger")
    assert of(actor, made).status is S.WITHDRAWN


def test_a_comment_says_who_reads_it() -> None:
    actor, operator, unit = scene()
    [made] = apply_for(actor, unit)
    at = application("northgate", made)
    key = f"comment-{made.id}"
    assert "Choose who reads it, then write." in text(at)
    at.get_by_key(f"{key}-audience").set_value(Audience.OWN_ORGANISATION)
    quiet(at.run())
    at.get_by_key(f"{key}-text").set_value("The inverter is broken.")
    press(at, "Keep within Northgate Flex")
    assert [one.message.text for one in said_on_application(actor, made.id)] == ["The inverter is broken."]
    assert said_on_application(operator, made.id) == []
    assert "The inverter is broken." not in "".join(str(one.value) for one in application("ukpn", made).text)


def test_package_and_history_are_shown() -> None:
    actor, _operator, unit = scene()
    [made] = apply_for(actor, unit)
    assert "nothing in it changes" in text(application("ukpn", made, part="Data package"))
    assert "Apply for products" in text(application("northgate", made, part="History"))


def test_the_queue_goes_by_the_clock_its_filters_stand_in_the_address_and_like_cases_are_decided_together() -> None:
    actor, operator, unit = scene()
    assert "No application waits for a decision." in text(open_page("ukpn", "market/queue"))
    made = [apply_for(actor, one)[0] for one in (unit, make_unit(actor, name="Ely batteries"))]
    other = qualified(operator, apply_for(actor, unit, "SAOUDA")[0])
    at = open_page("ukpn", "market/queue", status="SUBMITTED")
    assert len(table(at).rows) == 2
    assert "No application passes these filters." in text(open_page("ukpn", "market/queue", clock="LATE"))
    assert len(table(open_page("ukpn", "market/queue")).rows) == 2, "what waits"
    assert len(table(open_page("ukpn", "market/queue", decided="true")).rows) == 3, "and what was decided"
    be_administrator()
    assert "Decided" in text(open_page("administrator", "market/queue", product="SAOUDA"))
    assert of(actor, other).status is S.QUALIFIED
    assert {of(actor, one).status for one in made} == {S.SUBMITTED}


def test_the_operator_accepts_what_a_colleague_qualified() -> None:
    actor, operator, _unit = scene()
    newcastle = {"DNOConnection": "NPG_NE", "Latitude": "54.97", "Longitude": "-1.61", "Postcode": "NE1 4ST"}
    unit = make_unit(actor, assets=[verified(actor), verified(actor, **newcastle, ImportMPAN=an_mpan("15"))])
    north = make_dso("Northern Powergrid Two", "NPG_NE")
    assert north.organisation_id
    theirs = qualified(north, apply_for(actor, unit, to=[north.organisation_id])[0])
    at = open_page("ukpn", "market/queue")
    assert "is qualified for SU by Northern Powergrid Two" in text(at)
    click(at, f"accept-{theirs.id}-SU")
    [accepted] = list_qualifications(operator).items
    assert (accepted.qualification.status, accepted.qualification.accepted_from) == (S.QUALIFIED, theirs.id)


def test_readiness_says_what_is_missing_and_then_yes() -> None:
    actor, operator, unit = scene()
    [made] = apply_for(actor, unit)
    at = open_page("northgate", "market/unit", id=str(unit.id), part="Readiness")
    assert "SU for UK Power Networks: not ready, 2 issues" in text(at)
    qualified(operator, made, good(3000))
    at.get_by_key(f"ready-on-{unit.id}").set_value(f"{today() + timedelta(days=2500):%d/%m/%Y}")
    quiet(at.run())
    assert "SU for UK Power Networks: ready" in text(at)


def test_what_waits_leads_to_exactly_what_it_counts() -> None:
    actor, _operator, unit = scene()
    apply_for(actor, unit)
    at = open_page("ukpn")
    [found] = [one.proto for one in at.get("page_link") if "application has" in one.proto.label]
    assert "been taken" in found.label
    assert found.query_string == "status=SUBMITTED"


def test_an_assessor_sees_needs_has_and_met_the_assets_and_what_changed_since() -> None:
    actor, operator, unit = scene()
    [made] = apply_for(actor, unit)
    at = application("ukpn", made)
    requirements = at.table[0].value
    assert list(requirements.columns) == ["Requirement", "Needs", "Has", "Result"]
    assert "✓ Met" in set(requirements["Result"])
    [member] = list_members(actor, unit.id).items
    asset = get_asset(actor, member.asset_id)
    update_asset(actor, asset.id, {"AssetName": "Renamed since"}, asset.version)
    at = application("ukpn", made, part="Assets and like cases")
    assert "1 assets handed in. Since then: 1 changed, 0 left the unit, 0 came in." in text(at)
    [row] = table(at).rows
    assert row["Name"] == asset.asset_name
    assert row["Since submission"] == "AssetName"
    assert "No other application for this version of the product has been decided yet." in text(at)
    del operator


def test_readiness_shows_every_product_of_the_unit_for_the_day() -> None:
    actor, _operator, unit = scene()
    apply_for(actor, unit, "SU", "SAOUDA")
    at = open_page("northgate", "market/unit", id=str(unit.id), part="Readiness")
    told = text(at)
    assert "Ready for 0 of 2 on" in told
    assert "SU for UK Power Networks" in told
    assert "SAOUDA for UK Power Networks" in told

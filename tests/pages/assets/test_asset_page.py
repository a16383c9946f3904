"""An asset's page and its change in the portal: what can be done, where values come from, history, as of, conflicts."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
import time_machine

from models.assets import Asset, AssetStatus, CheckOutcome, CheckSource
from services.assets.checks.outcomes import Answer, comparison_rows
from services.assets.checks.queries import messages_of
from services.assets.checks.records import open_checks, record_answers
from services.assets.reading.assets import get_asset
from services.assets.registration.update import update_asset
from services.core.clock import show_date, today
from services.core.comparison import compare
from services.core.errors import NotFound
from services.core.identity.actor import Actor
from tests.asset_factories import registered
from tests.pages.asset_portal import administrator, attributes, fill, open_page, plain_text, press, quiet, somebody

pytestmark = pytest.mark.usefixtures("one_register")


def answered(asset: Asset, theirs: str) -> Asset:
    """The asset once its sources have answered: the connection register with this rated capacity, others with nothing."""
    [(_asset, checks)] = open_checks([asset.id])
    answers = {check.id: Answer(CheckOutcome.NOT_APPLICABLE, "Does not know such assets.") for check in checks}
    ours = f"{asset.rated_capacity}"
    row = compare("RatedCapacity", "rated capacity", ours, theirs, ours == theirs, "The register")
    outcome = CheckOutcome.AGREES if ours == theirs else CheckOutcome.DIFFERS
    source = CheckSource.CONNECTION_REGISTER
    asked = next(check.id for check in checks if check.source is source)
    answers[asked] = Answer(
        outcome, "Found by MPAN.", comparison_rows(source, [row]), "MPAN", "UK Power Networks, August 2025"
    )
    return record_answers([asset.id], answers, {})[0]


def reload(actor: Actor, asset: Asset) -> Asset:
    """The asset as it stands now."""
    return get_asset(actor, asset.id)


@pytest.mark.use_case("UC-02.01")
def test_a_verified_asset_says_who_verified_what_and_what_can_be_done() -> None:
    actor = somebody("northgate")
    asset = answered(registered(actor), "2500.00")
    at = open_page("northgate", "asset", id=str(asset.id))
    told = plain_text(at)
    assert at.title[0].value == asset.asset_name
    origins = attributes(at)
    assert "Verified] :small[UK Power Networks, August 2025" in origins["Rated capacity"]
    assert f"Declared] :small[Northgate Person, {show_date(today())}" in origins["Manufacturer"]
    assert "Worked out] :small[The rated capacity stands for it" in origins["Installed capacity"]
    buttons = {button.label: button for button in at.button}
    assert not buttons["Change its details"].disabled
    assert not buttons["Build a market unit with it"].disabled, "the next step"
    assert any("Not possible now: Answer the query" in one.label for one in at.expander)
    assert "No query is open on it." in told
    assert "FMAR administrator can do this" not in told, "what this role never does isn't listed"


@pytest.mark.use_case("UC-02.01")
def test_a_query_is_answered_by_the_fsp_and_settled_by_the_administrator() -> None:
    actor, admin = somebody("northgate"), administrator()
    asset = answered(registered(actor), "2000.00")
    assert asset.status is AssetStatus.QUERY
    at = open_page("northgate", "asset", id=str(asset.id))
    assert "Differs" in attributes(at)["Rated capacity"]
    assert "says **2,000.00 kW**" in attributes(at)["Rated capacity"]
    press(at, "Send the answer")
    assert "Write 3 to 4,000 characters." in plain_text(at), "an empty answer is refused"
    at.get_by_key(f"answer-{asset.id}").set_value("Uprated")
    press(at, "Send the answer")
    assert reload(actor, asset).status is AssetStatus.PENDING_VALIDATION
    desk = open_page("administrator", "asset", id=str(asset.id))
    told = plain_text(desk)
    assert "1 open difference" in told
    assert ":small[Declared]  \n**2,500.00 kW**" in told
    assert ":small[Source says]  \n**2,000.00 kW**" in told
    press(desk, "Decide")
    assert "Choose a decision first." in plain_text(desk)
    desk.get_by_key(f"decision-{asset.id}").set_value("Verify: the declared values stand")
    desk.get_by_key(f"settle-{asset.id}").set_value("The uprating certificate was shown.")
    press(desk, "Decide")
    assert reload(admin, asset).status is AssetStatus.VERIFIED
    assert [message.text for message in messages_of(admin, asset.id)][-1] == "The uprating certificate was shown."
    settled = attributes(open_page("northgate", "asset", id=str(asset.id)))["Rated capacity"]
    assert "Settled] :small[UK Power Networks, August 2025" in settled
    assert "accepted by Ada Field: The uprating certificate was shown." in settled


@pytest.mark.use_case("UC-05.06")
def test_the_asset_as_of_a_day_and_its_history() -> None:
    actor = somebody("northgate")
    with time_machine.travel(datetime(2026, 3, 2, 12, tzinfo=UTC), tick=False):
        asset = registered(actor)
    with time_machine.travel(datetime(2026, 5, 4, 12, tzinfo=UTC), tick=False):
        update_asset(actor, asset.id, {"Manufacturer": "Another Maker"}, asset.version)
    at = open_page("northgate", "asset", id=str(asset.id))
    assert "Another Maker" in attributes(at, "Value")["Manufacturer"]
    at.get_by_key("as_of").set_value(date(2026, 4, 1))
    quiet(at.run())
    told = plain_text(at)
    assert "The asset as it stood at the end of 1 Apr 2026" in told
    assert "Ampere Devices" in attributes(at, "Value")["Manufacturer"]
    assert [button.label for button in at.button if button.label == "Change its details"] == []
    press(at, "Back to the present")
    assert "Another Maker" in attributes(at, "Value")["Manufacturer"]
    history = open_page("northgate", "asset", id=str(asset.id), part="History")
    told = plain_text(history)
    assert "Manufacturer**: Ampere Devices → **Another Maker" in told
    assert "**Registered** by Northgate Person, Northgate Ltd" in told


@pytest.mark.use_case("UC-02.02")
def test_an_asset_is_de_registered_with_a_reason() -> None:
    actor = somebody("northgate")
    asset = registered(actor)
    at = open_page("northgate", "asset", id=str(asset.id))
    press(at, "De-register")
    at.get_by_key(f"end-{asset.id}").set_value("Dismantled")
    assert asset.asset_name in plain_text(at)
    press(at, "De-register for good")
    assert "Nothing is done yet. Type de-register" in plain_text(at)
    assert reload(actor, asset).status is not AssetStatus.DEREGISTERED
    at.get_by_key(f"end-asset-{asset.id}-word").set_value("De-register")
    press(at, "De-register for good")
    assert reload(actor, asset).status is AssetStatus.DEREGISTERED


@pytest.mark.use_case("UC-05.01")
def test_an_asset_that_somebody_may_not_see_looks_like_none() -> None:
    asset = registered(somebody("northgate"))
    somebody("kelvin")
    at = open_page("kelvin", "asset", id=str(asset.id))
    told = plain_text(at)
    assert NotFound("asset", asset.id).message in told
    assert asset.asset_name not in told
    assert not at.date_input, "nothing but the refusal"


@pytest.mark.use_case("UC-05.01")
def test_an_operator_reads_the_asset_and_is_shown_no_act_of_others() -> None:
    asset = registered(somebody("northgate"))
    somebody("ukpn", roles=("DNO",), licence_areas=("UKPN_EPN",))
    at = open_page("ukpn", "asset", id=str(asset.id))
    assert at.title[0].value == asset.asset_name
    assert "Change its details" not in {button.label for button in at.button}
    assert "Only the FSP that manages it" not in plain_text(at)
    assert "What can be done next" not in plain_text(at)


@pytest.mark.use_case("UC-02.03")
def test_a_material_change_shows_its_consequences_before_it_happens() -> None:
    actor = somebody("northgate")
    asset = answered(registered(actor), "2500.00")
    slot = f"edit-{asset.id}"
    at = open_page("northgate", "edit_asset", id=str(asset.id))
    assert at.get_by_key(f"{slot}/RatedCapacity").value == "2500.00"
    fill(at, slot, {"RatedCapacity": "3000"})
    press(at, "Review the change")
    told = plain_text(at)
    assert "This is a material change" in told
    assert "rated capacity moves by 20.0 %" in told
    assert reload(actor, asset).version == asset.version, "nothing has happened yet"
    press(at, "Confirm the change")
    now = reload(actor, asset)
    assert (now.rated_capacity, now.status) == (Decimal("3000.00"), AssetStatus.PENDING_VALIDATION)


@pytest.mark.use_case("UC-02.03")
def test_somebody_elses_change_is_shown_and_nothing_is_typed_twice() -> None:
    actor = somebody("northgate")
    asset = registered(actor)
    slot = f"edit-{asset.id}"
    at = open_page("northgate", "edit_asset", id=str(asset.id))
    fill(at, slot, {"AssetModel": "Mine", "FriendlyCode": "NG-1"})
    press(at, "Review the change")
    update_asset(actor, asset.id, {"AssetModel": "Theirs", "Manufacturer": "New Maker"}, asset.version)
    press(at, "Confirm the change")
    table = next(frame.value for frame in at.dataframe if "Now (theirs)" in frame.value).set_index("Field")
    assert (table.loc["Model", "Now (theirs)"], table.loc["Model", "Yours"]) == ("Theirs", "Mine")
    assert table.loc["Manufacturer", "Yours"] == "not touched by you"
    press(at, "Continue from the newest version, keeping my changes")
    assert at.get_by_key(f"{slot}/Manufacturer").value == "New Maker"
    assert at.get_by_key(f"{slot}/FriendlyCode").value == "NG-1"
    press(at, "Confirm the change")
    now = reload(actor, asset)
    assert (now.asset_model, now.manufacturer, now.friendly_code) == ("Mine", "New Maker", "NG-1")


@pytest.mark.use_case("UC-02.03")
def test_a_change_half_made_comes_back_after_a_reload() -> None:
    actor = somebody("northgate")
    asset = registered(actor)
    slot = f"edit-{asset.id}"
    at = open_page("northgate", "edit_asset", id=str(asset.id))
    fill(at, slot, {"AssetModel": "Half"})
    again = open_page("northgate", "edit_asset", id=str(asset.id), draft=str(at.query_params["draft"]))
    assert again.get_by_key(f"{slot}/AssetModel").value == "Half"
    press(again, "Review the change")
    press(again, "Confirm the change")
    assert reload(actor, asset).asset_model == "Half"

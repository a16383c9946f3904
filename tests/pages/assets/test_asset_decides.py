"""The asset's page as a place to decide: differences one by one, comments for two kinds of reader, any day whole."""

from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest
import time_machine
from streamlit.testing.v1 import AppTest

from models.assets import Asset, AssetStatus, CheckOutcome, CheckSource
from services.assets.checks.outcomes import Answer, DifferenceRuling, comparison_rows
from services.assets.checks.records import open_checks, record_answers
from services.assets.checks.settlement import differences_on, settle_differences
from services.assets.conversation.comments import conversation_of
from services.assets.reading.assets import get_asset
from services.core.comparison import compare
from tests.asset_factories import registered
from tests.pages.asset_portal import administrator, open_page, plain_text, press, quiet, somebody
from tests.pages.assets.test_asset_page import attributes

pytestmark = pytest.mark.usefixtures("one_register")
FIELDS = (("RatedCapacity", "rated capacity", "2000.00"), ("Manufacturer", "manufacturer", "Volta Works"))
REGISTRY = "UK Power Networks, August 2025"


def queried(asset: Asset) -> Asset:
    """The asset once a register has spoken: another rated capacity, another manufacturer."""
    [(_asset, checks)] = open_checks([asset.id])
    answers = {check.id: Answer(CheckOutcome.NOT_APPLICABLE, "Does not know such assets.") for check in checks}
    ours = {"RatedCapacity": str(asset.rated_capacity), "Manufacturer": str(asset.manufacturer)}
    rows = [compare(term, label, ours[term], theirs, False, "The register") for term, label, theirs in FIELDS]
    source = CheckSource.CONNECTION_REGISTER
    asked = next(check.id for check in checks if check.source is source)
    answers[asked] = Answer(CheckOutcome.DIFFERS, "Found by MPAN.", comparison_rows(source, rows), "MPAN", REGISTRY)
    return record_answers([asset.id], answers, {})[0]


def key_of(asset: Asset, term: str) -> str:
    """What the widgets of one difference are called."""
    return f"{asset.id}-{CheckSource.CONNECTION_REGISTER}-{term}"


def click(at: AppTest, key: str) -> AppTest:
    """Press the button with this key."""
    return quiet(at.get_by_key(key).click().run())


def settle(at: AppTest, asset: Asset, term: str, reason: str) -> AppTest:
    """Let the declared value of one field stand."""
    key = key_of(asset, term)
    at.get_by_key(f"verdict-{key}").set_value(DifferenceRuling.DECLARED_STANDS)
    at.get_by_key(f"why-{key}").set_value(reason)
    return click(at, f"settle-{key}")


@pytest.mark.use_case("UC-02.01")
def test_the_operator_settles_one_difference_and_then_the_other() -> None:
    actor, admin = somebody("northgate"), administrator()
    asset = queried(registered(actor))
    at = open_page("administrator", "asset", id=str(asset.id))
    assert "**2 open differences**" in plain_text(at)
    click(at, f"settle-{key_of(asset, 'RatedCapacity')}")
    assert "Choose what is right first." in plain_text(at)
    settle(at, asset, "RatedCapacity", "The letter was shown.")
    told = plain_text(at)
    assert "**1 open difference**, 1 settled" in told
    assert "Settled] **Rated capacity**: 2,500.00 kW stands" in told
    assert "Ada Field, Elexon Limited" in told
    assert get_asset(admin, asset.id).status is AssetStatus.QUERY
    settle(at, asset, "Manufacturer", "The nameplate was photographed.")
    assert get_asset(admin, asset.id).status is AssetStatus.VERIFIED
    origins = attributes(open_page("northgate", "asset", id=str(asset.id)))
    assert "accepted by Ada Field: The letter was shown." in origins["Rated capacity"]
    assert "accepted by Ada Field: The nameplate was photographed." in origins["Manufacturer"]


@pytest.mark.use_case("UC-02.01")
def test_a_decision_on_an_older_page_says_what_was_decided_and_keeps_what_was_typed() -> None:
    actor, admin = somebody("northgate"), administrator()
    asset = queried(registered(actor))
    at = open_page("northgate", "asset", id=str(asset.id))
    at.get_by_key(f"answer-{asset.id}").set_value("It was uprated in May.")
    settle_differences(
        admin, asset.id, DifferenceRuling.DECLARED_STANDS, "The letter was shown.", asset.version, ["RatedCapacity"]
    )
    press(at, "Send the answer")
    told = plain_text(at)
    assert "Ada Field decided on rated capacity" in told
    assert "The letter was shown." in told
    assert at.get_by_key(f"answer-{asset.id}").value == "It was uprated in May."
    assert "**1 open difference**, 1 settled" in told, "the page shows how things stand now"
    press(at, "Send the answer")
    assert get_asset(actor, asset.id).status is AssetStatus.PENDING_VALIDATION


@pytest.mark.use_case("UC-02.03")
def test_the_provider_accepts_theirs_with_one_click_and_answers_the_rest_by_field() -> None:
    actor = somebody("northgate")
    asset = queried(registered(actor))
    at = open_page("northgate", "asset", id=str(asset.id))
    key = key_of(asset, "RatedCapacity")
    at.get_by_key(f"about-{key}").set_value("It was uprated in May.")
    click(at, f"send-{key}")
    assert "Answered] Northgate Person" in plain_text(at)
    assert get_asset(actor, asset.id).status is AssetStatus.QUERY
    press(at, "Accept theirs: Volta Works")
    assert get_asset(actor, asset.id).manufacturer == "Volta Works"
    assert [one.answer for one in differences_on(actor, asset.id) if one.field == "RatedCapacity"] == [
        "It was uprated in May."
    ]


@pytest.mark.use_case("UC-02.01")
def test_a_comment_says_three_times_who_reads_it() -> None:
    actor = somebody("northgate")
    asset = registered(actor)
    somebody("ukpn", roles=("DNO",), licence_areas=("UKPN_EPN",))
    at = open_page("northgate", "asset", id=str(asset.id), part="Conversation")
    assert [button.label for button in at.button if button.label.startswith(("Send", "Keep"))] == []
    choice = at.get_by_key(f"comment-{asset.id}-audience")
    assert choice.options == ["Everyone involved (Northgate Ltd, Ukpn Ltd, FMAR administrator)", "Only Northgate Ltd"]
    quiet(choice.set_value(choice.options[1]).run())
    assert "Only people of Northgate Ltd read this." in plain_text(at)
    at.get_by_key(f"comment-{asset.id}-text").set_value("The inverter is broken.")
    press(at, "Keep within Northgate Ltd")
    told = plain_text(at)
    assert "**Internal note** · Northgate Person" in told
    assert ":violet-badge[:material/lock: Only Northgate Ltd]" in told
    choice = at.get_by_key(f"comment-{asset.id}-audience")
    assert choice.value is None, "the next one is chosen anew"
    quiet(choice.set_value(choice.options[0]).run())
    at.get_by_key(f"comment-{asset.id}-text").set_value("The engineer comes on *Monday*.")
    at.get_by_key(f"comment-{asset.id}-files-1").set_value(("visit.csv", b"day,hour\nMonday,9\n", "text/csv"))
    press(at, "Send to everyone involved")
    assert ":blue-badge[:material/groups: Everyone involved]" in plain_text(at)
    theirs = open_page("ukpn", "asset", id=str(asset.id), part="Conversation")
    assert "The engineer comes on *Monday*." in [text.value for text in theirs.text]
    assert "The inverter is broken." not in plain_text(theirs)
    assert [button.label.replace("\\", "") for button in theirs.button if str(button.key).startswith("file-")] == [
        "visit.csv (1 kB)"
    ]
    assert [one.files[0].file_name for one in conversation_of(actor, asset.id) if one.files] == ["visit.csv"]


@pytest.mark.use_case("UC-02.01")
def test_a_refused_file_loses_nothing() -> None:
    actor = somebody("northgate")
    asset = registered(actor)
    at = open_page("northgate", "asset", id=str(asset.id), part="Conversation")
    choice = at.get_by_key(f"comment-{asset.id}-audience")
    quiet(choice.set_value(choice.options[0]).run())
    at.get_by_key(f"comment-{asset.id}-text").set_value("See the file.")
    at.get_by_key(f"comment-{asset.id}-files-0").set_value(("plan.pdf", b"MZ\x90\x00", "application/pdf"))
    press(at, "Send to everyone involved")
    assert "plan.pdf is none of the kinds of file that are taken, whatever its name says." in plain_text(at)
    assert at.get_by_key(f"comment-{asset.id}-text").value == "See the file."
    assert conversation_of(actor, asset.id) == []


def on_days(*acts: tuple[datetime, Callable[[], object]]) -> None:
    """Let things happen, each on its day."""
    for moment, act in acts:
        with time_machine.travel(moment, tick=False):
            act()


@pytest.mark.use_case("UC-05.06")
def test_the_whole_page_as_of_a_day_and_its_timeline() -> None:
    actor, admin = somebody("northgate"), administrator()
    made: list[Asset] = []

    def decide() -> None:
        settle_differences(admin, made[-1].id, DifferenceRuling.DECLARED_STANDS, "Both were shown.", made[-1].version)

    on_days(
        (datetime(2026, 3, 2, 12, tzinfo=UTC), lambda: made.append(registered(actor))),
        (datetime(2026, 3, 3, 12, tzinfo=UTC), lambda: made.append(queried(made[0]))),
        (datetime(2026, 3, 5, 12, tzinfo=UTC), decide),
    )
    asset = made[0]
    at = open_page("northgate", "asset", id=str(asset.id), part="History")
    told = plain_text(at)
    assert told.index("Differences settled") < told.index("Checks concluded") < told.index("Registered")
    assert "Rated capacity: the declared value stands. Both were shown." in told
    quiet(at.get_by_key("history-who").set_value(["Ada Field, Elexon Limited"]).run())
    assert "Checks concluded" not in plain_text(at)
    then = open_page("northgate", "asset", id=str(asset.id))
    then.get_by_key("as_of").set_value(date(2026, 3, 4))
    quiet(then.run())
    told = plain_text(then)
    assert "The asset as it stood at the end of 4 Mar 2026" in told
    assert "**2 open differences**" in told
    assert "Differs" in attributes(then)["Rated capacity"]
    acts = {"Change its details", "De-register", "Settle", "Decide", "Send the answer"}
    assert acts.isdisjoint(button.label for button in then.button)
    then.get_by_key("as_of").set_value(date(2026, 3, 1))
    quiet(then.run())
    assert "wasn't registered yet at the end of 1 Mar 2026" in plain_text(then)
    press(then, "Back to the present")
    assert "accepted by Ada Field: Both were shown." in attributes(then)["Rated capacity"]

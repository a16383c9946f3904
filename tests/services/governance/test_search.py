"""The search over the whole register: what is found, why, in which order, and never more than the actor may see (UC-05.01)."""

import pytest

from models.participants import Role
from services.assets.reading import search as asset_search
from services.assets.registration.deregister import deregister_asset
from services.assets.registration.drafts import save_draft
from services.assets.registration.submissions import submit_draft, take_draft
from services.core.errors import Forbidden
from services.core.identity.actor import Actor
from services.governance.search import search
from services.governance.search_hits import Found, Hit, part_of
from tests.asset_factories import (
    an_mpan,
    battery,
    make_actor,
    make_administrator,
    make_operator,
    make_organisation,
    make_provider,
    registered,
)

pytestmark = [pytest.mark.both_engines, pytest.mark.use_case("UC-05.01")]


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A scan may take its time: how long is for the test that is about it, not for how busy the machine is."""
    monkeypatch.setattr(asset_search, "PATIENCE", 60)


def titles(actor: Actor, text: str, *kinds: Found) -> list[str]:
    """What is found, by name, in order."""
    return [hit.title for hit in search(actor, text).of(*(kinds or tuple(Found)))]


def first(actor: Actor, text: str) -> Hit:
    """The best result."""
    return search(actor, text).hits[0]


def test_every_identifier_finds_the_asset_first_and_says_why(register: str) -> None:
    actor = make_provider()
    export = an_mpan()
    asset = registered(actor, FriendlyCode="NES-0042", ExportMPAN=export, Aliases="ECR:UKPN-7", AssetName="Fen battery")
    registered(actor, AssetName=f"Next to {asset.serial_number}", FriendlyCode="NES-00421")
    assert asset.import_mpan
    assert asset.serial_number
    given = {
        str(asset.id): "Asset ID",
        str(asset.id).replace("-", "").upper(): "Asset ID",
        asset.import_mpan: "Import MPAN",
        f"00 801 000 {export}": "Export MPAN",
        f"{export[:2]} {export[2:6]} {export[6:]}": "Export MPAN",
        asset.serial_number.lower(): "Serial number",
        "NES-0042": "Own code",
        "UKPN-7": "ECR",
        "ecr: UKPN-7": "ECR",
    }
    for text, field in given.items():
        hit = first(actor, text)
        assert (hit.identifier, hit.field, hit.exact) == (str(asset.id), field, True), text
        only = search(actor, text).only
        assert only
        assert only.identifier == str(asset.id)


ELY = {"Postcode": "CB7 4DL", "Latitude": "52.3995", "Longitude": "0.2624"}


def test_beginnings_names_words_and_postcodes(register: str) -> None:
    actor = make_provider()
    asset = registered(actor, AssetName="Riverside battery at Ely", FriendlyCode="QX-7781", **ELY)
    other = registered(actor, AssetName="Mill", Postcode="CB1 2JD")
    assert asset.import_mpan
    assert asset.serial_number
    found = {
        asset.import_mpan[:11]: "Import MPAN",
        asset.serial_number[:-1]: "Serial number",
        "QX-77": "Own code",
        "riverside": "Name",
        "RIVERSIDE BATTERY": "Name",
        "ely": "Name",
        "battery river": "Name",
        "cb7": "Postcode",
        "CB7 4DL": "Postcode",
        "cb7 4": "Postcode",
    }
    for text, field in found.items():
        hits = search(actor, text).of(Found.ASSET)
        assert str(asset.id) in [hit.identifier for hit in hits], text
        assert next(hit for hit in hits if hit.identifier == str(asset.id)).field == field, text
        assert not hits[0].exact
    assert str(other.id) not in [hit.identifier for hit in search(actor, "cb7").hits]
    assert titles(actor, "100%", Found.ASSET) == titles(actor, "_", Found.ASSET) == []


def test_names_that_begin_with_it_stand_before_those_that_hold_it(register: str) -> None:
    actor = make_provider()
    for name in ("Great mill", "Mill north", "Windmill", "Mill south"):
        registered(actor, AssetName=name)
    assert titles(actor, "mill", Found.ASSET) == ["Mill south", "Mill north", "Windmill", "Great mill"]


def test_nobody_finds_what_they_may_not_see(register: str) -> None:
    kelvin, actor = make_provider("Kelvin"), make_provider()
    theirs = registered(
        kelvin, AssetName="Secret battery", FriendlyCode="SEC-1", Aliases="ECR:SEC-9", Postcode="CB9 1AA"
    )
    draft = save_draft(kelvin, {"AssetName": "Secret draft", "ImportMPAN": an_mpan()})
    assert theirs.import_mpan
    assert theirs.serial_number
    texts = ["secret", theirs.import_mpan, theirs.serial_number, str(theirs.id), "SEC-1", "SEC-9", "ECR:SEC-9", "CB9"]
    texts += [str(draft.values["ImportMPAN"]), theirs.import_mpan[:11]]
    regulator = make_actor(make_organisation("Ofgem", ("Regulator",)), Role.REGULATOR)
    viewer = make_actor(make_organisation("Ampere", ("Technology Provider / OEM",)), Role.VIEWER)
    for text in texts:
        for stranger in (actor, make_operator("UKPN_LPN"), regulator, viewer):
            assert titles(stranger, text, Found.ASSET, Found.DRAFT) == [], text
        assert titles(kelvin, text), text
        assert titles(make_administrator(), text, Found.ASSET) or text == draft.values["ImportMPAN"], text
    assert titles(make_operator("UKPN_EPN"), "battery", Found.ASSET) == ["Secret battery"]
    assert titles(make_administrator(), "Secret draft", Found.DRAFT) == []


def test_an_asset_that_has_ended_is_still_found(register: str) -> None:
    actor = make_provider()
    asset = registered(actor)
    deregister_asset(actor, asset.id, "Taken down", asset.version)
    assert asset.import_mpan
    assert first(actor, asset.import_mpan).about.split(" · ")[2] == "De-registered"


def test_organisations_are_found_by_name_and_by_number_where_the_record_is_seen(register: str) -> None:
    actor, administrator = make_provider(), make_administrator()
    kelvin = make_organisation("Kelvin")
    assert [(hit.kind, hit.title) for hit in search(actor, "kelv").hits] == [(Found.PARTICIPANT, "Kelvin Ltd")]
    assert first(administrator, "kelv").kind is Found.ORGANISATION
    assert first(administrator, str(kelvin.id)).exact
    assert first(actor, "Northgate").kind is Found.ORGANISATION


def test_drafts_and_categories_are_found(register: str) -> None:
    installer = make_actor(make_organisation("OpenMeter", ("Installer",)), Role.INSTALLER)
    provider = make_provider()
    values = battery(AssetName="Weir hub", SerialNumber="WH-1")
    sent = submit_draft(installer, values, provider.organisation_id)
    for text in ("weir", "wh-1", f"00801000{values['ImportMPAN']}"):
        assert [(hit.kind, hit.identifier) for hit in search(provider, text).hits] == [(Found.DRAFT, str(sent.id))]
    copy = take_draft(provider, sent.id)
    assert [hit.identifier for hit in search(provider, "weir").hits] == [str(copy.id)]
    assert titles(provider, "heat p") == titles(provider, "heat_pump") == ["Heat Pump"]


def test_what_can_not_be_searched_and_who_may_not(register: str) -> None:
    actor = make_provider()
    for nothing in ("", "   ", "\x00"):
        assert search(actor, nothing).hits == []
    for odd in ("%", "_", "'; DROP TABLE asset; --", "\ud800x", "x" * 5000, "<b>", "é" * 40, "0" * 21, "\\"):
        assert search(actor, odd).complete
    applicant = Actor(name="New", roles=frozenset({Role.APPLICANT}), email="new@example.org")
    with pytest.raises(Forbidden):
        search(applicant, "mill")


def test_the_scan_goes_through_all_of_it_in_parts_and_says_when_it_stopped(
    register: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    actor = make_provider()
    registered(actor, AssetName="The old mill")
    for number in range(6):
        registered(actor, AssetName=f"Tower {number}")
    monkeypatch.setattr(asset_search, "CHUNK", 2)
    found = search(actor, "old mill")
    assert ([hit.title for hit in found.hits], found.complete) == (["The old mill"], True)
    monkeypatch.setattr(asset_search, "PATIENCE", -1.0)
    assert not search(actor, "old mill").complete


@pytest.mark.parametrize(
    ("value", "given", "part"),
    [
        ("Riverside battery", "side", "side"),
        ("1099900000015", "00 801 000 1099900000015", "1099900000015"),
        ("1099900000015", "10 999", "10999"),
        ("Old mill", "mill old", "mill"),
        ("UKPN-7", "ECR:UKPN-7", "UKPN-7"),
        ("Mill", "weir", ""),
    ],
)
def test_the_part_that_matched(value: str, given: str, part: str) -> None:
    start, length = part_of(value, given)
    assert value[start : start + length] == part


def test_the_end_of_a_serial_number_counts(register: str) -> None:
    actor, other = make_provider(), make_provider("Kelvin Flex")
    asset = registered(actor, SerialNumber="NES-88-2024-000778", AssetName="Fen battery")
    registered(other, SerialNumber="KFX-2000778", AssetName="Elsewhere")
    for text in ("000778", "2024-000778"):
        hit = first(actor, text)
        assert (hit.identifier, hit.field) == (str(asset.id), "Serial number"), text
    assert titles(make_administrator(), "000778", Found.ASSET) == ["Elsewhere", "Fen battery"]
    assert titles(actor, "778", Found.ASSET) == [], "too short to mean a serial number"


def test_gsp_groups_and_people_are_found_by_name(register: str) -> None:
    actor = make_provider()
    assert titles(actor, "yorks", Found.GSP_GROUP) == ["Yorkshire (_M)"]
    assert titles(actor, "_C", Found.GSP_GROUP) == ["London (_C)"]

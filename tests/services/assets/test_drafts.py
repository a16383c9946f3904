"""Drafts between installers and providers: sent, completed and registered, or returned; nobody reads another's (UC-02.01)."""

from collections.abc import Callable
from uuid import UUID

import pytest

from models.base import new_id
from models.participants import OrganisationStatus, Role
from services.assets.reading.assets import get_asset
from services.assets.registration import drafts, submissions
from services.assets.registration.draft_board import DraftState, draft_board, draft_view
from services.assets.registration.drafts import discard_draft, get_draft, list_drafts, save_draft
from services.assets.registration.register import register_asset
from services.assets.registration.submissions import check_draft, return_draft, submit_draft, take_draft
from services.core.errors import Forbidden, Invalid, NotFound, Refused
from services.core.identity.actor import Actor
from services.core.jobs.outbox import read_events
from tests.asset_factories import battery, make_actor, make_administrator, make_organisation, make_provider, registered

pytestmark = pytest.mark.use_case("UC-02.01")


def make_installer(name: str = "OpenMeter") -> Actor:
    """An installer's person."""
    return make_actor(make_organisation(name, ("Installer",)), Role.INSTALLER, name="Kit Rowan")


def partly(**changes: object) -> dict[str, object]:
    """What an installer knows of a battery."""
    known = ("AssetCategory", "RatedCapacity", "Manufacturer", "AssetModel", "SerialNumber", "ImportMPAN", "Postcode")
    return {term: value for term, value in battery().items() if term in known} | changes


def types(actor: Actor) -> list[str]:
    """What the actor was told, in order."""
    return [event.type for event in read_events(actor)]


def test_an_installer_submits_the_provider_completes_and_registers(register: str) -> None:
    installer, provider = make_installer(), make_provider()
    sent = submit_draft(installer, partly(), provider.organisation_id, "Meter room at the back.")
    assert types(provider) == ["asset.draft_submitted"]
    board = draft_board(provider)
    assert [(one.installer, one.author, one.note) for one in board.received] == [
        ("OpenMeter Ltd", "Kit Rowan", "Meter room at the back.")
    ]
    assert (board.received[0].filled, board.received[0].needed) == (3, 8)
    copy = take_draft(provider, sent.id)
    assert take_draft(provider, sent.id).id == copy.id
    saved = save_draft(provider, {**battery(), **partly(), "AssetName": "Weir"}, draft_id=copy.id)
    assert saved.id == copy.id
    assert draft_board(installer).submitted[0].state is DraftState.TAKEN_UP
    assert "AssetName" not in get_draft(installer, sent.id).values
    asset = register_asset(provider, {**battery(), **partly(), "AssetName": "Weir"}, draft_id=copy.id)
    assert asset.submitted_by_organisation == installer.organisation_id
    assert asset.service_provider_id == provider.organisation_id
    assert get_asset(installer, asset.id).asset_name == "Weir"
    assert draft_board(provider).received == draft_board(provider).own == []
    after = draft_board(installer)
    assert (after.submitted, [one.id for one in after.registered]) == ([], [asset.id])
    assert types(installer) == ["asset.draft_registered"]


def test_returned_with_a_reason_mended_and_submitted_again(register: str) -> None:
    installer, provider = make_installer(), make_provider()
    sent = submit_draft(installer, partly(SerialNumber=None), provider.organisation_id)
    copy = take_draft(provider, sent.id)
    with pytest.raises(Invalid):
        return_draft(provider, sent.id, " ")
    return_draft(provider, copy.id, "The serial number is missing.")
    assert draft_board(provider).received == draft_board(provider).own == []
    mine = draft_board(installer).own[0]
    assert (mine.state, mine.reason) == (DraftState.RETURNED, "The serial number is missing.")
    assert (mine.provider, types(installer)) == ("Northgate Flex Ltd", ["asset.draft_returned"])
    save_draft(installer, partly(), draft_id=sent.id)
    assert draft_board(installer).own[0].reason == "The serial number is missing."
    submit_draft(installer, partly(), provider.organisation_id, draft_id=sent.id)
    again = draft_board(provider).received[0]
    assert (again.id, again.state, again.reason) == (sent.id, DraftState.SUBMITTED, None)


def test_a_provider_who_declines_destroys_nothing(register: str) -> None:
    installer, provider, other = make_installer(), make_provider(), make_provider("Kelvin")
    sent = submit_draft(installer, partly(), provider.organisation_id)
    return_draft(provider, sent.id, "We don't serve this area.", declined=True)
    mine = draft_board(installer).own[0]
    assert (mine.state, mine.reason) == (DraftState.DECLINED, "We don't serve this area.")
    submit_draft(installer, get_draft(installer, sent.id).values, other.organisation_id, draft_id=sent.id)
    assert [one.id for one in draft_board(other).received] == [sent.id]
    assert draft_board(provider).received == []


def test_an_unseen_draft_does_not_exist(register: str) -> None:
    installer, provider = make_installer(), make_provider()
    sent = submit_draft(installer, partly(), provider.organisation_id)
    half = save_draft(provider, {"AssetName": "Mine"})
    strangers = [
        make_installer("Fitters"),
        make_provider("Kelvin"),
        make_administrator(),
        make_actor(make_organisation("Other"), Role.FSP_USER, Role.INSTALLER),
    ]
    acts: list[Callable[[Actor, UUID], object]] = [
        get_draft,
        draft_view,
        take_draft,
        lambda actor, one: return_draft(actor, one, "Not ours"),
        lambda actor, one: submit_draft(actor, partly(), provider.organisation_id, draft_id=one),
    ]
    for stranger in strangers:
        assert (draft_board(stranger).received, list_drafts(stranger)) == ([], [])
        for act in acts:
            for guessed in (sent.id, half.id):
                said = []
                for identifier in (guessed, new_id()):
                    with pytest.raises((NotFound, Forbidden)) as refused:
                        act(stranger, identifier)
                    said.append(refused.value.message.replace(str(identifier), "ID"))
                assert said[0] == said[1]
        discard_draft(stranger, sent.id)
        save_draft(stranger, {"AssetName": "Taken over"}, draft_id=sent.id)
    assert get_draft(provider, sent.id).values["Manufacturer"] == "Ampere Devices"
    with pytest.raises(NotFound):
        get_draft(installer, half.id)
    stolen = register_asset(strangers[1], battery(), draft_id=sent.id)
    assert stolen.submitted_by_organisation is None
    assert get_draft(installer, sent.id)


def test_a_provider_does_not_write_what_was_submitted_and_its_person_is_not_named(register: str) -> None:
    installer, provider = make_installer(), make_provider()
    sent = submit_draft(installer, partly(), provider.organisation_id)
    discard_draft(provider, sent.id)
    other = save_draft(provider, {"AssetName": "Overwritten"}, draft_id=sent.id)
    assert other.id != sent.id
    take_draft(provider, sent.id)
    seen = draft_view(installer, sent.id)
    assert (seen.state, seen.completed_by) == (DraftState.TAKEN_UP, None)
    assert draft_view(provider, sent.id).completed_by == "Priya Shah"
    for act in (lambda: discard_draft(installer, sent.id), lambda: save_draft(installer, {}, draft_id=sent.id)):
        with pytest.raises(Refused):
            act()
    with pytest.raises(Refused, match="completing"):
        submit_draft(installer, partly(), provider.organisation_id, draft_id=sent.id)


def test_an_installer_takes_back_what_nobody_has_begun(register: str) -> None:
    installer, provider = make_installer(), make_provider()
    sent = submit_draft(installer, partly(), provider.organisation_id)
    discard_draft(installer, sent.id)
    assert draft_board(provider).received == []


def test_notes_of_the_register_can_not_be_handed_in(register: str) -> None:
    installer, provider, kelvin = make_installer(), make_provider(), make_provider("Kelvin")
    theirs = submit_draft(installer, partly(), kelvin.organisation_id)
    forged = {"_from": str(theirs.id), "_taken": {"by": "Me"}, "_returned": {"reason": "x"}}
    half = save_draft(provider, {"AssetName": "A", **forged})
    assert half.values == {"AssetName": "A"}
    sent = submit_draft(installer, partly() | forged, provider.organisation_id)
    assert not set(forged) & set(sent.values)
    asset = register_asset(provider, battery(), draft_id=half.id)
    assert asset.submitted_by_organisation is None
    assert [one.id for one in draft_board(kelvin).received] == [theirs.id]


def test_where_a_draft_can_not_go(register: str, monkeypatch: pytest.MonkeyPatch) -> None:
    installer = make_installer()
    provider = make_provider()
    waiting = make_organisation("New", status=OrganisationStatus.PENDING_APPROVAL)
    operator = make_organisation("UKPN", ("DNO",))
    for addressee in (None, new_id(), waiting.id, operator.id, installer.organisation_id):
        with pytest.raises(Invalid) as refused:
            submit_draft(installer, {"AssetCategory": "NOTHING"}, addressee, "x" * 1001)
        assert [found.code for found in refused.value.findings] == ["DRAFT-01", "DRAFT-02", "DRAFT-03"]
    with pytest.raises(Forbidden):
        submit_draft(provider, partly(), provider.organisation_id)
    with pytest.raises(Refused, match="64 kB"):
        submit_draft(installer, partly(OtherDescription="x" * 70_000), provider.organisation_id)
    monkeypatch.setattr(submissions, "MOST_SUBMITTED", 2)
    for _ in range(2):
        submit_draft(installer, partly(), provider.organisation_id)
    with pytest.raises(Refused, match="wait with providers"):
        submit_draft(installer, partly(), provider.organisation_id)


def test_of_ones_own_the_oldest_give_way_and_those_on_their_way_never(
    register: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    installer, provider = make_installer(), make_provider()
    sent = submit_draft(installer, partly(), provider.organisation_id)
    back = submit_draft(installer, partly(), provider.organisation_id)
    return_draft(provider, back.id, "Not this one")
    monkeypatch.setattr(drafts, "KEPT_DRAFTS", 2)
    made = [save_draft(installer, {"AssetName": f"Number {number}"}) for number in range(4)]
    kept = {one.id for one in list_drafts(installer)}
    assert kept == {back.id, made[2].id, made[3].id}
    assert get_draft(installer, sent.id)


def test_an_installer_learns_what_is_wrong_and_not_what_others_registered(register: str) -> None:
    installer = make_installer()
    theirs = registered(make_provider("Kelvin"))
    same = battery(ImportMPAN=theirs.import_mpan, SerialNumber=theirs.serial_number)
    assert check_draft(installer, same) == []
    codes = {found.code for found in check_draft(installer, {**same, "ImportMPAN": "12"})}
    assert codes == {"MPAN-01"}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, (0, 6)),
        ({"AssetCategory": "BESS"}, (1, 7)),
        ({"AssetCategory": "BESS", "ExportMPAN": "1099900000015", "ImportMPAN": "1"}, (2, 8)),
        ({"AssetCategory": "BESS", "AssetName": "", "RatedCapacity": "12"}, (2, 7)),
    ],
)
def test_how_far_a_draft_is(register: str, values: dict[str, object], expected: tuple[int, int]) -> None:
    actor = make_provider()
    save_draft(actor, values)
    view = draft_board(actor).own[0]
    assert (view.filled, view.needed) == expected

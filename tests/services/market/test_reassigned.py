"""UC-03.02: what the losing FSP sees ends with the re-assignment; what it knew of its own period stays readable as of then."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine

from models.assets import Asset
from models.events import EventType
from services.assets.asset_page.page import whole_asset, whole_asset_as_of
from services.assets.asset_page.timeline import asset_timeline
from services.assets.conversation.comments import (
    AssetMessageWithFiles,
    comment_on_asset,
    conversation_of,
    read_attachment,
)
from services.assets.filters import AssetFilters
from services.assets.reading.assets import asset_as_of, asset_history, count_assets, get_asset
from services.assets.reading.listing import list_assets
from services.assets.registration.drafts import list_drafts, save_draft
from services.assets.registration.lookup import LookupOutcome, look_up
from services.assets.registration.update import update_asset
from services.core.clock import now
from services.core.conversation.definition import Audience
from services.core.conversation.files import Upload
from services.core.errors import NotFound
from services.core.identity.actor import Actor
from services.core.jobs.outbox import read_events
from services.governance.search import search
from services.market.unit_changes.reassignment import reassign_unit
from services.market.units.listing import list_units
from services.market.units.members import list_members, units_of_asset
from services.market.units.units import get_unit, unit_as_of, unit_changes, unit_history
from tests.asset_factories import make_administrator, make_organisation, make_provider
from tests.unit_factories import make_unit, verified

pytestmark = [pytest.mark.usefixtures("register"), pytest.mark.use_case("UC-03.02")]
EVIDENCE = "Contract of sale, 3 May 2026"
PDF = b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF"


def say(actor: Actor, asset: Asset, text: str) -> AssetMessageWithFiles:
    """A comment to everyone involved, with a file."""
    message = comment_on_asset(actor, asset.id, text, Audience.EVERYONE, [Upload("plan.pdf", PDF)])
    return next(one for one in conversation_of(actor, asset.id) if one.message.id == message.id)


class Reassigned:
    """A unit that went from one FSP to another, with its asset; `before` is a moment in the losing FSP's period."""

    def __init__(self, **terms: Any) -> None:
        self.admin, self.losing, self.gaining = make_administrator(), make_provider(), make_provider("Kelvin")
        self.asset = verified(self.losing, AssetName="The old mill", Aliases="ECR:MILL-1", **terms)
        self.unit = make_unit(self.losing, self.asset).unit
        self.early = say(self.losing, self.asset, "Our own period")
        self.before = now()
        self.events_before = {event.seq for event in read_events(self.losing, limit=1000)}
        with time_machine.travel(now() + timedelta(minutes=5), tick=True):
            reassign_unit(self.admin, self.unit.id, self.gaining.organisation_id, EVIDENCE, self.unit.version)  # pyright: ignore
            self.late = say(self.gaining, self.asset, "Secret of the buyer")
            current = get_asset(self.gaining, self.asset.id)
            update_asset(self.gaining, self.asset.id, {"AssetModel": "BUYER-9"}, current.version)


def test_every_door_closes_with_the_moment() -> None:
    sale = Reassigned()
    losing, asset, unit = sale.losing, sale.asset, sale.unit
    doors: dict[str, Callable[[], object]] = {
        "asset": lambda: get_asset(losing, asset.id),
        "page": lambda: whole_asset(losing, asset.id),
        "page later": lambda: whole_asset_as_of(losing, asset.id, now() + timedelta(minutes=9)),
        "as of later": lambda: asset_as_of(losing, asset.id, now() + timedelta(minutes=9)),
        "timeline": lambda: asset_timeline(losing, asset.id),
        "comment": lambda: comment_on_asset(losing, asset.id, "Still here?", Audience.EVERYONE),
        "change": lambda: update_asset(losing, asset.id, {"AssetName": "Mine"}, 3),
        "units of asset": lambda: units_of_asset(losing, asset.id),
        "unit": lambda: get_unit(losing, unit.id),
        "members": lambda: list_members(losing, unit.id),
        "totals": lambda: unit_history(losing, unit.id),
        "unit later": lambda: unit_as_of(losing, unit.id, now() + timedelta(minutes=9)),
        **{
            f"file {number}": lambda file=file: read_attachment(losing, file.id)
            for number, message in enumerate((sale.early, sale.late))
            for file in message.files
        },
    }
    assert "file 1" in doors
    for name, open_door in doors.items():
        with pytest.raises(NotFound):
            print(name, open_door())
    assert list_assets(losing).items == []
    assert count_assets(losing, AssetFilters()) == 0
    assert list_units(losing).items == []
    for text in ("mill", str(asset.import_mpan), "MILL-1", str(asset.serial_number), str(asset.id), "Riverside"):
        assert search(losing, text).hits == [], text
    assert look_up(losing, mpan=asset.import_mpan).outcome is LookupOutcome.OTHER_PROVIDER
    later = [event for event in read_events(losing, limit=1000) if event.seq not in sale.events_before]
    assert {event.type for event in later} == {EventType.MARKET_UNIT_HANDED_OVER}
    assert "BUYER-9" not in json.dumps([event.payload for event in later])


def test_the_gaining_one_owns_what_nobody_was_named_the_owner_of() -> None:
    sale = Reassigned()
    assert get_asset(sale.gaining, sale.asset.id).organisation_id == sale.gaining.organisation_id


def test_the_own_period_stays_readable_as_of_then_and_nothing_later() -> None:
    sale = Reassigned()
    losing = sale.losing
    stood = asset_as_of(losing, sale.asset.id, sale.before)
    assert (stood.service_provider_id, stood.asset_model) == (losing.organisation_id, "AD-2500")
    assert unit_as_of(losing, sale.unit.id, sale.before).unit.service_provider_id == losing.organisation_id
    for changes in (asset_history(losing, sale.asset.id), unit_changes(losing, sale.unit.id)):
        assert changes
        assert all(change.at <= sale.before for change in changes)
    assert len(asset_history(sale.gaining, sale.asset.id)) > len(asset_history(losing, sale.asset.id))
    stranger = make_provider("Stranger")
    for act in (asset_history, lambda actor, key: asset_as_of(actor, key, sale.before)):
        with pytest.raises(NotFound):
            act(stranger, sale.asset.id)


def test_a_draft_of_a_change_tells_no_more_than_was_typed() -> None:
    losing = make_provider()
    asset = verified(losing)
    unit = make_unit(losing, asset).unit
    save_draft(losing, {"AssetName": "As I typed it"}, asset_id=asset.id, asset_version=asset.version)
    gaining, admin = make_provider("Kelvin"), make_administrator()
    reassign_unit(admin, unit.id, gaining.organisation_id, EVIDENCE, unit.version)  # pyright: ignore
    assert [draft.values for draft in list_drafts(losing)] == [{"AssetName": "As I typed it"}]


@pytest.mark.parametrize("named", [True, False])
def test_who_was_named_as_the_owner_keeps_what_an_owner_sees(named: bool) -> None:
    owner = make_organisation("Fen Estates", ("Asset Owner",))
    sale = Reassigned(OrganisationId=str(owner.id) if named else None)
    asset = get_asset(sale.gaining, sale.asset.id)
    assert asset.organisation_id == (owner.id if named else sale.gaining.organisation_id)

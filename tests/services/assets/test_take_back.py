"""A decision on a query is taken back for a minute: by whoever made it, while nothing has changed since (UC-02.01)."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine

from models.assets import Asset, AssetStatus, MessageKind
from services.assets.checks.outcomes import DifferenceRuling
from services.assets.checks.queries import (
    Awaits,
    QueryDecision,
    answer_query,
    messages_of,
    query_asset,
    review_queue,
    settle_query,
)
from services.assets.checks.settlement import differences_on, settle_differences
from services.assets.checks.take_back import recent_decision, take_back_decision
from services.assets.conversation.comments import conversation_of
from services.assets.reading.assets import get_asset
from services.assets.registration.register import register_asset
from services.assets.registration.update import update_asset
from services.core.errors import Conflict, Forbidden, Refused
from services.core.identity.actor import Actor
from services.core.jobs.worker import work_through
from tests.asset_factories import an_mpan, battery, make_administrator, make_provider
from tests.services.assets.test_checks_queries import load

pytestmark = [pytest.mark.use_case("UC-02.01"), pytest.mark.usefixtures("one_register")]
WHY = "The connection agreement shows it."
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


@pytest.fixture
def provider(one_register: str) -> Actor:
    del one_register
    return make_provider()


def queried(actor: Actor) -> Asset:
    mpan = an_mpan()
    load(mpan, "1.0")
    asset = register_asset(actor, battery(ImportMPAN=mpan), justification="Accepted for this test.")
    work_through()
    asset = get_asset(actor, asset.id)
    assert asset.status is AssetStatus.QUERY
    return asset


def _verify(operator: Actor, asset: Asset) -> Asset:
    return settle_query(operator, asset.id, QueryDecision.VERIFY, WHY, asset.version)


def _ask_again(operator: Actor, asset: Asset) -> Asset:
    return settle_query(operator, asset.id, QueryDecision.ASK_AGAIN, WHY, asset.version)


def _let_stand(operator: Actor, asset: Asset) -> Asset:
    return settle_differences(operator, asset.id, DifferenceRuling.DECLARED_STANDS, WHY, asset.version)


def _theirs(operator: Actor, asset: Asset) -> Asset:
    return settle_differences(operator, asset.id, DifferenceRuling.THEIRS_RIGHT, WHY, asset.version)


def _state(actor: Actor, asset: Asset) -> Any:
    now = get_asset(actor, asset.id)
    item = next((item for item in review_queue(actor) if item.asset.id == asset.id), None)
    marks = [(one.field, one.verdict, one.answer, one.open) for one in differences_on(actor, asset.id)]
    turn = None if item is None else (item.awaits, item.reasons)
    return now.status, now.status_reason, now.status_since, marks, turn, [m.text for m in messages_of(actor, asset.id)]


@pytest.mark.parametrize(
    ("decide", "answered"),
    [(_verify, True), (_ask_again, True), (_let_stand, True), (_let_stand, False), (_theirs, True), (_theirs, False)],
)
def test_everything_stands_as_before_once_a_decision_is_taken_back(
    provider: Actor, decide: Any, answered: bool
) -> None:
    operator = make_administrator()
    with time_machine.travel(NOON, tick=False) as clock:
        asset = queried(provider)
        clock.shift(600)
        if answered:
            asset = answer_query(provider, asset.id, "It was extended last year.", asset.version)
        clock.shift(600)
        before = _state(provider, asset)
        decided = decide(operator, asset)
        assert _state(provider, asset) != before
        clock.shift(59)
        offered = recent_decision(operator, asset.id)
        assert offered is not None
        assert offered.until == NOON + timedelta(seconds=1260)
        returned = take_back_decision(operator, asset.id, decided.version)
    assert _state(provider, asset) == before
    assert returned.version > decided.version
    said = [row.message for row in conversation_of(provider, asset.id) if row.message.text.startswith("Taken back: ")]
    assert len(said) == 1
    assert said[0].kind is MessageKind.COMMENT
    again = decide(operator, get_asset(provider, asset.id))
    assert again.status is decided.status, "and it may be decided anew"


def test_a_question_of_ones_own_is_taken_back(provider: Actor) -> None:
    operator = make_administrator()
    asset = register_asset(provider, battery())
    asked = query_asset(operator, asset.id, "Which of the two meters?", asset.version)
    assert take_back_decision(operator, asset.id, asked.version).status is AssetStatus.PENDING_VALIDATION
    assert review_queue(provider)[0].awaits is not Awaits.PROVIDER


def test_it_is_for_a_minute_for_its_author_and_while_nothing_changed(provider: Actor) -> None:
    operator = make_administrator()
    assert operator.organisation_id
    with time_machine.travel(NOON, tick=False) as clock:
        first, second, third = (queried(provider) for _ in range(3))
        clock.shift(60)
        first, second, third = (_let_stand(operator, asset) for asset in (first, second, third))
        with pytest.raises(Forbidden):
            take_back_decision(provider, first.id, first.version)
        colleague = make_administrator()
        assert recent_decision(colleague, first.id) is None
        with pytest.raises(Refused, match="nobody has changed the asset since"):
            take_back_decision(colleague, first.id, first.version)
        changed = update_asset(provider, second.id, {"AssetName": "Renamed"}, second.version)
        with pytest.raises(Conflict):
            take_back_decision(operator, second.id, second.version)
        with pytest.raises(Refused):
            take_back_decision(operator, second.id, changed.version)
        taken = take_back_decision(operator, third.id, third.version)
        with pytest.raises(Refused):
            take_back_decision(operator, third.id, taken.version)
        clock.shift(61)
        assert recent_decision(operator, first.id) is None
        with pytest.raises(Refused, match="60 seconds"):
            take_back_decision(operator, first.id, first.version)
    assert get_asset(provider, first.id).status is AssetStatus.VERIFIED

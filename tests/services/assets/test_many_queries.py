"""Many queries at once: previewed, answered and settled by the rules of one, with one report (UC-02.01)."""

from datetime import date

import pytest

from models.assets import Asset, AssetStatus
from services.assets.checks.many_queries import (
    Case,
    QueryAct,
    QueryReport,
    answer_queries,
    preview_queries,
    settle_queries,
)
from services.assets.checks.queries import messages_of
from services.assets.reading.assets import get_asset
from services.assets.registration.register import register_asset
from services.assets.registration.update import update_asset
from services.core.errors import Forbidden, Invalid, NotFound
from services.core.identity.actor import Actor
from services.core.jobs.worker import work_through
from tests.asset_factories import an_mpan, battery, make_administrator, make_provider
from tests.services.assets.test_edition_effects import load, row

pytestmark = [pytest.mark.use_case("UC-02.01"), pytest.mark.usefixtures("one_register")]
S = AssetStatus
WHY = "The connection agreements show it."


def queried(actor: Actor, count: int) -> list[Asset]:
    """Batteries of 2.5 MW of which the register says 1 MW."""
    mpans = [an_mpan() for _ in range(count)]
    load(date(2025, 8, 1), *(row(mpan, "1.0") for mpan in mpans))
    place = {"Latitude": "52.2017", "Longitude": "0.1194", "Postcode": "CB1 2JD", "CommissioningDate": "2020-01-01"}
    assets = [register_asset(actor, battery(ImportMPAN=mpan, **place), justification=WHY) for mpan in mpans]
    work_through()
    assets = [get_asset(actor, asset.id) for asset in assets]
    assert {asset.status for asset in assets} == {S.QUERY}
    return assets


def cases(assets: list[Asset]) -> list[Case]:
    return [(asset.id, asset.version) for asset in assets]


def _moves(report: QueryReport) -> set[tuple[S, S]]:
    return {(line.before, line.after) for line in report.done}


def test_a_provider_answers_many_and_the_operator_settles_them() -> None:
    actor, operator = make_provider(), make_administrator()
    assets = queried(actor, 4)
    preview = preview_queries(actor, QueryAct.ANSWER, cases(assets))
    assert (len(preview.done), len(preview.left)) == (4, 0)
    assert {get_asset(actor, asset.id).status for asset in assets} == {S.QUERY}, "a preview changes nothing"
    answered = answer_queries(actor, cases(assets), WHY)
    assert _moves(answered) == _moves(preview) == {(S.QUERY, S.PENDING_VALIDATION)}
    assert messages_of(actor, assets[0].id)[-1].text == WHY
    now = [get_asset(actor, asset.id) for asset in assets]
    settled = settle_queries(operator, cases(now[:2]), QueryAct.LET_STAND, WHY)
    assert _moves(settled) == _moves(preview_queries(operator, QueryAct.LET_STAND, cases(now[2:])))
    assert {get_asset(actor, asset.id).status for asset in now[:2]} == {S.VERIFIED}
    asked = settle_queries(operator, cases(now[2:]), QueryAct.ASK_FOR_CHANGE, WHY)
    assert {line.after for line in asked.done} == {S.QUERY}


def test_what_cannot_be_done_is_left_with_the_reason_and_the_rest_goes_on() -> None:
    actor, rival = make_provider(), make_provider("Rival")
    first, moved, done = queried(actor, 3)
    stale = cases([moved])
    update_asset(actor, moved.id, {"AssetName": "Moved on"}, moved.version)
    answer_queries(actor, cases([done]), WHY)
    report = answer_queries(actor, [*cases([first]), *stale, *cases([get_asset(actor, done.id)])], WHY)
    assert [line.asset_id for line in report.done] == [first.id]
    reasons = {line.asset_id: line.obstacle or "" for line in report.left}
    assert "changed since you opened the list" in reasons[moved.id]
    assert "nothing is asked" in reasons[done.id]
    for call in (
        lambda: preview_queries(rival, QueryAct.ANSWER, cases([first])),
        lambda: answer_queries(rival, cases([first]), WHY),
    ):
        with pytest.raises(NotFound):
            call()
    with pytest.raises(Forbidden):
        settle_queries(actor, cases([first]), QueryAct.LET_STAND, WHY)
    for wrong in ([], cases([first, first]), cases([first]) * 501):
        with pytest.raises(Invalid):
            answer_queries(actor, wrong, WHY)
    with pytest.raises(Invalid):
        answer_queries(actor, cases([first]), " ")

"""Service windows (UC-03.04): who confirms them, what they keep in the register, and when they let it go."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from models.qualifications import Qualification
from models.units import MarketUnit
from services.core.clock import now, show_period, today
from services.core.errors import Conflict, Forbidden, Invalid, NotFound, Refused
from services.core.identity.actor import Actor
from services.market.qualification.allowed_actions import qualification_actions
from services.market.qualification.assessment import lift_suspension, suspend_qualification
from services.market.qualification.batch import withdraw_applications
from services.market.qualification.provider_actions import withdraw_application
from services.market.qualification.readiness import readiness
from services.market.qualification.service_windows import call_off_window, confirm_window, windows_of
from services.market.unit_changes.deregistration import deregister_unit, unit_actions, unit_end_blockers
from tests.factories import make_fsp
from tests.market_factories import apply_for, good, make_dso, make_market, make_unit, qualified

pytestmark = [pytest.mark.usefixtures("register"), pytest.mark.use_case("UC-03.04")]
HOUR = timedelta(hours=1)


def scene() -> tuple[Actor, Actor, MarketUnit, Qualification]:
    """A provider, its operator, and a unit that is qualified for a year."""
    actor, operator, unit = make_market()
    return actor, operator, unit, qualified(operator, apply_for(actor, unit)[0], good())


def soon(days: int = 7) -> datetime:
    """A full hour some days ahead."""
    return (now() + timedelta(days=days)).replace(minute=0, second=0, microsecond=0)


def test_a_window_ahead_keeps_the_unit_until_it_is_over() -> None:
    actor, operator, unit, one = scene()
    window = confirm_window(operator, one.id, soon(), soon() + 4 * HOUR, " Storm reserve ")
    assert (window.note, window.confirmed_by_name, window.called_off_at) == ("Storm reserve", operator.name, None)
    [blocker] = unit_end_blockers(actor, unit.id)
    assert blocker.id == str(one.id)
    assert "counts on the unit from" in blocker.label
    assert "call the service window off, or wait" in blocker.action
    with pytest.raises(Refused, match="still has to deliver") as refused:
        deregister_unit(actor, unit.id, "The site was sold.", unit.version)
    assert refused.value.blockers == [blocker]
    offered = {one.operation: one for one in unit_actions(actor, unit.id)}
    assert "service window" in (offered["deregister_unit"].why_not or "")
    with time_machine.travel(window.ends_at + timedelta(seconds=1)):
        assert unit_end_blockers(actor, unit.id) == []
        deregister_unit(actor, unit.id, "The site was sold.", unit.version)


def test_what_is_counted_on_is_not_withdrawn_either_alone_or_among_many() -> None:
    actor, operator, _unit, one = scene()
    other = apply_for(actor, make_unit(actor, name="Another"))[0]
    window = confirm_window(operator, one.id, soon(), soon() + HOUR)
    with pytest.raises(Refused, match="still has to deliver"):
        withdraw_application(actor, one.id, "The site was sold.", one.version)
    offered = {act.operation: act for act in qualification_actions(actor, one.id)}
    assert not offered["withdraw_application"].allowed
    assert "service window" in (offered["withdraw_application"].why_not or "")
    became = withdraw_applications(actor, [(one.id, one.version), (other.id, other.version)], "The site was sold.")
    assert [done.id for done in became.done] == [other.id]
    assert "counts on the unit" in became.left[0].label
    call_off_window(operator, window.id, "The outage was moved.", window.version)
    assert withdraw_application(actor, one.id, "The site was sold.", one.version).id == one.id


def test_everything_that_is_wrong_with_a_window_is_said() -> None:
    _actor, operator, _unit, one = scene()
    assert one.valid_until is not None
    naive = soon().replace(tzinfo=None)
    after = soon() + timedelta(days=400)
    for starts_at, ends_at, codes in (
        (naive, naive + HOUR, ["WINDOW-01"]),
        (soon(), soon(), ["WINDOW-02"]),
        (now() - 2 * HOUR, now() - HOUR, ["WINDOW-02"]),
        (soon(), soon() + timedelta(days=367), ["WINDOW-02"]),
        (after, after + HOUR, ["WINDOW-03"]),
    ):
        with pytest.raises(Invalid) as refused:
            confirm_window(operator, one.id, starts_at, ends_at)
        assert [found.code for found in refused.value.findings] == codes
        assert all(found.given and found.expected and found.message for found in refused.value.findings)
    confirm_window(operator, one.id, soon(), soon() + 2 * HOUR)
    with pytest.raises(Invalid) as refused:
        confirm_window(operator, one.id, soon() + HOUR, soon() + 3 * HOUR, "x" * 1001)
    assert [found.code for found in refused.value.findings] == ["WINDOW-04", "WINDOW-05"]
    confirm_window(operator, one.id, soon() + 2 * HOUR, soon() + 3 * HOUR)
    assert [window.starts_at for window in windows_of(operator, one.id)] == [soon() + 2 * HOUR, soon()]


def test_only_what_is_qualified_is_counted_on() -> None:
    actor, operator, unit = make_market()
    [one] = apply_for(actor, unit)
    with pytest.raises(Refused, match="Only what is qualified"):
        confirm_window(operator, one.id, soon(), soon() + HOUR)
    done = qualified(operator, one, good())
    held = suspend_qualification(operator, done.id, "NOT_DELIVERED", "It didn't answer.", done.version)
    with pytest.raises(Refused, match="lift its suspension"):
        confirm_window(operator, one.id, soon(), soon() + HOUR)
    lift_suspension(operator, one.id, "It does again.", held.version)
    confirm_window(operator, one.id, soon(), soon() + HOUR)
    on = (soon() + timedelta(minutes=1)).date()
    said = readiness(actor, unit.id, one.product_code, one.addressed_to, on).remarks
    assert any("counts on the unit from" in words for words in said)
    assert not readiness(actor, unit.id, one.product_code, one.addressed_to, today()).remarks


def test_a_window_is_called_off_once_with_a_reason_from_the_version_that_was_read() -> None:
    actor, operator, _unit, one = scene()
    window = confirm_window(operator, one.id, soon(), soon() + HOUR)
    with pytest.raises(Invalid):
        call_off_window(operator, window.id, " ", window.version)
    with pytest.raises(Conflict):
        call_off_window(operator, window.id, "The outage was moved.", window.version + 1)
    called_off = call_off_window(operator, window.id, "The outage was moved.", window.version)
    assert called_off.called_off_reason == "The outage was moved."
    with pytest.raises(Refused, match="called off already"):
        call_off_window(operator, window.id, "Once more.", called_off.version)
    late = confirm_window(operator, one.id, soon(), soon() + HOUR)
    with time_machine.travel(late.ends_at), pytest.raises(Refused, match="over already"):
        call_off_window(operator, late.id, "Too late.", late.version)
    assert len(windows_of(actor, one.id)) == 2


def test_whose_windows_they_are() -> None:
    actor, operator, _unit, one = scene()
    window = confirm_window(operator, one.id, soon(), soon() + HOUR)
    assert [found.id for found in windows_of(actor, one.id)] == [window.id]
    other = make_dso("Northern Powergrid", "NPG_NE")
    for stranger in (other, make_fsp("Rival Flex")):
        with pytest.raises(NotFound):
            windows_of(stranger, one.id)
    with pytest.raises(NotFound):
        confirm_window(other, one.id, soon(2), soon(2) + HOUR)
    with pytest.raises(NotFound):
        call_off_window(other, window.id, "Not mine.", window.version)
    with pytest.raises(Forbidden):
        confirm_window(actor, one.id, soon(2), soon(2) + HOUR)


def test_a_period_names_its_day_once_where_it_is_one() -> None:
    """By the clock in London: in June it is an hour ahead of UTC."""
    begin = datetime(2027, 6, 1, 20, tzinfo=UTC)
    assert show_period(begin, begin + 90 * HOUR / 60) == "1 Jun 2027, 21:00 to 22:30"
    assert show_period(begin, begin + 4 * HOUR) == "1 Jun 2027, 21:00 to 2 Jun 2027, 01:00"

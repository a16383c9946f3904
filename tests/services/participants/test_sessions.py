"""UC-01.01: a sign-in ends by age and by signing out, also for a copy of the cookie."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from models.participants import User
from services.core.errors import Forbidden
from services.core.identity.resolve import reading_as_register
from services.core.ledger.history import entries
from services.participants.identity import Identity, SignInProblem, sign_in, sign_out
from services.participants.sessions import end_sessions
from tests import factories

MORNING = datetime(2026, 6, 1, 8, tzinfo=UTC)

pytestmark = pytest.mark.use_case("UC-01.01")


@pytest.fixture
def person(register: str) -> str:
    """Somebody of an FSP who has signed in before; the email address."""
    with time_machine.travel(MORNING - timedelta(days=1), tick=False):
        return factories.make_user(factories.make_organisation("Bramble Flex Ltd")).email


def _session(email: str, began: datetime) -> Identity:
    return factories.identity_of(email, issued_at=began)


def test_a_session_lasts_twelve_hours(person: str) -> None:
    session = _session(person, MORNING)
    for hours, problem in ((0, None), (12, None), (12.1, SignInProblem.SESSION_ENDED)):
        with time_machine.travel(MORNING + timedelta(hours=hours), tick=False):
            assert sign_in(session).problem is problem


def test_a_session_that_begins_in_the_future_is_none(person: str) -> None:
    with time_machine.travel(MORNING, tick=False):
        assert sign_in(_session(person, MORNING + timedelta(minutes=4))).problem is None
        assert sign_in(_session(person, MORNING + timedelta(minutes=6))).problem is SignInProblem.SESSION_ENDED


def test_signing_out_ends_every_session_begun_until_then_and_none_begun_later(person: str) -> None:
    here, copied = _session(person, MORNING), _session(person, MORNING)
    elsewhere = _session(person, MORNING + timedelta(minutes=30))
    with time_machine.travel(MORNING + timedelta(hours=1), tick=False):
        assert sign_in(copied).problem is None
        sign_out(here)
    with time_machine.travel(MORNING + timedelta(hours=1, minutes=1), tick=False):
        assert sign_in(copied).problem is SignInProblem.SESSION_ENDED
        assert sign_in(elsewhere).problem is SignInProblem.SESSION_ENDED
        assert sign_in(_session(person, MORNING + timedelta(hours=1, seconds=1))).problem is None


def test_a_provider_whose_clock_is_ahead_keeps_no_session_open(person: str) -> None:
    ahead = _session(person, MORNING + timedelta(minutes=3))
    with time_machine.travel(MORNING + timedelta(minutes=1), tick=False):
        sign_out(ahead)
    with time_machine.travel(MORNING + timedelta(minutes=2), tick=False):
        assert sign_in(ahead).problem is SignInProblem.SESSION_ENDED


def test_an_ended_session_accepts_no_invitation(register: str) -> None:
    invited = factories.make_user(factories.make_organisation("Kelvin Flex Ltd"), signed_in=False)
    assert sign_in(_session(invited.email, datetime(2020, 1, 1, tzinfo=UTC))).problem is SignInProblem.SESSION_ENDED
    with reading_as_register("test") as session:
        assert session.get_one(User, invited.user_id).subject is None


def test_a_sign_out_stands_in_the_ledger_under_the_persons_name(person: str) -> None:
    with time_machine.travel(MORNING, tick=False):
        user = sign_in(_session(person, MORNING)).user
        assert user is not None
        sign_out(_session(person, MORNING))
    with reading_as_register("test"):
        last = entries("user", user.id)[-1]
    assert (last.operation, last.user_id) == ("end_sessions", user.id)


def test_nobody_signs_another_person_out(person: str) -> None:
    administrator = factories.administrator()
    user = sign_in(factories.identity_of(person)).user
    assert user is not None
    with pytest.raises(Forbidden):
        end_sessions(administrator, user.id, None)
    sign_out(factories.identity_of("nobody@example.org"))  # no account: nothing to end, and no complaint

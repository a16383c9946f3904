"""Many applications at once through the services: taken, assigned, withdrawn as far as it goes (UC-04.02)."""

from uuid import uuid4

import pytest

from models.qualifications import Qualification, QualificationStatus
from services.core.errors import Forbidden, Invalid, NotFound, Refused
from services.core.identity.actor import Actor
from services.market.qualification.assessment import assessors, take_application
from services.market.qualification.batch import (
    Case,
    assign_applications,
    take_applications,
    withdraw_applications,
)
from services.market.qualification.listing import get_qualification
from services.market.qualification.messages import said_on_application
from tests.market_factories import apply_for, bad, good, make_dso, make_market, make_unit, qualified

pytestmark = [pytest.mark.usefixtures("register"), pytest.mark.use_case("UC-04.02")]
S = QualificationStatus
SOLD = "The site was sold."


def scene() -> tuple[Actor, Actor, list[Qualification]]:
    """A provider, its operator, and three new applications of three units."""
    actor, operator, unit = make_market()
    units = [unit, *(make_unit(actor, name=f"Unit {number}") for number in (1, 2))]
    return actor, operator, [apply_for(actor, one)[0] for one in units]


def cases(*made: Qualification) -> list[Case]:
    """As they were read."""
    return [(one.id, one.version) for one in made]


def states(actor: Actor, *made: Qualification) -> list[QualificationStatus]:
    """How they stand."""
    return [get_qualification(actor, one.id).qualification.status for one in made]


def test_what_can_be_taken_is_and_the_rest_says_why_not() -> None:
    _actor, operator, (first, second, third) = scene()
    taken = take_application(operator, second.id, second.version)
    failed = qualified(operator, third, bad())
    became = take_applications(operator, [*cases(first, taken), (third.id, third.version)])
    assert [one.id for one in became.done] == [first.id]
    assert states(operator, first, second, third) == [S.IN_ASSESSMENT, S.IN_ASSESSMENT, S.FAILED]
    assert {one.id for one in became.left} == {str(second.id), str(third.id)}
    labels = " / ".join(one.label for one in became.left)
    assert "is In Assessment" in labels
    assert "is Failed" in labels
    assert get_qualification(operator, first.id).qualification.assigned_name == operator.name
    with pytest.raises(Refused, match="None was taken") as refused:
        take_applications(operator, cases(failed, taken))
    assert len(refused.value.blockers) == 2


def test_many_are_given_to_somebody_from_the_version_that_was_read() -> None:
    _actor, operator, (first, second, third) = scene()
    [me] = assessors(operator)
    take_application(operator, second.id, second.version)
    became = assign_applications(operator, cases(first, second, third), me.user_id)
    assert {one.id for one in became.done} == {first.id, third.id}
    [left] = became.left
    assert "Somebody else changed this application" in left.label
    assert {one.assigned_name for one in became.done} == {operator.name}
    with pytest.raises(Invalid) as refused:
        assign_applications(operator, [*cases(first), *cases(first)], uuid4())
    assert {one.code for one in refused.value.findings} == {"QUAL-03", "QUAL-06"}, "everything at once"
    [nobodys] = assign_applications(operator, cases(became.done[0]), None).done
    assert nobodys.assigned_to is None


def test_many_are_withdrawn_for_one_reason_that_the_operator_reads() -> None:
    actor, operator, (first, second, third) = scene()
    approved = qualified(operator, second, good())
    failed = qualified(operator, third, bad())
    with pytest.raises(Invalid) as refused:
        withdraw_applications(actor, [], " ")
    assert {one.code for one in refused.value.findings} == {"QUAL-01", "QUAL-06"}
    became = withdraw_applications(actor, cases(first, approved, failed), SOLD)
    assert states(actor, first, second, third) == [S.WITHDRAWN, S.WITHDRAWN, S.FAILED]
    assert [one.id for one in became.left] == [str(third.id)]
    assert became.done[0].qualified_at is None
    assert SOLD in [one.message.text for one in said_on_application(operator, first.id)]
    with pytest.raises(Refused, match="None was withdrawn"):
        withdraw_applications(actor, cases(*became.done), SOLD)


def test_nobody_reaches_what_is_anothers() -> None:
    actor, operator, made = scene()
    with pytest.raises(NotFound):
        take_applications(make_dso("Northern Powergrid", "NPG_NE"), cases(*made))
    with pytest.raises(Forbidden):
        take_applications(actor, cases(*made))
    with pytest.raises(Forbidden):
        withdraw_applications(operator, cases(*made), SOLD)
    assert set(states(actor, *made)) == {S.SUBMITTED}

"""What is said on applications and by whom it is read; ends of validity; portability; readiness; what waits (UC-04.02)."""

import io
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from PIL import Image
from sqlalchemy import text

from models.assets import AssetStatus
from models.qualifications import QualificationStatus
from models.units import MarketUnit
from services.core.clock import today
from services.core.conversation.definition import Audience
from services.core.conversation.files import Upload
from services.core.db.engine import engine
from services.core.errors import Forbidden, Invalid, NotFound, Refused
from services.core.identity.actor import Actor
from services.core.jobs.outbox import read_events
from services.core.register_settings import change_setting
from services.governance.waiting import what_waits
from services.market.qualification.assessment import ask_information, demand_reassessment, suspend_qualification
from services.market.qualification.expiry import keep_validities
from services.market.qualification.listing import get_qualification
from services.market.qualification.messages import (
    attach_evidence,
    comment_on_application,
    involved_in_application,
    read_evidence,
    said_on_application,
)
from services.market.qualification.portability import accept_colleague, qualified_elsewhere
from services.market.qualification.provider_actions import answer_information
from services.market.qualification.readiness import readiness
from tests.asset_factories import an_mpan, make_administrator, make_provider
from tests.market_factories import (
    apply_for,
    good,
    make_dso,
    make_market,
    make_unit,
    qualified,
    set_status,
    verified,
)

pytestmark = pytest.mark.use_case("UC-04.02")
S = QualificationStatus
PDF = b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF"
SECRET = "The inverter failed twice in May."


def picture(kind: str = "PNG") -> bytes:
    """A small picture."""
    drawn = io.BytesIO()
    Image.new("RGB", (40, 40)).save(drawn, kind)
    return drawn.getvalue()


def texts(actor: Actor, identifier: object) -> list[str]:
    """What the actor reads on an application."""
    return [one.message.text for one in said_on_application(actor, identifier)]  # pyright: ignore[reportArgumentType]


def test_a_note_is_read_by_its_own_organisation_and_nobody_else(register: str) -> None:
    actor, operator, unit = make_market()
    admin = make_administrator()
    [made] = apply_for(actor, unit)
    shared = comment_on_application(actor, made.id, "The meters come on Monday.", Audience.EVERYONE)
    note = comment_on_application(actor, made.id, SECRET, Audience.OWN_ORGANISATION, [Upload("fault.png", picture())])
    comment_on_application(operator, made.id, "Look at the transformer.", Audience.OWN_ORGANISATION)
    assert texts(actor, made.id) == ["The meters come on Monday.", SECRET]
    assert texts(operator, made.id) == ["The meters come on Monday.", "Look at the transformer."]
    assert texts(admin, made.id) == ["The meters come on Monday."]
    assert involved_in_application(actor, made.id) == [
        "Northgate Flex Ltd",
        "UK Power Networks Ltd",
        "FMAR administrator",
    ]
    [private] = [one for one in said_on_application(actor, made.id) if one.message.id == note.id]
    assert private.audience is Audience.OWN_ORGANISATION
    for somebody in (operator, admin):
        with pytest.raises(NotFound):
            read_evidence(somebody, private.files[0].id)
        with pytest.raises(NotFound):
            attach_evidence(somebody, note.id, [Upload("a.pdf", PDF)])
        assert SECRET not in str([event.payload for event in read_events(somebody)])
    with pytest.raises(Forbidden):
        attach_evidence(operator, shared.id, [Upload("a.pdf", PDF)])
    with pytest.raises(NotFound):
        comment_on_application(make_dso("SSEN", "SSEN_SEPD"), made.id, "Hello there.", Audience.EVERYONE)
    with engine(writes=False).connect() as connection:
        kept = connection.execute(text("SELECT state FROM ledger_entry WHERE record_type LIKE 'qualification_%'"))
        assert SECRET not in str(kept.fetchall())


@pytest.mark.parametrize(("content", "kept"), [(PDF, "a.pdf"), (picture("PNG"), "a.png"), (picture("JPEG"), "a.jpg")])
def test_evidence_is_a_pdf_or_a_picture_by_its_content(one_register: str, content: bytes, kept: str) -> None:
    actor, operator, unit = make_market()
    [made] = apply_for(actor, unit)
    message = comment_on_application(actor, made.id, "See this.", Audience.EVERYONE)
    [file] = attach_evidence(actor, message.id, [Upload("a", content)])
    assert file.file_name == kept
    assert read_evidence(operator, file.id).content == content
    for other in (b"", b"MZ\x90\x00", b"a,b\n1,2\n", b"<html></html>", b"\x89PNG\r\n\x1a\n broken"):
        with pytest.raises(Invalid) as refused:
            comment_on_application(actor, made.id, "And this.", Audience.EVERYONE, [Upload(kept, other)])
        assert [finding.code for finding in refused.value.findings] == ["FILE-02"]
    assert len(texts(actor, made.id)) == 1


def test_how_large_evidence_may_be_and_that_it_is_what_was_handed_in(one_register: str) -> None:
    actor, operator, unit = make_market()
    [made] = apply_for(actor, unit)
    change_setting(make_administrator(), "asset.attachment_max_mb", "1", 0)
    with pytest.raises(Invalid) as refused:
        ask_information(operator, made.id, "See this.", made.version, [Upload("a.pdf", PDF + b" " * 1024 * 1024)])
    assert [finding.code for finding in refused.value.findings] == ["FILE-01"]
    assert get_qualification(actor, made.id).qualification.status is S.SUBMITTED, "nothing is half done"
    message = comment_on_application(actor, made.id, "See these.", Audience.EVERYONE, [Upload("a.pdf", PDF)] * 10)
    with pytest.raises(Invalid) as refused:
        attach_evidence(actor, message.id, [Upload("a.pdf", PDF)])
    assert [finding.code for finding in refused.value.findings] == ["FILE-03"]
    file = said_on_application(operator, made.id)[0].files[0]
    with engine(writes=True).begin() as connection:
        connection.execute(text("UPDATE qualification_attachment_content SET content = :other"), {"other": PDF + b"!"})
    with pytest.raises(Refused, match="altered"):
        read_evidence(operator, file.id)


def notices(actor: Actor) -> list[int]:
    """How many days ahead the actor was told of an end."""
    return [event.payload["days"] for event in read_events(actor) if event.type == "qualification.ends_soon"]


def test_the_end_is_told_of_three_times_and_then_comes_by_itself(register: str) -> None:
    start = datetime(2026, 6, 1, 10, 0, tzinfo=UTC)
    with time_machine.travel(start, tick=False) as clock:
        actor, operator, unit = make_market()
        made = qualified(operator, apply_for(actor, unit)[0], good(100))
        told = {39: [], 40: [60], 69: [60], 70: [60, 30], 93: [60, 30, 7], 100: [60, 30, 7]}
        for day, expected in told.items():
            clock.move_to(start + timedelta(days=day))
            keep_validities()
            keep_validities()
            assert notices(actor) == notices(operator) == expected
        assert get_qualification(actor, made.id).qualification.status is S.QUALIFIED, "valid to the end of its last day"
        clock.move_to(start + timedelta(days=101))
        keep_validities()
        ended = get_qualification(actor, made.id).qualification
        assert (ended.status, ended.qualified_at) == (S.EXPIRED, None)
        assert apply_for(actor, unit)[0].id != made.id


def test_who_comes_late_is_told_once_and_an_assessment_outlives_the_old_approval(register: str) -> None:
    start = datetime(2026, 6, 1, 10, 0, tzinfo=UTC)
    with time_machine.travel(start, tick=False) as clock:
        actor, operator, unit = make_market()
        made = qualified(operator, apply_for(actor, unit)[0], good(5))
        keep_validities()
        assert notices(actor) == [7]
        made = demand_reassessment(operator, made.id, "PERIODIC", "We look again.", made.version)
        made = ask_information(operator, made.id, "Is it the same?", made.version)
        clock.move_to(start + timedelta(days=6))
        keep_validities()
        left = get_qualification(actor, made.id).qualification
        assert (left.status, left.qualified_at, left.valid_until) == (S.INFORMATION_REQUESTED, None, None)
        assert answer_information(actor, left.id, "It is.", left.version).status is S.IN_ASSESSMENT


def across() -> tuple[Actor, Actor, Actor, MarketUnit]:
    """A unit with assets in the areas of two DNOs that both buy SU, applied for at the first only."""
    first, second, actor = make_dso(), make_dso("Northern Powergrid", "NPG_NE"), make_provider()
    return actor, first, second, straddling(actor)


def straddling(actor: Actor) -> MarketUnit:
    """A unit with an asset in Cambridge and one in Newcastle."""
    newcastle = {"DNOConnection": "NPG_NE", "Latitude": "54.97", "Longitude": "-1.61", "Postcode": "NE1 4ST"}
    there = verified(actor, **newcastle, ImportMPAN=an_mpan("15"))
    return make_unit(actor, assets=[verified(actor), there])


def test_a_colleagues_qualification_is_accepted_with_one_act(register: str) -> None:
    actor, first, second, unit = across()
    stranger = make_dso("SSEN", "SSEN_SEPD")
    assert first.organisation_id is not None
    [made] = apply_for(actor, unit, "SU", to=[first.organisation_id])
    assert qualified_elsewhere(second).items == []
    made = qualified(first, made, good(conditions="Not in winter."))
    [shown] = qualified_elsewhere(second).items
    assert (shown.unit_id, shown.product_code, shown.for_product, shown.conditions) == (
        unit.id,
        "SU",
        "SU",
        "Not in winter.",
    )
    assert shown.valid_until == made.valid_until
    assert qualified_elsewhere(stranger).items == []
    with pytest.raises(NotFound):
        get_qualification(second, made.id)
    for somebody in (stranger, first):
        with pytest.raises(NotFound):
            accept_colleague(somebody, made.id, "SU")
    with pytest.raises(Forbidden):
        accept_colleague(actor, made.id, "SU")
    accepted = accept_colleague(second, made.id, "SU")
    assert (accepted.status, accepted.conditions, accepted.valid_until) == (
        S.QUALIFIED,
        "Not in winter.",
        made.valid_until,
    )
    assert accepted.accepted_from == made.id
    assert qualified_elsewhere(second).items == []
    with pytest.raises(Refused):
        accept_colleague(second, made.id, "SU")


def test_accepting_decides_an_application_under_way_and_follows_the_table(register: str) -> None:
    actor, first, second, unit = across()
    assert first.organisation_id is not None
    assert second.organisation_id is not None
    source = qualified(first, apply_for(actor, unit, "SAOUDA", to=[first.organisation_id])[0])
    [mine] = apply_for(actor, unit, "SU", to=[second.organisation_id])
    found = qualified_elsewhere(second, unit.id)
    assert [(one.product_code, one.for_product) for one in found.items] == [("SAOUDA", "SU")]
    accepted = accept_colleague(second, source.id, "SU")
    assert (accepted.id, accepted.status, accepted.due_on) == (mine.id, S.QUALIFIED, None)


@pytest.mark.both_engines
def test_what_colleagues_qualified_is_filtered_first_then_paged_and_counted(register: str) -> None:
    actor, first, second, unit = across()
    assert first.organisation_id is not None
    others = [straddling(actor) for _ in range(3)]
    made = [qualified(first, apply_for(actor, one, "SU", to=[first.organisation_id])[0]) for one in (unit, *others)]
    # The newest is one's own already: it takes no place on the page.
    accept_colleague(second, made[3].id, "SU")
    page = qualified_elsewhere(second, limit=2)
    assert ([one.qualification_id for one in page.items], page.total) == ([made[2].id, made[1].id], 3)
    rest = qualified_elsewhere(second, after=page.next_cursor, limit=2)
    assert ([one.qualification_id for one in rest.items], rest.total, rest.next_cursor) == ([made[0].id], 3, None)


def test_what_no_longer_holds_is_not_accepted(register: str) -> None:
    actor, first, second, unit = across()
    assert first.organisation_id is not None
    made = qualified(first, apply_for(actor, unit, "SU", to=[first.organisation_id])[0])
    suspended = suspend_qualification(first, made.id, "SAFETY", "It is unsafe.", made.version)
    with pytest.raises(NotFound):
        accept_colleague(second, suspended.id, "SU")


def lacks(actor: Actor, unit: MarketUnit, operator: Actor, **given: object) -> list[str]:
    """The codes of what is missing."""
    assert operator.organisation_id is not None
    found = readiness(actor, unit.id, "SU", operator.organisation_id, **given)  # pyright: ignore[reportArgumentType]
    assert found.ready is (not found.missing)
    return [one.code for one in found.missing]


def test_readiness_is_yes_or_everything_that_is_missing(register: str) -> None:
    actor, operator, _unit = make_market()
    asset = verified(actor)
    unit = make_unit(actor, assets=[asset])
    day = asset.effective_date
    assert day is not None
    assert lacks(actor, unit, operator) == ["EFFECTIVE", "QUALIFICATION"]
    [made] = apply_for(actor, unit)
    assert lacks(actor, unit, operator, day=day) == ["QUALIFICATION"]
    made = qualified(operator, made, good(3000))
    assert lacks(actor, unit, operator, day=day) == []
    assert lacks(operator, unit, operator, day=day) == []
    assert lacks(actor, unit, operator, day=today() - timedelta(days=3)) == ["MEMBERSHIP", "VALIDITY"]
    assert lacks(actor, unit, operator, day=today() + timedelta(days=3001)) == ["VALIDITY"]
    made = demand_reassessment(operator, made.id, "PERIODIC", "We look again.", made.version)
    assert lacks(actor, unit, operator, day=day) == [], "the approval stands while it is assessed again"
    suspend_qualification(operator, made.id, "SAFETY", "It is unsafe.", made.version)
    set_status(asset, AssetStatus.SUSPENDED_CONSENT_REVOKED)
    assert lacks(actor, unit, operator, day=day) == ["CONSENT", "SUSPENDED"]
    stranger = make_dso("SSEN", "SSEN_SEPD")
    assert lacks(actor, unit, stranger, day=day) == ["OPERATOR", "CONSENT", "QUALIFICATION"]
    with pytest.raises(Forbidden):
        lacks(operator, unit, stranger)
    with pytest.raises(NotFound):
        lacks(make_provider("Lumen"), unit, operator)
    with pytest.raises(NotFound):
        lacks(stranger, unit, stranger)
    with pytest.raises(Invalid):
        lacks(actor, unit, operator, day=today() + timedelta(days=9999))


@pytest.mark.both_engines
def test_what_waits_is_counted_for_operator_and_provider(register: str) -> None:
    actor, operator, unit = make_market()
    [made] = apply_for(actor, unit)
    assert [(one.count, one.filters) for one in what_waits(operator).applications] == [(1, {"Status": "SUBMITTED"})]
    assert what_waits(actor).applications == []
    made = ask_information(operator, made.id, "Which meter?", made.version)
    assert what_waits(operator).applications == []
    assert [one.singular for one in what_waits(actor).applications] == ["application has a question to answer"]
    made = answer_information(actor, made.id, "The second.", made.version)
    qualified(operator, made, good(20))
    assert [one.filters for one in what_waits(actor).applications] == [{"Status": "QUALIFIED", "EndsWithinDays": "60"}]
    assert what_waits(make_administrator()).applications == []

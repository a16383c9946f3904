"""Proposals for the catalogue: what an SO may propose, how it is decided, and when it comes into force (UC-04.01)."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import time_machine

from models.core import Event
from models.products import ProductStatus, ProposalStatus
from services.core.audit_context import Stamp
from services.core.clock import today
from services.core.errors import Conflict, Duplicate, Forbidden, Invalid, NotFound, Refused
from services.core.identity.actor import Actor, system_actor
from services.core.jobs.outbox import read_events
from services.core.ledger.verifying import verify_ledger
from services.core.transaction import unit_of_work
from services.governance.waiting import what_waits
from services.market.products.catalogue import list_offered_versions
from services.market.products.products import (
    ProductFilters,
    get_product,
    list_products,
    product_sheet,
    product_versions,
)
from services.market.products.proposal_lifecycle import allowed_actions
from services.market.products.proposal_records import get_proposal, list_proposals
from services.market.products.proposal_review import (
    approve_proposal,
    ask_about_proposal,
    bring_into_force,
    refuse_proposal,
)
from services.market.products.proposals import answer_proposal, check_proposal, propose_product, withdraw_proposal
from tests.factories import actor_of, administrator, make_organisation, make_user
from tests.product_factories import (
    REASON,
    approved,
    changed,
    document,
    ending,
    local_operator,
    national_operator,
    new_product,
)

pytestmark = pytest.mark.use_case("UC-04.01")
NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)


def offered(day: date | None = None) -> dict[str, int]:
    """Code and version of what one may apply for on a day."""
    with unit_of_work(Stamp("test", "UC-04.01", system_actor()), writes=False):
        return {version.code: version.product_version for version in list_offered_versions(day or today())}


def told(actor: Actor, kind: str) -> Sequence[Event]:
    """The events of a type that an actor sees."""
    return [event for event in read_events(actor, limit=1000) if event.type == kind]


def codes_of(found: pytest.ExceptionInfo[Invalid]) -> set[tuple[str, str | None]]:
    """Rule and field of each finding."""
    return {(one.code, one.field) for one in found.value.findings}


def test_a_new_product_is_offered_once_it_is_approved(register: str) -> None:
    operator = national_operator()
    made = propose_product(operator, new_product("DX"))
    assert "DX" not in offered(), "A proposal changes nothing"
    assert what_waits(administrator()).proposals == 1
    assert what_waits(operator).proposals == 0
    approve_proposal(administrator(), made.id, REASON, made.version)
    assert offered()["DX"] == 1
    view = get_product(operator, "DX")
    assert (view.version.family, view.version.min_capacity, view.version.max_capacity) == ("RESPONSE", 1000, None)
    assert [event.payload["code"] for event in told(administrator(), "product.version_published")] == ["DX"]
    assert what_waits(administrator()).proposals == 0
    assert verify_ledger(system_actor()).sound


def test_everything_wrong_is_said_at_once(register: str) -> None:
    operator = national_operator()
    wrong = document(
        Name="",
        SubMarket="Wholesale",
        Procurers=["UKPN"],
        Direction="sideways",
        MinCapacity_kW="1000.001",
        FullDelivery_s=0,
        StackingCode="NOPE",
        SourceDate="2999-01-01",
        Colour="blue",
    )
    proposed = new_product("dx", date(2020, 1, 1))
    with pytest.raises(Invalid) as found:
        propose_product(operator, type(proposed)(proposed.kind, "dx", proposed.effective_from, "short", wrong))
    assert codes_of(found) == {
        ("PRODUCT-01", "Colour"),
        ("PRODUCT-02", "Name"),
        ("PRODUCT-03", "SubMarket"),
        ("PRODUCT-03", "Direction"),
        ("PRODUCT-03", "SourceDate"),
        ("PRODUCT-04", "MinCapacity_kW"),
        ("PRODUCT-05", "FullDelivery_s"),
        ("PRODUCT-07", "Procurers"),
        ("PRODUCT-08", "StackingCode"),
        ("PRODUCT-09", "Code"),
        ("PRODUCT-11", "EffectiveFrom"),
        ("PRODUCT-12", "Reason"),
    }
    assert all(one.expected and one.message for one in found.value.findings)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"MinCapacity_kW": "2000", "MaxCapacity_kW": "1000"}, "PRODUCT-06"),
        ({"MinCapacity_kW": "NaN"}, "PRODUCT-04"),
        ({"MinCapacity_kW": 12.5}, "PRODUCT-04"),
        ({"MinCapacity_kW": True}, "PRODUCT-04"),
        ({"FullDelivery_s": "1e3"}, "PRODUCT-05"),
        ({"Portable": "yes"}, "PRODUCT-03"),
        ({"Procurers": "NESO"}, "PRODUCT-03"),
        ({"Name": ["a"]}, "PRODUCT-03"),
        ({"Notes": "x" * 2001}, "PRODUCT-03"),
    ],
)
def test_odd_values_are_found(one_register: str, changes: dict[str, Any], code: str) -> None:
    operator = national_operator()
    assert [one.code for one in check_proposal(operator, new_product(**changes))] == [code]


def test_only_who_buys_a_product_proposes_its_change(register: str) -> None:
    local, national = local_operator(), national_operator()
    with pytest.raises(Forbidden):
        propose_product(local, changed(local, "DC", MinCapacity_kW="500"))
    propose_product(local, changed(local, "SU", MinCapacity_kW="5"))
    with pytest.raises(Forbidden):
        propose_product(national, ending("SU"))
    provider = actor_of(make_user(make_organisation("Provider")))
    for nobody in (provider, administrator()):
        with pytest.raises(Forbidden):
            propose_product(nobody, new_product())


def test_what_was_in_force_never_changes_and_the_next_version_waits_for_its_day(register: str) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        operator = national_operator()
        coming = today() + timedelta(days=10)
        before = get_product(operator, "DC").version.model_dump()
        approved(operator, changed(operator, "DC", coming, MinCapacity_kW="500"))
        view = get_product(operator, "DC")
        assert view.version.model_dump() == before
        assert view.coming is not None
        assert (view.coming.product_version, view.coming.min_capacity) == (2, 500)
        assert (offered()["DC"], offered(coming)["DC"]) == (1, 2)
        event = told(administrator(), "product.version_published")[-1]
        assert event.payload == {"code": "DC", "product_version": 2, "before": 1, "valid_from": coming.isoformat()}
        assert bring_into_force() == 0
        clock.move_to(NOON + timedelta(days=10))
        assert get_product(operator, "DC").version.product_version == 2, "By the day itself, whenever the job runs"
        assert bring_into_force() == 1
        assert get_product(operator, "DC").product.current_version == 2
        assert bring_into_force() == 0
        assert [one.model_dump() for one in product_versions(operator, "DC")][-1] == before


def test_a_product_ends_on_its_day_and_keeps_its_page(register: str) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        operator = national_operator()
        approved(operator, ending("SFFR", 30))
        last = today() + timedelta(days=29)
        assert "SFFR" in offered(last)
        assert "SFFR" not in offered(last + timedelta(days=1))
        with pytest.raises(Refused):
            propose_product(operator, ending("SFFR", 5))
        clock.move_to(NOON + timedelta(days=30))
        assert bring_into_force() == 1
        view = product_sheet(operator, "SFFR").view
        assert view.ended
        assert view.product.status is ProductStatus.DEPRECATED
        assert view.product.deprecation_reason == REASON
        listed = [one.product.code for one in list_products(operator)]
        assert "SFFR" not in listed
        assert "SFFR" in [one.product.code for one in list_products(operator, ProductFilters(ended=True))]


def test_a_question_is_answered_with_a_corrected_document(register: str) -> None:
    operator, admin = national_operator(), administrator()
    made = propose_product(operator, new_product("DX"))
    asked = ask_about_proposal(admin, made.id, "Is one megawatt really needed?", made.version)
    assert asked.status is ProposalStatus.QUESTION
    assert (what_waits(operator).proposals, what_waits(admin).proposals) == (1, 0)
    with pytest.raises(Refused):
        approve_proposal(admin, made.id, REASON, asked.version)
    with pytest.raises(Forbidden):
        answer_proposal(admin, made.id, "Yes, it is needed.", asked.version)
    corrected = document(MinCapacity_kW="100")
    answered = answer_proposal(operator, made.id, "No: a tenth of it is enough.", asked.version, document=corrected)
    approve_proposal(admin, made.id, REASON, answered.version)
    assert get_product(operator, "DX").version.min_capacity == 100
    said = [(one["kind"], one["by"]) for one in get_proposal(operator, made.id).said]
    assert said == [("question", admin.name), ("answer", operator.name), ("decision", admin.name)]


def test_an_older_base_is_not_approved_until_it_was_looked_at_again(register: str) -> None:
    first, second = local_operator("East", ("UKPN_EPN",)), local_operator("North", ("NPG_NE",))
    one = propose_product(first, changed(first, "SU", MinCapacity_kW="5"))
    approved(second, changed(second, "SU", MinDuration_min=60))
    admin = administrator()
    with pytest.raises(Refused, match="version 2"):
        approve_proposal(admin, one.id, REASON, one.version)
    asked = ask_about_proposal(admin, one.id, "The catalogue moved on: still so?", one.version)
    again = answer_proposal(
        first,
        one.id,
        "Yes, with the longer time.",
        asked.version,
        document=changed(first, "SU", MinCapacity_kW="5").document,
    )
    approve_proposal(admin, one.id, REASON, again.version)
    newest = product_versions(first, "SU")[0]
    assert (newest.product_version, newest.min_capacity, newest.min_duration_min) == (3, 5, 60)


def test_refused_withdrawn_and_twice(register: str) -> None:
    operator, admin = national_operator(), administrator()
    made = propose_product(operator, new_product("DX"))
    with pytest.raises(Duplicate) as twice:
        propose_product(operator, new_product("DX"))
    assert twice.value.existing_id == str(made.id)
    with pytest.raises(Conflict):
        refuse_proposal(admin, made.id, REASON, made.version + 1)
    with pytest.raises(Invalid):
        refuse_proposal(admin, made.id, "no", made.version)
    refused = refuse_proposal(admin, made.id, "There is such a product already.", made.version)
    for act in (approve_proposal, refuse_proposal, ask_about_proposal):
        with pytest.raises(Refused):
            act(admin, made.id, REASON, refused.version)
    other = propose_product(operator, new_product("DX"))
    withdrawn = withdraw_proposal(operator, other.id, "We think it over once more.", other.version)
    assert withdrawn.status is ProposalStatus.WITHDRAWN
    assert "DX" not in offered()
    assert [action.allowed for action in allowed_actions(operator, withdrawn)] == [False, False]


def test_proposals_are_their_organisations_own_and_the_administrators(register: str) -> None:
    operator, other, admin = national_operator(), local_operator(), administrator()
    made = propose_product(operator, new_product("DX"))
    assert [one.id for one in list_proposals(admin).items] == [made.id]
    assert list_proposals(other).items == []
    with pytest.raises(NotFound):
        get_proposal(other, made.id)
    with pytest.raises(NotFound):
        withdraw_proposal(other, made.id, REASON, made.version)
    with pytest.raises(Forbidden):
        approve_proposal(operator, made.id, REASON, made.version)
    assert told(other, "product.proposed") == []
    assert [action.operation for action in allowed_actions(admin, made)] == [
        "approve_proposal",
        "ask_about_proposal",
        "refuse_proposal",
    ]


def test_no_change_is_none_and_a_later_version_comes_first(register: str) -> None:
    operator = national_operator()
    assert [one.code for one in check_proposal(operator, changed(operator, "DC"))] == ["PRODUCT-13"]
    approved(operator, changed(operator, "DC", today() + timedelta(days=20), MinCapacity_kW="500"))
    sooner = changed(operator, "DC", today() + timedelta(days=10), MinCapacity_kW="400")
    assert [one.code for one in check_proposal(operator, sooner)] == ["PRODUCT-14"]


@pytest.mark.both_engines
def test_the_order_of_who_buys_it_changes_nothing(register: str) -> None:
    buyer = local_operator()
    stands = get_product(buyer, "SAOUDA").version.procurers
    turned = changed(buyer, "SAOUDA", Procurers=stands[::-1])
    assert [one.code for one in check_proposal(buyer, turned)] == ["PRODUCT-13"]

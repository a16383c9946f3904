"""Units keep the version that they qualified for, and are told of a newer one (UC-04.01)."""

import pytest

from models.events import EventType
from services.core.identity.actor import system_actor
from services.core.jobs.outbox import read_events
from services.core.jobs.worker import work_through
from services.market.qualification.listing import get_qualification
from services.market.qualification.product_versions import newer_version, tell_holders
from tests.market_factories import apply_for, make_market, qualified
from tests.product_factories import approved, changed


@pytest.mark.use_case("UC-04.01")
def test_whoever_qualified_for_an_older_version_is_told_once_and_keeps_it(register: str) -> None:
    actor, operator, unit = make_market()
    application = qualified(operator, apply_for(actor, unit, "SU")[0])
    assert newer_version(actor, application.id) is None
    approved(operator, changed(operator, "SU", MinDuration_min=60))
    work_through()
    newer = newer_version(actor, application.id)
    assert newer is not None
    assert (newer.product_version, newer.min_duration_min) == (2, 60)
    told = [event for event in read_events(actor, limit=1000) if event.type == EventType.QUALIFICATION_NEWER_VERSION]
    assert [(event.record_id, event.payload["product_version"]) for event in told] == [(application.id, 2)]
    published = next(
        event for event in read_events(system_actor(), limit=1000) if event.type == EventType.PRODUCT_VERSION_PUBLISHED
    )
    assert tell_holders("SU", 2, "2026-01-01", published.occurred_at) == 0, "handed over twice, told once"
    assert get_qualification(actor, application.id).qualification.product_version == 1

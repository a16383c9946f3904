"""Audited settings: bounds, versions, history."""

import pytest

from services.core.errors import Conflict, Invalid
from services.core.identity.actor import system_actor
from services.core.ledger.sealing import seal_ledger
from services.core.ledger.verifying import verify_ledger
from services.core.register_settings import change_setting, read_settings

pytestmark = pytest.mark.both_engines

KEY = "asset.query_answer_days"


def value_of(key: str) -> tuple[str, int]:
    """The value and version in force."""
    found = next(entry for entry in read_settings(system_actor()) if entry.kind.key == key)
    return str(found.value), found.version


@pytest.mark.use_case("UC-02.01")
def test_a_setting_is_changed_version_by_version_and_recorded(register: str) -> None:
    actor = system_actor()
    assert value_of(KEY) == ("20", 0)
    change_setting(actor, KEY, "25", 0)
    assert value_of(KEY) == ("25", 1)
    with pytest.raises(Conflict) as stale:
        change_setting(actor, KEY, "30", 0)
    assert stale.value.current["value"] == "25"
    seal_ledger(actor)
    assert verify_ledger(actor).sound


@pytest.mark.parametrize("given", ["abc", "0", "121", "", "NaN", "1e9", "1.5", f"2.{'0' * 300}1"])
def test_a_setting_outside_its_bounds_is_refused_with_what_is_expected(register: str, given: str) -> None:
    with pytest.raises(Invalid) as refused:
        change_setting(system_actor(), KEY, given, 0)
    assert refused.value.findings[0].given == given
    assert "1 to 120 working days" in refused.value.findings[0].expected
    assert value_of(KEY) == ("20", 0)

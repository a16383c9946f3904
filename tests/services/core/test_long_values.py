"""Values as long as a cell can be: each rule finds its words for them in no time."""

import time

import pytest

from services.assets.rules.attributes import UNSEEN
from services.assets.rules.catalogue import ASSET_RULES
from services.participants.rules_catalogue import ORGANISATION_RULES

LONGEST = 32_767
VALUES = {
    "spaces": " " * LONGEST,
    "digits": "1" * LONGEST,
    "spaces and a letter": " " * LONGEST + "x",
    "digit and spaces": "1" + " " * LONGEST + "x",
    "commas": "1," * (LONGEST // 2),
    "points": "1." * (LONGEST // 2),
    "unit": "1 kW" + " " * LONGEST + "x",
    "zeros": "1." + "0" * LONGEST + "x",
}


@pytest.mark.parametrize("name", list(VALUES))
def test_no_rule_takes_long_over_a_long_value(name: str) -> None:
    begun = time.perf_counter()
    for rule in (*ASSET_RULES.values(), *ORGANISATION_RULES.values()):
        rule.finding(VALUES[name])
    UNSEEN.sub(" ", VALUES[name])
    assert time.perf_counter() - begun < 1

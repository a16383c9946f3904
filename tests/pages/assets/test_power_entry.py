"""Power typed in kW or MW: what is typed is the same power whichever unit is shown, in whatever spelling."""

import pytest

from pages.components.common.power import in_unit, to_kw

pytestmark = pytest.mark.use_case("UC-02.01")


@pytest.mark.parametrize(
    ("typed", "unit", "kw"),
    [
        ("2.5", "MW", "2500"),
        ("2,5", "MW", "2500"),
        ("1 234,5", "MW", "1234500"),
        ("750 kW", "MW", "750"),
        ("2.5 MW", "kW", "2.5 MW"),
        ("2,5", "kW", "2,5"),
        ("1,234", "MW", "1,234 MW"),
        ("some", "MW", "some MW"),
        ("30 kVA", "MW", "30 kVA"),
        ("", "MW", ""),
    ],
)
def test_what_is_typed_is_handed_over_in_kw_or_with_its_unit(typed: str, unit: str, kw: str) -> None:
    assert to_kw(typed, unit) == kw


@pytest.mark.parametrize(
    ("kw", "unit", "shown"),
    [
        ("2500.00", "MW", "2.5"),
        ("2500,5", "MW", "2.5005"),
        ("2.5 MW", "MW", "2.5"),
        ("1,234", "MW", "1,234 kW"),
        ("1,234", "kW", "1,234"),
        ("2500.00", "kW", "2500"),
        ("", "MW", ""),
    ],
)
def test_a_change_of_unit_keeps_the_power(kw: str, unit: str, shown: str) -> None:
    assert in_unit(kw, unit) == shown

"""The catalogue as the register is born with it, and what others read from it (UC-04.01)."""

from datetime import date

import pytest

from models.products import Phase
from services.core.audit_context import Stamp
from services.core.errors import NotFound
from services.core.identity.actor import system_actor
from services.core.transaction import unit_of_work
from services.first_data import begin
from services.market.products.catalogue import find_version, list_offered_versions, list_versions_in_force
from services.market.products.market_tables import UNKNOWN, Stacking, load_equivalences, load_stacking_matrix
from services.market.products.procurers import find_operators
from tests.factories import make_organisation

DAY = date(2026, 11, 28)


def reading():
    """Where plain functions of services can be called."""
    return unit_of_work(Stamp("test", "UC-04.01", system_actor()), writes=False)


@pytest.mark.use_case("UC-04.01")
def test_a_new_register_has_the_catalogue_and_gets_it_once(register: str) -> None:
    assert begin() is False, "Everything was there already"
    with reading():
        offered = {version.code: version for version in list_offered_versions(DAY)}
        assert len(list_versions_in_force(DAY)) == 23
        assert (offered["DC"].min_capacity, offered["DC"].product_version) == (1000, 1)
        assert offered["CMP"].min_capacity is None, "An empty cell is not known, rather than nought"
        assert {"STOR", "FR", "BM"}.isdisjoint(offered), "Legacy and later phases can't be applied for"
        assert all(version.phase is Phase.GO_LIVE for version in offered.values())
        assert list_offered_versions(date(2020, 1, 1)) == [], "Nothing was offered before the first versions"
        assert find_version("STOR", 1).name == "STOR"
        with pytest.raises(NotFound):
            find_version("DC", 7)


@pytest.mark.use_case("UC-04.03")
def test_stacking_is_symmetric_and_what_nobody_said_is_not_known(register: str) -> None:
    with reading():
        matrix = load_stacking_matrix()
        assert len(matrix) == 2 * 231
        assert all(matrix[second, first] == cell for (first, second), cell in matrix.items())
        assert matrix["CM", "DC"].co_delivery is Stacking.EXPLICIT_YES
        assert matrix.get(("DC", "NOWHERE"), UNKNOWN).splitting is Stacking.NO_DATA
        assert ("DC", "DM") in {(given, wanted) for given, wanted, _note in load_equivalences()}


@pytest.mark.use_case("UC-04.01")
def test_buyers_are_found_by_licence_area_and_the_national_one_everywhere(register: str) -> None:
    national = make_organisation("National", ("System Operator",))
    eastern = make_organisation("Eastern", ("DNO",), licence_areas=("UKPN_EPN",))
    north = make_organisation("Northern", ("DNO",), licence_areas=("SSEN_SHEPD",))
    with reading():
        assert [one.id for one in find_operators(find_version("DC", 1), ())] == [national.id]
        assert [one.id for one in find_operators(find_version("SU", 1), ["UKPN_EPN", "SSEN_SEPD"])] == [eastern.id]
        assert [one.id for one in find_operators(find_version("OU2", 1), ["SSEN_SHEPD", "UKPN_EPN"])] == [north.id]
        assert find_operators(find_version("PR", 1), ["UKPN_EPN"]) == [], "Only ENWL buys it"

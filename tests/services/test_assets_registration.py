"""UC-02.01: registering one asset - conformance, warnings, duplicates, consent, and who may."""

import pytest

from models.assets import AssetStatus
from services.assets.reading import as_terms, get_asset
from services.assets.registration import check_registration, register_asset
from tests.asset_factories import OF_CATEGORY, make_provider, values_for


@pytest.mark.use_case("UC-02.01")
@pytest.mark.parametrize("category", sorted(OF_CATEGORY))
def test_an_asset_of_each_category_registers_and_waits_for_its_checks(register: str, category: str) -> None:
    actor = make_provider()
    values = values_for(category)
    assert check_registration(actor, values) == []
    asset = register_asset(actor, values)
    stored = as_terms(get_asset(actor, asset.id))
    assert stored["Status"] == AssetStatus.PENDING_VALIDATION
    assert stored["Version"] == 1
    assert stored["GspGroup"] == "_A"
    assert stored["ServiceProviderId"] == stored["OrganisationId"] == str(actor.organisation_id)

"""UC-05.07: code lists are read by all and kept by administrators."""

import pytest

from services.assets.categories.codes import (
    add_code,
    code_list_entries,
    code_usage,
    code_users,
    order_codes,
    rename_code,
    set_code_active,
    stale_attributes,
)
from services.assets.categories.drafts import (
    begin_version,
)
from services.assets.categories.form import AttributeForm
from services.assets.categories.publishing import publish_category
from services.assets.registration.register import register_asset
from services.assets.rules.reference import code_list
from services.core.errors import Conflict, Invalid, Refused
from tests.asset_factories import make_administrator, make_provider, registered
from tests.category_factories import HUB, hub, hub_values, published_hub

pytestmark = pytest.mark.use_case("UC-05.07")


def test_choices_from_a_code_list_are_those_of_the_day_it_was_published(register: str) -> None:
    administrator, provider = make_administrator(), make_provider()
    source = AttributeForm(id="a1", label="Backup source", kind="choice", code_list="EnergySource")
    published_hub(administrator, hub(attributes=[source]))
    values = hub_values(BackupSource="DIESEL", BidirectionalSockets=None, UsableEnergy_kWh=None, VehicleAccess=None)
    register_asset(provider, {name: one for name, one in values.items() if one is not None})
    assert code_users(provider, "EnergySource") == ["Energy source", "Vehicle-to-grid hub: Backup source"]
    assert code_usage(administrator, "EnergySource")["DIESEL"] == 1
    assert stale_attributes(administrator, "EnergySource") == []
    add_code(administrator, "EnergySource", "TIDAL", "Tidal stream", "Gen")
    assert stale_attributes(administrator, "EnergySource") == ["Vehicle-to-grid hub: Backup source"]
    draft = begin_version(administrator, HUB)
    publish_category(administrator, draft.id, draft.version)
    assert stale_attributes(administrator, "EnergySource") == []


@pytest.mark.both_engines
def test_codes_are_renamed_put_in_order_and_counted(register: str) -> None:
    administrator, provider = make_administrator(), make_provider()
    registered(provider, Aliases=[{"scheme": "ECR", "value": "X-1"}])
    assert code_usage(administrator, "ConnectionStatus") == {"CONNECTED": 1}
    assert code_usage(administrator, "AliasScheme") == {"ECR": 1}
    assert code_usage(administrator, "OrganisationRole")["FSP"] == 1
    entry = rename_code(administrator, "ConnectionStatus", "PENDING", "Waiting for connection", 1)
    assert (entry.label, entry.version) == ("Waiting for connection", 2)
    with pytest.raises(Conflict) as late:
        rename_code(administrator, "ConnectionStatus", "PENDING", "Other", 1)
    assert late.value.changes["label"] == ("Pending Connection", "Waiting for connection")
    codes = [code.code for code in code_list("ConnectionStatus")]
    order_codes(administrator, "ConnectionStatus", [*codes[1:], codes[0]])
    assert [code.code for code in code_list("ConnectionStatus")] == [*codes[1:], codes[0]]
    pending = next(one for one in code_list_entries(provider, "ConnectionStatus") if one.code == "PENDING")
    with pytest.raises(Conflict):
        order_codes(administrator, "ConnectionStatus", codes[1:])
    with pytest.raises(Invalid):
        rename_code(administrator, "ConnectionStatus", "PENDING", " ", pending.version)
    with pytest.raises(Refused):
        rename_code(administrator, "AssetCategory", "BESS", "Battery", 1)
    with pytest.raises(Refused):
        set_code_active(administrator, "AssetCategory", "BESS", False, 1)

"""What tests of categories start from: a vehicle-to-grid hub, as an administrator types it, and assets of it."""

from typing import Any

from models.assets import CategorySchema
from services.assets.categories.drafts import begin_category, save_category
from services.assets.categories.form import AttributeForm, CategoryForm, UsualValue
from services.assets.categories.publishing import publish_category
from services.core.identity.actor import Actor
from tests.asset_factories import battery

HUB = "VEHICLE_TO_GRID_HUB"
TITLE = "Vehicle-to-grid hub"


def hub(**changes: Any) -> CategoryForm:
    """A category with three attributes of its own, as an administrator types it."""
    made: dict[str, Any] = {
        "title": TITLE,
        "description": "Several vehicle chargers behind one connection that give power back.",
        "kind": "storage",
        "colour": "#0077BB",
        "mandatory": ["ImportMPAN"],
        "usual": [UsualValue(term="FuelType_EnergySource", value="GRID", always=True)],
        "attributes": [
            AttributeForm(
                id="a1", label="Bidirectional sockets", kind="integer", minimum="1", maximum="500", mandatory=True
            ),
            AttributeForm(id="a2", label="Usable energy", kind="number", unit="kWh", minimum="0", above_minimum=True),
            AttributeForm(id="a3", label="Vehicle access", kind="choice", choices="PUBLIC = Anybody\nFLEET = A fleet"),
        ],
    }
    return CategoryForm(**{**made, **changes})


def drafted_hub(administrator: Actor, form: CategoryForm | None = None) -> CategorySchema:
    """The category as a draft."""
    draft = begin_category(administrator, TITLE)
    return save_category(administrator, draft.id, form or hub(), draft.version)


def published_hub(administrator: Actor, form: CategoryForm | None = None) -> CategorySchema:
    """The category in use."""
    draft = drafted_hub(administrator, form)
    return publish_category(administrator, draft.id, draft.version)


def hub_values(**changes: Any) -> dict[str, Any]:
    """Values of a hub that passes every rule."""
    values = battery(AssetCategory=HUB, BidirectionalSockets="12", UsableEnergy_kWh="480.5", VehicleAccess="A fleet")
    del values["StorageCapacity_kWh"]
    return values | changes

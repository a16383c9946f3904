"""The made-up connection register that the demo's large assets are held against (data/demo/ecr-demo.csv)."""

import csv
import io
from collections.abc import Callable, Iterable
from decimal import Decimal

from services.assets.sources.loading import load_source
from services.core.identity.actor import Actor
from services.grid.coordinates import to_national_grid
from services.workshop.cast import FOLDER
from services.workshop.past import Past
from services.workshop.planned import Planned
from services.workshop.scenes import REGISTER_AREAS, in_register

FILE = FOLDER / "ecr-demo.csv"
PUBLISHER = "Northern Powergrid"
LOADED, EDITION = 548, 551
"""Days before the day of seeding: when it was loaded, and the date of the edition."""
TECHNOLOGIES = {
    "BESS": (
        "Stored Energy (all stored energy irrespective of the original energy source)",
        "Storage - Electrochemical (Batteries)",
    ),
    "SOLAR_PV": ("Solar", "Photovoltaic"),
    "WIND_TURBINE": ("Wind", "Onshore wind turbines"),
}
ODD_TECHNOLOGY = ("Fossil - Gas", "Engine (combustion / reciprocating)")
OFF_M = 6_400
"""How far away the register says a site is where its position differs."""


def edition_text(planned: Iterable[Planned]) -> str:
    """The register as CSV, in the headings that distributors use; the same whatever the day."""
    rows = [_row(asset) for asset in in_register(planned)]
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def load_edition(administrator: Actor, past: Past) -> Callable[[], None]:
    """The step in which the administrator loads the edition."""

    def step() -> None:
        load_source(administrator, FILE.read_bytes(), FILE.name, publisher=PUBLISHER, edition_date=past.day(EDITION))

    return step


def _row(asset: Planned) -> dict[str, str]:
    values = asset.values
    connected = values["ConnectionStatus"] == "CONNECTED" and asset.odd != "status"
    share = Decimal("0.70") if asset.odd == "capacity" else Decimal(1)
    rated, export, taken = (
        f"{Decimal(values[term]) * share / 1000:.3f}" for term in ("RatedCapacity", "GenCapacity", "DemandCapacity")
    )
    place = to_national_grid(float(values["Latitude"]), float(values["Longitude"]))
    source, technology = ODD_TECHNOLOGY if asset.odd == "technology" else TECHNOLOGIES[asset.category]
    storage = values["CategoryAttributes"].get("StorageCapacity_kWh")
    now, later = (rated, "") if connected else ("", rated)
    return {
        "Export MPAN / MSID": values.get("ExportMPAN", ""),
        "Import MPAN / MSID": values.get("ImportMPAN", ""),
        "Customer Name": "Customer withheld",
        "Customer Site": values["AssetName"],
        "Town/ City": "",
        "Postcode": values.get("Postcode", "Data not available"),
        "Country": "England",
        "Location (X-coordinate): Eastings (where data is held)": f"{place.easting:.0f}",
        "Location (y-coordinate): Northings (where data is held)": (
            f"{place.northing + (OFF_M if asset.odd == 'position' else 0):.0f}"
        ),
        "Licence Area": REGISTER_AREAS[values["DNOConnection"]],
        "Energy Source 1": source,
        "Energy Conversion Technology 1": technology,
        "Storage Capacity 1 (MWh)": f"{storage / 1000:.2f}" if storage else "",
        "Energy Source & Energy Conversion Technology 1 - Registered Capacity (MW)": rated,
        "Flexible Connection (Yes/No)": "No" if values["ConnectionType"] == "FIRM" else "Yes",
        "Connection Status": "Connected" if connected else "Accepted to Connect",
        "Already connected Registered Capacity (MW)": now,
        "Already Connected - Maximum Export Capacity (MW)": export if connected else "",
        "Already Connected - Maximum Import Capacity (MW)": taken if connected and Decimal(taken) else "",
        "Date Connected": values.get("CommissioningDate", "") if connected else "",
        "Accepted to Connect Registered Capacity (MW)": later,
        "Accepted to Connect - Change to Maximum Export Capacity (MW)": "" if connected else export,
        "Reference": asset.reference,
    }

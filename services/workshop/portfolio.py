"""The demo's assets as they are declared: about 2,000 of every category, in every GSP group, from data/demo/portfolios.json.

Only the values are made here, by ontology term; the rules of the register judge them afterwards like anybody's.
"""

import json
from bisect import bisect
from datetime import date, timedelta
from functools import cache
from itertools import accumulate
from random import Random
from typing import Any

import numpy as np

from services.assets.rules.mpan import mpan_check_digit
from services.grid.coordinates import to_national_grid_many
from services.grid.distributors import DISTRIBUTORS, LICENCE_AREAS
from services.grid.geography import land_points
from services.grid.outcodes import outcodes
from services.workshop.cast import FOLDER
from services.workshop.past import SEED, Past
from services.workshop.planned import Planned
from services.workshop.scenes import stage

OLDEST, NEWEST = 545, 1
"""Days before the day of seeding between which assets were registered: 18 months."""
LAST_FIXED_DAY = date(2023, 6, 30)
"""Large sites were commissioned before this day whenever the demo is laid down: the made-up register says so too."""
IDNO_IDS = [distributor.id for distributor in DISTRIBUTORS if distributor.is_idno]
DNO_OF = {area.gsp_group: area for area in LICENCE_AREAS}
ENERGY_SOURCE = {"BESS": "GRID", "SOLAR_PV": "SOLAR", "WIND_TURBINE": "WIND"}
DEMAND_TECHNOLOGY = {"EV_CHARGER": "EV"}
DEMAND = ("EV_CHARGER", "HEAT_PUMP", "HVAC", "REFRIGERATION", "ELECTRIC_BOILER", "INDUSTRIAL_LOAD")
CONVERSION = {"SOLAR_PV": "Photovoltaic", "WIND_TURBINE": "Onshore wind turbine", "BESS": "Storage - electrochemical"}
INWARD = "ABDEFGHJLNPQRSTUWXYZ"


def described() -> dict[str, Any]:
    """data/demo/portfolios.json: places, streets, portfolios."""
    return json.loads((FOLDER / "portfolios.json").read_text("utf-8"))


def plan(past: Past) -> list[Planned]:
    """Every asset of the demo in the order of registration."""
    random = Random(SEED)  # noqa: S311 - nothing secret hangs on it
    words = described()
    maker = _Maker(random, words, past)
    planned: list[Planned] = []
    for index, portfolio in enumerate(words["portfolios"]):
        planned += maker.portfolio(index, portfolio)
    stage(planned, past)
    planned.sort(key=lambda asset: (asset.moment, asset.batch))
    for number, asset in enumerate(planned, 1):
        asset.number = number
    return planned


class _Maker:
    """Makes values; holds the chance, and what was given out already."""

    def __init__(self, random: Random, words: dict[str, Any], past: Past) -> None:
        self.random = random
        self.words = words
        self.past = past
        self.batches = 0
        self.numbers: dict[str, int] = {}
        self.names: dict[str, int] = {}
        self.points: dict[str, list[tuple[float, float]]] = {}

    def portfolio(self, index: int, spec: dict[str, Any]) -> list[Planned]:
        """All assets of one portfolio, in batches of one moment each."""
        groups = self._groups(spec["groups"], spec["count"])
        self.points = {group: land_points(group, groups.count(group), SEED + index) for group in dict.fromkeys(groups)}
        planned: list[Planned] = []
        while len(planned) < spec["count"]:
            self.batches += 1
            size = min(spec["count"] - len(planned), self.random.randint(1, 2 * spec["batch"] - 1))
            newest = spec.get("newest", NEWEST)
            days_ago = int(newest + (OLDEST - newest) * (1 - self.random.random() ** 0.62))
            moment = self.past.moment(days_ago, self.random.randint(8, 17), self.random.randint(0, 59))
            for _ in range(size):
                values = self._values(spec, groups[len(planned)], moment.date())
                owner = None if values.get("ConsumerOwned") else spec["provider"]
                large = spec.get("large", False)
                planned.append(Planned(0, spec["provider"], owner, moment, self.batches, large, values))
        return planned

    def _groups(self, weights: dict[str, int], count: int) -> list[str]:
        """GSP groups in shares that fit the weights, in a mixed order."""
        bounds = list(accumulate(weights.values()))
        names = list(weights)
        groups = [names[bisect(bounds, (place + 0.5) / count * bounds[-1])] for place in range(count)]
        self.random.shuffle(groups)
        return groups

    def _values(self, spec: dict[str, Any], group: str, registered: date) -> dict[str, Any]:
        random, category = self.random, spec["category"]
        variant = random.choice(spec["variants"])
        rated = float(random.choice(variant["rated"]))
        lat, lon = self.points[group].pop()
        values = {
            "AssetCategory": category,
            "Manufacturer": variant["maker"],
            "AssetModel": variant["model"],
            **self._capacities(category, variant, rated),
            **self._fuel(category, spec, variant),
            **self._connection(spec, category, group, registered),
            **self._owner(spec),
            "Latitude": f"{lat:.6f}",
            "Longitude": f"{lon:.6f}",
        }
        values["AssetName"] = self._name(spec)
        values["SerialNumber"] = self._serial(spec, variant, rated)
        if values["SerialNumber"].startswith("MCS-") and random.random() < 0.3:
            values["Aliases"] = f"MCS:CERT-{values['SerialNumber']}"
        if code := spec.get("code"):
            self.numbers[code] = self.numbers.get(code, 0) + 1
            values["FriendlyCode"] = f"{code}-{self.numbers[code]:04d}"
        if conversion := variant.get("conversion") or spec.get("conversion") or CONVERSION.get(category):
            values["EnergyConversionType"] = conversion
        if random.random() < 0.8:
            values["Postcode"] = (
                f"{nearest_outcode(lat, lon)} {random.randint(1, 9)}{''.join(random.choices(INWARD, k=2))}"
            )
        own = {**spec.get("attributes", {}), **variant.get("attributes", {})}
        values["CategoryAttributes"] = {name: self._attribute(choices, rated) for name, choices in own.items()}
        return values

    def _attribute(self, choices: Any, rated: float) -> Any:
        if isinstance(choices, dict):
            return round(rated * self.random.choice(choices["times"]), 1)
        return self.random.choice(choices)

    def _capacities(self, category: str, variant: dict[str, Any], rated: float) -> dict[str, str]:
        """Generation and demand as shares of the rated capacity; what is installed stands a little above it at times."""
        generates = variant.get("gen", 0 if category in DEMAND else 1)
        takes = variant.get("demand", 1 if category in (*DEMAND, "BESS") else 0)
        installed = rated * self.random.choice((1, 1, 1.05, 1.1))
        named = {"RatedCapacity": rated, "GenCapacity": rated * generates, "DemandCapacity": rated * takes}
        return {term: f"{value:.2f}" for term, value in {**named, "InstalledCapacity": installed}.items()}

    def _fuel(self, category: str, spec: dict[str, Any], variant: dict[str, Any]) -> dict[str, str]:
        if category in DEMAND:
            return {"FuelType_DemandTechType": DEMAND_TECHNOLOGY.get(category, category)}
        sources = variant.get("sources") or spec.get("sources") or [ENERGY_SOURCE[category]]
        fuel = {"FuelType_EnergySource": self.random.choice(sources)}
        if category == "OTHER":
            fuel["OtherDescription"] = variant["description"]
            if variant.get("demand"):
                fuel["FuelType_DemandTechType"] = "OTHER"
        return fuel

    def _connection(self, spec: dict[str, Any], category: str, group: str, registered: date) -> dict[str, str]:
        """Status, dates, network and MPANs; a few are still to be connected."""
        random, area = self.random, DNO_OF[group]
        pending = spec.get("large", False) and random.random() < 0.06
        effective = registered + timedelta(days=random.choice((0, 0, 1, 7, 14, 30)))
        values = {
            "ConnectionStatus": "PENDING" if pending else "CONNECTED",
            "ConnectionType": random.choices(("FIRM", "NON_FIRM", "DYNAMIC"), (80, 14, 6))[0],
            "DNOConnection": area.code or "",
            "EffectiveDate": effective.isoformat(),
        }
        if not pending:
            last = LAST_FIXED_DAY if spec.get("large") else registered - timedelta(days=3)
            first = date(2011 if spec.get("large") else 2019, 3, 1)
            # The same amount of chance whatever the dates: what follows must not hang on the day of seeding.
            day = first + timedelta(days=int(random.random() * (last - first).days))
            values["CommissioningDate"] = day.isoformat()
        independent = random.random() < spec.get("idno", 0)
        distributor = random.choice(IDNO_IDS) if independent else area.id
        if category == "OTHER" and random.random() < 0.4:
            return values
        if category in (*DEMAND, "BESS", "OTHER"):
            values["ImportMPAN"] = self.mpan(distributor)
        if category in ("SOLAR_PV", "WIND_TURBINE", "CHP") or (category == "BESS" and spec.get("large")):
            values["ExportMPAN"] = self.mpan(distributor)
        return values

    def mpan(self, distributor: str) -> str:
        """A valid MPAN of a distributor that nobody else was given."""
        self.numbers["mpan"] = self.numbers.get("mpan", 0) + self.random.randint(7, 900)
        digits = f"{distributor}{4_100_000_000 + self.numbers['mpan']:010d}"
        return f"{digits}{mpan_check_digit(digits)}"

    def _owner(self, spec: dict[str, Any]) -> dict[str, Any]:
        if self.random.random() >= spec.get("consumer", 0):
            return {}
        self.numbers["consent"] = self.numbers.get("consent", 0) + 1
        return {"ConsumerOwned": True, "ConsentReference": f"CONSENT-DEMO-{self.numbers['consent']:06d}"}

    def _name(self, spec: dict[str, Any]) -> str:
        pattern = self.random.choice(spec["name"])
        street, place = self.random.choice(self.words["streets"]), self.random.choice(self.words["places"])
        if "{street}" in pattern:
            return pattern.format(n=self.random.randint(1, 180), street=street, place=place)
        key = pattern.format(n="", place=place)
        self.names[key] = self.names.get(key, 0) + 1
        return pattern.format(n=self.names[key], place=place)

    def _serial(self, spec: dict[str, Any], variant: dict[str, Any], rated: float) -> str:
        """A maker's number, or one that the sandbox's installation registry certifies."""
        self.numbers["serial"] = self.numbers.get("serial", 0) + 1
        if self.random.random() < spec.get("certificates", 0):
            technology = variant.get("technology", spec["technology"])
            return f"MCS-{technology}-{round(rated * 100):04d}-{self.numbers['serial']:05d}"
        return f"{variant['prefix']}-{self.numbers['serial']:06d}"


@cache
def _outcode_tree() -> tuple[np.ndarray, tuple[str, ...]]:
    table = outcodes()
    return np.column_stack([table.eastings, table.northings]), table.codes


def nearest_outcode(lat: float, lon: float) -> str:
    """The outward code whose centre is nearest."""
    centres, codes = _outcode_tree()
    eastings, northings = to_national_grid_many(np.array([lat]), np.array([lon]))
    distance = (centres[:, 0] - eastings[0]) ** 2 + (centres[:, 1] - northings[0]) ** 2
    return codes[int(np.argmin(distance))]

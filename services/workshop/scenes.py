"""The scenes of the demo: which assets have more of a story than to be registered and verified, and which one."""

from collections.abc import Iterable, Iterator
from itertools import product

from services.grid.distributors import LICENCE_AREAS
from services.workshop.past import Past
from services.workshop.planned import Planned, Story, sandbox_mpan

REGISTER_AREAS = {"NPG_NE": "Northern Powergrid (Northeast)", "NPG_YK": "Northern Powergrid (Yorkshire)"}
"""The licence areas of the made-up connection register (data/demo/ecr-demo.csv)."""
ODD_IMPORT_ANSWERS = ("408", "410", "412", "423", "404")
"""What the sandbox's MPAN register can say against an import MPAN."""
STILL_OPEN = 24
"""Days within which a query can still be open: later, the deadline of 20 working days has passed."""
RECENT = (5, 8, 11, 15, 19)
"""Days ago on which Northgate registered batteries that the connection register contradicts."""
WAYS = ("capacity", "position", "status", "capacity", "technology")


def stage(planned: list[Planned], past: Past) -> None:
    """Give out the parts. The connection register's first: what it says must not hang on the day of seeding."""
    _listed(planned, past)
    _claimed_twice(planned)
    _asked_about(planned, past)
    _consents(planned, past)
    _later_changes(planned, past)


def in_register(planned: Iterable[Planned]) -> list[Planned]:
    """The assets that the made-up connection register lists, in the order of its rows."""
    return sorted((asset for asset in planned if asset.reference), key=lambda asset: asset.reference)


def age(asset: Planned, past: Past) -> int:
    """Days since registration on the day of seeding."""
    return (past.today - asset.moment.date()).days


def _listed(planned: list[Planned], past: Past) -> None:
    sites = [asset for asset in planned if asset.large and asset.values["DNOConnection"] in REGISTER_AREAS]
    batteries = [
        asset for asset in sites if asset.provider == "northgate" and asset.values["ConnectionStatus"] == "CONNECTED"
    ]
    for asset, days_ago, odd in zip(batteries, RECENT, WAYS, strict=False):
        asset.moment, asset.odd = past.moment(days_ago, 10, 24), odd
        asset.values["EffectiveDate"] = asset.moment.date().isoformat()
    others = [asset for asset in sites if not asset.odd and asset.values["ConnectionStatus"] == "CONNECTED"]
    for number, asset in enumerate(others):
        if number % 7 == 3:
            asset.odd = ("capacity", "position")[number % 2]
    for number, asset in enumerate(sites, 1):
        asset.reference = f"NPG-DEMO-{number:04d}"
        if number % 3:
            asset.values["Aliases"] = f"ECR:{asset.reference}"
        if asset.odd and age(asset, past) > STILL_OPEN:
            asset.story = (Story.SETTLED, Story.CORRECTED)[asset.odd == "capacity"]


def _claimed_twice(planned: list[Planned]) -> None:
    """Lumen claims the MPANs of chargers that Bramble registered earlier."""
    chargers = [asset for asset in planned if asset.category == "EV_CHARGER" and not asset.large]
    incumbents = sorted((asset for asset in chargers if asset.provider == "bramble"), key=lambda asset: asset.moment)
    claimants = sorted((asset for asset in chargers if asset.provider == "lumen"), key=lambda asset: asset.moment)[
        -4:-1
    ]
    for incumbent, claimant in zip(incumbents[200::40], claimants, strict=False):
        place = ("ImportMPAN", "DNOConnection", "Latitude", "Longitude")
        claimant.values |= {term: incumbent.values[term] for term in place}
        claimant.values.pop("Postcode", None)
        claimant.story = Story.CLAIMED_TWICE


def _free(planned: list[Planned], *categories: str) -> list[Planned]:
    return [
        asset
        for asset in planned
        if asset.story is Story.EVERYDAY and not asset.large and (not categories or asset.category in categories)
    ]


def _odd_mpans() -> Iterator[tuple[str, str]]:
    """(DNOCode, MPAN) of each answer against an import MPAN that the sandbox gives; North Scotland is never another group."""
    for answer, area in product(ODD_IMPORT_ANSWERS, LICENCE_AREAS):
        if area.code and not (answer == "408" and area.id == "17"):
            yield area.code, sandbox_mpan(area.id, answer)


def _asked_about(planned: list[Planned], past: Past) -> None:
    """Some have an MPAN that the MPAN register contradicts: the recent ones are open, older ones have been dealt with."""
    places: dict[str, list[Planned]] = {}
    for asset in _free(planned, "EV_CHARGER", "HEAT_PUMP", "HVAC", "REFRIGERATION", "INDUSTRIAL_LOAD"):
        if not asset.consumer_owned and asset.provider != "fadinglight":
            places.setdefault(asset.values["DNOConnection"], []).append(asset)
    for candidates in places.values():
        candidates.sort(key=lambda asset: (age(asset, past) > STILL_OPEN, asset.moment))
    older = 0
    for number, (code, mpan) in enumerate(_odd_mpans()):
        candidates = places.get(code, [])
        if not candidates:
            continue
        asset = candidates.pop(0 if number % 2 else -1)
        asset.values["ImportMPAN"] = mpan
        if age(asset, past) <= STILL_OPEN:
            asset.story = Story.ANSWERED if number % 4 == 1 and age(asset, past) > 3 else Story.EVERYDAY
            asset.asked = True
        else:
            older += 1
            asset.story = Story.UNANSWERED if older % 3 == 0 and age(asset, past) > 40 else Story.SETTLED


def _consents(planned: list[Planned], past: Past) -> None:
    owned = [asset for asset in _free(planned) if asset.consumer_owned]
    for number, asset in enumerate(owned):
        if age(asset, past) <= 6:
            asset.story = Story.AWAITING
        elif number % 90 == 17:
            asset.story = Story.NO_CONSENT
        elif (number % 60 == 31 or (asset.provider == "kelvin" and number % 40 == 5)) and age(asset, past) > 30:
            asset.story = Story.REVOKED


def _later_changes(planned: list[Planned], past: Past) -> None:
    """Details that change, extensions (of what no certificate describes), and endings; what no source knows is decided."""
    free = [asset for asset in _free(planned) if age(asset, past) > 40 and not asset.asked]
    for number, asset in enumerate(free):
        if number % 29 == 7:
            asset.story = Story.ENDED
        elif number % 29 == 11 and not asset.values["SerialNumber"].startswith("MCS-"):
            asset.story = Story.GROWN
        elif number % 29 == 17:
            asset.story = Story.RENAMED
    for asset in _free(planned, "OTHER"):
        if "ImportMPAN" not in asset.values and age(asset, past) > 12:
            asset.story = Story.DECIDED

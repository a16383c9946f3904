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
    return sorted((one for one in planned if one.reference), key=lambda one: one.reference)


def age(one: Planned, past: Past) -> int:
    """Days since registration on the day of seeding."""
    return (past.today - one.moment.date()).days


def _listed(planned: list[Planned], past: Past) -> None:
    sites = [one for one in planned if one.large and one.values["DNOConnection"] in REGISTER_AREAS]
    batteries = [one for one in sites if one.provider == "northgate" and one.values["ConnectionStatus"] == "CONNECTED"]
    for one, days_ago, odd in zip(batteries, RECENT, WAYS, strict=False):
        one.moment, one.odd = past.moment(days_ago, 10, 24), odd
        one.values["EffectiveDate"] = one.moment.date().isoformat()
    others = [one for one in sites if not one.odd and one.values["ConnectionStatus"] == "CONNECTED"]
    for number, one in enumerate(others):
        if number % 7 == 3:
            one.odd = ("capacity", "position")[number % 2]
    for number, one in enumerate(sites, 1):
        one.reference = f"NPG-DEMO-{number:04d}"
        if number % 3:
            one.values["Aliases"] = f"ECR:{one.reference}"
        if one.odd and age(one, past) > STILL_OPEN:
            one.story = (Story.SETTLED, Story.CORRECTED)[one.odd == "capacity"]


def _claimed_twice(planned: list[Planned]) -> None:
    """Lumen claims the MPANs of chargers that Bramble registered earlier."""
    chargers = [one for one in planned if one.category == "EV_CHARGER" and not one.large]
    incumbents = sorted((one for one in chargers if one.provider == "bramble"), key=lambda one: one.moment)
    claimants = sorted((one for one in chargers if one.provider == "lumen"), key=lambda one: one.moment)[-4:-1]
    for incumbent, claimant in zip(incumbents[200::40], claimants, strict=False):
        place = ("ImportMPAN", "DNOConnection", "Latitude", "Longitude")
        claimant.values |= {term: incumbent.values[term] for term in place}
        claimant.values.pop("Postcode", None)
        claimant.story = Story.CLAIMED_TWICE


def _free(planned: list[Planned], *categories: str) -> list[Planned]:
    return [
        one
        for one in planned
        if one.story is Story.EVERYDAY and not one.large and (not categories or one.category in categories)
    ]


def _odd_mpans() -> Iterator[tuple[str, str]]:
    """(DNOCode, MPAN) of each answer against an import MPAN that the sandbox gives; North Scotland is never another group."""
    for answer, area in product(ODD_IMPORT_ANSWERS, LICENCE_AREAS):
        if area.code and not (answer == "408" and area.id == "17"):
            yield area.code, sandbox_mpan(area.id, answer)


def _asked_about(planned: list[Planned], past: Past) -> None:
    """Some have an MPAN that the MPAN register contradicts: the recent ones are open, older ones have been dealt with."""
    places: dict[str, list[Planned]] = {}
    for one in _free(planned, "EV_CHARGER", "HEAT_PUMP", "HVAC", "REFRIGERATION", "INDUSTRIAL_LOAD"):
        if not one.consumer_owned and one.provider != "fadinglight":
            places.setdefault(one.values["DNOConnection"], []).append(one)
    for candidates in places.values():
        candidates.sort(key=lambda one: (age(one, past) > STILL_OPEN, one.moment))
    older = 0
    for number, (code, mpan) in enumerate(_odd_mpans()):
        candidates = places.get(code, [])
        if not candidates:
            continue
        one = candidates.pop(0 if number % 2 else -1)
        one.values["ImportMPAN"] = mpan
        if age(one, past) <= STILL_OPEN:
            one.story = Story.ANSWERED if number % 4 == 1 and age(one, past) > 3 else Story.EVERYDAY
            one.asked = True
        else:
            older += 1
            one.story = Story.UNANSWERED if older % 3 == 0 and age(one, past) > 40 else Story.SETTLED


def _consents(planned: list[Planned], past: Past) -> None:
    owned = [one for one in _free(planned) if one.consumer_owned]
    for number, one in enumerate(owned):
        if age(one, past) <= 6:
            one.story = Story.AWAITING
        elif number % 90 == 17:
            one.story = Story.NO_CONSENT
        elif (number % 60 == 31 or (one.provider == "kelvin" and number % 40 == 5)) and age(one, past) > 30:
            one.story = Story.REVOKED


def _later_changes(planned: list[Planned], past: Past) -> None:
    """Details that change, extensions (of what no certificate describes), and endings; what no source knows is decided."""
    free = [one for one in _free(planned) if age(one, past) > 40 and not one.asked]
    for number, one in enumerate(free):
        if number % 29 == 7:
            one.story = Story.ENDED
        elif number % 29 == 11 and not one.values["SerialNumber"].startswith("MCS-"):
            one.story = Story.GROWN
        elif number % 29 == 17:
            one.story = Story.RENAMED
    for one in _free(planned, "OTHER"):
        if "ImportMPAN" not in one.values and age(one, past) > 12:
            one.story = Story.DECIDED

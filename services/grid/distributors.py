"""Electricity distributors by area: the DNOs with their licence areas and GSP groups, and the IDNOs.

data/distributors.csv is the one place that says it (DNOCode and MPAN distributor ids of the data definitions).
"""

import csv
from dataclasses import dataclass

from services.core.settings import ROOT

_FILE = ROOT / "data" / "distributors.csv"


@dataclass(frozen=True, slots=True)
class Distributor:
    """One distributor id, the first two digits of an MPAN.

    `code` is the DNOCode, None for an IDNO that the code list doesn't know. `gsp_group` is None for every IDNO: its
    MPANs tell nothing about the host DNO. `active` says whether the DNOCode may be chosen for DNOConnection today.
    """

    id: str
    code: str | None
    gsp_group: str | None
    name: str
    operator: str
    active: bool

    @property
    def is_idno(self) -> bool:
        """Tell whether the networks are islands inside the areas of others, so that host DNO and GSP group are unknown."""
        return self.gsp_group is None


def _load() -> tuple[Distributor, ...]:
    with _FILE.open(newline="", encoding="utf-8") as file:
        return tuple(
            Distributor(
                id=row["id"],
                code=row["code"] or None,
                gsp_group=row["gsp_group"] or None,
                name=row["name"],
                operator=row["operator"],
                active=row["active"] == "true",
            )
            for row in csv.DictReader(file)
        )


DISTRIBUTORS: tuple[Distributor, ...] = _load()
"""All of them, in the order of their ids: 10 to 23 are the DNO licence areas, 24 and up the IDNOs."""

LICENCE_AREAS: tuple[Distributor, ...] = tuple(distributor for distributor in DISTRIBUTORS if not distributor.is_idno)
"""The 14 DNO licence areas."""

_BY_ID = {distributor.id: distributor for distributor in DISTRIBUTORS}
_BY_CODE = {distributor.code: distributor for distributor in DISTRIBUTORS if distributor.code}
_BY_GROUP = {distributor.gsp_group: distributor for distributor in LICENCE_AREAS}


def distributor_by_id(distributor_id: str) -> Distributor | None:
    """The distributor of an MPAN's first two digits, None where nobody holds that id."""
    return _BY_ID.get(distributor_id)


def distributor_by_dno(dno_code: str) -> Distributor | None:
    """The distributor of a DNOCode, active or not; None for an unknown code."""
    return _BY_CODE.get(dno_code)


def gsp_group_name(gsp_group: str) -> str:
    """The name people know a GSP group by ("_C": "London"). KeyError for a group that doesn't exist."""
    return _BY_GROUP[gsp_group].name


def dno_of_gsp_group(gsp_group: str) -> str:
    """The DNOCode of the licence area of a GSP group. KeyError for a group that doesn't exist."""
    code = _BY_GROUP[gsp_group].code
    if code is None:
        raise KeyError(gsp_group)
    return code

"""Public registers are loaded whole, and what an earlier edition said is kept (UC-02.01)."""

from datetime import date
from pathlib import Path

import pytest

from models.participants import Role
from models.sources import SourceKind
from services.assets.sources.edition_facts import edition_date_of
from services.assets.sources.loading import load_source
from services.assets.sources.reading_records import (
    edition_findings,
    find_records,
    list_editions,
    record_history,
    record_versions,
    source_record,
)
from services.core.errors import Duplicate, Forbidden, Invalid, Refused
from services.core.identity.actor import Actor, system_actor
from services.core.ledger.verifying import verify_ledger

pytestmark = [pytest.mark.both_engines, pytest.mark.use_case("UC-02.01")]
OLD, NEW, REPD = "ecr-ukpn-2022-02.csv", "ecr-ukpn-2025-08.csv", "repd-q2-july-2024.csv"
HEADINGS = (
    "Export MPAN / MSID,Import MPAN / MSID,Customer Site,Postcode,Location (X-coordinate):_Eastings,"
    "Location (y-coordinate):_Northings,Licence Area,Energy Source 1,Energy Conversion Technology 1,Connection Status,"
    "Already connected Registered Capacity (MW),Date Connected"
)
SUN = "1030083804870,,FORDHAM ROAD,CB8 7LG,563070,267320,Eastern Power Networks (EPN),Solar,Photovoltaic,Connected,5.0,"


def edition(*rows: str) -> bytes:
    """A small ECR with these rows."""
    return "\n".join((HEADINGS, *rows)).encode()


def load(shared: Path, name: str):
    """One of the real registers, loaded as the register itself."""
    return load_source(system_actor(), (shared / "data" / name).read_bytes(), name)


def test_two_real_editions_load_whole_and_history_is_kept(register: str, shared: Path) -> None:
    """989 rows, then 1,240: each is accounted for, and a site tells what both editions said of it."""
    told: list[tuple[float, str]] = []
    data = (shared / "data" / OLD).read_bytes()
    before = load_source(system_actor(), data, OLD, progress=lambda share, doing: told.append((share, doing)))
    assert [share for share, _ in told] == sorted(share for share, _ in told)
    assert told[-1][0] == 1.0
    assert (before.publisher, before.edition_date) == ("UK Power Networks", date(2022, 2, 1))
    after = load(shared, NEW)
    for loaded, rows in ((before, 989), (after, 1240)):
        counts = loaded.counts
        assert counts["rows"] == rows == counts["taken"] + sum(counts["skipped"].values())
        assert counts["new"] + counts["changed"] + counts["unchanged"] == counts["taken"]
        assert counts["areas"] == ["UKPN_EPN", "UKPN_LPN", "UKPN_SPN"]
        assert len(edition_findings(system_actor(), loaded.id)) == sum(counts["notes"].values())
    counts = after.counts
    assert counts["changed"] + counts["unchanged"] + counts["gone"] == 989
    assert counts["changed"] + counts["unchanged"] >= 511
    wrong = edition_findings(system_actor(), after.id, "MPAN_CHECK_DIGIT")
    assert {"1050001044651", "1200001071622", "1200010257778"} == {finding["given"] for finding in wrong}
    (site,) = find_records(system_actor(), mpan="1030083804870")
    versions = record_versions(system_actor(), site.id)
    assert versions[0].id == site.id
    assert versions[-1].first_edition_id == before.id
    assert site.last_edition_id == after.id
    assert [line.name for line in list_editions(system_actor())] == [NEW, OLD]
    assert verify_ledger(system_actor()).faults == []


def test_the_planning_database_is_a_second_kind_of_source(register: str, shared: Path) -> None:
    """11,156 rows: 10,702 of Great Britain are taken, 454 of Northern Ireland are left out, and each says why."""
    loaded = load(shared, REPD)
    assert (loaded.kind, loaded.counts["rows"], loaded.counts["taken"]) == (SourceKind.REPD, 11156, 10702)
    assert loaded.counts["skipped"] == {"NORTHERN_IRELAND": 454}
    left_out = [finding for finding in edition_findings(system_actor(), loaded.id) if finding["skipped"]]
    assert len(left_out) == 454
    assert all("Northern Ireland" in finding["message"] for finding in left_out)
    (project,) = find_records(system_actor(), reference="6", kind=SourceKind.REPD)
    assert source_record(system_actor(), project.id).raw["Site Name"] == "Kingmoor Marshalling Yard"
    near = find_records(system_actor(), near=(54.928912, -2.981518, 500.0))
    assert near[0].id == project.id


def test_a_newer_edition_closes_what_it_says_otherwise(register: str) -> None:
    """New, changed, unchanged, gone; a project keeps its history when it is given an MPAN."""
    wind = ",,HILL TOP,CB9 0AA,570000,260000,Eastern Power Networks,Wind,Wind onshore,Accepted to Connect,,"
    gone = "1023456789012,,GONE,CB9 0AB,571000,261000,Eastern Power Networks,Solar,Photovoltaic,Connected,2.0,"
    load_source(system_actor(), edition(SUN, wind, gone), "ecr-2024-01.csv")
    built = "1000000000003," + wind.removeprefix(",").replace("Accepted to Connect,", "Connected,3.0")
    loaded = load_source(system_actor(), edition(SUN.replace("5.0", "6.0"), built), "ecr-2024-02.csv")
    assert {name: loaded.counts[name] for name in ("new", "changed", "unchanged", "gone")} == {
        "new": 0, "changed": 2, "unchanged": 0, "gone": 1,
    }  # fmt: skip
    sun = record_history(system_actor(), SourceKind.ECR, "UK Power Networks", "MPAN:1030083804870")
    assert [(row.values["registered_kw"], row.valid_to) for row in sun] == [
        ("6000.00", None),
        ("5000.00", date(2024, 2, 1)),
    ]
    (turbine,) = find_records(system_actor(), mpan="1000000000003")
    assert [row.values["connection_status"] for row in record_versions(system_actor(), turbine.id)] == [
        "CONNECTED",
        "PENDING",
    ]
    again = load_source(system_actor(), edition(SUN.replace("5.0", "6.0"), built, gone), "ecr-2024-03.csv")
    assert {name: again.counts[name] for name in ("new", "changed", "unchanged", "gone")} == {
        "new": 1, "changed": 0, "unchanged": 2, "gone": 0,
    }  # fmt: skip


def test_the_same_file_twice_and_older_editions_change_nothing(register: str) -> None:
    """A file is loaded once; editions come in the order of their dates."""
    first = load_source(system_actor(), edition(SUN), "ecr-2024-05.csv")
    with pytest.raises(Duplicate) as known:
        load_source(system_actor(), edition(SUN), "another name.csv", edition_date=date(2024, 6, 1))
    assert known.value.existing_id == str(first.id)
    with pytest.raises(Refused, match="order of their dates"):
        load_source(system_actor(), edition(SUN.replace("5.0", "4.0")), "ecr-2023-05.csv")
    assert len(list_editions(system_actor())) == 1


def test_what_a_file_does_not_tell_has_to_be_said(register: str) -> None:
    """No date, no register, no right: each is refused by name."""
    with pytest.raises(Invalid) as dateless:
        load_source(system_actor(), edition(SUN), "export.csv")
    assert dateless.value.findings[0].code == "SOURCE-02"
    with pytest.raises(Invalid) as neither:
        load_source(system_actor(), b"a,b\n1,2\n", "prices-2024-01.csv")
    assert neither.value.findings[0].code == "SOURCE-01"
    with pytest.raises(Forbidden):
        load_source(Actor("nobody", frozenset({Role.APPLICANT})), edition(SUN), "ecr-2024-01.csv")


def test_dates_in_file_names() -> None:
    """The ways in which publishers date their files."""
    assert edition_date_of("ecr-ukpn-2025-08.csv") == date(2025, 8, 1)
    assert edition_date_of("ECR_20250814.xlsx") == date(2025, 8, 14)
    assert edition_date_of("repd-q2-july-2024.csv") == date(2024, 7, 1)
    assert edition_date_of("register.csv") is None

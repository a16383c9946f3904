"""Differences, comments and files over HTTP, with the rules and words of the portal (UC-02.01)."""

import io
from collections.abc import Iterator

import httpx
import pytest
from PIL import Image

from services.assets.sources.loading import load_source
from services.core.identity.actor import system_actor
from services.core.jobs.worker import work_through
from services.core.settings import settings
from tests.api.conftest import Program
from tests.asset_factories import an_mpan, battery
from tests.factories import make_organisation

pytestmark = pytest.mark.use_case("UC-02.01")
HEADINGS = (
    "Export MPAN / MSID,Import MPAN / MSID,Customer Site,Postcode,Latitude,Longitude,Licence Area,Energy Source 1,"
    "Energy Conversion Technology 1,Connection Status,Already connected Registered Capacity (MW)"
)
PDF = b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF"


@pytest.fixture
def _no_outside_systems(door: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("FMAR_MPAN_REGISTER_URL", "FMAR_INSTALLATION_REGISTRY_URL"):
        monkeypatch.delenv(name, raising=False)
    settings.cache_clear()
    yield
    settings.cache_clear()


def queried(mine: httpx.Client) -> tuple[str, dict[str, str]]:
    """A battery that a register knows with another capacity at another place: its path, and the tag to name."""
    mpan = an_mpan()
    technology = "Eastern Power Networks (EPN),Stored Energy,Storage - Electrochemical (Batteries),Connected"
    row = f",{mpan},RIVERSIDE,CB1 2JD,52.3053,0.1218,{technology},1.0"
    load_source(system_actor(), f"{HEADINGS}\n{row}".encode(), "ecr-2025-08.csv")
    made = mine.post("/v1/assets", json=battery(ImportMPAN=mpan, GenCapacity=1000, DemandCapacity=1000))
    assert made.status_code == 201, made.text
    work_through()
    path = f"/v1/assets/{made.json()['AssetId']}"
    return path, {"If-Match": mine.get(path).headers["ETag"]}


@pytest.mark.usefixtures("_no_outside_systems")
def test_differences_are_settled_answered_and_accepted_one_by_one(program: Program, governor: httpx.Client) -> None:
    mine, stranger = program(), program()
    path, tag = queried(mine)
    assert stranger.get(f"{path}/differences").status_code == 404
    items = mine.get(f"{path}/differences").json()["items"]
    assert [(one["Field"], one["Declared"], one["Theirs"], one["Open"]) for one in items] == [
        ("RatedCapacity", "2,500.00 kW", "1,000.00 kW", True),
        ("Latitude, Longitude", "52.205300, 0.121800", "52.305300, 0.121800", True),
    ]
    verdict = {"Verdict": "THEIRS_RIGHT", "Reason": "No proof was given.", "Fields": ["RatedCapacity"]}
    assert mine.post(f"{path}/differences/settle", json=verdict, headers=tag).status_code == 403
    assert governor.post(f"{path}/differences/settle", json=verdict).status_code == 428
    asked = governor.post(f"{path}/differences/settle", json=verdict, headers=tag)
    assert (asked.status_code, asked.json()["Status"]) == (200, "QUERY"), asked.text
    stale = mine.post(f"{path}/differences/accept", json={"Fields": ["RatedCapacity"]}, headers=tag)
    assert stale.status_code == 412
    assert "No proof was given." in stale.json()["detail"]
    tag = {"If-Match": asked.headers["ETag"]}
    taken = mine.post(f"{path}/differences/accept", json={"Fields": ["RatedCapacity"]}, headers=tag)
    assert (taken.status_code, taken.json()["RatedCapacity"]) == (200, 1000.0), taken.text
    work_through()
    tag = {"If-Match": mine.get(path).headers["ETag"]}
    said = {"Answers": {"Latitude": "The site moved last year."}}
    told = mine.post(f"{path}/differences/answer", json=said, headers=tag)
    assert (told.status_code, told.json()["Status"]) == (200, "PENDING_VALIDATION"), told.text
    tag = {"If-Match": told.headers["ETag"]}
    rest = {"Verdict": "DECLARED_STANDS", "Reason": "The plan was shown."}
    done = governor.post(f"{path}/differences/settle", json=rest, headers=tag)
    assert (done.status_code, done.json()["Status"]) == (200, "VERIFIED"), done.text
    again = governor.post(f"{path}/differences/settle", json=rest, headers={"If-Match": done.headers["ETag"]})
    assert again.status_code == 409
    told = {one["Term"]: one for one in mine.get(f"{path}/provenance").json()["items"]}
    assert told["RatedCapacity"]["Origin"] == "VERIFIED"
    assert told["Latitude"]["Origin"] == "SETTLED"
    assert told["Manufacturer"]["DeclaredBy"]
    assert told["Latitude"]["Statements"][0]["Message"] == "The plan was shown."


def test_comments_and_files_for_two_kinds_of_reader(program: Program, governor: httpx.Client) -> None:
    company = make_organisation("Northgate plc")
    mine, colleague, stranger = program(company), program(company), program()
    path = f"/v1/assets/{mine.post('/v1/assets', json=battery()).json()['AssetId']}"
    unsaid = mine.post(f"{path}/comments", json={"Text": "Hello there."})
    assert unsaid.json()["findings"][0]["field"] == "Audience"
    note = mine.post(f"{path}/comments", json={"Text": "The inverter is broken.", "Audience": "OWN_ORGANISATION"})
    shared = mine.post(f"{path}/comments", json={"Text": "See the picture.", "Audience": "EVERYONE"})
    assert (note.status_code, shared.status_code) == (201, 201), note.text
    assert stranger.post(f"{path}/comments", json={"Text": "Hi all.", "Audience": "EVERYONE"}).status_code == 404
    drawn = io.BytesIO()
    Image.new("RGB", (40, 40)).save(drawn, "PNG")
    where = f"{path}/comments/{shared.json()['MessageId']}/attachments?FileName=../site%20%C3%A9.exe"
    file = mine.post(where, content=drawn.getvalue())
    assert file.status_code == 201, file.text
    assert (file.json()["FileName"], file.json()["MediaType"]) == ("site é.exe.png", "image/png")
    hidden = mine.post(f"{path}/comments/{note.json()['MessageId']}/attachments?FileName=a.pdf", content=PDF)
    assert hidden.status_code == 201, hidden.text
    assert governor.post(where, content=PDF).status_code == 403
    refused = mine.post(where, content=b"MZ\x90\x00")
    assert (refused.status_code, refused.json()["findings"][0]["code"]) == (422, "FILE-02")
    heard = {who: whose.get(f"{path}/comments").json() for who, whose in (("us", colleague), ("them", governor))}
    assert [one["Text"] for one in heard["us"]["items"]] == ["The inverter is broken.", "See the picture."]
    assert [one["Text"] for one in heard["them"]["items"]] == ["See the picture."]
    assert heard["them"]["involved"] == ["Northgate plc", "FMAR administrator"]
    taken = governor.get(file.headers["Location"].removeprefix("/api"))
    assert taken.content == drawn.getvalue()
    assert taken.headers["Content-Disposition"] == "attachment; filename*=UTF-8''site%20%C3%A9.exe.png"
    assert taken.headers["X-Content-Type-Options"] == "nosniff"
    assert (taken.headers["Content-Type"], taken.headers["Cache-Control"]) == ("image/png", "no-store")
    assert governor.get(hidden.headers["Location"].removeprefix("/api")).status_code == 404
    assert stranger.get(file.headers["Location"].removeprefix("/api")).status_code == 404
    assert governor.get(note.headers["Location"].removeprefix("/api")).status_code == 404
    assert colleague.get(note.headers["Location"].removeprefix("/api")).json()["Audience"] == "OWN_ORGANISATION"


def test_a_file_may_be_larger_than_other_requests_and_no_larger_than_the_setting(
    door: httpx.Client, program: Program
) -> None:
    mine = program()
    path = f"/v1/assets/{mine.post('/v1/assets', json=battery()).json()['AssetId']}/comments"
    made = mine.post(path, json={"Text": "A large plan.", "Audience": "EVERYONE"})
    where = f"{path}/{made.json()['MessageId']}/attachments?FileName=plan.pdf"
    megabyte = b" " * 1024 * 1024
    assert mine.post(where, content=PDF + 2 * megabyte).status_code == 201
    too_large = mine.post(where, content=PDF + 20 * megabyte)
    assert (too_large.status_code, too_large.json()["findings"][0]["code"]) == (422, "FILE-01")
    assert mine.post(path, content=2 * megabyte).status_code == 413
    assert door.post(where, content=PDF).status_code == 401

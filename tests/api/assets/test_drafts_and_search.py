"""Drafts between programs of installers and providers, and the search, over HTTP."""

from typing import Any
from uuid import uuid4

import httpx
import pytest

from api.http.examples import ASSET
from tests.api.conftest import Program
from tests.factories import make_organisation

KNOWN = {name: ASSET[name] for name in ("AssetName", "AssetCategory", "RatedCapacity", "Manufacturer", "SerialNumber")}
REST = {name: one for name, one in ASSET.items() if name not in KNOWN}


@pytest.fixture
def parties(program: Program) -> tuple[httpx.Client, httpx.Client, str]:
    """An installer's program, a provider's, and the provider's identifier."""
    provider = make_organisation("Bramble Flex Ltd")
    return program(make_organisation("OpenMeter CIC", ("Installer",))), program(provider), str(provider.id)


def submit(installer: httpx.Client, addressee: str, **values: Any) -> httpx.Response:
    """Send what is known."""
    return installer.post(
        "/v1/asset-drafts", json={"AddressedTo": addressee, "Note": "Hi", "Asset": {**KNOWN, **values}}
    )


@pytest.mark.use_case("UC-02.01")
def test_submitted_completed_and_registered(parties: tuple[httpx.Client, httpx.Client, str]) -> None:
    installer, provider, bramble = parties
    made = submit(installer, bramble)
    assert made.status_code == 201, made.text
    told = made.json()
    assert (told["State"], told["Provider"], told["MandatoryFilled"]) == ("SUBMITTED", "Bramble Flex Ltd", 3)
    address = f"/v1/asset-drafts/{told['DraftId']}"
    assert made.headers["Location"] == f"/api{address}"
    read = provider.get(address).json()
    assert (read["Installer"], read["Asset"]["SerialNumber"]) == ("OpenMeter CIC", KNOWN["SerialNumber"])
    assert [one["DraftId"] for one in provider.get("/v1/asset-drafts").json()["items"]] == [told["DraftId"]]
    refused = provider.post(f"{address}/register", json={})
    assert refused.status_code == 422
    asset = provider.post(f"{address}/register", json={**REST, "AssetModel": "AD-2600"})
    assert asset.status_code == 201, asset.text
    assert (asset.json()["AssetName"], asset.json()["AssetModel"]) == (KNOWN["AssetName"], "AD-2600")
    assert provider.get(address).status_code == installer.get(address).status_code == 404
    assert installer.get(f"/v1/assets/{asset.json()['AssetId']}").status_code == 200
    assert [event["Type"] for event in installer.get("/v1/events").json()["items"]][-1] == "asset.draft_registered"


@pytest.mark.use_case("UC-02.01")
def test_given_back_mended_declined_and_taken_back(parties: tuple[httpx.Client, httpx.Client, str]) -> None:
    installer, provider, bramble = parties
    address = f"/v1/asset-drafts/{submit(installer, bramble).json()['DraftId']}"
    assert provider.post(f"{address}/return", json={"Reason": ""}).status_code == 422
    assert provider.post(f"{address}/return", json={"Reason": "Which meter?"}).status_code == 204
    assert provider.get(address).status_code == 404
    back = installer.get(address).json()
    assert (back["State"], back["Reason"]) == ("RETURNED", "Which meter?")
    body = {"AddressedTo": bramble, "Asset": {**KNOWN, "ImportMPAN": ASSET["ImportMPAN"]}}
    assert installer.put(address, json=body).json()["State"] == "SUBMITTED"
    assert provider.delete(address).status_code == 404
    assert provider.post(f"{address}/decline", json={"Reason": "Not ours."}).status_code == 204
    assert installer.get(address).json()["State"] == "DECLINED"
    assert installer.delete(address).status_code == 204
    assert installer.delete(address).status_code == 404


@pytest.mark.use_case("UC-02.01")
def test_nobody_reads_anothers_draft_and_nobody_sends_nonsense(
    parties: tuple[httpx.Client, httpx.Client, str], program: Program
) -> None:
    installer, provider, bramble = parties
    made = submit(installer, bramble).json()["DraftId"]
    for stranger in (program(make_organisation("Kelvin")), program(make_organisation("Fitters", ("Installer",)))):
        said = []
        for identifier in (made, str(uuid4())):
            found = stranger.get(f"/v1/asset-drafts/{identifier}")
            assert found.status_code == 404
            said.append(found.text.replace(identifier, "ID"))
        assert said[0] == said[1]
        assert stranger.get("/v1/asset-drafts").json() == {"items": []}
    assert submit(provider, bramble).status_code == 403
    assert installer.post(f"/v1/asset-drafts/{made}/register", json=REST).status_code == 403
    wrong = submit(installer, str(uuid4()), Nonsense="x", AssetCategory="NOTHING")
    assert {found["code"] for found in wrong.json()["findings"]} >= {"DRAFT-01", "DRAFT-02", "FIELD-01"}
    assert submit(installer, bramble, Status="VERIFIED").status_code == 422
    tried = installer.post("/v1/asset-drafts/validate", json={**KNOWN, "RatedCapacity": "2.5MVA"}).json()["findings"]
    assert "RatedCapacity" in {found["field"] for found in tried}


@pytest.mark.use_case("UC-05.01")
def test_the_search_finds_ones_own_only(parties: tuple[httpx.Client, httpx.Client, str], program: Program) -> None:
    _, provider, _ = parties
    made = provider.post("/v1/assets", json=ASSET).json()
    found = provider.get("/v1/search", params={"q": ASSET["ImportMPAN"]}).json()
    assert [(one["Id"], one["Exact"]) for one in found["items"]] == [(made["AssetId"], True)]
    named = provider.get("/v1/search", params={"q": "riverside"}).json()["items"][0]
    start = named["MatchedStart"]
    assert named["MatchedValue"][start : start + named["MatchedLength"]] == "Riverside"
    other = program(make_organisation("Kelvin"))
    for text in (ASSET["ImportMPAN"], "riverside", made["AssetId"]):
        assert other.get("/v1/search", params={"q": text}).json()["items"] == []
    assert other.get("/v1/search").status_code == 422
    assert other.get("/v1/search", params={"q": "x" * 101}).status_code == 422

"""Outside systems over real HTTP: what the register learns, what it doesn't, and what it never gives away."""

import json
import logging
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from sandbox import company_registry, installation_registry, mpan_register
from sandbox.app import create_app
from services.assets.checks.installation_registry import HttpInstallationRegistry, compare_installation
from services.assets.checks.mpan_register import HttpMpanRegister, MpanRecord, compare_mpan
from services.core.comparison import Comparison, ComparisonOutcome
from services.core.http_client import (
    OutsideClient,
    OutsideError,
    OutsideRefused,
    OutsideUnavailable,
    Patience,
    signature_headers,
)
from services.participants.company_registry import CompaniesHouse, CompanyRecord, compare_company, normalised_number
from tests.servers import closed_port, serve

ROOT = Path(__file__).parents[3]
KEY = SecretStr("a-key-nobody-should-read")
SIGNING_KEY = SecretStr("a-signing-key-nobody-should-read")
QUICK = Patience(timeout=5, attempts=3, first_wait=0.01, longest_wait=1.5)
HASTY = Patience(timeout=0.6, attempts=3, first_wait=0.01)
ONE_ATTEMPT = Patience(timeout=0.5, attempts=1)
MPAN = "1099900000015"


@pytest.fixture(scope="module")
def base_url() -> Iterator[str]:
    """All sandbox systems, with faults to order, behind one address."""
    with serve(create_app(KEY.get_secret_value(), signing_key=SIGNING_KEY.get_secret_value(), control=True)) as url:
        yield url


Order = Callable[..., dict[str, Any]]


@pytest.fixture
def order(base_url: str) -> Iterator[Order]:
    """Orders faults from the MPAN register; without arguments it heals it and says how often it was asked before."""
    url, headers = f"{base_url}/mpan-register/_control", {"X-Api-Key": KEY.get_secret_value()}

    def send(**faults: object) -> dict[str, Any]:
        if faults:
            return httpx.put(url, json=faults, headers=headers).raise_for_status().json()
        return httpx.get(url, headers=headers).raise_for_status().json()

    send(fail_next=0)
    yield send
    send(fail_next=0)


@contextmanager
def mpan_client(base_url: str, patience: Patience = QUICK, key: SecretStr = KEY) -> Iterator[HttpMpanRegister]:
    """A client of the sandbox MPAN register, closed at the end."""
    client = HttpMpanRegister(f"{base_url}/mpan-register", key, signing_key=SIGNING_KEY, patience=patience)
    yield client
    client.close()


@pytest.fixture
def mpans(base_url: str) -> Iterator[HttpMpanRegister]:
    """The usual client of the MPAN register."""
    with mpan_client(base_url) as client:
        yield client


@pytest.fixture
def companies(base_url: str) -> Iterator[CompaniesHouse]:
    """The usual client of the company registry."""
    client = CompaniesHouse(f"{base_url}/companies-house", KEY, patience=QUICK)
    yield client
    client.close()


@pytest.fixture
def installations(base_url: str) -> Iterator[HttpInstallationRegistry]:
    """The usual client of the installation registry."""
    client = HttpInstallationRegistry(f"{base_url}/installations", KEY, signing_key=SIGNING_KEY, patience=QUICK)
    yield client
    client.close()


def outcomes(comparisons: list[Comparison]) -> dict[str, ComparisonOutcome]:
    """Field to outcome."""
    return {comparison.field: comparison.outcome for comparison in comparisons}


def message(comparisons: list[Comparison], field: str) -> str:
    """The sentence about one field."""
    return next(comparison.message for comparison in comparisons if comparison.field == field)


# --- the company registry -------------------------------------------------------------------------------------------

BRAMBLE = {
    "OrganisationLegalName": "Bramble Flex Limited",
    "OrganisationRegistrationNumber": "99000101",
    "OrganisationType": "Private Limited Company",
    "RegisteredAddressLine1": "12, Harbourside Walk",
    "RegisteredCity": "BRISTOL",
    "RegisteredPostcodeOrZip": "bs15ty",
    "YearOfRegistration": 2019,
}


@pytest.mark.use_case("UC-01.02")
def test_a_company_on_file_agrees_whatever_the_spelling(companies: CompaniesHouse) -> None:
    record = companies.find("99000101")
    assert record is not None
    assert set(outcomes(compare_company(BRAMBLE, record)).values()) == {ComparisonOutcome.AGREES}


@pytest.mark.use_case("UC-01.02")
@pytest.mark.parametrize(
    "number",
    ["99000101", "99000102", "OC990103", "99000104", "99000105", "99000106", "99000107"],
)
def test_every_demo_organisation_is_on_file_and_active(companies: CompaniesHouse, number: str) -> None:
    record = companies.find(number)
    assert record is not None
    assert record.company_status == "active"
    assert record.registered_office_address.postal_code


@pytest.mark.use_case("UC-01.02")
def test_a_dissolved_company_a_wrong_name_and_a_former_name_are_told_apart(companies: CompaniesHouse) -> None:
    dissolved, other, renamed = (companies.find(number) for number in ("99000190", "99000191", "99000193"))
    assert dissolved is not None
    assert other is not None
    assert renamed is not None
    assert "dissolved" in message(compare_company({}, dissolved), "OrganisationRegistrationNumber")
    named = compare_company({"OrganisationLegalName": "Larkspur Batteries Ltd"}, other)
    assert outcomes(named)["OrganisationLegalName"] is ComparisonOutcome.DIFFERS
    former = message(
        compare_company({"OrganisationLegalName": "Larkspur Batteries Ltd"}, renamed), "OrganisationLegalName"
    )
    assert "until 31 May 2023" in former
    assert "LARKSPUR GRID SERVICES LTD" in former


@pytest.mark.use_case("UC-01.02")
def test_an_unknown_company_is_none_and_an_impossible_number_is_not_asked_about(companies: CompaniesHouse) -> None:
    assert companies.find("99999999") is None
    assert companies.find("../_control") is None
    assert companies.find("٩٩٠٠٠١٠١") is None
    assert normalised_number(" 123 456 ") == "00123456"
    assert normalised_number("oc990103") == "OC990103"


@pytest.mark.parametrize(
    ("declared", "theirs", "same"),
    [
        ("Smith & Sons Ltd.", "SMITH AND SONS LIMITED", True),
        ("O'Hare Energy P.L.C.", "OHARE ENERGY PUBLIC LIMITED COMPANY", True),
        ("Ynni Môn Cyfyngedig", "YNNI MON CYF", True),
        ("Northgate Energy Storage Ltd", "NORTHGATE ENERGY STORAGE PLC", False),
        ("Northgate Energy", "NORTHGATE ENERGY STORAGE PLC", False),
    ],
)
def test_names_agree_by_what_they_name(declared: str, theirs: str, same: bool) -> None:
    record = CompanyRecord(company_name=theirs, company_number="99000102", type="plc")
    found = outcomes(compare_company({"OrganisationLegalName": declared}, record))
    assert found["OrganisationLegalName"] is (ComparisonOutcome.AGREES if same else ComparisonOutcome.DIFFERS)
    assert found["RegisteredPostcodeOrZip"] is ComparisonOutcome.NOT_STATED
    assert found["OrganisationType"] is ComparisonOutcome.NOT_STATED


# --- the MPAN register ----------------------------------------------------------------------------------------------


def reserved(code: str, distributor: str = "10") -> str:
    """The reserved MPAN of the sandbox whose digits 10 to 12 are `code`."""
    core = f"{distributor}9990000{code}"
    return next(core + digit for digit in "0123456789" if mpan_register.is_valid(core + digit))


@pytest.mark.use_case("UC-02.01")
def test_an_mpan_on_file_agrees_and_what_the_register_leaves_out_is_not_stated(mpans: HttpMpanRegister) -> None:
    record = mpans.find(MPAN)
    assert record is not None
    asset = {"ImportMPAN": MPAN, "ConnectionStatus": "CONNECTED", "GspGroup": "_A", "DNOConnection": "UKPN_EPN"}
    assert outcomes(compare_mpan({**asset, "Postcode": "NR3 1AB"}, record)) == {
        "ImportMPAN": ComparisonOutcome.NOT_STATED,
        "ConnectionStatus": ComparisonOutcome.AGREES,
        "GspGroup": ComparisonOutcome.AGREES,
        "DNOConnection": ComparisonOutcome.AGREES,
        "Postcode": ComparisonOutcome.NOT_STATED,
    }


@pytest.mark.use_case("UC-02.01")
@pytest.mark.parametrize(
    ("code", "field", "outcome"),
    [
        ("408", "GspGroup", ComparisonOutcome.DIFFERS),
        ("409", "Postcode", ComparisonOutcome.DIFFERS),
        ("410", "ConnectionStatus", ComparisonOutcome.DIFFERS),
        ("411", "ImportMPAN", ComparisonOutcome.AGREES),
        ("412", "ImportMPAN", ComparisonOutcome.DIFFERS),
        ("423", "ConnectionStatus", ComparisonOutcome.DIFFERS),
        ("425", "ConnectionStatus", ComparisonOutcome.DIFFERS),
    ],
)
def test_the_reserved_mpans_show_what_they_are_for(
    mpans: HttpMpanRegister, code: str, field: str, outcome: ComparisonOutcome
) -> None:
    mpan = reserved(code)
    record = mpans.find(mpan)
    assert record is not None
    asset = {"ImportMPAN": mpan, "ConnectionStatus": "CONNECTED", "GspGroup": "_A", "Postcode": "NR3 1AB"}
    found = compare_mpan(asset, record)
    assert outcomes(found)[field] is outcome
    if outcome is ComparisonOutcome.DIFFERS:
        assert {c.field for c in found if c.outcome is ComparisonOutcome.DIFFERS} == {field}


@pytest.mark.use_case("UC-02.01")
def test_an_unknown_mpan_is_none_and_an_independent_network_tells_no_area(mpans: HttpMpanRegister) -> None:
    assert mpans.find(reserved("404")) is None
    assert mpans.find(reserved("001", "99")) is None
    independent = mpans.find("2499900000016")
    assert independent is not None
    found = outcomes(compare_mpan({"DNOConnection": "UKPN_EPN", "GspGroup": "_A"}, independent))
    assert found["DNOConnection"] is ComparisonOutcome.NOT_STATED
    assert found["GspGroup"] is ComparisonOutcome.NOT_STATED


@pytest.mark.parametrize(
    ("declared", "status", "energised", "outcome"),
    [
        ("PENDING", "live", True, ComparisonOutcome.NOT_STATED),
        ("PENDING", "new", False, ComparisonOutcome.AGREES),
        ("PENDING", "disconnected", False, ComparisonOutcome.DIFFERS),
        ("DISCONNECTED", "live", True, ComparisonOutcome.NOT_STATED),
        ("DISCONNECTED", "live", False, ComparisonOutcome.AGREES),
        (None, "live", True, ComparisonOutcome.NOT_STATED),
    ],
)
def test_a_live_meter_proves_nothing_about_an_asset_not_yet_or_no_longer_connected(
    declared: str | None, status: str, energised: bool, outcome: ComparisonOutcome
) -> None:
    record = MpanRecord.model_validate({"mpan": MPAN, "status": status, "energised": energised, "distributor_id": "10"})
    assert outcomes(compare_mpan({"ConnectionStatus": declared}, record))["ConnectionStatus"] is outcome


def test_a_malformed_mpan_is_refused_by_the_register_and_not_asked_about_by_us(
    mpans: HttpMpanRegister, order: Order
) -> None:
    assert mpans.find("12345") is None
    assert order()["requests"] == 0
    with pytest.raises(OutsideRefused, match="400"):
        mpans.find("1099900000016")


# --- the installation registry --------------------------------------------------------------------------------------


@pytest.mark.use_case("UC-02.01")
def test_an_installation_is_found_by_certificate_and_by_serial(installations: HttpInstallationRegistry) -> None:
    by_certificate = installations.by_certificate("MCS-20230602-B")
    assert by_certificate is not None
    assert installations.by_serial("VK10-230602", "voltkeep") == by_certificate
    asset = {
        "AssetCategory": "BESS",
        "Manufacturer": "voltkeep",
        "AssetModel": "Home 10",
        "SerialNumber": "VK10-230602",
        "RatedCapacity": "4.96",
        "CommissioningDate": "2023-06-02",
        "Postcode": "NR3 1AB",
    }
    assert set(outcomes(compare_installation(asset, by_certificate)).values()) == {ComparisonOutcome.AGREES}


@pytest.mark.use_case("UC-02.01")
def test_a_made_serial_says_its_own_power_and_one_marked_x_says_more(installations: HttpInstallationRegistry) -> None:
    honest = installations.by_serial("MCS-SPV-0368-00017", "Sunforge")
    more = installations.by_serial("MCS-SPV-0368-00018X", "Sunforge")
    assert honest is not None
    assert more is not None
    asset = {"AssetCategory": "SOLAR_PV", "RatedCapacity": "3.68", "Manufacturer": "Sunforge"}
    assert outcomes(compare_installation(asset, honest))["RatedCapacity"] is ComparisonOutcome.AGREES
    assert outcomes(compare_installation(asset, more))["RatedCapacity"] is ComparisonOutcome.DIFFERS
    assert (
        outcomes(compare_installation({"AssetCategory": "CHP"}, honest))["AssetCategory"] is ComparisonOutcome.DIFFERS
    )
    assert installations.by_serial("MCS-SPV-0368-00019N", "Sunforge") is None
    assert installations.by_serial("a serial & more", "Ünïcode ?=") is None
    assert installations.by_certificate("MCS-NO-SUCH") is None
    assert installations.by_certificate("../../_control") is None


# --- when the outside world fails -----------------------------------------------------------------------------------


def test_a_passing_failure_is_tried_again_and_the_answer_is_the_right_one(
    mpans: HttpMpanRegister, order: Order
) -> None:
    order(fail_next=2, status=503)
    assert mpans.find(MPAN) is not None
    assert order()["requests"] == 3


def test_a_failure_that_lasts_is_unavailable_and_never_unknown(mpans: HttpMpanRegister, order: Order) -> None:
    order(down=True)
    with pytest.raises(OutsideUnavailable, match="MPAN register: is failing"):
        mpans.find(reserved("404"))
    assert order()["requests"] == 3


def test_retry_after_is_waited_for(mpans: HttpMpanRegister, order: Order) -> None:
    order(fail_next=1, status=429, retry_after="1")
    started = time.monotonic()
    assert mpans.find(MPAN) is not None
    assert time.monotonic() - started >= 1


def test_a_long_retry_after_is_left_to_the_caller_and_honoured_until_then(base_url: str, order: Order) -> None:
    order(fail_next=1, status=429, retry_after="120")
    with mpan_client(base_url) as client:
        with pytest.raises(OutsideUnavailable) as caught:
            client.find(MPAN)
        assert caught.value.retry_after == 120
        with pytest.raises(OutsideUnavailable) as caught:
            client.find(MPAN)
        assert caught.value.retry_after is not None
        assert 100 < caught.value.retry_after <= 120
    assert order()["requests"] == 1


def test_after_an_outage_the_system_is_left_to_rest(base_url: str, order: Order) -> None:
    order(fail_next=1)
    with mpan_client(base_url, Patience(timeout=5, attempts=1, rest=1)) as client:
        with pytest.raises(OutsideUnavailable):
            client.find(MPAN)
        with pytest.raises(OutsideUnavailable, match="left to rest"):
            client.find(MPAN)
        assert order()["requests"] == 1
        time.sleep(1.05)
        assert client.find(MPAN) is not None


@pytest.mark.parametrize(
    ("faults", "reason", "requests"),
    [
        ({"delay_ms": 1000}, "did not answer within", 3),
        ({"fail_next": 9, "answer": "trickle"}, "did not finish its answer", 3),
        ({"fail_next": 9, "answer": "cut"}, "could not be reached", 3),
        ({"fail_next": 9, "answer": "malformed"}, "in a form", 1),
        ({"fail_next": 9, "answer": "html"}, "other than JSON", 1),
        ({"fail_next": 9, "answer": "oversized"}, "more than 256 kB", 1),
        ({"fail_next": 9, "answer": "redirect"}, "status 307", 1),
    ],
)
def test_every_bad_answer_is_an_outage_with_its_reason(
    base_url: str, order: Order, faults: dict[str, object], reason: str, requests: int
) -> None:
    order(**faults)
    patience = HASTY if "did not" in reason else QUICK
    with mpan_client(base_url, patience) as client, pytest.raises(OutsideUnavailable, match=reason):
        client.find(MPAN)
    assert order()["requests"] == requests


def test_nobody_listening_is_an_outage() -> None:
    with (
        mpan_client(f"http://127.0.0.1:{closed_port()}") as client,
        pytest.raises(OutsideUnavailable, match="could not be reached"),
    ):
        client.find(MPAN)


def test_a_wrong_key_a_wrong_address_and_a_missing_signature_are_refusals_not_tried_again(
    base_url: str, order: Order
) -> None:
    with mpan_client(base_url, key=SecretStr("another")) as client, pytest.raises(OutsideRefused, match="401"):
        client.find(MPAN)
    wrong = CompaniesHouse(f"{base_url}/companies-house", SecretStr("another"), patience=QUICK)
    with pytest.raises(OutsideRefused, match="401"):
        wrong.find("99000101")
    unsigned = HttpMpanRegister(f"{base_url}/mpan-register", KEY, patience=QUICK)
    with pytest.raises(OutsideRefused, match="403"):
        unsigned.find(MPAN)
    assert order()["requests"] == 2
    astray = HttpMpanRegister(f"{base_url}/mpan-register/v2", KEY, signing_key=SIGNING_KEY, patience=QUICK)
    with pytest.raises(OutsideRefused, match="check the base URL"):
        astray.find(reserved("404"))
    for client in (wrong, unsigned, astray):
        client.close()


def test_an_answer_about_another_mpan_is_no_answer(base_url: str) -> None:
    async def other(scope: Any, receive: Any, send: Any) -> None:
        body = b'{"mpan":"1199900000010","status":"live","energised":true,"distributor_id":"11"}'
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    with serve(other) as url, pytest.raises(OutsideUnavailable, match="another MPAN"):
        HttpMpanRegister(url, KEY, patience=ONE_ATTEMPT).find(MPAN)


# --- keys and signatures --------------------------------------------------------------------------------------------


def ask(
    base_url: str,
    target: str,
    *,
    age: int = 0,
    method: str = "GET",
    instead: str | None = None,
    stamp: str | None = None,
) -> httpx.Response:
    """A GET signed `age` seconds ago, as somebody who recorded it would send it again: as it was, or changed."""
    moment = int(time.time()) - age
    headers = signature_headers(SIGNING_KEY, method, "/mpan-register" + target, b"", moment)
    headers["X-Api-Key"] = KEY.get_secret_value()
    if stamp is not None:
        headers["X-Fmar-Timestamp"] = stamp
    return httpx.get(f"{base_url}/mpan-register{instead or target}", headers=headers)


def test_a_signature_holds_for_one_request_and_five_minutes(base_url: str) -> None:
    target, other = f"/v1/mpans/{MPAN}", "/v1/mpans/1199900000010"
    assert ask(base_url, target).status_code == 200
    assert ask(base_url, target, age=290).status_code == 200
    assert ask(base_url, target, age=310).status_code == 403
    assert ask(base_url, target, age=-310).status_code == 403
    assert ask(base_url, target, instead=other).status_code == 403
    assert ask(base_url, target, instead=target + "?x=1").status_code == 403
    assert ask(base_url, target, method="PUT").status_code == 403
    assert ask(base_url, target, stamp=str(int(time.time()) + 5)).status_code == 403
    assert ask(base_url, target, stamp="soon").status_code == 403


def test_no_key_shows_in_an_exception_or_in_the_log(
    base_url: str, order: Order, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    texts: list[str] = []
    for faults in ({"down": True}, {"delay_ms": 1000}, {"fail_next": 9, "answer": "cut"}, {"fail_next": 0}):
        order(**faults)
        key = SecretStr("wrong-" + KEY.get_secret_value())
        with mpan_client(base_url, ONE_ATTEMPT, key) as client, pytest.raises(OutsideError) as caught:
            client.find(MPAN)
        texts += [str(caught.value), repr(caught.value), repr(vars(caught.value)), repr(client), repr(vars(client))]
        assert caught.value.__cause__ is None
        assert caught.value.__context__ is None
    texts += [repr(record.__dict__) for record in caplog.records]
    assert caplog.records
    shown = "\n".join(texts)
    assert KEY.get_secret_value() not in shown
    assert SIGNING_KEY.get_secret_value() not in shown
    assert "v1=" not in shown


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("https://user:secret@registry.example", "own setting"),
        ("http://registry.example", "must be https"),
        ("ftp://registry.example", "base URL must be"),
        ("https://registry.example/?key=secret", "base URL must be"),
        ("registry.example", "base URL must be"),
    ],
)
def test_an_address_that_would_give_the_key_away_is_refused_at_the_start(url: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason) as caught:
        OutsideClient("Registry", url, api_key=KEY)
    assert "secret" not in str(caught.value)


def test_a_mounted_sandbox_takes_no_orders() -> None:
    with serve(create_app("sandbox")) as url:
        for system in ("companies-house", "mpan-register", "installations"):
            path, auth, headers = f"{url}/{system}/_control", ("sandbox", ""), {"X-Api-Key": "sandbox"}
            assert httpx.put(path, json={"down": True}, auth=auth, headers=headers).status_code in (404, 405)


def test_the_sandbox_runs_as_a_server_of_its_own() -> None:
    port = closed_port()
    command = [sys.executable, "-m", "sandbox", "--port", str(port)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            client = HttpMpanRegister(
                f"http://127.0.0.1:{port}/mpan-register",
                SecretStr("sandbox"),
                patience=Patience(attempts=60, first_wait=0.1, longest_wait=0.3),
            )
            assert client.find(MPAN) is not None
            client.close()
        finally:
            process.terminate()


def test_the_documentation_names_the_reserved_mpans_and_companies_as_they_are() -> None:
    text = (ROOT / "docs" / "outside-systems.md").read_text("utf-8")
    for code in json.loads(mpan_register.DATA.read_text("utf-8"))["codes"]:
        assert f"| {code} | {reserved(code)} |" in text
    for company in json.loads(company_registry.COMPANIES.read_text("utf-8")):
        assert f"| {company['company_number']} | {company['company_name']} |" in text


def test_each_sandbox_system_also_stands_alone() -> None:
    with serve(company_registry.create_app()) as url:
        assert CompaniesHouse(url, SecretStr("sandbox"), patience=QUICK).find("99000102") is not None
    with serve(installation_registry.create_app()) as url:
        found = HttpInstallationRegistry(url, SecretStr("sandbox"), patience=QUICK).by_certificate("MCS-20190815-W")
        assert found is not None

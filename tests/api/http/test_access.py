"""Tokens, refusals that every route shares, limits and headers (UC-05.01, UC-05.04)."""

import base64
import json
from uuid import UUID

import httpx
import pytest
import time_machine

from models.participants import Role
from services.core.settings import settings
from services.participants.approval import suspend_organisation
from services.participants.clients import revoke_client, rotate_secret
from services.participants.reading import get_organisation
from tests.api.conftest import Program
from tests.databases import DATABASES
from tests.factories import administrator, make_client, make_organisation

GRANT = {"grant_type": "client_credentials"}
NOWHERE = {"sqlite": "sqlite:////nowhere/at/all.db", "postgres": "postgresql+psycopg://nobody@127.0.0.1:1/none"}
REASON = "Its licence was withdrawn in May."


def basic(client_id: str, secret: str) -> dict[str, str]:
    return {"Authorization": f"Basic {base64.b64encode(f'{client_id}:{secret}'.encode()).decode()}"}


@pytest.mark.use_case("UC-05.04")
def test_a_credential_gets_a_token_by_form_or_by_basic_and_the_token_opens_the_api(door: httpx.Client) -> None:
    client, secret = make_client(make_organisation("Northgate plc"))
    known = {"client_id": client.client_id, "client_secret": secret}
    for answer in (
        door.post("/oauth/token", data={**GRANT, **known}),
        door.post("/oauth/token", data=GRANT, headers=basic(client.client_id, secret)),
    ):
        assert answer.status_code == 200
        assert answer.headers["Cache-Control"] == "no-store"
        told = answer.json()
        assert (told["token_type"], told["expires_in"]) == ("Bearer", settings().token_minutes * 60)
        listed = door.get("/v1/organisations", headers={"Authorization": f"Bearer {told['access_token']}"})
        assert [one["OrganisationLegalName"] for one in listed.json()["items"]] == ["Northgate plc"]


@pytest.mark.use_case("UC-05.04")
@pytest.mark.parametrize(
    ("form", "status", "error"),
    [
        ({**GRANT, "client_id": "fmar-nobody", "client_secret": "guess"}, 401, "invalid_client"),
        ({**GRANT, "client_id": "fmar-nobody"}, 401, "invalid_client"),
        ({**GRANT, "client_id": "x" * 900, "client_secret": "\x00"}, 401, "invalid_client"),
        ({"client_id": "a", "client_secret": "b"}, 400, "invalid_request"),
        ({"grant_type": "password", "client_id": "a", "client_secret": "b"}, 400, "unsupported_grant_type"),
        ({**GRANT, "scope": "all", "client_id": "a", "client_secret": "b"}, 400, "invalid_scope"),
    ],
)
def test_token_errors_are_those_of_oauth(door: httpx.Client, form: dict[str, str], status: int, error: str) -> None:
    answer = door.post("/oauth/token", data=form)
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert answer.json()["error_description"]
    assert ("WWW-Authenticate" in answer.headers) == (status == 401)


def test_a_token_request_that_is_no_form_is_refused(door: httpx.Client) -> None:
    broken = door.post("/oauth/token", content=b"--x", headers={"Content-Type": "multipart/form-data"})
    assert broken.status_code == 400
    assert door.post("/oauth/token", json=GRANT).status_code in (400, 401, 422)


@pytest.mark.use_case("UC-05.04")
def test_wrong_and_unknown_credentials_answer_alike(door: httpx.Client) -> None:
    client, _secret = make_client(make_organisation())
    wrong = door.post("/oauth/token", data=GRANT, headers=basic(client.client_id, "guess"))
    unknown = door.post("/oauth/token", data=GRANT, headers=basic("fmar-nobody", "guess"))
    assert (wrong.status_code, wrong.json()) == (unknown.status_code, unknown.json())


@pytest.mark.use_case("UC-05.04")
def test_guessing_secrets_is_slowed_down(door: httpx.Client) -> None:
    answers = [door.post("/oauth/token", data=GRANT, headers=basic("fmar-victim", f"guess-{n}")) for n in range(31)]
    assert {answer.status_code for answer in answers[:30]} == {401}
    assert answers[30].status_code == 429
    assert 1 <= int(answers[30].headers["Retry-After"]) <= 61
    assert door.post("/oauth/token", data=GRANT, headers=basic("fmar-other", "guess")).status_code == 401


@pytest.mark.use_case("UC-05.04")
def test_the_right_secret_is_never_slowed_down_by_wrong_ones(door: httpx.Client) -> None:
    client, secret = make_client(make_organisation())
    right = basic(client.client_id, secret)
    assert door.post("/oauth/token", data=GRANT, headers=right).status_code == 200
    guesses = [basic(client.client_id, f"guess-{number}") for number in range(32)]
    assert [door.post("/oauth/token", data=GRANT, headers=guess).status_code for guess in guesses][-2:] == [429, 429]
    for _ in range(40):
        assert door.post("/oauth/token", data=GRANT, headers=right).status_code == 200
    rotated = rotate_secret(administrator(), client.id)[1]
    assert door.post("/oauth/token", data=GRANT, headers=right).status_code == 429, "it is no longer the right one"
    assert rotated != secret


@pytest.mark.use_case("UC-05.04")
@pytest.mark.parametrize("header", [None, "Bearer nonsense", "Bearer", "Basic Zm9vOmJhcg==", "Bearer a.b.c"])
def test_without_a_good_token_nothing_opens(door: httpx.Client, header: str | None) -> None:
    answer = door.get("/v1/assets", headers={"Authorization": header} if header else {})
    assert answer.status_code == 401
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert "/api/oauth/token" in answer.json()["detail"]


@pytest.mark.use_case("UC-05.04")
def test_a_token_of_another_issuer_algorithm_or_without_signature_opens_nothing(door: httpx.Client) -> None:
    client, _secret = make_client(make_organisation())

    def part(value: dict[str, object]) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    claims = {"iss": "fmar", "sub": client.client_id, "exp": 9_999_999_999}
    for forged in (f"{part({'alg': 'none'})}.{part(claims)}.", f"{part({'alg': 'HS256'})}.{part(claims)}.AAAA"):
        assert door.get("/v1/assets", headers={"Authorization": f"Bearer {forged}"}).status_code == 401


@pytest.mark.use_case("UC-05.04")
def test_a_token_ends_with_its_time(program: Program) -> None:
    with time_machine.travel("2026-11-24T09:00:00Z", tick=True) as clock:
        mine = program()
        assert mine.get("/v1/events").status_code == 200
        clock.shift(settings().token_minutes * 60 + 1)
        assert mine.get("/v1/events").status_code == 401


@pytest.mark.use_case("UC-05.04")
def test_a_revoked_credential_is_out_at_the_next_call(program: Program) -> None:
    mine = program()
    assert mine.get("/v1/events").status_code == 200
    revoke_client(administrator(), UUID(mine.headers["X-Test-Client"]), REASON)
    answer = mine.get("/v1/events")
    assert answer.status_code == 401
    assert "credential has ended" in answer.json()["detail"]


@pytest.mark.use_case("UC-05.04")
def test_a_rotated_secret_ends_the_tokens_of_the_old_one(program: Program) -> None:
    mine = program()
    assert mine.get("/v1/events").status_code == 200
    rotate_secret(administrator(), UUID(mine.headers["X-Test-Client"]))
    answer = mine.get("/v1/events")
    assert answer.status_code == 401
    assert "secret has been replaced" in answer.json()["detail"]


@pytest.mark.use_case("UC-01.04")
def test_a_suspended_organisation_is_out_at_the_next_call_and_told_why(door: httpx.Client, program: Program) -> None:
    organisation = make_organisation("Kelvin Ltd")
    client, secret = make_client(organisation)
    mine = program(organisation)
    assert mine.get("/v1/events").status_code == 200
    now_it_is = get_organisation(administrator(), organisation.id)
    suspend_organisation(administrator(), organisation.id, REASON, now_it_is.version)
    answer = mine.get("/v1/events")
    assert answer.status_code == 403
    assert REASON.rstrip(".") in answer.json()["detail"]
    refused = door.post("/oauth/token", data=GRANT, headers=basic(client.client_id, secret))
    assert (refused.status_code, refused.json()["error"]) == (400, "unauthorized_client")


@pytest.mark.use_case("UC-05.04")
def test_a_role_that_lacks_a_permission_is_told_who_has_it(program: Program) -> None:
    viewer = program(make_organisation(), [Role.VIEWER])
    answer = viewer.post("/v1/assets", json={"AssetName": "x"})
    assert answer.status_code == 403
    assert "FSP user" in answer.json()["detail"]


def test_unknown_addresses_and_methods_are_problems_too(door: httpx.Client) -> None:
    missing = door.get("/v1/nothing")
    assert (missing.status_code, missing.headers["Content-Type"]) == (404, "application/problem+json")
    wrong = door.delete("/v1/assets")
    assert (wrong.status_code, wrong.json()["title"]) == (405, "Method Not Allowed")
    assert "GET" in wrong.headers["Allow"]
    assert door.get("/v1/assets/").status_code == 404


def test_every_answer_carries_the_security_headers(door: httpx.Client) -> None:
    for path in ("/health", "/v1/assets", "/nothing", "/docs", "/openapi.json"):
        headers = door.get(path).headers
        assert headers["X-Content-Type-Options"] == "nosniff", path
        assert headers["X-Frame-Options"] == "DENY", path
        assert headers["Referrer-Policy"] == "no-referrer", path
        assert headers["Content-Security-Policy"].startswith("default-src"), path


def test_the_documentation_asks_nothing_of_the_network(door: httpx.Client) -> None:
    page = door.get("/docs").text
    assert "http://" not in page
    assert "https://" not in page
    for asset in ("swagger-ui-bundle.js", "swagger-ui.css", "favicon.png"):
        assert f"/api/static-offline-docs/{asset}" in page
        assert door.get(f"/static-offline-docs/{asset}").status_code == 200
    assert door.get("/openapi.json").json()["servers"] == [{"url": "/api"}]


def test_the_ground_of_the_maps_needs_no_token_and_may_be_kept(door: httpx.Client) -> None:
    answer = door.get("/geography/gsp_groups.geojson")
    assert answer.headers["Content-Type"] == "application/geo+json"
    assert answer.json()["type"] == "FeatureCollection"
    query = "request=GetMap&layers=light&bbox=-20000,6780000,40000,6830000&width=300&height=250"
    picture = door.get(f"/geography/ground?{query}")
    assert picture.headers["Content-Type"] == "image/png"
    assert picture.content.startswith(b"\x89PNG")
    assert all(kept.headers["Cache-Control"] == "public, max-age=86400" for kept in (answer, picture))
    assert "<Name>dark</Name>" in door.get("/geography/ground?REQUEST=GetCapabilities").text


@pytest.mark.parametrize(
    "query",
    [
        "",
        "bbox=0,0,1000,1000&width=100",
        "bbox=0,0,1000,1000&width=100&height=99999",
        "bbox=0,0,nan,1000&width=100&height=100",
        "bbox=0,0,inf,1000&width=100&height=100",
        "bbox=1000,0,0,1000&width=100&height=100",
        "bbox=0,0,1000,1000&width=100&height=100&layers=../../app",
    ],
)
def test_a_picture_that_cannot_be_drawn_is_refused(door: httpx.Client, query: str) -> None:
    answer = door.get(f"/geography/ground?{query}")
    assert answer.status_code == 422
    assert "GROUND-01" in answer.text


def test_a_body_over_the_limit_is_refused_declared_or_streamed(program: Program) -> None:
    mine = program()
    large = b'{"AssetName": "' + b"x" * (settings().api_max_body_kb * 1024) + b'"}'
    kind = {"Content-Type": "application/json"}
    for body in (large, iter([large[:100], large[100:]])):
        answer = mine.post("/v1/assets", content=body, headers=kind)
        assert answer.status_code == 413
        assert "kB" in answer.json()["detail"]


def test_calls_over_the_limit_of_a_credential_wait(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings(), "api_rate_limit", "5/minute")
    mine, other = program(), program()
    first = mine.get("/v1/categories")
    assert first.headers["RateLimit-Policy"] == '"default";q=5;w=60'
    assert first.headers["RateLimit"].startswith('"default";r=4;t=')
    for _ in range(4):
        assert mine.get("/v1/categories").status_code == 200
    answer = mine.get("/v1/categories")
    assert answer.status_code == 429
    assert 1 <= int(answer.headers["Retry-After"]) <= 61
    assert answer.headers["RateLimit"].startswith('"default";r=0;')
    assert other.get("/v1/categories").status_code == 200


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"{", "isn't JSON"),
        (b'{"AssetName": NaN}', "isn't JSON"),
        (b'{"RatedCapacity": 1e999999999}', "beyond what the register reads"),
        (b'{"RatedCapacity": ' + b"9" * 5000 + b"}", "more digits"),
        (b"[" * 5000, "isn't JSON"),
        (b'{"x": ' + b"[" * 50 + b"]" * 50 + b"}", "nested"),
        (b'{"AssetName": "a\\u0000b"}', "NUL"),
        (b'{"AssetName": "\xff"}', "isn't JSON"),
        (b"[]", "dictionary"),
        (b"", "required"),
    ],
)
def test_a_body_that_is_no_json_object_is_a_finding(program: Program, body: bytes, says: str) -> None:
    answer = program().post("/v1/assets", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422
    (finding,) = answer.json()["findings"]
    assert finding["code"].startswith("REQUEST-")
    assert says in finding["message"]


def test_a_misspelt_filter_is_refused_rather_than_ignored(program: Program) -> None:
    answer = program().get("/v1/assets", params={"AssetCategry": "BESS"})
    assert answer.status_code == 422
    assert [(one["code"], one["field"]) for one in answer.json()["findings"]] == [
        ("REQUEST-UNKNOWN-FIELD", "AssetCategry")
    ]
    assert program().get("/v1/assets?Text=a%00b").status_code == 422


def test_health_needs_no_token_and_says_when_the_database_is_away(
    door: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    well = door.get("/health")
    assert (well.status_code, well.json()["status"], well.json()["database"]) == (200, "ok", True)
    assert well.json()["version"]
    monkeypatch.setattr(settings(), "database_url", NOWHERE[DATABASES[0]])
    away = door.get("/health")
    assert (away.status_code, away.json()["status"], away.json()["database"]) == (503, "unavailable", False)


def test_a_mistake_in_the_code_shows_a_reference_and_nothing_else(
    program: Program, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    mine = program()

    def broken(*_args: object, **_more: object) -> None:
        raise RuntimeError("the password is swordfish")

    monkeypatch.setattr("services.assets.reading.listing.list_assets", broken)
    answer = mine.get("/v1/assets")
    assert answer.status_code == 500
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert "swordfish" not in answer.text
    reference = answer.json()["detail"].rsplit(" ", 1)[-1].rstrip(".")
    assert reference in caplog.text
    assert "swordfish" in caplog.text

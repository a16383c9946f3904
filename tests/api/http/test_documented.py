"""docs/api.md says what is so: its requests are sent, its answers compared, its addresses counted."""

import json
import re
import shlex
from decimal import Decimal
from importlib import import_module
from pkgutil import walk_packages
from typing import Any

import httpx
import pytest
from fastapi import APIRouter
from fastapi.routing import APIRoute

import api as doors
from api.app import api
from api.http.examples import ASSET, ORGANISATION
from services.core.identity.actor import system_actor
from services.core.settings import ROOT
from services.participants.clients import create_client
from tests.api.conftest import Program
from tests.factories import make_organisation

TEXT = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(sh|json)\n(.*?)```", TEXT, re.DOTALL)
HERE = "http://localhost:8501"


def send(command: str, base: str) -> httpx.Response:
    """Send what a curl command would."""
    words = shlex.split(command.replace(HERE, base))
    assert words.pop(0) == "curl"
    method, url, headers, data = "", "", {}, []
    while words:
        word = words.pop(0)
        if word == "-X":
            method = words.pop(0)
        elif word == "-H":
            name, _, value = words.pop(0).partition(": ")
            headers[name] = value
        elif word == "-d":
            data.append(words.pop(0))
        else:
            url = word
    if data and "Content-Type" not in headers:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    body = "&".join(data).encode() if data else None
    return httpx.request(method or ("POST" if data else "GET"), url, headers=headers, content=body, timeout=30)


def holds(shown: Any, told: Any) -> bool:
    """Whether an answer is what the page shows of it; the page may leave out names."""
    if isinstance(shown, dict):
        return isinstance(told, dict) and all(name in told and holds(shown[name], told[name]) for name in shown)
    if isinstance(shown, list):
        return isinstance(told, list) and len(shown) == len(told) and all(map(holds, shown, told))
    return shown == told


@pytest.mark.use_case("UC-05.01")
def test_every_documented_request_gets_the_documented_answer(door: httpx.Client) -> None:
    northgate = make_organisation("Northgate plc")
    create_client(system_actor(), northgate.id, "Northgate", ["fsp_user"], client_id="demo-northgate", secret="demo")
    base = str(door.base_url).removesuffix("/api/").removesuffix("/api")
    known: dict[str, str] = {}
    told: Any = None
    assert len(BLOCKS) >= 20
    for kind, block in BLOCKS:
        if kind == "json":
            assert holds(json.loads(block, parse_float=Decimal), told), (block, told)
            continue
        command = block.strip()
        for name, value in known.items():
            command = command.replace(f"${name}", value)
        told = json.loads(send(command, base).content, parse_float=Decimal)
        known |= {"TOKEN": told["access_token"]} if "access_token" in told else {}
        known |= {"ASSET": told["AssetId"]} if told.get("AssetId") else {}


def test_every_address_of_the_api_is_documented_with_its_methods() -> None:
    rows = dict(re.findall(r"^\| `(/[^`]*)` \| ([A-Z, ]+) \|", TEXT, re.MULTILINE))
    served = {path: ", ".join(sorted(map(str.upper, methods))) for path, methods in api.openapi()["paths"].items()}
    assert sorted(served.items() - rows.items()) == [], "give each a row in docs/api.md, with its methods"
    assert sorted(rows.items() - served.items()) == [], "docs/api.md names what the API doesn't serve"


def test_every_route_is_served() -> None:
    served = {operation["operationId"] for methods in api.openapi()["paths"].values() for operation in methods.values()}
    unserved = [
        f"{module.name}: {route.name}"
        for module in walk_packages(doors.__path__, "api.")
        for router in vars(import_module(module.name)).values()
        if isinstance(router, APIRouter) and router.include_in_schema
        for route in router.routes
        if isinstance(route, APIRoute) and route.include_in_schema and route.name not in served
    ]
    assert unserved == [], "include their routers in api/app.py"


@pytest.mark.use_case("UC-02.01")
def test_the_example_of_an_asset_works(program: Program) -> None:
    made = program().post("/v1/assets", json=ASSET)
    assert made.status_code == 201, made.text


@pytest.mark.use_case("UC-01.02")
def test_the_example_of_an_organisation_works(governor: httpx.Client) -> None:
    made = governor.post("/v1/organisations", json=ORGANISATION)
    assert made.status_code == 201, made.text


def test_every_operation_has_a_name_of_its_own() -> None:
    """Clients are generated from these names: a verb and a noun each."""
    names = [operation["operationId"] for methods in api.openapi()["paths"].values() for operation in methods.values()]
    assert len(set(names)) == len(names)
    assert [name for name in names if not re.fullmatch(r"[a-z]+(_[a-z]+)+", name)] == []


def test_every_route_is_described(door: httpx.Client) -> None:
    document = door.get("/openapi.json").json()
    tags = {tag["name"] for tag in document["tags"]}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            assert operation.get("summary"), (method, path)
            assert operation.get("description"), (method, path)
            assert operation["tags"], (method, path)
            assert set(operation["tags"]) <= tags, f"{method} {path}: describe its tag in TAGS of api/http/openapi.py"
    for name in ("AssetIn", "AssetChange", "OrganisationIn"):
        for term, schema in document["components"]["schemas"][name]["properties"].items():
            assert schema.get("description"), (name, term)

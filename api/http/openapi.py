"""The OpenAPI document: descriptions of the routes, and what holds for all of them."""

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from api.http.problems import Problem

ABOUT = """The register of flexible energy assets in Great Britain, for programs.

* **Field names** are the ontology terms of the data definitions, in requests, answers, filters and findings.
* **Power** is in kW: answered as a JSON number with its two decimals (`49900.00`); accepted as a number or as text.
  Dates are `2026-11-24`, moments RFC 3339 in UTC.
* **Access**: `POST /api/oauth/token` with client credentials, then `Authorization: Bearer <token>`. A record that you may not
  see answers exactly as one that does not exist: 404.
* **Changes** name the version they are changes of: `If-Match` with the `ETag` that you read. Without it 428, with an older
  one 412 and what changed meanwhile.
* **Lists** come in pages: `{"items": [...], "next": "<path of the next page>"}`; `next` is null at the end.
* **Refusals** are problem details (RFC 9457) with all `findings` at once. Warnings alone also answer 422, until the request
  carries a `Justification` of 10 characters or more, which stays with the record.
* **Limits**: `RateLimit` says what is left; over it 429 with `Retry-After`.
"""
TAGS = [
    {"name": "Access", "description": "Tokens, and whether the register is up."},
    {"name": "Assets", "description": "Register, read, change and end assets (UC-02.01 to UC-02.03)."},
    {"name": "Drafts", "description": "What installers prepare and providers complete (UC-02.01)."},
    {"name": "Search", "description": "Anything by its identifier or name (UC-05.01)."},
    {
        "name": "Files of assets",
        "description": "Register, update and export many at once (UC-02.01, UC-02.03, UC-02.04).",
    },
    {"name": "Asset checks", "description": "Authenticity checks, queries and their answers (UC-02.01)."},
    {"name": "Comments", "description": "What is said about an asset, and files, for two kinds of reader (UC-02.01)."},
    {"name": "Market units", "description": "What FSPs offer: assets in units, over time (UC-03.01 to UC-03.04)."},
    {"name": "Products", "description": "The catalogue, proposals, equivalences and stacking (UC-04.01)."},
    {"name": "Opportunities", "description": "What units and assets may be eligible for: indicative (UC-04.03)."},
    {"name": "Market statistics", "description": "The market in numbers, and what stops units (UC-05.02)."},
    {"name": "Qualification", "description": "Applications for products, their assessment, readiness (UC-04.02)."},
    {"name": "Organisations", "description": "Organisations and what is decided about them (UC-01.02 to UC-01.04)."},
    {"name": "Users", "description": "People and their roles in organisations (UC-01.01, UC-01.04)."},
    {"name": "Events", "description": "What happened, in order (UC-05.01)."},
    {"name": "Reference", "description": "Categories with their schemas, code lists, permissions (UC-05.07)."},
]
RECORDS = (
    "Asset",
    "MarketUnitOut",
    "QualificationOut",
    "ProductOut",
    "ProductProposalOut",
    "Equivalences",
    "StackingMatrix",
    "Organisation",
    "UserOut",
)
"""Answers that are one record: they carry its version as ETag."""
RATE = {
    "RateLimit-Policy": "How many calls the credential may make in how many seconds.",
    "RateLimit": "How many of them are left, and in how many seconds the oldest is forgotten.",
}


def described(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document, with the problem details that every route refers to and the headers of the answers."""
    if app.openapi_schema is None:
        document = get_openapi(
            title=app.title, version=app.version, description=app.description, routes=app.routes, tags=app.openapi_tags
        )
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas.update(problem.pop("$defs"))
        schemas["Problem"] = problem
        for path, status, response in _responses(document):
            _add_headers(path, status, response)
        app.openapi_schema = document
    return app.openapi_schema


def _responses(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for operation in methods.values():
            for status, response in operation["responses"].items():
                yield path, status, response


def _add_headers(path: str, status: str, response: dict[str, Any]) -> None:
    """Describe the headers of an answer, which follow from its status and content."""
    words_of: dict[str, str] = {}
    schema = response.get("content", {}).get("application/json", {}).get("schema", {})
    record = schema.get("$ref", "").removeprefix("#/components/schemas/") in RECORDS
    if record or status == "304":
        words_of["ETag"] = "The version of the record: what If-Match and If-None-Match name."
    if status == "201":
        words_of["Location"] = "The address of the new record."
    if status == "401":
        words_of["WWW-Authenticate"] = "How to prove who calls."
    if status == "429":
        words_of["Retry-After"] = "Seconds to wait."
    if path.startswith("/v1") and (status.startswith("2") or status == "429"):
        words_of |= RATE
    if words_of:
        response["headers"] = {
            name: {"description": words, "required": True, "schema": {"type": "string"}}
            for name, words in words_of.items()
        }

"""Refusals as RFC 9457 problem details, in the words that the services gave them."""

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Literal

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from api.http.decimal_json import encode
from api.http.refusal_pages import refusal_page, wants_page
from services.core.db.outages import STORAGE_ERRORS, outage_of, unavailable
from services.core.errors import (
    Conflict,
    Duplicate,
    Finding,
    Forbidden,
    Invalid,
    NotFound,
    Refused,
    RegisterError,
    TooManyRequests,
    Unauthenticated,
    Unavailable,
)

MEDIA_TYPE = "application/problem+json"
log = logging.getLogger("fmar.api")
PLACES = ("body", "query", "path", "header")


class PreconditionRequired(RegisterError):
    """A change without saying which version of the record it is a change of."""


class TagUnknown(RegisterError):
    """A change that names no version that the register gave."""


class UnsupportedMedia(RegisterError):
    """A body of a media type that the address doesn't take. `message` says how to send it."""


class FindingBody(BaseModel):
    """One thing that a rule found."""

    model_config = ConfigDict(from_attributes=True)

    code: str = Field(description="The rule's code, as in the data dictionary.", examples=["MPAN-02"])
    field: str | None = Field(description="Ontology term it concerns; null: the whole record.", examples=["ImportMPAN"])
    given: str | None = Field(description="What was handed in, as text.")
    expected: str = Field(description="What would be accepted.")
    message: str
    severity: Literal["error", "warning"]


class BlockerBody(BaseModel):
    """A record that stands in the way."""

    model_config = ConfigDict(from_attributes=True)

    kind: str
    id: str
    label: str
    action: str


class ExactJSON(JSONResponse):
    """Problem details with decimals kept."""

    media_type = MEDIA_TYPE

    def render(self, content: Any) -> bytes:
        """JSON text."""
        return encode(content)


class Problem(BaseModel):
    """RFC 9457 problem details, with what the register adds."""

    type: str = Field(default="about:blank", description="Names the kind of problem.")
    title: str
    status: int
    detail: str
    findings: list[FindingBody] = Field(default_factory=list)
    blockers: list[BlockerBody] = Field(default_factory=list)
    AssetId: str | None = Field(default=None, description="The existing asset, where the caller may see it.")
    OrganisationId: str | None = Field(
        default=None, description="The existing organisation, where the caller may see it."
    )
    UnitId: str | None = Field(default=None, description="The existing market unit.")
    current: dict[str, Any] | None = Field(default=None, description="The record as it stands now, after a conflict.")
    changes: dict[str, Any] | None = Field(
        default=None, description="What the other change touched: field -> [before, after]."
    )


def problem(status: int, detail: str, *, headers: Mapping[str, str] | None = None, **extra: Any) -> JSONResponse:
    """A problem response; what is empty is left out."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
    }
    body.update({name: value for name, value in extra.items() if value})
    return ExactJSON(body, status_code=status, headers=dict(headers or {}))


def from_error(error: RegisterError) -> JSONResponse:
    """The response that a refusal of the register becomes."""
    match error:
        case NotFound():
            return problem(404, error.message)
        case Unauthenticated():
            return problem(401, error.message, headers={"WWW-Authenticate": 'Bearer realm="fmar"'})
        case Forbidden():
            return problem(403, error.message)
        case Invalid():
            return problem(422, error.message, findings=[finding.as_dict() for finding in error.findings])
        case Duplicate():
            seen = {error.kind: error.existing_id}
            terms = {"AssetId": "asset", "OrganisationId": "organisation", "UnitId": "market_unit"}
            return problem(409, error.message, **{term: seen.get(kind) for term, kind in terms.items()})
        case Conflict():
            return problem(412, error.message, current=error.current, changes=error.changes)
        case Refused():
            blockers = [{"kind": b.kind, "id": b.id, "label": b.label, "action": b.action} for b in error.blockers]
            return problem(409, error.message, blockers=blockers)
        case TooManyRequests():
            return problem(429, error.message, headers={"Retry-After": str(error.retry_after)})
        case Unavailable():
            return problem(503, error.message, headers={"Retry-After": str(error.retry_after)})
        case TagUnknown():
            return problem(412, error.message)
        case PreconditionRequired():
            return problem(428, error.message)
        case UnsupportedMedia():
            return problem(415, error.message)
        case _:
            return problem(500, error.message)


def _shape_finding(error: Mapping[str, Any]) -> Finding:
    where = [str(part) for part in error["loc"] if part not in PLACES]
    field = ".".join(where) or None
    value = error.get("input")
    if error["type"] == "json_invalid":
        words = f"The body isn't JSON that can be read: {error.get('ctx', {}).get('error', error['msg'])}."
        return Finding("REQUEST-JSON", None, None, "a JSON object", words)
    code = "UNKNOWN-FIELD" if error["type"] == "extra_forbidden" else error["type"].upper().replace("_", "-")
    if code == "UNKNOWN-FIELD":
        words = f"There is no field {field} here. Correct its name, or leave it out."
    else:
        words = f"{field or 'The request'}: {error['msg'][:1].lower()}{error['msg'][1:]}."
    return Finding(
        code=f"REQUEST-{code}",
        field=field,
        given=None if value is None or isinstance(value, (dict, list)) else str(value)[:200],
        expected="a request as described in /api/docs",
        message=words,
    )


def install(app: FastAPI) -> None:
    """Answer every refusal, and every mistake of a request, with problem details."""

    def answer_refusal(request: Request, error: RegisterError) -> Response:
        response = from_error(error)
        if not wants_page(request):
            return response
        kept = {name: value for name, value in response.headers.items() if name == "retry-after"}
        return refusal_page(request, response.status_code, error.message, kept)

    async def on_refusal(request: Request, error: Exception) -> Response:
        if not isinstance(error, RegisterError):
            raise error
        return answer_refusal(request, error)

    async def on_shape(_request: Request, error: Exception) -> JSONResponse:
        if not isinstance(error, RequestValidationError):
            raise error
        return from_error(Invalid([_shape_finding(detail) for detail in error.errors()]))

    async def on_http(_request: Request, error: Exception) -> JSONResponse:
        if not isinstance(error, HTTPException):
            raise error
        detail = HTTP_WORDS.get(error.status_code, str(error.detail))
        return problem(error.status_code, detail, headers=error.headers)

    async def on_outage(request: Request, error: Exception) -> Response:
        outage = outage_of(error)
        if outage is None:
            raise error
        log.warning("%s: %s", outage.value, type(error).__name__)
        return answer_refusal(request, unavailable(outage))

    for kind in STORAGE_ERRORS:
        app.add_exception_handler(kind, on_outage)
    app.add_exception_handler(RegisterError, on_refusal)
    app.add_exception_handler(RequestValidationError, on_shape)
    app.add_exception_handler(HTTPException, on_http)


HTTP_WORDS = {
    404: "There is nothing at this address. What there is: /api/docs.",
    405: "This address doesn't know this method. What it knows is in the header Allow, and in /api/docs.",
}


def answers(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """OpenAPI descriptions of the problems that a route may answer with."""
    return {
        status: {
            "description": HTTPStatus(status).phrase,
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for status in statuses
    }

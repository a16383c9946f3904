"""The second door: the register for programs, mounted under /api in the same process as the portal."""

from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi_offline import FastAPIOffline

from api import assets, catalogue, checks, decisions, events, geography, health, lookup, oauth, organisations, users
from api.exact import ExactRoute
from api.middleware import Guard
from api.problems import Problem, answers, install
from services.core.health import register_version

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
COMMON = (401, 403, 422, 429, 500)
TAGS = [
    {"name": "Access", "description": "Tokens, and whether the register is up."},
    {"name": "Assets", "description": "Register, read, change and end assets (UC-02.01 to UC-02.03)."},
    {"name": "Asset checks", "description": "Authenticity checks, queries and their answers (UC-02.01)."},
    {"name": "Organisations", "description": "Organisations and what is decided about them (UC-01.02 to UC-01.04)."},
    {"name": "Users", "description": "People and their roles in organisations (UC-01.01, UC-01.04)."},
    {"name": "Events", "description": "What happened, in order (UC-05.01)."},
    {"name": "Reference", "description": "Categories with their schemas, code lists, permissions (UC-05.07)."},
]


def create_api() -> FastAPI:
    """The API with all its routes."""
    app = FastAPIOffline(
        title="FMAR register",
        version=register_version(),
        description=ABOUT,
        openapi_tags=TAGS,
        redoc_url=None,
        redirect_slashes=False,
        swagger_ui_parameters={"defaultModelsExpandDepth": 0, "displayRequestDuration": True},
    )
    app.include_router(oauth.router)
    app.include_router(health.router)
    app.include_router(geography.router)
    app.include_router(geography.router)
    register = APIRouter(prefix="/v1", responses=answers(*COMMON), route_class=ExactRoute)
    # The look-up comes first: its address would be read as an identifier.
    for area in (lookup, assets, checks, organisations, decisions, users, events, catalogue):
        register.include_router(area.router)
    app.include_router(register)
    install(app)
    app.add_middleware(Guard)
    app.openapi = lambda: _described(app)
    return app


def _described(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document, with the problem details that every route refers to."""
    if app.openapi_schema is None:
        document = get_openapi(
            title=app.title, version=app.version, description=app.description, routes=app.routes, tags=app.openapi_tags
        )
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas.update(problem.pop("$defs"))
        schemas["Problem"] = problem
        app.openapi_schema = document
    return app.openapi_schema


api = create_api()

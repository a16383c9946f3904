"""The second door: the register for programs, mounted under /api in the same process as the portal."""

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from fastapi_offline import FastAPIOffline

from api.assets import assets, bulk, checks, comments, differences, drafts, exports, jobs, lookup, tiles
from api.assets import categories as catalogue
from api.governance import events, health, search
from api.grid import geography
from api.http import downloads
from api.http.decimal_json import ExactRoute
from api.http.middleware import Guard
from api.http.openapi import ABOUT, TAGS, described
from api.http.problems import answers, install
from api.market import (
    opportunities,
    products,
    qualification_messages,
    qualifications,
    service_windows,
)
from api.market import statistics as market_statistics
from api.market import tables as market_tables
from api.market import units as market_units
from api.participants import accounts, decisions, oauth, organisations, users
from services.core.health import register_version

COMMON = (401, 403, 422, 429, 500, 503)


def operation_id(route: APIRoute) -> str:
    """The name of an operation in the OpenAPI document, from which clients are generated: that of its function."""
    return route.name


def create_api() -> FastAPI:
    """The API with all its routes."""
    app = FastAPIOffline(
        title="FMAR register",
        version=register_version(),
        description=ABOUT,
        openapi_tags=TAGS,
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=operation_id,
        swagger_ui_parameters={"defaultModelsExpandDepth": 0, "displayRequestDuration": True},
    )
    app.include_router(oauth.router)
    app.include_router(health.router)
    app.include_router(geography.router)
    app.include_router(tiles.router)
    app.include_router(exports.tickets)
    app.include_router(downloads.router)
    register = APIRouter(prefix="/v1", responses=answers(*COMMON), route_class=ExactRoute)
    # The look-up comes first: its address would be read as an identifier.
    areas = (
        lookup,
        bulk,
        exports,
        assets,
        jobs,
        drafts,
        checks,
        differences,
        comments,
        market_units,
        products,
        market_tables,
        opportunities,
        market_statistics,
        qualification_messages,
        qualifications,
        service_windows,
        organisations,
        decisions,
        users,
        accounts,
        events,
        search,
        catalogue,
    )
    for area in areas:
        register.include_router(area.router)
    app.include_router(register)
    install(app)
    app.add_middleware(Guard)
    app.openapi = lambda: described(app)
    return app


api = create_api()

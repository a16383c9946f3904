"""The second door: the register for programs, mounted under /api in the same process as the portal."""

from fastapi import APIRouter, FastAPI
from fastapi_offline import FastAPIOffline

from api import (
    assets,
    bulk,
    catalogue,
    checks,
    comments,
    decisions,
    differences,
    drafts,
    events,
    exports,
    geography,
    health,
    jobs,
    lookup,
    market_statistics,
    market_tables,
    market_units,
    oauth,
    opportunities,
    organisations,
    products,
    qualification_messages,
    qualifications,
    qualifications_together,
    search,
    service_windows,
    tiles,
    users,
)
from api.description import ABOUT, TAGS, described
from api.exact import ExactRoute
from api.middleware import Guard
from api.problems import answers, install
from services.core.health import register_version

COMMON = (401, 403, 422, 429, 500)


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
    app.include_router(tiles.router)
    app.include_router(exports.tickets)
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
        qualifications_together,
        service_windows,
        organisations,
        decisions,
        users,
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

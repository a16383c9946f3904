"""Tiles of the portal's map: fetched by the browser's map layer, which can send no token, hence by signed ticket.

Left out of the API's description: tickets are made by the portal's pages only, and a program reads assets at /v1/assets.
"""

from hashlib import sha256
from html import escape
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.responses import JSONResponse
from limits import RateLimitItemPerMinute

from api.http.security import spend
from services.assets.map.tiles import map_tile, open_ticket
from services.core.settings import settings
from services.core.signed_tickets import BUCKET_SECONDS

router = APIRouter(prefix="/tiles", include_in_schema=False)
PER_PERSON = RateLimitItemPerMinute(1500)
"""A map that is dragged about asks for some hundred tiles a minute."""
SIGN_IN = "_streamlit_user"
"""The cookie of the portal's sign-in; there is none in demo mode."""


@router.get("/base.json")
def base() -> Response:
    """The style of the map under the layers: the online tiles of the settings, or nothing."""
    configuration = settings()
    source = {"type": "raster", "tiles": [configuration.map_tiles_url], "tileSize": 256, "maxzoom": 19}
    source["attribution"] = escape(configuration.map_tiles_attribution)
    drawn = bool(configuration.map_tiles_url)
    return JSONResponse(
        {
            "version": 8,
            "sources": {"base": source} if drawn else {},
            "layers": [{"id": "base", "type": "raster", "source": "base"}] if drawn else [],
        },
        headers={"Cache-Control": "private, max-age=300"},
    )


@router.get("/{zoom}/{x}/{y}.geojson")
def tile(
    request: Request,
    zoom: int,
    x: int,
    y: int,
    ticket: Annotated[str, Query()] = "",
    if_none_match: Annotated[str | None, Header()] = None,
) -> Response:
    """A tile of the view that the ticket opens, as GeoJSON; kept by the browser for as long as its ticket is the newest."""
    actor, view = open_ticket(ticket, request.cookies.get(SIGN_IN))
    spend(request, f"tiles:{actor.key}", PER_PERSON)
    body = map_tile(actor, view, zoom, x, y)
    tag = f'"{sha256(body).hexdigest()[:24]}"'
    headers = {"Cache-Control": f"private, max-age={BUCKET_SECONDS}", "ETag": tag}
    if if_none_match == tag:
        return Response(status_code=304, headers=headers)
    return Response(body, media_type="application/geo+json", headers=headers)

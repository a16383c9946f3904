"""The ground of maps as a web map service (WMS 1.3.0): public, kept by browsers, no token (a map layer can't send one)."""

from math import isfinite

from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse
from limits import RateLimitItemPerMinute

from api.http.security import spend
from services.core.errors import Finding, Invalid
from services.core.settings import ROOT
from services.grid.ground import EDGE_M, LARGEST_PX, SHADES, Box, render_ground

router = APIRouter(prefix="/geography", include_in_schema=False)
KEPT_A_DAY = {"Cache-Control": "public, max-age=86400"}
PER_ADDRESS = RateLimitItemPerMinute(1200)
"""A room of people behind one address, each moving a map now and then."""
CAPABILITIES = f"""<?xml version="1.0" encoding="UTF-8"?>
<WMS_Capabilities version="1.3.0" xmlns="http://www.opengis.net/wms">
<Service><Name>WMS</Name><Title>FMAR ground</Title></Service>
<Capability><Request><GetMap><Format>image/png</Format></GetMap></Request>
<Layer><Title>Ground</Title><CRS>EPSG:3857</CRS>
{"".join(f"<Layer><Name>{theme}</Name><Title>{theme.title()}</Title></Layer>" for theme in SHADES)}
</Layer></Capability></WMS_Capabilities>
"""


@router.get("/gsp_groups.geojson")
def get_gsp_groups() -> Response:
    """The 14 GSP groups as GeoJSON in WGS84."""
    path = ROOT / "data" / "geography" / "gsp_groups.geojson"
    return FileResponse(path, media_type="application/geo+json", headers=KEPT_A_DAY)


@router.get("/ground")
def get_ground(request: Request) -> Response:
    """A picture of the ground (GetMap), or what there is (GetCapabilities). Layers: light, dark; `plain-...` has no names."""
    parameters = {name.lower(): value for name, value in request.query_params.items()}
    if parameters.get("request", "").lower() == "getcapabilities":
        return Response(CAPABILITIES, media_type="text/xml", headers=KEPT_A_DAY)
    spend(request, f"ground:{request.client.host if request.client else ''}", PER_ADDRESS)
    layer = parameters.get("layers", "light")
    theme = layer.removeprefix("plain-")
    try:
        west, south, east, north = (round(float(part), 1) for part in parameters.get("bbox", "").split(","))
        width, height = int(parameters["width"]), int(parameters["height"])
    except (ValueError, KeyError, OverflowError):
        raise _refuse("bbox, width and height") from None
    box: Box = (west, south, east, north)
    if not all(isfinite(edge) and abs(edge) <= EDGE_M for edge in box) or not (west + 1 < east and south + 1 < north):
        raise _refuse("bbox: west, south, east and north in metres of EPSG:3857")
    if not (1 <= width <= LARGEST_PX and 1 <= height <= LARGEST_PX):
        raise _refuse(f"width and height of 1 to {LARGEST_PX} pixels")
    if theme not in SHADES:
        raise _refuse("layers: light or dark")
    body = render_ground(box, width, height, theme, named=theme == layer)
    return Response(body, media_type="image/png", headers=KEPT_A_DAY)


def _refuse(expected: str) -> Invalid:
    return Invalid([Finding("GROUND-01", None, None, expected, "There is no such picture.")])

"""The base geography that maps draw: public, cached by browsers, without a token (a map layer can't send one)."""

import json
from functools import cache
from typing import Literal

from fastapi import APIRouter, Response
from fastapi.responses import FileResponse

from services.core.settings import ROOT
from services.grid.areas import border_lines

router = APIRouter(prefix="/geography", include_in_schema=False)
KEPT_A_DAY = {"Cache-Control": "public, max-age=86400"}


@router.get("/{name}.geojson")
def get_base_geography(name: Literal["coast", "gsp_groups"]) -> Response:
    """The coast of Great Britain, or the 14 GSP groups, as GeoJSON in WGS84."""
    return FileResponse(
        ROOT / "data" / "geography" / f"{name}.geojson",
        media_type="application/geo+json",
        headers=KEPT_A_DAY,
    )


@router.get("/borders.json")
def get_borders() -> Response:
    """The borders of the GSP groups as straight lines: `[{"s": [lon, lat], "e": [lon, lat]}, ...]`, WGS84."""
    return Response(_borders(), media_type="application/json", headers=KEPT_A_DAY)


@cache
def _borders() -> bytes:
    return json.dumps([{"s": start, "e": end} for start, end in border_lines()], separators=(",", ":")).encode()

"""The base geography that maps draw: public, cached by browsers, without a token (a map layer can't send one)."""

from typing import Literal

from fastapi import APIRouter, Response
from fastapi.responses import FileResponse

from services.core.settings import ROOT

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

"""Files that the map is drawn with: Leaflet, our script and styles, the ground. Browsers keep them for good.

Their address holds a digest of all of them, so what is kept is never out of date.
"""

from functools import cache
from hashlib import sha256

from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route

from services.core.settings import ROOT

FOLDER = ROOT / "static" / "map"
NAMES = ("leaflet.js", "leaflet.css", "map.js", "map.css", "ground.json")
FOR_GOOD = {"Cache-Control": "public, max-age=31536000, immutable"}


@cache
def map_version() -> str:
    """Digest of the map's files, in twelve signs."""
    return sha256(b"".join((FOLDER / name).read_bytes() for name in NAMES)).hexdigest()[:12]


def map_address(name: str) -> str:
    """Address of a file of the map, within this portal."""
    return f"/map/{map_version()}/{name}"


def get_map_file(request: Request) -> Response:
    """A file of the map; 404 for any other, and for those of another version."""
    name = request.path_params["name"]
    if name not in NAMES or request.path_params["version"] != map_version():
        return PlainTextResponse("There is nothing at this address.", 404)
    return FileResponse(FOLDER / name, headers=FOR_GOOD)


map_route = Route("/map/{version}/{name}", get_map_file)

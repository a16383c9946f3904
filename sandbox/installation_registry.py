"""Sandbox of the installation registry (in the manner of MCS): certificates of small-scale installations.

``GET /v1/installations/{certificate}`` and ``GET /v1/installations?serial=&manufacturer=``, X-Api-Key. It knows the
installations of sandbox/data/installations.json, and any serial number of the form ``MCS-<technology>-<kW x 100>-<number>``,
for example ``MCS-BAT-0368-00017``: a battery of 3.68 kW. A number that ends in ``X`` is on file with a fifth more
power, one that ends in ``N`` is not on file. Its certificate is the serial number behind ``CERT-``.
"""

import json
import re
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.guard import Access, Guard, error

INSTALLATIONS = Path(__file__).parent / "data" / "installations.json"
PATTERN = re.compile(
    r"MCS-(?P<technology>SPV|BAT|ASHP|GSHP|WIND|CHP|EVC)-(?P<hundredths>\d{2,8})-\w*?(?P<ending>[XN]?)"
)
TECHNOLOGIES = {
    "SPV": "solar-pv",
    "BAT": "battery-storage",
    "ASHP": "air-source-heat-pump",
    "GSHP": "ground-source-heat-pump",
    "WIND": "wind-turbine",
    "CHP": "micro-chp",
    "EVC": "ev-charger",
}


def from_serial(serial: str, manufacturer: str | None) -> dict[str, Any] | None:
    """The installation that a serial number of the sandbox's own form describes; None for any other."""
    match = PATTERN.fullmatch(serial)
    if match is None or match["ending"] == "N":
        return None
    hundredths = int(match["hundredths"]) * (120 if match["ending"] == "X" else 100) // 100
    return {
        "certificate": f"CERT-{serial}",
        "technology": TECHNOLOGIES[match["technology"]],
        "manufacturer": manufacturer,
        "model": None,
        "serial": serial,
        "rated_kw": f"{hundredths // 100}.{hundredths % 100:02d}",
        "commissioned_on": None,
        "postcode_outcode": None,
    }


def create_app(key: str = "sandbox", *, signing_key: str | None = None, control: bool = True) -> Guard:
    """The installation registry as an ASGI app."""
    installations = json.loads(INSTALLATIONS.read_text("utf-8"))

    async def by_certificate(request: Request) -> Response:
        certificate = request.path_params["certificate"]
        listed = [found for found in installations if found["certificate"] == certificate]
        made = from_serial(certificate.removeprefix("CERT-"), None) if certificate.startswith("CERT-") else None
        found = listed[0] if listed else made
        return JSONResponse(found) if found else error(404, "installation-not-found")

    async def by_serial(request: Request) -> Response:
        serial, maker = (request.query_params.get(name, "") for name in ("serial", "manufacturer"))
        if not serial or not maker:
            return error(400, "serial-and-manufacturer-needed")
        listed = [
            found
            for found in installations
            if found["serial"] == serial and found["manufacturer"].casefold() == maker.casefold()
        ]
        made = from_serial(serial, maker)
        return JSONResponse({"items": listed or ([made] if made else [])})

    routes = [Route("/v1/installations/{certificate}", by_certificate), Route("/v1/installations", by_serial)]
    return Guard(Starlette(routes=routes), Access("header", key, signing_key, control))

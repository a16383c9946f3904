"""Sandbox of the MPAN register: answers for any valid MPAN, always the same way.

``GET /v1/mpans/{mpan}``, X-Api-Key. Distributor and GSP group follow from the first two digits. MPANs whose digits 3 to
9 are 9990000 are reserved for demonstrations: their digits 10 to 12 choose the answer (sandbox/data/mpans.json).
Single MPANs can be described under "mpans" in the same file. What a sandbox can't know it leaves out: null means "not
stated".
"""

import json
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.guard import Access, Guard, error

DATA = Path(__file__).parent / "data" / "mpans.json"
RESERVED = "9990000"
WEIGHTS = (3, 5, 7, 13, 17, 19, 23, 29, 31, 37, 41, 43)


def is_valid(mpan: str) -> bool:
    """Thirteen digits whose check digit holds."""
    if len(mpan) != 13 or not (mpan.isascii() and mpan.isdigit()):
        return False
    total = sum(int(digit) * weight for digit, weight in zip(mpan, WEIGHTS, strict=False))
    return total % 11 % 10 == int(mpan[12])


def describe(mpan: str, data: dict[str, Any]) -> dict[str, Any] | None:
    """What the register says of a valid MPAN; None when it doesn't know it."""
    distributor = mpan[:2]
    if distributor not in data["gsp_groups"]:
        return None
    found: dict[str, Any] = {
        "mpan": mpan,
        "status": "live",
        "energised": True,
        "distributor_id": distributor,
        "gsp_group": data["gsp_groups"][distributor],
        "measurement_class": None,
        "postcode_outcode": None,
        "profile_class": "00",
        "related_mpan": None,
    }
    special = data["mpans"].get(mpan) or (data["codes"].get(mpan[9:12]) if mpan[2:9] == RESERVED else None) or {}
    if special.get("unknown"):
        return None
    found.update({name: value for name, value in special.items() if name in found})
    return found


def create_app(key: str = "sandbox", *, signing_key: str | None = None, control: bool = True) -> Guard:
    """The MPAN register as an ASGI app."""
    data = json.loads(DATA.read_text("utf-8"))

    async def mpan(request: Request) -> Response:
        number = request.path_params["mpan"]
        if not is_valid(number):
            return error(400, "mpan-malformed")
        found = describe(number, data)
        return JSONResponse(found) if found else error(404, "mpan-not-found")

    app = Starlette(routes=[Route("/v1/mpans/{mpan}", mpan)])
    return Guard(app, Access("header", key, signing_key, control))

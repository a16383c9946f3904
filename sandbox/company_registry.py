"""Sandbox of the company registry: the public Companies House API, as far as the register asks it.

``GET /company/{company_number}``, HTTP Basic with the key as user name. The companies are those of sandbox/data/companies.json,
all of them made up.
"""

import json
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.guard import Access, Guard, error

COMPANIES = Path(__file__).parent / "data" / "companies.json"


def create_app(key: str = "sandbox", *, control: bool = True) -> Guard:
    """The company registry as an ASGI app. Companies House signs nothing, so neither does its sandbox."""
    companies = {company["company_number"]: company for company in json.loads(COMPANIES.read_text("utf-8"))}

    async def company(request: Request) -> Response:
        found = companies.get(request.path_params["company_number"].upper())
        return JSONResponse(found) if found else error(404, "company-profile-not-found")

    app = Starlette(routes=[Route("/company/{company_number}", company)])
    return Guard(app, Access("basic", key, control=control))

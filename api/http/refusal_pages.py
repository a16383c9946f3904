"""Refusals as a page for people: where a browser opens an address of the API, such as that of a file."""

from html import escape
from http import HTTPStatus
from urllib.parse import urlsplit

from fastapi import Request
from starlette.responses import HTMLResponse

ADDRESSES = "/files/"
"""Addresses that pages send browsers to."""
HEADINGS = {
    401: "This download has ended",
    403: "You may not download this file",
    404: "This file isn't there any more",
    429: "Too many downloads at once",
    503: "The register can't answer at the moment",
}
PAGE = """<!doctype html>
<html lang="en-GB">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>{heading} - FMAR</title>
<style>
body {{ font: 1.05rem/1.5 "Source Sans", system-ui, sans-serif; margin: 12vh auto 0; max-width: 34rem; padding: 0 1.25rem;
  color: #1f2933; background: #fff; }}
h1 {{ font-size: 1.6rem; margin: 0 0 .75rem; }}
a {{ color: #0b5394; }}
a.main {{ display: inline-block; margin-top: .75rem; padding: .5rem 1rem; border-radius: .5rem; background: #0b5394;
  color: #fff; text-decoration: none; }}
@media (prefers-color-scheme: dark) {{ body {{ color: #e6e9ee; background: #0e1117; }} a {{ color: #8ab8ff; }} }}
</style></head>
<body><main><h1>{heading}</h1><p>{detail}</p><p><a class="main" href="{back}">{words}</a></p></main></body>
</html>
"""


def wants_page(request: Request) -> bool:
    """Tell whether a browser shows the answer of an address that pages link to."""
    return ADDRESSES in request.url.path and "text/html" in request.headers.get("accept", "")


def refusal_page(request: Request, status: int, detail: str, headers: dict[str, str]) -> HTMLResponse:
    """The refusal in words, with the way back to the page that it came from."""
    heading = HEADINGS.get(status, HTTPStatus(status).phrase)
    back = _page_before(request)
    words = "Back to the page" if back != "/" else "Open the portal"
    page = PAGE.format(heading=escape(heading), detail=escape(detail), back=escape(back), words=words)
    return HTMLResponse(page, status, headers={**headers, "Cache-Control": "no-store"})


def _page_before(request: Request) -> str:
    """Path and query of the portal's page that led here; the start page where another site did, or none is named."""
    before = urlsplit(request.headers.get("referer", ""))
    if before.netloc != request.headers.get("host") or ADDRESSES in before.path or before.path.startswith("//"):
        return "/"
    return f"{before.path or '/'}{f'?{before.query}' if before.query else ''}"

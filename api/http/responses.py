"""Answers of the routes: exact JSON, entity tags, pages, and the preconditions of a change."""

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from fastapi import Header, Request, Response
from pydantic import BaseModel
from starlette.datastructures import URL

from api.http.decimal_json import encode
from api.http.problems import PreconditionRequired, TagUnknown
from api.http.schemas import AnswerSchema

ETAG = re.compile(r'"[0-9]{1,9}"', re.ASCII)
IF_MATCH = 'The ETag of the version that you read, such as `"3"`. A change of a record needs it.'


IfMatch = Annotated[str | None, Header(alias="If-Match", description=IF_MATCH, max_length=100)]
IfNoneMatch = Annotated[
    str | None,
    Header(
        alias="If-None-Match", description="An ETag that you have: answered with 304 while it holds.", max_length=1000
    ),
]
NOT_MODIFIED: dict[int | str, dict[str, Any]] = {304: {"description": "You have this version already"}}


class ActionOut(AnswerSchema):
    """Something that could be done with a record now."""

    operation: str
    label: str
    allowed: bool
    why_not: str | None


class Actions(BaseModel):
    """The actions on a record that are allowed now, and why not the rest."""

    items: list[ActionOut]


def answer(content: Any, status: int = 200, *, version: int | None = None, location: str | None = None) -> Response:
    """A JSON answer with its decimals kept; `version` becomes the ETag, `location` where the new record is."""
    headers = {}
    if version is not None:
        headers["ETag"] = etag(version)
    if location is not None:
        headers["Location"] = location
    return Response(encode(content), status_code=status, media_type="application/json", headers=headers)


def etag(version: int) -> str:
    """The entity tag of a version of a record."""
    return f'"{version}"'


def version_of(if_match: str | None) -> int:
    """The version that an If-Match header names.

    Raises PreconditionRequired without one, and for ``*``: a change says what it is a change of. Raises TagUnknown for what
    is no ETag of the register, weak ones included.
    """
    tag = (if_match or "").strip()
    if tag in ("", "*"):
        raise PreconditionRequired(
            "Send If-Match with the ETag of the version that you read, so that nobody's change is overwritten unseen."
        )
    if not ETAG.fullmatch(tag):
        raise TagUnknown(
            "If-Match is no ETag that this register gave. Read the record again and send its ETag as it is."
        )
    return int(tag.strip('"'))


def unchanged(if_none_match: str | None, version: int) -> Response | None:
    """A 304 when the caller has this version already."""
    tags = {tag.strip().removeprefix("W/") for tag in (if_none_match or "").split(",")}
    if tags.isdisjoint({etag(version), "*"}):
        return None
    return Response(status_code=304, headers={"ETag": etag(version)})


def here(request: Request, path: str) -> str:
    """The path of something in this API, as the caller can ask for it."""
    return f"{request.scope.get('root_path', '')}{path}"


def page(request: Request, items: Sequence[Mapping[str, Any] | BaseModel], after: object | None) -> dict[str, Any]:
    """A keyset page: the items, and the path of the next page with the same filters (None at the end)."""
    following = None
    if after is not None:
        url = URL(scope=request.scope).include_query_params(after=str(after))
        following = f"{url.path}?{url.query}"
    return {"items": list(items), "next": following}

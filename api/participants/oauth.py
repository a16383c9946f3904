"""Access tokens for programs: OAuth 2.0 client credentials (RFC 6749, 4.4)."""

import base64
import binascii
from typing import Annotated, Literal
from urllib.parse import unquote_plus

from fastapi import APIRouter, Form, Request, Response
from limits import RateLimitItemPerMinute
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool

from api.http.problems import answers
from api.http.responses import answer
from api.http.security import issue_token, require_left, spend
from services.core.errors import Forbidden
from services.participants.clients import authenticate_client, is_proven

router = APIRouter(tags=["Access"])
PER_CREDENTIAL = RateLimitItemPerMinute(30)
PER_ADDRESS = RateLimitItemPerMinute(300)
"""Wrong secrets that one address may send: under one client id, and in all. Right ones count for nothing, and a program whose
secret was right before gets its token however many wrong ones come from its address or under its name."""
LONGEST = 200
DESCRIPTION = """Client id and secret come as form fields, or as HTTP Basic (then each percent-encoded, as RFC 6749 asks).
The token is sent with each call as `Authorization: Bearer <token>`; ask for a new one when it ends."""


class Token(BaseModel):
    """An access token (RFC 6749, 5.1)."""

    access_token: str
    token_type: Literal["Bearer"]
    expires_in: int = Field(description="Seconds for which it opens the API.", examples=[3600])


class TokenError(BaseModel):
    """Why there is no token (RFC 6749, 5.2)."""

    error: Literal[
        "invalid_request", "invalid_client", "unauthorized_client", "unsupported_grant_type", "invalid_scope"
    ]
    error_description: str


class _Refused(Exception):
    """A token request that leads nowhere: the error's name, what to say, and the status."""

    def __init__(self, error: str, words: str, status: int = 400) -> None:
        super().__init__(words)
        self.error, self.words, self.status = error, words, status


REFUSALS = {
    400: {
        **answers(400)[400],
        "model": TokenError,
        "description": "The request is not one for client credentials; problem details when it is no form at all",
    },
    401: {"model": TokenError, "description": "Client id and secret don't open anything"},
}


@router.post(
    "/oauth/token",
    summary="Get an access token",
    description=DESCRIPTION,
    response_model=Token,
    responses={**REFUSALS, **answers(413, 422, 429, 500, 503)},
)
async def issue_access_token(
    request: Request,
    grant_type: Annotated[str, Form(description="`client_credentials`", examples=["client_credentials"])] = "",
    client_id: Annotated[str, Form(examples=["demo-northgate"])] = "",
    client_secret: Annotated[str, Form(examples=["demo"], json_schema_extra={"format": "password"})] = "",
    scope: Annotated[str, Form(description="Leave it out: what a credential may do follows from its roles.")] = "",
) -> Response:
    """A token for a credential."""
    try:
        credentials = _credentials(request.headers.get("Authorization"), client_id, client_secret)
        return await run_in_threadpool(_token, request, grant_type, scope, *credentials)
    except _Refused as refused:
        response = answer({"error": refused.error, "error_description": refused.words}, refused.status)
        if refused.status == 401:
            response.headers["WWW-Authenticate"] = 'Basic realm="fmar"'
        return response


def _credentials(header: str | None, client_id: str, client_secret: str) -> tuple[str, str]:
    kind, _, encoded = (header or "").partition(" ")
    if kind.lower() == "basic":
        if client_secret:
            raise _Refused("invalid_request", "Give the credentials once: as HTTP Basic, or as form fields.")
        try:
            name, colon, secret = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
        except (binascii.Error, ValueError):
            name = colon = secret = ""
        if not colon:
            raise _Refused("invalid_client", "The Authorization header is not HTTP Basic that can be read.", 401)
        client_id, client_secret = unquote_plus(name), unquote_plus(secret)
    if not client_id or not client_secret:
        raise _Refused("invalid_client", "Give client_id and client_secret.", 401)
    return client_id, client_secret


def _token(request: Request, grant_type: str, scope: str, client_id: str, client_secret: str) -> Response:
    if grant_type != "client_credentials":
        if not grant_type:
            raise _Refused("invalid_request", "grant_type is missing: client_credentials.")
        raise _Refused("unsupported_grant_type", "The only grant type is client_credentials.")
    if scope.strip():
        raise _Refused("invalid_scope", "There are no scopes: what a credential may do follows from its roles.")
    address = request.client.host if request.client else "unknown"
    readable = max(len(client_id), len(client_secret)) <= LONGEST and "\x00" not in client_id + client_secret
    limits = {f"token:{address}": PER_ADDRESS, f"token:{address}:{client_id[:LONGEST]}": PER_CREDENTIAL}
    if not (readable and is_proven(client_id, client_secret)):
        for key, limit in limits.items():
            require_left(request, key, limit)
    try:
        actor = authenticate_client(client_id, client_secret) if readable else None
    except Forbidden as shut:
        raise _Refused("unauthorized_client", shut.message) from None
    if actor is None:
        for key, limit in limits.items():
            spend(request, key, limit)
        raise _Refused("invalid_client", "This client id and secret don't open anything.", 401)
    access, seconds = issue_token(actor)
    return answer({"access_token": access, "token_type": "Bearer", "expires_in": seconds})

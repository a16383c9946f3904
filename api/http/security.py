"""Authentication: OAuth 2.0 client credentials, short-lived signed tokens, the credential read anew in each call."""

import secrets
import time
from functools import lru_cache
from typing import Annotated, NoReturn

from fastapi import Depends, Request
from fastapi.security import OAuth2
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey
from limits import RateLimitItem, parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from api.http.middleware import leave_headers
from services.core.errors import TooManyRequests, Unauthenticated
from services.core.identity.actor import Actor
from services.core.settings import settings
from services.participants.identity import actor_for_client

ISSUER = "fmar"
scheme = OAuth2(
    flows={"clientCredentials": {"tokenUrl": "/api/oauth/token", "scopes": {}}},  # pyright: ignore[reportArgumentType]
    scheme_name="ClientCredentials",
    description="A token from `POST /api/oauth/token`, sent as `Authorization: Bearer ...`.",
    auto_error=False,
)
limiter = MovingWindowRateLimiter(MemoryStorage())


@lru_cache(maxsize=1)
def _key() -> OctKey:
    secret = settings().token_secret
    # Demo mode: random at each start, so that no token outlives the process and nothing secret stands in the code.
    return OctKey.import_key(secret.get_secret_value() if secret else secrets.token_hex(32))


def issue_token(actor: Actor) -> tuple[str, int]:
    """A signed access token for a credential, and its life in seconds."""
    seconds = settings().token_minutes * 60
    moment = int(time.time())
    claims = {"iss": ISSUER, "sub": actor.client_id, "cred": actor.credential, "iat": moment, "exp": moment + seconds}
    return jwt.encode({"alg": "HS256"}, claims, _key()), seconds


def _client_of(token: str) -> tuple[str, str]:
    try:
        decoded = jwt.decode(token, _key(), algorithms=["HS256"])
        jwt.JWTClaimsRegistry(
            iss={"essential": True, "value": ISSUER}, sub={"essential": True}, exp={"essential": True}
        ).validate(decoded.claims)
    except (JoseError, ValueError):
        raise Unauthenticated(
            "The access token is not valid, or has ended. Ask for a new one at /api/oauth/token."
        ) from None
    return str(decoded.claims["sub"]), str(decoded.claims.get("cred"))


def spend(request: Request, key: str, limit: RateLimitItem) -> None:
    """Count one call against a limit and let the answer say what is left of it.

    Raises TooManyRequests when it is used up, with the seconds to wait.
    """
    if not limiter.hit(limit, key):
        _refuse(request, key, limit)
    _tell_what_is_left(request, key, limit)


def _tell_what_is_left(request: Request, key: str, limit: RateLimitItem) -> int:
    """Let the answer say what is left of a limit; seconds until there is more."""
    window = limiter.get_window_stats(limit, key)
    wait = max(1, int(window.reset_time - time.time()) + 1)
    leave_headers(
        request.scope,
        {
            "RateLimit-Policy": f'"default";q={limit.amount};w={limit.get_expiry()}',
            "RateLimit": f'"default";r={window.remaining};t={wait}',
        },
    )
    return wait


def _refuse(request: Request, key: str, limit: RateLimitItem) -> NoReturn:
    wait = _tell_what_is_left(request, key, limit)
    raise TooManyRequests(f"That was more than {limit}. Try again in {wait} seconds.", wait)


def require_left(request: Request, key: str, limit: RateLimitItem) -> None:
    """Raise TooManyRequests when a limit is used up; nothing is counted."""
    if not limiter.test(limit, key):
        _refuse(request, key, limit)


def current_actor(request: Request, _documented: Annotated[str | None, Depends(scheme)]) -> Actor:
    """The credential behind the call, as it stands in the register at this moment.

    Raises Unauthenticated without a good token or once the credential has ended, Forbidden while its organisation is
    suspended, TooManyRequests over the rate limit.
    """
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "bearer" or not token:
        raise Unauthenticated("This call needs an access token: POST /api/oauth/token with your client credentials.")
    client_id, credential = _client_of(token)
    spend(request, f"call:{client_id}", parse(settings().api_rate_limit))
    actor = actor_for_client(client_id)
    if actor.credential != credential:
        raise Unauthenticated("The secret has been replaced since. Ask for a new access token with the new one.")
    return actor


Caller = Annotated[Actor, Depends(current_actor)]

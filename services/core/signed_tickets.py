"""Tickets: short-lived signed words that let a browser fetch something by its address alone, where no token can be sent.

A ticket opens what its purpose names and nothing else. It is signed with a key of its own, made from the secret that
signs API tokens, so neither passes for the other. It is readable by whoever holds it: put no secret in.
"""

import hmac
import secrets
import time
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from services.core.errors import Forbidden, Unauthenticated
from services.core.settings import settings

BUCKET_SECONDS = 300
"""Tickets made within the same five minutes are the same text, so that browsers keep what they fetched by it."""
LONGEST = 8_000
_random = secrets.token_hex(32)


def _key() -> OctKey:
    secret = settings().token_secret
    # Demo mode: random at each start, as with API tokens.
    base = secret.get_secret_value() if secret else _random
    return OctKey.import_key(hmac.new(base.encode(), b"fmar tickets", sha256).hexdigest())


def bucket() -> int:
    """The five minutes that it is now, as a number: while it stays the same, so do the tickets."""
    return int(time.time()) // BUCKET_SECONDS


def issue(purpose: str, claims: Mapping[str, Any]) -> str:
    """A ticket for one purpose. It holds until the end of the five minutes after these: five to ten minutes from now."""
    ends = (bucket() + 2) * BUCKET_SECONDS
    return jwt.encode({"alg": "HS256"}, {"iss": f"fmar:{purpose}", **claims, "exp": ends}, _key())


def mark_of(browser: str | None) -> str:
    """Fingerprint of a browser inside a ticket, in a form that opens nothing by itself; "" for any browser."""
    return sha256(browser.encode()).hexdigest()[:16] if browser else ""


def require_browser(mark: object, browser: str | None, onward: str) -> None:
    """Raise Forbidden, with the way `onward`, in another browser than the one that a ticket's mark was made for."""
    if not hmac.compare_digest(str(mark), mark_of(browser)):
        raise Forbidden(f"This ticket was made for another browser. {onward}")


def read(purpose: str, ticket: str) -> dict[str, Any]:
    """Read a ticket. Raises Unauthenticated for one that was changed, has ended, or is for something else."""
    try:
        if len(ticket) > LONGEST:
            raise ValueError
        decoded = jwt.decode(ticket, _key(), algorithms=["HS256"])
        jwt.JWTClaimsRegistry(iss={"essential": True, "value": f"fmar:{purpose}"}, exp={"essential": True}).validate(
            decoded.claims
        )
    except (JoseError, ValueError):
        raise Unauthenticated("This ticket is not valid, or has ended. Reload the page for a new one.") from None
    return decoded.claims

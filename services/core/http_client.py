"""HTTP client for outside systems: one for all of them.

A question ends in one of four ways: an answer in the expected shape, None (the system says that it knows no such
thing), OutsideUnavailable (nothing was learnt: the caller waits and asks again later), or OutsideRefused (asking again
won't help: an operator has to correct the settings). An outage is never read as "unknown", and neither is a 404 from a
wrong address. The protocol, the signature and the limits are described in docs/outside-systems.md.
"""

import hashlib
import hmac
import logging
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TypeVar

import httpx
from pydantic import BaseModel, SecretStr, ValidationError
from tenacity import RetryCallState, Retrying, retry_if_result, stop_after_attempt, wait_exponential_jitter

logger = logging.getLogger(__name__)

USER_AGENT = "fmar-portal"
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
LONGEST_REST = 900.0
"""Seconds. A Retry-After that asks for more than this, by mistake or malice, doesn't stop us for longer."""
PASSING_STATUSES = frozenset({408, 425, 429})

Shape = TypeVar("Shape", bound=BaseModel)


class OutsideError(Exception):
    """An outside system gave no usable answer. The text never holds a key, a signature or what the system sent."""

    def __init__(self, system: str, reason: str) -> None:
        super().__init__(f"{system}: {reason}")
        self.system = system
        self.reason = reason


class OutsideUnavailable(OutsideError):
    """Nothing was learnt this time; ask again later, after `retry_after` seconds where the system said so."""

    def __init__(self, system: str, reason: str, retry_after: float | None = None) -> None:
        super().__init__(system, reason)
        self.retry_after = retry_after


class OutsideRefused(OutsideError):
    """The system refuses us for good: a wrong key, a wrong address, a malformed question. An operator has to act."""


@dataclass(frozen=True, slots=True)
class Patience:
    """Time limits of one question, in seconds. `timeout` bounds connecting, waiting, and reading the answer whole."""

    timeout: float = 5.0
    attempts: int = 3
    first_wait: float = 0.5
    longest_wait: float = 10.0
    """The longest wait between two attempts; a Retry-After beyond it is left to the caller."""
    rest: float = 0.0
    """For how many seconds after an outage further questions fail at once, so that a long queue can't pile up. A
    Retry-After that outlasts the attempts is honoured in the same way."""
    largest_answer: int = 256 * 1024


@dataclass(frozen=True, slots=True)
class _Failure:
    """Failure of one attempt. A value and not an exception: httpx's carry the request, and so the key."""

    reason: str
    passing: bool = False
    refused: bool = False
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class _Answer:
    is_known: bool
    body: bytes


class _ErrorItem(BaseModel):
    error: str


class _ErrorAnswer(BaseModel):
    errors: list[_ErrorItem]


def signature_headers(key: SecretStr, method: str, target: str, body: bytes, moment: int) -> dict[str, str]:
    """Headers that prove who asks, and when: HMAC-SHA256 over method, target, body digest and timestamp.

    `target` is path and query exactly as sent, `moment` is in Unix seconds. The receiver refuses what is older than
    five minutes.
    """
    digest = hashlib.sha256(body).hexdigest()
    message = "\n".join((method, target, digest, str(moment))).encode()
    signature = hmac.new(key.get_secret_value().encode(), message, hashlib.sha256).hexdigest()
    return {"X-Fmar-Timestamp": str(moment), "X-Fmar-Content-Sha256": digest, "X-Fmar-Signature": f"v1={signature}"}


class OutsideClient:
    """A client of one outside system. Safe to share between threads; holds a connection pool, so close it at the end.

    `basic_user` is sent as the user name of HTTP Basic with an empty password, `api_key` as X-Api-Key; `signing_key`
    signs every request. Redirects are not followed and the environment's proxies are not used, so that a key reaches
    the configured address only.
    """

    def __init__(
        self,
        system: str,
        base_url: str,
        *,
        basic_user: SecretStr | None = None,
        api_key: SecretStr | None = None,
        signing_key: SecretStr | None = None,
        patience: Patience | None = None,
    ) -> None:
        self.system = system
        self._patience = patience or Patience()
        self._signing_key = signing_key
        self._rests_until = 0.0
        url = _checked_url(system, base_url, secret=bool(basic_user or api_key))
        headers = {"User-Agent": USER_AGENT, "Accept": "application/json", "Accept-Encoding": "identity"}
        if api_key:
            headers["X-Api-Key"] = api_key.get_secret_value()
        self._http = httpx.Client(
            base_url=url,
            headers=headers,
            auth=httpx.BasicAuth(basic_user.get_secret_value(), "") if basic_user else None,
            timeout=self._patience.timeout,
            verify=ssl.create_default_context(),
            trust_env=False,
            follow_redirects=False,
        )

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def get(
        self, path: str, shape: type[Shape], *, unknown: str, params: Mapping[str, str] | None = None
    ) -> Shape | None:
        """The answer at `path`, or None when the system says so itself: 404 with the error code `unknown`.

        Raises OutsideUnavailable or OutsideRefused. Connection errors, 429 and 5xx are tried again with growing,
        jittered waits, or after what Retry-After asks; nothing else is.
        """
        left = self._rests_until - time.monotonic()
        if left > 0:
            raise OutsideUnavailable(self.system, "was out of reach a moment ago and is left to rest", left)
        result = self._retrying()(self._attempt, path, params, unknown)
        if isinstance(result, _Failure):
            raise self._error(result)
        if not result.is_known:
            return None
        parsed = _parsed(shape, result.body)
        if isinstance(parsed, _Failure):
            raise self._error(parsed)
        return parsed

    def mismatch(self, subject: str) -> OutsideUnavailable:
        """The error for an answer about something else than was asked for: never taken as an answer."""
        return OutsideUnavailable(self.system, f"answered about another {subject} than was asked for")

    def _error(self, failure: _Failure) -> OutsideError:
        if failure.refused:
            return OutsideRefused(self.system, failure.reason)
        asked = min(failure.retry_after or 0.0, LONGEST_REST)
        self._rests_until = time.monotonic() + max(self._patience.rest, asked)
        return OutsideUnavailable(self.system, failure.reason, failure.retry_after)

    def _retrying(self) -> Retrying:
        patience = self._patience
        first, longest = patience.first_wait, patience.longest_wait
        jittered = wait_exponential_jitter(multiplier=first, max=longest, jitter=first)

        def worth_another(result: _Answer | _Failure) -> bool:
            return isinstance(result, _Failure) and result.passing and (result.retry_after or 0) <= longest

        def wait(state: RetryCallState) -> float:
            failure = state.outcome.result() if state.outcome else None
            asked = failure.retry_after if isinstance(failure, _Failure) else None
            return jittered(state) if asked is None else asked

        return Retrying(
            stop=stop_after_attempt(patience.attempts),
            wait=wait,
            retry=retry_if_result(worth_another),
            retry_error_callback=lambda state: state.outcome.result() if state.outcome else None,
        )

    def _attempt(self, path: str, params: Mapping[str, str] | None, unknown: str) -> _Answer | _Failure:
        try:
            result = self._ask(path, params, unknown)
        except httpx.TimeoutException:
            result = _Failure(f"did not answer within {self._patience.timeout:g} seconds", passing=True)
        except httpx.RequestError as error:
            result = _Failure(f"could not be reached ({type(error).__name__})", passing=True)
        if isinstance(result, _Failure):
            logger.warning("%s %s", self.system, result.reason)
        return result

    def _ask(self, path: str, params: Mapping[str, str] | None, unknown: str) -> _Answer | _Failure:
        started = time.monotonic()
        request = self._http.build_request("GET", path, params=params)
        if self._signing_key:
            target = request.url.raw_path.decode("ascii")
            request.headers.update(signature_headers(self._signing_key, "GET", target, b"", int(time.time())))
        response = self._http.send(request, stream=True)
        try:
            if failure := _refusal(response):
                return failure
            body = self._body(response, started)
        finally:
            response.close()
        if isinstance(body, _Failure):
            return body
        if response.status_code == httpx.codes.NOT_FOUND:
            if _says_unknown(body, unknown):
                return _Answer(is_known=False, body=b"")
            return _Failure("does not know the address that was asked (404); check the base URL", refused=True)
        return _Answer(is_known=True, body=body)

    def _body(self, response: httpx.Response, started: float) -> bytes | _Failure:
        patience = self._patience
        kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/json" and response.status_code != httpx.codes.NOT_FOUND:
            return _Failure("answered with something other than JSON")
        body = bytearray()
        for chunk in response.iter_bytes():
            body += chunk
            if len(body) > patience.largest_answer:
                return _Failure(f"answered with more than {patience.largest_answer // 1024} kB")
            if time.monotonic() - started > patience.timeout:
                return _Failure(f"did not finish its answer within {patience.timeout:g} seconds", passing=True)
        return bytes(body)


def _checked_url(system: str, base_url: str, *, secret: bool) -> httpx.URL:
    url = httpx.URL(base_url)
    if url.scheme not in ("http", "https") or not url.host or url.query or url.fragment:
        raise ValueError(f"{system}: the base URL must be http(s)://host[:port][/path], with nothing after it.")
    if url.userinfo:
        raise ValueError(f"{system}: give the key in its own setting, not inside the base URL.")
    if secret and url.scheme == "http" and url.host not in LOOPBACK:
        raise ValueError(f"{system}: the base URL must be https, or the key would travel in the clear.")
    return url


def _refusal(response: httpx.Response) -> _Failure | None:
    """The answer that the status alone gives, or None where the body has to be read (200 and 404)."""
    status = response.status_code
    if status in (httpx.codes.OK, httpx.codes.NOT_FOUND):
        return None
    if status in PASSING_STATUSES or status >= 500:
        reason = "asks us to slow down (429)" if status == 429 else f"is failing ({status})"
        return _Failure(reason, passing=True, retry_after=_retry_after(response.headers.get("retry-after")))
    if status in (401, 403):
        return _Failure(f"does not accept our key or signature ({status}); check the settings", refused=True)
    if 400 <= status < 500:
        return _Failure(f"refused the question ({status})", refused=True)
    return _Failure(f"answered with status {status}, which this register does not follow")


def _retry_after(value: str | None) -> float | None:
    """Seconds to wait, from either form of the header; None when absent or unreadable."""
    if value is None:
        return None
    if value.strip().isdecimal():
        return float(value[:9])
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())


def _says_unknown(body: bytes, unknown: str) -> bool:
    answer = _parsed(_ErrorAnswer, body)
    return isinstance(answer, _ErrorAnswer) and any(item.error == unknown for item in answer.errors)


def _parsed(shape: type[Shape], body: bytes) -> Shape | _Failure:
    try:
        return shape.model_validate_json(body)
    except ValidationError as error:
        where = ".".join(str(part) for part in error.errors(include_input=False, include_url=False)[0]["loc"])
    return _Failure("answered in a form that this register does not know" + (f" (at {where[:60]})" if where else ""))

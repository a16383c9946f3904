"""Sign-out over HTTP: by POST from a page of ours, never by a link, and the session is over wherever the cookie was copied."""

import json
import time
from collections.abc import Iterator

import httpx
import pytest
from pydantic import SecretStr
from starlette.applications import Starlette
from streamlit.web.server.starlette.starlette_app_utils import create_signed_value
from streamlit.web.server.starlette.starlette_auth_routes import create_auth_routes

from pages.frame.session import SIGN_IN as COOKIE
from pages.frame.sign_out import SignOutGuard
from services.core.settings import settings
from services.participants.identity import SignInProblem, sign_in
from tests import factories
from tests.servers import serve

SECRET = "kW8dRz3Qn6Ys1Vb9Lx4Jt7Gm2Hc5PfEu"
EMAIL = "amy@bramble.example.org"


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Streamlit's own sign-out behind the guard."""
    with serve(SignOutGuard(Starlette(routes=create_auth_routes("")))) as url:
        yield url


@pytest.fixture
def client(address: str, one_register: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[httpx.Client]:
    """Amy's browser, signed in."""
    monkeypatch.setattr(settings(), "cookie_secret", SecretStr(SECRET))
    factories.administrator()
    factories.make_user(factories.make_organisation(), ["viewer"], name="Amy Wood", email=EMAIL, signed_in=False)
    with httpx.Client(base_url=address, trust_env=False) as client:
        client.cookies.set(COOKIE, _cookie(_claims()))
        yield client


def _claims(email: str = EMAIL) -> dict[str, object]:
    moment = int(time.time()) - 5
    return {"iss": "https://acorn", "sub": email, "email": email, "email_verified": True, "name": "Amy", "iat": moment}


def _cookie(claims: dict[str, object]) -> str:
    return create_signed_value(SECRET, COOKIE, json.dumps({**claims, "is_logged_in": True})).decode()


def _problem(client: httpx.Client) -> SignInProblem | None:
    from pages.frame.session import identity_of

    return sign_in(identity_of(_claims())).problem


def _forgets(answer: httpx.Response) -> bool:
    return any(COOKIE in cookie for cookie in answer.headers.get_list("set-cookie"))


def _own(client: httpx.Client) -> dict[str, str]:
    return {"Origin": str(client.base_url).rstrip("/"), "Sec-Fetch-Site": "same-origin"}


@pytest.mark.use_case("UC-01.01")
@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("GET", {}),
        ("GET", {"Sec-Fetch-Site": "cross-site"}),
        ("GET", {"Sec-Fetch-Site": "none"}),
        ("GET", {"Sec-Fetch-Site": "same-origin"}),
        ("HEAD", {}),
        ("POST", {}),
        ("POST", {"Origin": "https://elsewhere.example.org"}),
        ("POST", {"Origin": "null", "Sec-Fetch-Site": "cross-site"}),
        ("POST", {"Origin": "https://elsewhere.example.org", "Sec-Fetch-Site": "same-origin"}),
    ],
)
def test_nothing_elsewhere_signs_anybody_out(client: httpx.Client, method: str, headers: dict[str, str]) -> None:
    assert _problem(client) is None
    for address in ("/auth/logout", "/auth/logout/", "/auth/logout?next=/"):
        answer = client.request(method, address, headers=headers)
        assert answer.status_code in (403, 405), (address, answer.status_code)
        assert not _forgets(answer)
    assert _problem(client) is None


@pytest.mark.use_case("UC-01.01")
def test_a_post_from_our_page_ends_the_session_wherever_its_cookie_is(client: httpx.Client) -> None:
    assert _problem(client) is None
    copied = dict(client.cookies)
    answer = client.post("/auth/logout", headers=_own(client))
    assert answer.status_code == 303
    assert _forgets(answer)
    assert _problem(client) is SignInProblem.SESSION_ENDED
    # What the portal's button does: it ends the session first, then has the browser forget the cookie.
    client.cookies.update(copied)
    later = client.get("/auth/logout")
    assert (later.status_code, _forgets(later)) == (302, True)


@pytest.mark.use_case("UC-01.01")
def test_somebody_without_an_account_is_forgotten_by_our_own_pages_only(client: httpx.Client) -> None:
    client.cookies.set(COOKIE, _cookie(_claims("stranger@example.org")))
    assert client.get("/auth/logout").status_code == 405
    assert _forgets(client.get("/auth/logout", headers={"Sec-Fetch-Site": "same-origin"}))
    client.cookies.set(COOKIE, "a-cookie-that-nobody-signed")
    assert client.get("/auth/logout").status_code == 302

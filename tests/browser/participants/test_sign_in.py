"""UC-01.01, UC-01.04: signing in for real, against an OIDC provider, in a browser; and the demo's door beside it."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from oidc_provider_mock import User as ProviderUser
from oidc_provider_mock import run_server_in_thread
from playwright.sync_api import Browser, BrowserContext, Page, expect

from models.participants import Organisation
from services.core.db.engine import close
from services.core.settings import settings
from services.participants.approval import reinstate_organisation, suspend_organisation
from services.participants.reading import get_organisation
from services.participants.users import UserView, deactivate_user, list_users
from tests import factories
from tests.browser.harness import ROOT, Watch, body_text, free_port, new_page, open_page, start_portal, wait_idle
from tests.browser.widgets import choose, choose_many, fill_text, go_to, open_account, press
from tests.conftest import build_register, use_database
from tests.databases import fresh_database
from tests.processes import Finished, run_command

SECRET = "pX3nVq8Lr2Zt7WcMd5Ky9Bs4Hf6Jg1Ta"
COOKIE = "_streamlit_user"

pytestmark = [
    pytest.mark.use_case("UC-01.01"),
    # The test provider's own use of its library.
    pytest.mark.filterwarnings("ignore::DeprecationWarning:authlib"),
]


def _claims(name: str, *, verified: bool = True) -> dict[str, Any]:
    return {"email": f"{name}@bramble.example.org", "email_verified": verified, "name": name.capitalize()}


PEOPLE = [
    ProviderUser(sub="amy", claims=_claims("amy")),
    ProviderUser(sub="bob", claims=_claims("bob", verified=False)),
    ProviderUser(sub="cas", claims=_claims("cas")),
    ProviderUser(sub="dee", claims=_claims("dee")),
    ProviderUser(sub="eve", claims=_claims("eve")),
    ProviderUser(sub="newcomer", claims=_claims("newcomer")),
    ProviderUser(sub="stranger", claims=_claims("stranger")),
]


@dataclass
class Live:
    """A live portal, its people, and the organisations they act for."""

    url: str
    database: str
    bramble: Organisation
    lumen: Organisation
    people: dict[str, UserView]


def _live_env(issuers: dict[str, str], port: int) -> dict[str, str]:
    providers = [
        {
            "name": name,
            "label": name.capitalize(),
            "client_id": "fmar",
            "client_secret": "not-a-secret",
            "server_metadata_url": f"{issuer}/.well-known/openid-configuration",
        }
        for name, issuer in issuers.items()
    ]
    return {
        "FMAR_MODE": "live",
        "FMAR_OIDC_PROVIDERS": json.dumps(providers),
        "FMAR_COOKIE_SECRET": SECRET,
        "FMAR_TOKEN_SECRET": SECRET,
        "FMAR_PUBLIC_URL": f"http://localhost:{port}",
        "FMAR_WORKER": "false",
        "FMAR_ANCHOR_FILE": "",
    }


@pytest.fixture
def live(live_portal: Live, monkeypatch: pytest.MonkeyPatch) -> Iterator[Live]:
    """The live portal, with this process at its register too, in live mode: a live register is closed to a demo."""
    monkeypatch.setenv("FMAR_MODE", "live")
    use_database(live_portal.database)
    yield live_portal
    monkeypatch.undo()
    settings.cache_clear()


@pytest.fixture(scope="module")
def live_portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A live portal with two providers and a register of its own, for the whole module."""
    with fresh_database(tmp_path_factory.mktemp("live"), "register", build_register) as database:
        use_database(database)
        with _running(database) as portal:
            yield portal
        close()


@contextmanager
def _running(database: str) -> Iterator[Live]:
    """A live portal with two providers; amy, cas, dee and eve are invited, eve into two organisations."""
    bramble = factories.make_organisation("Bramble Flex Ltd")
    lumen = factories.make_organisation("Lumen Storage Ltd")
    roles = ["organisation_admin", "fsp_user"]

    def invite(name: str, organisation: Organisation) -> UserView:
        email = f"{name}@bramble.example.org"
        return factories.make_user(organisation, roles, name=name.capitalize(), email=email, signed_in=False)

    people = {name: invite(name, bramble) for name in ("amy", "bob", "cas", "dee", "eve")}
    invite("eve", lumen)
    # Somebody administers Bramble whoever of these has signed in: tests run in any order.
    factories.make_user(bramble, roles)
    port = free_port()
    with (
        run_server_in_thread(user_claims=PEOPLE) as first,
        run_server_in_thread(user_claims=PEOPLE) as second,
    ):
        issuers = {"acorn": f"http://localhost:{first.server_port}", "beech": f"http://localhost:{second.server_port}"}
        with start_portal(_live_env(issuers, port), port=port) as url:
            yield Live(url, database, bramble, lumen, people)


@contextmanager
def _window(browser: Browser) -> Iterator[tuple[Page, Watch]]:
    """A page with cookies of its own; the test provider's page asks for a style sheet elsewhere, which is kept from it."""
    with new_page(browser) as (page, watch):
        page.route("**/cdn.jsdelivr.net/**", lambda route: route.abort())
        yield page, watch


def _sign_in(page: Page, live: Live, name: str, provider: str = "Acorn") -> None:
    open_page(page, live.url)
    page.get_by_role("button", name=f"Sign in with {provider}").click()
    page.wait_for_url("**/oauth2/authorize**")
    page.get_by_role("button", name=name, exact=True).click()
    page.wait_for_url(f"{live.url}/**")
    page.get_by_test_id("stApp").wait_for(state="attached")
    wait_idle(page)


def _sign_out(page: Page) -> None:
    """Sign out; the browser then stands at the provider, whose page is none of ours."""
    open_account(page)
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/oauth2/**")


def _expect_in(page: Page, inside: bool = True) -> None:
    """Wait until the menu of somebody signed in stands there, or no longer does."""
    expect(page.get_by_test_id("stSidebarNavLink").filter(has_text="Home")).to_have_count(1 if inside else 0)


def _expect_text(page: Page, words: str) -> None:
    expect(page.get_by_test_id("stMain")).to_contain_text(words)


def _cookie(context: BrowserContext) -> dict[str, Any]:
    return next(dict(cookie) for cookie in context.cookies() if cookie.get("name") == COOKIE)


def test_the_right_person_signs_in_and_nothing_else_leaves_the_machine(live: Live, browser: Browser) -> None:
    with _window(browser) as (page, watch):
        open_page(page, live.url)
        expect(page.get_by_role("button", name="Sign in with Acorn")).to_be_visible()
        expect(page.get_by_role("button", name="Sign in with Beech")).to_be_visible()
        assert "Who do you want to be?" not in body_text(page)
        watch.assert_quiet()
        _sign_in(page, live, "amy")
        _expect_in(page)
        _expect_text(page, "Bramble Flex Ltd")
        watch.foreign_requests.clear()
        watch.console_errors.clear()
        page.reload()
        wait_idle(page)
        _expect_in(page)
        watch.assert_quiet()


def test_an_unknown_person_may_register_an_organisation_and_nothing_else(live: Live, browser: Browser) -> None:
    with _window(browser) as (page, _):
        _sign_in(page, live, "stranger")
        _expect_in(page, inside=False)
        _expect_text(page, "Nobody is registered under this email address")
        go_to(page, "Register an organisation")
        expect(page.get_by_role("heading", name="Register an organisation")).to_be_visible()


@pytest.mark.use_case("UC-01.02")
def test_an_applicant_registers_an_organisation_and_becomes_its_administrator(live: Live, browser: Browser) -> None:
    with _window(browser) as (page, _):
        _sign_in(page, live, "newcomer")
        go_to(page, "Register an organisation")
        choose(page, "Type of organisation *", "Public Authority")
        choose_many(page, "Roles in the flexibility market *", ["Asset Owner"])
        choose(page, "Country *", "United Kingdom")
        press(page, "Register the organisation")
        _expect_text(page, "Enter the legal name")
        for label, value in {
            "Legal name *": "Westbrook Council",
            "Address line 1 *": "Town Hall",
            "City or town *": "Westbrook",
            "Primary contact: first name *": "Nia",
            "Primary contact: last name *": "Reed",
            "Primary contact: email *": "nia@westbrook.example.org",
            "Primary contact: mobile number *": "+442079460123",
        }.items():
            fill_text(page, label, value)
        press(page, "Register the organisation")
        # From the next click on this is somebody of an organisation, with its pages.
        expect(page.get_by_role("heading", name="Westbrook Council")).to_be_visible()
        assert "Page not found" not in page.locator("body").inner_text()
        go_to(page, "My organisation")
        expect(page.get_by_role("heading", name="Westbrook Council")).to_be_visible()
        _expect_text(page, "Pending Approval")


def test_an_unverified_email_opens_nothing_and_is_told_why(live: Live, browser: Browser) -> None:
    with _window(browser) as (page, _):
        _sign_in(page, live, "bob")
        _expect_in(page, inside=False)
        _expect_text(page, "has not verified your email address")
        _expect_text(page, "Verify it there, then sign in again.")
        expect(page.get_by_role("button", name="Sign out here")).to_be_visible()


def test_the_same_email_at_another_provider_is_not_the_same_person(live: Live, browser: Browser) -> None:
    with _window(browser) as (page, _):
        _sign_in(page, live, "amy")
        _expect_in(page)
    with _window(browser) as (page, _):
        _sign_in(page, live, "amy", provider="Beech")
        _expect_in(page, inside=False)
        _expect_text(page, "signs in with another account")


@pytest.mark.use_case("UC-01.04")
def test_a_deactivated_person_is_out_at_the_next_click(live: Live, browser: Browser) -> None:
    with _window(browser) as (page, _):
        _sign_in(page, live, "cas")
        _expect_in(page)
        cas = next(one for one in list_users(factories.administrator(), live.bramble.id) if one.full_name == "Cas")
        deactivate_user(factories.administrator(), cas.membership_id, "Left the company in June.")
        go_to(page, "Organisations")
        _expect_in(page, inside=False)
        _expect_text(page, "Your access has been deactivated")


@pytest.mark.use_case("UC-01.04")
def test_a_suspended_organisation_is_out_at_the_next_click_and_back_after(live: Live, browser: Browser) -> None:
    administrator = factories.administrator()
    with _window(browser) as (page, _):
        _sign_in(page, live, "dee")
        _expect_in(page)
        version = get_organisation(administrator, live.bramble.id).version
        suspended = suspend_organisation(administrator, live.bramble.id, "Fees unpaid since May.", version)
        try:
            go_to(page, "Organisations")
            _expect_in(page, inside=False)
            _expect_text(page, "is suspended: Fees unpaid since May.")
        finally:
            reinstate_organisation(administrator, live.bramble.id, suspended.version)
        page.reload()
        wait_idle(page)
        _expect_in(page)


def test_a_tampered_cookie_opens_nothing(live: Live, browser: Browser) -> None:
    with _window(browser) as (page, _):
        _sign_in(page, live, "amy")
        cookie = _cookie(page.context)
        end = "A" * 6 if not cookie["value"].endswith("A" * 6) else "B" * 6
        page.context.add_cookies([{**cookie, "value": cookie["value"][:-6] + end}])  # pyright: ignore[reportArgumentType]
        page.reload()
        wait_idle(page)
        _expect_in(page, inside=False)
        expect(page.get_by_role("button", name="Sign in with Acorn")).to_be_visible()


def test_signing_out_ends_the_session_in_other_windows_and_for_a_copied_cookie(live: Live, browser: Browser) -> None:
    with _window(browser) as (page, _):
        _sign_in(page, live, "amy")
        copied = _cookie(page.context)
        other = page.context.new_page()
        open_page(other, live.url)
        _expect_in(other)
        time.sleep(1.1)  # the provider's clock tells whole seconds
        _sign_out(page)
        go_to(other, "Organisations")
        _expect_in(other, inside=False)
        _expect_text(other, "Your session has ended. Sign in again.")
    with _window(browser) as (page, _):
        page.context.add_cookies([copied])  # pyright: ignore[reportArgumentType]
        open_page(page, live.url)
        _expect_in(page, inside=False)
        _expect_text(page, "Your session has ended. Sign in again.")
        time.sleep(1.1)
        _sign_in(page, live, "amy")
        _expect_in(page)


def test_somebody_in_two_organisations_chooses_which_to_act_for(live: Live, browser: Browser) -> None:
    with _window(browser) as (page, _):
        _sign_in(page, live, "eve")
        expect(page.get_by_role("heading", name="Bramble Flex Ltd")).to_be_visible()
        open_account(page)
        choose(page, "Acting for", "Lumen Storage Ltd")
        expect(page.get_by_role("heading", name="Lumen Storage Ltd")).to_be_visible()
        go_to(page, "My organisation")
        expect(page.get_by_role("heading", name="Lumen Storage Ltd")).to_be_visible()


def _start(tmp_path: Path, **env: str) -> Finished:
    """Try to start the portal; it is expected to refuse at once."""
    return run_command("run", "--port", str(free_port()), DATABASE_URL=f"sqlite:///{tmp_path}/none.db", **env)


def test_a_short_cookie_secret_is_refused(tmp_path: Path) -> None:
    env = _live_env({"acorn": "http://localhost:1"}, 8501)
    refused = _start(tmp_path, **{**env, "FMAR_COOKIE_SECRET": "short"})
    assert refused.returncode != 0
    assert "FMAR_COOKIE_SECRET is too short" in refused.stderr


def test_personas_and_real_sign_in_cannot_be_on_together(tmp_path: Path) -> None:
    env = _live_env({"acorn": "http://localhost:1"}, 8501)
    refused = _start(tmp_path, **{**env, "FMAR_MODE": "demo"})
    assert refused.returncode != 0
    assert "personas and real sign-in can't be on together" in refused.stderr


def test_the_demo_door_is_labelled_and_asks_nothing_of_the_network(one_register: str, browser: Browser) -> None:
    administrator = factories.administrator()
    persona = next(one for one in json.loads((ROOT / "data/demo/personas.json").read_text()) if one["key"] == "bramble")
    bramble = factories.make_organisation("Bramble Flex Ltd")
    factories.make_user(bramble, ["organisation_admin", "fsp_user"], name="Priya Shah", email=persona["email"])
    assert administrator.organisation_name
    env = {"FMAR_MODE": "demo", "FMAR_WORKER": "false", "FMAR_ANCHOR_FILE": ""}
    with start_portal(env) as url, new_page(browser) as (page, watch):
        open_page(page, f"{url}/organisation")
        _expect_text(page, "This is a demonstration.")
        press(page, f"Be {persona['label']}")
        expect(page.get_by_role("heading", name="Bramble Flex Ltd")).to_be_visible()
        assert "bramble" not in page.url, "an address that is copied makes nobody somebody else"
        page.reload()
        wait_idle(page)
        expect(page.get_by_role("heading", name="Bramble Flex Ltd")).to_be_visible()
        go_to(page, "Home")
        _expect_text(page, "No asset of yours is registered yet")
        open_account(page)
        press(page, "Sign out")
        _expect_text(page, "Who do you want to be?")
        watch.assert_quiet()

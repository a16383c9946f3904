"""A real portal in a process of its own, a real browser, and what either did behind the reader's back."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import httpx
from playwright.sync_api import Browser, ConsoleMessage, Page, Playwright, Request, expect

from pages.frame.session import PERSONA_COOKIE

ROOT = Path(__file__).resolve().parents[2]
SHOTS = ROOT / "var" / "shots"
DESKTOP = (1400, 900)
PHONE = (390, 844)
LOCAL_HOSTS = {"localhost", "127.0.0.1", "::1", ""}
AS = "as"
"""In the addresses of tests: whom the browser is in the demo. The portal itself reads its cookie only."""
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
CHROMIUM_FLAGS = (
    "--no-sandbox",
    # Pages are drawn without a graphics card's detour; maps alone, which need WebGL, with one made of software.
    "--disable-gpu",
    "--enable-unsafe-swiftshader",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-dev-shm-usage",
)


# A machine that runs several portals and browsers at once answers late.
expect.set_options(timeout=20_000)


def free_port() -> int:
    """A TCP port of this machine that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def start_portal(env: Mapping[str, str], port: int | None = None, timeout: float = 60) -> Iterator[str]:
    """Run the portal of this checkout as its own process; yields its address, `http://localhost:<port>`.

    `env` is laid over the caller's environment and should name a DATABASE_URL of its own. The process and all its
    children are ended afterwards. RuntimeError with the end of the log when it doesn't answer within `timeout` seconds.
    """
    port = port or free_port()
    base_url = f"http://localhost:{port}"
    log_folder = ROOT / "var" / "test-logs"
    log_folder.mkdir(parents=True, exist_ok=True)
    log_file = log_folder / f"portal-{port}.log"
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)]
    whole_env = {**os.environ, "PYTHONUNBUFFERED": "1", "PORT": str(port), "BASE_URL": base_url, **env}
    with log_file.open("wb") as log:
        process = subprocess.Popen(
            command, cwd=ROOT, env=whole_env, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
        )
    try:
        _wait_until_healthy(process, base_url, log_file, timeout)
        yield base_url
    except BaseException:
        print(f"--- end of {log_file} ---\n{log_tail(log_file)}", file=sys.stderr)
        raise
    finally:
        _end_process_group(process)


def log_tail(log_file: Path, lines: int = 60) -> str:
    """The last lines of a server's log, for the report of a failed test."""
    return "\n".join(log_file.read_text(errors="replace").splitlines()[-lines:]) if log_file.exists() else "(no log)"


def _wait_until_healthy(process: subprocess.Popen[bytes], base_url: str, log_file: Path, timeout: float) -> None:
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"The portal ended with code {process.returncode} at its start. See {log_file}.")
        try:
            if httpx.get(f"{base_url}/_stcore/health", timeout=2, trust_env=False).is_success:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.1)
    raise RuntimeError(f"The portal did not answer on {base_url} within {timeout:.0f} s. See {log_file}.")


def _end_process_group(process: subprocess.Popen[bytes]) -> None:
    for sign in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, sign)
        except ProcessLookupError:
            return
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            continue
        return


def find_chromium() -> str | None:
    """Path of a Chromium: $CHROMIUM, else one on the path; None lets Playwright use the one it installed itself."""
    named = os.environ.get("CHROMIUM")
    if named:
        return named
    return next((path for name in CHROMIUM_NAMES if (path := shutil.which(name))), None)


def launch_browser(playwright: Playwright) -> Browser:
    """A headless Chromium that draws WebGL maps in software and asks nothing of the network by itself."""
    return playwright.chromium.launch(executable_path=find_chromium(), args=list(CHROMIUM_FLAGS))


@dataclass
class Watch:
    """What a page did behind the reader's back: errors on its console, requests that left the machine."""

    console_errors: list[str] = field(default_factory=list)
    foreign_requests: list[str] = field(default_factory=list)

    def attach(self, page: Page) -> None:
        """Start to listen to `page`."""
        page.on("console", self._on_console)
        page.on("pageerror", lambda error: self.console_errors.append(str(error)))
        page.context.on("request", self._on_request)

    def _on_console(self, message: ConsoleMessage) -> None:
        # Opened at a deep link, Streamlit's own page looks for its server in the folders of the address first.
        probe = message.location.get("url", "").endswith(("/_stcore/health", "/_stcore/host-config"))
        if message.type == "error" and not probe:
            self.console_errors.append(message.text)

    def _on_request(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme not in {"data", "blob", "about"} and (parts.hostname or "") not in LOCAL_HOSTS:
            self.foreign_requests.append(request.url)

    def assert_quiet(self) -> None:
        """Fail when anything left the machine or an error stood on the console."""
        assert not self.foreign_requests, f"requests left the machine: {self.foreign_requests}"
        assert not self.console_errors, f"errors on the console: {self.console_errors}"


@contextmanager
def new_page(
    browser: Browser, width: int = DESKTOP[0], height: int = DESKTOP[1], scheme: str = "light"
) -> Iterator[tuple[Page, Watch]]:
    """A page with cookies of its own in a running browser: a second person at a second desk."""
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if scheme == "dark" else "light",
        locale="en-GB",
        timezone_id="Europe/London",
        accept_downloads=True,
    )
    context.set_default_timeout(20_000)
    page = context.new_page()
    watch = Watch()
    watch.attach(page)
    try:
        yield page, watch
    finally:
        context.close()


def open_page(page: Page, url: str, timeout: float = 30) -> None:
    """Go to an address of the portal and wait until it is drawn; `as=` in it names the persona that the browser is."""
    parts = urlsplit(url)
    query = parse_qsl(parts.query, keep_blank_values=True)
    for name, persona in query:
        if name == AS:
            # A tab that has been somebody already keeps to it.
            if page.url.startswith(f"{parts.scheme}://{parts.netloc}/"):
                page.evaluate("sessionStorage.clear()")
            page.context.add_cookies(
                [{"name": PERSONA_COOKIE, "value": persona, "url": f"{parts.scheme}://{parts.netloc}"}]
            )
    rest = urlencode([(name, value) for name, value in query if name != AS])
    page.goto(urlunsplit(parts._replace(query=rest)), wait_until="domcontentloaded")
    page.get_by_test_id("stApp").wait_for(state="attached")
    wait_idle(page, timeout)


def wait_idle(page: Page, timeout: float = 30, quiet: float = 0.25) -> None:
    """Wait until the script of the page has run and nothing is stale: idle for `quiet` seconds without a break.

    Streamlit answers a click through a websocket, so the run may begin some milliseconds later: hence the quiet time.
    """
    deadline = time.monotonic() + timeout
    idle_since: float | None = None
    while time.monotonic() < deadline:
        now = time.monotonic()
        if not page.evaluate(_IS_IDLE):
            idle_since = None
        elif idle_since is None:
            idle_since = now
        elif now - idle_since >= quiet:
            return
        page.wait_for_timeout(50)
    raise TimeoutError(f"The page was still running after {timeout:.0f} s: {page.url}")


_IS_IDLE = """() => {
  const app = document.querySelector('[data-testid="stApp"]');
  if (!app || app.getAttribute('data-test-connection-state') !== 'CONNECTED') return false;
  if (app.getAttribute('data-test-script-state') !== 'notRunning') return false;
  return !document.querySelector('[data-stale="true"], [data-testid="stSkeleton"], [data-testid="stAppSkeleton"]');
}"""


def screenshot(page: Page, name: str) -> Path:
    """Save the whole page as `var/shots/<name>.png`."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    path = SHOTS / f"{name}.png"
    page.screenshot(path=path, full_page=True)
    return path


def body_text(page: Page) -> str:
    """All text that stands in the main part of the page."""
    return page.get_by_test_id("stMain").inner_text()

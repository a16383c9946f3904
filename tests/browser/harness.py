"""A real portal in a process of its own, a real browser, and what either did behind the reader's back."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from multiprocessing.process import BaseProcess
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit, urlunsplit
from weakref import WeakKeyDictionary

import httpx
from playwright.sync_api import Browser, ConsoleMessage, Error, Page, Playwright, Request, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from pages.frame.session import PERSONA_COOKIE
from tests.processes import start_server

ROOT = Path(__file__).resolve().parents[2]
SHOTS = ROOT / "var" / "shots"
DESKTOP = (1400, 900)
PHONE = (390, 844)
PATIENCE = 20_000
"""Milliseconds that anything may take: a machine that runs several portals and browsers at once answers late."""
POLLING = 30
"""Milliseconds from one look at a page to the next."""
FRAMES = 4
"""Frames that a page has to draw before it counts as idle: on a busy machine it takes longer to send what was clicked."""
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

expect.set_options(timeout=PATIENCE)

Server = subprocess.Popen[bytes] | BaseProcess
"""A portal's process: started anew, as an operator does, or forked from one that has imported the program."""


def free_port() -> int:
    """A TCP port of this machine that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def start_portal(env: Mapping[str, str], port: int | None = None, timeout: float = 60) -> Iterator[str]:
    """Run the portal of this checkout as its own process, forked; yields its address, `http://localhost:<port>`.

    `env` is laid over the caller's environment and should name a DATABASE_URL of its own. The process and all its
    children are ended afterwards. RuntimeError with the end of the log when it doesn't answer within `timeout` seconds.
    """
    port = port or free_port()
    base_url = f"http://localhost:{port}"
    log_folder = ROOT / "var" / "test-logs"
    log_folder.mkdir(parents=True, exist_ok=True)
    log_file = log_folder / f"portal-{port}.log"
    process = start_server(port, log_file, **env)
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


def _wait_until_healthy(process: Server, base_url: str, log_file: Path, timeout: float) -> None:
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        ended = _exit_code(process)
        if ended is not None:
            raise RuntimeError(f"The portal ended with code {ended} at its start. See {log_file}.")
        try:
            if httpx.get(f"{base_url}/_stcore/health", timeout=2, trust_env=False).is_success:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.1)
    raise RuntimeError(f"The portal did not answer on {base_url} within {timeout:.0f} s. See {log_file}.")


def _end_process_group(process: Server) -> None:
    assert process.pid
    for sign in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, sign)
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            if _exit_code(process) is not None:
                return
            time.sleep(0.02)


def _exit_code(process: Server) -> int | None:
    return process.poll() if isinstance(process, subprocess.Popen) else process.exitcode


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
        """Start to listen to `page` and to the windows that it opens."""
        page.on("console", self._on_console)
        page.on("pageerror", self._on_error)
        page.on("request", self._on_request)
        page.on("popup", self.attach)

    def detach(self, page: Page) -> None:
        """Listen to `page` no more."""
        page.remove_listener("console", self._on_console)
        page.remove_listener("pageerror", self._on_error)
        page.remove_listener("request", self._on_request)
        page.remove_listener("popup", self.attach)

    def _on_error(self, error: Error) -> None:
        self.console_errors.append(str(error))

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


_desks: WeakKeyDictionary[Browser, list[Page]] = WeakKeyDictionary()
"""Of each browser, the pages that nobody sits at now; each is the only one of its context, so that no other hides it."""


@contextmanager
def new_page(browser: Browser, width: int = DESKTOP[0], height: int = DESKTOP[1]) -> Iterator[tuple[Page, Watch]]:
    """An empty page with cookies of its own in a running browser: a second person at a second desk.

    One that has been left is taken again, its cookies and its storage emptied: a new one would load and compile all of
    Streamlit and of what draws charts and maps anew, which takes up to four seconds of a processor.
    """
    free = _desks.setdefault(browser, [])
    page = free.pop() if free else _furnish_desk(browser)
    page.context.set_default_timeout(PATIENCE)
    page.set_default_timeout(PATIENCE)
    page.set_viewport_size({"width": width, "height": height})
    watch = Watch()
    watch.attach(page)
    try:
        yield page, watch
    except BaseException:
        page.context.close()
        raise
    watch.detach(page)
    try:
        _clear_desk(page)
    except Error:  # it was on its way elsewhere
        page.context.close()
    else:
        free.append(page)


def _furnish_desk(browser: Browser) -> Page:
    context = browser.new_context(
        color_scheme="light", locale="en-GB", timezone_id="Europe/London", accept_downloads=True
    )
    context.add_init_script(_COUNT_WHAT_IS_AWAITED)
    return context.new_page()


def _clear_desk(page: Page) -> None:
    """Leave nothing of what was opened, stored or caught in a page for the next who takes it."""
    for other in page.context.pages:
        if other != page:
            other.close()
    page.unroute_all()
    page.emulate_media(media="null")  # on a screen again, not on paper
    if page.url.startswith("http"):
        # Somewhere quiet at the same server: a browser that leaves for elsewhere would drop what it has compiled.
        _leave_for(page, urljoin(page.url, "/_stcore/health"))
        page.evaluate("localStorage.clear(); sessionStorage.clear()")
    page.context.clear_cookies()


def _leave_for(page: Page, url: str) -> None:
    """Go to an address, and don't wait until the map that was left is drawn: software takes seconds for one."""
    page.evaluate(_DROP_MAPS)
    page.goto(url, wait_until="domcontentloaded")


_DROP_MAPS = """() => {
  for (const canvas of document.querySelectorAll('[data-testid="stDeckGlJsonChart"] canvas'))
    canvas.getContext('webgl2')?.getExtension('WEBGL_lose_context')?.loseContext();
}"""


def open_page(page: Page, url: str, timeout: float = 60) -> None:
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
    _leave_for(page, urlunsplit(parts._replace(query=rest)))
    page.get_by_test_id("stApp").wait_for(state="attached")
    wait_idle(page, timeout)


def wait_idle(page: Page, timeout: float = 60, quiet: float = 0.12) -> None:
    """Wait until the page has its answer and is drawn: nothing awaited, running or stale for `quiet` seconds without a break.

    A click is sent within a frame or two, hence the quiet time; tables and charts tell of a choice only 0.2 s later.
    TimeoutError after `timeout` seconds.
    """
    try:
        page.wait_for_function(
            _IS_IDLE,
            arg={"wait": next(_waits), "quiet": quiet * 1000},
            polling=POLLING,
            timeout=timeout * 1000,
        )
    except PlaywrightTimeout:
        raise TimeoutError(f"The page was still running after {timeout:.0f} s: {page.url}") from None


_waits = count()
_COUNT_WHAT_IS_AWAITED = """(() => {
  // Runs of the page that were asked for and have not ended, and files on their way to it.
  const awaited = window.__awaited = {run: false, uploads: 0};
  // The number of the field that a message of Streamlit holds, after its hash (1) and its metadata (2).
  const field = bytes => {
    let at = 0;
    const number = () => {
      let value = 0;
      for (let shift = 0; ; shift += 7) {
        const byte = bytes[at++];
        value |= (byte & 127) << shift;
        if (byte < 128) return value;
      }
    };
    while (at < bytes.length) {
      const tag = number() >>> 3;
      if (tag > 2) return tag;
      at += number();
    }
    return 0;
  };
  const [RERUN_SCRIPT, SCRIPT_FINISHED] = [11, 6];
  const Socket = window.WebSocket;
  window.WebSocket = class extends Socket {
    constructor(...given) {
      super(...given);
      awaited.run = false;
      this.addEventListener('message', ({data}) => {
        if (data instanceof ArrayBuffer && field(new Uint8Array(data)) === SCRIPT_FINISHED) awaited.run = false;
      });
    }
    send(data) {
      if (data instanceof Uint8Array && field(data) === RERUN_SCRIPT) awaited.run = true;
      super.send(data);
    }
  };
  const send = XMLHttpRequest.prototype.send;
  XMLHttpRequest.prototype.send = function (...given) {
    awaited.uploads += 1;
    this.addEventListener('loadend', () => { awaited.uploads -= 1; });
    return send.apply(this, given);
  };
})()"""

_IS_IDLE = """({wait, quiet}) => {
  const app = document.querySelector('[data-testid="stApp"]');
  const idle = app
    && app.getAttribute('data-test-connection-state') === 'CONNECTED'
    && app.getAttribute('data-test-script-state') === 'notRunning'
    && !window.__awaited?.run
    && !window.__awaited?.uploads
    && !document.querySelector('[data-stale="true"], [data-testid="stSkeleton"], [data-testid="stAppSkeleton"]');
  if (window.__idle?.wait !== wait || !idle) window.__idle = {wait, since: null, frames: 0};
  const now = window.__idle;
  if (!idle) return false;
  now.since ??= performance.now();
  requestAnimationFrame(() => { now.frames += 1; });
  return now.frames >= FRAMES && performance.now() - now.since >= quiet;
}""".replace("FRAMES", str(FRAMES))


def screenshot(page: Page, name: str) -> Path:
    """Save the whole page as `var/shots/<name>.png`."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    path = SHOTS / f"{name}.png"
    page.screenshot(path=path, full_page=True)
    return path


def body_text(page: Page) -> str:
    """All text that stands in the main part of the page."""
    return page.get_by_test_id("stMain").inner_text()

"""The ASGI app: the Streamlit portal, the API under /api and, in demo mode, the sandbox systems under /sandbox."""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

import streamlit as st
from pydantic import SecretStr
from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.routing import Mount
from starlette.types import ASGIApp, Receive, Scope, Send
from streamlit import config
from streamlit.runtime.pages_manager import PagesManager

from models.base import new_id
from pages.frame.headers import PortalHeaders
from pages.frame.prefetch import import_components
from pages.frame.refusals import show_refusal
from pages.frame.shell import PortalShell
from pages.frame.sign_out import SignOutGuard
from pages.frame.static_files import CompressedStatic
from pages.frame.uploads import UploadGuard, keep_sweeping
from sandbox.app import create_app as create_sandbox
from services.core.access_buffer import AccessBuffer
from services.core.db.outages import outage_of, unavailable
from services.core.jobs.clock_watch import resume_demo_clock
from services.core.jobs.worker import Worker
from services.core.memory import Collector
from services.core.settings import Settings, settings
from services.first_data import become_live
from services.governance.sealing import read_register_id
from services.wiring import wire

SANDBOXES = {
    "company_registry_url": "companies-house",
    "mpan_register_url": "mpan-register",
    "installation_registry_url": "installations",
}


def _use_sandboxes(chosen: Settings) -> None:
    """Point outside systems that have no address at this process's own sandbox."""
    base = f"http://127.0.0.1:{config.get_option('server.port')}/sandbox"
    for field, path in SANDBOXES.items():
        if not getattr(chosen, field):
            setattr(chosen, field, f"{base}/{path}")


def _secrets(chosen: Settings) -> Mapping[str, Any] | None:
    """What Streamlit's sign-in reads: one section per OIDC provider. Nothing in demo mode."""
    if chosen.demo:
        return None

    def plain(secret: SecretStr | None) -> str:
        return secret.get_secret_value() if secret else ""

    providers = {
        provider.name: {
            "client_id": provider.client_id,
            "client_secret": plain(provider.client_secret),
            "server_metadata_url": provider.server_metadata_url,
            "client_kwargs": {"scope": "openid email profile", "prompt": "select_account"},
        }
        for provider in chosen.oidc_providers
    }
    redirect = f"{chosen.public_url.rstrip('/')}/oauth2callback"
    return {"auth": {"redirect_uri": redirect, "cookie_secret": plain(chosen.cookie_secret), **providers}}


def _load_api() -> ASGIApp:
    global _loaded_api
    from api.app import api

    _loaded_api = api
    return api


_loaded_api: ASGIApp | None = None


async def _api(scope: Scope, receive: Receive, send: Send) -> None:
    """The API, whose schemas take half a second to build: nobody who opens a page waits for them.

    Once it is there no thread is asked for: however many calls hold them all, health answers.
    """
    api = _loaded_api or await run_in_threadpool(_load_api)
    await api(scope, receive, send)


def _prefetch() -> None:
    """Import what the first calls and pages would wait for."""
    import_components()
    _load_api()


def _require_mode() -> None:
    """Stop the start of a process in demo mode on a live register, and of one in live mode on a demo's. Raises Refused."""
    with suppress(SQLAlchemyError):
        if read_register_id():
            resume_demo_clock() if settings().demo else become_live()


@asynccontextmanager
async def lifespan(_app: object) -> AsyncIterator[None]:
    """Run the worker while the app is up; write the access log and collect garbage beside the pages."""
    chosen = settings()
    await run_in_threadpool(_require_mode)
    threads: list[Worker | AccessBuffer | Collector] = [AccessBuffer(), Collector(_prefetch)]
    if chosen.worker:
        threads.append(Worker(chosen.worker_seconds))
    for thread in threads:
        thread.start()
    sweeping = asyncio.create_task(keep_sweeping())
    yield
    sweeping.cancel()
    for thread in reversed(threads):
        thread.stop()


def report_failure(error: Exception) -> bool:
    """A mistake of ours: logged whole under a reference that the person is given, and nothing else shown."""
    outage = outage_of(error)
    if outage is not None:
        log.warning("%s: %s", outage.value, type(error).__name__)
        show_refusal(unavailable(outage))
        return True
    reference = new_id().hex[-8:].upper()
    log.error("Failure %s", reference, exc_info=error)
    st.error(
        f"Something went wrong on our side (reference {reference}). What was saved is kept. Reload the page and try "
        "again; if it happens again, give this reference to the FMAR administrator.",
        icon=":material/report:",
    )
    return True


log = logging.getLogger("fmar.portal")
logging.getLogger("fmar").setLevel(logging.INFO)
# What the process writes (register, anchors, keys, exports) is for its own user alone.
os.umask(0o077)
wire()
_settings = settings()
_settings.require_startable()
_routes = [Mount("/api", _api)]
if _settings.demo:
    _use_sandboxes(_settings)
    _routes.append(Mount("/sandbox", create_sandbox()))

# portal.py declares its pages itself; Streamlit's old way of reading the folder would meet deep links with "Page not found".
PagesManager.uses_pages_directory = False

app = st.App(
    "portal.py",
    routes=_routes,
    middleware=[
        Middleware(PortalHeaders),
        Middleware(SignOutGuard),
        Middleware(PortalShell),
        Middleware(CompressedStatic),
        Middleware(UploadGuard),
    ],
    lifespan=lifespan,
    secrets=_secrets(_settings),
    on_script_error=report_failure,
)

"""The ASGI app: the Streamlit portal, the API under /api and, in demo mode, the sandbox systems under /sandbox."""

import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import streamlit as st
from pydantic import SecretStr
from starlette.routing import Mount
from streamlit import config

from api.app import api
from sandbox.app import create_app as create_sandbox
from services.core.settings import Settings, settings
from services.core.worker import Worker
from services.registry import load_all

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


def _secrets(chosen: Settings) -> Mapping[str, Any]:
    """What Streamlit's sign-in reads: one section per OIDC provider. Nothing in demo mode."""
    if chosen.demo:
        return {}

    def plain(secret: SecretStr | None) -> str:
        return secret.get_secret_value() if secret else ""

    providers = {
        provider.name: {
            "client_id": provider.client_id,
            "client_secret": plain(provider.client_secret),
            "server_metadata_url": provider.server_metadata_url,
            "client_kwargs": {"scope": "openid email profile"},
        }
        for provider in chosen.oidc_providers
    }
    redirect = f"{chosen.public_url.rstrip('/')}/oauth2callback"
    return {"auth": {"redirect_uri": redirect, "cookie_secret": plain(chosen.cookie_secret), **providers}}


@asynccontextmanager
async def lifespan(_app: object) -> AsyncIterator[None]:
    """Run the worker while the app is up."""
    chosen = settings()
    worker = Worker(chosen.worker_seconds) if chosen.worker else None
    if worker:
        worker.start()
    yield
    if worker:
        worker.stop()


logging.getLogger("fmar").setLevel(logging.INFO)
load_all()
_settings = settings()
_settings.require_startable()
_routes = [Mount("/api", api)]
if _settings.demo:
    _use_sandboxes(_settings)
    _routes.append(Mount("/sandbox", create_sandbox()))

app = st.App("portal.py", routes=_routes, lifespan=lifespan, secrets=_secrets(_settings))

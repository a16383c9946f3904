"""All sandbox systems in one ASGI app, to be run alone or mounted into the portal in demo mode."""

from starlette.applications import Starlette
from starlette.routing import Mount

from sandbox import company_registry, installation_registry, mpan_register


def create_app(key: str = "sandbox", *, signing_key: str | None = None, control: bool = False) -> Starlette:
    """Every sandbox system under its own path.

    Faults on request (`control`) are off unless asked for: in a portal that several people use, one of them could take
    the outside world away from the others.
    """
    return Starlette(
        routes=[
            Mount("/companies-house", company_registry.create_app(key, control=control)),
            Mount("/mpan-register", mpan_register.create_app(key, signing_key=signing_key, control=control)),
            Mount("/installations", installation_registry.create_app(key, signing_key=signing_key, control=control)),
        ]
    )

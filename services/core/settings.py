"""Settings of the process, typed, from the environment; documented in docs/operate.md, which a test holds to this class."""

import json
import math
import re
from collections import Counter
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import BaseModel, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

ROOT = Path(__file__).resolve().parents[2]
PREFIX = "FMAR_"


SHORTEST_SECRET = 32
LEAST_BITS = 90.0
"""Bits of a secret by how often its characters occur: 32 random hexadecimal digits have about 115, words and patterns less."""
PLACEHOLDERS = (
    "changeme",
    "changethis",
    "placeholder",
    "password",
    "yoursecret",
    "secrethere",
    "0123456789",
    "abcdefgh",
    "qwerty",
)
MAKE_ONE = "`openssl rand -base64 48` makes one."
OUTSIDE_SYSTEMS = ("company_registry", "mpan_register", "installation_registry")
LOOPBACK = ("localhost", "127.0.0.1", "::1")


class Mode(StrEnum):
    """Demo shows personas and speaks to sandbox servers; live signs people in by OIDC and speaks to the real ones."""

    DEMO = "demo"
    LIVE = "live"


class OidcProvider(BaseModel):
    """One OIDC provider that people may sign in with."""

    name: str = Field(pattern=r"^[a-z][a-z0-9]*$")
    label: str
    client_id: str
    client_secret: SecretStr
    server_metadata_url: str


class StartRefused(Exception):
    """The portal does not start with these settings; the message lists everything that is missing."""


class Settings(BaseSettings):
    """Settings of the process. Every field is one environment variable."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_file=None, extra="ignore", populate_by_name=True, hide_input_in_errors=True
    )

    database_url: str = Field(
        default="sqlite:///var/fmar.db",
        validation_alias="DATABASE_URL",
        description="Where the register is kept: `sqlite:///path` (relative to the project) or "
        "`postgresql+psycopg://user:password@host/name`.",
    )
    mode: Mode = Field(
        default=Mode.DEMO,
        description="`demo` (personas, sandbox servers, demo data) or `live` (OIDC sign-in, real outside systems).",
    )
    host: str = Field(
        default="",
        description="Address to listen on, for example `0.0.0.0`. Empty: this machine alone (127.0.0.1), unless "
        "`STREAMLIT_SERVER_ADDRESS` says otherwise.",
    )
    public_url: str = Field(
        default="http://localhost:8501",
        description="The address at which people reach the portal; the OIDC redirect is this plus `/oauth2callback`.",
    )
    oidc_providers: Annotated[list[OidcProvider], NoDecode] = Field(
        default_factory=list,
        description="JSON list of OIDC providers: name, label, client_id, client_secret, server_metadata_url. "
        "Live only.",
    )
    cookie_secret: SecretStr | None = Field(
        default=None,
        description="At least 32 random characters; signs the sign-in cookie. Live only.",
    )
    session_hours: int = Field(
        default=12,
        ge=1,
        le=720,
        description="How long a sign-in lasts, in hours; after that people sign in again. Live only.",
    )
    token_secret: SecretStr | None = Field(
        default=None,
        description="At least 32 random characters; signs API access tokens. Mandatory in live mode; made at random at "
        "each start in demo mode.",
    )
    token_minutes: int = Field(
        default=60,
        ge=1,
        le=1440,
        description="How long an API access token lasts, in minutes.",
    )
    api_rate_limit: str = Field(
        default="600/minute",
        description="Calls that one API credential may make, for example `600/minute`.",
    )
    api_max_body_kb: int = Field(
        default=1024,
        ge=16,
        description="Largest request body the API reads, in kB.",
    )
    upload_session_mb: int = Field(
        default=300,
        ge=1,
        description="Files that one open page may have handed in and not yet used, in MB.",
    )
    upload_total_mb: int = Field(
        default=1024,
        ge=1,
        description="Files that all open pages of a process may have handed in and not yet used, in MB. They are in memory.",
    )
    company_registry_url: str = Field(
        default="",
        description="Base URL of the company registry (the public Companies House API's shape). Empty: the sandbox in "
        "demo mode, not checked in live mode.",
    )
    company_registry_key: SecretStr = Field(
        default=SecretStr("sandbox"),
        description="API key of the company registry.",
    )
    mpan_register_url: str = Field(
        default="",
        description="Base URL of the MPAN register. Empty: the sandbox in demo mode, not checked in live mode.",
    )
    mpan_register_key: SecretStr = Field(
        default=SecretStr("sandbox"),
        description="API key of the MPAN register.",
    )
    installation_registry_url: str = Field(
        default="",
        description="Base URL of the installation registry. Empty: the sandbox in demo mode, not checked in live mode.",
    )
    installation_registry_key: SecretStr = Field(
        default=SecretStr("sandbox"),
        description="API key of the installation registry.",
    )
    map_tiles_url: str = Field(
        default="",
        description="Address of online map tiles to draw under the layers of the map, with `{z}`, `{x}` and `{y}` in it. "
        "Empty: none, and no request leaves the machine. When it is set, people's browsers ask that host for tiles of where "
        "they look, and the portal's Content-Security-Policy allows it.",
    )
    map_tiles_attribution: str = Field(
        default="",
        description="Whom to name as the source of online map tiles; shown under the map.",
    )
    anchor_file: str = Field(
        default="var/ledger-anchors.jsonl",
        description="File outside the database to which each ledger seal is appended; verification holds the ledger "
        "against it. Keep a copy elsewhere. Empty: none is written.",
    )
    seal_key_file: str = Field(
        default="var/ledger-key.pem",
        description="File of the private key (Ed25519) that signs ledger seals, outside the database; made at the first start. "
        "The list of public keys stands beside it (`.public.jsonl`). Empty: seals are not signed.",
    )
    worker: bool = Field(
        default=True,
        description="Whether this process hands out events and runs periodic jobs.",
    )
    worker_seconds: float = Field(
        default=1.0,
        gt=0,
        description="How long the worker rests when there is nothing to do, in seconds.",
    )

    @field_validator("oidc_providers", mode="before")
    @classmethod
    def _from_json(cls, value: Any) -> Any:
        return json.loads(value) if isinstance(value, str) and value.strip() else (value or [])

    @field_validator("database_url")
    @classmethod
    def _an_address(cls, value: str) -> str:
        try:
            # A password with an @ in it would be taken for a part of the host, which messages name.
            readable = "@" not in (make_url(value).host or "")
        except (ArgumentError, ValueError):
            # Their messages quote the address, the password with it.
            readable = False
        if not readable:
            raise ValueError("can't be read. Percent-encode what is special in the user's name and password (/ is %2F)")
        return value

    @field_validator("map_tiles_url")
    @classmethod
    def _a_template(cls, value: str) -> str:
        parts = urlsplit(value)
        whole = parts.scheme in ("http", "https") and parts.netloc and all(f"{{{name}}}" in value for name in "zxy")
        if value and not (whole and re.fullmatch(r"[A-Za-z0-9.:\[\]-]+", parts.netloc)):
            raise ValueError("FMAR_MAP_TILES_URL is an http(s) address with {z}, {x} and {y} in it")
        return value

    @property
    def map_tiles_host(self) -> str:
        """Scheme and host of the online map tiles; empty without any."""
        parts = urlsplit(self.map_tiles_url)
        return f"{parts.scheme}://{parts.netloc}" if self.map_tiles_url else ""

    @property
    def demo(self) -> bool:
        """Tell whether personas, demo credentials and sandbox servers are on."""
        return self.mode is Mode.DEMO

    def resolved_database_url(self) -> str:
        """The database URL with a relative SQLite path put under the project's folder."""
        prefix = "sqlite:///"
        if self.database_url.startswith(prefix) and not self.database_url.startswith(prefix + "/"):
            path = self.database_url.removeprefix(prefix)
            if path not in ("", ":memory:"):
                return prefix + str(ROOT / path)
        return self.database_url

    def problems(self) -> list[str]:
        """Everything that keeps the portal from starting with these settings, one sentence each."""
        if self.demo:
            if self.oidc_providers:
                return [
                    "FMAR_OIDC_PROVIDERS is set in demo mode: personas and real sign-in can't be on together. "
                    "Set FMAR_MODE=live, or remove FMAR_OIDC_PROVIDERS."
                ]
            return []
        problems = []
        if not self.oidc_providers:
            problems.append("FMAR_OIDC_PROVIDERS is missing: live mode signs people in by OIDC and needs a provider.")
        for name, secret in (("FMAR_COOKIE_SECRET", self.cookie_secret), ("FMAR_TOKEN_SECRET", self.token_secret)):
            weakness = weakness_of(secret.get_secret_value() if secret else "")
            if weakness is not None:
                problems.append(f"{name} is {weakness}: give at least 32 random characters. {MAKE_ONE}")
        return problems + self._open_addresses() + self._demo_keys()

    def _open_addresses(self) -> list[str]:
        """Addresses that live mode would send sign-ins, tokens or keys to in clear text."""
        addresses = {variable_name("public_url"): self.public_url}
        for field in OUTSIDE_SYSTEMS:
            addresses[variable_name(f"{field}_url")] = getattr(self, f"{field}_url")
        for provider in self.oidc_providers:
            addresses[f"server_metadata_url of {provider.name} in FMAR_OIDC_PROVIDERS"] = provider.server_metadata_url
        return [
            f"{name} is no https:// address: what goes there could be read on its way. Give one that is."
            for name, address in addresses.items()
            if address and not _is_protected(address)
        ]

    def _demo_keys(self) -> list[str]:
        """Keys of outside systems that are still the demo's."""
        keys: dict[str, SecretStr] = {field: getattr(self, f"{field}_key") for field in OUTSIDE_SYSTEMS}
        return [
            f"{variable_name(f'{field}_key')} is the demo's: give the key that the operator of that system issued."
            for field, key in keys.items()
            if getattr(self, f"{field}_url") and key.get_secret_value().strip() in ("", "sandbox", "demo")
        ]

    def require_startable(self) -> None:
        """Raise StartRefused with the whole list of problems, if there is any."""
        problems = self.problems()
        if problems:
            raise StartRefused(_refusal(problems))


def weakness_of(secret: str) -> str | None:
    """The weakness of a secret that signs, in a word or two; None for one that can't be guessed in practice."""
    if not secret.strip():
        return "missing"
    if len(secret) < SHORTEST_SECRET:
        return "too short"
    plain = re.sub(r"[^a-z0-9]", "", secret.lower())
    counts = Counter(secret)
    bits = -sum(count / len(secret) * math.log2(count / len(secret)) for count in counts.values()) * len(secret)
    repeated = (secret + secret).find(secret, 1) < len(secret)
    if repeated or bits < LEAST_BITS or any(word in plain for word in PLACEHOLDERS):
        return "too easy to guess"
    return None


def _is_protected(address: str) -> bool:
    """Tell whether what is sent to an address is encrypted, or doesn't leave this machine."""
    parts = urlsplit(address)
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)


def variable_name(field: str) -> str:
    """The environment variable of a field."""
    return field if field.isupper() else str(Settings.model_fields[field].validation_alias or PREFIX + field.upper())


def _refusal(problems: list[str]) -> str:
    return "The portal can't start:\n" + "\n".join(f"  - {problem}" for problem in problems)


@lru_cache(maxsize=1)
def settings() -> Settings:
    """The settings of this process, read once from the environment.

    Raises StartRefused for values that can't be, by variable and without the values: secrets are among them.
    """
    try:
        return Settings()
    except ValidationError as error:
        problems = [f"{variable_name(str(wrong['loc'][0]))}: {wrong['msg']}" for wrong in error.errors()]
    raise StartRefused(_refusal(problems))

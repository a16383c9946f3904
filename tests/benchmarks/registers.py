"""Registers of any size to measure by: the demo's organisations and assets, and these multiplied over Great Britain.

`register_of(1_000_000)` gives the path of a file under var/bench, made once (some minutes and 4 GB for a million), kept
until `EDITION` here changes, and brought to the present schema. `use(path)` points this process at it. Everything in it is
made up by a seeded generator, so two machines measure the same. Copies have ledger entries of their own, with the state
that they describe; only the hashes are not those of a chain.
"""

import hashlib
import json
import os
import shutil
import sqlite3
import uuid
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import select
from sqlmodel import col

from models.participants import Membership, Organisation, Role
from services.assets.cells import cell_of
from services.assets.counters.reconcile import recount
from services.core.db import engine as database
from services.core.db.maintenance import refresh_statistics
from services.core.db.migrate import migrate
from services.core.identity.actor import Actor, system_actor
from services.core.identity.resolve import actor_for_user, reading_as_register
from services.core.settings import ROOT, settings
from services.first_data import begin
from services.grid.areas import gsp_groups_at
from services.grid.distributors import dno_of_gsp_group
from services.grid.outcodes import outcodes
from services.workshop.demo import seed_demo
from tests.conftest import use_database

FOLDER = ROOT / "var" / "bench"
SIZES = tuple(int(size) for size in os.environ.get("FMAR_BENCH_SIZES", "10000,100000,1000000").split(","))
PROVIDERS = 400
EDITION = "1"
"""To be raised when registers are made differently: those that are there are made anew."""
CHUNK = 20_000
STATUSES = {
    "VERIFIED": 0.82, "PENDING_VALIDATION": 0.06, "QUERY": 0.03, "AWAITING_CONSENT_CHECK": 0.02, "DEREGISTERED": 0.04,
    "SUSPENDED_QUERY_UNANSWERED": 0.01, "SUSPENDED_CONSENT_REVOKED": 0.01, "REFUSED_NO_CONSENT": 0.01,
}  # fmt: skip
NEWEST = datetime(2026, 10, 31, 12, tzinfo=UTC)
MONTHS_OF_GROWTH = 30


def register_of(size: int) -> Path:
    """The path of a register with so many assets; made if it isn't there yet. Afterwards the process is pointed at it."""
    path = _file(str(size))
    if not path.exists():
        FOLDER.mkdir(parents=True, exist_ok=True)
        making = path.with_suffix(".making")
        _make(making, size)
        making.rename(path)
    use(path)
    if migrate():
        refresh_statistics()
    return path


def use(path: Path) -> None:
    """Point this process at a register, leaving those that it has open open: for measuring one beside another."""
    os.environ["DATABASE_URL"] = f"sqlite:///{path}"
    settings.cache_clear()


def _file(name: str) -> Path:
    return FOLDER / f"register-{name}-{EDITION}.sqlite"


def _make(path: Path, size: int) -> None:
    for old in FOLDER.glob(f"{path.name}*"):
        old.unlink()
    shutil.copyfile(_demo(), path)
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA synchronous=OFF")
        connection.execute("PRAGMA journal_mode=MEMORY")
        _multiply(connection, size)
    connection.close()
    use_database(f"sqlite:///{path}")
    recount(system_actor())
    refresh_statistics()
    database.close()
    _fold(path)


def _demo() -> Path:
    """The demo register, laid down once for all sizes."""
    path = _file("demo")
    if not path.exists():
        making = path.with_suffix(".making")
        making.unlink(missing_ok=True)
        use_database(f"sqlite:///{making}")
        migrate()
        begin()
        seed_demo()
        database.close()
        _fold(making)
        making.rename(path)
    return path


def _fold(path: Path) -> None:
    """Everything into the one file, so that it can be copied and renamed."""
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    for left in (f"{path}-wal", f"{path}-shm"):
        Path(left).unlink(missing_ok=True)


def _multiply(connection: sqlite3.Connection, size: int) -> None:
    """Copies until there are so many; indexes are taken away meanwhile."""
    indexes = connection.execute(
        "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND tbl_name IN ('asset', 'ledger_entry')"
    ).fetchall()
    for name, _ in indexes:
        connection.execute(f"DROP INDEX {name}")
    here = connection.execute("SELECT count(*) FROM asset").fetchone()[0]
    providers = _providers(connection)
    templates = _templates(connection)
    columns = ", ".join(templates[0][0])
    marks = ", ".join("?" * len(templates[0][0]))
    entry = f"INSERT INTO ledger_entry ({', '.join(ENTRY)}) VALUES ({', '.join('?' * len(ENTRY))})"
    for assets, entries in _copies(templates, providers, size - here):
        connection.executemany(f"INSERT INTO asset ({columns}) VALUES ({marks})", assets)
        connection.executemany(entry, entries)
        connection.commit()
    for _, sql in indexes:
        connection.execute(sql)


def _providers(connection: sqlite3.Connection) -> list[str]:
    """Several hundred organisations beside those of the demo."""
    cursor = connection.execute("SELECT * FROM organisation WHERE organisation_roles LIKE '%FSP%' LIMIT 1")
    names = [column[0] for column in cursor.description]
    row = dict(zip(names, cursor.fetchone(), strict=True))
    made = []
    for number in range(PROVIDERS):
        name = f"Provider {number:03} Limited"
        own = {"id": uuid.UUID(int=(0x0196 << 112) | number + 1).hex, "organisation_legal_name": name}
        own |= {"legal_name_key": name.lower(), "organisation_trading_name": None, "identifiers": "[]"}
        own |= {"organisation_registration_number": f"{number:08}", "vat_registration_number": None}
        marks = ", ".join("?" * len(names))
        connection.execute(f"INSERT INTO organisation VALUES ({marks})", [own.get(key, row[key]) for key in names])
        made.append(own["id"])
    return made


Template = tuple[dict[str, Any], dict[str, Any]]
"""An asset's columns as stored, and its state as the ledger tells it."""


def _templates(connection: sqlite3.Connection) -> list[Template]:
    cursor = connection.execute("SELECT * FROM asset ORDER BY id")
    names = [column[0] for column in cursor.description]
    assets = [dict(zip(names, row, strict=True)) for row in cursor]
    states = connection.execute(
        "SELECT record_id, state FROM ledger_entry WHERE record_type = 'asset' ORDER BY version"
    )
    latest = {record: json.loads(state) for record, state in states}
    return [(asset, latest[asset["id"]]) for asset in assets if asset["dno_connection"]]


ENTRY = (
    "record_type", "record_id", "version", "operation", "use_case", "user_id", "organisation_id", "recorded_at", "state",
    "previous_hash", "hash",
)  # fmt: skip


def _copies(templates: list[Template], providers: list[str], wanted: int) -> Iterator[tuple[list[Any], list[Any]]]:
    """Chunks of rows: assets, and their ledger entries; oldest first, more of them the nearer to now."""
    chance = np.random.default_rng(20261124)
    places, weights = _places()
    sizes = 1 / np.arange(1, len(providers) + 1) ** 0.8
    names = list(STATUSES)
    span = MONTHS_OF_GROWTH * 30.4 * 86_400
    for start in range(0, wanted, CHUNK):
        count = min(CHUNK, wanted - start)
        share = np.sqrt((start + np.arange(count) + 0.5) / wanted)
        picks = zip(
            chance.integers(len(templates), size=count).tolist(),
            chance.choice(len(providers), size=count, p=sizes / sizes.sum()).tolist(),
            chance.choice(len(names), size=count, p=list(STATUSES.values())).tolist(),
            chance.choice(len(places), size=count, p=weights).tolist(),
            chance.normal(0, 0.012, size=(count, 2)).tolist(),
            chance.lognormal(0, 0.6, size=count).tolist(),
            ((share - 1) * span).tolist(),
            strict=True,
        )
        assets, entries = [], []
        for number, (template, provider, status, place, apart, factor, seconds) in enumerate(picks, start + 1):
            moment = NEWEST + timedelta(seconds=seconds)
            asset, entry = _copy(
                templates[template], number, providers[provider], names[status], places[place], apart, factor, moment
            )
            assets.append(asset)
            entries.append(entry)
        yield assets, entries


@cache
def _places() -> tuple[list[tuple[str, float, float, str, str]], np.ndarray]:
    """Outward code, position, GSP group and licence area; and how likely each is: by its number of postcodes."""
    table = outcodes()
    rows = zip(
        table.codes, table.lats.tolist(), table.lons.tolist(), gsp_groups_at(table.lats, table.lons), table.postcodes,
        strict=True,
    )  # fmt: skip
    found = [(row[:4], row[4]) for row in rows if row[3]]
    weights = np.array([weight for _, weight in found])
    return [(*row[:3], str(row[3]), dno_of_gsp_group(str(row[3]))) for row, _ in found], weights / weights.sum()


def _copy(
    template: Template, number: int, provider: str, status: str, place: tuple[str, float, float, str, str],
    apart: Sequence[float], factor: float, moment: datetime,
) -> tuple[list[Any], list[Any]]:  # fmt: skip
    stored, state = template
    code, lat, lon, group, dno = place
    lat, lon = round(lat + apart[0], 6), round(lon + apart[1] * 1.6, 6)
    rated = max(1, int(stored["rated_capacity"] * factor))
    identifier = f"{int(moment.timestamp() * 1000):012x}7{number % 4096:03x}8{number:015x}"
    text = moment.strftime("%Y-%m-%d %H:%M:%S.%f")
    serial = f"BM-{number:09}"
    own: dict[str, Any] = {
        "id": identifier,
        "version": 1,
        "recorded_at": text,
        "status": status,
        "status_since": text,
        "registered_at": text,
        "managed_from": text,
        "submitted_by_organisation": None,
        "asset_name": f"{stored['asset_name'].rstrip('0123456789 ')} {code} {number}",
        "friendly_code": f"BM-{number}",
        "organisation_id": provider,
        "service_provider_id": provider,
        "rated_capacity": rated,
        "serial_number": serial,
        "serial_key": serial,
        "dno_connection": dno,
        "gsp_group": group,
        "import_mpan": stored["import_mpan"] and f"{10 + number % 14}{number:011}",
        "export_mpan": stored["export_mpan"] and f"{10 + number % 14}5{number:010}",
        "latitude": lat,
        "longitude": lon,
        "postcode": f"{code} 1AA",
        "aliases": "[]",
        "cell": cell_of(lat, lon),
    }
    told = {
        **state,
        "id": str(uuid.UUID(identifier)),
        "version": 1,
        "status": status,
        "asset_name": own["asset_name"],
        "friendly_code": own["friendly_code"],
        "serial_number": serial,
        "latitude": lat,
        "longitude": lon,
        "dno_connection": dno,
        "gsp_group": group,
        "rated_capacity": f"{rated / 100:.2f}",
    }
    shown = json.dumps(told, separators=(",", ":"), sort_keys=True)
    entry = ["asset", identifier, 1, "register_asset", "UC-02.01", stored["recorded_by"], provider, text, shown]
    digest = hashlib.sha256(shown.encode()).hexdigest()
    return [own.get(key, value) for key, value in stored.items()], [*entry, "0" * 64, digest]


def somebody(role: Role, areas: tuple[str, ...] = ()) -> Actor:
    """Somebody of the demo who holds a role, at an organisation that has these areas and no other."""
    with reading_as_register("bench") as session:
        chosen = select(
            col(Membership.user_id),
            col(Membership.organisation_id),
            col(Membership.roles),
            col(Organisation.licence_areas),
        ).join(Organisation, col(Organisation.id) == col(Membership.organisation_id))
        found = [row[:2] for row in session.execute(chosen) if role in row[2] and set(row[3] or ()) == set(areas)]
    return actor_for_user(*found[0])

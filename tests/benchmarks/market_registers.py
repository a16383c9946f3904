"""Registers with a market to measure by: units, applications and their steps beside the assets of `registers`.

A twentieth as many units as assets and a fifth as many applications, so 50,000 and 200,000 beside a million; one unit has
10,000 assets. Rows are copies of the demo's under values of a seeded generator; they have no ledger entries.
"""

import json
import shutil
import sqlite3
import uuid
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from services.core.db import engine as database
from services.core.db.maintenance import refresh_statistics
from services.core.db.migrate import migrate
from services.core.identity.actor import system_actor
from services.core.transaction import Stamp, unit_of_work
from services.market.counters.reconcile import rebuild_counters
from tests.benchmarks.registers import FOLDER, NEWEST, register_of, use

EDITION = "2"
LARGE_UNIT = 10_000
"""Assets in the one unit that is large."""
ASSETS_A_UNIT, APPLICATIONS_A_UNIT = 20, 4
PRODUCTS = {
    "RESPONSE": ("DC", "DM", "DR", "SFFR"),
    "RESERVE": ("QR", "SR", "BR", "STOR"),
    "CONSTRAINT": ("LCM", "MWD", "DFS", "CMP"),
    "DSO": ("SU", "PR", "OU15", "SAOUDA"),
}
ENDS = {
    "SUBMITTED": 0.05, "IN_ASSESSMENT": 0.04, "INFORMATION_REQUESTED": 0.02, "QUALIFIED": 0.56, "FAILED": 0.14,
    "WITHDRAWN": 0.08, "EXPIRED": 0.05, "SUSPENDED": 0.03, "REASSESSMENT_REQUIRED": 0.03,
}  # fmt: skip
WAYS = {
    "SUBMITTED": (),
    "IN_ASSESSMENT": ("IN_ASSESSMENT",),
    "INFORMATION_REQUESTED": ("IN_ASSESSMENT", "INFORMATION_REQUESTED"),
    "QUALIFIED": ("IN_ASSESSMENT", "QUALIFIED"),
    "FAILED": ("IN_ASSESSMENT", "FAILED"),
    "WITHDRAWN": ("WITHDRAWN",),
    "EXPIRED": ("IN_ASSESSMENT", "QUALIFIED", "EXPIRED"),
    "SUSPENDED": ("IN_ASSESSMENT", "QUALIFIED", "SUSPENDED"),
    "REASSESSMENT_REQUIRED": ("IN_ASSESSMENT", "QUALIFIED", "REASSESSMENT_REQUIRED"),
}
RUNNING = ("SUBMITTED", "IN_ASSESSMENT", "REASSESSMENT_REQUIRED")
Row = dict[str, Any]


def market_register_of(size: int) -> Path:
    """The path of a register with so many assets and a market of its size; made if it isn't there yet."""
    path = FOLDER / f"market-{size}-{EDITION}.sqlite"
    if not path.exists():
        making = path.with_suffix(".making")
        source = register_of(size)
        database.close()
        shutil.copyfile(source, making)
        with sqlite3.connect(making) as connection:
            connection.execute("PRAGMA synchronous=OFF")
            connection.execute("PRAGMA journal_mode=MEMORY")
            _Market(connection, size).fill()
        connection.close()
        use(making)
        with unit_of_work(Stamp("lay_down", "UC-05.02", system_actor()), writes=True) as session:
            rebuild_counters(session)
        refresh_statistics()
        database.close()
        with sqlite3.connect(making) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()
        making.rename(path)
    use(path)
    migrate()
    return path


def large_unit(connection: sqlite3.Connection) -> uuid.UUID:
    """The unit of 10,000 assets."""
    found = connection.execute("SELECT unit_id FROM unit_capability ORDER BY assets DESC LIMIT 1").fetchone()
    return uuid.UUID(found[0])


class _Market:
    def __init__(self, connection: sqlite3.Connection, size: int) -> None:
        self.connection = connection
        self.units = size // ASSETS_A_UNIT
        self.chance = np.random.default_rng(20_261_128)
        self.made = 0
        tables = (
            "market_unit", "unit_member", "unit_capability", "unit_area", "data_package", "qualification",
            "qualification_step",
        )  # fmt: skip
        self.templates = {table: self._template(table) for table in tables}
        self.rows: dict[str, list[Row]] = {table: [] for table in tables}
        areas = connection.execute("SELECT id, licence_areas, organisation_roles FROM organisation").fetchall()
        self.operators = {code: one[0] for one in areas for code in json.loads(one[1] or "[]")}
        self.national = next(one[0] for one in areas if "System Operator" in one[2])

    def _template(self, table: str) -> Row:
        cursor = self.connection.execute(f"SELECT * FROM {table} LIMIT 1")
        return dict(zip([column[0] for column in cursor.description], cursor.fetchone(), strict=True))

    def _id(self, moment: datetime) -> str:
        self.made += 1
        return f"{int(moment.timestamp() * 1000):012x}7{self.made % 4096:03x}8{self.made:015x}"

    def _keep(self, table: str, **values: Any) -> None:
        self.rows[table].append({**self.templates[table], **values})

    def fill(self) -> None:
        """Units with their members, then applications with their steps."""
        for number, assets in enumerate(self._groups()):
            self._unit(number, assets)
            if number % 2_000 == 0:
                self._write()
            if number + 1 >= self.units:
                break
        self._write()

    def _groups(self) -> Iterator[Sequence[tuple[Any, ...]]]:
        """Assets of one provider and family at a time: the large unit's first."""
        taken = "SELECT asset_id FROM unit_member"
        order = f"status = 'VERIFIED' AND id NOT IN ({taken})"
        columns = "service_provider_id, id, coalesce(dno_connection, ''), coalesce(gsp_group, ''), rated_capacity"
        rows = self.connection.execute(f"SELECT {columns} FROM asset WHERE {order} ORDER BY 1, 2").fetchall()
        yield rows[:LARGE_UNIT]
        each = max(4, round((len(rows) - LARGE_UNIT) / self.units * 0.96))
        for _, of_provider in groupby(rows[LARGE_UNIT:], key=lambda row: row[0]):
            mine = list(of_provider)
            for start in range(0, len(mine), each):
                yield mine[start : start + each]

    def _unit(self, number: int, assets: Sequence[tuple[Any, ...]]) -> None:
        moment = NEWEST - timedelta(days=float(self.chance.uniform(60, 800)))
        family = list(PRODUCTS)[number % 4]
        unit, provider = self._id(moment), assets[0][0]
        text = _text(moment)
        common = {"version": 1, "recorded_at": text}
        self._keep(
            "market_unit", **common, id=unit, service_provider_id=provider, code=f"BM-{number}", name=f"Unit {number}",
            family=family, status="ACTIVE", status_since=text,
        )  # fmt: skip
        for one in assets:
            self._keep(
                "unit_member", **common, id=self._id(moment), unit_id=unit, asset_id=one[1], family=family,
                from_at=text, until_at=None,
            )  # fmt: skip
        power = sum(one[4] for one in assets)
        self._keep(
            "unit_capability", unit_id=unit, unit_type="SPG", assets=len(assets), accounting_points=len(assets),
            rated=power, up=power, down=power, not_verified=0, stale=0,
        )  # fmt: skip
        places: dict[tuple[str, str], list[int]] = {}
        for one in assets:
            sums = places.setdefault((one[2], one[3]), [0, 0])
            sums[0] += 1
            sums[1] += one[4]
        for (dno, group), (count, kw) in places.items():
            self._keep("unit_area", unit_id=unit, dno_code=dno, gsp_group=group, assets=count, up=kw, down=kw)
        package = self._id(moment)
        self._keep("data_package", **common, id=package, unit_id=unit, service_provider_id=provider, assets=len(assets))
        dno, group = next(iter(places))
        for product in PRODUCTS[family][:APPLICATIONS_A_UNIT]:
            to = self.operators.get(dno, self.national) if family == "DSO" else self.national
            self._application(unit, provider, package, family, product, to, group, power, moment)

    def _application(
        self, unit: str, provider: str, package: str, family: str, product: str, to: str, group: str, kw: int,
        built: datetime,
    ) -> None:  # fmt: skip
        status = str(self.chance.choice(list(ENDS), p=list(ENDS.values())))
        handed_in = built + timedelta(days=float(self.chance.uniform(1, 40)))
        if status in ("SUBMITTED", "IN_ASSESSMENT", "INFORMATION_REQUESTED"):
            handed_in = NEWEST - timedelta(days=float(self.chance.uniform(0, 35)))
        identifier, took = self._id(handed_in), int(self.chance.integers(4, 26))
        about = {
            "product_code": product, "addressed_to": to, "service_provider_id": provider, "gsp_group": group, "capacity": kw,
        }  # fmt: skip
        at, before = handed_in, None
        for place, target in enumerate(("SUBMITTED", *WAYS[status])):
            reason = "METERING" if target == "FAILED" else None
            days = took if target in ("QUALIFIED", "FAILED") else 0
            self._keep(
                "qualification_step", id=None, qualification_id=identifier, at=_text(at), from_status=before,
                to_status=target, reason_code=reason, working_days=days, **about,
            )  # fmt: skip
            before, at = target, at + timedelta(days=(2, took * 1.4, 100)[min(place, 2)])
        due = (NEWEST + timedelta(days=float(self.chance.uniform(-12, 26)))).date()
        ends = NEWEST.date() + timedelta(days=int(self.chance.integers(30, 720)))
        self._keep(
            "qualification", version=1, recorded_at=_text(handed_in), id=identifier, unit_id=unit, family=family,
            product_version=1, status=status, status_since=_text(handed_in), submitted_at=_text(handed_in),
            due_on=due.isoformat() if status in RUNNING else None, package_id=package, accepted_from=None,
            valid_until=_end(status, ends), **about,
        )  # fmt: skip

    def _write(self) -> None:
        for table, rows in self.rows.items():
            if rows:
                names = list(self.templates[table])
                marks = ", ".join("?" * len(names))
                self.connection.executemany(
                    f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks})",
                    [[row[name] for name in names] for row in rows],
                )
                rows.clear()


def _end(status: str, ends: date) -> str | None:
    return ends.isoformat() if status in ("QUALIFIED", "SUSPENDED", "REASSESSMENT_REQUIRED") else None


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S.%f")

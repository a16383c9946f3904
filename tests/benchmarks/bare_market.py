"""What the market's pages ask, in hand-written SQL over the bare driver: the baseline of tests/benchmarks/test_market.py.

It reads the same kept counts as the services, so what is measured is what the services cost beside the question itself. Each
chart, table and headline of the dashboard is one statement that fetches its numbers; nothing is done with the rows.
"""

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from services.core.clock import today
from services.core.identity.actor import Actor
from services.market.statistics.dashboard import MarketFilters, build_span

STANDING = (
    "SELECT m.roles, m.status, u.status, o.organisation_status FROM membership m JOIN user u ON u.id = m.user_id "
    "JOIN organisation o ON o.id = m.organisation_id WHERE m.user_id = ? AND m.organisation_id = ?"
)
WAITING = "('SUBMITTED', 'IN_ASSESSMENT', 'INFORMATION_REQUESTED', 'REASSESSMENT_REQUIRED')"
ANYONE = "0" * 32
Rows = list[tuple[Any, ...]]


def _month(day: date) -> int:
    return day.year * 12 + day.month - 1


@dataclass(frozen=True, slots=True)
class Bare:
    """The bare driver, for one actor: an administrator, who sees everything, a viewer, or an operator of some areas."""

    connection: sqlite3.Connection
    actor: Actor

    def _fetch(self, sql: str, *values: object) -> Rows:
        return self.connection.execute(sql, values).fetchall()

    @property
    def _operator(self) -> str | None:
        """The operator's identifier as it is stored; None for the administrator."""
        return self.actor.organisation_id.hex if self.actor.areas and self.actor.organisation_id else None

    @property
    def _mine(self) -> tuple[str, tuple[object, ...]]:
        return ("addressed_to = ?", (self._operator,)) if self._operator else ("1", ())

    def standing(self) -> Rows:
        """What every operation asks first: whether the actor still stands."""
        assert self.actor.user_id
        assert self.actor.organisation_id
        return self._fetch(STANDING, self.actor.user_id.hex, self.actor.organisation_id.hex)

    def dashboard(self) -> list[Rows]:
        """The numbers of the dashboard of an operator or an administrator."""
        mine, values = self._mine
        first = _month(build_span(MarketFilters()).months[0])
        found = [
            self.standing(),
            self._fetch(f"SELECT sum(number), sum(kw) FROM qualified_tally WHERE {mine}", *values),
        ]
        month = f"max(month, {first - 1})"
        for code in ("product_code", "gsp_group", "addressed_to"):
            power = f"SELECT {code}, sum(number), sum(kw) FROM qualified_tally WHERE {mine} GROUP BY 1"
            over_time = f"SELECT {code}, {month}, sum(kw) FROM qualified_tally WHERE {mine} GROUP BY 1, 2"
            found += [self._fetch(power, *values), self._fetch(over_time, *values)]
        by_product = (
            f"SELECT product_code, {month} AS month, sum(kw) AS kw FROM qualified_tally WHERE {mine} GROUP BY 1, 2"
        )
        newest = "SELECT code, sub_market, max(version) FROM product_version GROUP BY 1"
        market = f"SELECT sub_market, month, sum(kw) FROM ({by_product}) JOIN ({newest}) ON code = product_code GROUP BY 1, 2"
        found.append(self._fetch(market, *values))
        heat = f"SELECT product_code, gsp_group, sum(number), sum(kw) FROM qualified_tally WHERE {mine} GROUP BY 1, 2"
        found.append(self._fetch(heat, *values))
        decided = f"sum(number) FROM decision_tally WHERE month >= {first} AND {mine}"
        for keys, also in (("outcome", ""), ("month, outcome", ""), ("reason_code", "AND outcome = 'FAILED'")):
            found.append(self._fetch(f"SELECT {keys}, {decided} {also} GROUP BY {keys}", *values))
        found += self._days(first, mine, values)
        for keys in ("addressed_to, due_on", "product_code, due_on"):
            waiting = f"sum(number) FROM standing_tally WHERE status IN {WAITING} AND {mine}"
            found.append(self._fetch(f"SELECT {keys}, {waiting} GROUP BY {keys}", *values))
        return [*found, *self._of_assets(mine, values)]

    def _of_assets(self, mine: str, values: Sequence[object]) -> list[Rows]:
        """What ends, the way to the market, and names."""
        this = today().replace(day=1)
        since = "status = 'QUALIFIED' AND valid_until >= ? AND valid_until < ?"
        late = f"SELECT valid_until, count(*) FROM qualification WHERE {since} AND {mine} GROUP BY 1"
        return [
            self._fetch(
                f"SELECT month, sum(number), sum(kw) FROM ending_tally WHERE month >= ? AND {mine} GROUP BY 1",
                _month(this), *values,
            ),
            self._fetch(late, str(this), str(today()), *values),
            self._fetch("SELECT * FROM unit_tally WHERE addressed_to = ?", self._operator or ANYONE),
            self._registered(),
            self._fetch("SELECT id, organisation_legal_name FROM organisation WHERE licence_areas != '[]'"),
            self._fetch("SELECT code, name, sub_market FROM product_version"),
        ]  # fmt: skip

    def _days(self, first: int, mine: str, values: Sequence[object]) -> list[Rows]:
        """The days that decisions took, by SO and by product."""
        product = "BOTH" if self._operator else "PRODUCT"
        return [
            self._fetch(
                f"SELECT {key}, working_days, sum(number) FROM days_tally WHERE dimension = '{dimension}' "
                f"AND month >= {first} AND {mine} GROUP BY 1, 2",
                *values,
            )
            for key, dimension in (("addressed_to", "OPERATOR"), ("product_code", product))
        ]

    def figures(self) -> list[Rows]:
        """The numbers of the dashboard of all participants, with how many providers stand behind each."""
        first = _month(build_span(MarketFilters()).months[0])
        return [
            self.standing(),
            self._fetch("SELECT * FROM market_figure"),
            *self._days(first, "1", ()),
            self._fetch("SELECT dimension, code, count(*) FROM asset_provider_tally GROUP BY 1, 2"),
            *self._of_assets("1", ()),
        ]

    def _registered(self) -> Rows:
        areas = tuple(sorted(self.actor.areas)) if self._operator else ()
        where = f"WHERE dno_connection IN ({', '.join('?' * len(areas))})" if areas else ""
        return self._fetch(f"SELECT status, sum(assets) FROM asset_tally {where} GROUP BY 1", *areas)

    def queue(self, limit: int) -> list[Rows]:
        """A queue: how many by status and clock, product, group and provider; all and what waits; the lines due first."""
        mine, values = self._mine
        found = [self.standing()]
        whose = values or (ANYONE,)
        for waiting in ("", f" AND status IN {WAITING}"):
            for keys in ("status, due_on", "product_code"):
                sql = f"SELECT {keys}, sum(number) FROM standing_tally WHERE {mine}{waiting} GROUP BY {keys}"
                found.append(self._fetch(sql, *values))
            sql = f"SELECT dimension, code, sum(number) FROM queue_tally WHERE addressed_to = ?{waiting} GROUP BY 1, 2"
            found.append(self._fetch(sql, *whose))
        names = "SELECT id, organisation_legal_name, organisation_trading_name FROM organisation"
        lines = (
            "SELECT q.*, u.name, u.code, p.organisation_legal_name, o.organisation_legal_name FROM qualification q "
            "JOIN market_unit u ON u.id = q.unit_id JOIN organisation p ON p.id = q.service_provider_id "
            f"JOIN organisation o ON o.id = q.addressed_to WHERE {mine} AND q.due_on IS NOT NULL "
            "ORDER BY q.due_on, q.id DESC LIMIT ?"
        )
        return [*found, self._fetch(names), self._fetch(lines, *values, limit)]

    def unit(self, identifier: str) -> list[Rows]:
        """The page of a unit: the unit, what it comes to and where, the names of the assets that set its limits, its history,
        its first two hundred assets, and how many lie beyond what the actor sees."""
        areas = sorted(self.actor.areas)
        marks = ", ".join("?" * len(areas))
        seen = f"EXISTS (SELECT 1 FROM unit_area WHERE unit_id = ? AND dno_code IN ({marks}))" if areas else "1 OR ?"
        here = f"a.dno_connection IN ({marks})" if areas else "1"
        capability = self._fetch("SELECT * FROM unit_capability WHERE unit_id = ?", identifier)
        json.loads(capability[0][[*self._columns("unit_capability")].index("limits")])
        found = [
            self.standing(),
            self._fetch(f"SELECT * FROM market_unit WHERE id = ? AND ({seen})", identifier, identifier, *areas),
            capability,
            self._fetch("SELECT * FROM unit_area WHERE unit_id = ? ORDER BY up DESC", identifier),
            self._fetch(
                "SELECT a.id, a.asset_name, a.asset_category, a.status, a.rated_capacity, a.gsp_group, a.dno_connection, "
                "a.latitude, a.longitude, m.from_at, m.until_at FROM unit_member m JOIN asset a ON a.id = m.asset_id "
                f"WHERE m.unit_id = ? AND m.until_at IS NULL AND {here} ORDER BY m.asset_id LIMIT 201",
                identifier, *areas,
            ),
            self._fetch("SELECT * FROM unit_history WHERE unit_id = ? ORDER BY at DESC LIMIT 1000", identifier),
        ]  # fmt: skip
        if areas:
            beyond = f"SELECT sum(assets) FROM unit_area WHERE unit_id = ? AND dno_code NOT IN ({marks})"
            found.append(self._fetch(beyond, identifier, *areas))
        return found

    def _columns(self, table: str) -> list[str]:
        return [row[1] for row in self._fetch(f"PRAGMA table_info({table})")]

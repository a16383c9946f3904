"""What a person waits for: pages over Streamlit's own protocol, one by one and fifty sessions at once, and in a browser."""

import os
import shutil
import statistics
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlmodel import col

from models.assets import Asset
from models.qualifications import Qualification
from models.units import MarketUnit
from services.core.db import engine as database
from services.core.identity.actor import Actor
from services.core.identity.resolve import actor_for_user
from services.core.identity.visibility import visible
from services.core.transaction import Stamp, unit_of_work
from services.market.products.products import list_products
from services.participants.personas import demo_personas
from tests.benchmarks.portals import Served, run_empty_app, run_portal
from tests.benchmarks.report import Figures
from tests.benchmarks.visitors import Crowd, Stop, Visit, gather, walk
from tests.conftest import build_demo, use_database
from tests.databases import sqlite_template

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(3_600)]

ROUNDS = 6
PEOPLE = int(os.environ.get("FMAR_BENCH_PEOPLE", "50"))
SECONDS = float(os.environ.get("FMAR_BENCH_SECONDS", "120"))
SIMPLE_MS, LIST_MS, DASHBOARD_MS = 60.0, 120.0, 200.0
SIMPLE_TIMES = 3.0
MEDIAN_S, SLOWEST_S = 0.4, 1.5
IDLE_SHARE = 0.01
START_S = 2.5

SIMPLE = (
    ("administrator", "settings"),
    ("administrator", "permissions"),
    ("administrator", "about"),
    ("bramble", "categories"),
    ("bramble", "equivalences"),
    ("administrator", "product-proposals"),
    ("bramble", "credentials"),
    ("bramble", "drafts"),
    ("bramble", "search"),
)
LISTS = (
    ("bramble", "assets"),
    ("ukpn", "assets"),
    ("administrator", "assets"),
    ("bramble", "products"),
    ("bramble", "market-units"),
    ("bramble", "opportunities"),
    ("bramble", "applications"),
    ("ukpn", "application-queue"),
    ("administrator", "organisations"),
    ("bramble", "organisation"),
    ("bramble", "users"),
    ("administrator", "ledger"),
    ("administrator", "access-log"),
    ("administrator", "sources"),
    ("administrator", "stacking"),
    ("bramble", "register-asset"),
    ("bramble", "upload"),
    ("bramble", "build-unit"),
    ("installer", "prepare-asset"),
)
DASHBOARDS = (
    ("bramble", ""),
    ("ukpn", ""),
    ("administrator", ""),
    ("ofgem", ""),
    ("bramble", "review"),
    ("ukpn", "review"),
    ("ukpn", "market"),
    ("administrator", "market"),
    ("ofgem", "market"),
)
MOST_USED = {
    "bramble": ("", "assets", "asset", "review", "products", "market-units", "market-unit", "opportunities", "market"),
    "northgate": ("", "assets", "asset", "register-asset", "products", "market-units", "applications", "market"),
    "ukpn": ("", "assets", "asset", "review", "application-queue", "market", "products", "market-units"),
    "administrator": ("", "assets", "asset", "review", "organisations", "application-queue", "market", "products"),
    "ofgem": ("", "market", "products", "categories", "about"),
}
"""The ten most used pages, as far as each role has them."""


@dataclass(frozen=True, slots=True)
class Kind:
    """Pages that one bound holds for."""

    name: str
    bound_ms: float
    stops: Sequence[Stop]


def actor_of(persona: str) -> Actor:
    """The actor that a persona acts as."""
    person = next(person for person in demo_personas() if person.key == persona)
    return actor_for_user(person.user_id, person.organisation_id)


def records_of(persona: str) -> Mapping[str, Sequence[str]]:
    """Identifiers of some records that a persona may see, by the address of their page; products go by their code."""
    actor = actor_of(persona)
    models = {"asset": Asset, "market-unit": MarketUnit, "application": Qualification}
    with unit_of_work(Stamp("measure", "", actor), writes=False) as session:
        found = {
            address: [
                str(identifier)
                for identifier in session.scalars(
                    select(col(model.id)).where(visible(model, actor)).order_by(col(model.id).desc()).limit(20)
                )
            ]
            for address, model in models.items()
        }
    found["product"] = [view.product.code for view in list_products(actor)[:5]]
    return found


def stops_of(persona: str, addresses: Sequence[str]) -> list[Stop]:
    """Pages of a persona; where a page shows one record, some that the persona may see."""
    records = records_of(persona)
    return [
        Stop(persona, address, ((("code" if address == "product" else "id"), identifier),) if identifier else ())
        for address in addresses
        for identifier in (records.get(address, ())[:4] if address in records else ("",))
    ]


def kinds() -> list[Kind]:
    """Every page that is measured one by one, by the bound that holds for it."""
    records = [stops_of("bramble", [address])[0] for address in ("asset", "market-unit", "application", "product")]
    return [
        Kind("simple", SIMPLE_MS, [Stop(*pair) for pair in SIMPLE]),
        Kind("list, map, form, record", LIST_MS, [*(Stop(*pair) for pair in LISTS), *records]),
        Kind("dashboard, home, review", DASHBOARD_MS, [Stop(*pair) for pair in DASHBOARDS]),
    ]


@pytest.fixture(scope="module")
def register(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A copy of the demo register; yields its URL."""
    path = tmp_path_factory.mktemp("pages") / "demo.sqlite"
    shutil.copyfile(os.environ.get("FMAR_BENCH_REGISTER") or sqlite_template("demo", build_demo), path)
    use_database(f"sqlite:///{path}")
    yield f"sqlite:///{path}"
    database.close()


@pytest.fixture(scope="module")
def portal(register: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The portal on that register, with its worker."""
    with run_portal(register, tmp_path_factory.mktemp("portal")) as served:
        yield served


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """An empty Streamlit app, the baseline."""
    with run_empty_app(tmp_path_factory.mktemp("empty")) as served:
        yield served


@dataclass(frozen=True, slots=True)
class PageCost:
    """What one page costs, warm: processor time of the whole server process and seconds by the clock, medians."""

    cpu_ms: float
    clock_ms: float
    kilobytes: float


def cost_of(served: Served, stop: Stop, rounds: int = ROUNDS) -> PageCost:
    """Open a page again and again in one session; the first time warms it up and is not counted."""
    visits: list[Visit] = []
    cpu: list[float] = []

    def between(visit: Visit) -> None:
        visits.append(visit)
        cpu.append(served.cpu())

    walk(served.url, [stop], rounds + 1, between)
    failed = [visit.failure for visit in visits if visit.failure]
    assert not failed, f"{stop.persona} at /{stop.address}: {failed[0]}"
    return PageCost(
        cpu_ms=(cpu[-1] - cpu[0]) * 1000 / rounds,
        clock_ms=statistics.median(visit.seconds for visit in visits[1:]) * 1000,
        kilobytes=visits[-1].received / 1024,
    )


def test_page_by_page(portal: Served, empty: Served, figures: Figures) -> None:
    """Each page warm, by its bound, beside the empty app; the worst of each kind goes into the document."""
    empty_cost = cost_of(empty, Stop(None, ""), 30)
    figures.add("A run of an empty Streamlit app", f"{empty_cost.cpu_ms:.0f} ms of CPU, {empty_cost.clock_ms:.0f} ms")
    over: list[str] = []
    for kind in kinds():
        costs = {stop: cost_of(portal, stop) for stop in kind.stops}
        for stop, cost in sorted(costs.items(), key=lambda item: -item[1].cpu_ms):
            print(
                f"    {kind.name}: {stop.persona} /{stop.address}: {cost.cpu_ms:.0f} ms of CPU, "
                f"{cost.clock_ms:.0f} ms, {cost.kilobytes:.0f} kB"
            )
        median = statistics.median(cost.cpu_ms for cost in costs.values())
        worst_stop, worst = max(costs.items(), key=lambda item: item[1].cpu_ms)
        figures.add(
            f"A page run, warm: {kind.name}",
            f"median {median:.0f} ms of CPU, most {worst.cpu_ms:.0f} ms ({worst_stop.persona}, /{worst_stop.address})",
            f"{kind.bound_ms:.0f} ms",
            f"{median / empty_cost.cpu_ms:.1f} × an empty app ({empty_cost.cpu_ms:.0f} ms)",
        )
        over += [f"/{stop.address} as {stop.persona}" for stop, cost in costs.items() if cost.cpu_ms > kind.bound_ms]
    assert not over, over


def crowd_at(served: Served, people: int, seconds: float) -> Crowd:
    """So many people among the most used pages, roles mixed, after one look at each page that warms the portal up."""
    routes = [stops_of(persona, addresses) for persona, addresses in MOST_USED.items()]
    for route in routes:
        walk(served.url, route)
    return gather(served.url, routes, people, seconds)


def in_words(crowd: Crowd) -> str:
    """What people met."""
    return (
        f"median {crowd.median:.2f} s, 95th percentile {crowd.quantile(0.95):.2f} s, {crowd.pages_a_second:.1f} pages/s, "
        f"{len(crowd.failures)} errors"
    )


def test_many_at_once(portal: Served, empty: Served, figures: Figures) -> None:
    """So many sessions, each a page every five seconds; beside it, as many at an empty app."""
    bare = gather(empty.url, [[Stop(None, "")]], PEOPLE, min(SECONDS, 30))
    before = portal.cpu()
    crowd = crowd_at(portal, PEOPLE, SECONDS)
    each = (portal.cpu() - before) * 1000 / len(crowd.visits)
    figures.add(
        f"{PEOPLE} sessions, each a page every 5 s, for {SECONDS:.0f} s",
        f"{in_words(crowd)}; {each:.0f} ms of CPU a page; {portal.memory_mb():.0f} MB",
        f"median {MEDIAN_S} s, 95th percentile {SLOWEST_S} s",
        f"an empty app: {in_words(bare)}",
    )
    assert not crowd.failures, crowd.failures[0]
    assert crowd.median <= MEDIAN_S
    assert crowd.quantile(0.95) <= SLOWEST_S


def test_idle(register: str, tmp_path: Path, figures: Figures) -> None:
    """A portal that nobody uses, and what its start took."""
    with run_portal(register, tmp_path) as served:
        walk(served.url, [Stop("bramble", "")])
        figures.add(
            "Start of `make run`, data in place, to the first page",
            f"{served.cpu():.1f} s of CPU, {served.start_seconds:.1f} s until it answers",
            f"{START_S} s of CPU",
        )
        time.sleep(15)
        before, began = served.cpu(), time.monotonic()
        time.sleep(30)
        share = (served.cpu() - before) / (time.monotonic() - began)
        figures.add("An idle portal", f"{share:.1%} of a core", f"{IDLE_SHARE:.0%}")
    assert share <= IDLE_SHARE

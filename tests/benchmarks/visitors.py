"""People at the portal without a browser: Streamlit's own WebSocket protocol, page by page, until a script has finished."""

import asyncio
import random
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self
from urllib.parse import urlencode

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect

from pages.frame.session import PERSONA_COOKIE

GIVE_UP_S = 180.0


@dataclass(frozen=True, slots=True)
class Stop:
    """A page as a persona opens it: the persona's key, the address, and the query behind it."""

    persona: str | None
    address: str
    query: tuple[tuple[str, str], ...] = ()

    @property
    def query_string(self) -> str:
        """What stands behind the question mark of the address."""
        return urlencode(self.query)


@dataclass(frozen=True, slots=True)
class Visit:
    """One page run: when it began (`perf_counter`), seconds until the script had finished, bytes, what went wrong."""

    stop: Stop
    began: float
    seconds: float
    received: int
    failure: str = ""


class Visitor:
    """One session of the portal. Use `async with`; the session ends with the block."""

    def __init__(self, base_url: str) -> None:
        self._url = base_url.replace("http", "ws", 1) + "/_stcore/stream"
        self._socket: ClientConnection | None = None
        self._persona: str | None = None
        self._cached: set[str] = set()

    async def __aenter__(self) -> Self:
        await self._connect()
        return self

    async def _connect(self) -> None:
        headers = {"Cookie": f"{PERSONA_COOKIE}={self._persona}"} if self._persona else {}
        self._cached.clear()
        self._socket = await connect(
            self._url, max_size=None, compression=None, open_timeout=GIVE_UP_S, additional_headers=headers
        )

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._socket is not None:
            await self._socket.close()

    async def visit(self, stop: Stop) -> Visit:
        """Open a page and wait until its script has finished; in a session of its own where the persona is another."""
        assert self._socket is not None
        if stop.persona != self._persona:
            self._persona = stop.persona
            await self._socket.close()
            await self._connect()
        request = BackMsg()
        state = request.rerun_script
        state.query_string, state.page_name = stop.query_string, stop.address
        state.cached_message_hashes.extend(self._cached)
        started = time.perf_counter()
        await self._socket.send(request.SerializeToString())
        received = 0
        failure = ""
        while True:
            payload = await asyncio.wait_for(self._socket.recv(decode=False), GIVE_UP_S)
            received += len(payload)
            message = ForwardMsg.FromString(payload)
            if message.metadata.cacheable and message.hash:
                self._cached.add(message.hash)
            kind = message.WhichOneof("type")
            if kind == "delta":
                failure = failure or _failure_of(message)
            elif kind == "page_not_found":
                failure = failure or "page not found"
            elif kind == "script_finished":
                if message.script_finished == ForwardMsg.FINISHED_EARLY_FOR_RERUN:
                    continue
                if message.script_finished != ForwardMsg.FINISHED_SUCCESSFULLY:
                    failure = failure or ForwardMsg.ScriptFinishedStatus.Name(message.script_finished)
                return Visit(stop, started, time.perf_counter() - started, received, failure)


def _failure_of(message: ForwardMsg) -> str:
    """What a page shows when it failed: an exception, or our own report of a mistake."""
    element = message.delta.new_element
    if element.WhichOneof("type") == "exception":
        return f"{element.exception.type}: {element.exception.message}"
    if element.WhichOneof("type") == "alert" and "went wrong on our side" in element.alert.body:
        return element.alert.body
    return ""


@dataclass
class Crowd:
    """What many sessions met: every visit, in the order of their ends."""

    visits: list[Visit] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def failures(self) -> list[Visit]:
        """Visits that did not end with a whole page."""
        return [visit for visit in self.visits if visit.failure]

    def quantile(self, share: float) -> float:
        """Seconds that this share of the visits stayed within."""
        ordered = sorted(visit.seconds for visit in self.visits)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]

    @property
    def median(self) -> float:
        """Seconds of the visit in the middle."""
        return statistics.median(visit.seconds for visit in self.visits)

    @property
    def pages_a_second(self) -> float:
        """How many pages were served together."""
        return len(self.visits) / self.seconds


async def _one_after_another(
    base_url: str, stops: Sequence[Stop], rounds: int, seen: Callable[[Visit], None]
) -> list[Visit]:
    visits: list[Visit] = []
    async with Visitor(base_url) as visitor:
        for _ in range(rounds):
            for stop in stops:
                visits.append(await visitor.visit(stop))
                seen(visits[-1])
    return visits


def walk(
    base_url: str, stops: Sequence[Stop], rounds: int = 1, seen: Callable[[Visit], None] = lambda _visit: None
) -> list[Visit]:
    """One session that opens these pages one after the other, so many times; `seen` is called after each."""
    return asyncio.run(_one_after_another(base_url, stops, rounds, seen))


async def _person(
    base_url: str, stops: Sequence[Stop], seed: int, crowd: Crowd, goes_on: Callable[[], bool], pause: float
) -> None:
    order = random.Random(seed)
    await asyncio.sleep(order.uniform(0, pause))
    async with Visitor(base_url) as visitor:
        while goes_on():
            began = time.perf_counter()
            crowd.visits.append(await visitor.visit(order.choice(stops)))
            await asyncio.sleep(max(0.0, began + pause - time.perf_counter()))


async def _many_at_once(
    base_urls: Sequence[str],
    routes: Sequence[Sequence[Stop]],
    people: int,
    pause: float,
    goes_on: Callable[[Crowd, float], bool],
) -> Crowd:
    crowd = Crowd()
    began = time.perf_counter()

    def still() -> bool:
        return goes_on(crowd, time.perf_counter() - began)

    async with asyncio.TaskGroup() as group:
        for number in range(people):
            url, route = base_urls[number % len(base_urls)], routes[number % len(routes)]
            group.create_task(_person(url, route, number, crowd, still, pause))
    crowd.seconds = time.perf_counter() - began
    return crowd


def gather(
    base_urls: Sequence[str], routes: Sequence[Sequence[Stop]], people: int, seconds: float, pause: float = 5.0
) -> Crowd:
    """So many sessions at once, each opening one of its route's pages every `pause` seconds; routes are dealt in turn.

    Of several servers, sessions are spread over all of them.
    """
    return asyncio.run(_many_at_once(base_urls, routes, people, pause, lambda _crowd, passed: passed < seconds))


def press(base_urls: Sequence[str], routes: Sequence[Sequence[Stop]], people: int, visits: int) -> Crowd:
    """So many sessions, each opening one page after the other without a rest, until so many visits are through."""
    return asyncio.run(_many_at_once(base_urls, routes, people, 0.0, lambda crowd, _passed: len(crowd.visits) < visits))

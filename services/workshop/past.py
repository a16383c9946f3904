"""A made-up past: moments and identifiers of demo data, the same ones each time they are laid down on the same day."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from random import Random
from uuid import UUID

from models.base import ID_SOURCE
from services.core.clock import LONDON, made_up_moment, today

SEED = 20_310
"""Where all chance in the demo data begins."""
_COUNTER_BITS, _RANDOM_BITS = 12, 62


class Past:
    """The demo's clock and source of identifiers.

    Moments are counted back from the day on which the data are laid down: what happened "yesterday" did so yesterday.
    """

    def __init__(self, day: date | None = None) -> None:
        self.today = day or today()
        self.random = Random(SEED)  # noqa: S311 - nothing secret hangs on it
        self._last = 0
        self._count = 0

    def moment(self, days_ago: float, hour: int = 0, minute: int = 0) -> datetime:
        """So many days before the day of seeding, at a time of that day in London."""
        day = self.today - timedelta(days=int(days_ago))
        return datetime.combine(day, time(hour, minute), LONDON)

    def day(self, days_ago: int) -> date:
        """The date so many days before the day of seeding."""
        return self.today - timedelta(days=days_ago)

    @contextmanager
    def at(self, moment: datetime) -> Iterator[None]:
        """Let everything the register does happen at this moment, under identifiers that belong to it."""
        milliseconds = int(moment.timestamp() * 1000)
        token = ID_SOURCE.set(lambda: self._fresh_id(milliseconds))
        try:
            with made_up_moment(moment):
                yield
        finally:
            ID_SOURCE.reset(token)

    def _fresh_id(self, milliseconds: int) -> UUID:
        """A UUIDv7 (RFC 9562) of that millisecond; the counter keeps those of one moment in order."""
        if milliseconds != self._last:
            self._last, self._count = milliseconds, 0
        self._count += 1
        later, counter = divmod(self._count, 1 << _COUNTER_BITS)
        number = (milliseconds + later) << 80 | 0x7 << 76 | counter << 64
        return UUID(int=number | 0b10 << 62 | self.random.getrandbits(_RANDOM_BITS))

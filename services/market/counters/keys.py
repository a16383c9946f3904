"""Keys of the market's counters: the rows in which applications, their steps and units count (UC-05.02).

Maintained counters and `services.market.counters.reconcile` share this one definition; tests compare the two.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlmodel import SQLModel

from models.market_tallies import (
    ANYONE,
    NOT_DUE,
    DaysTally,
    DecisionTally,
    EndingTally,
    FigureProvider,
    QualifiedTally,
    QueueTally,
    StandingTally,
)
from models.qualifications import OPEN_APPLICATION, QualificationStatus, QualificationStep
from services.assets.counters.maintain import hundredths, month_of

Q = QualificationStatus
WAITING = (*OPEN_APPLICATION, Q.REASSESSMENT_REQUIRED)
"""Statuses in which an SO has yet to decide."""
DECIDED = (Q.QUALIFIED, Q.FAILED, Q.WITHDRAWN)
CounterChange = tuple[type[SQLModel], tuple[Any, ...], tuple[int, ...]]
"""A change of a counter: table, key of the row, and the amounts to add to its sums."""


class FigureKind(StrEnum):
    """The subject of a `MarketFigure`, and its code. By month: MONTH, OUTCOME, REASON, and those that say so."""

    MONTH = "MONTH"
    """Net qualified power of a month (no code)."""
    PRODUCT = "PRODUCT"
    """Qualified power, all time: by product."""
    GROUP = "GROUP"
    """The same by GSP group."""
    OPERATOR = "OPERATOR"
    """The same by SO."""
    CELL = "CELL"
    """The same by product and GSP group, with a stroke between them."""
    OUTCOME = "OUTCOME"
    """Decisions of a month by outcome."""
    REASON = "REASON"
    """Failed ones of a month by reason."""
    DECIDED_BY = "DECIDED_BY"
    """Decisions of a month that an SO made, by SO."""
    DECIDED_FOR = "DECIDED_FOR"
    """The same by product."""
    OPEN = "OPEN"
    """Open applications by SO, and by the day on which they are due, with a stroke between them."""
    ENDING = "ENDING"
    """Qualifications in force by the month in which they end."""
    UNITS = "UNITS"
    """Active units by family."""
    APPLIED = "APPLIED"
    """Those of them that have applied for something."""
    QUALIFIED = "QUALIFIED"
    """Those of them that are qualified for something."""


def month_number(day: date) -> int:
    """Return the number of a day's month, as the counters store it."""
    return day.year * 12 + day.month - 1


def count_step(step: QualificationStep) -> Iterator[CounterChange]:
    """Yield the counter changes of a step."""
    month, kw, provider = month_of(step.at), hundredths(step.capacity), step.service_provider_id
    sign = (step.to_status == Q.QUALIFIED) - (step.from_status == Q.QUALIFIED)
    if Q.QUALIFIED in (step.to_status, step.from_status):
        net = (sign, sign * kw)
        yield QualifiedTally, (step.addressed_to, step.product_code, step.gsp_group, month), (1, *net)
        yield FigureProvider, (FigureKind.MONTH, month, "", provider), (1, *net)
        for kind, code in (
            (FigureKind.PRODUCT, step.product_code),
            (FigureKind.GROUP, step.gsp_group),
            (FigureKind.OPERATOR, str(step.addressed_to)),
            (FigureKind.CELL, f"{step.product_code}|{step.gsp_group}"),
        ):
            yield FigureProvider, (kind, 0, code, provider), (0, *net)
    if step.to_status in DECIDED and step.from_status in WAITING:
        reason = step.reason_code or ""
        yield DecisionTally, (step.addressed_to, step.product_code, month, step.to_status, reason), (1,)
        yield from _count_decision(step, month, reason)


def _count_decision(step: QualificationStep, month: int, reason: str) -> Iterator[CounterChange]:
    codes = [(FigureKind.OUTCOME, step.to_status)]
    if step.to_status == Q.FAILED:
        codes.append((FigureKind.REASON, reason))
    if step.to_status != Q.WITHDRAWN:
        for kind, operator, product in (
            ("BOTH", step.addressed_to, step.product_code),
            ("OPERATOR", step.addressed_to, ""),
            ("PRODUCT", ANYONE, step.product_code),
        ):
            yield DaysTally, (kind, operator, product, month, step.working_days), (1,)
        codes += [(FigureKind.DECIDED_BY, str(step.addressed_to)), (FigureKind.DECIDED_FOR, step.product_code)]
    for kind, code in codes:
        yield FigureProvider, (kind, month, code, step.service_provider_id), (0, 1, 0)


COUNTED = (
    "status", "due_on", "valid_until", "capacity", "gsp_group", "service_provider_id", "addressed_to", "product_code",
)  # fmt: skip
"""Columns of an application on which a counter depends."""
Values = Callable[[str], Any] | Mapping[str, Any]


def count_application(value: Callable[[str], Any], sign: int) -> Iterator[CounterChange]:
    """Yield the counter changes of an application; `value` returns a column of `COUNTED` by name, `sign` is 1 or -1."""
    operator, product, status = value("addressed_to"), value("product_code"), str(value("status"))
    provider, due = value("service_provider_id"), value("due_on")
    yield StandingTally, (operator, product, status, due or NOT_DUE), (sign,)
    for queue in (operator, ANYONE):
        yield QueueTally, (queue, "GSP_GROUP", value("gsp_group") or "", status), (sign,)
        yield QueueTally, (queue, "PROVIDER", str(provider), status), (sign,)
    if status in WAITING:
        yield FigureProvider, (FigureKind.OPEN, 0, open_figure_code(operator, due), provider), (0, sign, 0)
    if status == Q.QUALIFIED and (until := value("valid_until")) is not None:
        month, kw = month_number(until), hundredths(value("capacity"))
        yield EndingTally, (operator, product, month), (sign, sign * kw)
        yield FigureProvider, (FigureKind.ENDING, month, "", provider), (0, sign, sign * kw)


def open_figure_code(operator: UUID, due: date | None) -> str:
    """Return the code of the figure OPEN."""
    return f"{operator}|{due or ''}"

"""JSON without loss: powers are decimals on the way in and on the way out, never binary fractions."""

import json
import re
from collections.abc import Callable, Coroutine, Iterable
from decimal import Decimal
from typing import Annotated, Any

import msgspec
from fastapi import Request, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel, WithJsonSchema

from services.core.json_names import find_repeated_name

Exact = Annotated[Decimal, WithJsonSchema({"type": "number"})]
"""A power (kW) or an energy (kWh) in an answer: a number with its decimals."""

LARGEST_EXPONENT = 30
"""A number such as 1e999999999 is a few bytes to send and gigabytes to write out."""


MOST_DIGITS = re.compile(rb"[0-9]{400}")
DEEPEST = 20


def _decimal(text: str) -> Decimal:
    number = Decimal(text)
    if abs(number.adjusted()) > LARGEST_EXPONENT:
        raise ValueError(f"The number {text[:40]} is beyond what the register reads.")
    return number


_decoder = msgspec.json.Decoder(float_hook=_decimal)


def _plain(value: Any) -> Any:
    return value.model_dump() if isinstance(value, BaseModel) else str(value)


_encoder = msgspec.json.Encoder(decimal_format="number", enc_hook=_plain)


def encode(content: Any) -> bytes:
    """JSON text of schemas and plain values; decimals as numbers with all digits (``49900.10``), moments as text."""
    return _encoder.encode(content)


def decode(body: bytes) -> Any:
    """JSON text read strictly: numbers with a point as Decimal. Raises JSONDecodeError saying what is wrong."""
    try:
        if b"\\u0000" in body:
            raise ValueError("The text holds a NUL character.")
        if MOST_DIGITS.search(body):
            raise ValueError("It holds a number of more digits than the register reads.")
        value = _decoder.decode(body)
        _require_shallow(value)
        if (name := find_repeated_name(body, value)) is not None:
            raise ValueError(f"It gives “{name[:100]}” twice in one object: leave one out")
        return value
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise json.JSONDecodeError(str(error).rstrip("."), "", 0) from error


def _require_shallow(value: Any) -> None:
    level = [value]
    for _ in range(DEEPEST):
        level = [inner for outer in level if isinstance(outer, (list, dict)) for inner in _inside(outer)]
        if not level:
            return
    raise ValueError("It is nested more deeply than anything the register reads.")


def _inside(value: list[Any] | dict[str, Any]) -> Iterable[Any]:
    return value if isinstance(value, list) else value.values()


class ExactRequest(Request):
    """A request whose JSON body keeps its decimals."""

    async def json(self) -> Any:
        """The body, read strictly."""
        return decode(await self.body())


class ExactRoute(APIRoute):
    """A route that hands its body over with decimals kept."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The usual handler, on an exact request."""
        handle = super().get_route_handler()

        async def exact(request: Request) -> Response:
            return await handle(ExactRequest(request.scope, request.receive))

        return exact

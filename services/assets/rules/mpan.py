"""The MPAN core: reduced, checked and explained, for one value as it is typed and for whole columns.

An MPAN core is 13 digits: a distributor id (2), a unique number (10) and a check digit. Its long form on a bill has
21 digits: profile class (2), meter timeswitch code (3), line loss factor class (3), then the core. Always text, since
leading zeros count.
"""

import re
from dataclasses import dataclass

import numpy as np
import polars as pl

from services.core.text import plain_code
from services.grid.distributors import LICENCE_AREAS, distributor_by_id

WEIGHTS = (3, 5, 7, 13, 17, 19, 23, 29, 31, 37, 41, 43)
CORE_LENGTH = 13
LONG_LENGTH = 21
_WEIGHTS = np.array(WEIGHTS)
_PLACES = 10 ** np.arange(CORE_LENGTH - 1, -1, -1, dtype=np.int64)
_CORE = re.compile(rf"[0-9]{{{CORE_LENGTH}}}")
_LONG = re.compile(rf"[0-9]{{{LONG_LENGTH}}}")
_SPACES = re.compile(r"\s+")
_ON_A_BILL = re.compile(
    r"(?i)\s*(?:(?:mpan|supply\s*(?:number|no))[\s.:#]*)?(?:s[\s.:]*)?([\"'\s]*[0-9][0-9\s\"'/\\|.:_-]*)"
)
"""As it is printed: a large S, the top line, and boxes that become spaces, strokes or quotation marks."""
_DECIMALS = re.compile(r"\.0+\s*$")
LONGEST_ON_A_BILL = 100


@dataclass(frozen=True, slots=True)
class MpanFacts:
    """Facts that an MPAN tells of itself.

    `distributor` is its name; `dno_code` and `gsp_group` are None where it is an IDNO (its host network is unknown).

    `problem` is a sentence for the person who typed it, None when the number is sound.
    """

    core: str | None
    distributor: str | None = None
    dno_code: str | None = None
    gsp_group: str | None = None
    problem: str | None = None


def plain_mpan(text: str) -> str | None:
    """The digits of an MPAN as it stands on a bill or as a spreadsheet writes it; None unless they are 13 or 21."""
    text = plain_code(text) if len(text) <= LONGEST_ON_A_BILL else ""
    match = _ON_A_BILL.fullmatch(text)
    if match is None:
        return None
    digits = "".join(filter(str.isdigit, _DECIMALS.sub("", match[1])))
    return digits if _CORE.fullmatch(digits) or _LONG.fullmatch(digits) else None


def reduce_mpan(text: str) -> str | None:
    """The 13-digit core of what was typed: `plain_mpan`, the 21-digit form cut down. None when it is neither."""
    digits = _SPACES.sub("", text)
    if not digits.isdigit():
        digits = plain_mpan(text) or ""
    if _CORE.fullmatch(digits):
        return digits
    return digits[-CORE_LENGTH:] if _LONG.fullmatch(digits) else None


def mpan_check_digit(digits: str) -> int:
    """Digit 13 as it must be, from digits 1 to 12: weighted sum, modulo 11, modulo 10."""
    return sum(int(digit) * weight for digit, weight in zip(digits, WEIGHTS, strict=False)) % 11 % 10


def is_valid_mpan(text: str) -> bool:
    """True where `text` is a 13-digit core (nothing to strip or to cut) whose check digit holds."""
    return _CORE.fullmatch(text) is not None and mpan_check_digit(text) == int(text[-1])


def describe_mpan(text: str) -> MpanFacts:
    """Describe an MPAN while it is typed: its distributor, DNO and GSP group, or what is wrong with it."""
    core = reduce_mpan(text)
    if core is None:
        count = sum(character.isdigit() for character in text)
        return MpanFacts(None, problem=f"An MPAN has 13 digits (or 21 on a bill); this has {count}.")
    if not is_valid_mpan(core):
        return MpanFacts(core, problem="The last digit doesn't fit the others. One of the digits is wrong.")
    distributor = distributor_by_id(core[:2])
    if distributor is None:
        return MpanFacts(core, problem=f"No distributor has the number {core[:2]}, with which this MPAN starts.")
    return MpanFacts(core, distributor.name, DNO_OF_DISTRIBUTOR.get(distributor.id), distributor.gsp_group)


def mpan_core_expr(column: str | pl.Expr) -> pl.Expr:
    """The 13-digit core of a text column, null where it is neither 13 nor 21 digits."""
    text = pl.col(column) if isinstance(column, str) else column
    digits = text.str.replace_all(r"\s+", "")
    return digits.str.extract(r"^(?:[0-9]{8})?([0-9]{13})$", 1)


def mpan_valid_expr(core: str | pl.Expr) -> pl.Expr:
    """Check digit test of a column of 13-digit cores: true where it holds; null where the core is null."""
    number = (pl.col(core) if isinstance(core, str) else core).cast(pl.Int64, strict=False)
    sound = number.fill_null(0).map_batches(_check_digits_hold, return_dtype=pl.Boolean, is_elementwise=True)
    return pl.when(number.is_not_null()).then(sound)


def _check_digits_hold(numbers: pl.Series) -> pl.Series:
    digits = numbers.to_numpy()[:, np.newaxis] // _PLACES % 10
    return pl.Series(numbers.name, digits[:, :-1] @ _WEIGHTS % 11 % 10 == digits[:, -1])


DNO_OF_DISTRIBUTOR: dict[str, str] = {area.id: area.code for area in LICENCE_AREAS if area.code}
"""Distributor id -> DNOCode of the 14 licence areas; an IDNO's id is absent, since its host DNO is unknown."""


def mpan_dno_expr(core: str | pl.Expr) -> pl.Expr:
    """The DNO code that a column of 13-digit cores points to; null for an IDNO or an unknown distributor."""
    text = pl.col(core) if isinstance(core, str) else core
    return text.str.slice(0, 2).replace_strict(DNO_OF_DISTRIBUTOR, default=None, return_dtype=pl.String)

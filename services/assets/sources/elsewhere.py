"""Sites outside the networks of Great Britain: Northern Ireland, the Isle of Man, the Channel Islands, and the sea."""

from collections.abc import Iterator

import polars as pl

from services.assets.sources.wording import squash_column
from services.grid.geography import MAN_EASTINGS, MAN_NORTHINGS

_COUNTRIES = {
    "NORTHERN_IRELAND": ("northernireland", "ni"),
    "ISLE_OF_MAN": ("isleofman", "iom"),
    "CHANNEL_ISLANDS": ("channelislands", "jersey", "guernsey", "alderney", "sark"),
}
_REASONS = {
    "NORTHERN_IRELAND": "Northern Ireland: outside the networks of Great Britain, on another grid.",
    "ISLE_OF_MAN": "The Isle of Man: outside the networks of Great Britain.",
    "CHANNEL_ISLANDS": "The Channel Islands: outside the networks of Great Britain.",
}
_HOME = ("england", "scotland", "wales", "greatbritain", "uk", "unitedkingdom", "gb")
_POSTCODES = {"NORTHERN_IRELAND": r"^BT[0-9]", "ISLE_OF_MAN": r"^IM[0-9]", "CHANNEL_ISLANDS": r"^(?:JE|GY)[0-9]"}


def places_elsewhere() -> Iterator[tuple[pl.Expr, str, str]]:
    """Condition, code and reason of rows that another country's networks serve; no row meets two.

    The country decides; where a row names none of Great Britain, its postcode does, and for the Isle of Man its position.
    Needs `country`, `postcode`, `easting` and `northing` as text.
    """
    country = squash_column(pl.col("country").fill_null(""))
    postcode = pl.col("postcode").fill_null("").str.to_uppercase().str.strip_chars()
    abroad = country.is_in([name for names in _COUNTRIES.values() for name in names])
    open_question = ~abroad & ~country.is_in(_HOME)
    easting, northing = (
        pl.col(field).str.strip_chars().cast(pl.Float64, strict=False) for field in ("easting", "northing")
    )
    on_man = on_isle_of_man(easting, northing)
    earlier = pl.lit(False)
    for code, names in _COUNTRIES.items():
        by_postcode = open_question & postcode.str.contains(_POSTCODES[code])
        by_position = open_question & on_man if code == "ISLE_OF_MAN" else pl.lit(False)
        condition = (country.is_in(names) | by_postcode | by_position) & ~earlier
        earlier = earlier | condition
        yield condition, code, _REASONS[code]


def on_isle_of_man(easting: pl.Expr, northing: pl.Expr) -> pl.Expr:
    """Tell whether a position (metres, EPSG:27700) is on the Isle of Man or in the sea around it; false without one."""
    return (easting.is_between(*MAN_EASTINGS) & northing.is_between(*MAN_NORTHINGS)).fill_null(False)


def reason_elsewhere() -> pl.Expr:
    """Code and reason of rows of a reading that lie on the Isle of Man or the Channel Islands, whatever country they name.

    By postcode or position; null for all others.
    """
    postcode = pl.coalesce("postcode", "outcode").fill_null("")
    man = postcode.str.contains(_POSTCODES["ISLE_OF_MAN"]) | on_isle_of_man(pl.col("easting"), pl.col("northing"))
    channel = postcode.str.contains(_POSTCODES["CHANNEL_ISLANDS"])
    return (
        pl.when(man)
        .then(pl.lit(f"ISLE_OF_MAN {_REASONS['ISLE_OF_MAN']}"))
        .when(channel)
        .then(pl.lit(f"CHANNEL_ISLANDS {_REASONS['CHANNEL_ISLANDS']}"))
    )

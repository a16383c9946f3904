"""Record keys: they match the records of one edition with those of the next.

No register numbers its rows for good. In the two editions of one DNO's ECR, three and a half years apart, what holds
best is the MPAN (511 of them stand in both); for a project that has none yet, its exact position and technology (305
of 441 found again, against 246 by name and position), and where there is no exact position, its name and postcode.
A functional location names a substation that up to 15 projects share, so it identifies none of them.
"""

import polars as pl

from services.assets.files.formats import ROW
from services.assets.rules.mpan import CORE_LENGTH, LONG_LENGTH
from services.assets.sources.places import on_whole_kilometres
from services.assets.sources.wording import squash_column

_ORDER = ("connected_on", "accepted_on", "energy_source", "registered_kw", "site_name", ROW)
"""Units behind one meter, or projects at one place, are told apart by their age, so that a new one comes last."""


def with_keys(frame: pl.DataFrame) -> pl.DataFrame:
    """Adds `key`, unique in the file, and `site_key`, which a project keeps when it is given its first MPAN.

    A position on whole kilometres is taken as rounded, and identifies nothing on its own: there the name counts, and where
    a register names no sites, the town, the technology and the capacity.
    """
    name = squash_column(pl.col("site_name").str.to_lowercase()).str.slice(0, 60)
    category = pl.col("category").fill_null("")
    place = pl.format("{},{}", pl.col("easting").cast(pl.Int64), pl.col("northing").cast(pl.Int64))
    exact = pl.when(~on_whole_kilometres()).then(pl.format("PLACE:{}:{}", place, category))
    district = pl.coalesce(pl.coalesce("postcode", "outcode").str.replace(" ", ""), place, pl.lit(""))
    named = pl.concat_str(pl.lit("SITE:"), name, pl.lit(":"), district, pl.lit(":"), category)
    town = squash_column(pl.col("town").fill_null("").str.to_lowercase()).str.slice(0, 40)
    nameless = pl.format("KM:{}:{}:{}:{}", place, town, category, pl.col("registered_kw").cast(pl.String).fill_null(""))
    # A number with a wrong check digit or a digit too many still tells its row; a stump of one tells nothing.
    invalid = pl.col("invalid_mpans").list.eval(
        pl.element().filter(pl.element().str.len_chars().is_between(CORE_LENGTH - 1, LONG_LENGTH))
    )
    meter = pl.coalesce(pl.col("export_mpans").list.min(), pl.col("import_mpans").list.min(), invalid.list.min())
    # Nulls are left out: a row without any of these identifies nothing and has no key.
    keyed = frame.with_columns(
        site_key=pl.coalesce(exact, named, nameless),
        base=pl.coalesce(
            pl.format("MPAN:{}", meter), pl.format("REF:{}", pl.col("reference").str.slice(0, 120)), exact, named, nameless
        ),
    )  # fmt: skip
    order = keyed.sort(_ORDER, nulls_last=True, maintain_order=True).with_columns(
        place=pl.col(ROW).cum_count().over("base")
    )
    numbered = pl.when(pl.col("place") > 1).then(pl.format("{}#{}", "base", "place")).otherwise("base")
    return order.with_columns(key=numbered).drop("base", "place").sort(ROW)

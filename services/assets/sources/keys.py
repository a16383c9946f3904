"""Record keys: they match the records of one edition with those of the next.

No register numbers its rows for good. In the two editions of one DNO's ECR, three and a half years apart, what holds
best is the MPAN (511 of them stand in both); for a project that has none yet, its exact position and technology (305
of 441 found again, against 246 by name and position), and where there is no exact position, its name and postcode.
A functional location names a substation that up to 15 projects share, so it identifies none of them.
"""

import polars as pl

from services.assets.sources.tables import ROW
from services.assets.sources.wording import squashed

_ORDER = ("connected_on", "accepted_on", "energy_source", "registered_kw", "site_name", ROW)
"""Units behind one meter, or projects at one place, are told apart by their age, so that a new one comes last."""


def with_keys(frame: pl.DataFrame, rounded: bool) -> pl.DataFrame:
    """Adds `key`, unique in the file, and `site_key`, which a project keeps when it is given its first MPAN.

    `rounded`: the positions of this file are to 1 km, and identify nothing on their own.
    """
    name = squashed(pl.col("site_name").str.to_lowercase()).str.slice(0, 60)
    place = pl.format("{},{}", pl.col("easting").cast(pl.Int64), pl.col("northing").cast(pl.Int64))
    exact = pl.when(pl.lit(not rounded)).then(pl.format("PLACE:{}:{}", place, pl.col("category").fill_null("")))
    named = pl.concat_str(
        pl.lit("SITE:"), name, pl.lit(":"), pl.coalesce("postcode", "outcode").str.replace(" ", "").fill_null(""),
        pl.lit(":"), pl.col("category").fill_null(""),
    )  # fmt: skip
    meter = pl.coalesce(
        pl.col("export_mpans").list.min(), pl.col("import_mpans").list.min(), pl.col("invalid_mpans").list.min()
    )
    # Nulls are left out: a row without any of these identifies nothing and has no key.
    keyed = frame.with_columns(
        site_key=pl.coalesce(exact, named),
        base=pl.coalesce(
            pl.format("MPAN:{}", meter), pl.format("REF:{}", pl.col("reference").str.slice(0, 120)), exact, named
        ),
    )  # fmt: skip
    order = keyed.sort(_ORDER, nulls_last=True, maintain_order=True).with_columns(
        place=pl.col(ROW).cum_count().over("base")
    )
    numbered = pl.when(pl.col("place") > 1).then(pl.format("{}#{}", "base", "place")).otherwise("base")
    return order.with_columns(key=numbered).drop("base", "place").sort(ROW)

"""Our category and energy source from the words a register uses for what generates or stores."""

from collections.abc import Iterable

import polars as pl

from services.assets.sources.notes import Notes
from services.assets.sources.wording import Kind, look_up_part, squash, table, translate

_DEFINITE = ("BESS", "SOLAR_PV", "WIND_TURBINE", "HEAT_PUMP")
"""Categories that a conversion technology settles, whatever the energy source beside it says."""
_SOURCE_OF = {"BESS": "GRID", "SOLAR_PV": "SOLAR", "WIND_TURBINE": "WIND"}


def with_technology(frame: pl.DataFrame, kind: Kind, ranks: Iterable[int], notes: Notes) -> pl.DataFrame:
    """Adds `category`, `energy_source`, `technology_given` from the first technology that a row states.

    `ranks` numbers the technologies a row may hold (three in the ECR, one in REPD); those after the first are noted,
    since one record describes one connection that several may share. Cogeneration makes CHP of what burns something.
    """
    ranks = tuple(ranks)
    for rank in ranks:
        frame = _classified(frame, kind, rank, notes)
    words = pl.concat_list(
        pl.concat_str(pl.col(f"source_{rank}"), pl.col(f"technology_{rank}"), separator=" / ", ignore_nulls=True)
        for rank in ranks
    )
    worked = frame.with_columns(
        category=pl.coalesce(f"category_{rank}" for rank in ranks),
        energy_source=pl.coalesce(f"energy_{rank}" for rank in ranks),
        categories=_all(f"category_{rank}" for rank in ranks),
        energy_sources=_all(f"energy_{rank}" for rank in ranks),
        technology_given=words.list.eval(pl.element().filter(pl.element() != "")).list.join("; "),
    ).with_columns(pl.when(pl.col("technology_given") != "").then("technology_given").alias("technology_given"))
    if len(ranks) > 1:
        several = pl.sum_horizontal(pl.col(f"category_{rank}").is_not_null() for rank in ranks) > 1
        message = pl.format("Several technologies behind one connection: category {} is that of the first.", "category")
        notes.add(worked, several, "source_2", "TECHNOLOGY_SEVERAL", message, pl.col("technology_given"))
    return worked


def _all(columns: Iterable[str]) -> pl.Expr:
    return pl.concat_list(columns).list.drop_nulls().list.unique(maintain_order=True)


def _classified(frame: pl.DataFrame, kind: Kind, rank: int, notes: Notes) -> pl.DataFrame:
    """Adds `category_<rank>` and `energy_<rank>`; notes unknown words, variant spellings and contradictions."""
    parts: dict[str, dict] = {}
    for part in ("source", "technology"):
        field = f"{part}_{rank}"
        lines = [line for line in table("technologies") if line["kind"] == kind and line["part"] == part]
        parts[part] = terms = translate(frame[field], lines)
        unknown = pl.col(field).is_not_null() & ~pl.col(field).is_in(list(terms))
        notes.add(frame, unknown, field, "TECHNOLOGY_UNKNOWN", "Not in the list of terms: read as OTHER.")
        spelt = {term: line["standard"] for term, line in terms.items() if squash(term) != squash(line["standard"])}
        message = pl.format("Read as “{}”.", pl.col(field).replace(spelt))
        notes.add(frame, pl.col(field).is_in(list(spelt)), field, "TECHNOLOGY_SPELLING", message)
    source, technology = pl.col(f"source_{rank}"), pl.col(f"technology_{rank}")
    by_source = look_up_part(source, parts["source"], "category")
    by_technology = look_up_part(technology, parts["technology"], "category")
    clash = by_source.is_in(_DEFINITE) & by_technology.is_in(_DEFINITE) & (by_source != by_technology)
    message = pl.format("Contradicts the energy source “{}”: read as {}.", source, by_technology)
    notes.add(frame, clash, f"technology_{rank}", "TECHNOLOGY_CONTRADICTS", message)
    stated = source.is_not_null() | technology.is_not_null()
    settled = pl.when(by_technology.is_in(_DEFINITE)).then(by_technology)
    category = pl.coalesce(settled, by_source, by_technology, pl.when(stated).then(pl.lit("OTHER")))
    heat = (category == "OTHER") & pl.col(f"cogeneration_{rank}").fill_null(False)
    energy = pl.coalesce(
        category.replace_strict(_SOURCE_OF, default=None, return_dtype=pl.String),
        look_up_part(source, parts["source"], "energy_source"),
        look_up_part(technology, parts["technology"], "energy_source"),
    )
    fallback = pl.when(stated & (category == "OTHER")).then(pl.lit("OTHER"))
    return frame.with_columns(
        pl.when(heat).then(pl.lit("CHP")).otherwise(category).alias(f"category_{rank}"),
        pl.coalesce(energy, fallback).alias(f"energy_{rank}"),
    )

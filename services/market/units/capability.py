"""Capability of market units (UC-03.01): one set of rules over a frame of their assets, for any number of units at once.

Power counts from rest: what a unit can add to the system (up) and take away from it (down), in hundredths of a kW.

1. An asset adds something while it is connected and neither suspended nor ended. One that is validated anew (Pending
   Validation, Query) counts as declared; the number that aren't Verified stands beside the sums.
2. Storage: up is its generation capacity, down its demand capacity. Generation: down is its capacity without the minimum
   stable part, nothing where it can't be curtailed; up is its capacity, nothing where sun or wind decides. Demand: both ways
   the flexible share of its demand capacity, up besides what it can feed in. A category of both kinds counts as what its
   capacities make of it: storage, when it has both.
3. Energy is the usable content of storage: capacity above the minimum state of charge. Not known while one storage asset
   doesn't say it; nothing where there is no storage.
4. Response is that of the slowest asset that adds something: response time, start time or notice needed, whichever is longest.
5. Duration is that of the shortest: usable energy over capacity, or the longest interruption of a demand. Generation isn't
   limited. Nothing counts longer than a day.
6. Response and duration are not known while one asset that adds something doesn't say.
7. Assets on one MPAN stand at one accounting point; one that only has an export MPAN stands with the asset that has the same
   beside an import MPAN; one without any stands alone. More than one point makes a group (SPG).
"""

from collections.abc import Mapping
from typing import Any

import polars as pl

from models.assets import AssetStatus
from models.units import UnitType

ASSET_COLUMNS: Mapping[str, Any] = {
    "unit_id": pl.String,
    "asset_id": pl.String,
    "status": pl.String,
    "kind": pl.String,
    "connection_status": pl.String,
    "energy_source": pl.String,
    "rated": pl.Int64,
    "gen": pl.Int64,
    "demand": pl.Int64,
    "import_mpan": pl.String,
    "export_mpan": pl.String,
    "dno_code": pl.String,
    "gsp_group": pl.String,
    "storage": pl.Int64,
    "min_charge": pl.Int64,
    "response_s": pl.Int64,
    "start_min": pl.Int64,
    "notice_min": pl.Int64,
    "interruption_min": pl.Int64,
    "share": pl.Int64,
    "min_stable": pl.Int64,
    "curtailable": pl.Boolean,
}
"""Columns of the frame that the rules read: one row an asset (two where it is in two units).

`kind` is the x-kind of its category (storage, gen, demand, both); rated, gen, demand and min_stable are hundredths of a kW,
storage hundredths of a kWh, min_charge and share hundredths of a percent. What isn't declared is null.
"""
ATTRIBUTES: Mapping[str, str] = {
    "storage": "StorageCapacity_kWh",
    "min_charge": "MinStateOfCharge",
    "response_s": "ResponseTime_s",
    "start_min": "StartTime_min",
    "notice_min": "NoticeNeeded_min",
    "interruption_min": "MaxInterruption_min",
    "share": "FlexibleShare",
    "min_stable": "MinStableGeneration_kW",
    "curtailable": "CurtailmentCapable",
}
"""Columns that come from attributes of the category, with the attribute's term."""
COUNTING = (AssetStatus.VERIFIED, AssetStatus.PENDING_VALIDATION, AssetStatus.QUERY)
BY_WEATHER = ("SOLAR", "WIND")
HUNDRED_PERCENT = 100_00
"""A hundred percent, in hundredths of a percent."""
DAY_MINUTES = 24 * 60
MAX_NAMED_ASSETS = 10
"""The most assets that are named for each measure."""


def measure_assets(assets: pl.DataFrame) -> pl.DataFrame:
    """Measure what each asset contributes: adds `adds`, `up`, `down`, `energy`, `response`, `duration` and `point`."""
    located = _add_accounting_points(assets).with_columns(
        adds=pl.col("status").is_in([str(status) for status in COUNTING])
        & (pl.col("connection_status") == "CONNECTED"),
        gen=pl.col("gen").fill_null(0),
        demand=pl.col("demand").fill_null(0),
        role=_role_of_asset(),
        usable=pl.col("storage") * (HUNDRED_PERCENT - pl.col("min_charge").fill_null(0)) // HUNDRED_PERCENT,
    )
    flexible = pl.col("demand") * pl.col("share").fill_null(HUNDRED_PERCENT) // HUNDRED_PERCENT
    steered = pl.when(pl.col("energy_source").is_in(BY_WEATHER)).then(0).otherwise(pl.col("gen"))
    curtailed = (pl.col("gen") - pl.col("min_stable").fill_null(0)).clip(lower_bound=0)
    curtailed = pl.when(pl.col("curtailable").fill_null(True)).then(curtailed).otherwise(0)
    up = _choose_by_role(pl.col("gen"), steered, flexible + pl.col("gen"))
    down = _choose_by_role(pl.col("demand"), curtailed, flexible)
    nothing = pl.lit(0, pl.Int64)
    return located.with_columns(
        up=pl.when("adds").then(up).otherwise(nothing),
        down=pl.when("adds").then(down).otherwise(nothing),
        energy=pl.when("adds").then("usable"),
        stores=pl.col("adds") & ((pl.col("kind") == "storage") | pl.col("usable").is_not_null()),
        response=pl.max_horizontal("response_s", pl.col("start_min") * 60, pl.col("notice_min") * 60),
        duration=_duration_of_asset(),
    ).with_columns(moves=(pl.col("up") > 0) | (pl.col("down") > 0))


def _role_of_asset() -> pl.Expr:
    by_capacity = pl.when((pl.col("gen") > 0) & (pl.col("demand") > 0)).then(pl.lit("storage"))
    by_capacity = by_capacity.when(pl.col("gen") > 0).then(pl.lit("gen")).otherwise(pl.lit("demand"))
    return pl.when(pl.col("kind").is_in(["storage", "gen", "demand"])).then(pl.col("kind")).otherwise(by_capacity)


def _choose_by_role(storage: pl.Expr, generation: pl.Expr, demand: pl.Expr) -> pl.Expr:
    role = pl.col("role")
    return pl.when(role == "storage").then(storage).when(role == "gen").then(generation).otherwise(demand)


def _duration_of_asset() -> pl.Expr:
    """Return the duration in whole minutes; null is not known."""
    lasts = [
        pl.when(pl.col(power) > 0).then(pl.col("usable") * 60 // pl.col(power).replace(0, None))
        for power in ("gen", "demand")
    ]
    lasting = _choose_by_role(pl.min_horizontal(*lasts), pl.lit(DAY_MINUTES, pl.Int64), pl.col("interruption_min"))
    return lasting.clip(upper_bound=DAY_MINUTES)


def _add_accounting_points(assets: pl.DataFrame) -> pl.DataFrame:
    """Add the accounting point of each asset as `point` (rule 7)."""
    key = ["unit_id", "export_mpan"]
    two_way = assets.filter(pl.col("import_mpan").is_not_null() & pl.col("export_mpan").is_not_null())
    twins = two_way.group_by(key).agg(twin=pl.col("import_mpan").min())
    point = pl.coalesce("import_mpan", "twin", "export_mpan", "asset_id")
    return assets.join(twins, on=key, how="left").with_columns(point=point).drop("twin")


def sum_units(contributions: pl.DataFrame) -> pl.DataFrame:
    """Sum the frame of `measure_assets` to one row a unit.

    Columns: unit_id, unit_type, assets, accounting_points, rated, up, down, energy, response_s, duration_min, not_verified.
    Powers and energy are in hundredths of kW and kWh; null is not known.
    """
    moving = pl.col("moves")

    def of_all(measure: str, aggregate: pl.Expr) -> pl.Expr:
        """Keep a measure only where every asset that adds something declares it."""
        return pl.when(pl.col(measure).filter(moving).null_count() == 0).then(aggregate)

    energy = pl.col("energy").filter("stores")
    return (
        contributions.group_by("unit_id", maintain_order=True)
        .agg(
            assets=pl.len().cast(pl.Int64),
            accounting_points=pl.col("point").n_unique().cast(pl.Int64),
            rated=pl.col("rated").sum(),
            up=pl.col("up").sum(),
            down=pl.col("down").sum(),
            energy=pl.when((energy.null_count() == 0) & (energy.len() > 0)).then(energy.sum()),
            response_s=of_all("response", pl.col("response").filter(moving).max()),
            duration_min=of_all("duration", pl.col("duration").filter(moving).min()),
            not_verified=(pl.col("status") != str(AssetStatus.VERIFIED)).sum().cast(pl.Int64),
        )
        .with_columns(
            unit_type=pl.when(pl.col("accounting_points") > 1)
            .then(pl.lit(str(UnitType.SPG)))
            .otherwise(pl.lit(str(UnitType.SPU)))
        )
    )


def sum_areas(contributions: pl.DataFrame) -> pl.DataFrame:
    """Sum each unit by licence area and GSP group: unit_id, dno_code, gsp_group (empty: none), assets, up, down."""
    places = [pl.col(name).fill_null("") for name in ("dno_code", "gsp_group")]
    sums = (pl.len().cast(pl.Int64).alias("assets"), pl.col("up").sum(), pl.col("down").sum())
    return (
        contributions.with_columns(places).group_by("unit_id", "dno_code", "gsp_group", maintain_order=True).agg(*sums)
    )


def find_limiting_assets(contributions: pl.DataFrame, units: pl.DataFrame) -> dict[str, dict[str, dict[str, Any]]]:
    """Find the assets that set each measure: unit -> measure (up, down, energy, response, duration) -> its explanation.

    An explanation has `assets` (at most ten), `missing`, `silent` (assets that declare nothing) and `words`.

    For sums these are the largest, and `missing` how many add nothing; for response the slowest, for duration the shortest,
    and `missing` how many don't say.
    """
    adds_nothing = {name: (pl.col(name) > 0, pl.col(name) == 0) for name in ("up", "down")}
    says_nothing = {
        name: (pl.col("moves"), pl.col("moves") & pl.col(name).is_null()) for name in ("response", "duration")
    }
    energy = {"energy": (pl.col("stores"), pl.col("stores") & pl.col("energy").is_null())}
    explanations: dict[str, dict[str, dict[str, Any]]] = {unit: {} for unit in units["unit_id"]}
    for measure, (has, lacks) in {**adds_nothing, **energy, **says_nothing}.items():
        ranked = contributions.filter(has & pl.col(measure).is_not_null())
        ranked = ranked.sort(measure, "asset_id", descending=[measure != "duration", False])
        setting = ranked.group_by("unit_id").agg(ids=pl.col("asset_id").head(MAX_NAMED_ASSETS), having=pl.len())
        lacking = contributions.group_by("unit_id").agg(
            missing=lacks.sum(), silent=pl.col("asset_id").filter(lacks).head(MAX_NAMED_ASSETS)
        )
        for unit, missing, silent, ids, having in lacking.join(setting, on="unit_id", how="left").iter_rows():
            explanations[unit][measure] = {
                "assets": ids or [],
                "missing": missing,
                "silent": silent,
                "words": _describe_limit(measure, having or 0, missing),
            }
    return explanations


def _describe_limit(measure: str, having: int, missing: int) -> str:
    match measure:
        case "up" | "down":
            total = f"The sum of {_count_assets(having)}" if having else "No asset adds to it"
            return (
                f"{total}; {_count_assets(missing)} {'adds' if missing == 1 else 'add'} nothing this way."
                if missing
                else f"{total}."
            )
        case "energy":
            if missing:
                return f"Not known: {_count_assets(missing)} with storage {'does' if missing == 1 else 'do'}n't say how much."
            return (
                f"The usable content of {_count_assets(having)} with storage."
                if having
                else "None of its assets stores energy."
            )
        case _:
            ends = "slowest" if measure == "response" else "shortest"
            if missing:
                return f"Not known: {_count_assets(missing)} {'does' if missing == 1 else 'do'}n't say."
            return f"Set by the {ends} of {_count_assets(having)}." if having else "No asset adds anything."


def _count_assets(number: int) -> str:
    return f"{number:,} {'asset' if number == 1 else 'assets'}"


def sum_areas_and_limits(
    contributions: pl.DataFrame, units: pl.DataFrame
) -> tuple[pl.DataFrame, dict[str, dict[str, dict[str, Any]]]]:
    """Return `sum_areas` and `find_limiting_assets` of the same frame."""
    return sum_areas(contributions), find_limiting_assets(contributions, units)

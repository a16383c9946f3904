"""Files that a service writes, made when somebody asks for them and not before."""

import tempfile
from collections.abc import Callable
from pathlib import Path


def made_file(write: Callable[[Path], object], ending: str) -> Callable[[], bytes]:
    """What a download button takes: the bytes of the file that `write` writes, made when the button is pressed."""

    def make() -> bytes:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"file.{ending}"
            write(path)
            return path.read_bytes()

    return make

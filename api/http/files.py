"""Files as answers: written where they are wanted, sent, and removed."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from starlette.background import BackgroundTask
from starlette.responses import FileResponse

from services.assets.bulk.export.direct import MEDIA_TYPES


def file_content(*formats: str) -> dict[int | str, dict[str, Any]]:
    """The OpenAPI description of an answer that is a file in one of these formats."""
    binary = {"schema": {"type": "string", "format": "binary"}}
    return {200: {"description": "The file.", "content": {MEDIA_TYPES[name]: binary for name in formats}}}


def download_headers(file_name: str) -> dict[str, str]:
    """The header under which a file is saved."""
    return {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(file_name, safe='')}"}


def send_file(file_format: str, name: str, write: Callable[[Path], object]) -> FileResponse:
    """An answer with the file that `write` writes; nothing is left behind, whether it is sent or refused."""
    handle, place = tempfile.mkstemp(suffix=f".{file_format}")
    os.close(handle)
    path = Path(place)
    try:
        write(path)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    gone = BackgroundTask(path.unlink, missing_ok=True)
    return FileResponse(path, media_type=MEDIA_TYPES[file_format], filename=f"{name}.{file_format}", background=gone)

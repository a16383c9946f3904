"""The whole program, imported: what the process has in memory from which tests fork theirs (tests/processes.py)."""

import sandbox.app  # noqa: F401
from pages.frame.prefetch import import_components
from services.wiring import wire

wire()
import_components()

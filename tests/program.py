"""The whole program, imported: what the process has in memory from which tests fork theirs (tests/processes.py)."""

import manage  # noqa: F401
from services.wiring import wire

wire()

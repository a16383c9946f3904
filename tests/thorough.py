"""How much of what could be tried a run tries: FMAR_TEST_THOROUGH (make test-all) tries everything on every database."""

import os

THOROUGH = bool(os.environ.get("FMAR_TEST_THOROUGH"))


def times(usual: int, thorough: int) -> int:
    """How many examples, steps or kills: few while somebody waits, many in a thorough run."""
    return thorough if THOROUGH else usual

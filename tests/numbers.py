"""Numbers that nothing else in a test run carries: what factories make has names, codes and meters of its own.

One series for all factories, and another stretch of it for each worker of a run: a template that one worker built is copied
by the others, whose records then stand beside its records.
"""

import os
from itertools import count

STRETCH = 50_000
"""Numbers for a worker; with twenty workers all have six digits at most, as a company's registration number needs."""

NUMBERS = count(1 + STRETCH * (int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 19))

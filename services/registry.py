"""Every operation, event handler and periodic job of the register, known once this module is imported.

Doors and workers import it first, so that an event written by any process finds all its handlers.
"""

from importlib import import_module
from pkgutil import walk_packages

import services
from services.core.memory import without_collection
from services.core.operation import OPERATIONS, Operation


def load_all() -> dict[str, Operation]:
    """Import every module of the services; the operations by name."""
    with without_collection():
        for module in walk_packages(services.__path__, "services."):
            import_module(module.name)
    return OPERATIONS

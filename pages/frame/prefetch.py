"""Prefetch of the modules that pages draw with, so that nobody's first look at a page waits for its imports."""

from importlib import import_module
from pkgutil import walk_packages

from pages import components
from services.core.clock import add_working_days, today


def import_components() -> None:
    """Import every component of the pages, charts and maps included, and the calendar that deadlines are counted by."""
    for module in walk_packages(components.__path__, "pages.components."):
        import_module(module.name)
    add_working_days(today(), 1)

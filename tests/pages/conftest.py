"""What all page tests share: Streamlit as app.py sets it up, and its own failures shown whole."""

from typing import Any

import pytest
from streamlit import config
from streamlit.runtime.pages_manager import PagesManager


@pytest.fixture(autouse=True)
def as_the_app_sets_it_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """portal.py declares its pages itself; the test runner would look into the folder pages/ again before each run."""
    begin = PagesManager.__init__

    def begin_without_folder(self: PagesManager, *args: Any, **kwargs: Any) -> None:
        begin(self, *args, **kwargs)
        PagesManager.uses_pages_directory = False

    monkeypatch.setattr(PagesManager, "__init__", begin_without_folder)
    config.set_option("client.showErrorDetails", "full")

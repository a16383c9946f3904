"""Moments in tables: on London's clock, sorted by time, with their offset where the hour comes twice."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import streamlit as st

from services.core.clock import is_doubled

LONDON = "Europe/London"


def moment_column(moments: Iterable[datetime | None], label: str | None = None, *, seconds: bool = False) -> Any:
    """The column of a table that shows these moments.

    Where one of them lies in the hour that comes twice when the clocks go back, the whole column shows its offset
    (``25 Oct 2026, 01:30 +01:00``): a table knows one format for a column.
    """
    offset = " Z" if any(moment is not None and is_doubled(moment) for moment in moments) else ""
    time_of_day = "HH:mm:ss" if seconds else "HH:mm"
    return st.column_config.DatetimeColumn(label, timezone=LONDON, format=f"DD MMM YYYY, {time_of_day}{offset}")

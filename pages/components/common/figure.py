"""Plotly figure as plain dictionaries, in the names of Plotly's own reference.

Plotly's Python objects validate and copy at every step: building one chart with them takes longer than reading its data.
Streamlit validates the whole figure once when it is drawn, and adds its theme.
"""

from collections.abc import Mapping
from typing import Any, Self


class Figure:
    """Traces and layout of one chart, built up by keyword; nested parts are dictionaries."""

    def __init__(self) -> None:
        self._data: list[dict[str, Any]] = []
        self._layout: dict[str, Any] = {}
        self._axes: dict[str, dict[str, Any]] = {"xaxis": {}, "yaxis": {}}
        self._annotations: list[dict[str, Any]] = []

    def add_bar(self, **trace: Any) -> Self:
        """Add bars."""
        return self._add("bar", trace)

    def add_scatter(self, **trace: Any) -> Self:
        """Add points or lines."""
        return self._add("scatter", trace)

    def add_heatmap(self, **trace: Any) -> Self:
        """Add a grid of coloured cells."""
        return self._add("heatmap", trace)

    def _add(self, kind: str, trace: Mapping[str, Any]) -> Self:
        self._data.append({"type": kind, **{name: value for name, value in trace.items() if value is not None}})
        return self

    def add_annotation(self, **annotation: Any) -> Self:
        """Add words at a place."""
        self._annotations.append(annotation)
        return self

    def update_layout(self, **layout: Any) -> Self:
        """Set parts of the layout; of a part that is there already, what is named is set and the rest stays."""
        _merge(self._layout, layout)
        return self

    def update_xaxes(self, **axis: Any) -> Self:
        """Set what is named of the horizontal axis."""
        _merge(self._axes["xaxis"], axis)
        return self

    def update_yaxes(self, **axis: Any) -> Self:
        """Set what is named of the vertical axis."""
        _merge(self._axes["yaxis"], axis)
        return self

    def to_dict(self) -> dict[str, Any]:
        """The figure as `st.plotly_chart` takes it."""
        return {"data": self._data, "layout": {**self._layout, **self._axes, "annotations": self._annotations}}


def _merge(into: dict[str, Any], values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        before = into.get(name)
        into[name] = {**before, **value} if isinstance(before, dict) and isinstance(value, dict) else value

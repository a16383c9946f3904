"""Capability of a unit: each measure with the assets that set it, and where the unit lies (UC-03.01)."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from models.units import UnitArea, UnitHistory
from pages.components.common.asset_labels import group_words
from pages.components.common.charts import BLUE, GREEN
from pages.components.common.figure import Figure
from pages.components.common.power import show_kw
from pages.components.unit.labels import (
    DOWN_HELP,
    UP_HELP,
    draw_fact,
    show_energy,
    show_minutes,
    show_seconds,
)
from services.market.units.units import UnitDetails

MEASURES = {
    "up": "kW up",
    "down": "kW down",
    "energy": "Energy",
    "response": "Full delivery after",
    "duration": "Sustained for",
}
NAMED_BY = {
    "up": "The largest", "down": "The largest", "energy": "The largest", "response": "The slowest", "duration": "The shortest",
}  # fmt: skip


def draw_capability(whole: UnitDetails, names: Mapping[str, str]) -> None:
    """Measure by measure; `names` are those of the assets that limits name, as far as the reader sees them."""
    capability = whole.capability
    if whole.being_counted:
        st.info("Assets in it have changed: it is being counted anew. This takes a moment.", icon=":material/sync:")
    if capability.not_verified:
        single = capability.not_verified == 1
        st.warning(
            f"{capability.not_verified:,} of its assets {'is' if single else 'are'} not Verified now: declared values count "
            "while an asset is in validation, nothing once it is suspended.",
            icon=":material/pending:",
        )
    values = {
        "up": (show_kw(capability.up), UP_HELP),
        "down": (show_kw(capability.down), DOWN_HELP),
        "energy": (show_energy(capability.energy_kwh), "Usable content of its storage."),
        "response": (show_seconds(capability.response_s), "Seconds until its slowest asset delivers in full."),
        "duration": (show_minutes(capability.duration_min), "As long as its shortest asset keeps full delivery up."),
    }
    grid = st.grid(5, min_column_width=150)
    for measure, label in MEASURES.items():
        value, words = values[measure]
        draw_fact(grid, label, value, words)
    st.markdown("#### What sets each measure")
    st.dataframe(
        [_limit(measure, capability.limits[measure], names) for measure in MEASURES if measure in capability.limits],
        hide_index=True,
        width="stretch",
        column_config={
            "Which": st.column_config.TextColumn(width="large"),
            "How": st.column_config.TextColumn(width="large"),
        },
    )
    with st.expander("How it is counted", icon=":material/calculate:"):
        st.markdown(HOW)
    draw_areas(whole.areas)


HOW = """Power counts from rest, in kW. **Storage**: up is its generation capacity, down its demand capacity.
**Generation**: down is its capacity above the minimum stable part, unless it can't be curtailed; up is its capacity, unless sun
or wind decides. **Demand**: both ways the flexible share of its demand capacity, and up besides what it can feed in. An asset
adds something while it is connected and neither suspended nor ended. **Energy** is the usable content of storage. **Full
delivery** is that of the slowest asset, **duration** that of the shortest (a day at most); both are not known while one asset
that adds something doesn't say. Assets on one MPAN stand at one accounting point."""


def _limit(measure: str, limit: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, str]:
    lacking = "doesn't say" if measure in ("energy", "response", "duration") else "adds nothing"
    setting = [names[asset] for asset in limit["assets"] if asset in names][:3]
    silent = [names[asset] for asset in limit.get("silent", []) if asset in names][:3]
    which = [f"{NAMED_BY[measure]}: {', '.join(setting)}"] if setting else []
    which += [f"{lacking}: {', '.join(silent)}{' ...' if limit['missing'] > len(silent) else ''}"] if silent else []
    return {"Measure": MEASURES[measure], "How": limit["words"], "Which": "; ".join(which) or "–"}


def draw_areas(areas: Sequence[UnitArea]) -> None:
    """Its share of each licence area and GSP group."""
    st.markdown("#### Location")
    st.dataframe(
        [
            {
                "GSP group": group_words(area.gsp_group) if area.gsp_group else "Not known",
                "Distribution network": area.dno_code or "Not known",
                "Assets": area.assets,
                "kW up": float(area.up),
                "kW down": float(area.down),
            }
            for area in areas
        ],
        hide_index=True,
        width="stretch",
        column_config={
            name: st.column_config.NumberColumn(name, format="localized") for name in ("Assets", "kW up", "kW down")
        },
    )


def draw_over_time(steps: Sequence[UnitHistory]) -> None:
    """Capacity of a unit after each change of its assets, as a step chart."""
    st.markdown("#### Capacity over time :gray[(kW, after each change of its assets)]")
    if len(steps) < 2:
        st.caption("It hasn't changed since it was made: a chart follows with its first change.")
        return
    figure = Figure()
    for name, label, colour, dash in (("up", "kW up", BLUE, "solid"), ("down", "kW down", GREEN, "dash")):
        values = [float(getattr(step, name)) for step in steps]
        line = {"color": colour, "width": 3, "shape": "hv", "dash": dash}
        figure.add_scatter(x=[step.at for step in steps], y=values, name=label, mode="lines+markers", line=line)
    figure.update_layout(height=300, margin={"l": 4, "r": 12, "t": 8, "b": 8}, legend={"orientation": "h", "y": 1.15})
    figure.update_yaxes(rangemode="tozero", title="kW", fixedrange=True)
    figure.update_xaxes(fixedrange=True)
    last = steps[-1]
    alt = f"{len(steps)} steps; now {last.up} kW up and {last.down} kW down"
    st.plotly_chart(
        figure.to_dict(),
        key="unit-steps",
        theme="streamlit",
        config={"displayModeBar": False},
        width="stretch",
        alt=alt,
    )

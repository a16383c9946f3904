"""Register settings: the meaning, bounds and history of each, and how to change it."""

from decimal import Decimal

import streamlit as st

from pages.components.common import dialogs
from pages.frame import session
from pages.frame.markdown import escape_markdown
from pages.frame.refusals import show_refusal
from services.core.clock import show_moment
from services.core.errors import Conflict, RegisterError
from services.core.identity.permissions import may
from services.core.register_settings import SettingValue, change_setting, read_settings
from services.governance.ledger import setting_history

UNITS = ("_percent", "_kw", "_m")
"""Endings of keys that name a unit, which stands beside the value anyway."""


def _format_number(value: Decimal) -> str:
    return f"{value.normalize():,f}"


def _label_of(key: str) -> str:
    area, _, name = key.partition(".")
    for unit in UNITS:
        name = name.removesuffix(unit)
    return f"{area.capitalize()}: {name.replace('_', ' ')}"


@st.dialog("Change a setting", width="medium", on_dismiss=dialogs.close)
def _draw_change(setting: SettingValue) -> None:
    kind = setting.kind
    st.markdown(f"**{escape_markdown(_label_of(kind.key))}**")
    st.markdown(escape_markdown(kind.meaning))
    value = st.text_input(
        f"New value ({kind.unit})",
        value=format(setting.value.normalize(), "f"),
        key=f"value-{kind.key}",
        help=f"From {_format_number(kind.minimum)} to {_format_number(kind.maximum)} {kind.unit}; the default is "
        f"{_format_number(kind.default)}.",
    )
    if st.button("Save", type="primary", icon=":material/save:"):
        try:
            change_setting(actor, kind.key, value or "", setting.version)
        except Conflict as stale:
            st.warning(
                f"{escape_markdown(stale.message)} It is "
                f"{escape_markdown(str(stale.current.get('value')))} now. Close this and look again.",
                icon=":material/sync_problem:",
            )
        except RegisterError as refused:
            show_refusal(refused)
        else:
            st.toast("Saved. It counts from now on.", icon=":material/task_alt:")
            dialogs.close()
            st.rerun()


@st.dialog("History of a setting", width="medium", on_dismiss=dialogs.close)
def _draw_history(setting: SettingValue) -> None:
    st.markdown(f"**{escape_markdown(_label_of(setting.kind.key))}**")
    changes = setting_history(actor, setting.kind.key)
    before = format(setting.kind.default.normalize(), "f")
    rows = []
    for change in reversed(changes):
        after = str(change.changes.get("value", (before, before))[1])
        rows.append({"When": show_moment(change.at), "By": change.actor, "Before": before, "After": after})
        before = after
    if rows:
        st.dataframe(rows[::-1], hide_index=True, width="stretch")
    else:
        st.info("It was never changed: it has its default.", icon=":material/history:")


def _draw_setting(setting: SettingValue) -> None:
    kind = setting.kind
    with st.container(border=True):
        st.markdown(f"**{escape_markdown(_label_of(kind.key))}**")
        st.markdown(escape_markdown(kind.meaning))
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"#### {_format_number(setting.value)} {escape_markdown(kind.unit)}")
            if setting.value != kind.default:
                st.badge(f"default {_format_number(kind.default)}", color="orange")
        st.caption(
            f"From {_format_number(kind.minimum)} to {_format_number(kind.maximum)} "
            f"{escape_markdown(kind.unit)} · {kind.use_case} · "
            f"`{kind.key}`"
        )
        with st.container(horizontal=True):
            offered = [("Change", f"change-{kind.key}", "edit", _draw_change)] if changing else []
            for label, name, icon, dialog in (*offered, ("History", f"history-{kind.key}", "history", _draw_history)):
                st.button(label, key=name, icon=f":material/{icon}:", on_click=dialogs.ask, args=(name,))
                if dialogs.is_open(name):
                    dialog(setting)


actor = session.actor()
changing = may(actor, "setting.change")
st.title("Settings")
st.caption(
    "Operating parameters. "
    + ("A change counts from the next act on, and stays in the ledger with your name." if changing else "")
)
grid = st.grid(2, min_column_width=340)
for value in read_settings(actor):
    with grid.container():
        _draw_setting(value)
if not changing:
    st.caption("The FMAR administrator changes these.")

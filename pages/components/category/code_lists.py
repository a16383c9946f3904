"""The code lists: read by everybody; codes added, renamed, put in order and retired by their keeper."""

from collections.abc import Callable, Sequence

import streamlit as st

from models.assets import CodeListEntry
from pages.components.common import dialogs
from pages.components.common.asset_filters import accept_codes
from pages.frame.markdown import escape_markdown
from pages.frame.refusals import show_refusal
from services.assets.categories.codes import (
    APPLIES,
    add_code,
    code_list_entries,
    code_usage,
    code_users,
    order_codes,
    rename_code,
    set_code_active,
    stale_attributes,
)
from services.assets.rules.reference import CATEGORY_LIST, code_lists
from services.core.errors import RegisterError
from services.core.identity.actor import Actor

NAMES = {
    "AliasScheme": "Schemes of other identifiers",
    "AssetCategory": "Asset categories",
    "ConnectionStatus": "Connection statuses",
    "ConnectionType": "Connection types",
    "DNOCode": "Distribution networks",
    "DemandTechType": "Demand technologies",
    "EnergySource": "Energy sources",
    "IdentifierScheme": "Schemes of organisations' identifiers",
    "OrganisationRole": "Roles of organisations",
    "OrganisationType": "Types of organisation",
}


def draw_code_lists(actor: Actor, keeping: bool) -> None:
    """Choose a list; its codes with how many records use each, and where it is chosen from."""
    titles = {name: NAMES.get(name, name) for name in sorted(code_lists(), key=lambda name: NAMES.get(name, name))}
    accept_codes("code-list", titles, several=False)
    list_name = st.selectbox(
        "Code list", list(titles), format_func=titles.__getitem__, key="code-list", bind="query-params"
    )
    if not list_name:
        return
    entries = code_list_entries(actor, list_name)
    users = code_users(actor, list_name)
    if users:
        st.caption(f"Used by: {escape_markdown(', '.join(users))}.")
    usage = code_usage(actor, list_name) if keeping else {}
    st.dataframe(
        [
            {
                "Code": entry.code,
                "Label": entry.label,
                "Active": entry.active,
                "Applies to": entry.applies_to or "",
                **({"In use by": usage.get(entry.code, 0)} if keeping else {}),
            }
            for entry in entries
        ],
        hide_index=True,
        width="stretch",
        column_config={"In use by": st.column_config.NumberColumn(help="Active assets, or organisations.")},
    )
    if keeping:
        _keep(actor, list_name, entries, usage)


def _keep(actor: Actor, name: str, entries: Sequence[CodeListEntry], usage: dict[str, int]) -> None:
    stale = stale_attributes(actor, name)
    if stale:
        st.info(
            f"These keep the choices they were published with; a new version takes over the list as it is now: "
            f"{escape_markdown(', '.join(stale))}.",
            icon=":material/history:",
        )
    if name == CATEGORY_LIST:
        st.caption("A category is added, renamed and retired by its schema; here you put the list in order.")
    else:
        st.button("Add a code", icon=":material/add:", on_click=dialogs.ask, args=("add-code",))
        if dialogs.is_open("add-code"):
            _add(actor, name)
    by_code = {entry.code: entry for entry in entries}
    code = st.selectbox(
        "Change a code", list(by_code), format_func=lambda option: f"{by_code[option].label} ({option})"
    )
    if code is None:
        return
    entry, place = by_code[code], list(by_code).index(code)
    with st.container(horizontal=True):
        for label, by, icon in (("Up", -1, "arrow_upward"), ("Down", 1, "arrow_downward")):
            at_end = place + by not in range(len(by_code))
            if st.button(label, icon=f":material/{icon}:", disabled=at_end):
                order = list(by_code)
                order.insert(place + by, order.pop(place))
                _do(lambda order=order: order_codes(actor, name, order), f"{entry.label} moved.")
        if name != CATEGORY_LIST:
            st.button("Rename", icon=":material/edit:", on_click=dialogs.ask, args=("rename-code",))
            act = "Retire" if entry.active else "Put into use"
            st.button(act, icon=":material/toggle_on:", on_click=dialogs.ask, args=("switch-code",))
    if dialogs.is_open("rename-code"):
        _rename(actor, name, entry)
    elif dialogs.is_open("switch-code"):
        _switch(actor, name, entry, usage.get(code, 0))


@st.dialog("Add a code", width="medium", on_dismiss=dialogs.close)
def _add(actor: Actor, name: str) -> None:
    st.markdown(f"To **{escape_markdown(NAMES.get(name, name))}**. A code stays for good; it can be retired.")
    code = st.text_input("Code *", key="add-code-code", help="2 to 40 capitals, digits and underscores.")
    label = st.text_input("Label *", key="add-code-label", help="What people read.")
    applies = st.selectbox("Applies to", APPLIES, key="add-code-applies")
    if st.button("Add it", type="primary", icon=":material/add:"):
        _do(lambda: add_code(actor, name, (code or "").strip(), label or "", applies or "All"), f"{code} added.")


@st.dialog("Rename a code", width="medium", on_dismiss=dialogs.close)
def _rename(actor: Actor, name: str, entry: CodeListEntry) -> None:
    st.markdown(
        f"The code **{escape_markdown(entry.code)}** stays, and so does every record that has it; people read the label."
    )
    label = st.text_input("Label *", entry.label, key=f"rename-{entry.code}")
    if st.button("Rename it", type="primary", icon=":material/edit:"):
        _do(lambda: rename_code(actor, name, entry.code, label or "", entry.version), f"{entry.code} renamed.")


@st.dialog("Retire or put into use", width="medium", on_dismiss=dialogs.close)
def _switch(actor: Actor, name: str, entry: CodeListEntry, used: int) -> None:
    if entry.active:
        st.markdown(
            f"Nobody can choose **{escape_markdown(entry.label)}** any more, in forms, files or by API. {used:,} active "
            f"{'record keeps' if used == 1 else 'records keep'} it; where one is changed, this value may stay."
        )
    else:
        st.markdown(f"**{escape_markdown(entry.label)}** can be chosen again, in forms, files and by API.")
    if st.button("Retire it" if entry.active else "Put it into use", type="primary"):
        outcome = "retired" if entry.active else "in use"
        _do(
            lambda: set_code_active(actor, name, entry.code, not entry.active, entry.version),
            f"{entry.code} {outcome}.",
        )


def _do(act: Callable[[], object], message: str) -> None:
    try:
        act()
    except RegisterError as refused:
        show_refusal(refused, {"Code": "Code", "Label": "Label"})
        return
    for key in ("add-code-code", "add-code-label"):
        st.session_state.pop(key, None)
    st.toast(message, icon=":material/task_alt:")
    dialogs.close()
    st.rerun()

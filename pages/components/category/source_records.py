"""Records of public registers on one site, edition by edition."""

from typing import Any

import streamlit as st

from models.sources import SourceRecord
from pages.frame.access import note_record
from pages.frame.markdown import escape_markdown
from pages.frame.refusals import format_value, show_changes
from services.assets.sources.reading_records import find_records, record_versions
from services.core.clock import show_date
from services.core.identity.actor import Actor


def draw_record_search(actor: Actor) -> None:
    """Look a site up by MPAN or by a register's reference, and show its history."""
    entry = st.text_input(
        "MPAN or reference",
        key="source-key",
        placeholder="13 digits, or the reference that a register gives",
        help="The reference of the Embedded Capacity Register, or the Ref ID of the planning database.",
    ).strip()
    if not entry:
        return
    digits = "".join(entry.split())
    records = find_records(actor, mpan=digits) if len(digits) == 13 and digits.isdigit() else []
    records = records or find_records(actor, reference=entry)
    if not records:
        st.info(
            "No register that is loaded knows it. Check the digits, or load a newer edition.",
            icon=":material/search_off:",
        )
        return
    names = {record.id: f"{record.kind} · {_name(record)} · {record.record_key}" for record in records}
    record_id = next(iter(names))
    if len(names) > 1:
        record_id = st.selectbox("Record", list(names), format_func=names.__getitem__, key="source-record")
    note_record(actor, "source_record", record_id)
    _history(record_versions(actor, record_id))


def _name(record: SourceRecord) -> str:
    return str(record.values.get("site_name") or record.values.get("name") or "unnamed site")


def _history(versions: list[SourceRecord]) -> None:
    for place, version in enumerate(versions):
        until = "until now" if version.valid_to is None else f"until {show_date(version.valid_to)}"
        with st.container(border=True):
            st.markdown(f"**{escape_markdown(_name(version))}** · {escape_markdown(version.publisher)}")
            st.caption(f"From the edition of {show_date(version.valid_from)} {until}")
            if place + 1 < len(versions):
                changes = _changes(versions[place + 1].values, version.values)
                st.markdown("What this edition changed:")
                show_changes(changes)
            with st.expander("The row as it was published"):
                rows = [{"Heading": name, "Cell": format_value(cell)} for name, cell in version.raw.items()]
                st.dataframe(rows, hide_index=True, width="stretch", key=f"raw-{version.id}")


def _changes(before: dict[str, Any], after: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    names = [name for name in {**before, **after} if name not in ("row", "key", "kind")]
    return {
        name.replace("_", " ").capitalize(): (before.get(name), after.get(name))
        for name in names
        if before.get(name) != after.get(name)
    }

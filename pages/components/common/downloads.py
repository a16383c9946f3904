"""Files for people: small tables at once, all else by a ticket of the API for one person and one file.

Streamlit keeps what it offers to download in a store that names files over 1 MiB by their length and three samples: files of
two people could be taken for one another. Nothing large goes there.
"""

import csv
import io
import json
import time
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import streamlit as st

from pages.frame.session import browser_mark
from services.core.file_tickets import DownloadKind, issue_file_ticket
from services.core.identity.actor import Actor

RUNS = ("=", "+", "-", "@", "\t", "\r")
LARGEST_TABLE = 256 * 1024
"""Bytes of a file that Streamlit's store takes at most."""
ICON = ":material/download:"
ADDRESS = "/api/files/download?ticket="
FETCH = """<script>(() => {{
  const link = document.createElement("a");
  link.href = {address};
  document.body.append(link);
  link.click();
  link.remove();
}})() // {press}</script>"""
"""Has the browser save the file that the address answers, and the page stays; a refusal opens as a page of words instead.
Each press is another text, or it would not be run again."""
Kind = Literal["primary", "secondary", "tertiary"]


def csv_bytes(rows: Sequence[Mapping[str, Any]], headings: Sequence[str] = ()) -> bytes:
    """UTF-8 with a byte order mark, which spreadsheets ask for; headings from the first row, unless they are named."""
    text = io.StringIO()
    writer = csv.writer(text)
    if headings or rows:
        writer.writerow(headings or list(rows[0]))
        writer.writerows([_cell(value) for value in row.values()] for row in rows)
    return text.getvalue().encode("utf-8-sig")


def _cell(value: Any) -> Any:
    """A text that a spreadsheet would run gets an apostrophe before it; numbers stay numbers."""
    return f"'{value}" if isinstance(value, str) and value.startswith(RUNS) else value


def draw_table_download(
    label: str,
    rows: Sequence[Mapping[str, Any]],
    file_name: str,
    *,
    key: str | None = None,
    kind: Kind = "secondary",
) -> None:
    """A button that saves a table of the page as CSV; a word instead where it is too large for that."""
    draw_small_download(label, csv_bytes(rows), file_name, "text/csv", key=key, kind=kind)


def draw_small_download(
    label: str, content: bytes, file_name: str, media_type: str, *, key: str | None = None, kind: Kind = "secondary"
) -> None:
    """A button that saves what the page has made, up to `LARGEST_TABLE`."""
    if len(content) > LARGEST_TABLE:
        st.caption(f"{label}: too large to be saved from here. Choose fewer rows first.")
        return
    st.download_button(label, content, file_name, media_type, icon=ICON, key=key, type=kind, on_click="ignore")


def draw_file_download(
    actor: Actor,
    label: str,
    kind: DownloadKind,
    values: Mapping[str, Any],
    *,
    key: str,
    icon: str = ICON,
    button: Kind = "secondary",
    help_text: str | None = None,
    disabled: bool = False,
) -> None:
    """A button that saves a file of the register: made when it is pressed, for this person, in this browser."""
    if st.button(label, icon=icon, key=key, type=button, help=help_text, disabled=disabled):
        ticket = issue_file_ticket(actor, kind, values, browser_mark())
        script = FETCH.format(address=json.dumps(ADDRESS + ticket), press=time.time_ns())
        st.html(script, unsafe_allow_javascript=True)

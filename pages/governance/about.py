"""About the register: its purpose, the use cases with their operations, and the sources of its data."""

import tomllib
from functools import cache

import streamlit as st

from pages.frame import session
from pages.frame.markdown import escape_markdown
from pages.frame.navigation import link
from services.assets.sources.reading_records import list_editions
from services.core.clock import show_date
from services.core.identity.permissions import may
from services.core.settings import ROOT, settings
from services.governance.use_cases import UseCase, use_cases

ATTRIBUTIONS = (
    ("GSP groups and regions", "Supported by National Energy SO Open Data", "NESO Open Licence"),
    (
        "Postcodes and grid references",
        "Contains OS data © Crown copyright and database right",
        "Open Government Licence v3.0",
    ),
    ("Coast of Great Britain", "Copyright © Toby Thurston 2017", "MIT Licence"),
    ("Embedded Capacity Register, where loaded", "UK Power Networks", "CC BY 4.0"),
    (
        "Renewable Energy Planning Database, where loaded",
        "Department for Energy Security and Net Zero. Contains public sector information",
        "Open Government Licence v3.0",
    ),
)
PURPOSE = """
FMAR holds who provides flexibility to the electricity system of Great Britain, and with which assets. An organisation and
its assets are registered **once**, held against public registers, and then used by every system operator, market and
platform, each of whom sees what concerns them and nothing else.
"""


@cache
def _read_version() -> str:
    return str(tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"])


def _draw_use_cases(cases: list[UseCase]) -> None:
    done = [case for case in cases if case.operations]
    st.subheader("Use cases")
    st.caption(
        f"{len(done)} of {len(cases)} use cases are implemented. The list is read from the code: an operation names its "
        "use case, and the same name stands in the ledger with every change."
    )
    rows = [
        {
            "Use case": case.id,
            "Title": case.title,
            "Module": case.module,
            "State": "Implemented" if case.operations else "Planned",
            "Operations": len(case.operations),
        }
        for case in cases
    ]
    st.dataframe(rows, hide_index=True, width="stretch", height="content", key="use-cases")
    for case in done:
        with st.expander(f"{case.id} {case.title} ({len(case.operations)})"):
            listed = [
                {
                    "Operation": operation.name,
                    "What it does": operation.summary,
                    "Permission": operation.permission,
                    "Writes": "Yes" if operation.writes else "No",
                    "Where": operation.module,
                }
                for operation in case.operations
            ]
            st.dataframe(listed, hide_index=True, width="stretch", key=f"operations-{case.id}")


def _draw_sources() -> None:
    st.subheader("Data of others")
    rows = [{"Data": data, "Whose": owner, "Licence": licence} for data, owner, licence in ATTRIBUTIONS]
    if may(actor, "source.read"):
        rows += [
            {
                "Data": f"{edition.kind} edition of {show_date(edition.edition_date)}",
                "Whose": edition.publisher,
                "Licence": edition.licence,
            }
            for edition in list_editions(actor)
        ]
    cells = [{name: escape_markdown(text) for name, text in row.items()} for row in rows]
    st.table(cells, border="horizontal", hide_index=True, alt="Attributions")


actor = session.actor()
st.title("About the register")
st.caption("What it is, what it can do, and whose data it stands on.")
st.markdown(PURPOSE)
with st.container(horizontal=True):
    st.badge(f"Version {_read_version()}", color="blue", icon=":material/tag:")
    demo = settings().demo
    words = "Demo mode: made-up data, no passwords" if demo else "Live"
    st.badge(words, color="orange" if demo else "green", icon=":material/science:" if demo else ":material/bolt:")
    st.badge(escape_markdown(f"You are {actor.role_label}"), color="gray", icon=":material/person:")
link("governance/permissions.py", "Who may do what", "lock_person")
st.markdown("Programs use the API, described at [/api/docs](/api/docs).")
_draw_use_cases(use_cases())
_draw_sources()

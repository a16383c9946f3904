"""Licence areas of a DNO: shown to everybody, set by the FMAR administrator."""

import streamlit as st

from models.participants import Organisation
from pages.frame.markdown import escape_markdown
from pages.frame.refusals import show_refusal
from services.core.errors import RegisterError
from services.core.identity.actor import Actor
from services.core.identity.permissions import may
from services.grid.geography import LICENCE_AREAS, gsp_group_name
from services.participants.organisations import set_licence_areas

NAMES = {area.code: f"{gsp_group_name(area.gsp_group)} ({area.code})" for area in LICENCE_AREAS if area.gsp_group}


def draw_licence_areas(organisation: Organisation) -> None:
    """Draw the licence areas of a DNO; nothing for anybody else."""
    if organisation.licence_areas:
        names = [NAMES.get(code, code) for code in organisation.licence_areas]
        st.markdown(f"**Licence areas**: {escape_markdown(', '.join(names))}")


def draw_licence_area_choice(actor: Actor, organisation: Organisation) -> None:
    """Let the administrator set the areas whose assets the DNO's people see, from their next click."""
    if "DNO" not in organisation.organisation_roles or not may(actor, "organisation.decide"):
        return
    with st.expander("Set the licence areas", icon=":material/map:"):
        areas = st.multiselect(
            "Licence areas",
            list(NAMES),
            default=[code for code in organisation.licence_areas if code in NAMES],
            format_func=NAMES.__getitem__,
            key=f"areas-{organisation.id}-{organisation.version}",
            help="Its people see the assets connected in these areas.",
        )
        if st.button("Save the licence areas", disabled=areas == organisation.licence_areas):
            try:
                set_licence_areas(actor, organisation.id, areas, organisation.version)
            except RegisterError as refused:
                show_refusal(refused)
            else:
                st.toast("The licence areas are saved.", icon=":material/task_alt:")
                st.rerun()

"""Home: tasks of the person at the screen, the register in numbers, and recent changes."""

import streamlit as st

from models.participants import OrganisationStatus
from pages.components.home.figures import draw_numbers
from pages.components.home.getting_started import draw_first_steps
from pages.components.home.inbox import draw_errands
from pages.components.home.recent import draw_recent
from pages.frame import session
from pages.frame.markdown import escape_markdown
from pages.frame.tasks import keep_counts
from services.assets.counters.figures import register_in_numbers
from services.core.identity.actor import Actor
from services.core.identity.permissions import may
from services.governance.recent import recent_changes
from services.governance.waiting import what_waits
from services.participants.reading import get_organisation

RECENT = 12


def waits_for_approval(actor: Actor) -> bool:
    """Tell whether the actor's own organisation has not been decided yet."""
    own = actor.organisation_id
    return own is not None and get_organisation(actor, own).organisation_status is OrganisationStatus.PENDING_APPROVAL


actor = session.actor()
st.title(escape_markdown(actor.organisation_name or "Home"))
st.caption("Tasks, key figures and recent activity.")
if waits_for_approval(actor):
    st.info(
        "Your organisation waits for approval by the FMAR administrator. Until then you can complete its record and invite "
        "colleagues; registering assets opens with the approval.",
        icon=":material/hourglass_top:",
    )
errands = what_waits(actor)
keep_counts(actor, errands)
figures = register_in_numbers(actor) if may(actor, "asset.statistics") else None
changes = recent_changes(actor, RECENT) if may(actor, "event.read") else []
draw_errands(actor, errands)
if figures and (figures.total.withheld or figures.total.count or figures.by_status):
    draw_numbers(figures, changes)
else:
    draw_first_steps(actor)
    if changes:
        draw_recent(changes)

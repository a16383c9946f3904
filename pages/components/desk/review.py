"""Review page, one asset after the other: what waits, whose turn it is, the decision, and the way to the next."""

from collections.abc import Mapping, Sequence
from uuid import UUID

import streamlit as st

from models.assets import STATUS_LABELS
from pages.components.asset.actions import acts_of, draw_acts
from pages.components.asset.query import draw_query
from pages.components.common.asset_labels import words_for
from pages.components.common.scroll import scroll_up_for
from pages.components.desk.panel import draw_facts_in_brief, draw_link
from pages.components.desk.review_state import go_to
from pages.frame.markdown import escape_markdown
from services.assets.asset_page.page import whole_asset
from services.assets.checks.queries import Awaits, ReviewItem, messages_of
from services.assets.reading.assets import get_asset
from services.core.clock import in_london, show_moment, today, working_days_between
from services.core.errors import NotFound
from services.core.identity.actor import Actor

HEAD = "review-head"
BY_FORM = ("settle_query", "answer_query", "settle_differences")


def count_waiting_days(item: ReviewItem) -> int:
    """Working days since the asset came into its status."""
    return working_days_between(in_london(item.since).date(), today()) if item.since else 0


def draw_steps(queue: Sequence[ReviewItem], place: int) -> None:
    """Name of the asset, previous, the place in the queue, next; by keyboard too. It stays in sight, and begins at the top."""
    asset = queue[place].asset
    scroll_up_for(str(asset.id), HEAD)
    with st.container(key=HEAD, gap="xsmall"):
        st.subheader(escape_markdown(asset.asset_name), anchor=False)
        _draw_steps(queue, place)


def _draw_steps(queue: Sequence[ReviewItem], place: int) -> None:
    before = queue[place - 1].asset.id if place else None
    after = queue[place + 1].asset.id if place + 1 < len(queue) else None
    with st.container(horizontal=True, vertical_alignment="center"):
        _step("Previous", "arrow_back", "alt+p", before)
        st.markdown(f"**{place + 1:,} of {len(queue):,}**", width="content")
        _step("Next", "arrow_forward", "alt+n", after)


def _step(label: str, icon: str, shortcut: str, target: UUID | None) -> None:
    st.button(
        label,
        icon=f":material/{icon}:",
        shortcut=shortcut,
        disabled=target is None,
        on_click=go_to,
        args=(target,),
        key=f"review-{label.lower()}",
    )


def in_sentence(who: str) -> str:
    """Whom a record is with, as it stands inside a sentence: you, the FSP, FMAR."""
    return who if who.isupper() else f"{who[0].lower()}{who[1:]}"


def draw_item(actor: Actor, queue: Sequence[ReviewItem], place: int, turns: Mapping[Awaits, str]) -> None:
    """The asset at this place, with the form for whoever's turn it is; after a decision the next one follows."""
    item = queue[place]
    whole = whole_asset(actor, item.asset.id)
    actions = acts_of(whole)
    allowed = {action.operation for action in actions if action.allowed}
    with st.container(border=True):
        days, who = count_waiting_days(item), turns[item.awaits]
        words = f"{days:,} working {'day' if days == 1 else 'days'} so far"
        st.caption(f"With {in_sentence(who)}, {words}")
        draw_facts_in_brief(whole.asset, words_for(actor, whole.asset))
        draw_link(whole.asset)
        if not allowed & set(BY_FORM):
            _say_why(
                item,
                [
                    f"{action.label}: {action.why_not}"
                    for action in actions
                    if action.operation in BY_FORM and action.why_not
                ],
            )
        draw_query(actor, whole, allowed)
        draw_acts(actor, whole.asset, [action for action in actions if action.operation not in BY_FORM])


def _say_why(item: ReviewItem, reasons: Sequence[str]) -> None:
    """Somebody who can only read is told why there is no form, and what is open."""
    for reason in item.reasons:
        st.markdown(f":material/difference: {escape_markdown(reason)}")
    st.info("  \n".join(reasons), icon=":material/visibility:")


def say_gone(actor: Actor, identifier: UUID) -> None:
    """The asset that was to be shown doesn't wait any more: what became of it, and by whom."""
    try:
        asset = get_asset(actor, identifier)
    except NotFound:
        st.warning("The asset that the address names isn't among those you may see.", icon=":material/visibility_off:")
        return
    messages = messages_of(actor, identifier)
    by = f" Last said by {escape_markdown(messages[-1].author_name)}." if messages else ""
    st.info(
        f"**{escape_markdown(asset.asset_name)}** isn't waiting here any more: it is {STATUS_LABELS[asset.status]} since "
        f"{show_moment(asset.status_since)}.{by}",
        icon=":material/skip_next:",
    )

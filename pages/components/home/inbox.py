"""The inbox: errands that wait for the actor, a line each, linked to exactly what it counts."""

from collections.abc import Callable

import streamlit as st

from models.assets import AssetStatus
from pages.components.asset_form.draft_list import form_of
from pages.components.qualification.labels import ADDRESS
from pages.components.upload.labels import describe_end
from pages.frame.markdown import escape_markdown
from pages.frame.navigation import link
from services.assets.registration.draft_board import DraftBoard, DraftState, DraftView
from services.core.clock import now, show_date
from services.core.identity.actor import Actor
from services.core.identity.permissions import may
from services.governance.waiting import Errand, Errands, OpenQuery

NAMED = 3
"""Drafts that are named one by one; the others stand on the page of drafts."""
ASSETS, WAITING, DRAFTS, UPLOAD = "assets/assets.py", "waiting.py", "assets/drafts.py", "assets/upload.py"


def format_count(count: int, singular: str, plural: str) -> str:
    """Format a count with its words."""
    return f"**{count:,}** {singular if count == 1 else plural}"


def draw_errands(actor: Actor, errands: Errands) -> None:
    """Draw the lines that concern the actor; a good word where nothing waits; nothing for those who only read."""
    lines = [_line(UPLOAD, describe_end(job), "upload_file", {"job": str(job.id)}) for job in errands.ended]
    lines += _application_lines(actor, errands)
    lines += [
        *_proposal_lines(actor, errands),
        *_decision_lines(errands),
        *_answer_lines(errands),
        *_watch_lines(errands),
        *_maintenance_lines(errands),
    ]
    drafts = errands.drafts
    if (
        not lines
        and not _has_drafts(drafts)
        and not (errands.decides or errands.answers or drafts or may(actor, "asset.read"))
    ):
        return
    with st.container(border=True):
        st.subheader("Waiting for you", anchor=False)
        for draw in lines:
            draw()
        if drafts is not None:
            _draw_drafts(actor, drafts)
        if not lines and not _has_drafts(drafts):
            st.markdown(":green[:material/task_alt:] Nothing waits for you.")


def _has_drafts(drafts: DraftBoard | None) -> bool:
    return drafts is not None and bool(drafts.own or drafts.received or drafts.submitted or drafts.registered)


Line = Callable[[], None]


def _line(page: str, label: str, icon: str, query: dict[str, str] | None = None) -> Line:
    return lambda: link(page, label, icon, query)


def _count_line(
    errands: Errands, errand: Errand, singular: str, plural: str, icon: str, status: AssetStatus | None = None
) -> list[Line]:
    """A line for a count: the list of assets by their status, or the very assets behind it."""
    count = errands.assets.get(errand, 0)
    query = {"status": str(status)} if status else {"what": str(errand)}
    return [_line(ASSETS if status else WAITING, format_count(count, singular, plural), icon, query)] if count else []


def _proposal_lines(actor: Actor, errands: Errands) -> list[Line]:
    """Product proposals: the administrator's to decide, a system operator's to answer."""
    if not errands.proposals:
        return []
    waits = ("product proposal waits for your decision", "product proposals wait for your decision")
    asked = ("product proposal has a question for you", "product proposals have a question for you")
    words = format_count(errands.proposals, *(waits if may(actor, "product.decide") else asked))
    return [_line("market/proposals.py", words, "rule")]


def _application_lines(actor: Actor, errands: Errands) -> list[Line]:
    """Applications for products: an SO's to assess, an FSP's to answer and renew."""
    page = "market/queue.py" if may(actor, "qualification.assess") else "market/applications.py"
    return [
        _line(
            page,
            format_count(line.count, line.singular, line.plural),
            line.icon,
            {ADDRESS[term]: value for term, value in line.filters.items()},
        )
        for line in errands.applications
    ]


def _decision_lines(errands: Errands) -> list[Line]:
    """The administrator's."""
    if not errands.decides:
        return []
    lines: list[Line] = []
    if errands.organisations:
        words = format_count(
            errands.organisations, "organisation waits for your approval", "organisations wait for your approval"
        )
        lines.append(_line("participants/organisations.py", words, "domain_add"))
    answered = "answered query waits for your decision", "answered queries wait for your decision"
    overdue = "query has gone unanswered for too long", "queries have gone unanswered for too long"
    pending = "asset in all is pending validation", "assets in all are pending validation"
    query = (
        "asset has a query that its provider has to answer",
        "assets have a query that their providers have to answer",
    )
    lines += _count_line(errands, Errand.ANSWERED, *answered, "mark_chat_read")
    lines += _count_line(errands, Errand.OVERDUE, *overdue, "alarm")
    lines += _count_line(errands, Errand.PENDING, *pending, "fact_check", AssetStatus.PENDING_VALIDATION)
    return lines + _count_line(errands, Errand.QUERY, *query, "help", AssetStatus.QUERY)


def _answer_lines(errands: Errands) -> list[Line]:
    """A provider's."""
    if not errands.answers:
        return []
    query, pending = ("asset has a query to answer", "assets have a query to answer"), ("asset is", "assets are")
    lines = _count_line(errands, Errand.QUERY, *query, "help")
    lines += [
        _line("assets/asset.py", _due_words(open_query), "schedule", {"id": str(open_query.asset_id)})
        for open_query in errands.queries
    ]
    shared = (
        "asset stands on a meter that another provider has registered, too: look whether that is right",
        "assets stand on meters that another provider has registered, too: look whether that is right",
    )
    lines += _count_line(errands, Errand.SHARED, *shared, "electric_meter")
    checked = [f"{words} being checked" for words in pending]
    consent = [f"{words} awaiting the consumer's consent" for words in pending]
    # By the page of errands: the list of assets also has those that the organisation owns and others manage.
    lines += _count_line(errands, Errand.PENDING, checked[0], checked[1], "hourglass_top")
    return lines + _count_line(errands, Errand.CONSENT, consent[0], consent[1], "handshake")


def _due_words(query: OpenQuery) -> str:
    days = "1 working day" if query.days_left == 1 else f"{query.days_left} working days"
    left = f"{days} left" if query.days_left > 0 else "due today" if query.days_left == 0 else ":red[late]"
    return f"{escape_markdown(query.name)}: answer by {show_date(query.due)}, {left}"


def _watch_lines(errands: Errands) -> list[Line]:
    """A system operator's: nothing to do, but to know."""
    if errands.decides or errands.answers:
        return []
    query = "asset in your areas has an open query", "assets in your areas have an open query"
    pending = "asset in your areas is being checked", "assets in your areas are being checked"
    new = "asset was registered in your areas this week", "assets were registered in your areas this week"
    lines = _count_line(errands, Errand.NEW, *new, "fiber_new")
    lines += _count_line(errands, Errand.QUERY, *query, "help", AssetStatus.QUERY)
    return lines + _count_line(errands, Errand.PENDING, *pending, "hourglass_top", AssetStatus.PENDING_VALIDATION)


def _maintenance_lines(errands: Errands) -> list[Line]:
    """Registers that aren't loaded, and credentials that end."""
    names = {"ECR": "Embedded Capacity Register", "REPD": "Renewable Energy Planning Database"}
    lines = [
        _line("assets/sources.py", f"No edition of the **{names.get(kind, kind)}** is loaded", "menu_book")
        for kind in errands.missing_sources
    ]
    for client in errands.expiring:
        verb = "ends" if client.expires_at > now() else "ended"
        words = f"The API credential **{escape_markdown(client.name)}** {verb} on {show_date(client.expires_at.date())}"
        lines.append(_line("participants/clients.py", words, "key"))
    return lines


def _draw_drafts(actor: Actor, drafts: DraftBoard) -> None:
    returned = drafts.returned
    half_filled = [draft for draft in drafts.own if draft not in returned]
    for draft in drafts.received[:NAMED]:
        begun = f", {escape_markdown(draft.completed_by)} completes it" if draft.completed_by else ""
        words = (
            f"**{escape_markdown(draft.name)}** from "
            f"{escape_markdown(draft.installer or 'an installer')}: {draft.progress}{begun}"
        )
        link(DRAFTS, words, "handyman", {"draft": str(draft.id)})
    for draft in returned[:NAMED]:
        words = (
            f"**{escape_markdown(draft.name)}** was given back by "
            f"{escape_markdown(draft.provider or 'the provider')}: {_shorten_reason(draft)}"
        )
        link(*form_of(actor, draft)[:1], words, "undo", form_of(actor, draft)[1])
    for draft in half_filled[:NAMED]:
        saved = show_date(draft.saved_at.date())
        words = f"**{escape_markdown(draft.name)}**, {escape_markdown(draft.category_label)}: {draft.progress}, saved {saved}"
        link(*form_of(actor, draft)[:1], words, "edit_note", form_of(actor, draft)[1])
    _draw_sent(drafts)
    rest = sum(max(0, len(part) - NAMED) for part in (drafts.received, returned, half_filled))
    if rest:
        link(DRAFTS, format_count(rest, "more draft", "more drafts"), "more_horiz")


def _shorten_reason(view: DraftView) -> str:
    reason = view.reason or ""
    return escape_markdown(reason if len(reason) <= 80 else f"{reason[:79]}…")


def _draw_sent(drafts: DraftBoard) -> None:
    """Draw the outcomes of what an installer sent."""
    taken = sum(1 for draft in drafts.submitted if draft.state is DraftState.TAKEN_UP)
    waiting = len(drafts.submitted) - taken
    if waiting:
        link(DRAFTS, format_count(waiting, "draft waits for its provider", "drafts wait for their providers"), "send")
    if taken:
        link(DRAFTS, format_count(taken, "draft is being completed", "drafts are being completed"), "hourglass_top")
    if drafts.registered:
        words = format_count(
            len(drafts.registered), "asset was registered from your data", "assets were registered from your data"
        )
        link(DRAFTS, words, "bolt")

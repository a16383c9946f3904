"""The actor's tasks by urgency, a line each, linked to exactly what it counts; apart from them what is with others."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum

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
from services.market.qualification.sla_clock import ClockState

NAMED = 3
"""Drafts that are named one by one; the others stand on the page of drafts."""
ASSETS, WAITING, DRAFTS, UPLOAD = "assets/assets.py", "waiting.py", "assets/drafts.py", "assets/upload.py"


SOON_DAYS = 5
"""Working days before a deadline from which on it is soon."""


class Urgency(IntEnum):
    """Order in which tasks are shown."""

    LATE = 0
    SOON = 1
    TO_DO = 2
    OTHERS = 3
    """Nothing to do for the actor: it is with somebody else."""


HEADINGS = {Urgency.LATE: ":red[Overdue]", Urgency.SOON: ":orange[Due soon]", Urgency.TO_DO: "To do"}


@dataclass(frozen=True, slots=True)
class Line:
    """One line: where it leads, its words, and how urgent it is."""

    page: str
    label: str
    icon: str
    query: Mapping[str, str] | None = None
    urgency: Urgency = Urgency.TO_DO

    def draw(self) -> None:
        """Draw the line as a link."""
        link(self.page, self.label, self.icon, dict(self.query) if self.query else None)


def format_count(count: int, singular: str, plural: str) -> str:
    """Format a count with its words."""
    return f"**{count:,}** {singular if count == 1 else plural}"


def draw_errands(actor: Actor, errands: Errands) -> None:
    """Draw the actor's tasks by urgency, then what is with others; a good word where nothing waits."""
    lines = [Line(UPLOAD, describe_end(job), "upload_file", {"job": str(job.id)}) for job in errands.ended]
    lines += [
        *_application_lines(actor, errands),
        *_proposal_lines(actor, errands),
        *_decision_lines(errands),
        *_answer_lines(errands),
        *_watch_lines(errands),
        *_maintenance_lines(errands),
        *_draft_lines(actor, errands.drafts),
    ]
    concerned = errands.decides or errands.answers or errands.drafts is not None or may(actor, "asset.read")
    if not lines and not concerned:
        return
    own = [line for line in lines if line.urgency is not Urgency.OTHERS]
    others = [line for line in lines if line.urgency is Urgency.OTHERS]
    if not others:
        _draw_own(own)
        return
    left, right = st.columns([3, 2])
    with left:
        _draw_own(own)
    with right, st.container(border=True, gap="xsmall"):
        st.subheader("With others", anchor=False)
        for line in others:
            line.draw()


def _draw_own(lines: Sequence[Line]) -> None:
    with st.container(border=True, gap="xsmall"):
        st.subheader("Your tasks", anchor=False)
        if not lines:
            st.markdown(":green[:material/task_alt:] Nothing waits for you.")
        for urgency, heading in HEADINGS.items():
            part = [line for line in lines if line.urgency is urgency]
            if part:
                st.markdown(f"**{heading}**")
            for line in part:
                line.draw()


def _count_line(
    errands: Errands,
    errand: Errand,
    words: tuple[str, str],
    icon: str,
    status: AssetStatus | None = None,
    urgency: Urgency = Urgency.TO_DO,
) -> list[Line]:
    """A line for a count: the list of assets by their status, or the very assets behind it."""
    count = errands.assets.get(errand, 0)
    query = {"status": str(status)} if status else {"what": str(errand)}
    page = ASSETS if status else WAITING
    return [Line(page, format_count(count, *words), icon, query, urgency)] if count else []


def _proposal_lines(actor: Actor, errands: Errands) -> list[Line]:
    """Product proposals: the administrator's to decide, a system operator's to answer."""
    if not errands.proposals:
        return []
    waits = ("product proposal waits for your decision", "product proposals wait for your decision")
    asked = ("product proposal has a question for you", "product proposals have a question for you")
    words = format_count(errands.proposals, *(waits if may(actor, "product.decide") else asked))
    return [Line("market/proposals.py", words, "rule")]


CLOCKS = {str(ClockState.LATE): Urgency.LATE, str(ClockState.SOON): Urgency.SOON}


def _application_lines(actor: Actor, errands: Errands) -> list[Line]:
    """Applications for products: an SO's to assess, an FSP's to answer and renew."""
    page = "market/queue.py" if may(actor, "qualification.assess") else "market/applications.py"
    return [
        Line(
            page,
            format_count(line.count, line.singular, line.plural),
            line.icon,
            {ADDRESS[term]: value for term, value in line.filters.items()},
            Urgency.SOON
            if "EndsWithinDays" in line.filters
            else CLOCKS.get(str(line.filters.get("Clock")), Urgency.TO_DO),
        )
        for line in errands.applications
    ]


def _decision_lines(errands: Errands) -> list[Line]:
    """The administrator's; what providers have to answer is with them."""
    if not errands.decides:
        return []
    lines: list[Line] = []
    if errands.organisations:
        words = format_count(
            errands.organisations, "organisation waits for your approval", "organisations wait for your approval"
        )
        lines.append(Line("participants/organisations.py", words, "domain_add"))
    answered = "answered query waits for your decision", "answered queries wait for your decision"
    overdue = "query has gone unanswered for too long", "queries have gone unanswered for too long"
    pending = "asset in all is pending validation", "assets in all are pending validation"
    query = (
        "asset has a query that its provider has to answer",
        "assets have a query that their providers have to answer",
    )
    status = AssetStatus
    lines += _count_line(errands, Errand.ANSWERED, answered, "mark_chat_read")
    lines += _count_line(errands, Errand.OVERDUE, overdue, "alarm", urgency=Urgency.OTHERS)
    lines += _count_line(errands, Errand.PENDING, pending, "fact_check", status.PENDING_VALIDATION, Urgency.OTHERS)
    return lines + _count_line(errands, Errand.QUERY, query, "help", status.QUERY, Urgency.OTHERS)


def _answer_lines(errands: Errands) -> list[Line]:
    """A provider's; what is being checked, and what consumers have to consent to, is with others."""
    if not errands.answers:
        return []
    query, shared = (
        ("asset has a query to answer", "assets have a query to answer"),
        (
            "asset stands on a meter that another provider has registered, too: look whether that is right",
            "assets stand on meters that another provider has registered, too: look whether that is right",
        ),
    )
    lines = [
        Line(
            "assets/asset.py",
            _due_words(open_query),
            "schedule",
            {"id": str(open_query.asset_id)},
            _urgency_of(open_query),
        )
        for open_query in errands.queries
    ]
    lines += _count_line(errands, Errand.QUERY, query, "help")
    lines += _count_line(errands, Errand.SHARED, shared, "electric_meter")
    checked, consent = "being checked", "awaiting the consumer's consent"
    # By the page of errands: the list of assets also has those that the organisation owns and others manage.
    for errand, words, icon in ((Errand.PENDING, checked, "hourglass_top"), (Errand.CONSENT, consent, "handshake")):
        lines += _count_line(
            errands, errand, (f"asset is {words}", f"assets are {words}"), icon, urgency=Urgency.OTHERS
        )
    return lines


def _urgency_of(query: OpenQuery) -> Urgency:
    return Urgency.LATE if query.days_left < 0 else Urgency.SOON if query.days_left <= SOON_DAYS else Urgency.TO_DO


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
    others, status = Urgency.OTHERS, AssetStatus
    lines = _count_line(errands, Errand.NEW, new, "fiber_new", urgency=others)
    lines += _count_line(errands, Errand.QUERY, query, "help", status.QUERY, others)
    return lines + _count_line(errands, Errand.PENDING, pending, "hourglass_top", status.PENDING_VALIDATION, others)


def _maintenance_lines(errands: Errands) -> list[Line]:
    """Registers that aren't loaded, and credentials that end."""
    names = {"ECR": "Embedded Capacity Register", "REPD": "Renewable Energy Planning Database"}
    lines = [
        Line("assets/sources.py", f"No edition of the **{names.get(kind, kind)}** is loaded", "menu_book")
        for kind in errands.missing_sources
    ]
    for client in errands.expiring:
        ended = client.expires_at <= now()
        words = (
            f"The API credential **{escape_markdown(client.name)}** {'ended' if ended else 'ends'} on "
            f"{show_date(client.expires_at.date())}"
        )
        lines.append(Line("participants/clients.py", words, "key", None, Urgency.LATE if ended else Urgency.SOON))
    return lines


def _draft_lines(actor: Actor, drafts: DraftBoard | None) -> list[Line]:
    """What was submitted to the actor, came back, or is half filled; what the actor sent is with providers."""
    if drafts is None:
        return []
    returned = drafts.returned
    half_filled = [draft for draft in drafts.own if draft not in returned]
    lines: list[Line] = []
    for draft in drafts.received[:NAMED]:
        begun = f", {escape_markdown(draft.completed_by)} completes it" if draft.completed_by else ""
        words = (
            f"**{escape_markdown(draft.name)}** from "
            f"{escape_markdown(draft.installer or 'an installer')}: {draft.progress}{begun}"
        )
        lines.append(Line(DRAFTS, words, "handyman", {"draft": str(draft.id)}))
    for draft in returned[:NAMED]:
        words = (
            f"**{escape_markdown(draft.name)}** was given back by "
            f"{escape_markdown(draft.provider or 'the provider')}: {_shorten_reason(draft)}"
        )
        page, query = form_of(actor, draft)
        lines.append(Line(page, words, "undo", query))
    for draft in half_filled[:NAMED]:
        saved = show_date(draft.saved_at.date())
        words = f"**{escape_markdown(draft.name)}**, {escape_markdown(draft.category_label)}: {draft.progress}, saved {saved}"
        page, query = form_of(actor, draft)
        lines.append(Line(page, words, "edit_note", query))
    rest = sum(max(0, len(part) - NAMED) for part in (drafts.received, returned, half_filled))
    if rest:
        lines.append(Line(DRAFTS, format_count(rest, "more draft", "more drafts"), "more_horiz"))
    return lines + _sent_lines(drafts)


def _shorten_reason(view: DraftView) -> str:
    reason = view.reason or ""
    return escape_markdown(reason if len(reason) <= 80 else f"{reason[:79]}…")


def _sent_lines(drafts: DraftBoard) -> list[Line]:
    """Outcomes of what an installer sent."""
    taken = sum(1 for draft in drafts.submitted if draft.state is DraftState.TAKEN_UP)
    waiting, registered = len(drafts.submitted) - taken, len(drafts.registered)
    parts = (
        (waiting, ("draft waits for its provider", "drafts wait for their providers"), "send"),
        (taken, ("draft is being completed", "drafts are being completed"), "hourglass_top"),
        (registered, ("asset was registered from your data", "assets were registered from your data"), "bolt"),
    )
    return [
        Line(DRAFTS, format_count(count, *words), icon, None, Urgency.OTHERS) for count, words, icon in parts if count
    ]

"""Counts of the actor's own tasks, by the part of the register where they are done (UC-05.02)."""

from enum import StrEnum

from services.core.identity.actor import Actor
from services.core.identity.permissions import may
from services.governance.waiting import Errand, Errands, what_waits


class TaskArea(StrEnum):
    """Part of the register in which tasks are done."""

    REVIEW = "review"
    DRAFTS = "drafts"
    UPLOADS = "uploads"
    ASSESSMENT = "assessment"
    """Applications that a system operator assesses."""
    APPLICATIONS = "applications"
    """Applications that a provider answers or renews."""
    PROPOSALS = "proposals"
    ORGANISATIONS = "organisations"
    CREDENTIALS = "credentials"
    SOURCES = "sources"


def count_tasks(actor: Actor) -> dict[TaskArea, int]:
    """The actor's own tasks, counted by area; areas without one are left out. Empty for those who may not search."""
    if not may(actor, "register.search"):
        return {}
    return count_by_area(actor, what_waits(actor))


def count_by_area(actor: Actor, errands: Errands) -> dict[TaskArea, int]:
    """The tasks among these errands, counted by area."""
    counts = {
        TaskArea.REVIEW: _count_assets(errands),
        TaskArea.DRAFTS: _count_drafts(errands),
        TaskArea.UPLOADS: len(errands.ended),
        TaskArea.ASSESSMENT if may(actor, "qualification.assess") else TaskArea.APPLICATIONS: _count_applications(
            errands
        ),
        TaskArea.PROPOSALS: errands.proposals,
        TaskArea.ORGANISATIONS: errands.organisations,
        TaskArea.CREDENTIALS: len(errands.expiring),
        TaskArea.SOURCES: len(errands.missing_sources),
    }
    return {area: count for area, count in counts.items() if count}


def _count_assets(errands: Errands) -> int:
    """Answered queries for whoever decides; open queries and shared meters for whoever answers."""
    if errands.decides:
        return errands.assets.get(Errand.ANSWERED, 0)
    own = (Errand.QUERY, Errand.SHARED) if errands.answers else ()
    return sum(errands.assets.get(errand, 0) for errand in own)


def _count_drafts(errands: Errands) -> int:
    """What was submitted to the actor, and what came back; one's own half-filled forms press nobody."""
    board = errands.drafts
    return len(board.received) + len(board.returned) if board else 0


def _count_applications(errands: Errands) -> int:
    """Applications, each once: those counted by their clock are counted by their status, too."""
    return sum(group.count for group in errands.applications if "Clock" not in group.filters)

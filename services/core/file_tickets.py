"""Tickets for files: what a browser fetches by its address, signed for one person and one file, for some minutes.

Pages hand no large file to Streamlit's own store of downloads: it names those over 1 MiB by their length and three samples, so
that two people's files could be taken for one another. A ticket says which file is meant; the file is made, its holder's
rights looked at and its digest checked, when the ticket comes back.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from services.core.errors import Unauthenticated
from services.core.identity.actor import Actor
from services.core.identity.holders import issue_to, open_for_holder

PURPOSE = "file"


class DownloadKind(StrEnum):
    """The kinds of file that pages hand out by ticket."""

    ASSETS = "assets"
    REFUSED_ROWS = "refused-rows"
    FINDINGS = "findings"
    TEMPLATE = "template"
    ASSET_ATTACHMENT = "asset-attachment"
    APPLICATION_ATTACHMENT = "application-attachment"
    DATA_PACKAGE = "data-package"
    CERTIFICATE = "certificate"
    PASSPORT = "passport"
    EDITION_FINDINGS = "edition-findings"


@dataclass(frozen=True, slots=True)
class FileRequest:
    """The file that a ticket opens: its holder, as they stand now, its kind, and what that kind needs to know."""

    actor: Actor
    kind: DownloadKind
    values: Mapping[str, Any]

    def identifier(self, name: str) -> UUID:
        """The record that the file is about."""
        return UUID(str(self.values[name]))


def issue_file_ticket(actor: Actor, kind: DownloadKind, values: Mapping[str, Any], browser: str | None = None) -> str:
    """A ticket for a file. It gives no right: its holder needs those that the file asks for when it comes back."""
    return issue_to(actor, PURPOSE, {"kind": kind, "values": dict(values)}, browser)


def open_file_ticket(ticket: str, browser: str | None = None) -> FileRequest:
    """Resolve a ticket to its holder and file. Raises as `open_for_holder` does."""
    actor, claims = open_for_holder(PURPOSE, ticket, browser, "Open the page in this one.")
    try:
        kind = DownloadKind(str(claims.get("kind")))
    except ValueError:
        raise Unauthenticated("This ticket is for a file that there is no more. Reload the page.") from None
    return FileRequest(actor, kind, claims["values"])

"""Event types: what the register tells whoever follows its feed, one member for each type with its description."""

from enum import StrEnum
from typing import Self


class EventType(StrEnum):
    """What an event says happened to its record. The values are stored, and public: they never change.

    `label` is what a list says beside the record's name; `meaning` is the description that the documents give.
    """

    label: str
    meaning: str

    def __new__(cls, value: str, label: str, meaning: str) -> Self:
        """Make a member whose value is the stored text."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.label = label
        member.meaning = meaning
        return member

    ASSET_REGISTERED = "asset.registered", "Registered", "An asset was registered."
    ASSET_CHANGED = (
        "asset.changed",
        "Changed",
        "Values of an asset changed; `material` says whether it is checked again.",
    )
    ASSET_STATUS_CHANGED = "asset.status_changed", "Status changed", "An asset went from one status to another."
    ASSET_CHECKS_REQUESTED = (
        "asset.checks_requested",
        "Checks asked for again",
        "Checks of an asset against the sources were asked for again.",
    )
    ASSET_QUERY_ANSWERED = "asset.query_answered", "Query answered", "The FSP answered the query about an asset."
    ASSET_DIFFERENCE_SETTLED = (
        "asset.difference_settled",
        "A difference was settled",
        "It was decided whether the declared value or the source's stands.",
    )
    ASSET_PENDING_TOO_LONG = (
        "asset.pending_too_long",
        "Waits long for its checks",
        "An asset has been Pending Validation for longer than the register allows.",
    )
    ASSET_LOOKED_UP = (
        "asset.looked_up",
        "Another provider asked about it",
        "Another FSP looked up whether the asset is registered, and found it.",
    )
    ASSET_MPAN_SHARED = (
        "asset.mpan_shared",
        "Its meter is registered by another provider, too",
        "Another FSP has an asset on the same MPAN.",
    )
    ASSET_PROVIDER_CHANGED = (
        "asset.provider_changed",
        "Provider changed",
        "An asset went to another FSP with its market unit.",
    )
    ASSET_DEREGISTERED = "asset.deregistered", "De-registered", "An asset was de-registered, with a reason."
    ASSET_COMMENTED = "asset.commented", "Commented on", "A message about an asset was written."
    ASSET_DRAFT_SUBMITTED = "asset.draft_submitted", "Submitted by", "An installer submitted a draft asset to an FSP."
    ASSET_DRAFT_RETURNED = (
        "asset.draft_returned",
        "Given back by",
        "An FSP gave a draft back to its installer, for good when `declined`.",
    )
    ASSET_DRAFT_REGISTERED = (
        "asset.draft_registered",
        "Registered from your data",
        "An FSP registered an asset from an installer's draft.",
    )

    BULK_CHECKED = (
        "bulk.checked",
        "Checked: nothing is registered yet",
        "A file was checked; nothing of it is registered.",
    )
    BULK_COMPLETED = "bulk.completed", "Completed", "A file was worked through; the payload counts its rows by outcome."
    BULK_FAILED = (
        "bulk.failed",
        "Could not be registered",
        "A file could not be worked through, for the `reason` given.",
    )
    EXPORT_COMPLETED = "export.completed", "Completed", "An export is ready to be fetched."
    EXPORT_FAILED = "export.failed", "Failed", "An export could not be made, for the `reason` given."

    CATEGORY_PUBLISHED = "category.published", "Published", "A version of an asset category came into force."
    CATEGORY_DEPRECATED = "category.deprecated", "Deprecated", "An asset category takes no new assets any more."
    SOURCE_LOADED = "source.loaded", "Edition loaded", "A new edition of a public register was loaded."

    MARKET_UNIT_CREATED = "market_unit.created", "Built", "A market unit was built."
    MARKET_UNIT_COMPOSED = (
        "market_unit.composed",
        "Given other assets",
        "Assets were put into a market unit or taken out.",
    )
    MARKET_UNIT_ASSETS_CHANGED = (
        "market_unit.assets_changed",
        "Assets in it changed",
        "Assets in a market unit changed; its totals are counted again.",
    )
    MARKET_UNIT_DEREGISTERED = (
        "market_unit.deregistered",
        "De-registered",
        "A market unit was de-registered, with a reason; its assets are free.",
    )
    MARKET_UNIT_REASSIGNED = (
        "market_unit.reassigned",
        "Re-assigned to you",
        "A market unit was re-assigned: the gaining FSP is told.",
    )
    MARKET_UNIT_HANDED_OVER = (
        "market_unit.handed_over",
        "Handed over to another FSP",
        "A market unit was re-assigned: the losing FSP is told.",
    )

    ORGANISATION_REGISTERED = (
        "organisation.registered",
        "Registered, waits for approval",
        "An organisation was registered and waits for approval.",
    )
    ORGANISATION_UPDATED = "organisation.updated", "Changed", "Values of an organisation changed."
    ORGANISATION_MATERIALLY_CHANGED = (
        "organisation.materially_changed",
        "Changed, waits for approval again",
        "Values that were approved changed: the organisation waits for approval again.",
    )
    ORGANISATION_CHECK_REQUESTED = (
        "organisation.check_requested",
        "Check requested",
        "The company registry is asked about an organisation again.",
    )
    ORGANISATION_APPROVED = "organisation.approved", "Approved", "An organisation was approved."
    ORGANISATION_REFUSED = "organisation.refused", "Refused", "An organisation was refused, with a reason."
    ORGANISATION_CHANGE_REFUSED = (
        "organisation.change_refused",
        "Change refused",
        "A change was refused, with a reason: the organisation is again as it was approved.",
    )
    ORGANISATION_SUSPENDED = "organisation.suspended", "Suspended", "An organisation was suspended, with a reason."
    ORGANISATION_REINSTATED = "organisation.reinstated", "Reinstated", "The suspension of an organisation ended."
    ORGANISATION_WITHDRAWN = (
        "organisation.withdrawn",
        "De-registered",
        "An organisation was de-registered, with a reason.",
    )
    USER_INVITED = "user.invited", "User invited", "A person was invited to an organisation."
    USER_DEACTIVATED = "user.deactivated", "User deactivated", "A person's access for an organisation ended."
    USER_REACTIVATED = "user.reactivated", "User reactivated", "A person's access for an organisation was given back."

    PRODUCT_PROPOSED = "product.proposed", "Proposed", "An SO proposed a product, a change of one, or its end."
    PRODUCT_PROPOSAL_ASKED = "product.proposal_asked", "Asked about", "A question was put about a proposal."
    PRODUCT_PROPOSAL_ANSWERED = "product.proposal_answered", "Question answered", "The SO answered it."
    PRODUCT_PROPOSAL_APPROVED = "product.proposal_approved", "Approved", "A proposal was approved."
    PRODUCT_PROPOSAL_REFUSED = "product.proposal_refused", "Refused", "A proposal was refused."
    PRODUCT_PROPOSAL_WITHDRAWN = "product.proposal_withdrawn", "Withdrawn", "The SO withdrew its proposal."
    PRODUCT_VERSION_PUBLISHED = (
        "product.version_published",
        "Has a new version",
        "A version of a product was published.",
    )
    PRODUCT_DEPRECATED = "product.deprecated", "Ends", "A product ends: it takes no new applications from then on."
    MARKET_TABLE_PUBLISHED = (
        "market.table_published",
        "Published in a new edition",
        "An edition of the stacking matrix or of the table of equivalences was published.",
    )

    QUALIFICATION_SUBMITTED = "qualification.submitted", "Applied for", "A unit applied for a product."
    QUALIFICATION_ACCEPTED = (
        "qualification.accepted",
        "Accepted as a colleague qualified it",
        "An SO accepted what another SO has assessed already.",
    )
    QUALIFICATION_STATUS_CHANGED = (
        "qualification.status_changed",
        "Status changed",
        "An application or qualification went from one status to another.",
    )
    QUALIFICATION_APPROVAL_LAPSED = (
        "qualification.approval_lapsed",
        "Validity ended while it is assessed",
        "The validity ended while the unit is assessed again: the approval doesn't stand any more.",
    )
    QUALIFICATION_ENDS_SOON = "qualification.ends_soon", "Ends soon", "The validity of a qualification ends soon."
    QUALIFICATION_NEWER_VERSION = (
        "qualification.newer_version",
        "Stays with its version: the product has a newer one",
        "The product has a newer version; the qualification stays with its own.",
    )
    QUALIFICATION_SAID = "qualification.said", "Commented on", "A message about an application was written."
    QUALIFICATION_UNIT_CHANGED = (
        "qualification.unit_changed",
        "The unit changed since it applied",
        "The unit is no longer as in the data package of an application under assessment.",
    )
    QUALIFICATION_WINDOW_CONFIRMED = (
        "qualification.window_confirmed",
        "A service window is confirmed",
        "The SO confirmed when it counts on the unit.",
    )
    QUALIFICATION_WINDOW_CALLED_OFF = (
        "qualification.window_called_off",
        "A service window is called off",
        "The SO doesn't count on the unit in that window any more.",
    )

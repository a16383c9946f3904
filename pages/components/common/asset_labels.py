"""An asset's values in the words people read: labels for terms and codes, names for identifiers, units, dates."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import streamlit as st

from models.assets import STATUS_LABELS, Asset, AssetStatus
from pages.components.common.power import show_kw
from pages.frame.markdown import escape_markdown
from pages.frame.refusals import format_value
from services.assets.rules.reference import category_schema, code_lists
from services.assets.rules.schemas import CORE_ATTRIBUTES, form_fields
from services.core.attributes import CodeLists, FormField
from services.core.clock import show_date, show_moment
from services.core.identity.actor import Actor
from services.core.identity.permissions import may
from services.grid.geography import gsp_group_name
from services.participants.reading import directory

STATUS_BADGES: Mapping[AssetStatus, tuple[str, str]] = {
    AssetStatus.AWAITING_CONSENT_CHECK: ("violet", "hourglass_top"),
    AssetStatus.PENDING_VALIDATION: ("blue", "pending"),
    AssetStatus.VERIFIED: ("green", "verified"),
    AssetStatus.QUERY: ("orange", "help"),
    AssetStatus.SUSPENDED_QUERY_UNANSWERED: ("yellow", "pause_circle"),
    AssetStatus.SUSPENDED_CONSENT_REVOKED: ("red", "link_off"),
    AssetStatus.REFUSED_NO_CONSENT: ("gray", "block"),
    AssetStatus.DEREGISTERED: ("gray", "archive"),
}
REGISTER_LABELS = {
    "Status": "Status",
    "StatusReason": "Reason",
    "StatusSince": "Status since",
    "RegisteredAt": "Registered at",
    "ManagedFrom": "Managed from",
    "SchemaVersion": "Version of the category's schema",
    "GspGroup": "GSP group",
    "PositionSource": "Position comes from",
    "Justifications": "Justifications",
}
POSITION_SOURCES = {
    "declared": "The coordinates declared",
    "eastings": "Eastings and northings declared",
    "postcode": "The centre of the postcode's outward code",
}
PLURAL_ORGANISATION = ("OrganisationId", "ServiceProviderId")


def status_badge(status: AssetStatus) -> None:
    """The status as a badge: colour and icon, so that it is told without colour too."""
    colour, icon = STATUS_BADGES[status]
    st.badge(STATUS_LABELS[status], icon=f":material/{icon}:", color=colour)  # pyright: ignore[reportArgumentType]


@dataclass(frozen=True, slots=True)
class AssetLabels:
    """Labels of the terms of one asset's category, and of their values."""

    fields: Mapping[str, FormField]
    lists: CodeLists
    organisations: Mapping[str, str]

    def label(self, term: str) -> str:
        """A term as people call it."""
        if term in self.fields:
            return self.fields[term].label
        return REGISTER_LABELS.get(term, term)

    @property
    def labels(self) -> dict[str, str]:
        """All labels by term."""
        return {**REGISTER_LABELS, **{term: field.label for term, field in self.fields.items()}}

    def value(self, term: str, value: Any) -> str:
        """A value as it is read; a dash for nothing. The text is as typed: escape it inside Markdown."""
        if value is None or value in ("", [], {}):
            return "–"
        field = self.fields.get(term)
        if field is None or term in REGISTER_LABELS:
            return self._of_register(term, value)
        if field.kind == "power":
            return show_kw(str(value))
        if term in PLURAL_ORGANISATION:
            return self.organisations.get(str(value), f"Organisation {value}")
        if field.kind in ("code", "codes") or field.options:
            return self._coded(field, value)
        if field.kind == "date":
            return show_date(value if isinstance(value, date) else date.fromisoformat(str(value)))
        if field.kind == "aliases":
            return "; ".join(f"{pair['scheme']} {pair['value']}" for pair in value)
        if field.kind == "degrees":
            return f"{float(value):.6f}°"
        if field.kind == "boolean":
            return format_value(value)
        return (
            f"{_number(value)} {field.unit}".rstrip()
            if isinstance(value, int | float | Decimal)
            else format_value(value)
        )

    def _coded(self, field: FormField, value: Any) -> str:
        labels = {option.code: option.label for option in field.options}
        labels |= {code.code: code.label for code in self.lists.get(field.code_list or "", {}).values()}
        codes = value if isinstance(value, list) else [value]
        return ", ".join(labels.get(str(code), str(code)) for code in codes)

    def _of_register(self, term: str, value: Any) -> str:
        if term == "Status":
            return STATUS_LABELS[AssetStatus(str(value))]
        if term == "GspGroup":
            return group_words(str(value))
        if term == "PositionSource":
            return POSITION_SOURCES.get(str(value), str(value))
        if term == "Justifications":
            return "; ".join(f"{entry.get('field') or entry.get('code')}: {entry.get('text')}" for entry in value)
        if term in ("StatusSince", "RegisteredAt", "ManagedFrom"):
            moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
            return show_moment(moment)
        return format_value(value)


def _number(value: float | Decimal) -> str:
    """A number with thousands apart and without zeros that say nothing."""
    text = format(Decimal(str(value)), ",f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def group_words(code: str | None) -> str:
    """A GSP group by its name, with its code."""
    return f"{gsp_group_name(code)} ({code})" if code else "–"


def organisation_names(actor: Actor) -> dict[str, str]:
    """The names of active organisations by identifier, as everybody who takes part may know them."""
    if not may(actor, "organisation.directory"):
        return {}
    return {
        str(organisation.organisation_id): organisation.organisation_legal_name for organisation in directory(actor)
    }


def words_for(actor: Actor, asset: Asset) -> AssetLabels:
    """The words for an asset, by the schema version that it was registered with."""
    schema = category_schema(actor, asset.asset_category, asset.schema_version)
    lists = code_lists()
    fields = {field.term: field for field in (*CORE_ATTRIBUTES, *form_fields(schema.document, lists))}
    return AssetLabels(fields, lists, organisation_names(actor))


def provider_name(names: Mapping[str, str], identifier: UUID | None) -> str:
    """The name of an organisation; a dash for none, plain words for one that isn't active any more."""
    if identifier is None:
        return "–"
    return names.get(str(identifier), "An organisation that isn't active now")


def draw_badges(asset: Asset, words: AssetLabels) -> None:
    """Status, category, rated power and provider: the four things everybody asks of an asset first."""
    with st.container(horizontal=True, vertical_alignment="center"):
        status_badge(asset.status)
        st.badge(words.value("AssetCategory", asset.asset_category), icon=":material/category:", color="gray")
        st.badge(show_kw(asset.rated_capacity), icon=":material/bolt:", color="gray")
        name = provider_name(words.organisations, asset.service_provider_id)
        st.badge(escape_markdown(name), icon=":material/apartment:", color="gray")

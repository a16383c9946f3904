"""Provider and owner of an asset: one's own organisation unless somebody says otherwise."""

from collections.abc import Sequence

import streamlit as st

from pages.components.common.form_field import Findings, draw_field, show_beside, widget_options
from pages.components.common.form_state import FormState
from pages.frame.markdown import escape_markdown
from services.core.attributes import FormField
from services.core.identity.actor import Actor
from services.core.identity.permissions import Scope, may, scopes_of
from services.participants.reading import DirectoryEntry, directory

PROVIDER, OWNER, BY_CONSUMER, CONSENT = "ServiceProviderId", "OrganisationId", "ConsumerOwned", "ConsentReference"
PROVIDERS = {"FSP", "Aggregator"}


def draw_owners(fields: Sequence[FormField], actor: Actor, state: FormState, findings: Findings) -> None:
    """The fields of ownership; which are asked depends on who asks and on whether a consumer owns the asset."""
    by_consumer = bool(state.get(BY_CONSUMER))
    entries = directory(actor) if may(actor, "organisation.directory") else []
    for field in fields:
        if field.term == PROVIDER and not may(actor, "asset.register"):
            st.markdown("Managed by the provider that you submit it to.")
        elif field.term == PROVIDER and not _registers_for_others(actor):
            st.markdown(f"Managed by **{escape_markdown(actor.organisation_name or 'your organisation')}**.")
            show_beside(findings.get(PROVIDER, ()))
        elif field.term == PROVIDER:
            _organisation(
                field, [entry for entry in entries if PROVIDERS & set(entry.organisation_roles)], state, findings
            )
        elif field.term == OWNER:
            if not by_consumer:
                _organisation(field, entries, state, findings)
        elif field.term != CONSENT or by_consumer or field.term in findings:
            draw_field(field, state, findings)


def _registers_for_others(actor: Actor) -> bool:
    """Test whether the actor registers assets in the name of providers."""
    return Scope.ALL in scopes_of(actor, "asset.register")


def _organisation(field: FormField, entries: Sequence[DirectoryEntry], state: FormState, findings: Findings) -> None:
    names = {str(entry.organisation_id): entry.organisation_legal_name for entry in entries}
    identifier = state.get(field.term)
    if identifier and identifier not in names:
        names[identifier] = "An organisation that isn't active"
    st.selectbox(
        options=list(names),
        index=None,
        format_func=names.__getitem__,
        placeholder="Choose the provider" if field.term == PROVIDER else "The organisation that manages it",
        **widget_options(field, state),
    )
    show_beside(findings.get(field.term, ()))


def owner_values(actor: Actor, state: FormState) -> dict[str, object]:
    """Ownership as handed to the register: only what was asked."""
    by_consumer = bool(state.get(BY_CONSUMER))
    return {
        PROVIDER: (state.get(PROVIDER) or None) if _registers_for_others(actor) else None,
        OWNER: None if by_consumer else state.get(OWNER) or None,
        CONSENT: (state.get(CONSENT) or None) if by_consumer else None,
    }

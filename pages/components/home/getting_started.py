"""An empty register says how to begin, to each role in its own way."""

import streamlit as st

from pages.frame.navigation import link
from services.core.identity.actor import Actor
from services.core.identity.permissions import may

STEPS = (
    ("organisation.decide", "participants/register_organisation.py", "Register the first organisations", "domain_add"),
    ("source.load", "assets/sources.py", "Load a public register, which assets are held against", "menu_book"),
    ("category.manage", "assets/categories.py", "Look through the categories and their attributes", "category"),
    ("asset.register", "assets/register_asset.py", "Register your first asset", "add_circle"),
    ("asset.register", "assets/lookup.py", "Look up whether an asset is registered already", "search"),
    ("asset.submit_draft", "assets/prepare_asset.py", "Prepare an asset for a provider", "add_circle"),
    ("client.manage", "participants/users.py", "Invite your colleagues", "group"),
    ("organisation.directory", "participants/organisations.py", "See who takes part", "apartment"),
    ("category.read", "assets/categories.py", "See what is asked of each kind of asset", "category"),
)
"""Permission that a step needs, where it is done, its words and its icon."""


def describe_emptiness(actor: Actor) -> str:
    """Words for an empty register, by role."""
    if may(actor, "asset.settle"):
        return "No asset is registered yet. The register begins with organisations and with the public registers."
    if may(actor, "asset.register"):
        return "No asset of yours is registered yet. Your figures stand here once the first one is."
    if may(actor, "asset.submit_draft"):
        return "Nothing has been registered from your data yet. Prepare an asset: its provider completes it and registers it."
    if may(actor, "asset.read"):
        return (
            "No asset is registered yet that you may see. Assets appear here once their providers have registered them."
        )
    return "No asset is registered yet, so there is nothing to count."


def draw_first_steps(actor: Actor) -> None:
    """Draw the first steps that are open to the actor."""
    st.info(describe_emptiness(actor), icon=":material/database:")
    pages: set[str] = set()
    for permission, page, label, icon in STEPS:
        if may(actor, permission) and page not in pages:
            pages.add(page)
            link(page, label, icon)

"""What a look-up found out, put into the form of a registration."""

from collections.abc import Mapping
from typing import Any

from pages.components.asset_form.form import AssetForm
from pages.components.common.aliases import typed_aliases
from pages.components.common.form_state import PLACE
from services.assets.rules.prepare import text_of
from services.assets.rules.schemas import CORE


def take_known(form: AssetForm, known: Mapping[str, Any]) -> None:
    """Fill in what is known where nothing has been typed yet."""
    typed = as_typed(known)
    form.fill({name: value for name, value in typed.items() if form.state.get(name) in (None, "", 1, "map")})


def as_typed(terms: Mapping[str, Any]) -> dict[str, Any]:
    """Values by term as they would be typed: text for all that is typed, yes or no and lists as they are."""
    found: dict[str, Any] = {}
    for term, value in terms.items():
        if value in (None, "", []):
            continue
        if term == "Aliases":
            found |= typed_aliases(value)
        elif term in CORE and CORE[term].kind == "boolean":
            found[term] = bool(value)
        elif isinstance(value, list):
            found[term] = [text_of(one) for one in value]
        elif term in CORE or term not in ("GspGroup", "PositionSource"):
            found[term] = text_of(value)
    if "Latitude" in found:
        found[PLACE] = "degrees"
    return found

"""The portal as one of the demo's people sees it: signed in, at one page, with what stands on it as text."""

import json
from collections.abc import Sequence
from pathlib import Path

from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from models.participants import Organisation
from pages.frame.navigation import PLACES
from services.core.identity.actor import Actor
from services.participants.personas import PERSONAS
from services.participants.reading import get_organisation
from tests import factories

ROOT = Path(__file__).resolve().parents[2]


def persona_keys() -> list[str]:
    """Everybody whom the demo offers to be, by key."""
    return [persona["key"] for persona in json.loads(PERSONAS.read_text("utf-8"))]


def email_of(persona: str) -> str:
    """The address under which the demo knows a persona."""
    return next(one["email"] for one in json.loads(PERSONAS.read_text("utf-8")) if one["key"] == persona)


def be(persona: str, organisation: Organisation, roles: Sequence[str], name: str = "Priya Shah") -> Actor:
    """Make somebody of an organisation the persona that the portal offers."""
    return factories.actor_of(factories.make_user(organisation, roles, name=name, email=email_of(persona)))


def be_administrator() -> Actor:
    """The FMAR administrator's persona, beside the one who governs the register in all tests."""
    first = factories.administrator()
    assert first.organisation_id
    organisation = get_organisation(first, first.organisation_id)
    return be("administrator", organisation, ["administrator", "organisation_admin"], "Ada Field")


def open_page(persona: str | None, page: str | None = None, **parameters: str) -> AppTest:
    """A page (`participants/users`) in a fresh browser; home without one, the door without a persona.

    ValueError when the page isn't offered to them.
    """
    at = AppTest.from_file(str(ROOT / "portal.py"), default_timeout=30)
    if persona:
        at.session_state["persona"] = persona
    for name, value in parameters.items():
        at.query_params[name] = value
    if page:
        # What a browser asks for that begins at the page's address; switch_page would have home drawn before.
        address = next(place.address for places in PLACES.values() for place in places if place.file == f"{page}.py")
        at._page_hash = calc_hash(address)
    at.run()
    if page:
        at.switch_page(f"pages/{page}.py")
    return quiet(at)


def quiet(at: AppTest) -> AppTest:
    """The page, which must have come without a mistake of ours."""
    assert not at.exception, [error.value for error in at.exception]
    return at


def press(at: AppTest, label: str, place: int = 0) -> AppTest:
    """Press the button with this label; of several, the one at `place`."""
    found = [button for button in at.button if button.label == label]
    assert len(found) > place, f"no button {label!r}; there are {[button.label for button in at.button]}"
    return quiet(found[place].click().run())


def text(at: AppTest) -> str:
    """Everything that stands on the page as text, tables included; marks of Markdown taken away."""
    kinds = (at.title, at.subheader, at.markdown, at.caption, at.error, at.warning, at.info, at.success, at.metric)
    found = [f"{one.label} {one.value}" if one.type == "metric" else str(one.value) for kind in kinds for one in kind]
    found += [frame.value.to_string() for frame in (*at.dataframe, *at.table)]
    found += [one.proto.body for one in at.get("badge")]
    for one in at.get("bidi_component"):
        rows = json.loads(one.proto.json or "{}").get("rows", [])
        found += [" ".join(cell if isinstance(cell, str) else cell["t"] for cell in row["c"]) for row in rows]
    return "\n".join(found).replace("\\", "").replace("**", "")

"""The portal for tests of the asset pages: somebody signed in as a persona of the demo, at one page."""

from collections.abc import Mapping
from typing import Any

from streamlit.testing.v1 import AppTest

from services.core.identity.actor import Actor
from services.participants.reading import get_organisation
from tests import factories
from tests.pages import portal
from tests.pages.portal import quiet

EMAILS = {
    "northgate": "daniel.marsh@northgate.example.com",
    "kelvin": "morag.sinclair@kelvin.example.com",
    "ukpn": "owen.price@ukpn.example.org",
}


def somebody(persona: str, *, roles: tuple[str, ...] = ("FSP",), licence_areas: tuple[str, ...] = ()) -> Actor:
    """A persona with an organisation of its own, who can sign in to the portal."""
    organisation = factories.make_organisation(f"{persona.title()} Ltd", roles, licence_areas=licence_areas)
    return factories.actor_of(
        factories.make_user(organisation, email=EMAILS[persona], name=f"{persona.title()} Person")
    )


def administrator() -> Actor:
    """The administrator's persona, invited by the one who governs the register in tests."""
    first = factories.administrator()
    assert first.organisation_id
    organisation = get_organisation(first, first.organisation_id)
    person = factories.make_user(
        organisation, ["administrator"], email="ada.field@elexon.example.org", name="Ada Field"
    )
    return factories.actor_of(person)


def open_page(persona: str, page: str, **parameters: str) -> AppTest:
    """The page of assets (`review`) as this persona sees it, from a fresh browser."""
    return portal.open_page(persona, f"assets/{page}", **parameters)


def fill(at: AppTest, slot: str, values: Mapping[str, Any]) -> AppTest:
    """Type values into a form, by term; each kind of widget takes its own."""
    for term, value in values.items():
        at.get_by_key(f"{slot}/{term}").set_value(value)
    return quiet(at.run())


def press(at: AppTest, label: str) -> AppTest:
    """Press the button with this label."""
    found = [button for button in at.button if button.label == label]
    assert found, f"no button {label!r}; there are {[button.label for button in at.button]}"
    return quiet(found[0].click().run())


def labels(at: AppTest) -> list[str]:
    """The labels of everything that can be filled in."""
    kinds = (at.text_input, at.text_area, at.selectbox, at.multiselect, at.date_input, at.toggle)
    return [str(widget.label) for kind in kinds for widget in kind]


def text(at: AppTest) -> str:
    """Everything that stands on the page as text."""
    kinds = (
        at.title,
        at.subheader,
        at.markdown,
        at.caption,
        at.error,
        at.warning,
        at.info,
        at.success,
        at.text,
        at.toast,
    )
    return "\n".join(str(element.value) for kind in kinds for element in kind)


def plain_text(at: AppTest) -> str:
    """The same without the signs that keep user text from being taken for markup."""
    return text(at).replace("\\", "")


def attributes(at: AppTest, column: str = "Where it comes from") -> dict[str, str]:
    """A column of the tables of attributes, by attribute, without the signs that keep user text from being markup."""
    frames = [table.value for table in at.table if column in table.value]
    rows = (row for frame in frames for row in frame.to_dict("records"))
    return {row["Attribute"].replace("\\", ""): row[column].replace("\\", "") for row in rows}

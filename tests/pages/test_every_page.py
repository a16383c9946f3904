"""Every page opens for everybody to whom it is offered, on the demo's register."""

from collections.abc import Iterator

import pytest

from pages.frame.navigation import PLACES, START, is_offered
from services.core.db import engine as database
from services.core.settings import ROOT
from services.participants.identity import actor_for_user, demo_personas
from tests.conftest import build_demo, use_database
from tests.databases import fresh_database
from tests.pages.portal import open_page, persona_keys, text


@pytest.fixture(scope="module")
def demo_register(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The demo's register, which no test here changes."""
    with fresh_database(tmp_path_factory.mktemp("demo"), "demo", build_demo) as url:
        yield url
        database.close()


def test_every_page_has_a_place_that_leads_to_it() -> None:
    pages = ROOT / "pages"
    files = {path.relative_to(pages).as_posix() for path in pages.rglob("*.py")}
    screens = {file for file in files if not file.startswith(("components/", "frame/", "__init__"))}
    places = {place.file for places in PLACES.values() for place in places} | {"sign_in.py"}
    assert screens - places == set(), "give each a PortalPage in PLACES of pages/frame/navigation.py"
    assert places - screens == set(), "pages/frame/navigation.py names what isn't there"


@pytest.mark.use_case("UC-01.04")
@pytest.mark.parametrize("persona", persona_keys())
def test_every_page_opens_for_everybody(demo_register: str, persona: str) -> None:
    use_database(demo_register)
    user = next(user for user in demo_personas() if user.key == persona)
    actor = actor_for_user(user.user_id, user.organisation_id)
    offered = [place for places in PLACES.values() for place in places if not place.hidden and is_offered(place, actor)]
    assert len(offered) > 3
    for place in offered:
        at = open_page(persona, None if place.address == START else place.file.removesuffix(".py"))
        assert len(at.title) == 1, place.title
        assert "Something went wrong" not in text(at), place.title
        assert not at.get("dialog"), place.title

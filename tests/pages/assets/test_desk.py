"""The operators' desk: what is chosen is shown beside map and table, and the address says it all."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import h3
import pytest
from sqlalchemy import Engine, event
from streamlit.testing.v1 import AppTest

from services.assets.checks.queries import QueryDecision, answer_query, query_asset, settle_query
from services.assets.reading.assets import get_asset
from services.core.identity.actor import Actor
from tests.asset_factories import registered
from tests.pages.asset_portal import administrator, open_page, plain_text, press, quiet, somebody
from tests.pages.tables import table

pytestmark = pytest.mark.usefixtures("one_register")


def badges(at: AppTest) -> list[str]:
    """The badges on the page."""
    return [one.proto.body for one in at.get("badge")]


def links(at: AppTest) -> list[str]:
    """Where the page's links lead, with their parameters."""
    return [f"{one.proto.label} {one.proto.query_string}" for one in at.get("page_link")]


def labels_of_buttons(at: AppTest) -> list[str]:
    """The buttons that can be pressed."""
    return [button.label for button in at.button if not button.disabled]


@pytest.mark.use_case("UC-05.01")
def test_an_asset_in_the_address_is_shown_with_what_can_be_done() -> None:
    actor = somebody("northgate")
    asset = registered(actor)
    at = open_page("northgate", "assets", asset=str(asset.id))
    assert [one.value for one in at.subheader] == [asset.asset_name]
    shown = plain_text(at)
    assert "Eastern (_A)" in shown
    assert str(asset.import_mpan) in shown
    assert any(asset.id.hex in link.replace("-", "") for link in links(at))
    assert "Change its details" in labels_of_buttons(at)
    press(at, "Close")
    assert not at.subheader


@pytest.mark.use_case("UC-05.01")
def test_an_asset_of_somebody_else_in_the_address_is_not_shown() -> None:
    asset = registered(somebody("kelvin"))
    registered(somebody("northgate"))
    at = open_page("northgate", "assets", asset=str(asset.id))
    assert "isn't among those you may see" in plain_text(at)
    assert asset.asset_name not in plain_text(at)
    assert not open_page("northgate", "assets", asset="nonsense").warning


@pytest.mark.use_case("UC-05.01")
def test_a_hexagon_in_the_address_narrows_table_and_map_and_can_be_left() -> None:
    actor = somebody("northgate")
    registered(actor)
    away = registered(actor, Latitude="52.62", Longitude="1.29", Postcode="NR1 3QA")
    cell = h3.latlng_to_cell(52.62, 1.29, 5)
    at = open_page("northgate", "assets", hexagon=cell)
    assert table(at).column("Name") == [away.asset_name]
    assert "1 asset in the chosen hexagon" in plain_text(at).replace("*", "")
    press(at, "Leave the hexagon")
    assert len(table(at).rows) == 2


def view_of(at: AppTest) -> tuple[float, float, float]:
    """Latitude, longitude and zoom that the map begins at, as finely as a reader sees it."""
    [chart] = at.get("deck_gl_json_chart")
    view = json.loads(chart.proto.json)["initialViewState"]
    return round(view["latitude"], 2), round(view["longitude"], 2), round(view["zoom"], 2)


@pytest.mark.use_case("UC-05.01")
def test_a_filter_leaves_the_map_where_it_is_a_search_or_a_place_moves_it() -> None:
    actor = somebody("northgate")
    registered(actor)
    registered(
        actor, Latitude="52.62", Longitude="1.29", Postcode="NR1 3QA", RatedCapacity="2450.00", GenCapacity="2450"
    )
    at = open_page("northgate", "assets")
    whole = view_of(at)
    at.number_input(key="from").set_value(2480.0).run()
    assert len(table(at).rows) == 1
    assert view_of(quiet(at)) == whole
    at.button(key="fit-map").click().run()
    fitted = view_of(at)
    assert fitted != whole
    at.text_input(key="desk-go-to").set_value("CB1 2JD").run()
    assert view_of(quiet(at)) == (52.19, 0.14, 9.0)
    at.text_input(key="desk-go-to").set_value("Nowhere at all").run()
    assert view_of(quiet(at)) == (52.19, 0.14, 9.0)
    assert "No postcode or town" in at.toast[0].value
    at.button(key="fit-map").click().run()
    assert view_of(at) == fitted


@pytest.mark.use_case("UC-05.01")
def test_assets_without_a_position_and_empty_hands_are_said_plainly() -> None:
    actor = somebody("northgate")
    registered(actor, Latitude=None, Longitude=None, Postcode=None)
    at = open_page("northgate", "assets")
    assert "None of these assets has a position: the list has them." in plain_text(at)
    registered(actor)
    assert "1 has no position: the list has it." in plain_text(open_page("northgate", "assets"))
    for layer in ("Capacity", "GSP groups"):
        quiet(open_page("northgate", "assets", layer=layer))


@contextmanager
def counted() -> Iterator[list[str]]:
    """The SQL that reaches the database meanwhile."""
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, text: str, *_rest: Any) -> None:
        seen.append(text)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(Engine, "before_cursor_execute", note)


@pytest.mark.use_case("UC-05.01")
@pytest.mark.parametrize("layer", ["Assets", "Capacity", "GSP groups"])
def test_a_change_of_filters_asks_as_many_questions_at_any_size(layer: str) -> None:
    actor = somebody("northgate")

    def asked() -> list[str]:
        at = open_page("northgate", "assets", layer=layer)
        quiet(at.get_by_key("category").set_value(["Battery Energy Storage System"]).run())
        with counted() as seen:
            quiet(at.get_by_key("category").set_value([]).run())
        return seen

    for _ in range(2):
        registered(actor)
    few = asked()
    for _ in range(20):
        registered(actor)
    assert len(asked()) == len(few)


def in_review(actor: Actor, admin: Actor, count: int) -> list[Any]:
    """Assets whose query has been answered: they wait for the administrator."""
    made = []
    for _ in range(count):
        asset = registered(actor)
        asset = query_asset(admin, asset.id, "Which inverter is it?", asset.version)
        made.append(answer_query(actor, asset.id, "The new one.", asset.version))
    return made


@pytest.mark.use_case("UC-02.01")
def test_the_walk_goes_from_one_to_the_next_and_decides_on_the_spot() -> None:
    actor, admin = somebody("northgate"), administrator()
    first, second, third = in_review(actor, admin, 3)
    at = open_page("administrator", "review")
    assert first.asset_name in [one.value for one in at.subheader], "the longest waiting first"
    assert "1 of 3" in plain_text(at).replace("*", "")
    press(at, "Next")
    assert second.asset_name in [one.value for one in at.subheader]
    press(at, "Previous")
    at.radio[0].set_value(QueryDecision.VERIFY).run()
    at.get_by_key(f"settle-{first.id}").set_value("The certificate says so.").run()
    press(at, "Decide")
    assert get_asset(actor, first.id).status == "VERIFIED"
    assert second.asset_name in [one.value for one in at.subheader], "and the next one follows"
    assert "1 of 2" in plain_text(at).replace("*", "")
    at.radio[0].set_value(QueryDecision.ASK_AGAIN).run()
    at.get_by_key(f"settle-{second.id}").set_value("Which model?").run()
    press(at, "Decide")
    assert get_asset(actor, second.id).status == "QUERY"
    assert third.asset_name in [one.value for one in at.subheader]


@pytest.mark.use_case("UC-02.01")
def test_what_somebody_else_decided_meanwhile_is_said_and_skipped() -> None:
    actor, admin = somebody("northgate"), administrator()
    first, second = in_review(actor, admin, 2)
    at = open_page("administrator", "review")
    assert first.asset_name in [one.value for one in at.subheader]
    settle_query(admin, first.id, QueryDecision.VERIFY, "Seen on site.", first.version)
    quiet(at.run())
    assert f"{first.asset_name} isn't waiting here any more: it is Verified" in plain_text(at).replace("*", "")
    assert "Last said by" in plain_text(at)
    assert second.asset_name in [one.value for one in at.subheader]


@pytest.mark.use_case("UC-02.01")
def test_an_operator_who_only_reads_sees_why_and_a_provider_answers() -> None:
    actor, admin = somebody("northgate"), administrator()
    somebody("ukpn", roles=("DNO",), licence_areas=("UKPN_EPN",))
    asset = registered(actor)
    query_asset(admin, asset.id, "Which inverter is it?", asset.version)
    at = open_page("ukpn", "review")
    assert "Which inverter is it?" in plain_text(at)
    assert "Only the FMAR administrator can do this." in plain_text(at)
    assert "Decide" not in labels_of_buttons(at)
    at = open_page("northgate", "review")
    at.get_by_key(f"answer-{asset.id}").set_value("The new one.").run()
    press(at, "Send the answer")
    assert get_asset(actor, asset.id).status == "PENDING_VALIDATION"

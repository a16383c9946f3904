"""The catalogue, proposals and market tables in the portal, as those who propose, decide and read see them (UC-04.01)."""

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from models.participants import Organisation
from models.products import MarketTableKind
from services.core.identity.actor import Actor
from services.market.products.market_table_editions import market_table, table_editions
from services.market.products.products import get_product, list_products
from services.market.products.proposal_records import get_proposal, list_proposals
from services.market.products.proposal_review import ask_about_proposal
from services.market.products.proposals import propose_product
from tests.factories import administrator, make_organisation
from tests.pages.portal import be, be_administrator, open_page, press, quiet, text
from tests.product_factories import REASON, approved, changed, ending, new_product

pytestmark = [pytest.mark.usefixtures("one_register"), pytest.mark.use_case("UC-04.01")]
STACKING = MarketTableKind.STACKING
NATIONAL, PROVIDER = "neso", "bramble"


@pytest.fixture
def operator() -> Actor:
    """The national operator's persona."""
    organisation = make_organisation("National Operator", ("System Operator",))
    return be(NATIONAL, organisation, ["so_user", "organisation_admin"], "Iris Campbell")


def a_provider() -> Organisation:
    """A provider whose persona signs in."""
    organisation = make_organisation("Bramble")
    be(PROVIDER, organisation, ["fsp_user", "organisation_admin"])
    return organisation


def links(at: AppTest) -> str:
    """What the links of a page say."""
    return "\n".join(one.proto.label for one in at.get("page_link")).replace("**", "")


def put(at: AppTest, key: str, value: Any) -> AppTest:
    """Type into a widget, by its key."""
    widget: Any = at.get_by_key(key)
    widget.set_value(value)
    return quiet(at.run())


def test_the_catalogue_is_filtered_by_its_address() -> None:
    a_provider()
    whole = text(open_page(PROVIDER, "market/products"))
    assert "23 products" in whole
    assert "not known" in whole
    some = text(open_page(PROVIDER, "market/products", submarket="Reserve", procurer="NESO", phase="go-live"))
    assert "3 products" in some
    assert "Dynamic Containment" not in some
    none = text(open_page(PROVIDER, "market/products", q="no such product"))
    assert "No product passes these filters" in none


def test_a_product_shows_versions_buyers_equivalences_and_stacking(operator: Actor) -> None:
    approved(operator, changed(operator, "DC", MinCapacity_kW="500"))
    a_provider()
    page = text(open_page(PROVIDER, "market/product", code="DC"))
    for words in (
        "DC: Dynamic Containment",
        "Version 2, from",
        "(in force)",
        "(earlier)",
        "500 kW ◂ changed",
        "All of Great Britain",
        "National Operator",
        "may apply, too, for",
        "DM",
        "ask the system operator",
    ):
        assert words in page, words
    assert "Propose a change" not in page
    unknown = text(open_page(PROVIDER, "market/product", code="CMP"))
    assert "The stacking matrix says nothing of this product" in unknown
    assert "says nothing of CMP" in unknown
    missing = open_page(PROVIDER, "market/product", code="NOPE")
    assert "No product with the identifier NOPE" in text(missing)


def test_an_ended_product_keeps_its_page(operator: Actor) -> None:
    approved(operator, ending("SFFR"))
    a_provider()
    page = text(open_page(PROVIDER, "market/product", code="SFFR"))
    assert "nobody can apply any more" in page
    assert "22 products" in text(open_page(PROVIDER, "market/products"))


def test_an_operator_proposes_in_a_form_that_loses_nothing(operator: Actor) -> None:
    at = open_page(NATIONAL, "market/propose_product")
    at = press(at, "Propose")
    assert "There is a problem" in text(at)
    assert "Name" in text(at)
    prefix = "propose/NEW/"
    for term, value in (
        ("Code", "DX"),
        ("Name", "Dynamic Something"),
        ("SubMarket", "Response"),
        ("Procurers", ["NESO"]),
        ("Direction", "both"),
        ("MinCapacity_kW", "1000"),
        ("Source", "Consultation"),
        ("Reason", REASON),
    ):
        at = put(at, f"{prefix}/{term}", value)
    again = open_page(NATIONAL, "market/propose_product")
    kept: list[Any] = [again.get_by_key(f"{prefix}/{term}").value for term in ("Code", "Name", "Procurers")]
    assert kept == ["DX", "Dynamic Something", ["NESO"]], "a reload keeps what was typed"
    at = press(at, "Check")
    assert "Date of the source" in text(at), "The one thing that is missing"
    at = put(at, f"{prefix}/SourceDate", f"{get_product(operator, 'DC').version.source_date:%d/%m/%Y}")
    at = press(at, "Propose")
    assert not open_page(NATIONAL, "market/propose_product").get_by_key(f"{prefix}/Name").value, "it is sent"
    [made] = list_proposals(operator).items
    assert (made.code, made.document["MinCapacity_kW"], made.document["MaxCapacity_kW"]) == ("DX", "1000", None)


def test_a_change_shows_what_would_change(operator: Actor) -> None:
    at = open_page(NATIONAL, "market/propose_product", kind="CHANGE", code="DC")
    assert "Nothing differs from what stands" in text(at)
    at = put(at, "propose/CHANGE/DC/MinCapacity_kW", "500")
    assert "What would change" in text(at)
    at = put(at, "propose/CHANGE/DC/Reason", REASON)
    press(at, "Propose")
    [made] = list_proposals(operator).items
    assert made.document["MinCapacity_kW"] == "500"
    assert "waits for the administrator" in links(open_page(NATIONAL, "market/product", code="DC"))


def test_the_administrator_asks_the_operator_answers_and_it_is_approved(operator: Actor) -> None:
    be_administrator()
    made = propose_product(operator, new_product("DX"))
    key = f"proposal/{made.id}"
    assert "1 product proposal waits for your decision" in links(open_page("administrator"))
    at = open_page("administrator", "market/proposals", id=str(made.id))
    assert REASON in text(at)
    at = press(at, "Ask")
    assert "There is a problem" in text(at), "A question says something"
    at = put(at, f"{key}/text", "Is one megawatt really needed?")
    press(at, "Ask")
    assert "1 product proposal has a question for you" in links(open_page(NATIONAL))
    at = open_page(NATIONAL, "market/proposals", id=str(made.id))
    assert "Is one megawatt really needed?" in text(at)
    at = put(at, f"{key}/MinCapacity_kW", "100")
    at = put(at, f"{key}/text", "No, a tenth of it will do.")
    press(at, "Answer")
    at = open_page("administrator", "market/proposals", id=str(made.id))
    at = put(at, f"{key}/text", REASON)
    at = press(at, "Approve")
    assert "Approved" in text(at)
    assert get_product(operator, "DX").version.min_capacity == 100


def test_lists_say_why_they_are_empty_and_unseen_proposals_are_not_there(operator: Actor) -> None:
    be_administrator()
    assert "No proposal is in these states" in text(open_page("administrator", "market/proposals"))
    made = propose_product(operator, new_product("DX"))
    assert "DX" in text(open_page("administrator", "market/proposals"))
    ask_about_proposal(administrator(), made.id, "Why is it needed at all?", made.version)
    at = open_page(NATIONAL, "market/proposals", id=str(made.id))
    at = put(at, f"proposal/{made.id}/text", "We take it back for now.")
    press(at, "Withdraw")
    assert get_proposal(operator, made.id).status == "WITHDRAWN"
    other = make_organisation("Eastern", ("DNO",), licence_areas=("UKPN_EPN",))
    be("ukpn", other, ["so_user"], "Grace")
    assert "that you may see" in text(open_page("ukpn", "market/proposals", id=str(made.id)))


@pytest.mark.use_case("UC-04.03")
def test_the_matrix_is_a_picture_and_answers_for_a_set() -> None:
    a_provider()
    page = open_page(PROVIDER, "market/stacking", product="DC")
    assert "Choose two products or more" in text(page)
    at = put(page, "product", ["DC", "SU", "DFS"])
    for words in ("Co-delivery: ask the system operator", "Splitting: no", "DC with SU", "The same direction only."):
        assert words in text(at), words
    assert "Publish the next edition" not in [one.label for one in at.expander]


def test_the_administrator_publishes_tables(operator: Actor) -> None:
    be_administrator()
    at = open_page("administrator", "market/stacking")
    key = "publish/STACKING"
    # The cells of an editor can't be typed into here: this is what one leaves behind.
    at.session_state["stacking!changes"] = {("DC", "SU"): {"CoDelivery": "EN", "Splitting": "IY", "Jumping": "EY"}}
    at = put(at, "stacking!code", "SU")
    at = put(at, "stacking!code", "DC")
    at = put(at, f"{key}/source", "ENA, 2026")
    at = press(at, "Publish edition 2")
    assert "There is a problem" in text(at), "Date and reason are missing"
    assert len(list_products(operator)) == 23
    at = put(at, f"{key}/date", f"{get_product(operator, 'DC').version.source_date:%d/%m/%Y}")
    at = put(at, f"{key}/reason", REASON)
    press(at, "Publish edition 2")
    assert [one.edition for one in table_editions(operator, STACKING)] == [2, 1]
    pair = next(
        row for row in market_table(operator, STACKING).rows if (row["ProductA"], row["ProductB"]) == ("DC", "SU")
    )
    assert pair["CoDelivery"] == "EN"
    steps = text(open_page("administrator", "market/equivalences"))
    assert "Dynamic Moderation" in steps
    assert "Publish edition 2" in [button.label for button in open_page("administrator", "market/equivalences").button]

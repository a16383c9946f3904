"""The opportunities page: a portfolio, one unit, a selection of assets; reasons, gaps and what would close them (UC-04.03)."""

from uuid import uuid4

import pytest
from streamlit.testing.v1 import AppTest

from models.assets import Asset
from models.participants import Organisation
from services.core.identity.actor import Actor
from tests.factories import make_organisation
from tests.pages.portal import be, open_page, press, quiet, text
from tests.pages.tables import table
from tests.unit_factories import make_unit, verified

pytestmark = [pytest.mark.usefixtures("one_register"), pytest.mark.use_case("UC-04.03")]
PAGE = "market/opportunities"


def northgate() -> Actor:
    """An FSP's persona."""
    return be("northgate", make_organisation("Northgate Ltd"), ["fsp_user"], "Daniel Marsh")


def small(actor: Actor, power: int) -> Asset:
    """A Verified battery of this many kW both ways."""
    capacities = dict.fromkeys(("RatedCapacity", "GenCapacity", "DemandCapacity"), power)
    return verified(actor, **capacities, StorageCapacity_kWh=power * 2, ResponseTime_s=1)


def expanders(at: AppTest) -> list[str]:
    """What is folded away, by its line."""
    return [one.label.replace("\\", "") for one in at.expander]


def test_nothing_to_compare_says_how_to_begin() -> None:
    northgate()
    assert "no active market unit" in text(open_page("northgate", PAGE))


def test_a_portfolio_by_product_and_unit_by_unit() -> None:
    actor = northgate()
    for power in (1200, 940):
        make_unit(actor, small(actor, power), code=f"R-{power}", family="RESPONSE", name=f"Response {power}")
    at = open_page("northgate", PAGE)
    by_product, lines = at.dataframe[0].value, table(at).rows
    dc = by_product[by_product["Product"] == "DC Dynamic Containment"].iloc[0]
    assert (dc["Eligible"], dc["Nearly"], dc["Could be, in another family"]) == (1, 1, 0)
    words = {line["Missing or not known"] for line in lines if line["Code"] == "R-940"}
    assert "Needs 1,000 kW in one GSP group; has 940 kW in _A: 60 kW short." in words
    narrowed = open_page("northgate", PAGE, standing="NEARLY", product="DC")
    assert table(narrowed).column("Code") == ["R-940"]


def test_one_unit_with_reasons_and_what_would_close_its_gap() -> None:
    actor = northgate()
    unit = make_unit(actor, small(actor, 940), family="RESPONSE", name="Riverside <b>").unit
    free = small(actor, 80)
    at = open_page("northgate", PAGE, **{"for": "unit", "unit": str(unit.id)})
    told = expanders(at)
    assert any(one.startswith("**DC** Dynamic Containment: Needs 1,000 kW in one GSP group") for one in told)
    assert any(one.startswith("**SU**") and "would be eligible there" in one for one in told)
    assert not any(one.startswith("**STOR**") for one in told), "what is out of reach is folded away first"
    press(at, "Which of my free assets would close the gap?")
    shown = text(at)
    assert "60 kW short; 1 of your free assets adds 80 kW: that closes the gap." in shown
    assert "The unit would then be: Eligible." in shown
    assert any(free.asset_name in one.proto.label.replace("\\", "") for one in at.get("page_link"))


def test_the_address_says_which_standings_are_shown() -> None:
    actor = northgate()
    unit = make_unit(actor, small(actor, 940), family="RESPONSE").unit
    at = open_page("northgate", PAGE, **{"for": "unit", "unit": str(unit.id), "show": "not"})
    told = expanders(at)
    assert any(one.startswith("**STOR**") for one in told)
    assert not any(one.startswith("**DC**") for one in told)
    assert "Nearly: 4" in text(at)


def test_a_unit_of_somebody_else_in_the_address() -> None:
    other = be("kelvin", make_organisation("Kelvin LLP"), ["fsp_user"], "Morag Sinclair")
    unit = make_unit(other, small(other, 940)).unit
    northgate()
    at = open_page("northgate", PAGE, **{"for": "unit", "unit": str(unit.id)})
    assert "isn't among those you may see" in text(at)
    assert not at.expander


def test_a_selection_of_assets_begins_with_choosing() -> None:
    actor = northgate()
    asset = small(actor, 1100)
    at = open_page("northgate", PAGE, **{"for": "assets"})
    assert list(at.dataframe[0].value["Name"]) == [asset.asset_name]
    assert "Choose one or more assets" in text(at)


def test_a_chosen_selection_stands_in_the_address_and_its_gap_can_be_closed() -> None:
    actor = northgate()
    first, second, _spare = small(actor, 540), small(actor, 400), small(actor, 100)
    at = open_page("northgate", PAGE, **{"for": "assets", "assets": f"{first.id},{second.id},nonsense"})
    assert "**2 assets**" in [one.value.split(":")[0] for one in at.markdown]
    assert at.query_params["assets"] == f"{first.id},{second.id}"
    at.get_by_key("assets-closing-DC-ask").click()
    quiet(at.run())
    told = text(at)
    assert "60 kW short; 1 of your free assets adds 100 kW: that closes the gap." in told
    assert "A unit of these assets would then be: Eligible." in told
    gone = open_page("northgate", PAGE, **{"for": "assets", "assets": str(uuid4())})
    assert "that you may see. Choose others." in text(gone)


def test_the_tab_of_a_unit_s_page() -> None:
    actor = northgate()
    unit = make_unit(actor, small(actor, 940), family="DSO").unit
    at = open_page("northgate", "market/unit", id=str(unit.id), part="Opportunities")
    assert any(one.startswith("**SU** Scheduled Utilisation") for one in expanders(at))


def test_an_operator_sees_units_in_its_area_and_is_offered_no_asset_to_add() -> None:
    actor = northgate()
    unit = make_unit(actor, small(actor, 940), family="RESPONSE").unit
    networks: Organisation = make_organisation("UK Power Networks", ("DNO",), licence_areas=["UKPN_EPN"])
    be("ukpn", networks, ["so_user"], "Owen Price")
    at = open_page("ukpn", PAGE, **{"for": "unit", "unit": str(unit.id)})
    assert expanders(at)
    assert "Which of my free assets would close the gap?" not in [one.label for one in at.button]

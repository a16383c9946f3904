"""Service windows in the portal (UC-03.04): the SO confirms and calls off, the FSP reads and can't de-register meanwhile."""

from datetime import datetime, time, timedelta

import pytest

from services.core.clock import LONDON, today
from services.market.qualification.service_windows import windows_of
from tests.market_factories import apply_for, good, qualified
from tests.pages.market.test_qualification_pages import application, click, scene
from tests.pages.portal import open_page, press, quiet, text

pytestmark = [pytest.mark.usefixtures("one_register"), pytest.mark.use_case("UC-03.04")]


def test_a_window_is_confirmed_read_and_called_off() -> None:
    actor, operator, unit = scene()
    one = qualified(operator, apply_for(actor, unit)[0], good())
    at = application("ukpn", one, part="Service windows")
    assert "No service window is confirmed." in text(at)
    click(at, "confirm_window")
    wanted = datetime.combine(today() + timedelta(days=3), time(17))
    at.get_by_key(f"window-{one.id}-from").set_value(wanted)
    at.get_by_key(f"window-{one.id}-until").set_value(wanted - timedelta(hours=1))
    at.get_by_key(f"window-{one.id}-note").set_value("<b>Storm</b> reserve")
    press(at, "Confirm the window")
    assert "A window ends after it starts" in text(at)
    assert at.get_by_key(f"window-{one.id}-note").value == "<b>Storm</b> reserve", "nothing that was typed is lost"
    at.get_by_key(f"window-{one.id}-until").set_value(wanted + timedelta(hours=2))
    press(at, "Confirm the window")
    [window] = windows_of(operator, one.id)
    assert window.starts_at == wanted.replace(tzinfo=LONDON)
    told = text(at)
    assert "Ahead" in told
    assert "Confirmed by Owen Price" in told
    theirs = application("northgate", one, part="Service windows")
    assert "reserve" in text(theirs)
    assert not any(button.label == "Call the window off" for button in theirs.button)
    assert "call the service window off" in text(open_page("northgate", "market/unit", id=str(unit.id)))
    at.get_by_key(f"call-off-{window.id}-reason").set_value("The outage was moved.")
    quiet(at.get_by_key(f"call-off-{window.id}-do").click().run())
    assert "The outage was moved." in text(at)
    assert windows_of(operator, one.id)[0].called_off_at is not None

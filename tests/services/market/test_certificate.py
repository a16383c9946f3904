"""Certificates of qualifications: for whoever may see them, of what is in force, with names as they are (UC-04.02)."""

import pytest

from services.core.errors import NotFound, Refused
from services.governance.accesses import list_accesses
from services.market.qualification.certificate import read_certificate
from tests.asset_factories import make_administrator, make_provider
from tests.market_factories import apply_for, make_dso, make_market, make_unit, qualified

pytestmark = pytest.mark.use_case("UC-04.02")


def test_a_certificate_is_for_whoever_may_see_the_qualification(register: str) -> None:
    actor, operator, unit = make_market()
    (application,) = apply_for(actor, unit)
    with pytest.raises(Refused, match="in force"):
        read_certificate(actor, application.id)
    qualified(operator, application)
    administrator = make_administrator()
    for reader in (actor, operator, administrator):
        certificate = read_certificate(reader, application.id)
        assert certificate.content.startswith(b"%PDF-")
        assert certificate.file_name == f"SU-{application.id}-certificate.pdf"
    for stranger in (make_provider("Elsewhere"), make_dso("Scottish Power", "SPEN_SP")):
        with pytest.raises(NotFound):
            read_certificate(stranger, application.id)
    kinds = [access.kind for access in list_accesses(administrator)]
    assert kinds.count("certificate.read") == 3


@pytest.mark.parametrize(
    "name", ["Ynys Môn", "Ŵyl Dŵr", "Łódź – “north”…", "电池 1", "x" * 250, "<b>*bold*</b> \\ (a)"]
)
def test_any_name_can_be_printed(register: str, name: str) -> None:
    actor, operator, _ = make_market()
    (application,) = apply_for(actor, make_unit(actor, name=name))
    qualified(operator, application)
    content = read_certificate(actor, application.id).content
    assert content.startswith(b"%PDF-")

"""Attributes that the form marks as mandatory are those that the rules then ask for (UC-02.01)."""

import itertools

import pytest

from services.assets.registration.register import check_registration
from services.assets.rules.required import required_terms
from services.core.errors import Severity
from tests.asset_factories import an_mpan, make_provider, values_for

TERMS = ("CommissioningDate", "DNOConnection")


@pytest.mark.use_case("UC-02.01")
def test_marks_agree_with_the_rules(register: str) -> None:
    actor = make_provider()
    mpans = ("", an_mpan("12"), an_mpan("24"), "123")
    for status, import_mpan, export_mpan in itertools.product(("CONNECTED", "PENDING"), mpans, mpans):
        values = values_for("BESS", ConnectionStatus=status, ImportMPAN=import_mpan, ExportMPAN=export_mpan)
        values |= dict.fromkeys(TERMS, "")
        findings = check_registration(actor, values)
        asked = {finding.field for finding in findings if finding.severity is Severity.ERROR and not finding.given}
        expected = {term for term in TERMS if term in asked}
        assert required_terms(values) == expected, (status, import_mpan, export_mpan)

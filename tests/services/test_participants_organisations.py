"""Registering organisations and changing them: findings, duplicates, versions, history (UC-01.02, UC-01.03)."""

import pytest

from models.participants import OrganisationStatus, Role
from services.core.errors import Invalid
from services.participants.identity import applicant, sign_in
from services.participants.organisations import register_organisation
from tests.factories import (
    administrator,
    identity_of,
    organisation_values,
)


@pytest.mark.use_case("UC-01.02")
def test_an_applicant_registers_an_organisation_and_becomes_its_administrator(register: str) -> None:
    identity = identity_of("sam@bramble.example.org", name="Sam Field")
    assert sign_in(identity).problem == "UNKNOWN"
    made = register_organisation(applicant(identity), organisation_values("Bramble Flex Ltd", ("FSP", "Asset Owner")))
    assert made.organisation_status is OrganisationStatus.PENDING_APPROVAL
    outcome = sign_in(identity)
    assert outcome.problem is None
    assert outcome.user is not None
    assert outcome.user.full_name == "Sam Field"
    (choice,) = outcome.choices
    assert choice.organisation_id == made.id
    assert choice.roles == {Role.ORGANISATION_ADMIN, Role.FSP_USER, Role.ASSET_OWNER}


@pytest.mark.use_case("UC-01.02")
def test_everything_that_is_wrong_is_said_at_once(register: str) -> None:
    values = organisation_values(
        OrganisationLegalName=None, VatRegistrationNumber="123456789", PrimaryMobileNumber="07700 900123", Colour="red"
    )
    with pytest.raises(Invalid) as refused:
        register_organisation(administrator(), values)
    fields = {finding.field for finding in refused.value.findings}
    assert {"OrganisationLegalName", "VatRegistrationNumber", "PrimaryMobileNumber", "Colour"} <= fields
    assert all(finding.expected and finding.message for finding in refused.value.findings)

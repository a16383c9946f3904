"""Organisations and users over HTTP (UC-01.01 to UC-01.04)."""

from uuid import uuid4

import httpx
import pytest

from models.participants import Role
from tests.api.conftest import Program
from tests.factories import make_organisation, make_user, organisation_values

REASON = {"Reason": "The board decided so in its meeting of May."}


@pytest.mark.use_case("UC-01.02")
def test_an_organisation_is_registered_approved_suspended_reinstated_and_withdrawn(governor: httpx.Client) -> None:
    made = governor.post("/v1/organisations", json=organisation_values("Bramble Ltd"))
    assert made.status_code == 201, made.text
    told = made.json()
    path = f"/v1/organisations/{told['FmarOrganisationId']}"
    assert made.headers["Location"] == f"/api{path}"
    assert (told["OrganisationStatus"], told["RegisteredCountry"]) == ("Pending Approval", "GB")
    assert governor.post(f"{path}/approve").status_code == 428
    tag = made.headers["ETag"]
    for step, body, status in (
        ("approve", None, "Active"),
        ("suspend", REASON, "Suspended"),
        ("reinstate", None, "Active"),
        ("withdraw", REASON, "Withdrawn"),
    ):
        done = governor.post(f"{path}/{step}", json=body, headers={"If-Match": tag})
        assert (done.status_code, done.json()["OrganisationStatus"]) == (200, status), done.text
        stale = governor.post(f"{path}/{step}", json=body, headers={"If-Match": tag})
        assert stale.status_code == 412
        assert stale.json()["current"]["OrganisationStatus"] == status
        tag = done.headers["ETag"]
    again = governor.post(f"{path}/reinstate", headers={"If-Match": tag})
    assert again.status_code == 409
    history = governor.get(f"{path}/history").json()["items"]
    assert [entry["Operation"] for entry in history] == [
        "withdraw_organisation",
        "reinstate_organisation",
        "suspend_organisation",
        "approve_organisation",
        "register_organisation",
    ]
    assert history[1]["Changes"]["OrganisationStatus"] == ["Suspended", "Active"]


@pytest.mark.use_case("UC-01.02")
def test_a_refusal_needs_a_reason(governor: httpx.Client) -> None:
    made = governor.post("/v1/organisations", json=organisation_values())
    path, tag = f"/v1/organisations/{made.json()['FmarOrganisationId']}", {"If-Match": made.headers["ETag"]}
    short = governor.post(f"{path}/refuse", json={"Reason": "No."}, headers=tag)
    assert [one["code"] for one in short.json()["findings"]] == ["REASON-01"]
    assert governor.post(f"{path}/refuse", json={**REASON, "Motive": "x"}, headers=tag).json()["findings"][0][
        "code"
    ] == ("REQUEST-UNKNOWN-FIELD")
    refused = governor.post(f"{path}/refuse", json=REASON, headers=tag).json()
    assert (refused["OrganisationStatus"], refused["StatusReason"]) == ("Refused", REASON["Reason"])


@pytest.mark.use_case("UC-01.02")
def test_a_registration_number_twice_names_the_organisation_to_those_who_see_it(governor: httpx.Client) -> None:
    values = organisation_values()
    made = governor.post("/v1/organisations", json=values).json()
    again = governor.post("/v1/organisations", json={**values, "OrganisationLegalName": "Another name Ltd"})
    assert (again.status_code, again.json()["OrganisationId"]) == (409, made["FmarOrganisationId"])


@pytest.mark.use_case("UC-01.02")
def test_all_findings_of_an_organisation_come_at_once(governor: httpx.Client) -> None:
    values = organisation_values(
        OrganisationRegistrationNumber="none", RegisteredPostcodeOrZip="nowhere", PrimaryMobileNumber="07", Motto="x"
    )
    answer = governor.post("/v1/organisations", json=values)
    assert answer.status_code == 422
    assert {one["field"] for one in answer.json()["findings"]} >= {
        "OrganisationRegistrationNumber",
        "RegisteredPostcodeOrZip",
        "PrimaryMobileNumber",
        "Motto",
    }


@pytest.mark.use_case("UC-01.03")
def test_an_organisation_changes_its_own_record_and_sees_no_other(program: Program) -> None:
    organisation, other = make_organisation("Kelvin Ltd"), make_organisation("Tidewater Ltd")
    mine = program(organisation, [Role.ORGANISATION_ADMIN])
    assert [one["OrganisationLegalName"] for one in mine.get("/v1/organisations").json()["items"]] == ["Kelvin Ltd"]
    path = f"/v1/organisations/{organisation.id}"
    tag = mine.get(path).headers["ETag"]
    changed = mine.patch(path, json={"OrganisationEmail": "flex@kelvin.example.org"}, headers={"If-Match": tag})
    assert (changed.status_code, changed.json()["OrganisationStatus"]) == (200, "Active")
    stale = mine.patch(path, json={"OrganisationEmail": "x@kelvin.example.org"}, headers={"If-Match": tag})
    assert stale.json()["changes"] == {"OrganisationEmail": [None, "flex@kelvin.example.org"]}
    renamed = mine.patch(
        path, json={"OrganisationLegalName": "Kelvin Flex Ltd"}, headers={"If-Match": changed.headers["ETag"]}
    )
    assert renamed.json()["OrganisationStatus"] == "Pending Approval"
    unseen = [mine.get(f"/v1/organisations/{one}") for one in (other.id, uuid4())]
    assert [one.status_code for one in unseen] == [404, 404]
    assert mine.post(f"{path}/approve", headers={"If-Match": renamed.headers["ETag"]}).status_code == 403
    assert mine.get(f"{path}/passport").json()["OrganisationLegalName"] == "Kelvin Flex Ltd"


@pytest.mark.use_case("UC-01.04")
def test_withdrawing_lists_what_stands_in_the_way(governor: httpx.Client, program: Program) -> None:
    from tests.asset_factories import battery

    organisation = make_organisation()
    program(organisation).post("/v1/assets", json=battery()).raise_for_status()
    path = f"/v1/organisations/{organisation.id}"
    tag = governor.get(path).headers["ETag"]
    refused = governor.post(f"{path}/withdraw", json=REASON, headers={"If-Match": tag})
    assert refused.status_code == 409
    (blocker,) = refused.json()["blockers"]
    assert (blocker["kind"], blocker["label"]) == ("asset", "1 asset managed, Pending Validation")
    assert blocker["action"]


@pytest.mark.use_case("UC-01.02")
def test_organisations_are_filtered_and_paged(governor: httpx.Client) -> None:
    made = [str(make_organisation(f"Filter {n} Ltd", ["Supplier"]).id) for n in range(3)]
    first = governor.get("/v1/organisations", params={"OrganisationRoles": "Supplier", "limit": 2}).json()
    second = governor.get(first["next"].removeprefix("/api")).json()
    assert [one["FmarOrganisationId"] for one in first["items"] + second["items"]] == made
    assert second["next"] is None
    named = governor.get("/v1/organisations", params={"Text": "filter 1", "OrganisationStatus": "Active"}).json()
    assert [one["OrganisationLegalName"] for one in named["items"]] == ["Filter 1 Ltd"]
    assert governor.get("/v1/organisations", params={"OrganisationStatus": "Asleep"}).status_code == 422


@pytest.mark.use_case("UC-01.01")
def test_users_are_invited_given_roles_deactivated_and_reactivated(program: Program) -> None:
    organisation = make_organisation("Northgate plc")
    make_user(organisation, [Role.ORGANISATION_ADMIN])
    mine = program(organisation, [Role.ORGANISATION_ADMIN])
    person = {"FullName": "Priya Raman", "Email": "priya@northgate.example.org", "Roles": ["fsp_user"]}
    made = mine.post("/v1/users", json=person)
    assert made.status_code == 201, made.text
    assert (made.json()["UserStatus"], made.json()["OrganisationLegalName"]) == ("Invited", "Northgate plc")
    path = f"/v1/users/{made.json()['MembershipId']}"
    assert made.headers["Location"] == f"/api{path}"
    assert mine.get(path).json() == made.json()
    assert mine.patch(path, json={"Roles": ["viewer"]}).status_code == 428
    changed = mine.patch(path, json={"Roles": ["viewer"]}, headers={"If-Match": made.headers["ETag"]})
    assert (changed.status_code, changed.json()["Roles"]) == (200, ["viewer"])
    stale = mine.patch(path, json={"Roles": ["fsp_user"]}, headers={"If-Match": made.headers["ETag"]})
    assert (stale.status_code, stale.json()["current"]["Roles"]) == (412, ["viewer"])
    ended = mine.post(f"{path}/deactivate", json=REASON, headers={"If-Match": changed.headers["ETag"]})
    assert ended.json()["UserStatus"] == "Deactivated"
    back = mine.post(f"{path}/reactivate", headers={"If-Match": ended.headers["ETag"]})
    assert back.json()["UserStatus"] == "Invited"
    names = [one["FullName"] for one in mine.get("/v1/users").json()["items"]]
    assert "Priya Raman" in names
    assert len(names) == 2
    page = mine.get("/v1/users", params={"limit": 1}).json()
    assert [one["FullName"] for one in mine.get(page["next"].removeprefix("/api")).json()["items"]] == ["Priya Raman"]


@pytest.mark.use_case("UC-01.04")
def test_the_administrator_closes_reopens_and_releases_an_account(program: Program, governor: httpx.Client) -> None:
    organisation = make_organisation()
    person = make_user(organisation)
    mine = program(organisation, [Role.ORGANISATION_ADMIN])
    path = f"/v1/accounts/{person.user_id}"
    assert mine.post(f"{path}/deactivate", json=REASON).status_code == 403
    assert governor.post(f"{path}/deactivate", json={"Reason": "short"}).status_code == 422
    assert governor.post(f"/v1/accounts/{uuid4()}/deactivate", json=REASON).status_code == 404
    closed = governor.post(f"{path}/deactivate", json=REASON)
    assert (closed.status_code, closed.json()["AccountStatus"]) == (200, "Deactivated"), closed.text
    assert closed.json()["StatusReason"] == REASON["Reason"]
    assert governor.post(f"{path}/deactivate", json=REASON).status_code == 409
    assert governor.post(f"{path}/reactivate").json()["AccountStatus"] == "Active"
    released = governor.post(f"{path}/release-identity", json=REASON)
    assert (released.status_code, released.json()["IdentityBound"]) == (200, False)
    assert governor.post(f"{path}/release-identity", json=REASON).status_code == 409


@pytest.mark.use_case("UC-01.01")
def test_wrong_invitations_and_other_organisations_users_are_refused(program: Program) -> None:
    organisation = make_organisation()
    mine = program(organisation, [Role.ORGANISATION_ADMIN])
    wrong = mine.post("/v1/users", json={"FullName": "", "Email": "nobody", "Roles": ["administrator"]})
    assert wrong.status_code == 422
    assert {one["field"] for one in wrong.json()["findings"]} == {"FullName", "Email", "Roles"}
    stranger = make_user(make_organisation())
    for one in (stranger.membership_id, uuid4()):
        assert mine.get(f"/v1/users/{one}").status_code == 404
        roles = mine.patch(f"/v1/users/{one}", json={"Roles": ["viewer"]}, headers={"If-Match": '"1"'})
        assert roles.status_code == 404
    assert (
        program(organisation)
        .post("/v1/users", json={"FullName": "A B", "Email": "a@b.example.org", "Roles": []})
        .status_code
        == 403
    )

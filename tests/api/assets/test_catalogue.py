"""Categories by API: what an administrator publishes in the portal is there at the next request (UC-05.07)."""

import jsonschema_rs
import pytest

from services.assets.categories.drafts import begin_version, save_category
from services.assets.categories.publishing import deprecate_category, publish_category
from tests.api.conftest import Program
from tests.asset_factories import make_administrator
from tests.category_factories import HUB, drafted_hub, hub, hub_values, published_hub

PATH = f"/v1/categories/{HUB}"


@pytest.mark.use_case("UC-05.07")
def test_a_category_published_in_the_portal_registers_by_api_at_the_next_request(program: Program) -> None:
    mine, administrator = program(), make_administrator()
    assert mine.get(PATH).status_code == 404
    draft = drafted_hub(administrator)
    assert mine.get(PATH).status_code == 404, "a draft is nobody's business yet"
    assert mine.get(f"{PATH}/versions").status_code == 404
    publish_category(administrator, draft.id, draft.version)

    listed = {one["AssetCategory"]: one for one in mine.get("/v1/categories").json()["items"]}
    assert (listed[HUB]["Label"], listed[HUB]["SchemaVersion"]) == ("Vehicle-to-grid hub", 1)
    schema = mine.get(PATH)
    assert schema.headers["Content-Type"] == "application/schema+json"
    document = schema.json()
    assert document["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    jsonschema_rs.meta.validate(document)
    assert jsonschema_rs.validator_for(document).is_valid({"BidirectionalSockets": 4, "VehicleAccess": "FLEET"})
    assert not jsonschema_rs.validator_for(document).is_valid({"VehicleAccess": "FLEET"})

    values = hub_values(BidirectionalSockets=0, UsableEnergy_kWh=240.5)
    refused = mine.post("/v1/assets", json=values)
    assert refused.status_code == 422
    assert [one["code"] for one in refused.json()["findings"]] == ["SCHEMA-04"]
    made = mine.post("/v1/assets", json={**values, "BidirectionalSockets": 4})
    assert made.status_code == 201, made.text
    assert (made.json()["BidirectionalSockets"], made.json()["SchemaVersion"]) == (4, 1)


@pytest.mark.use_case("UC-05.07")
def test_versions_have_tags_and_old_ones_stay_to_be_read(program: Program) -> None:
    mine, administrator = program(), make_administrator()
    first = published_hub(administrator)
    tag = mine.get(PATH).headers["ETag"]
    same = mine.get(PATH, headers={"If-None-Match": tag})
    assert (same.status_code, same.content) == (304, b"")

    draft = begin_version(administrator, HUB)
    newer = hub().model_copy(update={"attributes": hub().attributes[:1], "note": "Fewer questions."})
    draft = save_category(administrator, draft.id, newer, draft.version)
    second = publish_category(administrator, draft.id, draft.version)
    assert mine.get(PATH, headers={"If-None-Match": tag}).status_code == 200
    assert "UsableEnergy_kWh" not in mine.get(PATH).json()["properties"]
    old = mine.get(f"{PATH}/versions/1", headers={"If-None-Match": tag})
    assert old.status_code == 304, "the first version is what it was"

    deprecate_category(administrator, second.id, second.version, "Nobody builds them any more.", whole=True)
    assert mine.get(PATH).status_code == 404
    versions = mine.get(f"{PATH}/versions").json()["items"]
    assert [(one["SchemaVersion"], one["Status"], one["Note"]) for one in versions] == [
        (2, "DEPRECATED", "Fewer questions."),
        (1, "DEPRECATED", ""),
    ]
    assert {one["Deprecation"] for one in versions} == {"Nobody builds them any more."}
    assert mine.get(versions[1]["Schema"].removeprefix("/api"), headers={"If-None-Match": tag}).json()["deprecated"]
    assert first.schema_version == 1

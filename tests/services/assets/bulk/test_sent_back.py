"""An export that is handed in as it is says nothing new: in every format, of every status, for everyone who may do both."""

from pathlib import Path

import pytest

from models.assets import ENDED_STATUSES, Asset, AssetStatus
from services.assets.bulk.export.direct import export_file
from services.assets.registration.register import register_asset
from services.core.identity.actor import Actor, system_actor
from services.core.transaction import Stamp, current_session, unit_of_work
from tests.asset_factories import an_mpan, battery, values_for
from tests.bulk_files import assets, counts, csv_of, send
from tests.factories import administrator, make_fsp

pytestmark = pytest.mark.use_case("UC-02.03")
FORMATS = ("csv", "jsonl", "xlsx", "parquet")


def _set_status(asset: Asset, status: AssetStatus) -> None:
    with unit_of_work(Stamp("test_data", "UC-02.03", system_actor("Test data")), writes=True):
        current_session().get_one(Asset, asset.id).status = status


def _portfolio(actor: Actor, owner: Actor) -> None:
    """One asset of each status, and values that a file could lose on its way."""
    for status in AssetStatus:
        _set_status(register_asset(actor, battery()), status)
    register_asset(actor, battery(OtherDescription="=1+1", AssetModel="'=A1", Manufacturer="@Ampere"))
    register_asset(actor, battery(OtherDescription="-2+3", AssetModel="'text", FriendlyCode="+44"))
    register_asset(
        actor, battery(Latitude="52.123457", Longitude="-0.000001", Postcode="SG8 5AA", RatedCapacity="2500.07")
    )
    register_asset(actor, values_for("EV_CHARGER", ConnectorType="Type 2", ChargerCount="2", V2GEnabled="no"))
    register_asset(actor, battery(OrganisationId=str(owner.organisation_id), Aliases="ECR:UKPN-77; OEM:X 1"))
    register_asset(actor, battery(ConsumerOwned="yes", ConsentReference="CONSENT-1", Manufacturer="Müller, Söhne & Co"))


@pytest.mark.parametrize("file_format", FORMATS)
def test_an_export_sent_back_is_unchanged_whatever_the_status(
    one_register: str, tmp_path: Path, file_format: str
) -> None:
    actor, owner = make_fsp(), make_fsp()
    _portfolio(actor, owner)
    path = tmp_path / f"export.{file_format}"
    count = export_file(actor, file_format, path)
    job = send(actor, path.read_bytes(), path.name)
    assert counts(job) == {"unchanged": count}, (job.reason, job.summary)


@pytest.mark.parametrize("role", ["owner", "administrator"])
def test_everyone_who_may_export_and_upload_sends_an_export_back(one_register: str, tmp_path: Path, role: str) -> None:
    actor, owner = make_fsp(), make_fsp()
    _portfolio(actor, owner)
    sender = owner if role == "owner" else administrator()
    path = tmp_path / "export.csv"
    count = export_file(sender, "csv", path)
    assert count
    job = send(sender, path.read_bytes(), path.name)
    assert counts(job) == {"unchanged": count}, (job.reason, job.summary)


def test_what_is_new_of_an_ended_or_another_provider_s_asset_is_still_refused(one_register: str) -> None:
    actor, owner = make_fsp(), make_fsp()
    ended = register_asset(actor, battery())
    _set_status(ended, ENDED_STATUSES[0])
    managed = register_asset(actor, battery(OrganisationId=str(owner.organisation_id)))
    rows = [{"AssetId": str(ended.id), "AssetName": "Another"}, {"AssetId": str(managed.id), "AssetName": "Another"}]
    job = send(actor, csv_of(rows[:1]))
    assert (counts(job), set(job.summary)) == ({"refused": 1}, {"BULK-03"})
    job = send(owner, csv_of(rows[1:]))
    assert (counts(job), set(job.summary)) == ({"refused": 1}, {"BULK-01"})
    assert {asset.asset_name for asset in assets()} == {ended.asset_name, managed.asset_name}


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param([{"Technology": "Solar"}], id="a category's attribute"),
        pytest.param([{"StorageCapacity_kWh": "5"}, {"StorageCapacity_kWh": "x"}], id="a number of a category"),
        pytest.param([{"CategoryAttributes": '{"x": 1}'}, {"CategoryAttributes": "{"}], id="nested attributes"),
        pytest.param([{"Version": "99999999999999999999"}], id="a version"),
        pytest.param([{"FriendlyCode": "A"}, {"FriendlyCode": "B"}], id="codes"),
        pytest.param([{"Aliases": "ECR:1"}, {"Aliases": "x"}], id="aliases"),
        pytest.param([{"ConsumerOwned": "yes"}], id="a flag"),
        pytest.param([{"AssetName": " ", "AssetCategory": "Flywheel"}] * 2, id="an unknown category"),
        pytest.param([battery(AssetCategory=None), battery(AssetCategory="")], id="no category"),
        pytest.param([{"Easting": "1e400", "Northing": "-0"}] * 2, id="metres"),
        pytest.param([{"Postcode": "x" * 30_000}] * 2, id="a long cell"),
        pytest.param([{"EffectiveDate": "0000-01-01"}, {"CommissioningDate": "9999-12-31"}], id="dates"),
        pytest.param([{"ImportMPAN": an_mpan()}], id="a meter"),
    ],
)
def test_a_file_of_few_columns_ends_in_findings(one_register: str, rows: list[dict[str, str]]) -> None:
    job = send(make_fsp(), csv_of(rows))
    assert (job.status, job.reason) == ("Completed", None)
    assert counts(job)["refused"] == len(rows)

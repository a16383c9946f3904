"""Rows that speak of registered assets: told apart for a whole run at once, exactly as one by one (UC-02.03, bulk)."""

import random
from collections.abc import Iterator, Sequence
from typing import Any

import polars as pl
import pytest

from models.assets import Asset
from services.assets.bulk.export.direct import export_file
from services.assets.bulk.pipeline.changes import ProposedChange, load_assets, propose_changes, propose_each
from services.assets.bulk.pipeline.unchanged import Unchanged, find_unchanged
from services.assets.files.formats import as_text
from services.assets.registration.deregister import deregister_asset
from services.assets.registration.record import STORED_TERMS, as_terms
from services.assets.registration.register import register_asset
from services.assets.registration.update import update_asset
from services.assets.rules.schemas import ATTRIBUTES_TERM, CORE
from services.core.identity.actor import Actor, system_actor
from services.core.transaction import Stamp, unit_of_work
from tests.asset_factories import OF_CATEGORY, an_mpan, battery, values_for
from tests.bulk_files import assets, counts, csv_of, frame_of, send
from tests.factories import make_fsp

pytestmark = pytest.mark.both_engines

Cells = dict[str, Any]
Told = tuple[object, dict[str, Any], list[Any]]
SEED, ROWS = 1, 500
OTHER_WORDS = {
    "AssetName": ("  {} ",),
    "AssetCategory": ("{lower}",),
    "RatedCapacity": ("{}00", "0{}", " {}"),
    "GenCapacity": ("{}0",),
    "EffectiveDate": ("{} 00:00:00", " {}"),
    "ConnectionStatus": ("{lower}",),
    "ConnectionType": (" {lower} ",),
    "DNOConnection": ("{lower}",),
    "ImportMPAN": ("00 123 456 {}", "{}\u00a0"),
    "Latitude": ("{}0", "{}0000000000000000", "+{}"),
    "Longitude": ("{}000",),
    "Postcode": ("{lower}", "{squeezed}"),
    "ConsumerOwned": ("no", "FALSE", "0", "yes"),
    "ServiceProviderId": ("{upper}",),
    "OrganisationId": ("{upper}",),
    "StorageCapacity_kWh": ("{}.0", "0{}", " {}"),
    "ConnectorType": ("Type 2", "type_2", "Type 1"),
    "V2GEnabled": ("no", "False", "yes"),
    "ChargerCount": ("{}.0", "0{}"),
    "Aliases": ("{spelled}", "ECR:ELSE-1", "OEM:TAKEN", "nonsense"),
    ATTRIBUTES_TERM: ("{nested}", "{{}}", "[1]", '{{"ChargerCount": 9}}'),
}
"""Cells that may say what stands in other words, or something near to it."""
NEWS = {
    "AssetName": "Another name",
    "FriendlyCode": "TAKEN",
    "RatedCapacity": "7000000.00",
    "GenCapacity": "1",
    "EffectiveDate": "2001-01-01",
    "AssetModel": "Newer",
    "Manufacturer": "ampere  devices",
    "ConnectionType": "NON_FIRM",
    "Latitude": "57.1",
    "Easting": "545000",
    "Northing": "258000",
    "Postcode": "NG1 5DT",
    "ImportMPAN": "1234567890123",
    "AssetCategory": "WIND_TURBINE",
    "ConsentReference": "CONSENT-2",
    "StorageCapacity_kWh": "6000",
    "ChargerCount": "many",
    "ThermalOutput_kW": "12",
    "PeakPower_kWp": "12",
}


def _portfolio(actor: Actor) -> list[Asset]:
    """Assets of every kind that matters here, the last of which has ended."""
    rival = make_fsp()
    theirs = register_asset(rival, battery())
    nowhere = {"Latitude": None, "Longitude": None}
    made = [register_asset(actor, values_for(category)) for category in OF_CATEGORY]
    made += [
        register_asset(actor, battery(Aliases="ECR:UKPN-77; OEM:X 1", FriendlyCode="F-1")),
        register_asset(actor, battery(FriendlyCode="TAKEN", Aliases="OEM:TAKEN", AssetName="Wörth ⚡"[:5])),
        register_asset(actor, battery(ConsumerOwned="yes", ConsentReference="CONSENT-1")),
        register_asset(actor, battery(**nowhere)),
        register_asset(actor, battery(**nowhere, Easting="545000", Northing="258000")),
        register_asset(actor, values_for("EV_CHARGER", ConnectorType="Type 2", ChargerCount="2", V2GEnabled="no")),
        register_asset(actor, battery(ImportMPAN=theirs.import_mpan), justification="Both providers share the meter."),
        register_asset(actor, battery(GenCapacity=None, DemandCapacity=None, ExportMPAN=an_mpan())),
    ]
    update_asset(actor, made[0].id, {"AssetModel": "Second"}, 1)
    ended = register_asset(actor, battery(FriendlyCode="E-1"))
    return [*made, deregister_asset(actor, ended.id, "It was taken down.", 1)]


def _cells(asset: Asset) -> Cells:
    """An asset as an export has it."""
    terms = as_terms(asset)
    names = [*(term for term in STORED_TERMS if term in CORE), *asset.category_attributes]
    return {"AssetId": str(asset.id), "Version": "1"} | {name: as_text(terms.get(name)) or "" for name in names}


def _said(text: str, asset: Asset, cell: str) -> str:
    spelled = "; ".join(f"{one['scheme'].lower()}:{one['value']}" for one in asset.aliases)
    return text.format(
        cell,
        lower=cell.lower(),
        upper=cell.upper(),
        squeezed=cell.replace(" ", ""),
        spelled=spelled,
        nested=as_text(asset.category_attributes),
    )


def _rows(assets_there: Sequence[Asset], chosen: random.Random) -> Iterator[tuple[Asset, Cells]]:
    """Every asset as it stands, with each thing said otherwise, then with several at once."""
    for asset in assets_there:
        cells = _cells(asset)
        single: list[Cells] = [{}, dict.fromkeys(cells), {"Version": "99"}, {"Version": "soon"}]
        single += [{term: ""} for term in (*CORE, *cells, "ThermalOutput_kW") if term not in ("AssetId", "Version")]
        single += [
            {term: _said(text, asset, cells.get(term) or "")} for term, texts in OTHER_WORDS.items() for text in texts
        ]
        single += [{term: text} for term, text in NEWS.items()]
        yield from ((asset, cells | one) for one in single)
        for _ in range(25):
            several: Cells = {}
            for one in chosen.sample(single, 2):
                several |= one
            yield asset, cells | several


def _told(change: ProposedChange | Unchanged) -> Told:
    findings = [] if isinstance(change, Unchanged) else change.findings
    return change.asset.id, dict(change.changes), [(one.code, one.field, one.given, one.message) for one in findings]


@pytest.mark.use_case("UC-02.03")
def test_a_run_of_rows_is_judged_as_each_row_by_itself(register: str) -> None:
    actor, chosen = make_fsp(), random.Random(SEED)
    pairs = chosen.sample(list(_rows(_portfolio(actor), chosen)), ROWS)
    cells = frame_of([row for _asset, row in pairs])
    ids = [asset.id for asset, _row in pairs]
    with unit_of_work(Stamp("judge", "UC-02.03", system_actor()), writes=False):
        known = load_assets(ids)
        together = propose_changes(actor, cells, dict(enumerate(ids)))
        at_once = find_unchanged(cells, ids)
        alone = [propose_each(actor, [row], [known[one]])[0] for row, one in zip(cells.to_dicts(), ids, strict=True)]
    silent = [place for place, change in enumerate(alone) if _told(change)[1:] == ({}, [])]
    for place, change in enumerate(alone):
        assert _told(together[place]) == _told(change), pairs[place]
        standing, asset = at_once[place], change.asset
        if standing is not None:
            kept = (asset.asset_name, asset.asset_category, asset.rated_capacity, asset.latitude, asset.longitude)
            assert standing.asset == (asset.id, *kept)
    # What is left to be looked at singly although it says nothing new is little: dates in other words, shared meters.
    assert sum(at_once[place] is not None for place in silent) > 0.9 * len(silent) > 0.1 * ROWS


@pytest.mark.use_case("UC-02.03")
def test_an_export_that_comes_back_changes_what_was_changed_in_it(register: str, tmp_path: Any) -> None:
    actor = make_fsp()
    there = _portfolio(actor)
    path = tmp_path / "out.csv"
    export_file(actor, "csv", path)
    rows = pl.read_csv(path, infer_schema=False).to_dicts()
    ended = [row for row in rows if row["AssetId"] == str(there[-1].id)]
    rows = [row for row in rows if row not in ended]
    assert counts(send(actor, csv_of(rows))) == {"unchanged": len(rows)}
    assert counts(send(actor, csv_of(ended))) == {"unchanged": len(ended)}
    assert counts(send(actor, csv_of([row | {"AssetModel": "Newer"} for row in ended]))) == {"refused": len(ended)}
    rows[3]["AssetModel"], rows[5]["AssetName"], rows[6]["Version"] = "Newer", "Renamed", "77"
    job = send(actor, csv_of(rows))
    assert counts(job) == {"updated": 2, "unchanged": len(rows) - 2}, job.summary
    found = {str(asset.id): asset for asset in assets()}
    assert (found[rows[3]["AssetId"]].asset_model, found[rows[5]["AssetId"]].asset_name) == ("Newer", "Renamed")
    assert [found[rows[at]["AssetId"]].version for at in (3, 5, 6)] == [2, 2, 1]
    rows[3]["AssetModel"] = "Mine"
    assert counts(send(actor, csv_of(rows))) == {"refused": 1, "unchanged": len(rows) - 1}


@pytest.mark.use_case("UC-02.03")
def test_the_file_that_registered_says_nothing_new_in_its_own_words(register: str) -> None:
    actor = make_fsp()
    words = {"ConsumerOwned": "No", "Postcode": "cb12jd", "Aliases": "oem: Z 1", "ConnectionType": "firm"}
    charger = {"ConnectorType": "type 2", "V2GEnabled": "Yes", "ChargerCount": "2"}
    rows = [
        values_for("EV_CHARGER", FriendlyCode="A", ImportMPAN=f"00 111 222 {an_mpan()}", **words, **charger),
        battery(FriendlyCode="B", Latitude=None, Longitude=None, Easting="545000", Northing="258000"),
        battery(Postcode="CB1  2JD", RatedCapacity="2500.000"),
    ]
    assert counts(send(actor, csv_of(rows))) == {"registered": 3}
    assert counts(send(actor, csv_of(rows))) == {"unchanged": 3}
    with unit_of_work(Stamp("judge", "UC-02.03", system_actor()), writes=False):
        assert None not in find_unchanged(frame_of(rows), [asset.id for asset in assets()])


@pytest.mark.use_case("UC-02.03")
def test_an_attribute_that_one_row_gives_for_the_first_time_takes_none_from_the_others(register: str) -> None:
    actor = make_fsp()
    has = register_asset(actor, values_for("EV_CHARGER", FriendlyCode="A", ChargerCount=3))
    lacks = register_asset(actor, values_for("EV_CHARGER", FriendlyCode="B"))
    rows = [
        {"FriendlyCode": "A", "AssetModel": "Newer", "ChargerCount": "3"},
        {"FriendlyCode": "B", "AssetModel": "Newer", "ChargerCount": "2"},
    ]
    assert counts(send(actor, csv_of(rows))) == {"updated": 2}
    found = {asset.id: asset.category_attributes for asset in assets()}
    assert found == {has.id: {"ChargerCount": 3}, lacks.id: {"ChargerCount": 2}}

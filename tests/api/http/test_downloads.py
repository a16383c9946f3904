"""Files of pages by ticket: one person, one file, one browser, some minutes; never another file's bytes (UC-02.04)."""

import json
import logging
import re
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import httpx
import pytest
import time_machine
from sqlalchemy import text

from api.http.downloads import MAKERS
from services.assets.bulk.upload.jobs import submit_file
from services.assets.conversation.comments import attach_files, comment_on_asset, conversation_of
from services.assets.registration.register import register_asset
from services.core.conversation.definition import Audience
from services.core.conversation.files import Upload
from services.core.db import engine as database
from services.core.file_tickets import DownloadKind, issue_file_ticket
from services.core.identity.actor import Actor
from services.core.settings import ROOT
from services.participants.identity import actor_for_user, sign_out_user
from services.participants.users import change_roles, list_users
from tests.asset_factories import battery
from tests.factories import administrator, make_actor, make_organisation

MB = 1024 * 1024
BROWSER = "this browser"
COOKIE = {"Cookie": f"_streamlit_user={BROWSER}"}


@pytest.fixture
def person(door: httpx.Client) -> Actor:
    return make_actor(make_organisation("Northgate Flex"), ["fsp_user", "organisation_admin"])


def _take(door: httpx.Client, ticket: str, headers: dict[str, str] | None = None) -> httpx.Response:
    return door.get("/files/download", params={"ticket": ticket}, headers=COOKIE if headers is None else headers)


def _fresh(actor: Actor) -> Actor:
    assert actor.user_id is not None
    assert actor.organisation_id is not None
    return actor_for_user(actor.user_id, actor.organisation_id)


def _attachment(actor: Actor, content: bytes) -> UUID:
    asset = register_asset(actor, battery())
    message = comment_on_asset(actor, asset.id, "The plans.", Audience.OWN_ORGANISATION)
    del message
    [row] = conversation_of(actor, asset.id)
    [file] = attach_files(actor, row.message.id, [Upload("plans.pdf", content)])
    return file.id


def _large_file(middle: bytes) -> bytes:
    """Of one length, and alike in the first, middle and last 64 KiB: what the page server's own store tells files by."""
    head = b"%PDF-1.4\n" + b"a" * 300_000
    half = 2 * MB
    content = bytearray(b"0" * 2 * half)
    content[: len(head)] = head
    content[half // 2 : half // 2 + len(middle)] = middle
    return bytes(content)


@pytest.mark.use_case("UC-02.01")
def test_files_that_differ_where_no_sample_looks_are_each_its_own(door: httpx.Client, person: Actor) -> None:
    other = make_actor(make_organisation("Bramble Flex"))
    contents = {person: _large_file(b"Northgate's secret"), other: _large_file(b"Bramble's  secret!")}
    files = {actor: _attachment(actor, content) for actor, content in contents.items()}
    for actor, content in contents.items():
        ticket = issue_file_ticket(actor, DownloadKind.ASSET_ATTACHMENT, {"file": str(files[actor])}, BROWSER)
        taken = _take(door, ticket)
        assert taken.status_code == 200
        assert taken.content == content
        assert taken.headers["Content-Disposition"] == "attachment; filename*=UTF-8''plans.pdf"
        assert taken.headers["Cache-Control"] == "no-store"
    crossed = issue_file_ticket(other, DownloadKind.ASSET_ATTACHMENT, {"file": str(files[person])}, BROWSER)
    assert _take(door, crossed).status_code == 404, "a ticket gives no right"


def test_a_ticket_is_for_one_browser_and_some_minutes(door: httpx.Client, person: Actor) -> None:
    with time_machine.travel("2026-06-10 09:00:30+00:00") as clock:
        ticket = issue_file_ticket(person, DownloadKind.TEMPLATE, {"category": None}, BROWSER)
        assert _take(door, ticket).content.startswith(b"PK")
        assert _take(door, ticket, {}).status_code == 403
        assert _take(door, ticket, {"Cookie": "_streamlit_user=another"}).status_code == 403
        for changed in ("", "x", ticket + "x", ticket[:-2], "A" * 9000):
            assert _take(door, changed).status_code == 401
        clock.shift(660)
        assert _take(door, ticket).status_code == 401


def test_signing_out_ends_every_ticket(door: httpx.Client, person: Actor) -> None:
    assert person.user_id is not None
    ticket = issue_file_ticket(person, DownloadKind.TEMPLATE, {"category": "BESS"}, BROWSER)
    assert _take(door, ticket).status_code == 200
    sign_out_user(person.user_id)
    ended = _take(door, ticket)
    assert (ended.status_code, "signed out" in ended.json()["detail"]) == (401, True)
    again = issue_file_ticket(_fresh(person), DownloadKind.TEMPLATE, {"category": "BESS"}, BROWSER)
    assert _take(door, again).status_code == 200


def test_rights_are_those_of_the_moment_at_which_the_file_is_taken(door: httpx.Client, person: Actor) -> None:
    register_asset(person, battery(AssetName="Larch depot"))
    values = {"format": "csv", "filters": {}}
    ticket = issue_file_ticket(person, DownloadKind.ASSETS, values, BROWSER)
    assert "Larch depot" in _take(door, ticket).text
    [view] = [user for user in list_users(administrator()) if user.user_id == person.user_id]
    change_roles(administrator(), view.membership_id, ["organisation_admin"])
    assert _take(door, ticket).status_code == 403


def test_an_altered_file_is_refused_and_logged(
    door: httpx.Client, person: Actor, caplog: pytest.LogCaptureFixture
) -> None:
    file_id = _attachment(person, b"%PDF-1.4\n%%EOF")
    with database.engine(writes=True).begin() as connection:
        connection.execute(text("UPDATE attachment_content SET content = :other"), {"other": b"%PDF-1.4\n%%EOX"})
    with caplog.at_level(logging.ERROR):
        refused = _take(door, issue_file_ticket(person, DownloadKind.ASSET_ATTACHMENT, {"file": str(file_id)}, BROWSER))
    assert (refused.status_code, "altered" in refused.json()["detail"]) == (409, True)
    assert str(file_id) in caplog.text


def test_each_kind_of_file_comes_under_its_name(door: httpx.Client, person: Actor) -> None:
    job = submit_file(person, b"AssetName,AssetCategory\nLarch,BESS\n", "larch.csv")
    kinds: dict[DownloadKind, tuple[dict[str, object], str, Callable[[bytes], object]]] = {
        DownloadKind.TEMPLATE: ({"category": "BESS"}, "fmar-template-bess.xlsx", lambda content: content[:2] == b"PK"),
        DownloadKind.FINDINGS: ({"job": str(job.id)}, "findings-larch.csv", bytes.decode),
        DownloadKind.REFUSED_ROWS: ({"job": str(job.id)}, "refused-larch.csv", bytes.decode),
        DownloadKind.PASSPORT: (
            {"organisation": str(person.organisation_id)}, f"organisation-{person.organisation_id}.json", json.loads,
        ),
    }  # fmt: skip
    for kind, (values, name, reads) in kinds.items():
        taken = _take(door, issue_file_ticket(person, kind, values, BROWSER))
        assert taken.status_code == 200, (kind, taken.text)
        assert taken.headers["Content-Disposition"].endswith((f"''{name}", f'"{name}"'))
        assert reads(taken.content)
    assert set(MAKERS) == set(DownloadKind)


def test_no_page_hands_a_large_file_to_the_store_of_the_page_server() -> None:
    """What that store takes: small tables of a page, and small pictures."""
    door_of_store = re.compile(r"\bst\.(download_button|image|audio|video|pdf)\(")
    users = {
        str(path.relative_to(ROOT)): set(door_of_store.findall(path.read_text("utf-8")))
        for path in (*(ROOT / "pages").rglob("*.py"), ROOT / "portal.py")
    }
    assert {path: kinds for path, kinds in users.items() if kinds} == {
        "pages/components/common/downloads.py": {"download_button"},
        "pages/components/conversation/files.py": {"image"},
    }
    assert Path(ROOT / "pages/components/common/downloads.py").exists()


def test_a_refused_ticket_is_words_and_a_way_back_in_a_browser(door: httpx.Client, person: Actor) -> None:
    asked = {**COOKIE, "Accept": "text/html,application/xhtml+xml,*/*;q=0.8", "Referer": f"{door.base_url}/assets?q=x"}
    with time_machine.travel("2026-11-02T10:00:00Z", tick=False) as clock:
        ticket = issue_file_ticket(person, DownloadKind.TEMPLATE, {"category": None}, BROWSER)
        assert _take(door, ticket, asked).status_code == 200
        clock.shift(3_600)
        ended = _take(door, ticket, asked)
    host = httpx.URL(str(door.base_url)).host
    for refused, status in (
        (ended, 401),
        (_take(door, "", asked), 401),
        (_take(door, "made.up", asked), 401),
        (door.get("/files/export", params={"ticket": "made.up"}, headers=asked), 401),
    ):
        assert refused.status_code == status
        assert refused.headers["Content-Type"].startswith("text/html")
        assert "This download has ended" in refused.text
        assert "Back to the page" in refused.text, host
        assert "made.up" not in refused.text
    elsewhere = _take(door, "made.up", {**asked, "Referer": "https://elsewhere.example/assets"})
    assert 'href="/"' in elsewhere.text
    assert "elsewhere" not in elsewhere.text
    program = _take(door, "made.up", {**COOKIE, "Accept": "application/json"})
    assert program.headers["Content-Type"].startswith("application/problem+json")

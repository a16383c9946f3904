"""Comments and files about an asset: who reads them, what is taken, and where a note of one organisation never shows."""

import io
import json
import zipfile
from pathlib import Path

import pytest
from PIL import Image
from sqlalchemy import select, text
from sqlmodel import col

from models.assets import Asset, AssetMessage, MessageKind
from models.core import Access, LedgerEntry
from models.participants import Role
from services.assets.asset_page.timeline import asset_timeline
from services.assets.checks.queries import answer_query, messages_of, query_asset, review_queue
from services.assets.conversation.comments import (
    attach_files,
    comment_on_asset,
    conversation_of,
    involved,
    read_attachment,
    small_pictures,
)
from services.assets.reading.assets import get_asset
from services.assets.registration.register import register_asset
from services.core.conversation.definition import Audience
from services.core.conversation.files import Upload
from services.core.db.engine import engine
from services.core.errors import Forbidden, Invalid, NotFound, Refused
from services.core.identity.actor import Actor, system_actor
from services.core.jobs.outbox import read_events
from services.core.ledger.verifying import FaultKind, verify_ledger
from services.core.register_settings import change_setting
from services.core.transaction import current_session, unit_of_work
from services.governance.export import export_to
from services.governance.recent import recent_changes
from tests.asset_factories import (
    STAMP,
    battery,
    make_actor,
    make_administrator,
    make_operator,
    make_organisation,
    make_provider,
)

pytestmark = pytest.mark.use_case("UC-02.01")
SECRET = "Between us: the inverter is broken."
PDF = b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF"


def picture(kind: str = "PNG") -> bytes:
    """A small picture."""
    drawn = io.BytesIO()
    Image.new("RGB", (900, 600), (0, 158, 115)).save(drawn, kind)
    return drawn.getvalue()


def workbook(*more: str) -> bytes:
    """What makes a workbook of a zip file, and other parts."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as parts:
        for name in ("[Content_Types].xml", "xl/workbook.xml", *more):
            parts.writestr(name, "<x/>")
    return made.getvalue()


def an_asset(actor: Actor) -> Asset:
    """A battery in the licence area of an operator."""
    return register_asset(actor, battery(), justification="Accepted for this test.")


def texts(actor: Actor, asset: Asset) -> list[str]:
    """What the actor reads about the asset."""
    return [one.message.text for one in conversation_of(actor, asset.id)]


def test_a_comment_is_read_by_everyone_involved_and_a_note_by_its_own_organisation(register: str) -> None:
    company = make_organisation("Northgate")
    actor, colleague = make_actor(company), make_actor(company, Role.ORGANISATION_ADMIN, name="Sam Colleague")
    operator, other_operator, admin = make_operator("UKPN_EPN"), make_operator("UKPN_LPN"), make_administrator()
    asset = an_asset(actor)
    comment_on_asset(actor, asset.id, "The DNO visits on Monday.", Audience.EVERYONE)
    note = comment_on_asset(actor, asset.id, SECRET, Audience.OWN_ORGANISATION)
    comment_on_asset(operator, asset.id, "Our engineer is late.", Audience.OWN_ORGANISATION)
    assert note.only_for == actor.organisation_id
    assert texts(actor, asset) == texts(colleague, asset) == ["The DNO visits on Monday.", SECRET]
    assert texts(admin, asset) == ["The DNO visits on Monday."]
    assert texts(operator, asset) == ["The DNO visits on Monday.", "Our engineer is late."]
    with pytest.raises(NotFound):
        conversation_of(other_operator, asset.id)
    with pytest.raises(NotFound):
        comment_on_asset(other_operator, asset.id, "Hello there.", Audience.EVERYONE)
    assert involved(admin, asset.id) == ["Northgate Ltd", "UK Power Networks Ltd", "FMAR administrator"]


def test_a_note_shows_nowhere_else(register: str, tmp_path: Path) -> None:
    """Not in histories, queues, events, news, nor in the export of the ledger, whose chains still hold."""
    actor, admin = make_provider(), make_administrator()
    asset = an_asset(actor)
    note = comment_on_asset(actor, asset.id, SECRET, Audience.OWN_ORGANISATION, [Upload("inverter fault.pdf", PDF)])
    assert [one.messages[0].message.id for one in asset_timeline(actor, asset.id) if one.messages] == [note.id]
    assert [one for one in asset_timeline(admin, asset.id) if one.messages] == []
    assert messages_of(admin, asset.id) == []
    assert [item.last_message for item in review_queue(admin)] == [None]
    assert "asset.commented" not in {event.type for event in read_events(admin)}
    assert "Commented on" not in {one.what for one in recent_changes(admin)}
    auditor = make_actor(make_organisation("Ofgem", ("Regulator",)), Role.REGULATOR)
    for somebody, file in ((admin, tmp_path / "a.jsonl"), (auditor, tmp_path / "b.csv")):
        export_to(somebody, "ledger", file)
        exported = file.read_text("utf-8-sig")
        assert SECRET not in exported
        assert "inverter fault" not in exported
        assert str(note.id) in exported, "that something was written is told"
    with unit_of_work(STAMP, writes=False):
        kept = current_session().scalar(select(LedgerEntry).where(col(LedgerEntry.record_id) == note.id))
    assert kept is not None
    assert set(json.loads(kept.state)) == {"id", "withheld"}
    assert verify_ledger(system_actor()).faults == []
    with engine(writes=True).begin() as connection:
        connection.execute(text("UPDATE asset_message SET text = 'All is well.'"))
    assert [fault.kind for fault in verify_ledger(system_actor()).faults] == [FaultKind.RECORD_ALTERED]


def test_who_may_not_comment(register: str) -> None:
    actor = make_provider()
    asset = an_asset(actor)
    viewer = make_actor(make_organisation("Programme", ("Other",)), Role.VIEWER)
    regulator = make_actor(make_organisation("Ofgem", ("Regulator",)), Role.REGULATOR)
    for somebody in (viewer, regulator):
        with pytest.raises(Forbidden):
            comment_on_asset(somebody, asset.id, "Hello there.", Audience.EVERYONE)
    with pytest.raises(Invalid):
        comment_on_asset(actor, asset.id, " ", Audience.EVERYONE)


def test_a_comment_neither_answers_nor_decides_a_query(register: str) -> None:
    actor, admin = make_provider(), make_administrator()
    asset = an_asset(actor)
    asked = query_asset(admin, asset.id, "Is it there?", asset.version)
    comment_on_asset(actor, asset.id, "I'll ask the site.", Audience.EVERYONE)
    assert get_asset(actor, asset.id).version == asked.version
    answered = answer_query(actor, asset.id, "It is.", asked.version, [Upload("site.png", picture())])
    said = conversation_of(admin, asset.id)
    assert [(one.message.kind, len(one.files)) for one in said] == [
        (MessageKind.QUERY, 0),
        (MessageKind.COMMENT, 0),
        (MessageKind.ANSWER, 1),
    ]
    assert answered.version == asked.version + 1
    told = [event for event in read_events(actor) if event.type == "asset.commented"]
    assert len(told) == 1
    assert "site" not in str(told[0].payload["by"])


@pytest.mark.parametrize(
    ("name", "content", "kept", "media_type"),
    [
        ("../../etc/plan.PDF", PDF, "plan.pdf", "application/pdf"),
        ("picture.exe", picture("JPEG"), "picture.exe.jpg", "image/jpeg"),
        ("C:\\photos\\site\u202egnp.png", picture(), "sitegnp.png", "image/png"),
        ("readings", b"half hour,kW\n1,2\n", "readings.csv", "text/csv"),
        ("=cmd|'c calc'!A1.csv", "période;kW\n1;2\n".encode("cp1252"), "=cmd-'c calc'!A1.csv", "text/csv"),
        ("", workbook(), "file.xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ],
)
def test_files_are_known_by_their_content_and_their_names_are_cleaned(
    one_register: str, name: str, content: bytes, kept: str, media_type: str
) -> None:
    actor = make_provider()
    asset = an_asset(actor)
    comment_on_asset(actor, asset.id, "See the file.", Audience.EVERYONE, [Upload(name, content)])
    [said] = conversation_of(actor, asset.id)
    assert [(one.file_name, one.media_type) for one in said.files] == [(kept, media_type)]
    assert read_attachment(actor, said.files[0].id).content == content


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"MZ\x90\x00\x03\x00\x00\x00",
        b"<html><script>alert(1)</script>,</html>",
        b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
        workbook("xl/vbaProject.bin"),
        b"PK\x03\x04 not a zip",
        b"\x89PNG\r\n\x1a\n broken",
        b"just words",
        b"a,b\x00c\n",
    ],
)
def test_other_files_are_refused_whatever_their_name_and_nothing_is_kept(one_register: str, content: bytes) -> None:
    actor = make_provider()
    asset = an_asset(actor)
    for name in ("a.pdf", "a.png", "a.csv", "a.xlsx"):
        with pytest.raises(Invalid) as refused:
            comment_on_asset(actor, asset.id, "See the file.", Audience.EVERYONE, [Upload(name, content)])
        assert [finding.code for finding in refused.value.findings] == ["FILE-02"]
    assert conversation_of(actor, asset.id) == []


def test_how_large_and_how_many(one_register: str) -> None:
    actor, admin = make_provider(), make_administrator()
    asset = an_asset(actor)
    change_setting(admin, "asset.attachment_max_mb", "1", 0)
    large = PDF + b" " * 1024 * 1024
    with pytest.raises(Invalid) as refused:
        comment_on_asset(actor, asset.id, "See them.", Audience.EVERYONE, [Upload("a.pdf", large)])
    assert [finding.code for finding in refused.value.findings] == ["FILE-01"]
    message = comment_on_asset(actor, asset.id, "See them.", Audience.EVERYONE, [Upload("a.pdf", PDF)] * 10)
    with pytest.raises(Invalid) as refused:
        attach_files(actor, message.id, [Upload("a.pdf", PDF)])
    assert [finding.code for finding in refused.value.findings] == ["FILE-03"]


def test_a_file_has_the_readers_of_its_message(register: str) -> None:
    actor, operator, admin = make_provider(), make_operator("UKPN_EPN"), make_administrator()
    asset = an_asset(actor)
    open_one = comment_on_asset(actor, asset.id, "A picture.", Audience.EVERYONE)
    [shared] = attach_files(actor, open_one.id, [Upload("site.png", picture())])
    private = comment_on_asset(actor, asset.id, SECRET, Audience.OWN_ORGANISATION)
    [hidden] = attach_files(actor, private.id, [Upload("fault.png", picture())])
    assert hidden.only_for == actor.organisation_id
    assert read_attachment(operator, shared.id).file_name == "site.png"
    for somebody in (operator, admin):
        with pytest.raises(NotFound):
            read_attachment(somebody, hidden.id)
        with pytest.raises(NotFound):
            attach_files(somebody, private.id, [Upload("a.pdf", PDF)])
    with pytest.raises(Forbidden):
        attach_files(operator, open_one.id, [Upload("a.pdf", PDF)])
    assert read_attachment(actor, hidden.id).content == picture()
    small = small_pictures(admin, [shared.id, hidden.id])
    assert list(small) == [shared.id]
    with Image.open(io.BytesIO(small[shared.id])) as drawn:
        assert max(drawn.size) == 320
    with unit_of_work(STAMP, writes=False):
        read = select(Access).where(col(Access.kind) == "attachment.read").order_by(col(Access.id))
        logged = [(row.record_id, row.detail) for row in current_session().scalars(read)]
    assert logged == [(asset.id, {"attachment": str(shared.id)}), (asset.id, {})], (
        "nothing tells that a file is private"
    )


def test_a_file_that_was_altered_behind_the_registers_back_is_not_handed_out(register: str) -> None:
    actor = make_provider()
    asset = an_asset(actor)
    message = comment_on_asset(actor, asset.id, "The agreement.", Audience.EVERYONE)
    [kept] = attach_files(actor, message.id, [Upload("a.pdf", PDF)])
    with engine(writes=True).begin() as connection:
        connection.execute(text("UPDATE attachment_content SET content = :other"), {"other": PDF + b"!"})
    with pytest.raises(Refused, match="altered"):
        read_attachment(actor, kept.id)


def test_an_installer_comments_on_what_it_submitted(register: str) -> None:
    fitter = make_organisation("Fitters", ("Installer",))
    installer, actor = make_actor(fitter, Role.INSTALLER), make_provider()
    asset = an_asset(actor)
    with pytest.raises(NotFound):
        comment_on_asset(installer, asset.id, "Fitted in May.", Audience.EVERYONE)
    with unit_of_work(STAMP, writes=True) as session:
        stored = session.get_one(Asset, asset.id)
        stored.submitted_by_organisation = fitter.id
    comment_on_asset(installer, asset.id, "Fitted in May.", Audience.EVERYONE)
    assert texts(actor, asset) == ["Fitted in May."]
    assert "Fitters Ltd" in involved(actor, asset.id)
    assert isinstance(conversation_of(installer, asset.id)[0].message, AssetMessage)

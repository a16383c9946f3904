"""Copies of a SQLite register: made while the portal runs, and put back once they are proven whole.

PostgreSQL has tools of its own for both (docs/operate.md); these refuse there and name them.
"""

import os
import shutil
import sqlite3
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, select
from sqlmodel import col

from models.core import LedgerSeal
from services.core.clock import now
from services.core.db.exclusive import alone_with, shown, sqlite_path
from services.core.db.migrate import known_schemas, migrate_over, present_schema, schema_of
from services.core.errors import Refused
from services.core.identity.actor import system_actor
from services.core.ledger.verifying import Verification, verify_ledger
from services.core.settings import settings
from services.core.transaction import Stamp, reading_over

HEADER = b"SQLite format 3\x00"


@dataclass(frozen=True, slots=True)
class Copied:
    """A copy that was made: where, its size in bytes, the ledger's entries in it."""

    path: Path
    size: int
    entries: int


@dataclass(frozen=True, slots=True)
class Restored:
    """A copy that was put back: when its last seal was made, and what its ledger was found to be."""

    ledger: Verification
    sealed_until: datetime | None
    backup: Path | None
    """The register that stood there before, as a file beside the new one."""
    migrated_from: str | None
    """The older schema that the copy was brought up from."""


def _register_path(tool: str) -> Path:
    url = settings().resolved_database_url()
    if not url.startswith("sqlite"):
        raise Refused(f"The register is kept in PostgreSQL ({shown(url)}): use {tool}, see docs/operate.md.")
    return sqlite_path(url).resolve()


def copy_register(to: Path) -> Copied:
    """Copy the SQLite register to a file as it stands at one moment; a portal may run and write meanwhile.

    The copy is checked and complete before it has its name. Raises Refused when the file is there already, or the register
    isn't.
    """
    source = _register_path("pg_dump --format=custom")
    if to.exists():
        raise Refused(f"{to} is there already. Name a new file; copies are not overwritten.")
    if not source.is_file():
        raise Refused(f"There is no register at {source}.")
    draft = to.with_name(f"{to.name}.partial")
    try:
        _copy(source, draft)
        with closing(sqlite3.connect(draft)) as copy:
            _require_whole(copy, to)
            entries = copy.execute("SELECT count(*) FROM ledger_entry").fetchone()[0]
        _to_disk(draft)
        draft.rename(to)
    finally:
        draft.unlink(missing_ok=True)
    return Copied(to, to.stat().st_size, entries)


def _copy(source: Path, to: Path) -> None:
    """SQLite's own way of copying, in one step: one moment of the register, and no writer waits for it."""
    to.unlink(missing_ok=True)
    os.close(os.open(to, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    with (
        closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True, timeout=30)) as out,
        closing(sqlite3.connect(to)) as into,
    ):
        out.backup(into)
        # One file that needs no other beside it.
        into.execute("PRAGMA journal_mode=DELETE")


def _require_whole(copy: sqlite3.Connection, name: Path) -> None:
    try:
        problems = [row[0] for row in copy.execute("PRAGMA integrity_check(5)")]
        problems += [
            f"row {row[1]} of {row[0]} names a {row[2]} that isn't there"
            for row in copy.execute("PRAGMA foreign_key_check")
        ][:5]
    except sqlite3.DatabaseError as error:
        problems = [str(error)]
    if problems != ["ok"]:
        words = "; ".join(line for line in problems if line != "ok")
        raise Refused(f"{name} is damaged: {words}. Nothing was changed.")


def _to_disk(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def restore_register(copy: Path) -> Restored:
    """Put a copy in the place of the SQLite register, which is kept beside it under another name.

    Before anything is replaced, the copy is checked for damage, brought to the present schema and its ledger verified.
    Raises Refused, leaving all as it was, when any of that fails or somebody has the register open.
    """
    path = _register_path("pg_restore")
    _require_sqlite_file(copy)
    was_there = path.is_file()
    draft = path.with_name(f"{path.name}.restoring")
    try:
        with alone_with(f"sqlite:///{path}", changes=True) as present:
            _copy_to_restore(copy, draft)
            with alone_with(f"sqlite:///{draft}", changes=True) as proposed:
                migrated_from = _bring_up(proposed, copy)
                ledger, sealed_until = _proven(proposed, copy)
            _to_disk(draft)
            _write_back(present)
        backup = _keep(path, draft) if was_there else None
        _place(path, draft)
    finally:
        _remove(draft)
    return Restored(ledger, sealed_until, backup, migrated_from)


def _require_sqlite_file(copy: Path) -> None:
    with copy.open("rb") as file:
        if file.read(len(HEADER)) != HEADER:
            raise Refused(f"{copy} is no copy of a SQLite register. One of PostgreSQL goes back with pg_restore.")


def _copy_to_restore(copy: Path, draft: Path) -> None:
    needed, free = copy.stat().st_size, shutil.disk_usage(draft.parent).free
    if needed > free:
        raise Refused(f"The copy takes {needed:,} bytes; {free:,} are free in {draft.parent}.")
    try:
        _copy(copy, draft)
    except sqlite3.DatabaseError as error:
        raise Refused(f"{copy} is damaged: {error}. Nothing was changed.") from None
    with closing(sqlite3.connect(draft)) as connection:
        _require_whole(connection, copy)


def _bring_up(proposed: Connection, copy: Path) -> str | None:
    """Migrate the draft where the copy has an older schema, which is given back."""
    schema = schema_of(proposed)
    if schema is None:
        raise Refused(f"{copy} is no register: it has no schema version. Nothing was changed.")
    if schema not in known_schemas():
        raise Refused(
            f"{copy} has schema {schema}, which this software ({present_schema()}) does not know: it was made by a newer one. "
            "Install that, and restore with it. Nothing was changed."
        )
    if schema == present_schema():
        return None
    migrate_over(proposed)
    proposed.commit()
    return schema


def _proven(proposed: Connection, copy: Path) -> tuple[Verification, datetime | None]:
    """Verify the draft's ledger; that the anchor file knows younger seals is what a copy is like, all else is a refusal."""
    with reading_over(proposed, Stamp("restore_register", "UC-05.06", system_actor())) as session:
        ledger = verify_ledger(system_actor())
        newest = select(col(LedgerSeal.recorded_at)).order_by(col(LedgerSeal.number).desc()).limit(1)
        sealed_until = session.scalar(newest)
    serious = [fault for fault in ledger.faults if fault is not ledger.cut_off]
    if serious:
        faults = " ".join(f"{fault.where}: {fault.message}" for fault in serious[:3])
        raise Refused(f"The ledger of {copy} is not sound ({len(serious)} faults): {faults} Nothing was changed.")
    return ledger, sealed_until


def _write_back(present: Connection) -> None:
    """Bring what stands in the write-ahead log into the file, which is kept; the lock stays until the connection ends."""
    present.rollback()
    driver = present.connection.driver_connection
    if not isinstance(driver, sqlite3.Connection) or driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
        raise Refused("The register could not be written out. Nothing was changed; try again.")


def _keep(path: Path, draft: Path) -> Path:
    """Give the register that stands there a second name, and the draft its owner and mode: the portal has to open it."""
    as_it_is = path.stat()
    draft.chmod(as_it_is.st_mode & 0o777)
    try:
        os.chown(draft, as_it_is.st_uid, as_it_is.st_gid)
    except PermissionError:
        raise Refused(f"{path} belongs to somebody else. Restore as {path.owner()}. Nothing was changed.") from None
    backup = path.with_name(f"{path.name}.before-{now():%Y%m%dT%H%M%S.%fZ}")
    os.link(path, backup)
    return backup


def _place(path: Path, draft: Path) -> None:
    # What is left of the former file's log is empty by now, and none of the new one's.
    for end in ("-wal", "-shm"):
        Path(f"{path}{end}").unlink(missing_ok=True)
    draft.replace(path)


def _remove(draft: Path) -> None:
    for end in ("", "-wal", "-shm", "-journal"):
        with suppress(FileNotFoundError):
            Path(f"{draft}{end}").unlink()

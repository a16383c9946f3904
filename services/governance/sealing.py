"""Sealing by itself: the worker seals the ledger from time to time and anchors each seal outside the database."""

import logging
from datetime import timedelta
from pathlib import Path

from sqlalchemy import select
from sqlmodel import col

from models.core import LedgerSeal
from services.core.clock import now
from services.core.errors import Refused
from services.core.identity.actor import system_actor
from services.core.ledger import keys
from services.core.ledger.anchors import anchor_file_of, anchor_path, read_anchor_file, write_anchor
from services.core.ledger.keys import SealKeyRefused, SigningKey
from services.core.ledger.sealing import has_signed_seals, last_seal, lock_ledger, seal_ledger
from services.core.operation import system_step
from services.core.register_settings import register_id
from services.core.transaction import current_session

log = logging.getLogger("fmar.ledger")
LOGS_PATIENCE = timedelta(minutes=15)
"""Logs outside the ledger that have something new, while the ledger has not, are sealed so often."""


@system_step("UC-05.06", name="read_register_id", writes=False)
def read_register_id() -> str:
    """The identifier of this register, which its anchors carry."""
    return register_id()


@system_step("UC-05.06", name="read_seal_count", writes=False)
def read_seal_count() -> int:
    """The number of seals that the register has."""
    last = last_seal()
    return last.number if last else 0


@system_step("UC-05.06", name="unanchored_seals", writes=False)
def unanchored_seals() -> list[LedgerSeal]:
    """The seals that are newer than the newest anchored one: those just made, and any that a killed process left."""
    newest = max(read_anchor_file(register_id(), now()).anchors, default=0)
    query = select(LedgerSeal).where(col(LedgerSeal.number) > newest).order_by(col(LedgerSeal.number))
    return list(current_session().scalars(query))


def seal_and_anchor(patience: timedelta = timedelta()) -> int:
    """Seal all that is unsealed, appending each committed seal to the anchor file; how many seals were made.

    Anchors are not begun anew by themselves: where their file is gone or another register's, seals are made, the log says what
    to do, and verification fails until it is done.
    """
    can_anchor = _prepare_anchor_file()
    count = 0
    while seal_ledger(system_actor(), patience) is not None:
        count += 1
    if can_anchor:
        for seal in unanchored_seals():
            write_anchor(seal, read_register_id(), now())
    return count


def _prepare_anchor_file() -> bool:
    """Tell whether seals can be anchored; the file of a register without seals is begun."""
    if anchor_path() is None:
        return False
    file = read_anchor_file(read_register_id(), now())
    path = file.path
    if path is None:
        return False
    if file.missing and read_seal_count():
        log.error("%s", missing_anchors(path))
        return False
    if file.others and not file.anchors:
        log.error("Seals are not anchored: %s", file.problems[-1])
        return False
    if file.missing:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
    return True


def missing_anchors(path: Path) -> str:
    """The alarm of an anchor file that is gone, with what to do."""
    return (
        f"The anchor file {path} is missing, though the register has seals. Put it back from its copy elsewhere; or, where "
        "anchors begin on this machine or after a restore, begin it anew: manage.py restart-anchors REGISTER."
    )


def _set_aside(path: Path) -> Path:
    target = path.with_name(f"{path.name}.before-{now():%Y%m%dT%H%M%S.%fZ}")
    path.rename(target)
    return target


def restart_anchors(register: str) -> tuple[int, Path | None]:
    """Begin the anchor file anew with every seal there is; the number of seals, and where the former file was set aside.

    For the first time on a machine, and after a restore. `register` is the register's identifier, typed by whoever decides it.
    Raises Refused for another one, or where no anchors are kept.
    """
    identifier = read_register_id()
    path = anchor_file_of(identifier)
    if path is None:
        raise Refused("No anchors are kept here: set FMAR_ANCHOR_FILE.")
    if register != identifier:
        raise Refused(f"This register is {identifier}, not {register}. Nothing was changed.")
    former = _set_aside(path) if path.exists() else None
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    seals = unanchored_seals()
    for seal in seals:
        write_anchor(seal, identifier, now())
    _continue_key(len(seals) + 1)
    return len(seals), former


@system_step("UC-05.06", name="continue_seal_key", writes=False)
def _continue_key(number: int) -> None:
    """Have the present key sign from this seal on, where the register went back to before it came into use."""
    expected = keys.read_public_keys().of(register_id())
    if expected and expected[-1].first_seal > number:
        key = keys.signing_key(register_id(), number, has_signed_seals=True, moment=now())
        if key is not None:
            keys.note_public_key(register_id(), key, number, now())


@system_step("UC-05.06", name="rotate_seal_key")
def rotate_seal_key() -> SigningKey:
    """Replace the key that signs seals; nobody seals meanwhile. Raises SealKeyRefused where seals aren't signed."""
    lock_ledger()
    last = last_seal()
    return keys.rotate_key(register_id(), last.number + 1 if last else 1, now())


@system_step("UC-05.06", name="prepare_seal_key", writes=False)
def prepare_seal_key() -> None:
    """Make or note the key of this register at its first start: from then on every seal is signed. Or the log says why not."""
    last = last_seal()
    number = last.number + 1 if last else 1
    try:
        keys.signing_key(register_id(), number, has_signed_seals=has_signed_seals(), moment=now())
    except SealKeyRefused as refused:
        log.error("%s", refused.message)


def seal_regularly() -> None:
    """Seal what waits longer than a minute."""
    seal_and_anchor(LOGS_PATIENCE)

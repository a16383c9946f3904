"""Keys that sign seals (Ed25519), outside the database: whoever controls it alone can't make a seal that verifies.

`FMAR_SEAL_KEY_FILE` names the private key (PEM, mode 0600), made when a register first needs it. Beside it stands a list of
public keys, one JSON line each: register, key, from which seal on. It says which seals may be unsigned: those before the first
key. A key that was replaced stays in the list, so older seals verify; the list is enough to verify anywhere.
"""

import base64
import hashlib
import json
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from services.core.errors import Refused
from services.core.settings import ROOT, settings

PURPOSE = b"fmar ledger seal\n"
"""Signed before each seal's hash: a signature for something else never passes for one of a seal."""


class SealKeyRefused(Refused):
    """Sealing refused: the private key isn't there, or isn't the register's."""


class PublicKeyLine(NamedTuple):
    """A public key of one register, and the number of the first seal that it signs."""

    register: str
    key_id: str
    public: bytes
    first_seal: int


@dataclass(frozen=True, slots=True)
class PublicKeys:
    """The list of public keys as it stands. `unreadable` are numbers of lines, from 1."""

    lines: Sequence[PublicKeyLine]
    unreadable: Sequence[int]

    def of(self, register: str) -> list[PublicKeyLine]:
        """The keys of one register, in the order in which they came into use."""
        return [line for line in self.lines if line.register == register]

    def key_for(self, register: str, number: int) -> PublicKeyLine | None:
        """The key that a seal has to bear: the last that came into use for its number. None: it may be unsigned."""
        return next((line for line in reversed(self.of(register)) if line.first_seal <= number), None)


def key_path() -> Path | None:
    """The file of the private key; None when seals aren't signed."""
    name = settings().seal_key_file
    return ROOT / name if name else None


def public_keys_path(path: Path) -> Path:
    """The list of public keys beside a private key."""
    return path.with_name(f"{path.stem}.public.jsonl")


def read_public_keys() -> PublicKeys:
    """Read the list of public keys; empty where there is none."""
    path = key_path()
    lines: list[PublicKeyLine] = []
    unreadable: list[int] = []
    file = public_keys_path(path) if path else None
    if file is None or not file.exists():
        return PublicKeys(lines, unreadable)
    for place, text in enumerate(file.read_text(encoding="utf-8", errors="replace").splitlines(), start=1):
        if not text.strip():
            continue
        try:
            document = json.loads(text)
            public = base64.b64decode(document["public"], validate=True)
            Ed25519PublicKey.from_public_bytes(public)
            line = PublicKeyLine(str(document["register"]), key_id_of(public), public, int(document["first_seal"]))
            lines.append(line)
        except (ValueError, KeyError, TypeError):
            unreadable.append(place)
    return PublicKeys(lines, unreadable)


def key_id_of(public: bytes) -> str:
    """The short name of a public key: the beginning of its SHA-256."""
    return hashlib.sha256(public).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class SigningKey:
    """The private key of a register, and its short name."""

    key_id: str
    private: Ed25519PrivateKey

    def sign(self, seal_hash: str) -> str:
        """Sign the hash of a seal; base64."""
        return base64.b64encode(self.private.sign(PURPOSE + seal_hash.encode())).decode()


def is_signed_by(line: PublicKeyLine, seal_hash: str, signature: str) -> bool:
    """Tell whether a signature over a seal's hash was made with a key."""
    try:
        Ed25519PublicKey.from_public_bytes(line.public).verify(
            base64.b64decode(signature, validate=True), PURPOSE + seal_hash.encode()
        )
    except (InvalidSignature, ValueError):
        return False
    return True


def signing_key(register: str, number: int, *, has_signed_seals: bool, moment: datetime) -> SigningKey | None:
    """The key to sign seal `number` of a register with; None where seals aren't signed.

    The first call for a register notes its key in the list, and makes the private key where there is neither. Raises
    SealKeyRefused when the key is lost or another one, and for a register with seals that the list doesn't know while it
    knows others: its identifier may have been changed.
    """
    path = key_path()
    if path is None:
        return None
    keys = read_public_keys()
    own, public_file = keys.of(register), public_keys_path(path)
    if not path.exists():
        if public_file.exists() or has_signed_seals:
            raise SealKeyRefused(
                f"The key that signs seals is not at {path}. Put it back, or have a new one made: "
                "manage.py rotate-seal-key. Until then nothing is sealed."
            )
        _write_private_key(path, replace=False)
    key = _read_private_key(path)
    if own:
        if own[-1].key_id != key.key_id:
            raise SealKeyRefused(
                f"The key at {path} ({key.key_id}) is not the one that signs this register's seals ({own[-1].key_id}). "
                "Put that back, or let this one take its place: manage.py rotate-seal-key."
            )
        return key
    if has_signed_seals or (number > 1 and keys.lines):
        raise SealKeyRefused(
            f"{public_file} knows no key of this register ({register}), whose seals are older. Either FMAR_SEAL_KEY_FILE "
            "names the key of another register, or the identifier of this one was changed. Give it its own key file."
        )
    note_public_key(register, key, number, moment)
    return key


def rotate_key(register: str, number: int, moment: datetime) -> SigningKey:
    """Replace the private key by a new one that signs from seal `number` on; the old public keys stay in the list.

    Raises SealKeyRefused where seals aren't signed.
    """
    path = key_path()
    if path is None:
        raise SealKeyRefused("Seals are not signed here: set FMAR_SEAL_KEY_FILE.")
    _write_private_key(path, replace=True)
    key = _read_private_key(path)
    note_public_key(register, key, number, moment)
    return key


def note_public_key(register: str, key: SigningKey, first_seal: int, moment: datetime) -> None:
    """Add a key to the list of public keys: it signs the register's seals from `first_seal` on."""
    path = key_path()
    if path is None:
        return
    public = key.private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    line = {
        "register": register,
        "key": key.key_id,
        "public": base64.b64encode(public).decode(),
        "first_seal": first_seal,
        "at": moment.isoformat(),
    }
    append_line(public_keys_path(path), json.dumps(line))


def append_line(path: Path, line: str) -> None:
    """Append a line to a file and see to it that it is on disk; one that a killed process left unfinished ends first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        size = os.fstat(descriptor).st_size
        torn = size > 0 and _last_byte(descriptor, size) != b"\n"
        os.write(descriptor, f"{chr(10) if torn else ''}{line}\n".encode())
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _last_byte(descriptor: int, size: int) -> bytes:
    os.lseek(descriptor, size - 1, os.SEEK_SET)
    return os.read(descriptor, 1)


def _write_private_key(path: Path, *, replace: bool) -> None:
    """Make a private key; the file appears whole, for its owner alone. Without `replace`, one made meanwhile stays."""
    pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}.new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(descriptor, pem)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    if replace:
        draft.replace(path)
        return
    with suppress(FileExistsError):
        os.link(draft, path)
    draft.unlink()


def _read_private_key(path: Path) -> SigningKey:
    try:
        private = load_pem_private_key(path.read_bytes(), None)
    except (ValueError, TypeError, OSError) as error:
        raise SealKeyRefused(f"The key that signs seals can't be read at {path} ({type(error).__name__}).") from None
    if not isinstance(private, Ed25519PrivateKey):
        raise SealKeyRefused(f"The key at {path} is no Ed25519 key.")
    return SigningKey(key_id_of(private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)), private)

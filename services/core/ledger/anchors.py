"""The anchor file: each seal's hash, outside the database. Append-only; of two lines for one seal the first counts."""

import hashlib
import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from models.core import LedgerSeal
from services.core.ledger.keys import append_line
from services.core.settings import ROOT, settings

AHEAD_TOLERANCE = timedelta(minutes=10)
"""By so much the clocks of two machines may differ."""


@dataclass(slots=True)
class AnchorFile:
    """The anchors of one register, and what is wrong with their file, a sentence each.

    `anchors`: seal number -> (hash, when it was anchored); `others`: lines of other registers, by their identifier.
    """

    path: Path | None
    missing: bool = False
    anchors: dict[int, tuple[str, datetime]] = field(default_factory=dict)
    others: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)


def anchor_path() -> Path | None:
    """The file outside the database that keeps the seals' hashes; None when none is wanted."""
    name = settings().anchor_file
    return ROOT / name if name else None


def anchor_file_of(register_id: str) -> Path | None:
    """The anchor file of one register: the one that is configured, or one beside it where that begins with another demo's.

    Several demos share a folder; a live register has its own, and lines of another in it are a fault.
    """
    path = anchor_path()
    if path is None or not settings().demo or _first_register(path) in (None, register_id):
        return path
    return path.with_name(f"{path.stem}-{hashlib.sha256(register_id.encode()).hexdigest()[:16]}{path.suffix}")


def _first_register(path: Path) -> str | None:
    """The register of the first line of an anchor file; None where there is none that can be read."""
    try:
        with path.open("rb") as file:
            return str(json.loads(file.readline())["register"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def anchor_line(register_id: str, number: int, seal_hash: str, moment: datetime) -> str:
    """A line of the anchor file: JSON with register, number, hash, time."""
    return json.dumps({"register": register_id, "number": number, "hash": seal_hash, "at": moment.isoformat()})


def write_anchor(seal: LedgerSeal, register_id: str, moment: datetime) -> None:
    """Append a seal to the anchor file; nothing where none is wanted."""
    path = anchor_file_of(register_id)
    if path is not None:
        append_line(path, anchor_line(register_id, seal.number, seal.hash, moment))


def read_anchor_file(register_id: str, moment: datetime) -> AnchorFile:
    """Read the anchors of a register; `moment` is now, after which no line can be dated."""
    path = anchor_file_of(register_id)
    file = AnchorFile(path)
    if path is None:
        return file
    if not path.exists():
        file.missing = True
        return file
    # By line feeds alone: other characters that end a line for str.splitlines are no end of one here.
    lines = path.read_bytes().decode("utf-8", errors="replace").split("\n")
    for place, line in enumerate(lines, start=1):
        if line.strip():
            _read_line(file, register_id, moment, place, line, lines[place] if place < len(lines) else "")
    if gone := sorted(set(range(1, max(file.anchors, default=0))) - set(file.anchors)):
        count = f"{len(gone):,} seals" if len(gone) > 1 else "one seal"
        file.problems.append(f"It lacks {count} before its last, the first of them seal {gone[0]}: lines were removed.")
    for other, count in file.others.items():
        file.problems.append(
            f"{count:,} of its lines are of another register ({other[:60]}). Either FMAR_ANCHOR_FILE names the file of another "
            "register, or the identifier of this one was changed."
        )
    return file


def _read_line(file: AnchorFile, register_id: str, moment: datetime, place: int, line: str, following: str) -> None:
    try:
        document = json.loads(line)
        register, number, value = str(document["register"]), int(document["number"]), str(document["hash"])
        at = datetime.fromisoformat(document["at"])
        at = at if at.tzinfo else at.replace(tzinfo=moment.tzinfo)
    except (ValueError, KeyError, TypeError):
        if not _is_unfinished(line, following):
            file.problems.append(f"Line {place} can't be read.")
        return
    if register != register_id:
        file.others[register] += 1
        return
    first = file.anchors.setdefault(number, (value, at))
    if first[0] != value:
        file.problems.append(f"Line {place} gives seal {number} another hash than the first line for it, which counts.")
    if at > moment + AHEAD_TOLERANCE:
        file.problems.append(f"Line {place} (seal {number}) is dated ahead, {at:%d %B %Y %H:%M} UTC.")


def _is_unfinished(line: str, following: str) -> bool:
    """Tell whether a line was left unfinished by a killed process, which the one that follows finished."""
    return '{"register":' in line and following.startswith(line.partition('"at"')[0]) and len(line) < len(following)

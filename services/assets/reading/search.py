"""Assets by whatever somebody types of them: identifiers by index, words of a name by a scan that knows when to stop.

Nothing is found that the actor may not see, and nothing here tells that it exists: a search is no look-up.
"""

import re
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, and_, case, or_, select
from sqlmodel import col

from models.assets import Asset, AssetAlias
from models.participants import Organisation
from services.assets.registration.record import key_of
from services.assets.rules.mpan import reduce_mpan
from services.core.db.engine import is_sqlite
from services.core.identity.actor import Actor
from services.core.identity.permissions import Scope, may, scopes_of
from services.core.identity.visibility import visible
from services.core.transaction import current_session

EXACT, BEGINNING, NAME, WITHIN = range(4)
"""How well something matches, the best first: an identifier, the beginning of one, the beginning of a name, inside a name."""
CANDIDATES = 1000
"""How many matches of an index are held against what the actor sees."""
CHUNK = 20_000
PATIENCE = 0.6
"""Seconds after which the scan of names and postcodes begins no further chunk of so many assets."""
SHORTEST = 3
"""Characters from which on beginnings of identifiers are looked for."""
SERIAL_END = 4
"""Characters from which on the end of a serial number is looked for; one of them is a digit."""
POSTCODE = re.compile(r"[A-Z]{1,2}[0-9][A-Z0-9]? ?([0-9][A-Z]{0,2})?")
LAST = "\U0010ffff"
_COLUMNS = (
    col(Asset.id),
    col(Asset.asset_name),
    col(Asset.status),
    col(Asset.asset_category),
    col(Asset.rated_capacity),
    col(Asset.service_provider_id),
)


@dataclass(frozen=True, slots=True)
class AssetMatch:
    """An asset that matches: the columns that tell what it is, and which value of which field matched how well."""

    row: Row[Any]
    rank: int
    field: str
    value: str


def find_assets(actor: Actor, text: str, most: int) -> tuple[list[AssetMatch], bool]:
    """The visible assets that match, the best first, and whether all were looked at; inside an operation.

    Looked for: asset ID, MPAN (13 digits, or 21 of a bill), serial number, other identifiers and the provider's own code,
    each whole or by its beginning; the end of a serial number; names by all words given; whole postcodes and outward codes.
    """
    matches: dict[UUID, AssetMatch] = {}
    for match in (*_match_identifiers(actor, text), *_match_beginnings(actor, text), *_match_names(actor, text, most)):
        earlier = matches.get(match.row.id)
        if earlier is None or match.rank < earlier.rank:
            matches[match.row.id] = match
    complete = True
    if len(matches) < most and not any(match.rank == EXACT for match in matches.values()):
        scanned, complete = _scanned(actor, text, most)
        matches = {match.row.id: match for match in scanned} | matches
    newest_first = sorted(matches.values(), key=lambda match: match.row.id, reverse=True)
    return sorted(newest_first, key=lambda match: match.rank)[:most], complete


def _without_index(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """A condition to hold rows against and not to look for them by: no index is read along it."""
    return case((condition, 1), else_=0) == 1


def _is_visible(actor: Actor) -> ColumnElement[bool]:
    return _without_index(visible(Asset, actor))


def _probe(actor: Actor, rank: int, field: str, column: Any, condition: ColumnElement[bool]) -> list[AssetMatch]:
    """Matches of an index, filtered afterwards by what the actor sees: no planner then reads all of that first."""
    candidates = select(col(Asset.id)).where(condition).limit(CANDIDATES)
    rows = select(*_COLUMNS, col(column)).where(col(Asset.id).in_(candidates), _is_visible(actor)).limit(CANDIDATES)
    return [AssetMatch(row, rank, field, str(row[-1])) for row in current_session().execute(rows)]


def _match_identifiers(actor: Actor, text: str) -> list[AssetMatch]:
    matches: list[AssetMatch] = []
    with suppress(ValueError):
        matches += _probe(actor, EXACT, "Asset ID", Asset.id, col(Asset.id) == UUID(text))
    mpan = reduce_mpan(text)
    if mpan:
        matches += _probe(actor, EXACT, "Import MPAN", Asset.import_mpan, col(Asset.import_mpan) == mpan)
        matches += _probe(actor, EXACT, "Export MPAN", Asset.export_mpan, col(Asset.export_mpan) == mpan)
    serial = key_of(text)
    matches += _probe(actor, EXACT, "Serial number", Asset.serial_number, col(Asset.serial_key) == serial)
    code = and_(_any_provider(actor), col(Asset.friendly_code) == text)
    matches += _probe(actor, EXACT, "Own code", Asset.friendly_code, code)
    return matches + _aliases(actor, EXACT, text, whole=True)


def _match_beginnings(actor: Actor, text: str) -> list[AssetMatch]:
    if len(text) < SHORTEST:
        return []
    matches: list[AssetMatch] = []
    digits = "".join(text.split())
    if digits.isascii() and digits.isdigit():
        for field, column in (("Import MPAN", Asset.import_mpan), ("Export MPAN", Asset.export_mpan)):
            matches += _probe(actor, BEGINNING, field, column, starts_with(column, digits))
    serial = key_of(text) or text
    matches += _probe(actor, BEGINNING, "Serial number", Asset.serial_number, starts_with(Asset.serial_key, serial))
    code = and_(_any_provider(actor), starts_with(Asset.friendly_code, text))
    matches += _probe(actor, BEGINNING, "Own code", Asset.friendly_code, code)
    return matches + _aliases(actor, BEGINNING, text, whole=False)


def _any_provider(actor: Actor) -> ColumnElement[bool]:
    """Said for the index alone, in which a provider's own codes stand under the provider."""
    if scopes_of(actor, "asset.read") == {Scope.OWN} and may(actor, "asset.register"):
        return col(Asset.service_provider_id) == actor.organisation_id
    return col(Asset.service_provider_id).in_(select(col(Organisation.id)))


def _aliases(actor: Actor, rank: int, text: str, *, whole: bool) -> list[AssetMatch]:
    """By another identifier, with or without its scheme before it (`ECR:UKPN-7`)."""
    scheme, _, remainder = text.partition(":")
    condition = col(AssetAlias.value) == text if whole else starts_with(AssetAlias.value, text)
    if remainder.strip():
        value = remainder.strip()
        with_scheme = col(AssetAlias.value) == value if whole else starts_with(AssetAlias.value, value)
        condition = or_(condition, and_(with_scheme, col(AssetAlias.scheme) == scheme.strip().upper()))
    query = (
        select(col(AssetAlias.asset_id), col(AssetAlias.scheme), col(AssetAlias.value))
        .where(condition)
        .limit(CANDIDATES)
    )
    alias_of = {row[0]: (row[1], row[2]) for row in current_session().execute(query)}
    if not alias_of:
        return []
    rows = select(*_COLUMNS).where(col(Asset.id).in_(list(alias_of)), _is_visible(actor))
    return [AssetMatch(row, rank, *alias_of[row.id]) for row in current_session().execute(rows)]


def starts_with(column: Any, start: str) -> ColumnElement[bool]:
    """A beginning, said so that an index answers it: SQLite compares bytes, so a range is the same as a beginning."""
    if is_sqlite():
        return and_(col(column) >= start, col(column) < start + LAST)
    return col(column).startswith(start, autoescape=True)


def _match_names(actor: Actor, text: str, most: int) -> list[AssetMatch]:
    """Names that begin with it, in the usual spellings of capitals."""
    spellings = {text, text.upper(), text.lower(), text.capitalize(), text.title(), text[:1].upper() + text[1:]}
    begins = or_(*(starts_with(Asset.asset_name, spelling) for spelling in sorted(spellings)))
    return _probe(actor, NAME, "Name", Asset.asset_name, begins)[: 5 * most]


def _contains(column: Any, word: str) -> ColumnElement[bool]:
    # SQLite's LIKE knows no case in ASCII by itself; lowering every name first costs as much again.
    return col(column).contains(word, autoescape=True) if is_sqlite() else col(column).icontains(word, autoescape=True)


def _scanned(actor: Actor, text: str, most: int) -> tuple[list[AssetMatch], bool]:
    """Words inside names, postcodes and ends of serial numbers, in what the actor sees: newest first, while patience lasts."""
    words = and_(*(_contains(Asset.asset_name, word) for word in text.split()))
    postcode = text.upper() if POSTCODE.fullmatch(text.upper()) else None
    serial_end = _serial_end(text)
    scopes, own = scopes_of(actor, "asset.read"), [words]
    matches: list[AssetMatch] = []
    if scopes - {Scope.OWN}:
        # Read from the index of names alone, which knows the network of each asset too.
        everywhere = Scope.ALL in scopes or actor.all_areas
        area = [] if everywhere else [_without_index(col(Asset.dno_connection).in_(sorted(actor.areas)))]
        matches += _probe(actor, WITHIN, "Name", Asset.asset_name, and_(words, *area))
    complete = len(matches) < CANDIDATES
    begun = time.monotonic()
    for anchor in _anchors(actor, scopes):
        conditions = own if anchor is not None else []
        if postcode:
            conditions = [*conditions, _postcode(postcode)]
        if serial_end:
            conditions = [*conditions, col(Asset.serial_key).endswith(serial_end, autoescape=True)]
        last: UUID | None = None
        while conditions and len(matches) < most:
            if time.monotonic() - begun > PATIENCE:
                return matches, False
            rows, last = _chunk(actor, anchor, or_(*conditions), last, most)
            matches += [_make_match(row, postcode, serial_end) for row in rows]
            if last is None:
                break
    return matches, complete


def _postcode(postcode: str) -> ColumnElement[bool]:
    """A postcode by its beginning; an outward code alone is a whole one, so that CB1 isn't CB10."""
    whole = " " in postcode
    return (
        starts_with(Asset.postcode, postcode)
        if whole
        else or_(starts_with(Asset.postcode, f"{postcode} "), col(Asset.postcode) == postcode)
    )


def _anchors(actor: Actor, scopes: frozenset[Scope]) -> Sequence[ColumnElement[bool] | None]:
    """Conditions that scans follow: the actor's own assets by each index that holds them, and all by identifier (None)."""
    columns = (Asset.service_provider_id, Asset.organisation_id, Asset.submitted_by_organisation)
    own = [col(column) == actor.organisation_id for column in columns] if Scope.OWN in scopes else []
    return [*own, None] if scopes - {Scope.OWN} else own


def _chunk(
    actor: Actor, anchor: ColumnElement[bool] | None, condition: ColumnElement[bool], last: UUID | None, most: int
) -> tuple[Sequence[Row[Any]], UUID | None]:
    """The matches in the next so many assets after `last`, and where they end (None: there are no more)."""
    session, identifier = current_session(), col(Asset.id)
    conditions = [] if anchor is None else [anchor]
    if last is not None:
        conditions.append(identifier < last)
    end = session.scalar(select(identifier).where(*conditions).order_by(identifier.desc()).offset(CHUNK - 1).limit(1))
    if end is not None:
        conditions.append(identifier >= end)
    columns = (*_COLUMNS, col(Asset.postcode), col(Asset.serial_number), col(Asset.serial_key))
    query = select(*columns).where(*conditions, condition, _is_visible(actor))
    return session.execute(query.order_by(identifier.desc()).limit(most)).all(), end


def _serial_end(text: str) -> str | None:
    """What may be the end of a serial number, as serial numbers are compared; None for anything else."""
    end = key_of(text)
    ends = end is not None and len(end) >= SERIAL_END and " " not in text and any(sign.isdigit() for sign in end)
    return end if ends else None


def _make_match(row: Row[Any], postcode: str | None, serial_end: str | None) -> AssetMatch:
    if serial_end and str(row.serial_key or "").endswith(serial_end):
        return AssetMatch(row, BEGINNING, "Serial number", str(row.serial_number))
    if postcode and str(row.postcode or "").startswith(postcode):
        return AssetMatch(row, WITHIN, "Postcode", str(row.postcode))
    return AssetMatch(row, WITHIN, "Name", row.asset_name)

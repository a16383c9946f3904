"""The same asset twice: candidates held against what the register has of their devices, meters, codes and aliases.

DUP-01, DUP-02, NAME-05, MPAN-09 and ALIAS-05 for a run of candidates, of which one from a form is a run of one.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, func, select
from sqlmodel import col

from models.assets import ENDED_STATUSES, Asset, AssetAlias
from services.assets.registration.lookup_hits import Question, Reply
from services.assets.registration.record import key_of
from services.assets.rules.check import ASSET_RULES, finding
from services.core.audit_context import WRITES
from services.core.db.expressions import among
from services.core.errors import Finding
from services.core.identity.actor import Actor
from services.core.identity.visibility import visible
from services.core.transaction import current_session

WAYS_ON = (
    "If you now manage it, ask for a switch with the owner's consent; "
    "if the existing registration is wrong, raise a dispute."
)
RUN_LENGTH = 10_000
"""Identifiers that one statement takes."""
Alias = tuple[str, str]
"""Scheme and value."""


class AssetKeys(NamedTuple):
    """Keys by which duplicates of a candidate are found; serial number and maker as `key_of` has them, the provider as text."""

    name: str | None
    provider: str | None
    serial: str | None
    maker: str | None
    friendly_code: str | None
    import_mpan: str | None
    export_mpan: str | None
    category: str | None
    rated: Decimal | None
    aliases: Sequence[Alias]

    @property
    def meters(self) -> tuple[tuple[str, str], ...]:
        """Term and MPAN of each meter that it names."""
        terms = (("ImportMPAN", self.import_mpan), ("ExportMPAN", self.export_mpan))
        return tuple((term, mpan) for term, mpan in terms if mpan)


def keys_of(values: Mapping[str, Any]) -> AssetKeys:
    """The keys of a candidate's typed values by term."""
    return AssetKeys(
        name=values["AssetName"],
        provider=values["ServiceProviderId"],
        serial=key_of(values["SerialNumber"]),
        maker=key_of(values["Manufacturer"]),
        friendly_code=values["FriendlyCode"],
        import_mpan=values["ImportMPAN"],
        export_mpan=values["ExportMPAN"],
        category=values["AssetCategory"],
        rated=values["RatedCapacity"],
        aliases=[(pair["scheme"], pair["value"]) for pair in values["Aliases"] or ()],
    )


class RegisteredAsset(NamedTuple):
    """An active asset of the register by what duplicates are known by."""

    id: UUID
    name: str
    provider: str
    serial: str | None
    maker: str | None
    friendly_code: str | None
    import_mpan: str | None
    export_mpan: str | None
    category: str
    rated: Decimal


_COLUMNS = (
    col(Asset.id),
    col(Asset.asset_name),
    col(Asset.service_provider_id),
    col(Asset.serial_key),
    col(Asset.manufacturer_key),
    col(Asset.friendly_code),
    col(Asset.import_mpan),
    col(Asset.export_mpan),
    col(Asset.asset_category),
    col(Asset.rated_capacity),
)


def select_registered(*conditions: ColumnElement[bool]) -> list[RegisteredAsset]:
    """The active assets that meet conditions. Inside an operation."""
    query = select(*_COLUMNS).where(*conditions, col(Asset.status).not_in(ENDED_STATUSES))
    rows = current_session().execute(query)
    return [RegisteredAsset._make((*row[:2], str(row[2]), *row[3:])) for row in rows]


def find_registered(candidates: Sequence[AssetKeys]) -> list[RegisteredAsset]:
    """The active assets that share a serial number, an MPAN or the provider's code with any candidate, by identifier.

    One question for each index. Whether the maker fits too is for the caller.
    """
    serials = {keys.serial for keys in candidates if keys.serial and keys.maker}
    mpans = sorted({mpan for keys in candidates for _term, mpan in keys.meters})
    codes: dict[str, set[str]] = {}
    for keys in candidates:
        if keys.provider and keys.friendly_code:
            codes.setdefault(keys.provider, set()).add(keys.friendly_code)
    conditions: list[ColumnElement[bool]] = [among(col(Asset.serial_key), sorted(serials))] if serials else []
    if mpans:
        conditions += [among(col(Asset.import_mpan), mpans), among(col(Asset.export_mpan), mpans)]
    for provider, theirs in codes.items():
        conditions.append(
            (col(Asset.service_provider_id) == UUID(provider)) & among(col(Asset.friendly_code), sorted(theirs))
        )
    assets = {asset.id: asset for condition in conditions for asset in select_registered(condition)}
    return [assets[asset_id] for asset_id in sorted(assets)]


def find_taken_aliases(candidates: Iterable[AssetKeys]) -> dict[Alias, UUID]:
    """The aliases of candidates that an active asset has already, with that asset."""
    values = sorted({value for keys in candidates for _scheme, value in keys.aliases})
    if not values:
        return {}
    query = select(col(AssetAlias.scheme), col(AssetAlias.value), col(AssetAlias.asset_id))
    rows = current_session().execute(query.where(among(col(AssetAlias.value), values), col(AssetAlias.active)))
    return {(scheme, value): asset_id for scheme, value, asset_id in rows}


MatchKey = tuple[int, str, str | None, str | None]
"""Row, code, term and quoted value of what the register says of a candidate; of a duplicate, no term and the asset."""
OF_METERS = "MPAN-09"
"""The code of what several assets may have; all other codes are of identifiers that only one may have."""


class DuplicateMatch(NamedTuple):
    """A candidate that is registered already, by its row: under which rule, and which asset it is."""

    row: int
    code: str
    asset: RegisteredAsset


@dataclass(slots=True)
class RegisterMatches:
    """Matches of candidates in the register, by row.

    `findings` in the order in which they are told; `duplicates` beside them, since who sees which is another question;
    `shared` the assets of other providers on the same meter (row, asset, MPAN), and `shared_rows` earlier candidates of other
    providers on it (row, earlier row, MPAN); `met` the assets behind each finding and duplicate.
    """

    findings: list[tuple[int, Finding]] = field(default_factory=list)
    duplicates: list[DuplicateMatch] = field(default_factory=list)
    shared: list[tuple[int, UUID, str]] = field(default_factory=list)
    shared_rows: list[tuple[int, int, str]] = field(default_factory=list)
    met: dict[MatchKey, set[UUID]] = field(default_factory=lambda: defaultdict(set))

    @property
    def rows(self) -> set[int]:
        """Rows of which the register says anything."""
        sources = (self.findings, self.duplicates, self.shared)
        return {match[0] for matches in sources for match in matches}


def match_register(
    candidates: Sequence[AssetKeys],
    own_ids: Sequence[UUID | None],
    assets: Iterable[RegisteredAsset],
    taken: Mapping[Alias, UUID],
    *,
    made_here: Collection[UUID] = frozenset(),
    refused: Collection[int] = frozenset(),
) -> RegisterMatches:
    """Hold candidates against `assets` (`find_registered`) and `taken` aliases, and against each other on shared meters.

    `own_ids` are the assets that candidates speak of, which are no duplicates of themselves. Of assets in `made_here`, which
    earlier rows of the same file registered, only that another provider has a meter of it is met: the file knows its own
    duplicates. Candidates in `refused` share no meter with each other.
    """
    matcher = _Matcher(assets, taken, made_here)
    for row, (keys, own_id) in enumerate(zip(candidates, own_ids, strict=True)):
        matcher.match_device(row, keys, own_id)
        matcher.match_code(row, keys, own_id)
        matcher.match_meters(row, keys, own_id, compare_rows=row not in refused)
        matcher.match_aliases(row, keys, own_id)
    return matcher.matches


class _Matcher:
    """Assets of the register by what candidates are held against, and what was met so far."""

    def __init__(
        self, assets: Iterable[RegisteredAsset], taken: Mapping[Alias, UUID], made_here: Collection[UUID]
    ) -> None:
        self.matches = RegisterMatches()
        self._taken = taken
        self._made_here = made_here
        self._by_device: dict[tuple[str | None, str | None], list[RegisteredAsset]] = defaultdict(list)
        self._by_code: dict[tuple[str | None, str | None], list[RegisteredAsset]] = defaultdict(list)
        self._by_mpan: dict[str | None, list[RegisteredAsset]] = defaultdict(list)
        self._rows_by_mpan: dict[str, list[tuple[int, str | None]]] = defaultdict(list)
        for asset in assets:
            self._by_device[asset.serial, asset.maker].append(asset)
            self._by_code[asset.provider, asset.friendly_code].append(asset)
            for mpan in {asset.import_mpan, asset.export_mpan}:
                self._by_mpan[mpan].append(asset)

    def match_device(self, row: int, keys: AssetKeys, own_id: UUID | None) -> None:
        """DUP-01: the same serial number and manufacturer."""
        if keys.serial and keys.maker:
            for asset in self._by_device.get((keys.serial, keys.maker), ()):
                if asset.id != own_id and asset.id not in self._made_here:
                    self._add_duplicate(row, "DUP-01", asset)

    def match_code(self, row: int, keys: AssetKeys, own_id: UUID | None) -> None:
        """NAME-05: the provider's own code once more."""
        if keys.provider and keys.friendly_code:
            for asset in self._by_code.get((keys.provider, keys.friendly_code), ()):
                if asset.id != own_id and asset.id not in self._made_here:
                    self._add_finding(row, finding("NAME-05", keys.friendly_code), {asset.id})

    def match_meters(self, row: int, keys: AssetKeys, own_id: UUID | None, *, compare_rows: bool) -> None:
        """DUP-02, the provider's own device on the meter, alike in category and capacity; MPAN-09, another provider's."""
        matches, alike = self.matches, set[UUID]()
        for term, mpan in keys.meters:
            elsewhere = set[UUID]()
            in_file = False
            for asset in self._by_mpan.get(mpan, ()):
                if asset.id == own_id:
                    continue
                if asset.provider != keys.provider:
                    elsewhere.add(asset.id)
                    matches.shared.append((row, asset.id, mpan))
                    continue
                same = (asset.category, asset.rated) == (keys.category, keys.rated)
                if same and asset.id not in self._made_here and asset.id not in alike:
                    alike.add(asset.id)
                    self._add_duplicate(row, "DUP-02", asset)
            if compare_rows:
                rows = self._rows_by_mpan[mpan]
                others = {before for before, provider in rows if provider != keys.provider and before != row}
                matches.shared_rows += [(row, before, mpan) for before in sorted(others)]
                in_file = bool(others)
                rows.append((row, keys.provider))
            if elsewhere or in_file:
                # What earlier rows of the file say anyway tells nothing of the register.
                self._add_finding(row, finding(OF_METERS, mpan, term), set() if in_file else elsewhere)

    def match_aliases(self, row: int, keys: AssetKeys, own_id: UUID | None) -> None:
        """ALIAS-05: an alias that another active asset has."""
        for alias in keys.aliases if self._taken else ():
            holder = self._taken.get(alias)
            if holder is not None and holder != own_id and holder not in self._made_here:
                self._add_finding(row, finding("ALIAS-05", ":".join(alias)), {holder})

    def _add_duplicate(self, row: int, code: str, asset: RegisteredAsset) -> None:
        self.matches.duplicates.append(DuplicateMatch(row, code, asset))
        self.matches.met[row, code, None, str(asset.id)].add(asset.id)

    def _add_finding(self, row: int, match: Finding, asset_ids: set[UUID]) -> None:
        self.matches.findings.append((row, match))
        self.matches.met[row, match.code, match.field, match.given] |= asset_ids


@dataclass(frozen=True, slots=True)
class ExistingAsset:
    """An asset that is registered already: which rule found it, and its identifier and name where the actor may see it."""

    code: str
    seen_id: UUID | None
    seen_name: str | None

    @property
    def message(self) -> str:
        """Message to the person, with the way on."""
        what = "serial number and manufacturer" if self.code == "DUP-01" else "MPAN, category and rated capacity"
        if self.seen_id is None:
            return f"An asset with this {what} is registered already, by another provider. {WAYS_ON}"
        return (
            f"An asset with this {what} is registered already: {self.seen_name}. Open it instead; if it is another "
            "device, correct these values."
        )

    def as_finding(self) -> Finding:
        """The duplicate as one finding among others, for a dry run."""
        rule = ASSET_RULES[self.code]
        return rule.finding(self.seen_name or "registered by another provider", message=self.message)


def find_unseen(actor: Actor, matches: RegisterMatches) -> dict[MatchKey, tuple[UUID, ...]]:
    """Find what is said of candidates because of assets that the actor may not see, with these.

    What is said because of an asset that the actor sees too is nothing new, and left out.
    """
    seen = find_visible(actor, set().union(*matches.met.values()))
    return {key: tuple(sorted(ids)) for key, ids in matches.met.items() if ids and not ids & seen}


def build_questions(
    candidates: Sequence[AssetKeys],
    current: Sequence[AssetKeys | None],
    unseen: Mapping[MatchKey, Sequence[UUID]],
) -> list[Question]:
    """Build the question that each candidate asks of the register; of one that changes an asset, by what moves in it.

    `current` are the keys of the assets that candidates change, as they stand.
    """
    hits: dict[int, tuple[set[UUID], set[UUID]]] = defaultdict(lambda: (set(), set()))
    for (row, code, _term, _given), asset_ids in unseen.items():
        hits[row][code == OF_METERS].update(asset_ids)
    questions: list[Question] = []
    for row, (keys, before) in enumerate(zip(candidates, current, strict=True)):
        device = bool(keys.serial and keys.maker) and (
            before is None or (keys.serial, keys.maker) != (before.serial, before.maker)
        )
        aliases = bool(set(keys.aliases) - set(before.aliases if before else ()))
        meters = bool(set(keys.meters) - set(before.meters if before else ()))
        identity_hits, meter_hits = hits.get(row, ((), ()))
        questions.append(
            Question(
                device or aliases,
                meters,
                tuple(sorted(identity_hits)),
                tuple(sorted(meter_hits)) if meters else (),
            )
        )
    return questions


def is_withheld(reply: Reply, code: str) -> bool:
    """Tell whether a reply leaves open what this code says because of unseen assets."""
    return not (reply.meter if code == OF_METERS else reply.identity)


def reveal_duplicates(actor: Actor, duplicates: Sequence[DuplicateMatch]) -> list[tuple[int, ExistingAsset]]:
    """Duplicates as the actor may know them, by row and rule."""
    seen = find_visible(actor, {duplicate.asset.id for duplicate in duplicates})
    ordered = sorted(duplicates, key=lambda duplicate: (duplicate.row, duplicate.code))
    return [
        (row, ExistingAsset(code, asset.id, asset.name) if asset.id in seen else ExistingAsset(code, None, None))
        for row, code, asset in ordered
    ]


def find_visible(actor: Actor, asset_ids: Collection[UUID]) -> set[UUID]:
    """Those of the assets that the actor may see."""
    ordered = sorted(asset_ids)
    visible_ids: set[UUID] = set()
    for start in range(0, len(ordered), RUN_LENGTH):
        run = ordered[start : start + RUN_LENGTH]
        query = select(col(Asset.id)).where(col(Asset.id).in_(run), visible(Asset, actor))
        visible_ids |= set(current_session().scalars(query))
    return visible_ids


def lock_providers(providers: Iterable[str | None]) -> None:
    """Let registrations of one provider follow one another on PostgreSQL, so that each sees what the last one left."""
    session = current_session()
    if session.info.get(WRITES) and session.get_bind().dialect.name == "postgresql":
        for provider in sorted({provider for provider in providers if provider}):
            session.execute(select(func.pg_advisory_xact_lock(UUID(provider).int & 0x7FFFFFFFFFFFFFFF)))

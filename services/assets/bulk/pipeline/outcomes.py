"""Outcomes of the rows of a run: new, changed, unchanged, refused or kept as a draft (UC-02.01, UC-02.03, bulk).

The same is asked in a dry run and when rows are registered; only writing follows or doesn't.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

import polars as pl

from services.assets.bulk.pipeline.candidates import Candidates, validate_candidates
from services.assets.bulk.pipeline.changes import ProposedChange, propose_changes
from services.assets.bulk.pipeline.chunks import plain_cells
from services.assets.bulk.pipeline.duplicates import (
    KEY_SCHEMA,
    Earlier,
    asset_key,
    file_keys,
    find_made,
    find_repeats,
    keys_of_rows,
)
from services.assets.bulk.pipeline.existing_assets import NamedAssets, find_nameless, identify_assets, unmanaged_finding
from services.assets.bulk.pipeline.unchanged import Unchanged
from services.assets.files.formats import BROKEN, ROW
from services.assets.registration.duplicates import (
    MatchKey,
    RegisterMatches,
    build_questions,
    find_registered,
    find_taken_aliases,
    find_unseen,
    find_visible,
    is_withheld,
    keys_of,
    match_register,
    reveal_duplicates,
)
from services.assets.registration.lookup_hits import (
    UNCHECKED,
    Question,
    Reply,
    answer_questions,
    is_unchecked,
    unchecked_finding,
    unchecked_severity,
)
from services.assets.registration.record import is_justification
from services.core.errors import Finding, Severity
from services.core.identity.actor import Actor
from services.core.rules import FINDINGS_SCHEMA, findings_frame, sorted_findings

EVERY_CODE = "*"
LACKING = frozenset({"CAT-04"})
"""Findings that say that something is missing although they quote what was looked for."""


class RowStatus(StrEnum):
    """Status of a row after a run."""

    REGISTERED = "registered"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    REFUSED = "refused"
    DRAFT = "draft"


GOES_THROUGH = (RowStatus.REGISTERED, RowStatus.UPDATED, RowStatus.UNCHANGED)


@dataclass(frozen=True, slots=True)
class Terms:
    """Terms for the whole file: values for rows that give none, why warnings are right, whether drafts are kept."""

    constants: Mapping[str, str] = field(default_factory=dict)
    justifications: Mapping[str, str] = field(default_factory=dict)
    keep_drafts: bool = False

    def justification(self, code: str) -> str | None:
        """Why the warnings of a rule are right to be accepted; None where nobody has said so at length."""
        for text in (self.justifications.get(code), self.justifications.get(EVERY_CODE)):
            if is_justification(text):
                return text
        return None


@dataclass(slots=True)
class RunOutcomes:
    """A run of rows, judged. Rows are numbered by their place in the run; `rows` tells their numbers in the file.

    `findings` (FINDINGS_SCHEMA) of rows that something is said of; `values` the typed values of new rows, with ``index``;
    `new` the places of those that are registered, `changed` what is updated, by place; `keys` what duplicates in later runs
    are found by; `matches` what the register says of new rows, numbered as `values` are; `untold` those of them whose shared
    meters are not told to their provider now.
    """

    rows: pl.Series
    outcomes: list[RowStatus]
    findings: pl.DataFrame
    values: pl.DataFrame
    new: list[int]
    changed: dict[int, ProposedChange | Unchanged]
    assets: dict[int, UUID]
    keys: pl.DataFrame
    matches: RegisterMatches
    untold: set[int]

    @property
    def refuses_unchecked(self) -> bool:
        """True when rows are refused because the register could not be asked."""
        unchecked = (pl.col("code") == UNCHECKED) & (pl.col("severity") == Severity.ERROR.value)
        return not self.findings.filter(unchecked).is_empty()


def judge_rows(
    actor: Actor,
    rows: pl.DataFrame,
    constants: Mapping[str, str],
    earlier: Earlier,
    terms: Terms,
    *,
    dry_run: bool = False,
) -> RunOutcomes:
    """Judge a run of rows by the rules, the register and earlier rows of the file. Inside an operation that writes.

    `rows` has `ROW`, `BROKEN` and the file's columns by term (null: not given, blank: left empty), `constants` the values of
    new rows that give none; `earlier` is what rows of earlier runs are known by. What tells of other providers' assets is
    counted as look-ups; once these are used up, rows are told to be unchecked, whatever they would have met. Raises Refused
    when the actor's organisation may not register assets at all.
    """
    cells = plain_cells(rows)
    named = identify_assets(actor, cells, rows[BROKEN])
    places = [row for row in range(rows.height) if row not in named.assets and row not in named.refused]
    candidates = validate_candidates(actor, cells, places, constants)
    matches = _match_candidates(candidates, earlier)
    refused = _find_refused(sorted_findings([*candidates.findings, findings_frame(matches.findings)]))
    alike = _find_alike(actor, candidates, matches, earlier, refused)
    replies, unchecked = _ask_register(actor, candidates, matches, set(alike), dry_run)
    duplicates = [
        (row, existing.as_finding())
        for row, existing in reveal_duplicates(actor, matches.duplicates)
        if existing.seen_id is not None or not is_withheld(replies[row], existing.code)
    ]
    parts = [*candidates.findings, *map(findings_frame, (matches.findings, duplicates, unchecked))]
    fresh_findings = sorted_findings(parts)
    verdict = RunOutcomes(
        rows=rows[ROW],
        outcomes=[RowStatus.REFUSED] * rows.height,
        findings=_renumber_findings(fresh_findings, places),
        values=candidates.values.with_columns(pl.Series("index", places, dtype=pl.Int64)),
        new=[],
        changed={},
        assets={},
        keys=pl.DataFrame(schema=KEY_SCHEMA),
        matches=matches,
        untold={row for row, reply in enumerate(replies) if not reply.meter},
    )
    targets = {**named.assets, **{places[index]: asset_id for index, asset_id in alike.items()}}
    _add_changes(actor, verdict, cells, targets, named, {places[index] for index in alike}, dry_run)
    _add_file_keys(verdict, candidates)
    _conclude(verdict, earlier, terms, set(places))
    return verdict


def _match_candidates(candidates: Candidates, earlier: Earlier) -> RegisterMatches:
    registered = find_registered(candidates.keys)
    taken = find_taken_aliases(candidates.keys)
    return match_register(
        candidates.keys,
        [None] * len(candidates.keys),
        registered,
        taken,
        made_here=find_made(earlier, {asset.id for asset in registered} | set(taken.values())),
        refused=_find_refused(sorted_findings(candidates.findings)),
    )


def _ask_register(
    actor: Actor, candidates: Candidates, matches: RegisterMatches, alike: set[int], dry_run: bool
) -> tuple[list[Reply], list[tuple[int, Finding]]]:
    """Ask the register what new rows may be told, and take the rest out of `matches`; with the findings on unchecked rows.

    Rows that are alike an own asset ask nothing: either they say nothing new, or they are that asset's duplicates.
    """
    unseen = find_unseen(actor, matches)
    asked = build_questions(candidates.keys, [None] * len(candidates.keys), unseen)
    questions = [Question() if row in alike else question for row, question in enumerate(asked)]
    answers = answer_questions(actor, questions, from_file=True)
    replies = [Reply(False, False) if row in alike else reply for row, reply in enumerate(answers)]
    matches.findings = [entry for entry in matches.findings if not _is_hidden(entry, unseen, replies)]
    unchecked = [
        row
        for row, (question, reply) in enumerate(zip(questions, replies, strict=True))
        if is_unchecked(question, reply, dry_run=dry_run)
    ]
    if not unchecked:
        return replies, []
    # The same words for all of them: worked out once.
    same_finding = unchecked_finding(actor, unchecked_severity(dry_run=dry_run))
    return replies, [(row, same_finding) for row in unchecked]


def _is_hidden(entry: tuple[int, Finding], unseen: Mapping[MatchKey, object], replies: Sequence[Reply]) -> bool:
    row, match = entry
    return (row, match.code, match.field, match.given) in unseen and is_withheld(replies[row], match.code)


def _renumber_findings(findings: pl.DataFrame, places: list[int]) -> pl.DataFrame:
    """Findings of a selection of rows, numbered as the run numbers them."""
    moved = pl.Series(places, dtype=pl.UInt32)
    return findings.with_columns(moved.gather(findings["row"]).alias("row")) if findings.height else findings


def _find_refused(findings: pl.DataFrame) -> set[int]:
    """Rows that are refused by their own values."""
    return set(findings.filter(pl.col("severity") == Severity.ERROR.value)["row"])


def _find_alike(
    actor: Actor, candidates: Candidates, matches: RegisterMatches, earlier: Earlier, refused: set[int]
) -> dict[int, UUID]:
    """New rows that may be an asset which is there already, to the letter: by device, by meter, or by name alone.

    Such a row says nothing new when all its values are those of the record: the same file was sent twice.
    """
    own: dict[int, UUID] = {}
    for row, _code, asset in matches.duplicates:
        if asset.provider == candidates.keys[row].provider:
            own.setdefault(row, asset.id)
    seen = find_visible(actor, set(own.values()))
    alike = {row: asset_id for row, asset_id in own.items() if asset_id in seen}
    nameless: dict[str, list[int]] = {}
    for row, keys in enumerate(candidates.keys):
        if row not in refused and keys.provider and not (keys.serial or keys.friendly_code or keys.meters):
            nameless.setdefault(keys.provider, []).append(row)
    for provider, theirs in nameless.items():
        registered = find_nameless(UUID(provider), sorted({candidates.keys[row].name or "" for row in theirs}))
        known_here = find_made(earlier, [asset.id for asset in registered])
        by_value: dict[tuple[object, ...], UUID] = {}
        for asset in sorted(registered):
            if asset.id not in known_here:
                by_value.setdefault((asset.name, asset.category, asset.rated), asset.id)
        for row in theirs:
            keys = candidates.keys[row]
            if (asset_id := by_value.get((keys.name, keys.category, keys.rated))) is not None:
                alike[row] = asset_id
    return alike


def _add_changes(
    actor: Actor,
    verdict: RunOutcomes,
    cells: pl.DataFrame,
    targets: Mapping[int, UUID],
    named: NamedAssets,
    only_if_equal: set[int],
    dry_run: bool,
) -> None:
    """Add what rows that name an asset would change of it; rows that are merely alike say nothing new, or stay duplicates."""
    all_findings = [(row, finding) for row, findings in named.refused.items() for finding in findings]
    if targets:
        for row, change in propose_changes(actor, cells, targets, read_only=named.read_only, dry_run=dry_run).items():
            findings = () if isinstance(change, Unchanged) else change.findings
            if row in only_if_equal and (change.changes or findings):
                continue
            verdict.changed[row] = change
            verdict.assets[row] = change.asset.id
            all_findings += [(row, finding) for finding in findings]
        all_findings += [
            (row, unmanaged_finding(text)) for row, text in named.read_only.items() if row not in verdict.changed
        ]
        equal = pl.Series(sorted(only_if_equal & set(verdict.changed)), dtype=pl.UInt32)
        verdict.findings = verdict.findings.filter(~pl.col("row").is_in(equal.implode()))
    verdict.findings = sorted_findings([verdict.findings, findings_frame(all_findings)])


def _add_file_keys(verdict: RunOutcomes, candidates: Candidates) -> None:
    """Add what every row is known by inside the file: its own values, and the asset that it speaks of."""
    fresh = keys_of_rows(candidates.keys, candidates.values)
    places = pl.Series(candidates.places, dtype=pl.Int64)
    fresh = fresh.with_columns(places.gather(fresh["index"]).alias("index"))
    changed = sorted(verdict.changed)
    fresh = fresh.filter(~pl.col("index").is_in(pl.Series(changed, dtype=pl.Int64).implode()))
    pairs = [(row, key) for row in changed for key in _changed_keys(verdict.changed[row])]
    pairs += [(row, asset_key(verdict.changed[row].asset.id)) for row in changed]
    own = pl.DataFrame(pairs, schema=KEY_SCHEMA, orient="row")
    verdict.keys = pl.concat([fresh, own]).sort("index", maintain_order=True)


def _changed_keys(change: ProposedChange | Unchanged) -> list[str]:
    """Keys of a changed asset, where they are new: those that it has now, the register itself knows."""
    if change.checked is None or not change.changes:
        return []
    return file_keys(keys_of(change.checked.values))


def _conclude(verdict: RunOutcomes, earlier: Earlier, terms: Terms, fresh: set[int]) -> None:
    """From findings to outcomes: errors refuse, warnings too unless they are justified, then each asset once in a file."""
    stops = _stopping(verdict.findings, terms)
    height = len(verdict.rows)
    goes = [row not in stops and (row in fresh or row in verdict.changed) for row in range(height)]
    twice = find_repeats(verdict.keys, pl.Series(goes, dtype=pl.Boolean), earlier, verdict.rows)
    verdict.findings = sorted_findings([verdict.findings, findings_frame(twice)]).select(list(FINDINGS_SCHEMA))
    stops |= {row: False for row, _finding in twice}
    for row in range(height):
        change = verdict.changed.get(row)
        if row in stops or not goes[row]:
            draft = terms.keep_drafts and row in fresh and row not in verdict.changed and stops.get(row, False)
            verdict.outcomes[row] = RowStatus.DRAFT if draft else RowStatus.REFUSED
        elif change is None:
            verdict.outcomes[row] = RowStatus.REGISTERED
            verdict.new.append(row)
        else:
            verdict.outcomes[row] = RowStatus.UPDATED if change.changes else RowStatus.UNCHANGED
    through = [row for row, outcome in enumerate(verdict.outcomes) if outcome in GOES_THROUGH]
    verdict.keys = verdict.keys.filter(pl.col("index").is_in(pl.Series(through, dtype=pl.Int64).implode()))


def _stopping(findings: pl.DataFrame, terms: Terms) -> dict[int, bool]:
    """Rows that don't go through -> whether nothing but mandatory values is missing."""
    accepted = [code for code in findings["code"].unique() if terms.justification(code)]
    findings = findings.filter(pl.col("severity") != Severity.NOTICE.value)
    warning = pl.col("severity") == Severity.WARNING.value
    stopping = findings.filter(~(warning & pl.col("code").is_in(accepted)))
    lacking = warning | pl.col("code").is_in(list(LACKING)) | (pl.col("given").fill_null("").str.strip_chars() == "")
    errors = (~warning).any()
    judged = stopping.group_by("row").agg((lacking.all() & errors).alias("lacking"))
    return dict(judged.iter_rows())

"""What is to become of each row of a run: new, changed, unchanged, refused or kept as a draft (UC-02.01, UC-02.03, bulk).

The same is asked in a dry run and when rows are registered; only writing follows or doesn't.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

import polars as pl
from sqlalchemy import select
from sqlmodel import col

from models.assets import Asset
from services.assets.bulk.files.formats import ROW
from services.assets.bulk.pipeline import changes as updating
from services.assets.bulk.pipeline.asset_snapshot import Unchanged
from services.assets.bulk.pipeline.changes import Change
from services.assets.bulk.pipeline.chunks import plain_cells
from services.assets.bulk.pipeline.duplicates import (
    KEY_SCHEMA,
    Earlier,
    Others,
    against_register,
    asset_key,
    file_keys,
    inside_file,
    made_here,
    told,
)
from services.assets.bulk.pipeline.existing_assets import Identified, nameless, slices
from services.assets.bulk.pipeline.lookups import Asked
from services.assets.bulk.pipeline.validation import keys_of
from services.assets.registration.lookup_hits import unseen_of
from services.assets.registration.record import is_justification
from services.core.errors import Severity
from services.core.identity.actor import Actor
from services.core.identity.visibility import visible
from services.core.rules import FINDINGS_SCHEMA, findings_frame, sorted_findings
from services.core.transaction import current_session

EVERY_CODE = "*"
LACKING = frozenset({"CAT-04"})
"""Findings that say that something is missing although they quote what was looked for."""


class Outcome(StrEnum):
    """What becomes of a row."""

    REGISTERED = "registered"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    REFUSED = "refused"
    DRAFT = "draft"


GOES_THROUGH = (Outcome.REGISTERED, Outcome.UPDATED, Outcome.UNCHANGED)


@dataclass(frozen=True, slots=True)
class Terms:
    """What was said for the whole file: values for rows that give none, why warnings are right, whether drafts are kept."""

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
class Verdict:
    """A run of rows, judged. Rows are numbered by their place in the run; `rows` tells their numbers in the file.

    `findings` (FINDINGS_SCHEMA) of rows that something is said of; `values` the typed values of new rows, with ``index``;
    `new` the places of those that are registered, `changed` what is updated, by place; `keys` what duplicates in later runs
    are found by.
    """

    rows: pl.Series
    outcomes: list[Outcome]
    findings: pl.DataFrame
    values: pl.DataFrame
    new: list[int]
    changed: dict[int, Change | Unchanged]
    assets: dict[int, UUID]
    keys: pl.DataFrame
    others: Others
    unseen: list[UUID]


def judge(actor: Actor, given: pl.DataFrame, asked: Asked, earlier: Earlier, terms: Terms) -> Verdict:
    """Judge a run of rows, `given` as `asking.ask` takes them, by what was said of them and what became of earlier ones.

    `earlier` is what rows of earlier runs of the file are known by. Inside an operation.
    """
    places, keys = asked.places, asked.keys
    others = against_register(keys, asked.there, asked.taken, earlier, _wrong(sorted_findings(asked.parts)))
    unseen = unseen_of(actor, others.hits)
    seen = _seen(actor, {other for _index, _code, other, _name in others.same})
    told_beside = [findings_frame(others.findings), findings_frame(told(others.same, seen))]
    fresh_findings = sorted_findings([*asked.parts, *told_beside])
    verdict = Verdict(
        rows=given[ROW],
        outcomes=[Outcome.REFUSED] * given.height,
        findings=_at(fresh_findings, places),
        values=asked.values.with_columns(pl.Series("index", places, dtype=pl.Int64)),
        new=[],
        changed={},
        assets={},
        keys=pl.DataFrame(schema=KEY_SCHEMA),
        others=others,
        unseen=unseen,
    )
    alike = _alike(keys, others, seen, earlier, fresh_findings)
    targets = {**asked.named.assets, **{places[index]: asset_id for index, asset_id in alike.items()}}
    _changes(actor, verdict, given, targets, asked.named, {places[index] for index in alike})
    _file_keys(verdict, asked)
    _conclude(verdict, earlier, terms, set(places))
    return verdict


def _at(findings: pl.DataFrame, places: list[int]) -> pl.DataFrame:
    """Findings of a selection of rows, numbered as the run numbers them."""
    moved = pl.Series(places, dtype=pl.UInt32)
    return findings.with_columns(moved.gather(findings["row"]).alias("row")) if findings.height else findings


def _seen(actor: Actor, ids: set[UUID]) -> set[UUID]:
    seen: set[UUID] = set()
    for part in slices(sorted(ids)):
        chosen = select(col(Asset.id)).where(col(Asset.id).in_(part), visible(Asset, actor))
        seen |= set(current_session().scalars(chosen))
    return seen


def _wrong(findings: pl.DataFrame) -> pl.Series:
    """The places of rows that are refused whatever else is said."""
    return findings.filter(pl.col("severity") == Severity.ERROR.value)["row"].cast(pl.Int64)


def _alike(
    keys: pl.DataFrame, others: Others, seen: set[UUID], earlier: Earlier, findings: pl.DataFrame
) -> dict[int, UUID]:
    """New rows that may be an asset which is there already, to the letter: by device, by meter, or by name alone.

    Such a row says nothing new when all its values are those of the record: the same file was sent twice.
    """
    found = {index: other for index, other in others.own.items() if other in seen}
    bare = ["serial", "friendly_code", "import_mpan", "export_mpan"]
    wrong = _wrong(findings)
    alone = keys.with_row_index("index").filter(
        pl.all_horizontal(pl.col(bare).is_null()),
        ~pl.col("index").cast(pl.Int64).is_in(wrong.implode()),
        pl.col("provider").is_not_null(),
    )
    for (provider,), rows in alone.group_by("provider"):
        there = nameless(UUID(str(provider)), rows["name"])
        mine = made_here(earlier, there["id"])
        there = there.filter(~pl.col("id").is_in(list(mine))).unique(["name", "category", "rated"], keep="first")
        met = rows.join(there, on=["name", "category", "rated"], suffix="_o")
        found.update({index: UUID(other) for index, other in met.select("index", "id").iter_rows()})
    return found


def _changes(
    actor: Actor,
    verdict: Verdict,
    given: pl.DataFrame,
    targets: Mapping[int, UUID],
    named: Identified,
    only_if_equal: set[int],
) -> None:
    """What rows that name an asset would change of it; rows that are merely alike say nothing new, or stay duplicates."""
    said = [(row, finding) for row, found in named.refused.items() for finding in found]
    if targets:
        for row, change in updating.held_against(actor, plain_cells(given), targets).items():
            findings = () if isinstance(change, Unchanged) else change.findings
            if row in only_if_equal and (change.changes or findings):
                continue
            verdict.changed[row] = change
            verdict.assets[row] = change.asset.id
            said += [(row, finding) for finding in findings]
        equal = pl.Series(sorted(only_if_equal & set(verdict.changed)), dtype=pl.UInt32)
        verdict.findings = verdict.findings.filter(~pl.col("row").is_in(equal.implode()))
    verdict.findings = sorted_findings([verdict.findings, findings_frame(said)])


def _file_keys(verdict: Verdict, asked: Asked) -> None:
    """What every row is known by inside the file: its own values, and the asset that it speaks of."""
    moved = pl.Series(asked.places, dtype=pl.Int64)
    fresh = asked.file_keys.with_columns(moved.gather(asked.file_keys["index"]).alias("index"))
    changed = sorted(verdict.changed)
    spoken = [(row, key) for row in changed for key in _spoken_keys(verdict.changed[row])]
    known = pl.DataFrame(spoken, schema=KEY_SCHEMA, orient="row")
    own = pl.DataFrame(
        {"index": changed, "key": [asset_key(verdict.changed[row].asset.id) for row in changed]}, schema=KEY_SCHEMA
    )
    fresh = fresh.filter(~pl.col("index").is_in(pl.Series(changed, dtype=pl.Int64).implode()))
    verdict.keys = pl.concat([fresh, known, own]).sort("index", maintain_order=True)


def _spoken_keys(change: Change | Unchanged) -> list[str]:
    """What a changed asset will be known by, where that is new: what it has now, the register itself knows."""
    if change.checked is None or not change.changes:
        return []
    keys = keys_of(pl.DataFrame([updating.key_values(change.checked.values)], strict=False, schema=updating.KEY_TYPES))
    return file_keys(keys)["key"].to_list()


def _conclude(verdict: Verdict, earlier: Earlier, terms: Terms, fresh: set[int]) -> None:
    """From findings to outcomes: errors refuse, warnings too unless they are justified, then each asset once in a file."""
    stops = _stopping(verdict.findings, terms)
    height = len(verdict.rows)
    goes = [row not in stops and (row in fresh or row in verdict.changed) for row in range(height)]
    twice = inside_file(verdict.keys, pl.Series(goes, dtype=pl.Boolean), earlier, verdict.rows)
    verdict.findings = sorted_findings([verdict.findings, findings_frame(twice)]).select(list(FINDINGS_SCHEMA))
    stops |= {row: False for row, _finding in twice}
    for row in range(height):
        change = verdict.changed.get(row)
        if row in stops or not goes[row]:
            draft = terms.keep_drafts and row in fresh and row not in verdict.changed and stops.get(row, False)
            verdict.outcomes[row] = Outcome.DRAFT if draft else Outcome.REFUSED
        elif change is None:
            verdict.outcomes[row] = Outcome.REGISTERED
            verdict.new.append(row)
        else:
            verdict.outcomes[row] = Outcome.UPDATED if change.changes else Outcome.UNCHANGED
    through = [row for row, outcome in enumerate(verdict.outcomes) if outcome in GOES_THROUGH]
    verdict.keys = verdict.keys.filter(pl.col("index").is_in(pl.Series(through, dtype=pl.Int64).implode()))


def _stopping(findings: pl.DataFrame, terms: Terms) -> dict[int, bool]:
    """Rows that don't go through -> whether nothing but mandatory values is missing."""
    accepted = [code for code in findings["code"].unique() if terms.justification(code)]
    warning = pl.col("severity") == Severity.WARNING.value
    stopping = findings.filter(~(warning & pl.col("code").is_in(accepted)))
    lacking = warning | pl.col("code").is_in(list(LACKING)) | (pl.col("given").fill_null("").str.strip_chars() == "")
    errors = (~warning).any()
    judged = stopping.group_by("row").agg((lacking.all() & errors).alias("lacking"))
    return dict(judged.iter_rows())

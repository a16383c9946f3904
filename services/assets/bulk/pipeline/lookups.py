"""What the rules and the register say of a run of rows, whatever became of the rows before it (UC-02.01, UC-02.03, bulk).

It is asked in the transaction that writes the rows, or ahead of it by another process (`ahead`): then `brought_up_to_date`
says in the transaction what of it still holds.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

import polars as pl
from sqlalchemy import func, select
from sqlmodel import col

from models.assets import Asset, CategorySchema, CodeListEntry
from models.core import LedgerEntry, Setting
from models.participants import Organisation
from services.assets.bulk.files.formats import BROKEN
from services.assets.bulk.pipeline.chunks import plain_cells, with_constants
from services.assets.bulk.pipeline.duplicates import Earlier, coded, file_keys
from services.assets.bulk.pipeline.existing_assets import Identified, already_registered, identify, taken_aliases
from services.assets.bulk.pipeline.new_assets import StagedAssets, stage_assets
from services.assets.bulk.pipeline.validation import conform_rows, keys_of, parties_of, providers_of
from services.assets.registration.parties import active_parties
from services.assets.registration.validation import one_writer_per_provider
from services.assets.rules.check import check_assets
from services.assets.rules.reference import catalogue, rule_context
from services.core.audit_context import Stamp
from services.core.clock import today
from services.core.db.expressions import by_index
from services.core.identity.actor import Actor
from services.core.operation import operation
from services.core.transaction import current_session

RULED_BY = frozenset(model.record_type() for model in (CodeListEntry, CategorySchema, Setting, Organisation))
"""Kinds of record that decide what the rules say of a row."""
HELD_AGAINST = Asset.record_type()


@dataclass(frozen=True, slots=True)
class Asked:
    """What is said of a run of rows. Its rows are numbered by their place in the run.

    `named` are the rows that speak of assets, `places` those that may be new; all that follows speaks of these, in their
    order: `values` typed, the parts of what was found (FINDINGS_SCHEMA), `keys` (`conforming.keys_of`) and `file_keys`
    that duplicates are known by; `there` and `taken` are assets and aliases of the register that share any of them.
    """

    named: Identified
    places: list[int]
    values: pl.DataFrame
    parts: list[pl.DataFrame]
    keys: pl.DataFrame
    file_keys: pl.DataFrame
    there: pl.DataFrame
    taken: Mapping[tuple[str, str], UUID]


@dataclass(frozen=True, slots=True)
class Early:
    """What was asked ahead, on which day, and the last entry of the ledger at that moment.

    `staged` are the assets that rows become of which nothing was found, if they were to be registered.
    """

    asked: Asked
    day: date
    entry: int
    staged: StagedAssets | None = None


class Run(NamedTuple):
    """Entries of new assets that were written together: the ledger's last entry before and after them, and how many."""

    before: int
    last: int
    entries: int


@dataclass(frozen=True, slots=True)
class Written:
    """What a job did since it asked ahead: of which `providers` the rows were, at which `moments` it wrote new assets of
    them, and whether it changed assets too.

    `runs` has what each commit added to the ledger.
    """

    providers: frozenset[str] = frozenset()
    moments: frozenset[datetime] = frozenset()
    changed: bool = False
    runs: tuple[Run, ...] = ()

    def __add__(self, later: "Written") -> "Written":
        """This, and what was done after it."""
        return Written(
            self.providers | later.providers,
            self.moments | later.moments,
            self.changed or later.changed,
            self.runs + later.runs,
        )

    def entries_after(self, entry: int) -> int | None:
        """How many entries of new assets the job wrote after one of the ledger; None where that can't be told."""
        if any(run.before < entry < run.last for run in self.runs):
            return None
        return sum(run.entries for run in self.runs if run.before >= entry)


def ask(actor: Actor, given: pl.DataFrame, constants: Mapping[str, str]) -> Asked:
    """Hold rows against every rule and against the register, inside an operation.

    `given` has `ROW`, `BROKEN` and the file's columns by term (null: not given, blank: left empty), `constants` the values of
    new rows that give none. Raises Refused when the actor's organisation may not register assets at all.
    """
    cells = plain_cells(given)
    named = identify(actor, cells, given[BROKEN])
    places = [row for row in range(given.height) if row not in named.assets and row not in named.refused]
    fresh = with_constants(cells.select(pl.all().gather(places)), constants)
    values, parts = conform_rows(actor, check_assets(fresh, rule_context()))
    _lock_providers(values)
    keys = keys_of(values)
    return Asked(named, places, values, parts, keys, file_keys(keys, values), already_registered(keys), _taken(keys))


def _lock_providers(values: pl.DataFrame) -> None:
    for provider in sorted(providers_of(values)):
        one_writer_per_provider(UUID(provider))


def _taken(keys: pl.DataFrame) -> Mapping[tuple[str, str], UUID]:
    named = keys["aliases"].explode(empty_as_null=False).drop_nulls().struct.field("value").unique()
    return taken_aliases(named.to_list()) if named.len() else {}


def ask_ahead(
    actor: Actor, given: pl.DataFrame, constants: Mapping[str, str], stamp: Stamp | None, moment: datetime
) -> Early:
    """`ask` before the transaction that writes the rows begins; with a stamp, their assets are staged for that moment."""
    early, versions = _asked_early(actor, given, constants)
    if stamp is None:
        return early
    # Nothing of it needs the register, and SQLite's log can't begin anew while somebody reads.
    asked = early.asked
    return replace(early, staged=stage_assets(asked.places, asked.values, asked.parts, stamp, moment, versions))


@operation("UC-02.01", permission="asset.bulk", writes=False, name="_asked_early")
def _asked_early(actor: Actor, given: pl.DataFrame, constants: Mapping[str, str]) -> tuple[Early, Mapping[str, int]]:
    """What was asked, and the versions of the categories' schemas."""
    by_index()
    entry = last_entry()
    return Early(ask(actor, given, constants), today(), entry), catalogue().schema_versions


def brought_up_to_date(
    actor: Actor, given: pl.DataFrame, constants: Mapping[str, str], early: Early, since: Written, earlier: Earlier
) -> tuple[Asked, StagedAssets | None]:
    """What was asked ahead, as `ask` would answer now, in the transaction that writes; what has changed is asked anew.

    `since` is what the job itself did meanwhile, for providers whose lock it held when it asked, and `earlier` what its rows
    before these are known by. Its own new assets are known by that, so the register need not be asked for them, unless rows
    are of several providers or bear the same code.
    """
    asked = early.asked
    _lock_providers(asked.values)
    active_parties(*parties_of(asked.values), actor.organisation_id)
    others = _written_since(early.entry, actor, since)
    if others & RULED_BY or early.day != today():
        return ask(actor, given, constants), None
    same_one = since.providers == providers_of(asked.values) and len(since.providers) <= 1
    if HELD_AGAINST in others or since.changed or not same_one or earlier.rows_of(coded(asked.file_keys)):
        if identify(actor, plain_cells(given), given[BROKEN]) != asked.named:
            return ask(actor, given, constants), None
        asked = replace(asked, there=already_registered(asked.keys), taken=_taken(asked.keys))
    return asked, early.staged


def last_entry() -> int:
    """The number of the ledger's last entry. Inside an operation."""
    return current_session().scalar(select(func.max(LedgerEntry.seq))) or 0


def _written_since(entry: int, actor: Actor, mine: Written) -> set[str]:
    """The kinds of record that others wrote after an entry of the ledger.

    On PostgreSQL it misses what was under way at that moment under a lower number. Of the same provider nothing was: its lock
    was held. Of others it is missed as it is by any question that is asked a moment before it is committed.
    """
    if last_entry() - entry == mine.entries_after(entry):
        # Every number since is one of the job's own: there is no need to look.
        return set()
    entries = select(col(LedgerEntry.record_type)).distinct().where(col(LedgerEntry.seq) > entry)
    if mine.moments:
        own = (
            (col(LedgerEntry.record_type) == HELD_AGAINST)
            & (col(LedgerEntry.user_id) == actor.user_id)
            & col(LedgerEntry.recorded_at).in_(sorted(mine.moments))
        )
        entries = entries.where(~own)
    return set(current_session().scalars(entries))

"""Wiring of all that reacts: read from top to bottom. Every process calls `wire` before its first unit of work.

The names of handlers and periodic jobs are stored with deliveries and due times: they stay when a function is renamed or
moved. A handler whose name this version doesn't have leaves its deliveries waiting, and the worker reports them.
"""

from datetime import timedelta

from services.core.memory import without_collection
from services.core.reactions import Handling, PeriodicJob, Reactions, install

# Most modules of the register are behind these: no look for garbage among them, and they are set aside for good.
with without_collection():
    from models.assets import Asset
    from models.events import EventType
    from models.participants import Organisation
    from models.qualifications import Qualification
    from models.units import MarketUnit
    from services.assets import cells
    from services.assets.bulk.export import worker as exports
    from services.assets.bulk.pipeline import worker as uploads
    from services.assets.checks import deadlines
    from services.assets.checks import run as checks
    from services.assets.counters import maintain as asset_counters
    from services.assets.counters import reconcile as asset_counts
    from services.assets.registration import shared_meters
    from services.core.db import maintenance
    from services.core.jobs import clock_watch, worker
    from services.governance import sealing, table_checks
    from services.market.counters import keys as market_keys
    from services.market.counters import maintain as market_counters
    from services.market.counters import reconcile as market_counts
    from services.market.products import proposal_review
    from services.market.qualification import expiry, product_versions
    from services.market.unit_changes import asset_events
    from services.participants import ending, registry_check

HANDLERS = {
    # A new or changed organisation is held against the company registry.
    "participants.registry_check.check_registered": Handling(
        EventType.ORGANISATION_REGISTERED, single=registry_check.check_registered
    ),
    "participants.registry_check.check_changed": Handling(
        EventType.ORGANISATION_MATERIALLY_CHANGED, single=registry_check.check_changed
    ),
    "participants.registry_check.check_restored": Handling(
        EventType.ORGANISATION_CHANGE_REFUSED, single=registry_check.check_restored
    ),
    "participants.registry_check.check_requested": Handling(
        EventType.ORGANISATION_CHECK_REQUESTED, single=registry_check.check_requested
    ),
    # A new or changed asset is held against its sources; so is every asset of which a new edition may say something.
    "assets.checks.check_registered": Handling(EventType.ASSET_REGISTERED, together=checks.check_registered),
    "assets.checks.check_changed": Handling(EventType.ASSET_CHANGED, single=checks.check_changed),
    "assets.checks.check_consented": Handling(EventType.ASSET_STATUS_CHANGED, single=checks.check_consented),
    "assets.checks.check_requested": Handling(EventType.ASSET_CHECKS_REQUESTED, together=checks.check_requested),
    "assets.checks.check_against_edition": Handling(EventType.SOURCE_LOADED, single=checks.check_against_edition),
    # A changed asset counts in its market units: totals, and whether they are to be assessed again.
    "market.asset_hooks.tell_units": Handling(EventType.ASSET_CHANGED, single=asset_events.tell_units),
    "market.asset_hooks.count_marked": Handling(EventType.MARKET_UNIT_ASSETS_CHANGED, single=asset_events.count_marked),
    # Who stands for an older version of a product is told of a newer one.
    "market.qualification_versions.tell_of_version": Handling(
        EventType.PRODUCT_VERSION_PUBLISHED, single=product_versions.tell_of_version
    ),
}

JOBS = {
    worker.HEARTBEAT: PeriodicJob(worker.HEARTBEAT_INTERVAL, worker.keep_heartbeat),
    clock_watch.CLOCK_JOB: PeriodicJob(clock_watch.CLOCK_INTERVAL, clock_watch.keep_trusted_moment, needs_clock=True),
    "assets.bulk.working.work_on_jobs": PeriodicJob(
        timedelta(seconds=1), uploads.work_on_jobs, uploads.UPLOADS.has_waiting
    ),
    "assets.bulk.export_working.work_on_exports": PeriodicJob(
        timedelta(seconds=1), exports.work_on_exports, exports.EXPORTS.has_waiting
    ),
    "governance.sealing.seal_regularly": PeriodicJob(timedelta(minutes=1), sealing.seal_regularly, needs_clock=True),
    "assets.deadlines.keep_deadlines": PeriodicJob(timedelta(hours=1), deadlines.keep_deadlines, needs_clock=True),
    "market.proposal_deciding.keep_catalogue": PeriodicJob(
        timedelta(hours=1), proposal_review.keep_catalogue, needs_clock=True
    ),
    "market.qualification_expiry.keep_validities": PeriodicJob(
        timedelta(hours=1), expiry.keep_validities, needs_clock=True
    ),
    "assets.bulk.working.forget_old_jobs": PeriodicJob(timedelta(hours=1), uploads.forget_old_jobs, needs_clock=True),
    "assets.bulk.export_working.forget_old_exports": PeriodicJob(
        timedelta(hours=1), exports.forget_old_exports, needs_clock=True
    ),
    "assets.shared_meters.tell_withheld": PeriodicJob(timedelta(minutes=10), shared_meters.tell_withheld),
    "core.upkeep.refresh_statistics": PeriodicJob(timedelta(hours=6), maintenance.refresh_statistics),
    "assets.recounting.reconcile": PeriodicJob(timedelta(days=1), asset_counts.reconcile),
    "market.recounting.reconcile_market": PeriodicJob(timedelta(days=1), market_counts.reconcile_market),
}


def wire() -> None:
    """Put every reaction of the register in force in this process; calling it again changes nothing."""
    install(
        Reactions(
            handlers=HANDLERS,
            jobs=JOBS,
            derived_columns={Asset.record_type(): {"cell": cells.derive_cell}},
            # Counts beside the records, kept in the commit that changes these: noted after each flush, written last.
            old_values=(
                (Asset, asset_counters.COUNTED),
                (Qualification, market_keys.COUNTED),
                (MarketUnit, market_counters.OF_UNIT),
                (Organisation, market_counters.OF_ORGANISATION),
            ),
            after_flush=(asset_counters.note_flushed, market_counters.note_flushed, asset_events.note_flushed),
            after_rollback=(asset_counters.PENDING.forget, market_counters.PENDING.forget),
            after_bulk_insert=(asset_counters.note_inserted, market_counters.note_inserted),
            after_bulk_change=(asset_counters.note_changed, market_counters.note_changed, asset_events.note_changed),
            before_commit=(asset_counters.bring_up_to_date, market_counters.write_pending, asset_events.mark_units),
            # What stands in the way of an end, as the areas name it; a unit's own end is judged in market.unit_changes.
            asset_blockers=(asset_events.block_asset_in_units,),
            organisation_blockers=(ending.block_holder_of_assets, asset_events.block_provider_with_units),
            connection_limits=(),
            table_checks=table_checks.TABLE_CHECKS,
            wire_process=wire,
        )
    )

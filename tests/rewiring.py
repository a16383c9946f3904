"""Other reactions than the register's own, for as long as a test takes."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from services.core.reactions import Reactions, install, reactions


@contextmanager
def rewired(**changes: Any) -> Iterator[None]:
    """Have some lists of reactions replaced inside the block."""
    before = reactions()
    install(replace(before, **changes))
    try:
        yield
    finally:
        install(before)


def wire_nothing() -> None:
    """Have nothing react in this process: for one that writes a setting and is killed, over and over."""
    install(
        Reactions(
            handlers={},
            jobs={},
            derived_columns={},
            old_values=(),
            after_flush=(),
            after_rollback=(),
            after_bulk_insert=(),
            after_bulk_change=(),
            before_commit=(),
            asset_blockers=(),
            organisation_blockers=(),
            connection_limits=(),
            table_checks=(),
            wire_process=wire_nothing,
        )
    )

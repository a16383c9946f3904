"""Commands of manage.py that look after a register as a whole: moving it, copying it, putting a copy back."""

import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from services.core.ledger.verifying import Verification
from services.core.settings import settings
from services.wiring import wire

QUIET_SECONDS = 3
"""How long a table's move goes on without a word when nobody watches a terminal."""


class _Progress:
    """Rows and rate of the table that is under way: on one line of a terminal, now and then in a log."""

    def __init__(self) -> None:
        self._table, self._began, self._said = "", 0.0, 0.0

    def __call__(self, table: str, there: int, of: int) -> None:
        moment = time.perf_counter()
        if table != self._table:
            self._table, self._began, self._said = table, moment, moment
        rate = there / max(moment - self._began, 0.001)
        line = f"  {table:<24}{there:>14,} of {of:>12,} rows  {rate:>10,.0f}/s"
        if sys.stdout.isatty():
            typer.echo(f"\r{line}", nl=there == of)
        elif there == of or moment - self._said > QUIET_SECONDS:
            self._said = moment
            typer.echo(line)


def _told(ledger: Verification) -> str:
    return f"{ledger.entries:,} entries, {ledger.seals:,} seals, {ledger.records:,} records held against them"


def move(
    to: Annotated[
        str,
        typer.Option(
            envvar="FMAR_MOVE_TO",
            help="An empty database: postgresql+psycopg://user@host/name, or sqlite:///path. A password belongs in ~/.pgpass.",
        ),
    ],
    source: Annotated[
        str | None, typer.Option("--from", help="The register to move; the one of DATABASE_URL when left out.")
    ] = None,
) -> None:
    """Move the whole register to an empty database of the other kind, ledger and all; the portal has to be stopped.

    One transaction: what fails leaves the target as it was. The source is only read, and nobody writes it meanwhile.
    """
    from services.governance.moving import move_register

    wire()
    started = time.perf_counter()
    moved = move_register(source or settings().database_url, to, _Progress())
    typer.echo(f"\n{'Table':<26}{'source':>14}{'target':>14}{'seconds':>10}")
    for table in moved.tables:
        typer.echo(f"{table.name:<26}{table.rows:>14,}{table.arrived:>14,}{table.seconds:>10.1f}")
    typer.echo(
        f"{'all':<26}{sum(t.rows for t in moved.tables):>14,}{moved.rows:>14,}{time.perf_counter() - started:>10.1f}"
    )
    if moved.ledger is not None:
        typer.echo(f"\nThe ledger was verified in the target: {_told(moved.ledger)}.")
    if moved.faults_before:
        typer.echo(f"It has {len(moved.faults_before)} faults, the same as in the source:", err=True)
        for fault in moved.faults_before:
            typer.echo(f"  {fault.kind}: {fault.where}: {fault.message}", err=True)
    typer.echo(f"From now on start the portal with DATABASE_URL={moved.target}")
    typer.echo(f"Keep {moved.source} as it is until you are content; a portal must not be started on it again.")


def backup(
    file: Annotated[Path, typer.Argument(dir_okay=False, help="New file to write the copy to.")],
) -> None:
    """Copy a SQLite register to a file, also while the portal runs; the copy is checked before it has its name."""
    from services.governance.copies import copy_register

    copied = copy_register(file)
    typer.echo(
        f"{copied.path}: {copied.size:,} bytes, {copied.entries:,} ledger entries. Keep the anchor file elsewhere."
    )


def restore(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A file that `backup` wrote.")],
) -> None:
    """Put a copy in the place of the SQLite register, once it is proven whole; the portal has to be stopped."""
    from services.governance.copies import restore_register

    wire()
    restored = restore_register(file)
    if restored.migrated_from:
        typer.echo(f"The copy had schema {restored.migrated_from} and was brought to the present one.")
    typer.echo(f"Restored. The ledger is sound: {_told(restored.ledger)}.")
    if restored.backup:
        typer.echo(f"What stood there before is kept as {restored.backup}")
    if restored.ledger.cut_off:
        until = f"{restored.sealed_until:%d %B %Y %H:%M:%S UTC}" if restored.sealed_until else "its beginning"
        typer.echo(
            f"The copy is older than the anchor file. {restored.ledger.cut_off.message}\n"
            f"What was registered after {until} may be missing. Before you start the portal, begin the anchors anew: new seals "
            "would contradict those that are there, which are kept as the proof of what there was.\n"
            f"  python manage.py restart-anchors {restored.ledger.register}"
        )


def sizes() -> None:
    """Tell what each table takes on disk, and how much that is for 100,000 assets."""
    from services.core.identity.actor import system_actor
    from services.governance.sizes import table_sizes

    wire()
    tables = table_sizes(system_actor())
    assets = next(table.rows for table in tables if table.name == "asset") or 1
    typer.echo(f"{'Table':<26}{'rows':>12}{'MB':>10}{'rows/asset':>12}{'bytes/row':>11}{'MB/100,000 assets':>19}")
    for table in tables:
        each = table.bytes / table.rows if table.rows else 0
        typer.echo(
            f"{table.name:<26}{table.rows:>12,}{table.bytes / 1e6:>10.2f}{table.rows / assets:>12.2f}{each:>11,.0f}"
            f"{table.bytes / assets / 10:>19,.0f}"
        )
    total = sum(table.bytes for table in tables)
    typer.echo(
        f"{'all':<26}{sum(t.rows for t in tables):>12,}{total / 1e6:>10.2f}{'':>23}{total / assets / 10:>19,.0f}"
    )

"""The operator's commands: python manage.py --help."""

import gc
import json
import os
import socket
import subprocess
import sys
import time
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from sqlalchemy.exc import OperationalError

from scripts import keeping
from services.core.db import engine as database
from services.core.errors import Invalid, RegisterError
from services.core.identity.actor import system_actor
from services.core.memory import without_collection
from services.core.settings import ROOT, StartRefused, settings
from services.wiring import wire

# What commands write (registers, copies, exports, anchors) is for the operator's own user alone.
os.umask(0o077)
cli = typer.Typer(help="The FMAR register: commands for its operators.", no_args_is_help=True, add_completion=False)


def _prepare() -> None:
    """Migrate and lay down the first data, so that every command meets a register in its present shape."""
    from services.core.db.migrate import migrate
    from services.first_data import begin

    wire()
    if migrate():
        typer.echo("The database was brought to the present schema.")
    begin()


def _seed_if_empty() -> bool:
    """Lay the demo down unless somebody has registered; whether it was."""
    from services.workshop.demo import is_empty, seed_demo

    if not is_empty():
        return False
    typer.echo("The register is empty: laying down the demo data ...")
    started = time.perf_counter()
    summary = seed_demo()
    typer.echo(f"{summary} ({time.perf_counter() - started:.1f} s)")
    return True


def _require_free(port: int) -> None:
    """Say so when something listens on the port already, before the database is touched."""
    with socket.socket() as probe:
        taken = port and probe.connect_ex(("127.0.0.1", port)) == 0
    if taken:
        another = port + 100 if port + 100 < 65_536 else 8601
        typer.echo(f"Port {port} is taken, perhaps by a portal that runs. Try: make run PORT={another}", err=True)
        raise typer.Exit(2)


@cli.command()
def run(port: Annotated[int, typer.Option(help="Port to serve on.")] = 8501) -> None:
    """Migrate, seed demo data into an empty register (demo mode), and serve the portal and the API."""
    try:
        chosen = settings()
        chosen.require_startable()
    except StartRefused as refused:
        typer.echo(str(refused), err=True)
        raise typer.Exit(2) from None
    _require_free(port)
    with without_collection():
        _prepare()
    if chosen.demo:
        _seed_if_empty()
    typer.echo(f"\nThe portal is at http://localhost:{port}   (API: http://localhost:{port}/api/docs)")
    if chosen.demo:
        from services.participants.identity import demo_personas

        typer.echo("Demo mode: sign in as one of these, no password.")
        for persona in demo_personas():
            typer.echo(f"  - {persona.label}: {persona.description}")
    typer.echo("Stop with Ctrl+C.\n")
    database.close()
    _serve(port)


def _serve(port: int) -> NoReturn:
    """Become the server, in this very process: what is imported is not imported again, and Ctrl+C reaches it."""
    # What is imported now is no garbage; the app's `Collector` collects from then on.
    gc.disable()
    from click import Abort
    from streamlit.web.cli import main as streamlit

    os.chdir(ROOT)
    sys.argv = ["streamlit", "run", "app.py", "--server.port", str(port)]
    if host := settings().host:
        sys.argv += ["--server.address", host]
    with suppress(KeyboardInterrupt, Abort):
        streamlit(standalone_mode=False)
    sys.exit(0)


@cli.command()
def migrate() -> None:
    """Bring the database to the present schema."""
    _prepare()
    typer.echo("The database has the present schema.")


@cli.command()
def seed() -> None:
    """Lay down the demo data in an empty register (demo mode only)."""
    _require_demo()
    _prepare()
    if not _seed_if_empty():
        typer.echo("The register isn't empty: nothing was laid down. reset-demo puts the demo back.")


@cli.command("reset-demo")
def reset_demo() -> None:
    """Throw the whole register away and lay down the demo data anew (demo mode only)."""
    from services.workshop.demo import reset

    _require_demo()
    wire()
    started = time.perf_counter()
    typer.echo(f"{reset()} ({time.perf_counter() - started:.1f} s)")


@cli.command("destroy-register")
def destroy_register(
    name: Annotated[str, typer.Argument(help="The register's name, in full: that of the body that runs it.")],
) -> None:
    """Drop every table of the register, live or not, where its name is typed; anchors and public keys stay."""
    from services.governance import destroying

    wire()
    destroying.destroy_register(name)
    typer.echo(f"The register of {name} was destroyed. The anchor file and the list of public keys are still there.")


def _require_demo() -> None:
    if not settings().demo:
        typer.echo("This is a live register (FMAR_MODE=live): demo data has no place in it.", err=True)
        raise typer.Exit(2)


@cli.command("first-administrator")
def first_administrator(
    email: Annotated[str, typer.Argument(help="Verified email that the person signs in with.")],
    name: Annotated[str, typer.Argument(help="Full name.")],
    organisation: Annotated[
        Path,
        typer.Argument(
            exists=True, dir_okay=False, help="JSON: ontology term -> value of the body that runs the register."
        ),
    ],
) -> None:
    """Invite the first administrator of a new register, and register the body that runs it, active at once.

    Among the values: OrganisationLegalName, OrganisationType, OrganisationRoles with Market Facilitator, address and primary
    contact; whatever is missing or wrong is told all at once.
    """
    from services.participants.governing import begin_governing

    _prepare()
    try:
        values = json.loads(organisation.read_text(encoding="utf-8"))
    except ValueError as error:
        typer.echo(f"{organisation} can't be read as JSON: {error}", err=True)
        raise typer.Exit(1) from None
    if not isinstance(values, dict):
        typer.echo(f"{organisation} has to hold one object: ontology term -> value.", err=True)
        raise typer.Exit(1)
    body, _person = begin_governing(system_actor(), values, name, email)
    typer.echo(f"{email} may now sign in as FMAR administrator of {body.organisation_legal_name}.")


@cli.command("verify-ledger")
def verify_ledger() -> None:
    """Verify the whole ledger; exit code 1 when anything was changed behind the register's back."""
    from services.core.ledger.verifying import verify_ledger as verify

    _prepare()
    result = verify(system_actor())
    typer.echo(result.summary)
    for fault in result.faults:
        typer.echo(f"  {fault.kind}: {fault.where}: {fault.message}", err=True)
    typer.echo("The ledger is sound." if result.sound else f"{len(result.faults)} faults.")
    raise typer.Exit(0 if result.sound else 1)


@cli.command("seal-ledger")
def seal_ledger() -> None:
    """Seal what was written since the last seal (the running portal does it by itself)."""
    from services.governance.sealing import seal_and_anchor

    _prepare()
    typer.echo(f"{seal_and_anchor()} seals were made.")


@cli.command("restart-anchors")
def restart_anchors(
    register: Annotated[str, typer.Argument(help="The identifier of this register, as the page Ledger shows it.")],
) -> None:
    """Begin the anchor file anew, on a new machine or after a restore; one that is there is set aside."""
    from services.governance.sealing import restart_anchors as restart

    _prepare()
    count, former = restart(register)
    typer.echo(f"{count:,} seals were anchored anew.{f' The former anchors are kept as {former}.' if former else ''}")


@cli.command("rotate-seal-key")
def rotate_seal_key() -> None:
    """Replace the key that signs seals, once it is lost or may be known to others; old seals verify by its public key."""
    from services.governance.sealing import rotate_seal_key as rotate

    _prepare()
    typer.echo(f"Seals are signed with the key {rotate().key_id} from now on. Copy the list of public keys elsewhere.")


@cli.command("confirm-clock")
def confirm_clock() -> None:
    """Confirm the clock of this machine after the portal stood still for days, so that deadlines go on."""
    from services.core.clock import show_moment
    from services.core.jobs.clock_watch import confirm_clock as confirm

    _prepare()
    typer.echo(f"The clock is confirmed: it is {show_moment(confirm(system_actor()))}. Deadlines go on.")


@cli.command("load-source")
def load_source(
    file: Annotated[
        Path,
        typer.Argument(exists=True, dir_okay=False, help="As published: CSV, XLSX, Parquet, JSON lines."),
    ],
    publisher: Annotated[
        str | None, typer.Option(help="Who publishes it; guessed from the file when left out.")
    ] = None,
    edition: Annotated[str | None, typer.Option(help="Date of the edition, YYYY-MM-DD; guessed from the name.")] = None,
) -> None:
    """Load an edition of a public register: an Embedded Capacity Register or the planning database."""
    from services.assets.sources.load_report import report_lines
    from services.assets.sources.loading import load_source as load

    _prepare()
    edition_date = date.fromisoformat(edition) if edition else None
    loaded = load(system_actor(), file.read_bytes(), file.name, publisher=publisher, edition_date=edition_date)
    for line in report_lines(loaded.name, loaded.counts):
        typer.echo(line)


@cli.command()
def export(
    target: Annotated[
        Path, typer.Argument(help="File to write: .csv or .jsonl; assets also .xlsx, .parquet or .geojson.")
    ],
    what: Annotated[str, typer.Option(help="assets, organisations or ledger.")] = "assets",
) -> None:
    """Write assets, organisations or the ledger to a file, by their ontology terms."""
    from services.governance.export import export_to

    _prepare()
    typer.echo(f"{export_to(system_actor(), what, target):,} rows in {target}")


@cli.command()
def recount() -> None:
    """Count assets and market anew for pages and map (the running portal holds the counts against them once a day)."""
    from services.assets.counters.reconcile import recount as count_anew
    from services.market.counters.reconcile import recount_market

    _prepare()
    drifted = count_anew(system_actor()) + recount_market(system_actor())
    typer.echo(f"{drifted:,} counts had drifted and are right now." if drifted else "Every count was right.")


@cli.command()
def bench() -> None:
    """Measure; figures and how to read them are in docs/performance.md."""
    raise typer.Exit(
        subprocess.call([sys.executable, "-m", "pytest", "tests/benchmarks", "-q", "-s", "-m", "benchmark"], cwd=ROOT)
    )


cli.command("move")(keeping.move)
cli.command("backup")(keeping.backup)
cli.command("restore")(keeping.restore)
cli.command("sizes")(keeping.sizes)


def main() -> None:
    """Run a command; a refusal of the register is told in its own words, without a traceback."""
    try:
        cli()
    except OperationalError as error:
        # The driver's own words name host and reason; the URL with its password stays out.
        typer.echo(f"The database can't be used (see DATABASE_URL): {error.orig}", err=True)
        sys.exit(1)
    except RegisterError as refused:
        typer.echo(refused.message, err=True)
        if isinstance(refused, Invalid):
            for finding in refused.findings:
                typer.echo(f"  {finding.code} {finding.field or ''}: {finding.message}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()

"""``rebuild``, ``backup``, ``restore``, ``doctor``: keeping an installation sound."""

from pathlib import Path
from uuid import UUID

import click
from rich.console import Console
from rich.table import Table

from backend.commands.installation import chosen_communities, migrate, open_installation
from backend.commands.progress import counting
from backend.commands.running import say
from backend.embedded import find_running, postgres_tool
from backend.evacuations import rebuild as houses
from backend.jobs.ledger import revive_all
from backend.operations import backup as backups
from backend.operations import doctor as examination
from backend.operations import restore as restoring
from backend.rectification import rebuild as rebuilding
from backend.secret_file import FILE_NAME, write_secret
from backend.settings import default_data_dir


@click.command()
@click.option("--check", is_flag=True, help="Write nothing; exit 1 if a projection is not what the facts say.")
@click.option("--community", "only", type=click.UUID, help="One community (default: all).")
def rebuild(check: bool, only: UUID | None) -> None:
    """Compute hazards, tasks and visits anew from the facts."""
    with open_installation(progress=say) as installation:
        runtime = installation.runtime()
        wrong = 0
        for community_id in chosen_communities(runtime.db, only):
            with counting() as count:
                if check:
                    report = rebuilding.check(runtime, community_id, lambda done, total: count("places", done, total))
                    houses.check(runtime, community_id, report)
                else:
                    report = rebuilding.rebuild(
                        runtime.db, runtime, community_id, lambda done, total: count("places", done, total)
                    )
                    houses.rebuild(runtime.db, runtime, community_id, report)
            wrong += report.differences.total()
            click.echo(f"{community_id}: {report.places} places, {report.differences.total()} differences")
            for line in [*(f"  {k}: {v}" for k, v in sorted(report.differences.items())), *report.shown]:
                click.echo(f"  {line}")
        if check and wrong:
            raise SystemExit(1)


@click.command()
@click.argument("target", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--verify/--no-verify", default=True, show_default=True, help="Restore it as a test, into a scratch database."
)
def backup(target: Path, verify: bool) -> None:
    """Write a backup: database, files and secrets in one archive that opens everything. Keep it like the data."""
    with open_installation(progress=say) as installation, counting() as count:
        manifest = backups.backup(installation.settings, target, postgres_tool, count)
        if verify:
            restoring.verify_backup(installation.settings, target, postgres_tool, count)
        click.echo(f"{target}: {sum(manifest.rows.values())} rows" + (", restored as a test" if verify else ""))


@click.command()
@click.argument("archive", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--replace", "replace_data", is_flag=True, help="Replace a database that holds data.")
def restore(archive: Path, replace_data: bool) -> None:
    """Put a backup in the place of the database; phones notice, and offer again what the backup lacks.

    Stop ``serve`` first.
    """
    if find_running(default_data_dir().absolute()) is not None:
        raise click.ClickException("`serve` runs on this data folder: stop it first (Ctrl-C), then restore")
    with open_installation(progress=say) as installation, counting() as count:
        settings = installation.settings
        embedded = installation.servers is not None
        manifest = restoring.restore(
            settings,
            archive,
            postgres_tool,
            replace_data=replace_data,
            install_secret=(lambda key: write_secret(settings.data_dir / FILE_NAME, key)) if embedded else None,
            progress=count,
        )
        migrate(settings, say)
        click.echo(f"restored {sum(manifest.rows.values())} rows; phones will offer again what came later")


@click.command()
@click.option("--revive", is_flag=True, help="First requeue jobs that failed five times (after the repair).")
def doctor(revive: bool) -> None:
    """Look at everything an installation stands on; say what is wrong and what to do. Exit 1 if anything is."""
    serving = find_running(default_data_dir().absolute()) is not None
    with open_installation(progress=say) as installation:
        if revive:
            with installation.runtime().db.transaction() as session:
                click.echo(f"requeued {revive_all(session)} jobs")
        checks = examination.run_doctor(installation.settings, serving=serving)
    table = Table("", "what", "how it stands", "what to do")
    for check in checks:
        table.add_row(check.state, check.name, check.sentence, check.advice)
    Console().print(table)
    raise SystemExit(examination.exit_code(checks))

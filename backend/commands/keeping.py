"""``rebuild``, ``backup``, ``restore``, ``doctor``: keeping an installation sound."""

from uuid import UUID

import click

from backend.commands.installation import open_installation
from backend.commands.progress import counting
from backend.commands.running import say
from backend.jobs.ledger import communities
from backend.rectification import rebuild as rebuilding


@click.command()
@click.option("--check", is_flag=True, help="Write nothing; exit 1 if a projection is not what the facts say.")
@click.option("--community", "only", type=click.UUID, help="One community (default: all).")
def rebuild(check: bool, only: UUID | None) -> None:
    """Compute hazards, tasks and visits anew from the facts."""
    with open_installation(progress=say) as installation:
        runtime = installation.runtime()
        with runtime.db.transaction() as session:
            chosen = [only] if only else communities(session)
        wrong = 0
        for community_id in chosen:
            with counting() as count:
                report = (
                    rebuilding.check(runtime, community_id, lambda done, total: count("places", done, total))
                    if check
                    else rebuilding.rebuild(
                        runtime.db, runtime, community_id, lambda done, total: count("places", done, total)
                    )
                )
            wrong += report.differences.total()
            click.echo(f"{community_id}: {report.places} places, {report.differences.total()} differences")
            for line in [*(f"  {k}: {v}" for k, v in sorted(report.differences.items())), *report.shown]:
                click.echo(f"  {line}")
        if check and wrong:
            raise SystemExit(1)

"""``migrate``: the schema, and the forms and rules of this release."""

import click

from backend.commands.installation import migrate as bring_up
from backend.commands.installation import open_installation
from backend.commands.running import say
from backend.schema import upgrade_sql


@click.command()
@click.option("--sql", is_flag=True, help="Print the SQL of all migrations instead of running them.")
def migrate(sql: bool) -> None:
    """Bring the database up to date and publish this release's forms and rules."""
    if sql:
        click.echo(upgrade_sql())
        return
    with open_installation(progress=say) as installation:
        published = bring_up(installation.settings, say)
        click.echo("\n".join(f"published {what}" for what in published) or "up to date")

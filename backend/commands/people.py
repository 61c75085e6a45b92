"""``create-admin`` and ``import-roster``: a community's first account and its places."""

import secrets
from pathlib import Path
from uuid import UUID

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from backend import clock
from backend.commands.installation import chosen_communities, open_installation
from backend.commands.running import say
from backend.db import set_access
from backend.identity.keys import Keyring
from backend.identity.models import Account
from backend.identity.service import create_account, create_community, grant_role, normal_login
from backend.places.roster import RosterReport
from backend.places.roster import import_roster as read_roster
from backend.places.service import PlaceListeners
from backend.rectification.compile import clock_offset_ms


@click.command("create-admin")
@click.option("--community", required=True, help="Name of the new community, such as 福泉社区.")
@click.option("--short-name", required=True, help="Short name, the head of ledger numbers, such as 福泉.")
@click.option("--login", required=True, help="Log-in name of its administrator.")
@click.option("--name", required=True, help="Name of the administrator as shown.")
@click.option("--password", help="Initial password; made and shown once when left out.")
def create_admin(community: str, short_name: str, login: str, name: str, password: str | None) -> None:
    """Create a community with its first administrator; prints the community's id."""
    with open_installation(progress=say) as installation:
        runtime = installation.runtime()
        made = password or secrets.token_urlsafe(12)
        with runtime.db.transaction() as session:
            community_id = create_community(session, runtime.part(Keyring), name=community, short_name=short_name)
            set_access(session, [community_id])
            account_id = create_account(session, login, name, made)
            grant_role(session, community_id, account_id, "administrator")
        click.echo(f"community {community_id}")
        click.echo(f"administrator {login}" + ("" if password else f"  password {made}"))


@click.command("import-roster")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--community", "community_id", required=True, type=click.UUID, help="Id of the community.")
@click.option("--login", required=True, help="Who imports (for the audit trail).")
@click.option("--dry-run", is_flag=True, help="Only say what would happen and what is wrong.")
def import_roster(file: Path, community_id: UUID, login: str, dry_run: bool) -> None:
    """Import places from an XLSX or CSV roster: all of it, or nothing and a list of every bad row."""
    with open_installation(progress=say) as installation:
        runtime = installation.runtime()
        chosen_communities(runtime.db, community_id)
        with runtime.db.transaction([community_id]) as session:
            report = read_roster(
                session,
                community_id,
                file.read_bytes(),
                file.name,
                actor_id=_account(session, login),
                now_ms=clock.now_ms(clock_offset_ms(session, community_id)),
                dry_run=dry_run,
                listeners=runtime.part(PlaceListeners),
            )
        for line in _lines(report):
            click.echo(line)
        if report.errors:
            raise SystemExit(1)


def _lines(report: RosterReport) -> list[str]:
    done = "imported" if report.imported else "would import" if not report.errors else "nothing imported"
    counts = f"{report.added} new, {report.changed} changed, {report.moved} moved, {report.unchanged} unchanged"
    lines = [f"{done}: {report.rows} rows: {counts}; {report.bad_rows} bad"]
    return lines + [f"row {e['row']}, {e['column']}: {e['zh']} ({e['en']})" for e in report.as_dict()["errors"]]


def _account(session: Session, login: str) -> UUID:
    found = session.scalar(select(Account.id).where(Account.login == normal_login(login)))
    if found is None:
        raise click.ClickException(f"there is no account {login}")
    return found

"""``permissions``, ``password-code``, ``rotate-keys``: who may do what, who may come in, what seals the archive."""

from uuid import UUID

import click
from sqlalchemy import select

from backend import clock
from backend.commands.installation import open_installation
from backend.commands.running import say
from backend.http.context import Runtime
from backend.identity.audit import audit
from backend.identity.keys import Keyring
from backend.identity.models import Account
from backend.identity.permission_table import matrix
from backend.identity.reset_codes import issue_code
from backend.inspections.rotation import destroy_retired_keys, rewrap_keys
from backend.jobs.ledger import communities


@click.command()
def permissions() -> None:
    """Print which role may do what, as a table."""
    click.echo(matrix())


@click.command("password-code")
@click.option("--login", required=True, help="Log-in name of the account.")
def password_code(login: str) -> None:
    """Make a one-time code with which an account sets a new password. For whoever no administrator may reset."""
    with open_installation(progress=say) as installation, installation.runtime().db.transaction() as session:
        account_id = session.scalar(select(Account.id).where(Account.login == login))
        if account_id is None:
            raise click.ClickException(f"there is no account {login}")
        code = issue_code(session, account_id, None)
        click.echo(f"code {code.text}  until {clock.iso(code.expires_ms)}")


@click.command("rotate-keys")
@click.option("--community", "only", type=click.UUID, help="One community (default: all).")
def rotate_keys(only: UUID | None) -> None:
    """Give communities new keys and wrap every record's key anew; destroys keys that an earlier rotation retired."""
    with open_installation(progress=say) as installation:
        runtime = installation.runtime()
        with runtime.db.transaction() as session:
            chosen = [only] if only else communities(session)
        for community_id in chosen:
            version, wrapped, destroyed = rotate(runtime, community_id)
            click.echo(f"{community_id}: key {version}, {wrapped} record keys wrapped anew, {destroyed} keys destroyed")


def rotate(runtime: Runtime, community_id: UUID) -> tuple[int, int, int]:
    """The new version, how many record keys were wrapped anew, how many retired keys were destroyed."""
    keyring = runtime.part(Keyring)
    with runtime.db.transaction([community_id]) as session:
        version = keyring.rotate(session, community_id)
        audit(session, community_id, "key_rotated", f"community:{community_id}", version=version)
    total = 0
    while True:
        with runtime.db.transaction([community_id]) as session:
            wrapped = rewrap_keys(session, keyring.sealer(session, community_id), community_id)
        total += wrapped
        if not wrapped:
            break
    with runtime.db.transaction([community_id]) as session:
        return version, total, destroy_retired_keys(session, community_id)

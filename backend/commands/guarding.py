"""``permissions``, ``password-code``, ``rotate-keys``, ``retention``, ``verify-trail``: who may do what and come in,
what seals the archive, what is kept no longer, and proof that nobody changed it.
"""

from uuid import UUID

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from backend import clock
from backend.commands.installation import chosen_communities, open_installation
from backend.commands.running import say
from backend.http.context import Runtime
from backend.identity.audit import audit
from backend.identity.keys import Keyring
from backend.identity.models import Account, Community
from backend.identity.permission_table import matrix
from backend.identity.reset_codes import issue_code
from backend.identity.trail import Head, verify_chain
from backend.inspections.rotation import destroy_retired_keys, rewrap_keys
from backend.privacy import retention as keeping_short
from backend.privacy.mentions import index_unseen
from backend.sync.received import unlike_the_trail


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
        for community_id in chosen_communities(runtime.db, only):
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


@click.command()
@click.option("--dry-run", is_flag=True, help="Erase nothing; list what is over its time, also where retention is off.")
@click.option("--community", "only", type=click.UUID, help="One community (default: all).")
def retention(dry_run: bool, only: UUID | None) -> None:
    """Take persons out of what is over its time, now. Only in communities that have turned retention on."""
    with open_installation(progress=say) as installation:
        runtime = installation.runtime()
        for community_id in chosen_communities(runtime.db, only):
            for line in due_lines(runtime, community_id) if dry_run else [f"{erase_due(runtime, community_id)} erased"]:
                click.echo(f"{community_id}: {line}")


def due_lines(runtime: Runtime, community_id: UUID) -> list[str]:
    """What the job would erase, a line each. Looks first at rows nobody has looked at."""
    with runtime.db.transaction([community_id]) as session:
        while index_unseen(session, runtime, community_id):
            pass
        kept = keeping_short.settings_of(session, community_id)
        due = keeping_short.due(session, community_id, kept, _now_ms(session, community_id), None)
    state = "on" if kept["enabled"] else "off: nothing is erased"
    return [f"retention is {state}", *(f"{name} {row_id}" for name, ids in due.items() for row_id in ids)]


def erase_due(runtime: Runtime, community_id: UUID) -> int:
    """Erase all that is due, a batch a transaction; how many rows."""
    total = 0
    while True:
        with runtime.db.transaction([community_id]) as session:
            index_unseen(session, runtime, community_id)
            erased = keeping_short.erase_due(session, runtime, community_id, _now_ms(session, community_id))
        total += erased
        if not erased:
            return total


def _now_ms(session: Session, community_id: UUID) -> int:
    return clock.now_ms(session.get_one(Community, community_id).clock_offset_ms)


@click.command("verify-trail")
@click.option("--community", "only", type=click.UUID, help="One community (default: all).")
@click.option("--known", type=(click.IntRange(1), str), metavar="N HASH", help="A link of an export or the log.")
def verify_trail(only: UUID | None, known: tuple[int, str] | None) -> None:
    """Compute the chain of the audit trail again, and hold records and steps against it. Exit 1 if anything differs."""
    if known and not only:
        raise click.UsageError("--known is a link of one community: name it with --community")
    with open_installation(progress=say) as installation:
        runtime = installation.runtime()
        wrong = 0
        for community_id in chosen_communities(runtime.db, only):
            found = faults(runtime, community_id, Head(*known) if known else None)
            wrong += len(found)
            for line in found or ["whole"]:
                click.echo(f"{community_id}: {line}")
    if wrong:
        raise SystemExit(1)


def faults(runtime: Runtime, community_id: UUID, known: Head | None) -> list[str]:
    """What is wrong with a community's audit trail, a line each."""
    with runtime.db.transaction([community_id]) as session:
        report = verify_chain(session, community_id, known)
        unlike = unlike_the_trail(session, community_id)
    lines = [f"link {n} (event {event_id}) does not follow from what is before it" for n, event_id in report.broken]
    lines += [f"event {event_id} came past the chain" for event_id in report.unlinked]
    lines += [f"{subject} is not what the trail says was written" for subject in unlike]
    return lines + (["the known link is not in the chain"] if report.known_holds is False else [])

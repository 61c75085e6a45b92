"""``doctor``: looks at everything an installation stands on and says, in a sentence each, what is wrong and what to do.

Every check runs even when others fail; one that cannot be made says why.
"""

import hashlib
import os
import socket
import stat
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from backend import clock
from backend.calendar.presenting import no_calendar_mark
from backend.calendar.queries import official_years
from backend.db import Database, set_access
from backend.identity.trail import verify_chain
from backend.jobs.ledger import communities
from backend.operations import queries
from backend.operations.health import Finding, check_broker, check_database, check_disk
from backend.settings import PROJECT, Settings
from backend.sync.received import unlike_the_trail

#: What the bootstrap installs and stamps.
RUNTIME_LOCK = "requirements.lock"
GOOD, WARNING, BAD = "ok", "warning", "wrong"
#: Jobs that wait longer than this mean that no worker works.
SLOW_JOB_S = 300.0
OLD_BACKUP_DAYS = 8
LAST_MONTH = 12
CLOCK_SKEW_MS = 2_000
OLDEST_PYTHON, OLDEST_POSTGRES = (3, 11), 180_000


@dataclass(frozen=True, slots=True)
class Check:
    """What was looked at (``name``), how it stands (``state``: ok, warning, wrong), and in words what to do."""

    name: str
    state: str
    sentence: str
    advice: str = ""


def run_doctor(settings: Settings, *, serving: bool = False) -> list[Check]:
    """All checks, in the order of what depends on what. ``serving``: the API of this installation is running."""
    db = Database(settings.database_url, pool_size=1, application_name="saolou-doctor")
    try:
        return [
            check_python(),
            check_lock(PROJECT, Path(sys.prefix)),
            check_data_dir(settings.data_dir),
            check_secret_file(settings.data_dir),
            of_finding(check_disk(settings.data_dir), "Free some space, or move SAOLOU_DATA_DIR to a larger disk."),
            of_finding(check_database(db), "Start it, or put DATABASE_URL right."),
            *_asked(
                db,
                check_postgres,
                check_role,
                check_clock,
                check_jobs,
                check_quarantine,
                check_audit,
                check_backup,
                check_calendar,
                check_messages,
            ),
            of_finding(check_broker(settings.redis_url), "Start Valkey, or put REDIS_URL right."),
            check_port(settings, serving),
        ]
    finally:
        db.dispose()


def exit_code(checks: list[Check]) -> int:
    """0 when nothing is wrong (warnings pass), else 1."""
    return int(any(check.state == BAD for check in checks))


def of_finding(finding: Finding, advice: str) -> Check:
    if finding.ok:
        return Check(finding.name, GOOD, finding.detail)
    return Check(finding.name, BAD if finding.vital else WARNING, finding.detail, advice)


def check_python() -> Check:
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info[:2] < OLDEST_PYTHON:
        return Check("python", BAD, f"Python {version} is too old", "Install Python 3.11 or newer.")
    return Check("python", GOOD, version)


def check_lock(root: Path, environment: Path) -> Check:
    """The environment holds what the lock file names: the bootstrap stamped it so."""
    stamp, lock = environment / f"saolou-{RUNTIME_LOCK}.sha256", root / RUNTIME_LOCK
    if not stamp.exists():
        return Check("packages", WARNING, "installed by other means than `python3 -m backend`; not checked")
    if stamp.read_text() != hashlib.sha256(lock.read_bytes()).hexdigest():
        advice = "Run any `python3 -m backend` command: it installs what is missing."
        return Check("packages", BAD, f"the installed packages are not those of {RUNTIME_LOCK}", advice)
    return Check("packages", GOOD, f"as {RUNTIME_LOCK} has them")


def check_data_dir(folder: Path) -> Check:
    if not folder.is_dir():
        return Check("data folder", BAD, f"{folder} does not exist", "Create it, or put SAOLOU_DATA_DIR right.")
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        return Check("data folder", BAD, f"{folder} cannot be written", "Give it to the user that runs Saolou.")
    if folder.stat().st_mode & stat.S_IWOTH:
        return Check("data folder", BAD, f"anybody may write in {folder}", f"Run: chmod o-w {folder}")
    return Check("data folder", GOOD, str(folder))


def check_secret_file(folder: Path) -> Check:
    """Embedded installations keep the secret in a file; servers are given it by their environment."""
    path = folder / "secrets.json"
    if not path.exists():
        return Check("secret", GOOD, "from the environment")
    if path.stat().st_mode & 0o077:
        return Check("secret", BAD, f"others may read {path}", f"Run: chmod 600 {path}")
    return Check("secret", GOOD, "readable by its owner only")


def _asked(db: Database, *checks: Callable[[Session], Check]) -> Iterator[Check]:
    """Checks that ask the database, each in a transaction of its own."""
    for check in checks:
        try:
            with db.transaction() as session:
                yield check(session)
        except SQLAlchemyError:
            name = check.__name__.removeprefix("check_")
            yield Check(name, WARNING, "could not be looked at without the database")


def check_postgres(session: Session) -> Check:
    number, version = session.execute(
        text("SELECT current_setting('server_version_num')::int, current_setting('server_version')")
    ).one()
    if number < OLDEST_POSTGRES:
        return Check("postgres", BAD, f"PostgreSQL {version} is too old", "Use PostgreSQL 18.")
    if session.scalar(text("SHOW fsync")) != "on" or session.scalar(text("SHOW synchronous_commit")) == "off":
        advice = "Turn fsync and synchronous_commit on: what a phone was told is stored would not survive a crash."
        return Check("postgres", BAD, "commits are not durable", advice)
    return Check("postgres", GOOD, version)


def check_role(session: Session) -> Check:
    """The application's role is bound by row level security."""
    role, free = session.execute(
        text("SELECT rolname, rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user")
    ).one()
    if free:
        advice = "Let DATABASE_URL name the role saolou_app; the owner belongs into DATABASE_OWNER_URL."
        return Check("role", BAD, f"row level security does not bind the role {role}", advice)
    return Check("role", GOOD, f"{role}, bound by row level security")


def check_clock(session: Session) -> Check:
    """Records are ordered by this machine's clock; at least it must agree with the database's."""
    before = clock.now_ms()
    database_ms = session.scalar(text("SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint")) or 0
    skew = abs(database_ms - (before + clock.now_ms()) // 2)
    if skew > CLOCK_SKEW_MS:
        advice = "Let both machines keep time (chrony or systemd-timesyncd)."
        return Check("clock", BAD, f"this machine and the database differ by {skew / 1000:.1f} s", advice)
    return Check("clock", GOOD, f"{clock.iso(before)}")


def check_jobs(session: Session) -> Check:
    states = queries.list_job_states(session)
    dead = {s.kind: s.dead for s in states if s.dead}
    if dead:
        named = ", ".join(f"{n} of kind {kind}" for kind, n in dead.items())
        advice = "See last_error in the table job; after the repair, requeue with `python3 -m backend doctor --revive`."
        return Check("jobs", BAD, f"jobs failed five times and stand still: {named}", advice)
    slow = [s for s in states if s.oldest_s > SLOW_JOB_S]
    if slow:
        oldest = max(slow, key=lambda s: s.oldest_s)
        sentence = f"{oldest.open} jobs of kind {oldest.kind} wait, the oldest for {oldest.oldest_s / 60:.0f} minutes"
        return Check("jobs", BAD, sentence, "Is the worker running (`python -m worker`)? See its log.")
    return Check("jobs", GOOD, f"{sum(s.open for s in states)} open")


def check_quarantine(session: Session) -> Check:
    queries.see_all(session)
    held = queries.count_quarantined(session)
    if held:
        advice = "A safety officer can look at them, repair and requeue them."
        return Check("quarantine", WARNING, f"{held} records are held because they could not be taken in", advice)
    return Check("quarantine", GOOD, "empty")


def check_audit(session: Session) -> Check:
    """Every community's audit trail is the chain that was written."""
    broken = []
    found = communities(session)
    for community_id in found:
        set_access(session, [community_id])
        if not verify_chain(session, community_id).is_whole or unlike_the_trail(session, community_id):
            broken.append(str(community_id))
    if broken:
        advice = "Somebody changed the database past the application. Compare with exports of the trail and backups."
        return Check("audit trail", BAD, f"changed or removed events or records in {', '.join(broken)}", advice)
    return Check("audit trail", GOOD, f"{len(found)} chains, unbroken")


def check_backup(session: Session) -> Check:
    """Phones keep what they sent until a restore-tested backup covers it."""
    value = session.scalar(text("SELECT (value ->> 'ms')::bigint FROM server_state WHERE key = 'safe_through'"))
    advice = "Run `python3 -m backend backup --verify FILE` regularly, and keep the files on another machine."
    if not value:
        return Check("backup", WARNING, "there is no restore-tested backup", advice)
    days = (clock.now_ms() - value) / clock.DAY_MS
    if days > OLD_BACKUP_DAYS:
        return Check("backup", WARNING, f"the newest restore-tested backup is {days:.0f} days old", advice)
    return Check("backup", GOOD, f"restore-tested, covers until {clock.iso(value)}")


def check_calendar(session: Session) -> Check:
    """The holidays of this year, and in December of the next, are known."""
    today = clock.local_day(clock.now_ms())
    years = [today.year, today.year + 1] if today.month == LAST_MONTH else [today.year]
    missing = sorted(set(years) - official_years(session, None, years))
    if missing:
        advice = "Import the State Council's notice: `python3 -m backend import-calendar FILE --year YEAR`."
        return Check("calendar", WARNING, " ".join(no_calendar_mark(year)["en"] for year in missing), advice)
    return Check("calendar", GOOD, f"official for {', '.join(map(str, years))}")


def check_messages(session: Session) -> Check:
    """Nothing that people were to be told outside the system was given up."""
    queries.see_all(session)
    dead = queries.count_dead_deliveries(session)
    if dead:
        advice = "GET /api/v1/notification-channels says why; repair the channel, then POST …/retry."
        return Check("messages", WARNING, f"{dead} reminders could not be sent and were given up", advice)
    return Check("messages", GOOD, "none given up")


def check_port(settings: Settings, serving: bool) -> Check:
    """The API's port is free to take, or taken by us."""
    with socket.socket(socket.AF_INET6 if ":" in settings.host else socket.AF_INET) as probe:
        probe.settimeout(2)
        taken = probe.connect_ex((settings.host, settings.port)) == 0
    where = f"{settings.host}:{settings.port}"
    if taken and not serving:
        return Check("port", WARNING, f"something answers at {where}", "If it is not Saolou, set another SAOLOU_PORT.")
    if serving and not taken:
        advice = "If `serve` was given another --port, set SAOLOU_PORT to it; else see the API's log."
        return Check("port", WARNING, f"nothing answers at {where}", advice)
    return Check("port", GOOD, where)

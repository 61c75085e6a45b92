"""``python3 -m backend …``: every command of Saolou, each with ``--help``."""

import sys

import click
from sqlalchemy.exc import OperationalError

from backend.commands import bench, calendar, demo, fleet, guarding, installing, keeping, people, running, testing
from backend.embedded import EmbeddedError
from backend.errors import ConfigurationError, DomainError
from backend.http.messages import sentence


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
def commands() -> None:
    """Saolou 扫楼: door-to-door safety sweeps, from the stairwell to the meeting table."""


for command in (
    demo.demo,
    running.serve,
    testing.test,
    bench.bench,
    fleet.fleet,
    keeping.rebuild,
    installing.migrate,
    people.create_admin,
    people.import_roster,
    calendar.import_calendar,
    guarding.permissions,
    guarding.password_code,
    guarding.rotate_keys,
    guarding.retention,
    guarding.verify_trail,
    keeping.backup,
    keeping.restore,
    keeping.doctor,
):
    commands.add_command(command)


def main() -> None:
    """Run the command line; what can go wrong ends in one sentence and a non-zero exit, never in a stack trace."""
    try:
        commands(prog_name="python3 -m backend")
    except (EmbeddedError, ConfigurationError) as error:
        sys.exit(f"saolou: {error}")
    except OperationalError as error:
        said = str(error.orig).strip().partition("\n")[0]
        sys.exit(f"saolou: the database does not answer: {said}. See what is wrong with: python3 -m backend doctor")
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        sys.exit(f"saolou: {error.strerror or error}{where}")
    except DomainError as error:
        lines = [sentence(error.code, "en", error.details)]
        lines += [f"  {e.pointer}: {sentence(e.code, 'en', e.details)}" for e in error.errors[:20]]
        sys.exit("saolou: " + "\n".join(lines))
